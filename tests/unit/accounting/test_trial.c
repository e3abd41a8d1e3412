/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/base/random.h"
#include "server/accounting/spool.h"
#include "tests/unit/accounting/set_up.h"

#include <string.h>

/* Hands Alice to those who are not Alice. */
static void note(struct set_up *u, struct who w, const struct announce *an, bool completed)
{
	struct accounting_slot *s = accounting_slot(u->a, w.id % 2);
	accounting_enter(s, &u->lease);
	const struct accounting_announce note = { .announce = an,
		                                  .client = random_mix(w.id),
		                                  .swarm = 1,
		                                  .known = known(u, w),
		                                  .silent = silent(u, w),
		                                  .completed = completed,
		                                  .place = world_place(u->lease.map, w.isp, w.pid),
		                                  .now = u->now };
	accounting_note(s, &note);
	const uint32_t place = world_place(u->lease.map, alice.isp, alice.pid);
	const struct accounting_handed handed = { .place = place, .count = 1, .candidates = 1 };
	if (w.id != alice.id)
		accounting_handed(s, &handed, 1);
	accounting_leave(s);
	u->heard[w.id] = u->now;
}

static void upload(struct set_up *u, uint64_t up)
{
	note(u, alice, &(struct announce){ .uploaded = up }, false);
}

/* Of a swarm whose content has 100 MB. */
static void download(struct set_up *u, struct who w, uint64_t down, enum peer_event event)
{
	const struct announce an = { .downloaded = down, .left = 100 * MB - down, .event = event };
	note(u, w, &an, event == EVENT_COMPLETED);
}

static struct accounting_bin take(struct set_up *u)
{
	struct accounting_bin b = { 0 };
	assert_int_equal(spool_first(accounting_spool(u->a), &b, &u->fault), ERR_OK);
	spool_remove(accounting_spool(u->a), &b);
	return b;
}

static uint64_t times_of(const struct accounting_trial_row *r, uint64_t *others)
{
	const unsigned bucket = histogram_bucket(200);
	*others = 0;
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
		*others += i != bucket ? r->times[i] : 0;
	return r->times[bucket];
}

static void expect_times(struct set_up *u, const uint64_t times[2], const uint64_t copies[2])
{
	struct accounting_bin b = take(u);
	uint64_t others;
	assert_int_equal(b.n_trial, 2);
	for (size_t i = 0; i < 2; i++) {
		const struct accounting_trial_row *r = &b.trial[i];
		assert_string_equal(r->provider, i == 0 ? "isp1" : "isp2");
		assert_int_equal(times_of(r, &others), times[i]);
		assert_int_equal(others, 0);
		assert_int_equal(r->copies, copies[i]);
		assert_int_equal(r->imported, copies[i]); /* Alice is in isp0 */
		assert_int_equal(r->swarms, 1);
		assert_int_equal(r->unsized, 0);
	}
	accounting_bin_done(&b);
}

/* Bob takes 200 seconds; Carol goes on with half of it, from another session. */
static void download_both(struct set_up *u, int64_t from)
{
	run_to(u, from + 10);
	download(u, bob, 0, EVENT_STARTED);
	download(u, carol, 50 * MB, EVENT_STARTED);
}

static void tells_copies_and_how_long_they_took(void **state)
{
	(void)state;
	struct set_up u;
	set_up(&u);
	upload(&u, 0);
	accounting_trial(u.a, 0, "p4p 70/80");
	download_both(&u, START);
	run_to(&u, START + 210);
	upload(&u, 150 * MB);
	download(&u, bob, 100 * MB, EVENT_COMPLETED);
	download(&u, carol, 100 * MB, EVENT_COMPLETED);
	run_to(&u, START + BIN);
	expect_times(&u, (uint64_t[]){ 1, 0 }, (uint64_t[]){ 1000000, 500000 });
	tear_down(&u);
}

static void a_time_outlives_the_journal_but_not_a_step_of_the_clock(void **state)
{
	for (int step = 0; step < 2; step++) {
		struct set_up u;
		set_up(&u);
		upload(&u, 0);
		accounting_trial(u.a, 0, "p4p 70/80");
		download_both(&u, START);
		run_to(&u, START + 50);
		if (step)
			tick(&u, START + 49);
		run_to(&u, START + 210);
		upload(&u, 150 * MB);
		download(&u, bob, 100 * MB, EVENT_COMPLETED);
		download(&u, carol, 100 * MB, EVENT_COMPLETED);
		for (int kill = 0; kill < 2; kill++) {
			tick(&u, u.now + 1); /* the second writes a checkpoint */
			accounting_free(u.a);
			start(&u);
		}
		accounting_trial(u.a, 0, "p4p 70/80");
		run_to(&u, START + BIN);
		expect_times(&u, (uint64_t[]){ !step, 0 }, (uint64_t[]){ 1000000, 500000 });
		tear_down(&u);
		assert_int_equal(folder_remove(state), 0);
		assert_int_equal(folder_make(state), 0);
	}
}

/* 400,000 come to download, more than are kept, and others in the minutes after. */
static void when_very_many_come_a_share_of_them_is_timed(void **state)
{
	(void)state;
	struct set_up u;
	const struct announce an = { .left = MB, .event = EVENT_STARTED };
	struct accounting_announce note = { .announce = &an, .swarm = 1, .now = START };
	set_up(&u);
	uint64_t dropped[4];
	for (unsigned minute = 0; minute < 4; minute++) {
		struct accounting_slot *s = accounting_slot(u.a, 0);
		const uint64_t before = metrics_sum(u.metrics, METRIC_FIRSTS_DROPPED);
		accounting_enter(s, &u.lease);
		for (uint64_t i = 0; i < (minute == 0 ? 400000 : 1000); i++) {
			note.client = random_mix(minute * 1000000 + i);
			accounting_note(s, &note);
		}
		accounting_leave(s);
		dropped[minute] = metrics_sum(u.metrics, METRIC_FIRSTS_DROPPED) - before;
		run_to(&u, START + 60 * (minute + 1));
	}
	assert_in_range(dropped[0], 400000 - (1 << 18), 250000);
	assert_in_range(dropped[3], 400, 600); /* of 1,000: a full table would have refused 900 */
	tear_down(&u);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, folder_make, folder_remove)

static const struct CMUnitTest tests[] = {
	TEST(tells_copies_and_how_long_they_took),
	TEST(a_time_outlives_the_journal_but_not_a_step_of_the_clock),
	TEST(when_very_many_come_a_share_of_them_is_timed),
};

RUN_TESTS(tests)
