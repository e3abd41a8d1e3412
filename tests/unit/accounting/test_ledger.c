/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/base/random.h"
#include "server/accounting/ledger.h"

#include <stdlib.h>
#include <string.h>

enum { KB = 1000, HOUR = 3600 };

struct step {
	unsigned client, swarm;
	int64_t at;
	enum peer_event event;
	uint64_t up, down;
	uint64_t want_up, want_down;
	enum ledger_verdict verdict;
};

/* The swarm store: when whom was heard of. Who is not in the table is not known. */
enum { STORE_CLIENTS = 128, STORE_SWARMS = 8, EPOCH = 1000000 };
static int64_t store[STORE_CLIENTS][STORE_SWARMS];

static struct ledger *ledger_for(size_t clients)
{
	memset(store, 0, sizeof(store));
	return ledger_new(clients, 0);
}

static struct ledger_delta say(struct ledger *l, const struct step *s, uint64_t cap)
{
	static int64_t nowhere;
	int64_t *heard = s->client < STORE_CLIENTS ? &store[s->client][s->swarm] : &nowhere;
	const int64_t now = EPOCH + s->at, before = *heard;
	nowhere = 0;
	*heard = s->event != EVENT_STOPPED ? now : 0;
	const struct ledger_note n = { .known = before != 0,
		                       .silent = now > before ? (uint32_t)(now - before) : 0,
		                       .client = random_mix(s->client),
		                       .swarm = random_mix(1000 + s->swarm),
		                       .up = s->up,
		                       .down = s->down,
		                       .event = s->event,
		                       .up_max = cap,
		                       .down_max = cap,
		                       .now = now };
	return ledger_update(l, &n);
}

static void run(const struct step *steps, size_t n, uint64_t cap)
{
	struct ledger *l = ledger_for(1000);
	for (size_t i = 0; i < n; i++) {
		const struct ledger_delta d = say(l, &steps[i], cap);
		if (d.up != steps[i].want_up || d.down != steps[i].want_down ||
		    d.verdict != steps[i].verdict)
			fail_msg("step %zu: up %lu down %lu verdict %d", i, (unsigned long)d.up,
			         (unsigned long)d.down, (int)d.verdict);
	}
	ledger_free(l);
}

#define RUN(steps, cap) run(steps, sizeof(steps) / sizeof((steps)[0]), cap)

static void counts_what_a_counter_rose_by(void **state)
{
	(void)state;
	static const struct step steps[] = {
		{ 1, 1, 0, EVENT_STARTED, 0, 0, 0, 0, LEDGER_BASELINE },
		{ 1, 1, 60, EVENT_NONE, 5 * KB, 9 * KB, 5 * KB, 9 * KB, LEDGER_COUNTED },
		{ 1, 1, 60, EVENT_NONE, 5 * KB, 9 * KB, 0, 0, LEDGER_COUNTED },
		{ 1, 1, 90, EVENT_COMPLETED, 6 * KB, 9 * KB, 1 * KB, 0, LEDGER_COUNTED },
		{ 2, 1, 90, EVENT_STARTED, 0, 0, 0, 0, LEDGER_BASELINE },
		{ 1, 2, 90, EVENT_STARTED, 0, 0, 0, 0, LEDGER_BASELINE },
		{ 1, 2, 95, EVENT_NONE, 1, 1, 1, 1, LEDGER_COUNTED },
		{ 1, 1, 99, EVENT_PAUSED, 7 * KB, 9 * KB, 1 * KB, 0, LEDGER_COUNTED },
	};
	RUN(steps, 0);
}

static void takes_a_first_sight_for_a_baseline(void **state)
{
	(void)state;
	static const struct step steps[] = {
		{ 1, 1, 0, EVENT_NONE, 700 * KB, 900 * KB, 0, 0, LEDGER_BASELINE },
		{ 1, 1, 9, EVENT_NONE, 701 * KB, 902 * KB, 1 * KB, 2 * KB, LEDGER_COUNTED },
		{ 2, 1, 9, EVENT_STOPPED, 50 * KB, 50 * KB, 0, 0, LEDGER_BASELINE },
	};
	RUN(steps, 0);
}

static void a_new_session_starts_anew(void **state)
{
	(void)state;
	static const struct step steps[] = {
		{ 1, 1, 0, EVENT_STARTED, 0, 0, 0, 0, LEDGER_BASELINE },
		{ 1, 1, 60, EVENT_NONE, 5 * KB, 9 * KB, 5 * KB, 9 * KB, LEDGER_COUNTED },
		/* Some clients carry their totals over. */
		{ 1, 1, 99, EVENT_STARTED, 8 * KB, 9 * KB, 0, 0, LEDGER_BASELINE },
		{ 1, 1, 120, EVENT_NONE, 9 * KB, 9 * KB, 1 * KB, 0, LEDGER_COUNTED },
	};
	RUN(steps, 0);
}

static void a_counter_that_fell_starts_anew(void **state)
{
	(void)state;
	static const struct step steps[] = {
		{ 1, 1, 0, EVENT_STARTED, 0, 0, 0, 0, LEDGER_BASELINE },
		{ 1, 1, 60, EVENT_NONE, 5 * KB, 9 * KB, 5 * KB, 9 * KB, LEDGER_COUNTED },
		{ 1, 1, 99, EVENT_NONE, 2 * KB, 20 * KB, 0, 0, LEDGER_RESTARTED },
		{ 1, 1, 120, EVENT_NONE, 3 * KB, 21 * KB, 1 * KB, 1 * KB, LEDGER_COUNTED },
	};
	RUN(steps, 0);
}

static void stopping_takes_the_rest_and_forgets(void **state)
{
	(void)state;
	static const struct step steps[] = {
		{ 1, 1, 0, EVENT_STARTED, 0, 0, 0, 0, LEDGER_BASELINE },
		{ 1, 1, 60, EVENT_STOPPED, 5 * KB, 9 * KB, 5 * KB, 9 * KB, LEDGER_COUNTED },
		{ 1, 1, 61, EVENT_STOPPED, 5 * KB, 9 * KB, 0, 0, LEDGER_BASELINE },
		{ 1, 1, 90, EVENT_NONE, 6 * KB, 9 * KB, 0, 0, LEDGER_BASELINE },
	};
	RUN(steps, 0);
}

static void a_hybrid_torrents_twin_counts_once(void **state)
{
	(void)state;
	static const struct step steps[] = {
		{ 1, 1, 0, EVENT_STARTED, 0, 0, 0, 0, LEDGER_BASELINE },
		{ 1, 2, 0, EVENT_STARTED, 0, 0, 0, 0, LEDGER_BASELINE },
		{ 1, 1, 60, EVENT_NONE, 5 * KB, 9 * KB, 5 * KB, 9 * KB, LEDGER_COUNTED },
		{ 1, 2, 61, EVENT_NONE, 5 * KB, 9 * KB, 0, 0, LEDGER_WAS_TWIN },
		/* The other one first, for a change. */
		{ 1, 2, 120, EVENT_NONE, 6 * KB, 9 * KB, 1 * KB, 0, LEDGER_COUNTED },
		{ 1, 1, 120, EVENT_NONE, 6 * KB, 9 * KB, 0, 0, LEDGER_WAS_TWIN },
		{ 1, 1, 180, EVENT_STOPPED, 7 * KB, 9 * KB, 1 * KB, 0, LEDGER_COUNTED },
		{ 1, 2, 180, EVENT_STOPPED, 7 * KB, 9 * KB, 0, 0, LEDGER_WAS_TWIN },
	};
	RUN(steps, 0);
}

static void equal_counters_are_no_twin_by_themselves(void **state)
{
	(void)state;
	static const struct step steps[] = {
		{ 1, 1, 0, EVENT_STARTED, 0, 0, 0, 0, LEDGER_BASELINE },
		{ 2, 2, 0, EVENT_STARTED, 0, 0, 0, 0, LEDGER_BASELINE },
		{ 1, 3, 0, EVENT_STARTED, 0, 0, 0, 0, LEDGER_BASELINE },
		{ 1, 1, 60, EVENT_NONE, 5 * KB, 9 * KB, 5 * KB, 9 * KB, LEDGER_COUNTED },
		/* Another client; and the same one a quarter of an hour later. */
		{ 2, 2, 60, EVENT_NONE, 5 * KB, 9 * KB, 5 * KB, 9 * KB, LEDGER_COUNTED },
		{ 1, 3, 961, EVENT_NONE, 5 * KB, 9 * KB, 5 * KB, 9 * KB, LEDGER_COUNTED },
	};
	RUN(steps, 0);
}

static void cuts_absurd_rates(void **state)
{
	(void)state;
	static const struct step steps[] = {
		{ 1, 1, 0, EVENT_STARTED, 0, 0, 0, 0, LEDGER_BASELINE },
		{ 1, 1, 10, EVENT_NONE, 100 * KB, 99 * KB, 10 * KB, 10 * KB, LEDGER_COUNTED },
		{ 1, 1, 20, EVENT_NONE, 110 * KB, 99 * KB, 10 * KB, 0, LEDGER_COUNTED },
		{ 1, 1, 20, EVENT_NONE, 120 * KB, 99 * KB, 1 * KB, 0, LEDGER_COUNTED },
		/* A clock that went back counts as one second. */
		{ 1, 1, 5, EVENT_NONE, 130 * KB, 99 * KB, 1 * KB, 0, LEDGER_COUNTED },
		{ 1, 1, 21, EVENT_NONE, UINT64_MAX, 99 * KB, 1 * KB, 0, LEDGER_COUNTED },
	};
	RUN(steps, 1 * KB);
}

static void long_silence_starts_anew(void **state)
{
	(void)state;
	static const struct step steps[] = {
		{ 1, 1, 0, EVENT_STARTED, 0, 0, 0, 0, LEDGER_BASELINE },
		{ 1, 1, 3 * HOUR, EVENT_NONE, 1 * KB, 0, 1 * KB, 0, LEDGER_COUNTED },
		{ 1, 1, 6 * HOUR + 1, EVENT_NONE, 2 * KB, 0, 0, 0, LEDGER_BASELINE },
		{ 1, 1, 7 * HOUR, EVENT_NONE, 3 * KB, 0, 1 * KB, 0, LEDGER_COUNTED },
	};
	RUN(steps, 0);
}

static void tells_visits_and_the_time_between(void **state)
{
	(void)state;
	struct ledger *l = ledger_for(1000);
	struct step s = { 1, 1, 0, EVENT_STARTED, 0, 0, 0, 0, LEDGER_BASELINE };
	s.up = 1;
	assert_int_equal(say(l, &s, 0).visits, 0);
	s.event = EVENT_NONE;
	s.at = 50;
	assert_int_equal(say(l, &s, 0).visits, 1);
	s.at = 80;
	const struct ledger_delta d = say(l, &s, 0);
	assert_int_equal(d.visits, 2);
	assert_int_equal(d.elapsed, 30);
	for (int i = 0; i < 300; i++)
		(void)say(l, &s, 0);
	assert_int_equal(say(l, &s, 0).visits, 255);
	ledger_free(l);
}

static void forgets_the_silent_and_stays_bounded(void **state)
{
	(void)state;
	struct ledger *l = ledger_for(1000);
	struct step s = { 0, 1, 0, EVENT_STARTED, 1, 0, 0, 0, LEDGER_BASELINE };
	for (s.client = 0; s.client < 100; s.client++)
		(void)say(l, &s, 0);
	assert_int_equal(ledger_count(l), 100);
	for (unsigned part = 0; part < 7; part++)
		ledger_expire(l, part, 7, EPOCH + LEDGER_IDLE + 2);
	assert_int_equal(ledger_count(l), 100);
	for (unsigned part = 0; part < 7; part++)
		ledger_expire(l, part, 7, EPOCH + LEDGER_IDLE + 3);
	assert_int_equal(ledger_count(l), 0);
	for (s.client = 0; s.client < 100000; s.client++)
		(void)say(l, &s, 0);
	assert_in_range(ledger_count(l), 1000, 25 * 1024);
	ledger_free(l);
}

static void who_has_moved_nothing_has_no_entry(void **state)
{
	(void)state;
	struct ledger *l = ledger_for(1000);
	struct step s = { 0, 1, 0, EVENT_STARTED, 0, 0, 0, 0, LEDGER_BASELINE };
	for (s.client = 0; s.client < 100; s.client++)
		(void)say(l, &s, 0);
	s.event = EVENT_NONE;
	s.at = 60;
	for (s.client = 0; s.client < 100; s.client++) {
		const struct ledger_delta d = say(l, &s, 0);
		assert_int_equal(d.verdict, LEDGER_COUNTED);
		assert_int_equal(d.visits, 1);
		assert_int_equal(d.elapsed, 60);
	}
	assert_int_equal(ledger_count(l), 0);
	/* All of it since a minute ago, and no more than fits into it. */
	s.at = 120;
	s.client = 7;
	s.up = 50 * KB;
	s.down = 90 * KB;
	const struct ledger_delta d = say(l, &s, KB);
	assert_int_equal(d.up, 50 * KB);
	assert_int_equal(d.down, 60 * KB);
	assert_true(d.cut);
	assert_int_equal(ledger_count(l), 1);
	/* Back to zero: it began anew, and needs no entry again. */
	s.up = s.down = 0;
	assert_int_equal(say(l, &s, 0).verdict, LEDGER_RESTARTED);
	assert_int_equal(ledger_count(l), 0);
	s.up = KB;
	assert_int_equal(say(l, &s, 0).up, KB);
	ledger_free(l);
}

/* A lost entry must not look like one that never was. */
static void invents_no_byte_for_who_may_have_been_lost(void **state)
{
	(void)state;
	struct ledger *l = ledger_new(1000, EPOCH);
	const struct ledger_note n = { .client = 1,
		                       .swarm = 1,
		                       .known = true,
		                       .silent = 100,
		                       .up = 9 * KB,
		                       .now = EPOCH + 100 };
	assert_int_equal(ledger_update(l, &n).up, 0);
	struct ledger_note later = n;
	later.client = 2;
	later.now += 3;
	assert_int_equal(ledger_update(l, &later).up, 9 * KB);
	ledger_free(l);
}

static void invents_no_byte_for_who_was_displaced(void **state)
{
	(void)state;
	enum { CROWD = 60000 };
	uint64_t up = 0;
	unsigned lost = 0;
	struct ledger *l = ledger_new(1000, 0);
	for (unsigned round = 1; round <= 2; round++)
		for (unsigned c = 0; c < CROWD; c++) {
			const struct ledger_note n = { .client = random_mix(c),
				                       .swarm = 1,
				                       .known = round == 2,
				                       .silent = 1000,
				                       .up = round * KB,
				                       .now = EPOCH + 1000 * round };
			const struct ledger_delta d = ledger_update(l, &n);
			assert_true(d.up == 0 || d.up == KB);
			lost += round == 2 && d.verdict == LEDGER_BASELINE;
			up += d.up;
		}
	assert_in_range(lost, CROWD / 2, CROWD);
	assert_int_equal(up, (uint64_t)(CROWD - lost) * KB);
	ledger_free(l);
}

/* ---- against a trivial model ---- */

/* All in one shard, which grows, shrinks, and moves entries over gaps. */
static void a_dense_shard_finds_everybody(void **state)
{
	(void)state;
	enum { CROWD = 3000, STEPS = 60000 };
	static struct {
		uint64_t up;
		int64_t seen;
	} model[CROWD];
	struct ledger *l = ledger_new(10000000, 0);
	uint64_t seed = 9;
	memset(model, 0, sizeof(model));
	for (int64_t i = 0; i < STEPS; i++) {
		const unsigned c = random_below(&seed, i < STEPS / 2 ? CROWD : CROWD / 20);
		const bool stops = random_below(&seed, 4) == 0;
		const struct ledger_note n = { .client = random_mix(c) << 10,
			                       .swarm = c,
			                       .up = model[c].up + random_below(&seed, 3),
			                       .event = stops ? EVENT_STOPPED : EVENT_NONE,
			                       .now = EPOCH + i };
		const struct ledger_delta d = ledger_update(l, &n);
		const bool there = model[c].up != 0 && model[c].seen + LEDGER_IDLE >= n.now;
		assert_int_equal(d.up, there ? n.up - model[c].up : 0);
		model[c].up = stops ? 0 : n.up;
		model[c].seen = n.now;
		if (i % 10 == 0)
			ledger_expire(l, 0, 1, n.now);
		if (i % 5000 == 0 || i == STEPS - 1) {
			size_t count = 0;
			ledger_expire(l, 0, 1, n.now);
			for (unsigned k = 0; k < CROWD; k++)
				count += model[k].up != 0 &&
				         model[k].seen + LEDGER_IDLE + 2 >= n.now;
			assert_int_equal(ledger_count(l), count);
		}
	}
	ledger_free(l);
}

enum { CLIENTS = 20, SWARMS = 4 };

static void agrees_with_a_trivial_model(void **state)
{
	(void)state;
	struct {
		bool known;
		uint64_t up;
	} model[CLIENTS][SWARMS] = { 0 };
	struct ledger *l = ledger_for(10000);
	uint64_t seed = 3;
	for (int i = 0; i < 20000; i++) {
		const enum peer_event events[] = { EVENT_NONE, EVENT_NONE, EVENT_COMPLETED,
			                           EVENT_STARTED, EVENT_STOPPED };
		const unsigned c = random_below(&seed, CLIENTS), w = random_below(&seed, SWARMS);
		/* Never equal in two swarms, so that nobody is a twin. */
		const struct step s = { .client = c,
			                .swarm = w,
			                .at = i,
			                .event = events[random_below(&seed, 5)],
			                .up = SWARMS * (uint64_t)random_below(&seed, 1000) + w };
		const struct ledger_delta d = say(l, &s, 0);
		const bool counts =
			model[c][w].known && s.event != EVENT_STARTED && s.up >= model[c][w].up;
		assert_int_equal(d.up, counts ? s.up - model[c][w].up : 0);
		model[c][w].known = s.event != EVENT_STOPPED;
		model[c][w].up = s.up;
	}
	ledger_free(l);
}

static void tells_how_much_is_still_wanted(void **state)
{
	(void)state;
	static const struct {
		uint64_t first, now;
		float need;
	} rows[] = {
		{ 1000, 1000, 1 }, { 1000, 250, 0.25F }, { 1000, 0, 0 },
		{ 0, 0, 1 },       { 1000, 3000, 1 },    { UINT64_MAX, UINT64_MAX, 1 },
	};
	for (uint64_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ledger *l = ledger_new(16, 0);
		struct ledger_note n = {
			.client = i + 1, .swarm = 1, .left = rows[i].first, .now = 1000
		};
		(void)ledger_update(l, &n);
		n.known = true;
		n.silent = 10;
		n.left = rows[i].now;
		n.down = rows[i].first > n.left ? rows[i].first - n.left : 0;
		n.now = 1010;
		assert_true(ledger_update(l, &n).need == rows[i].need);
		assert_true(ledger_update(l, &n).need == rows[i].need);
		ledger_free(l);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(tells_how_much_is_still_wanted),
	cmocka_unit_test(counts_what_a_counter_rose_by),
	cmocka_unit_test(takes_a_first_sight_for_a_baseline),
	cmocka_unit_test(a_new_session_starts_anew),
	cmocka_unit_test(a_counter_that_fell_starts_anew),
	cmocka_unit_test(stopping_takes_the_rest_and_forgets),
	cmocka_unit_test(a_hybrid_torrents_twin_counts_once),
	cmocka_unit_test(equal_counters_are_no_twin_by_themselves),
	cmocka_unit_test(cuts_absurd_rates),
	cmocka_unit_test(long_silence_starts_anew),
	cmocka_unit_test(tells_visits_and_the_time_between),
	cmocka_unit_test(forgets_the_silent_and_stays_bounded),
	cmocka_unit_test(who_has_moved_nothing_has_no_entry),
	cmocka_unit_test(invents_no_byte_for_who_may_have_been_lost),
	cmocka_unit_test(invents_no_byte_for_who_was_displaced),
	cmocka_unit_test(agrees_with_a_trivial_model),
	cmocka_unit_test(a_dense_shard_finds_everybody),
};

RUN_TESTS(tests)
