/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GraphML, with the keys of the Topology Zoo (topology-zoo.org): nodes have "label", "Longitude" and
 * "Latitude", edges "LinkSpeedRaw" in bit/s. Keys are declared with an id; data name that.
 */
#include "tools/sketch/graph.h"
#include "tools/sketch/xml.h"

#include <stdio.h>
#include <string.h>

enum what { NOTHING, LABEL, LONGITUDE, LATITUDE, SPEED };

struct net {
	struct graph graph;
	struct table *keys; /* "node d32" -> enum what */
	struct graph_node *node;
	struct graph_edge *edge;
	enum what what; /* the datum that is read */
};

static void declare(struct xml_reading *r, const char **attributes)
{
	static const struct {
		const char *of, *name;
		enum what what;
	} known[] = {
		{ "node", "label", LABEL },
		{ "node", "Longitude", LONGITUDE },
		{ "node", "Latitude", LATITUDE },
		{ "edge", "LinkSpeedRaw", SPEED },
	};
	struct net *net = r->ctx;
	const char *of = xml_attribute(attributes, "for"), *id = xml_attribute(attributes, "id");
	const char *name = xml_attribute(attributes, "attr.name");
	char key[128];
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (of == NULL || id == NULL || name == NULL || strcmp(of, known[i].of) != 0 ||
		    strcmp(name, known[i].name) != 0)
			continue;
		(void)snprintf(key, sizeof(key), "%s %.100s", of, id);
		r->s->full |= table_add(net->keys, sketch_string(r->s, key), known[i].what, NULL) ==
		              ERR_NOMEM;
	}
}

static enum what find(const struct net *net, const char *of, const char **attributes)
{
	const char *id = xml_attribute(attributes, "key");
	char key[128];
	uint32_t what;
	(void)snprintf(key, sizeof(key), "%s %.100s", of, id != NULL ? id : "");
	return table_find(net->keys, key, &what) ? (enum what)what : NOTHING;
}

static void begin(struct xml_reading *r, const char *path, const char **attributes)
{
	struct net *net = r->ctx;
	const char *id = xml_attribute(attributes, "id");
	if (strcmp(path, "graphml/key") == 0) {
		declare(r, attributes);
	} else if (strcmp(path, "graphml/graph/node") == 0) {
		net->node = graph_node(&net->graph, id != NULL ? id : "", r->at);
	} else if (strcmp(path, "graphml/graph/edge") == 0) {
		const char *a = xml_attribute(attributes, "source");
		const char *b = xml_attribute(attributes, "target");
		net->edge = graph_edge(&net->graph, r->at);
		net->edge->a = a != NULL ? sketch_string(r->s, a) : NULL;
		net->edge->b = b != NULL ? sketch_string(r->s, b) : NULL;
	} else if (strcmp(path, "graphml/graph/node/data") == 0) {
		net->what = find(net, "node", attributes);
	} else if (strcmp(path, "graphml/graph/edge/data") == 0) {
		net->what = find(net, "edge", attributes);
	}
}

static void end(struct xml_reading *r, const char *path, const char *text)
{
	struct net *net = r->ctx;
	const bool of_node = strcmp(path, "graphml/graph/node/data") == 0;
	if (!of_node && strcmp(path, "graphml/graph/edge/data") != 0)
		return;
	if (net->what == LABEL && text[0] != '\0')
		net->node->label = sketch_string(r->s, text);
	else if (net->what == LONGITUDE)
		net->node->has_x = xml_number(r, text, &net->node->x);
	else if (net->what == LATITUDE)
		net->node->has_y = xml_number(r, text, &net->node->y);
	else if (net->what == SPEED && xml_number(r, text, &net->edge->mbps))
		net->edge->mbps /= 1e6;
}

void sketch_graphml(struct sketch *s, struct sketch_source *sources, size_t n,
                    const struct sketch_ask *ask)
{
	struct net net = { .keys = table_new(16) };
	struct xml_reading r = { .ctx = &net, .s = s, .begin = begin, .end = end };
	graph_init(&net.graph, s);
	s->full |= net.keys == NULL;
	for (size_t i = 0; i < n && !s->full; i++)
		xml_read(&r, &sources[i], (uint32_t)i + 1, "graphml");
	if (s->faults->count == 0)
		graph_finish(&net.graph, ask);
	table_free(net.keys);
	graph_done(&net.graph);
}
