/* SPDX-License-Identifier: Apache-2.0 */
#include "server/maps/impact.h"

#include "server/store/replay.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DAY = 24 * 60 * 60, PAIRS = 20000 };

/* ---- what is where ---- */

static uint32_t place_of(const struct map_snapshot *s, const struct map_topology *t, uint32_t pid)
{
	char key[PLACE_KEY_MAX];
	if (pid == MAP_NO_PID)
		return PLACE_UNKNOWN;
	must(t != NULL); /* whose PID it is */
	(void)snprintf(key, sizeof(key), "pid:%s/%s", t->provider, t->pids[pid].name);
	return snapshot_place_find(s, key);
}

/* Of a PID that has IPv4, those addresses count; else its /64s. */
static enum err add_addresses(struct impact *i, const struct impact_move *m)
{
	const size_t pids = m->before != NULL ? m->before->n_pids : 0;
	bool *has_v4 = calloc(pids + 1, sizeof(*has_v4));
	enum err e = has_v4 == NULL ? ERR_NOMEM : ERR_OK;
	for (size_t k = 0; k < m->n && e == ERR_OK; k++)
		if (m->list[k].before != MAP_NO_PID)
			has_v4[m->list[k].before] |= m->list[k].addresses_v4 > 0;
	for (size_t k = 0; k < m->n && e == ERR_OK; k++) {
		const struct map_overlap *o = &m->list[k];
		if (o->before == MAP_NO_PID)
			continue;
		e = replay_addresses(i->replay, place_of(i->before.map, m->before, o->before),
		                     place_of(i->after, m->now, o->after),
		                     has_v4[o->before] ? o->addresses_v4 : o->networks_v6);
	}
	free(has_v4);
	return e;
}

enum err impact_begin(struct impact *i, const struct maps_options *o, const char *provider,
                      struct map_snapshot *after, const struct impact_move *moves)
{
	*i = (struct impact){
		.o = o, .after = after, .moves = moves->now != NULL, .first = moves->before == NULL
	};
	(void)snprintf(i->provider, sizeof(i->provider), "%s", provider);
	(void)map_renew(o->office, &i->before);
	i->replay = replay_new(i->before.map, after, provider);
	return i->replay == NULL ? ERR_NOMEM : add_addresses(i, moves);
}

struct map_snapshot *impact_take(struct impact *i)
{
	struct map_snapshot *after = i->after;
	i->after = NULL;
	return after;
}

void impact_done(struct impact *i)
{
	replay_free(i->replay);
	snapshot_free(i->after);
	map_end(&i->before);
	*i = (struct impact){ 0 };
}

/* ---- live peers ---- */

static double percent(uint64_t part, uint64_t all)
{
	return all > 0 ? 100 * (double)part / (double)all : 0;
}

enum err impact_count(struct impact *i, struct guard_facts *facts)
{
	if (i->o->census == NULL)
		return ERR_OK;
	const enum err e = i->o->census(i->o->census_ctx, i->before.map, i->after, i->replay);
	if (e != ERR_OK)
		return e;
	i->counted = true;
	const struct replay_live live = replay_live(i->replay);
	if (live.peers > 0 && !i->first) {
		facts->peers_moved = percent(live.moved, live.peers);
		facts->default_points = percent(live.default_after, live.peers) -
		                        percent(live.default_before, live.peers);
	}
	return ERR_OK;
}

static void tell_live(struct impact *i, struct text *t)
{
	const struct replay_live live =
		i->counted ? replay_live(i->replay) : (struct replay_live){ 0 };
	text_put(t, ",\"live\":");
	if (live.peers == 0) {
		text_printf(t, "null,\"live_missing\":\"%s\"",
		            !i->moves    ? "costs move nobody"
		            : i->counted ? "no peer of this provider is in a swarm now"
		                         : "this server has no tracker, so it knows no peers");
		return;
	}
	text_printf(t,
	            "{\"peers\":%" PRIu64 ",\"moved\":%" PRIu64
	            ",\"moved_percent\":%.3f,\"default_before\":%" PRIu64
	            ",\"default_after\":%" PRIu64
	            ",\"default_before_percent\":%.3f,\"default_after_percent\":%.3f}",
	            live.peers, live.moved, percent(live.moved, live.peers), live.default_before,
	            live.default_after, percent(live.default_before, live.peers),
	            percent(live.default_after, live.peers));
}

/* ---- bytes ---- */

static void fill_cell(const struct map_snapshot *s, const char *provider,
                      const struct store_replay_row *r, struct replay_cell *out)
{
	static const enum replay_direction directions[] = {
		[STORE_INSIDE] = REPLAY_INSIDE, [STORE_OUT] = REPLAY_OUT, [STORE_IN] = REPLAY_IN
	};
	*out = (struct replay_cell){ .direction = directions[r->direction],
		                     .from = snapshot_place_find(s, r->from),
		                     .to = snapshot_place_find(s, r->to),
		                     .interconnect = NO_INTERCONNECT,
		                     .bytes = r->bytes };
	/* "" is the unknown place; any other name that the map does not have is none of its places. */
	out->placed = (out->from != PLACE_UNKNOWN || r->from[0] == '\0') &&
	              (out->to != PLACE_UNKNOWN || r->to[0] == '\0');
	if (r->interconnect[0] != '\0')
		out->interconnect = snapshot_interconnect_find(s, provider, r->interconnect);
}

static void put_ratio(struct text *t, struct replay_crossing x)
{
	text_printf(t, ",\"out_bytes\":%" PRIu64 ",\"in_bytes\":%" PRIu64, x.out, x.in);
	if (x.in > 0)
		text_printf(t, ",\"ratio\":%.6f", (double)x.out / (double)x.in);
	else
		text_put(t, ",\"ratio\":null");
}

static void put_book(struct text *t, const char *key, const struct replay_book *b)
{
	const double crossed = (double)b->all.out + (double)b->all.in, local = (double)b->local;
	text_printf(t, ",\"%s\":{\"local_bytes\":%" PRIu64, key, b->local);
	if (crossed + local > 0)
		text_printf(t, ",\"local_share\":%.6f", local / (local + crossed));
	else
		text_put(t, ",\"local_share\":null");
	put_ratio(t, b->all);
	text_printf(t,
	            ",\"unknown_out_bytes\":%" PRIu64 ",\"unknown_in_bytes\":%" PRIu64
	            ",\"left_bytes\":%" PRIu64 ",\"cost\":%.6f}",
	            b->unknown.out, b->unknown.in, b->left, b->cost);
}

static void put_crossing(struct text *t, const char *key, const struct replay_book *b, uint32_t at)
{
	text_printf(t, ",\"%s\":", key);
	if (at == NO_INTERCONNECT) {
		text_put(t, "null");
		return;
	}
	struct text members = { 0 };
	put_ratio(&members, b->crossings[at]);
	text_printf(t, "{%s}", members.bad ? "" : members.bytes + 1);
	t->bad = t->bad || members.bad;
	text_done(&members);
}

static bool is_idle(const struct replay_book *b, uint32_t at)
{
	return at == NO_INTERCONNECT || b->crossings[at].out + b->crossings[at].in == 0;
}

struct rows {
	struct text *out;
	size_t limit, shown, more;
};

static void put_interconnect(struct rows *rows, const struct map_interconnect_info *x,
                             const struct replay_outcome *o, uint32_t before, uint32_t after)
{
	struct text *t = rows->out;
	if (is_idle(&o->before, before) && is_idle(&o->after, after))
		return;
	if (rows->shown == rows->limit) {
		rows->more++;
		return;
	}
	text_put(t, rows->shown++ > 0 ? ",{\"interconnect\":" : "{\"interconnect\":");
	text_json_string(t, x->id);
	text_printf(t, ",\"neighbor_asn\":%" PRIu32 ",\"relation\":\"%s\"", x->neighbor_asn,
	            map_relation_name(x->relation));
	put_crossing(t, "before", &o->before, before);
	put_crossing(t, "after", &o->after, after);
	text_put(t, "}");
}

/* Those of before in the order of their document, then those that are new; the idle ones are left out. */
static void put_interconnects(const struct impact *i, const struct replay_outcome *o, size_t limit,
                              struct text *t)
{
	struct rows rows = { .out = t, .limit = limit };
	text_put(t, ",\"interconnects\":[");
	for (uint32_t k = 0; k < o->before.n; k++) {
		const struct map_interconnect_info x = snapshot_interconnect(i->before.map, k);
		if (strcmp(x.provider, i->provider) == 0)
			put_interconnect(&rows, &x, o, k,
			                 snapshot_interconnect_find(i->after, x.provider, x.id));
	}
	for (uint32_t k = 0; k < o->after.n; k++) {
		const struct map_interconnect_info x = snapshot_interconnect(i->after, k);
		if (strcmp(x.provider, i->provider) == 0 &&
		    snapshot_interconnect_find(i->before.map, x.provider, x.id) == NO_INTERCONNECT)
			put_interconnect(&rows, &x, o, NO_INTERCONNECT, k);
	}
	text_printf(t, "],\"more\":%zu", rows.more);
}

static enum err tell_day(struct impact *i, const struct store_replay_row *rows, size_t n,
                         size_t limit, struct text *t)
{
	struct replay_cell *cells = calloc(n + 1, sizeof(*cells));
	struct replay_outcome o = { 0 };
	enum err e = cells == NULL ? ERR_NOMEM : ERR_OK;
	for (size_t k = 0; k < n && e == ERR_OK; k++)
		fill_cell(i->before.map, i->provider, &rows[k], &cells[k]);
	if (e == ERR_OK)
		e = replay_run(i->replay, cells, n, &o);
	if (e == ERR_OK) {
		text_printf(t,
		            ",\"all\":%" PRIu64 ",\"changed\":%" PRIu64
		            ",\"changed_percent\":%.3f,\"unplaced\":%" PRIu64,
		            o.bytes, o.changed, percent(o.changed, o.bytes), o.unplaced);
		put_book(t, "before", &o.before);
		put_book(t, "after", &o.after);
		put_interconnects(i, &o, limit, t);
	}
	replay_outcome_done(&o);
	free(cells);
	return e;
}

/* Without the database there are no bytes, and that is said; a plan is worth having nevertheless. */
static enum err tell_bytes(struct impact *i, size_t limit, int64_t now, struct text *t)
{
	struct store_replay_row *rows = NULL;
	size_t n = 0;
	uint64_t bins = 0;
	char from[24], to[24];
	enum err e = ERR_OK;
	const char *missing = i->before.map == NULL ? "no map was in force" : NULL;
	if (missing == NULL)
		e = store_replay(i->o->store, i->provider, now - DAY, now, PAIRS, &rows, &n, &bins);
	if (e == ERR_NOMEM)
		return e;
	if (e != ERR_OK)
		missing = "the database does not answer";
	else if (missing == NULL && n == 0)
		missing = "no bytes of the last 24 hours are booked for this provider";
	if (missing != NULL) {
		text_printf(t, ",\"bytes\":null,\"bytes_missing\":\"%s\"", missing);
		free(rows);
		return ERR_OK;
	}
	text_time_print(now - DAY, from);
	text_time_print(now, to);
	text_printf(t, ",\"bytes\":{\"from\":\"%s\",\"to\":\"%s\",\"bins_known\":%" PRIu64, from,
	            to, bins);
	e = tell_day(i, rows, n, limit, t);
	text_put(t, "}");
	free(rows);
	return e;
}

enum err impact_tell(struct impact *i, size_t limit, int64_t now, struct text *out)
{
	tell_live(i, out);
	const enum err e = tell_bytes(i, limit, now, out);
	return out->bad ? ERR_NOMEM : e;
}
