/* SPDX-License-Identifier: Apache-2.0 */
#include "common/map/document.h"

#include "common/map/reading.h"

static void read_cost(struct reading *r, const struct value *v, uint32_t *out)
{
	read_u32(r, v, 0, MAP_COST_MAX, out);
}

/* A row of the matrix: {"a-east": 1, "a-mobile": 5}. */
static void read_row(struct reading *r, const struct value *v, struct map_costs *c)
{
	const char *from = NULL;
	struct value entry;
	read_key(r, v, &from);
	for (void *it = NULL; value_next(v, &it, &entry);) {
		struct map_pid_cost *cost = &c->pid_costs[c->n_pid_costs++];
		cost->from = from;
		read_key(r, &entry, &cost->to);
		read_cost(r, &entry, &cost->cost);
	}
}

static void read_pid_costs(struct reading *r, const struct value *v, struct map_costs *c)
{
	struct value row;
	size_t n = 0;
	read_entries(r, v);
	for (void *it = NULL; value_next(v, &it, &row);)
		n += read_entries(r, &row);
	if (n > MAP_PID_COSTS_MAX) {
		reading_fault(r, v, ERR_RANGE, "count", "must not have more than %d costs, not %zu",
		              MAP_PID_COSTS_MAX, n);
		return;
	}
	c->pid_costs = reading_take(r, n, sizeof(*c->pid_costs));
	if (n > 0 && c->pid_costs == NULL)
		return;
	for (void *it = NULL; value_next(v, &it, &row);)
		read_row(r, &row, c);
}

static void read_interconnect_costs(struct reading *r, const struct value *v, struct map_costs *c)
{
	enum { OUT, IN, KEYS };
	static const struct member keys[KEYS] = {
		[OUT] = { "out", REQUIRED },
		[IN] = { "in", REQUIRED },
	};
	struct value entry, m[KEYS];
	const size_t n = read_entries(r, v);
	if (n > MAP_INTERCONNECTS_MAX) {
		reading_fault(r, v, ERR_RANGE, "count",
		              "must not have more than %d entries, not %zu", MAP_INTERCONNECTS_MAX,
		              n);
		return;
	}
	c->interconnect_costs = reading_take(r, n, sizeof(*c->interconnect_costs));
	if (c->interconnect_costs == NULL)
		return;
	for (void *it = NULL; value_next(v, &it, &entry);) {
		struct map_interconnect_cost *cost =
			&c->interconnect_costs[c->n_interconnect_costs++];
		read_key(r, &entry, &cost->id);
		if (!read_object(r, &entry, keys, KEYS, m))
			continue;
		read_cost(r, &m[OUT], &cost->out);
		read_cost(r, &m[IN], &cost->in);
	}
}

/* False: not a document of this kind. */
static bool read_costs(struct reading *r, const struct value *v, struct map_costs *c)
{
	enum { FORMAT, PROVIDER, PID_COSTS, INTERCONNECT_COSTS, KEYS };
	static const struct member keys[KEYS] = {
		[FORMAT] = { "format", REQUIRED },
		[PROVIDER] = { "provider", REQUIRED },
		[PID_COSTS] = { "pid_costs", 0 },
		[INTERCONNECT_COSTS] = { "interconnect_costs", 0 },
	};
	struct value m[KEYS];
	if (!read_format(r, v, "p4p-costs/1", "p4p-topology/1") ||
	    !read_object(r, v, keys, KEYS, m))
		return false;
	read_name(r, &m[PROVIDER], &c->provider);
	read_pid_costs(r, &m[PID_COSTS], c);
	read_interconnect_costs(r, &m[INTERCONNECT_COSTS], c);
	return true;
}

enum err map_costs_parse(const char *json, size_t size, struct arena *arena, struct map_costs **out,
                         struct faults *faults)
{
	struct reading r = { .arena = arena, .faults = faults };
	struct value top = { 0 };
	const enum err loaded = reading_load(json, size, faults, &top.json);
	struct map_costs *c = reading_take(&r, 1, sizeof(*c));
	const bool read = top.json != NULL && c != NULL && read_costs(&r, &top, c);
	reading_drop(top.json);
	const enum err err = loaded == ERR_OK ? reading_verdict(&r) : loaded;
	if (read && loaded == ERR_OK && err != ERR_NOMEM)
		*out = c;
	return err;
}
