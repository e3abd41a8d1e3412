/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ALTO's network map and cost map (RFC 7285, sections 11.2.1.6 and 11.2.3.6), told apart by their members.
 * Costs are whole numbers here: where a map has fractions, all are multiplied by a thousand. A PID of
 * 0.0.0.0/0 or ::/0 stands for everybody else, whom a topology need not name.
 */
#include "tools/sketch/format.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

struct import {
	struct sketch *s;
	struct sketch_origin at;
	size_t renamed, rest,
		unknown; /* names changed; default PIDs; costs of PIDs that are not there */
};

static bool is_rest(const char *prefix)
{
	return strcmp(prefix, "0.0.0.0/0") == 0 || strcmp(prefix, "::/0") == 0;
}

/* ALTO's names fit but for '.', which a topology has not. */
static const char *rename_pid(const char *name, char out[static MAP_NAME_MAX + 1])
{
	static const char fit[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_:@";
	if (name[0] != '\0' && name[strspn(name, fit)] == '\0' && strlen(name) <= MAP_NAME_MAX)
		(void)snprintf(out, MAP_NAME_MAX + 1, "%s", name);
	else
		sketch_name(name, out);
	return out;
}

static void add_prefixes(struct import *im, uint32_t pid, const json_t *list, const char *name)
{
	const json_t *value;
	struct ip_prefix p;
	size_t i;
	if (!json_is_array(list)) {
		sketch_fault(im->s, im->at, "type",
		             "the addresses of PID \"%.60s\" must be lists of prefixes", name);
		return;
	}
	json_array_foreach(list, i, value)
	{
		const char *text = json_string_value(value);
		if (text == NULL)
			sketch_fault(im->s, im->at, "type",
			             "a prefix of PID \"%.60s\" must be a string", name);
		else if (!is_rest(text) && sketch_read_prefix(im->s, im->at, text, &p))
			sketch_prefix(im->s, pid, &p, im->at);
	}
}

/* Does it hold something but the rest of the world? */
static bool is_place(json_t *group)
{
	const char *type;
	json_t *list, *value;
	size_t i, rest = 0, n = 0;
	json_object_foreach(group, type, list) json_array_foreach(list, i, value)
	{
		const char *text = json_string_value(value);
		n++;
		rest += text != NULL && is_rest(text);
	}
	return n == 0 || rest < n;
}

static void read_group(struct import *im, const char *name, json_t *group)
{
	char pid_name[MAP_NAME_MAX + 1];
	const char *type;
	json_t *list;
	if (!json_is_object(group)) {
		sketch_fault(im->s, im->at, "type", "PID \"%.60s\" must be an object", name);
		return;
	}
	if (!is_place(group)) {
		im->rest++;
		return;
	}
	const uint32_t before = (uint32_t)im->s->n_pids;
	const uint32_t pid = sketch_pid(im->s, rename_pid(name, pid_name));
	if (pid < before && pid != SKETCH_NONE)
		sketch_fault(im->s, im->at, "duplicate", "PID \"%.60s\" must come once", name);
	im->renamed += strcmp(name, pid_name) != 0;
	json_object_foreach(group, type, list)
	{
		if (strcmp(type, "ipv4") == 0 || strcmp(type, "ipv6") == 0)
			add_prefixes(im, pid, list, name);
		else
			sketch_warn(
				im->s, im->at, "address-type",
				"PID \"%.60s\" has addresses of type \"%.40s\", which are left out",
				name, type);
	}
}

/* ---- costs ---- */

static bool has_fractions(json_t *map)
{
	const char *key;
	json_t *row, *cost;
	json_object_foreach(map, key, row) json_object_foreach(
		row, key,
		cost) if (json_is_real(cost) &&
	                  json_real_value(cost) != floor(json_real_value(cost))) return true;
	return false;
}

static void read_cost(struct import *im, const char *from, const char *to, const json_t *cost,
                      double scale)
{
	char a[MAP_NAME_MAX + 1], b[MAP_NAME_MAX + 1];
	const double value = json_number_value(cost) * scale;
	if (!json_is_number(cost) || !(value >= 0) || value > MAP_COST_MAX) {
		sketch_fault(im->s, im->at, "range",
		             "the cost from \"%.40s\" to \"%.40s\" must be a number from 0 to %.0f",
		             from, to, MAP_COST_MAX / scale);
		return;
	}
	(void)rename_pid(from, a);
	(void)rename_pid(to, b);
	if (sketch_find_pid(im->s, a) == SKETCH_NONE || sketch_find_pid(im->s, b) == SKETCH_NONE)
		im->unknown++;
	else
		sketch_pid_cost(im->s, a, b, (uint32_t)lround(value));
}

static void read_costs(struct import *im, json_t *map)
{
	const char *from, *to;
	json_t *row, *cost;
	const double scale = has_fractions(map) ? 1000 : 1;
	if (scale > 1)
		sketch_warn(im->s, im->at, "scaled",
		            "the costs have fractions, so all were multiplied by 1000");
	json_object_foreach(map, from, row)
	{
		if (!json_is_object(row)) {
			sketch_fault(im->s, im->at, "type",
			             "the costs from \"%.60s\" must be an object", from);
			continue;
		}
		json_object_foreach(row, to, cost) read_cost(im, from, to, cost, scale);
	}
}

/* ---- files ---- */

static json_t *parse(struct import *im, const struct sketch_source *source)
{
	json_error_t error;
	json_t *json = json_loadb(source->text, source->size, JSON_REJECT_DUPLICATES, &error);
	if (json == NULL)
		sketch_fault(im->s,
		             (struct sketch_origin){ im->at.source,
		                                     error.line > 0 ? (uint32_t)error.line : 0 },
		             "syntax", "must be JSON: %s", error.text);
	return json;
}

/* Its member, an object; NULL: it has none. */
static json_t *member(struct import *im, const json_t *json, const char *name)
{
	json_t *value = json_object_get(json, name);
	if (value != NULL && !json_is_object(value)) {
		sketch_fault(im->s, im->at, "type", "\"%s\" must be an object", name);
		return NULL;
	}
	return value;
}

/* First the network maps, then the costs, in whatever order they are given. */
static void read_pass(struct import *im, json_t **files, size_t n, bool costs)
{
	for (size_t i = 0; i < n; i++) {
		const char *name;
		json_t *group;
		im->at = (struct sketch_origin){ (uint32_t)i + 1, 0 };
		json_t *map = member(im, files[i], costs ? "cost-map" : "network-map");
		if (map != NULL && costs)
			read_costs(im, map);
		else if (map != NULL)
			json_object_foreach(map, name, group) read_group(im, name, group);
		else if (costs && json_object_get(files[i], "network-map") == NULL &&
		         files[i] != NULL)
			sketch_fault(im->s, im->at, "format",
			             "must be a network map or a cost map of ALTO (RFC 7285)");
	}
}

static void tell(const struct import *im)
{
	static const struct sketch_origin nowhere = { 0 };
	if (im->renamed > 0)
		sketch_warn(im->s, nowhere, "renamed",
		            "%zu PIDs have other names now, as topologies need", im->renamed);
	if (im->rest > 0)
		sketch_warn(im->s, nowhere, "default-pid",
		            "%zu PIDs hold everybody else (0.0.0.0/0, ::/0), and are left out",
		            im->rest);
	if (im->unknown > 0)
		sketch_warn(im->s, nowhere, "unknown-pid",
		            "%zu costs are of PIDs that are not in the topology, and are left out",
		            im->unknown);
}

void sketch_alto(struct sketch *s, struct sketch_source *sources, size_t n,
                 const struct sketch_ask *ask)
{
	struct import im = { .s = s };
	json_t **files = arena_take(s->arena, (n + 1) * sizeof(*files));
	(void)ask;
	s->full |= files == NULL;
	for (size_t i = 0; i < n && !s->full; i++) {
		im.at = (struct sketch_origin){ (uint32_t)i + 1, 0 };
		files[i] = parse(&im, &sources[i]);
	}
	if (!s->full) {
		read_pass(&im, files, n, false);
		read_pass(&im, files, n, true);
		tell(&im);
	}
	for (size_t i = 0; i < n && files != NULL; i++)
		json_decref(files[i]);
}
