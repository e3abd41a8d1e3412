/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/map/documents.h"

#include "common/base/random.h"
#include "common/map/replay.h"

/* isp-a as it is, and again with a-3, and the transit "t" for both peerings if `bare`; beside isp-b. */
static struct map_snapshot *compile(struct desk *d, bool third, bool bare)
{
	char text[2048];
	(void)snprintf(
		text, sizeof(text),
		"{\"format\":\"p4p-topology/1\",\"provider\":\"isp-a\",\"asns\":[64501],\"pids\":["
		"%s{\"pid\":\"a-1\",\"prefixes\":[\"10.1.0.0/16\"]},{\"pid\":\"a-2\",\"prefixes\":"
		"[\"10.2.0.0/16\"]}],\"interconnects\":[{\"id\":\"t\",\"pid\":\"a-1\","
		"\"neighbor_asn\":64510,\"relation\":\"transit\",\"reach\":\"any\"}%s]}",
		third ? "{\"pid\":\"a-3\",\"prefixes\":[\"10.3.0.0/16\"]}," : "",
		bare ? ""
		     : ",{\"id\":\"x\",\"pid\":\"a-1\",\"neighbor_asn\":64502,\"relation\":"
		       "\"settlement-free\"},{\"id\":\"y\",\"pid\":\"a-2\",\"neighbor_asn\":64502,"
		       "\"relation\":\"settlement-free\"}");
	const struct map_source sources[] = {
		{ topology(d, text), NULL },
		{ topology(d, "{\"format\":\"p4p-topology/1\",\"provider\":\"isp-b\",\"asns\":"
		              "[64502],\"pids\":[{\"pid\":\"b-1\",\"prefixes\":[\"11.0.0.0/8\"]}],"
		              "\"interconnects\":[{\"id\":\"x\",\"pid\":\"b-1\",\"neighbor_asn\":"
		              "64501,\"relation\":\"paid-peering\"}]}"),
		  NULL },
	};
	struct map_snapshot *s;
	assert_int_equal(map_compile(sources, 2, &s, NULL), ERR_OK);
	return s;
}

static uint32_t at(const struct map_snapshot *s, const char *key)
{
	const uint32_t place = snapshot_place_find(s, key);
	assert_int_not_equal(place, PLACE_UNKNOWN);
	return place;
}

static struct replay_crossing across(const struct map_snapshot *s, const struct replay_book *b,
                                     const char *id)
{
	const uint32_t i = snapshot_interconnect_find(s, "isp-a", id);
	assert_int_not_equal(i, NO_INTERCONNECT);
	return b->crossings[i];
}

static void bytes_follow_the_peers(void **state)
{
	(void)state;
	struct desk d = desk_new();
	struct map_snapshot *before = compile(&d, false, false), *after = compile(&d, true, false);
	struct replay *r = replay_new(before, after, "isp-a");
	struct replay_outcome o;
	/* Of four peers of a-1 one is in a-3 now, and one outside; the address counts for nothing. */
	const uint32_t a1 = at(before, "pid:isp-a/a-1");
	assert_int_equal(replay_peers(r, a1, at(after, "pid:isp-a/a-1"), 2), ERR_OK);
	assert_int_equal(replay_peers(r, a1, at(after, "pid:isp-a/a-3"), 1), ERR_OK);
	assert_int_equal(replay_peers(r, a1, PLACE_UNKNOWN, 1), ERR_OK);
	assert_int_equal(replay_addresses(r, a1, at(after, "pid:isp-a/a-2"), 999), ERR_OK);
	const struct replay_live live = replay_live(r);
	assert_int_equal(live.peers, 4);
	assert_int_equal(live.moved, 2);
	assert_int_equal(live.default_before, 0);
	assert_int_equal(live.default_after, 1);

	const struct replay_cell cells[] = {
		{ .placed = true, .from = a1, .to = at(before, "pid:isp-b/b-1"), .bytes = 4000 },
		{ .placed = true, .from = a1, .to = at(before, "pid:isp-a/a-2"), .bytes = 400 },
		{ .placed = true, .from = PLACE_UNKNOWN, .to = a1, .bytes = 40 },
	};
	assert_int_equal(replay_run(r, cells, 3, &o), ERR_OK);
	assert_int_equal(o.bytes, 4440);
	assert_int_equal(o.unplaced, 0);
	assert_int_equal(o.before.local, 400);
	assert_int_equal(o.before.all.out, 4000);
	assert_int_equal(o.before.all.in, 40);
	assert_int_equal(across(before, &o.before, "x").out, 4000);
	assert_int_equal(across(before, &o.before, "t").in, 40);
	/* a-1 keeps half, a-3 gets a quarter and uses x as well, and a quarter is outside. */
	assert_int_equal(o.after.local, 300);
	assert_int_equal(o.after.all.out, 3000);
	assert_int_equal(across(after, &o.after, "x").out, 3000);
	assert_int_equal(o.after.left, 1000 + 10);
	assert_int_equal(across(after, &o.after, "t").in, 30 + 100);
	assert_int_equal(o.after.all.in, 130);
	assert_int_equal(o.changed, 2000 + 200 + 20);
	assert_true(o.before.cost > 40.0 / 1e9 * 100 && o.before.cost < 0.001);
	replay_outcome_done(&o);
	replay_free(r);
	snapshot_free(before);
	snapshot_free(after);
	desk_free(&d);
}

static void without_peers_addresses_tell_and_without_those_the_name(void **state)
{
	(void)state;
	struct desk d = desk_new();
	struct map_snapshot *before = compile(&d, true, false), *after = compile(&d, false, false);
	struct replay *r = replay_new(before, after, "isp-a");
	struct replay_outcome o;
	const uint32_t a3 = at(before, "pid:isp-a/a-3");
	assert_int_equal(replay_addresses(r, a3, at(after, "pid:isp-a/a-2"), 65536), ERR_OK);
	const struct replay_cell cells[] = {
		{ .placed = true, .from = a3, .to = at(before, "as:64510"), .bytes = 100 },
		{ .placed = true,
		  .from = at(before, "pid:isp-a/a-2"),
		  .to = at(before, "pid:isp-b/b-1"),
		  .bytes = 7 },
	};
	assert_int_equal(replay_run(r, cells, 2, &o), ERR_OK);
	assert_int_equal(across(after, &o.after, "t").out, 100);
	assert_int_equal(across(after, &o.after, "y").out, 7);
	assert_int_equal(o.changed, 100);
	assert_int_equal(replay_live(r).peers, 0);
	replay_outcome_done(&o);
	replay_free(r);
	snapshot_free(before);
	snapshot_free(after);
	desk_free(&d);
}

static void bytes_without_places_stay_on_their_interconnect(void **state)
{
	(void)state;
	struct desk d = desk_new();
	struct map_snapshot *before = compile(&d, false, false), *after = compile(&d, false, true);
	struct replay *r = replay_new(before, after, "isp-a");
	struct replay_outcome o;
	const uint32_t t = snapshot_interconnect_find(before, "isp-a", "t");
	const uint32_t x = snapshot_interconnect_find(before, "isp-a", "x");
	const struct replay_cell cells[] = {
		{ .direction = REPLAY_OUT, .interconnect = t, .bytes = 10 },
		{ .direction = REPLAY_IN, .interconnect = x, .bytes = 20 },
		{ .direction = REPLAY_INSIDE, .interconnect = NO_INTERCONNECT, .bytes = 30 },
		{ .placed = true,
		  .from = at(before, "pid:isp-b/b-1"),
		  .to = at(before, "pid:isp-a/a-2"),
		  .bytes = 40 },
	};
	assert_int_equal(replay_run(r, cells, 4, &o), ERR_OK);
	assert_int_equal(o.unplaced, 60);
	assert_int_equal(o.before.unknown.in, 0);
	assert_int_equal(o.after.unknown.in, 20);
	assert_int_equal(across(after, &o.after, "t").out, 10);
	assert_int_equal(across(after, &o.after, "t").in, 40); /* y is gone */
	assert_int_equal(o.after.local, 30);
	assert_int_equal(o.changed, 20 + 40);
	replay_outcome_done(&o);
	replay_free(r);
	snapshot_free(before);
	snapshot_free(after);
	desk_free(&d);
}

static void a_first_map_has_nothing_before(void **state)
{
	(void)state;
	struct desk d = desk_new();
	struct map_snapshot *after = compile(&d, false, false);
	struct replay *r = replay_new(NULL, after, "isp-a");
	struct replay_outcome o;
	assert_int_equal(replay_peers(r, PLACE_UNKNOWN, at(after, "pid:isp-a/a-1"), 3), ERR_OK);
	const struct replay_live live = replay_live(r);
	assert_int_equal(live.peers, 3);
	assert_int_equal(live.moved, 3);
	assert_int_equal(live.default_before, 3);
	assert_int_equal(live.default_after, 0);
	assert_int_equal(replay_run(r, NULL, 0, &o), ERR_OK);
	assert_int_equal(o.bytes, 0);
	replay_outcome_done(&o);
	replay_free(r);
	snapshot_free(after);
	desk_free(&d);
}

/* ---- against a model: every peer by itself ---- */

enum { SPLIT = 4 }; /* peers of each place, so that no division leaves a remainder */

struct model {
	uint32_t to[64][SPLIT]; /* by place of before */
	uint64_t local, out, in, left, changed;
	uint64_t edge_out[16], edge_in[16];
};

static bool same_name(const struct map_snapshot *s, uint32_t a, const struct map_snapshot *t,
                      uint32_t b)
{
	char x[PLACE_KEY_MAX], y[PLACE_KEY_MAX];
	snapshot_place_key(s, a, x);
	snapshot_place_key(t, b, y);
	return strcmp(x, y) == 0;
}

static bool same_edge(const struct map_snapshot *s, uint32_t a, const struct map_snapshot *t,
                      uint32_t b)
{
	if (a == NO_INTERCONNECT || b == NO_INTERCONNECT)
		return a == b;
	return strcmp(snapshot_interconnect(s, a).id, snapshot_interconnect(t, b).id) == 0;
}

static bool is_mine(const struct map_snapshot *s, uint32_t place)
{
	const uint32_t p = snapshot_place(s, place).provider;
	return p != NO_PROVIDER && strcmp(snapshot_provider_name(s, p), "isp-a") == 0;
}

/* 'x' left, 'l' local, 'o' out, 'i' in; and across which interconnect. */
static char way(const struct map_snapshot *s, uint32_t from, uint32_t to, uint32_t *edge)
{
	const uint32_t own = snapshot_place_of_asn(s, 64501);
	const struct map_pair pair = snapshot_pair(s, from, to);
	*edge = NO_INTERCONNECT;
	if (!is_mine(s, from) && !is_mine(s, to))
		return 'x';
	if ((is_mine(s, from) || from == own) && (is_mine(s, to) || to == own))
		return 'l';
	*edge = is_mine(s, from) ? pair.out : pair.in;
	return is_mine(s, from) ? 'o' : 'i';
}

static void count(struct model *m, const struct map_snapshot *before,
                  const struct map_snapshot *after, const struct replay_cell *c)
{
	uint32_t was, is;
	const char kind = way(before, c->from, c->to, &was);
	const uint64_t each = c->bytes / (SPLIT * SPLIT);
	for (unsigned i = 0; i < SPLIT; i++)
		for (unsigned k = 0; k < SPLIT; k++) {
			const uint32_t from = m->to[c->from][i], to = m->to[c->to][k];
			const char now = way(after, from, to, &is);
			m->left += now == 'x' ? each : 0;
			m->local += now == 'l' ? each : 0;
			m->out += now == 'o' ? each : 0;
			m->in += now == 'i' ? each : 0;
			if (is != NO_INTERCONNECT)
				(now == 'o' ? m->edge_out : m->edge_in)[is] += each;
			if (now != kind || !same_edge(before, was, after, is) ||
			    !same_name(before, c->from, after, from) ||
			    !same_name(before, c->to, after, to))
				m->changed += each;
		}
}

static void random_worlds_agree_with_every_peer_by_itself(void **state)
{
	(void)state;
	uint64_t seed = 11;
	struct desk d = desk_new();
	struct map_snapshot *worlds[4];
	for (unsigned i = 0; i < 4; i++)
		worlds[i] = compile(&d, i % 2 != 0, i / 2 != 0);
	for (unsigned round = 0; round < 500; round++) {
		enum { CELLS = 20 };
		const struct map_snapshot *before = worlds[random_below(&seed, 4)];
		const struct map_snapshot *after = worlds[random_below(&seed, 4)];
		const uint32_t places = (uint32_t)snapshot_counts(before).places;
		struct replay *r = replay_new(before, after, "isp-a");
		struct replay_cell cells[CELLS] = { 0 };
		struct replay_outcome o;
		struct model m = { 0 };
		uint64_t bytes = 0;
		for (uint32_t p = 0; p < places; p++)
			for (unsigned i = 0; i < SPLIT; i++) {
				m.to[p][i] = random_below(&seed,
				                          (uint32_t)snapshot_counts(after).places);
				assert_int_equal(replay_peers(r, p, m.to[p][i], 5), ERR_OK);
			}
		for (unsigned i = 0; i < CELLS; i++) {
			cells[i] = (struct replay_cell){
				.placed = true,
				.from = random_below(&seed, places),
				.to = random_below(&seed, places),
				.bytes = (uint64_t)SPLIT * SPLIT * random_below(&seed, 1 << 30),
			};
			bytes += cells[i].bytes;
			count(&m, before, after, &cells[i]);
		}
		assert_int_equal(replay_run(r, cells, CELLS, &o), ERR_OK);
		assert_int_equal(o.bytes, bytes);
		assert_int_equal(o.after.local, m.local);
		assert_int_equal(o.after.all.out, m.out);
		assert_int_equal(o.after.all.in, m.in);
		assert_int_equal(o.after.left, m.left);
		assert_int_equal(o.changed, m.changed);
		for (size_t i = 0; i < o.after.n; i++) {
			assert_int_equal(o.after.crossings[i].out, m.edge_out[i]);
			assert_int_equal(o.after.crossings[i].in, m.edge_in[i]);
		}
		replay_outcome_done(&o);
		replay_free(r);
	}
	for (unsigned i = 0; i < 4; i++)
		snapshot_free(worlds[i]);
	desk_free(&d);
}

static void no_byte_is_lost_however_it_is_split(void **state)
{
	(void)state;
	uint64_t seed = 3;
	struct desk d = desk_new();
	struct map_snapshot *before = compile(&d, false, false), *after = compile(&d, true, true);
	for (unsigned round = 0; round < 300; round++) {
		struct replay *r = replay_new(before, after, "isp-a");
		struct replay_outcome o;
		const uint32_t places = (uint32_t)snapshot_counts(before).places;
		for (unsigned i = 0; i < 30; i++)
			assert_int_equal(
				replay_peers(r, random_below(&seed, places),
			                     random_below(&seed,
			                                  (uint32_t)snapshot_counts(after).places),
			                     random_next(&seed) >> 40),
				ERR_OK);
		const struct replay_cell cell = { .placed = true,
			                          .from = random_below(&seed, places),
			                          .to = random_below(&seed, places),
			                          .bytes = random_next(&seed) >> round % 60 };
		assert_int_equal(replay_run(r, &cell, 1, &o), ERR_OK);
		assert_true(o.after.local + o.after.all.out + o.after.all.in + o.after.left ==
		            cell.bytes);
		replay_outcome_done(&o);
		replay_free(r);
	}
	snapshot_free(before);
	snapshot_free(after);
	desk_free(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_follow_the_peers),
		cmocka_unit_test(without_peers_addresses_tell_and_without_those_the_name),
		cmocka_unit_test(bytes_without_places_stay_on_their_interconnect),
		cmocka_unit_test(a_first_map_has_nothing_before),
		cmocka_unit_test(random_worlds_agree_with_every_peer_by_itself),
		cmocka_unit_test(no_byte_is_lost_however_it_is_split),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
