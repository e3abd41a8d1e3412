/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Network topologies in JSON (RFC 8345, and RFC 8346 for layer 3; RFC 7951 for how YANG is written): nodes
 * with their prefixes, links that go one way. Two that go to and fro are one link here, which weighs what
 * the dearer of their metrics says.
 */
#include "tools/sketch/graph.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

struct net {
	struct graph graph;
	struct sketch *s;
	struct sketch_origin at;
	struct table *pairs; /* "a b", in order -> edge */
	size_t uneven;       /* links whose metrics differ by direction */
	size_t taken;        /* prefixes that another node has, too */
};

/* A member, with or without the name of its module before it. */
static json_t *get(const json_t *object, const char *module, const char *name)
{
	char full[96];
	(void)snprintf(full, sizeof(full), "%s:%s", module, name);
	json_t *value = json_object_get(object, full);
	return value != NULL ? value : json_object_get(object, name);
}

static const char *string(const json_t *object, const char *module, const char *name)
{
	return json_string_value(get(object, module, name));
}

#define NETWORK  "ietf-network"
#define TOPOLOGY "ietf-network-topology"
#define L3       "ietf-l3-unicast-topology"

static void read_node(struct net *net, const json_t *node)
{
	const char *id = string(node, NETWORK, "node-id");
	const char *name = string(get(node, L3, "l3-node-attributes"), L3, "name");
	if (id == NULL)
		sketch_fault(net->s, net->at, "missing", "every node must have a \"node-id\"");
	else
		graph_node(&net->graph, id, net->at)->label =
			name != NULL ? sketch_string(net->s, name) : NULL;
}

/* RFC 8346's own example writes the number as a string. */
static uint32_t metric_of(const json_t *link)
{
	const json_t *value = get(get(link, L3, "l3-link-attributes"), L3, "metric1");
	const char *text = json_string_value(value);
	uint64_t digits;
	const json_int_t n = text == NULL ? json_integer_value(value)
	                     : text_u64(text, strlen(text), &digits) && digits <= MAP_WEIGHT_MAX
	                             ? (json_int_t)digits
	                             : 0;
	return n < 1 ? 0 : n > MAP_WEIGHT_MAX ? MAP_WEIGHT_MAX : (uint32_t)n;
}

static void read_link(struct net *net, const json_t *link)
{
	const char *a = string(get(link, TOPOLOGY, "source"), TOPOLOGY, "source-node");
	const char *b = string(get(link, TOPOLOGY, "destination"), TOPOLOGY, "dest-node");
	const uint32_t metric = metric_of(link);
	uint32_t there;
	if (a == NULL || b == NULL) {
		sketch_fault(net->s, net->at, "missing",
		             "every link must have a \"source-node\" and a \"dest-node\"");
		return;
	}
	char key[512];
	(void)snprintf(key, sizeof(key), "%.250s %.250s", strcmp(a, b) < 0 ? a : b,
	               strcmp(a, b) < 0 ? b : a);
	if (table_find(net->pairs, key, &there)) {
		struct graph_edge *other = &net->graph.edges[there];
		net->uneven += other->weight != metric;
		if (metric > other->weight)
			other->weight = metric;
		return;
	}
	net->s->full |= table_add(net->pairs, sketch_string(net->s, key),
	                          (uint32_t)net->graph.n_edges, NULL) == ERR_NOMEM;
	struct graph_edge *edge = graph_edge(&net->graph, net->at);
	edge->a = sketch_string(net->s, a);
	edge->b = sketch_string(net->s, b);
	edge->weight = metric;
}

/* Once the nodes are PIDs. A prefix between two routers is announced by both: the first has it. */
static void read_prefixes(struct net *net, const json_t *node, struct table *seen)
{
	const json_t *list = get(get(node, L3, "l3-node-attributes"), L3, "prefix"), *each;
	const char *id = string(node, NETWORK, "node-id");
	const uint32_t pid = id != NULL ? graph_pid(&net->graph, id) : SKETCH_NONE;
	struct ip_prefix p;
	size_t i;
	json_array_foreach(list, i, each)
	{
		const char *text = string(each, L3, "prefix");
		if (pid == SKETCH_NONE || text == NULL ||
		    !sketch_read_prefix(net->s, net->at, text, &p))
			continue;
		const enum err e = table_add(seen, sketch_string(net->s, text), pid, NULL);
		net->s->full |= e == ERR_NOMEM;
		net->taken += e == ERR_EXISTS;
		if (e == ERR_OK)
			sketch_prefix(net->s, pid, &p, net->at);
	}
}

static void read_network(struct net *net, const json_t *network, const struct sketch_ask *ask)
{
	const json_t *nodes = get(network, NETWORK, "node"),
		     *links = get(network, TOPOLOGY, "link");
	const json_t *each;
	struct table *seen = table_new(64);
	size_t i;
	net->s->full |= seen == NULL;
	if (net->s->full)
		return;
	json_array_foreach(nodes, i, each) read_node(net, each);
	json_array_foreach(links, i, each) read_link(net, each);
	if (net->s->faults->count == 0)
		graph_finish(&net->graph, ask);
	if (net->s->faults->count == 0)
		json_array_foreach(nodes, i, each) read_prefixes(net, each, seen);
	table_free(seen);
}

static void read_document(struct net *net, const json_t *json, const struct sketch_ask *ask)
{
	const json_t *list = get(get(json, NETWORK, "networks"), NETWORK, "network");
	if (list == NULL)
		list = get(json, NETWORK, "network");
	if (!json_is_array(list) || json_array_size(list) == 0) {
		sketch_fault(net->s, net->at, "format",
		             "must be \"ietf-network:networks\" with a \"network\" (RFC 8345)");
		return;
	}
	if (json_array_size(list) > 1)
		sketch_warn(net->s, net->at, "networks", "of %zu networks only the first is taken",
		            json_array_size(list));
	read_network(net, json_array_get(list, 0), ask);
	if (net->uneven > 0)
		sketch_warn(net->s, net->at, "metric",
		            "%zu links have other metrics the other way; the dearer is taken",
		            net->uneven);
	if (net->taken > 0)
		sketch_warn(net->s, net->at, "prefix",
		            "%zu prefixes are of several nodes; the first has them", net->taken);
}

void sketch_ietf(struct sketch *s, struct sketch_source *sources, size_t n,
                 const struct sketch_ask *ask)
{
	struct net net = { .s = s, .at = { 1, 0 }, .pairs = table_new(64) };
	json_error_t error;
	graph_init(&net.graph, s);
	s->full |= net.pairs == NULL;
	must(n == 1);
	json_t *json = json_loadb(sources[0].text, sources[0].size, JSON_REJECT_DUPLICATES, &error);
	if (json == NULL)
		sketch_fault(s,
		             (struct sketch_origin){ 1, error.line > 0 ? (uint32_t)error.line : 0 },
		             "syntax", "must be JSON: %s", error.text);
	else if (!s->full)
		read_document(&net, json, ask);
	json_decref(json);
	table_free(net.pairs);
	graph_done(&net.graph);
}
