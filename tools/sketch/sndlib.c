/* SPDX-License-Identifier: Apache-2.0 */
/* SNDlib's native XML (sndlib.put.poznan.pl): nodes and links; demands are passed over. */
#include "tools/sketch/graph.h"
#include "tools/sketch/xml.h"

#include <string.h>

#define NODE "network/networkStructure/nodes/node"
#define LINK "network/networkStructure/links/link"

struct net {
	struct graph graph;
	struct graph_node *node; /* the one that is read */
	struct graph_edge *edge;
	bool mbps, degrees; /* what capacities and coordinates are in */
};

static void begin(struct xml_reading *r, const char *path, const char **attributes)
{
	struct net *net = r->ctx;
	const char *id = xml_attribute(attributes, "id");
	const char *kind = xml_attribute(attributes, "coordinatesType");
	if (strcmp(path, "network/networkStructure/nodes") == 0)
		net->degrees = kind == NULL || strcmp(kind, "geographical") == 0;
	else if (strcmp(path, NODE) == 0)
		net->node = graph_node(&net->graph, id != NULL ? id : "", r->at);
	else if (strcmp(path, LINK) == 0)
		net->edge = graph_edge(&net->graph, r->at);
}

static void end(struct xml_reading *r, const char *path, const char *text)
{
	struct net *net = r->ctx;
	if (strcmp(path, "network/meta/unit") == 0)
		net->mbps = strcmp(text, "MBITPERSEC") == 0;
	else if (strcmp(path, NODE "/coordinates/x") == 0 && net->degrees)
		net->node->has_x = xml_number(r, text, &net->node->x);
	else if (strcmp(path, NODE "/coordinates/y") == 0 && net->degrees)
		net->node->has_y = xml_number(r, text, &net->node->y);
	else if (strcmp(path, LINK "/source") == 0)
		net->edge->a = sketch_string(r->s, text);
	else if (strcmp(path, LINK "/target") == 0)
		net->edge->b = sketch_string(r->s, text);
	else if (strcmp(path, LINK "/preInstalledModule/capacity") == 0 && net->mbps)
		(void)xml_number(r, text, &net->edge->mbps);
}

void sketch_sndlib(struct sketch *s, struct sketch_source *sources, size_t n,
                   const struct sketch_ask *ask)
{
	struct net net = { .degrees = true };
	struct xml_reading r = { .ctx = &net, .s = s, .begin = begin, .end = end };
	graph_init(&net.graph, s);
	for (size_t i = 0; i < n; i++)
		xml_read(&r, &sources[i], (uint32_t)i + 1, "network");
	if (s->faults->count == 0)
		graph_finish(&net.graph, ask);
	graph_done(&net.graph);
}
