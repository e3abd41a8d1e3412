/* SPDX-License-Identifier: Apache-2.0 */
#include "server/pricing/links.h"

#include "common/map/ways.h"

#include <string.h>

static bool same_crossing(const struct store_flow *a, const struct store_flow *b)
{
	return a->row.direction == b->row.direction && strcmp(a->provider, b->provider) == 0 &&
	       strcmp(a->row.interconnect, b->row.interconnect) == 0;
}

static bool is_rest(const struct store_flow *f)
{
	return strcmp(f->row.from, "*") == 0;
}

/* What each byte of a row of its own stands for. */
static double scale_of(const struct store_flow *rows, size_t n)
{
	double named = 0, all = 0;
	for (size_t i = 0; i < n; i++) {
		all += (double)rows[i].row.bytes;
		named += is_rest(&rows[i]) ? 0 : (double)rows[i].row.bytes;
	}
	return named > 0 ? all / named : 0;
}

/* Rows of one crossing, which is at the PID `edge`, if it is no inside. */
struct crossing {
	const struct store_flow *rows;
	size_t n;
	uint32_t edge;
};

static enum err load_crossing(const struct map_snapshot *map, struct ways *ways,
                              const struct crossing *c, double unit, double *load_bps)
{
	const struct store_flow *rows = c->rows;
	const uint32_t edge = c->edge;
	const double scale = unit * scale_of(rows, c->n);
	enum err e = ERR_OK;
	for (size_t i = 0; i < c->n && e == ERR_OK; i++) {
		const struct store_replay_row *r = &rows[i].row;
		struct ways_list way;
		if (is_rest(&rows[i]))
			continue;
		e = ways_between(
			ways, r->direction == STORE_IN ? edge : snapshot_place_find(map, r->from),
			r->direction == STORE_OUT ? edge : snapshot_place_find(map, r->to), &way);
		for (size_t k = 0; k < way.n; k++)
			load_bps[way.steps[k]] += scale * (double)r->bytes;
	}
	return e;
}

enum err links_load(const struct map_snapshot *map, const struct store_flow *rows, size_t n,
                    double seconds, double *load_bps)
{
	struct ways *ways = ways_new(map);
	enum err e = ways == NULL ? ERR_NOMEM : ERR_OK;
	memset(load_bps, 0, 2 * snapshot_counts(map).links * sizeof(*load_bps));
	for (size_t i = 0, end; i < n && e == ERR_OK; i = end) {
		const struct store_flow *f = &rows[i];
		for (end = i + 1; end < n && same_crossing(f, &rows[end]); end++)
			;
		const uint32_t index =
			f->row.direction == STORE_INSIDE
				? NO_INTERCONNECT
				: snapshot_interconnect_find(map, f->provider, f->row.interconnect);
		const uint32_t edge = index != NO_INTERCONNECT
		                              ? snapshot_interconnect(map, index).place
		                              : PLACE_UNKNOWN;
		const struct crossing crossing = { f, end - i, edge };
		e = load_crossing(map, ways, &crossing, 8 / seconds, load_bps);
	}
	ways_free(ways);
	return e;
}
