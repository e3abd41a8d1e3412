/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/base/random.h"
#include "server/accounting/spool.h"
#include "tests/unit/accounting/set_up.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/resource.h>

static void say(struct set_up *u, struct who w, uint64_t up, uint64_t down, enum peer_event event)
{
	struct accounting_slot *s = accounting_slot(u->a, w.id % 2);
	const struct announce an = { .uploaded = up, .downloaded = down, .event = event };
	accounting_enter(s, &u->lease);
	const struct accounting_announce note = { .announce = &an,
		                                  .client = random_mix(w.id),
		                                  .swarm = 1,
		                                  .known = known(u, w),
		                                  .silent = silent(u, w),
		                                  .place = world_place(u->lease.map, w.isp, w.pid),
		                                  .up_kbps = u->line_kbps,
		                                  .down_kbps = u->line_kbps,
		                                  .now = u->now };
	accounting_note(s, &note);
	accounting_leave(s);
	u->heard[w.id] = u->now;
}

static void hand(struct set_up *u, struct who w, struct who to)
{
	struct accounting_slot *s = accounting_slot(u->a, w.id % 2);
	const struct announce an = { .event = EVENT_STARTED };
	accounting_enter(s, &u->lease);
	const struct accounting_announce note = { .announce = &an,
		                                  .client = random_mix(w.id),
		                                  .swarm = 1,
		                                  .known = known(u, w),
		                                  .silent = silent(u, w),
		                                  .place = world_place(u->lease.map, w.isp, w.pid),
		                                  .now = u->now };
	accounting_note(s, &note);
	const struct accounting_handed handed = {
		.place = world_place(u->lease.map, to.isp, to.pid), .count = 1, .candidates = 1
	};
	accounting_handed(s, &handed, 1);
	accounting_leave(s);
	u->heard[w.id] = u->now;
}

/* Bob and Carol download from Alice. */
static void meet(struct set_up *u)
{
	say(u, alice, 0, 0, EVENT_STARTED);
	hand(u, bob, alice);
	hand(u, carol, alice);
}

static const struct accounting_row *row(const struct accounting_bin *b, const char *provider,
                                        const char *interconnect)
{
	for (size_t i = 0; i < b->n_rows; i++)
		if (strcmp(b->rows[i].provider, provider) == 0 &&
		    strcmp(b->rows[i].interconnect, interconnect) == 0)
			return &b->rows[i];
	fail_msg("no row for %s %s", provider, interconnect);
	return NULL;
}

static struct accounting_bin take(struct set_up *u)
{
	struct accounting_bin b = { 0 };
	assert_int_equal(spool_first(accounting_spool(u->a), &b, &u->fault), ERR_OK);
	spool_remove(accounting_spool(u->a), &b);
	return b;
}

static void assert_spool_empty(struct set_up *u)
{
	struct accounting_bin b;
	assert_int_equal(spool_first(accounting_spool(u->a), &b, &u->fault), ERR_NOT_FOUND);
}

/* Takes a bin and checks what Alice's provider sent to the two others. */
static void expect_bin(struct set_up *u, int64_t at, uint32_t observed, uint64_t to_bob,
                       uint64_t to_carol)
{
	struct accounting_bin b = take(u);
	assert_int_equal(b.start, at);
	assert_int_equal(b.seconds, BIN);
	assert_int_equal(b.observed_seconds, observed);
	assert_int_equal(b.n_rows, 6);
	assert_int_equal(row(&b, "isp0", "to-isp1")->out_bytes, to_bob);
	assert_int_equal(row(&b, "isp1", "to-isp0")->in_bytes, to_bob);
	assert_int_equal(row(&b, "isp0", "to-isp2")->out_bytes, to_carol);
	assert_int_equal(row(&b, "isp2", "to-isp0")->in_bytes, to_carol);
	assert_int_equal(row(&b, "isp0", "to-isp1")->in_bytes, 0);
	assert_int_equal(row(&b, "isp1", "to-isp2")->out_bytes, 0);
	accounting_bin_done(&b);
}

static void books_a_transfer_on_both_providers(void **state)
{
	(void)state;
	struct set_up u;
	set_up(&u);
	meet(&u);
	run_to(&u, START + 100);
	say(&u, alice, 30 * MB, 0, EVENT_NONE);
	say(&u, bob, 0, 10 * MB, EVENT_NONE);
	say(&u, carol, 0, 20 * MB, EVENT_COMPLETED);
	run_to(&u, START + BIN - 1);
	assert_spool_empty(&u);
	run_to(&u, START + BIN);
	assert_int_equal(accounting_stats(u.a).spooled, 1);
	assert_int_equal(accounting_stats(u.a).open_start, START + BIN);
	assert_int_equal(accounting_stats(u.a).swarms, 1);
	assert_int_equal(accounting_stats(u.a).ledger, 3);
	expect_bin(&u, START, BIN, 10 * MB, 20 * MB);
	assert_int_equal(metrics_sum(u.metrics, METRIC_BYTES_REPORTED_DOWN), 30 * MB);
	assert_int_equal(metrics_sum(u.metrics, METRIC_BINS_CLOSED), 1);
	tear_down(&u);
}

/* What isp1 and isp2 downloaded from isp0. */
static void expect_trial(struct set_up *u, bool control, bool flagged)
{
	struct accounting_bin b = take(u);
	assert_string_equal(b.policy, "p4p 70/80");
	assert_int_equal(b.n_trial, 2);
	for (size_t i = 0; i < 2; i++) {
		const struct accounting_trial_row *r = &b.trial[i];
		assert_string_equal(r->provider, i == 0 ? "isp1" : "isp2");
		assert_int_equal(r->control, control);
		assert_int_equal(r->flagged, flagged);
		assert_int_equal(r->group, b.trial[0].group);
		for (unsigned k = 0; k < TIER_COUNT_; k++)
			assert_int_equal(r->bytes[k],
			                 k == TIER_SETTLEMENT_FREE ? (i + 1) * 10 * MB : 0);
	}
	accounting_bin_done(&b);
}

static void tells_downloads_apart_by_arm_and_flag(void **state)
{
	(void)state;
	static const struct {
		unsigned percent;
		uint64_t flagged; /* the swarm that is */
		bool control, is_private;
	} rows[] = { { 0, 2, false, false },
		     { 100, 2, true, false },
		     { 0, 1, false, true },
		     { 100, 1, true, true } };
	struct set_up u;
	set_up(&u);
	meet(&u);
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const uint64_t privates[] = { 99, rows[i].flagged, 7 }, n = i + 1;
		accounting_trial(u.a, rows[i].percent, "p4p 70/80");
		assert_int_equal(accounting_private(u.a, privates, 3), ERR_OK);
		run_to(&u, START + i * BIN + 100);
		say(&u, alice, n * 30 * MB, 0, EVENT_NONE);
		say(&u, bob, 0, n * 10 * MB, EVENT_NONE);
		say(&u, carol, 0, n * 20 * MB, EVENT_NONE);
		run_to(&u, START + (i + 1) * BIN);
		expect_trial(&u, rows[i].control, rows[i].is_private);
	}
	tear_down(&u);
}

static void a_line_limits_what_is_believed_but_not_in_a_test_network(void **state)
{
	for (int lab = 0; lab < 2; lab++) {
		struct set_up u;
		set_up(&u);
		accounting_free(u.a);
		u.no_lines = lab == 1;
		u.line_kbps = 8000; /* 1 MB a second */
		start(&u);
		meet(&u);
		run_to(&u, START + 10);
		say(&u, bob, 0, 100 * MB, EVENT_COMPLETED);
		assert_int_equal(metrics_sum(u.metrics, METRIC_BYTES_REPORTED_DOWN),
		                 lab ? 100 * MB : 15 * MB);
		assert_int_equal(metrics_sum(u.metrics, METRIC_DELTAS_ABSURD), lab ? 0 : 1);
		tear_down(&u);
		assert_int_equal(folder_remove(state), 0);
		assert_int_equal(folder_make(state), 0);
	}
}

static void a_watched_bin_without_traffic_is_known(void **state)
{
	(void)state;
	struct set_up u;
	set_up(&u);
	run_to(&u, START + 2 * BIN);
	expect_bin(&u, START, BIN, 0, 0);
	expect_bin(&u, START + BIN, BIN, 0, 0);
	assert_spool_empty(&u);
	tear_down(&u);
}

static void contacts_outlive_the_bin_they_were_made_in(void **state)
{
	(void)state;
	struct set_up u;
	set_up(&u);
	meet(&u);
	run_to(&u, START + 3 * BIN + 10);
	say(&u, bob, 0, 10 * MB, EVENT_NONE); /* nobody reports an upload */
	run_to(&u, START + 4 * BIN);
	for (int i = 0; i < 3; i++)
		expect_bin(&u, START + i * BIN, BIN, 0, 0);
	expect_bin(&u, START + 3 * BIN, BIN, 10 * MB, 0);
	tear_down(&u);
}

static void a_late_upload_pays_for_what_was_booked_before(void **state)
{
	(void)state;
	struct set_up u;
	const struct who dave = { 4, 2, 0 };
	set_up(&u);
	meet(&u);
	hand(&u, bob, dave);
	say(&u, dave, 0, 0, EVENT_STARTED);
	run_to(&u, START + 10);
	/* Two contacts, no report: half from each. */
	say(&u, bob, 0, 40 * MB, EVENT_NONE);
	run_to(&u, START + BIN);
	struct accounting_bin b = take(&u);
	assert_int_equal(row(&b, "isp1", "to-isp0")->in_bytes, 20 * MB);
	accounting_bin_done(&b);
	/* It was all Dave. Alice has sent what she was booked for only now. */
	say(&u, alice, 20 * MB, 0, EVENT_NONE);
	say(&u, dave, 60 * MB, 0, EVENT_NONE);
	say(&u, bob, 0, 80 * MB, EVENT_NONE);
	run_to(&u, START + 2 * BIN);
	b = take(&u);
	assert_in_range(row(&b, "isp1", "to-isp2")->in_bytes, 38 * MB, 40 * MB);
	accounting_bin_done(&b);
	tear_down(&u);
}

/* kill -9: no flush, the object is just gone. */
static void die_and_rise(struct set_up *u)
{
	accounting_free(u->a);
	start(u);
}

static void kill_9_costs_nothing_that_was_drained(void **state)
{
	(void)state;
	struct set_up u;
	set_up(&u);
	meet(&u);
	run_to(&u, START + 50);
	say(&u, alice, 30 * MB, 0, EVENT_NONE);
	say(&u, bob, 0, 10 * MB, EVENT_NONE);
	run_to(&u, START + 51);
	say(&u, carol, 0, 20 * MB, EVENT_COMPLETED);
	run_to(&u, START + 52);
	for (int i = 0; i < 3; i++) {
		say(&u, bob, 0, 99 * MB, EVENT_NONE); /* never drained */
		u.now += 10;                          /* away for so long */
		die_and_rise(&u);
		assert_int_equal(u.fault.code, ERR_OK);
		run_to(&u, u.now + 5);
	}
	run_to(&u, START + BIN);
	expect_bin(&u, START, BIN - 30, 10 * MB, 20 * MB);
	assert_spool_empty(&u);
	tear_down(&u);
}

static void contacts_outlive_kill_9_in_a_later_bin(void **state)
{
	(void)state;
	struct set_up u;
	set_up(&u);
	meet(&u);
	run_to(&u, START + BIN + 5);
	expect_bin(&u, START, BIN, 0, 0);
	die_and_rise(&u);
	run_to(&u, START + BIN + 8);
	say(&u, bob, 0, 0, EVENT_STARTED);
	run_to(&u, START + BIN + 10);
	say(&u, bob, 0, 10 * MB, EVENT_NONE);
	run_to(&u, START + 2 * BIN);
	expect_bin(&u, START + BIN, BIN, 10 * MB, 0);
	tear_down(&u);
}

static void a_journal_of_an_older_bin_is_closed(void **state)
{
	(void)state;
	struct set_up u;
	set_up(&u);
	meet(&u);
	run_to(&u, START + 10);
	say(&u, bob, 0, 10 * MB, EVENT_NONE);
	run_to(&u, START + 20);
	u.now = START + 5 * BIN + 100;
	die_and_rise(&u);
	run_to(&u, START + 6 * BIN);
	expect_bin(&u, START, 20, 10 * MB, 0);
	expect_bin(&u, START + 5 * BIN, 200, 0, 0);
	assert_spool_empty(&u);
	tear_down(&u);
}

static void a_damaged_journal_loses_its_tail_only(void **state)
{
	(void)state;
	struct set_up u;
	char path[128];
	set_up(&u);
	meet(&u);
	run_to(&u, START + 10);
	say(&u, bob, 0, 10 * MB, EVENT_NONE);
	run_to(&u, START + 20);
	accounting_free(u.a);
	(void)snprintf(path, sizeof(path), "%s/journal", folder);
	FILE *f = fopen(path, "ab");
	assert_non_null(f);
	(void)fputs("half a frame", f);
	(void)fclose(f);
	start(&u);
	assert_int_not_equal(u.fault.code, ERR_OK);
	run_to(&u, START + BIN);
	expect_bin(&u, START, BIN, 10 * MB, 0);
	assert_int_equal(truncate(path, 7), 0);
	die_and_rise(&u);
	assert_int_not_equal(u.fault.code, ERR_OK);
	tick(&u, u.now + 1);
	tear_down(&u);
}

static void a_flushed_bin_goes_on_after_a_restart(void **state)
{
	(void)state;
	struct set_up u;
	set_up(&u);
	meet(&u);
	run_to(&u, START + 10);
	say(&u, bob, 0, 10 * MB, EVENT_NONE);
	run_to(&u, START + 19);
	u.now++;
	assert_int_equal(accounting_flush(u.a, u.now, &u.fault), ERR_OK);
	expect_bin(&u, START, 20, 10 * MB, 0);
	die_and_rise(&u);
	say(&u, carol, 0, 0, EVENT_STARTED);
	run_to(&u, START + 30);
	say(&u, carol, 0, 20 * MB, EVENT_NONE);
	run_to(&u, START + BIN);
	expect_bin(&u, START, BIN, 10 * MB, 20 * MB);
	tear_down(&u);
}

static void stop_and_start(struct set_up *u)
{
	assert_int_equal(accounting_flush(u->a, ++u->now, &u->fault), ERR_OK);
	u->now += 5; /* away for so long */
	die_and_rise(u);
}

static void restarts_in_order_lose_no_byte(void **state)
{
	(void)state;
	struct set_up u;
	set_up(&u);
	meet(&u);
	for (unsigned i = 1; i <= 3; i++) {
		run_to(&u, START + 20 * i);
		say(&u, bob, 0, i * MB, EVENT_NONE);
		stop_and_start(&u);
		assert_int_equal(u.fault.code, ERR_OK);
		assert_int_equal(accounting_stats(u.a).ledger,
		                 i == 1 ? 1 : 2); /* Alice moved nothing */
		say(&u, bob, 0, 10 * i * MB, EVENT_NONE);
		say(&u, carol, 0, 5 * i * MB, EVENT_NONE);
	}
	run_to(&u, START + BIN);
	/* The second and third time Bob's counter fell first. */
	expect_bin(&u, START, BIN - 15, (10 + 18 + 27) * MB, 15 * MB);
	tear_down(&u);
}

static void an_old_ledger_is_never_met_again(void **state)
{
	(void)state;
	struct set_up u;
	set_up(&u);
	meet(&u);
	run_to(&u, START + 10);
	stop_and_start(&u);
	say(&u, bob, 0, 10 * MB, EVENT_NONE);
	run_to(&u, START + 20);
	die_and_rise(&u);
	say(&u, bob, 0, 11 * MB, EVENT_NONE); /* kill -9: a baseline */
	run_to(&u, START + 30);
	say(&u, bob, 0, 12 * MB, EVENT_NONE);
	run_to(&u, START + BIN);
	expect_bin(&u, START, BIN - 5, 11 * MB, 0);
	tear_down(&u);
}

static void a_damaged_ledger_is_named_and_left_out(void **state)
{
	(void)state;
	struct set_up u;
	char path[128];
	set_up(&u);
	meet(&u);
	run_to(&u, START + 10);
	assert_int_equal(accounting_flush(u.a, u.now, &u.fault), ERR_OK);
	(void)snprintf(path, sizeof(path), "%s/ledger", folder);
	assert_int_equal(truncate(path, 50), 0);
	die_and_rise(&u);
	assert_int_not_equal(u.fault.code, ERR_OK);
	assert_string_equal(u.fault.where, "ledger");
	assert_int_equal(accounting_stats(u.a).ledger, 0);
	tick(&u, START + 11);
	tear_down(&u);
}

static void a_new_map_in_mid_bin_keeps_what_was_noted(void **state)
{
	(void)state;
	struct set_up u;
	set_up(&u);
	meet(&u);
	tick(&u, START + 1);
	say(&u, alice, 30 * MB, 0, EVENT_NONE);
	say(&u, bob, 0, 10 * MB, EVENT_NONE);
	/* Within the same second, with other numbers for the same places. */
	assert_int_equal(map_publish(u.office, world_new(3, 5)), ERR_OK);
	(void)map_renew(u.office, &u.lease);
	say(&u, carol, 0, 20 * MB, EVENT_NONE);
	run_to(&u, START + BIN);
	expect_bin(&u, START, BIN, 10 * MB, 20 * MB);
	tear_down(&u);
}

static void before_the_first_map_the_open_bin_waits(void **state)
{
	(void)state;
	struct set_up u = { .now = START, .office = map_office_new(snapshot_free) };
	u.metrics = metrics_new(3);
	start(&u);
	run_to(&u, START + 2 * BIN + 10);
	assert_spool_empty(&u);
	assert_int_equal(map_publish(u.office, world_new(3, 2)), ERR_OK);
	(void)map_renew(u.office, &u.lease);
	run_to(&u, START + 3 * BIN);
	expect_bin(&u, START, BIN, 0, 0);
	expect_bin(&u, START + 2 * BIN, BIN - 10, 0, 0);
	tear_down(&u);
}

static void a_clock_that_goes_back_reopens_nothing(void **state)
{
	(void)state;
	struct set_up u;
	set_up(&u);
	meet(&u);
	run_to(&u, START + BIN + 10);
	expect_bin(&u, START, BIN, 0, 0);
	for (int64_t t = START + 1; t < START + 20; t++)
		tick(&u, t);
	say(&u, bob, 0, 10 * MB, EVENT_NONE);
	tick(&u, START + 20);
	assert_int_equal(accounting_stats(u.a).open_start, START + BIN);
	assert_int_equal(accounting_stats(u.a).backwards, 20);
	u.now = START + BIN + 9;
	run_to(&u, START + 2 * BIN);
	expect_bin(&u, START + BIN, BIN, 10 * MB, 0);
	assert_spool_empty(&u);
	tear_down(&u);
}

static void a_clock_that_leaps_ahead_leaves_a_gap(void **state)
{
	(void)state;
	struct set_up u;
	set_up(&u);
	meet(&u);
	run_to(&u, START + 10);
	say(&u, bob, 0, 10 * MB, EVENT_NONE);
	tick(&u, START + 20 * BIN + 8);
	run_to(&u, START + 21 * BIN);
	expect_bin(&u, START, 10, 10 * MB, 0);
	expect_bin(&u, START + 20 * BIN, BIN - 7, 0, 0);
	assert_spool_empty(&u);
	tear_down(&u);
}

static void a_full_disk_loses_nothing(void **state)
{
	(void)state;
	struct set_up u;
	struct rlimit old, none = { 0 };
	set_up(&u);
	meet(&u);
	run_to(&u, START + 10);
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	none.rlim_max = old.rlim_max;
	say(&u, bob, 0, 10 * MB, EVENT_NONE);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	unsigned failures = 0;
	while (++u.now < START + 2 * BIN + 5) {
		u.fault.code = ERR_OK;
		if (u.now == START + BIN + 5)
			say(&u, carol, 0, 20 * MB, EVENT_NONE);
		if (accounting_tick(u.a, u.now, &u.fault) != ERR_OK)
			failures += u.fault.code == ERR_SYSTEM;
	}
	const struct accounting_stats full = accounting_stats(u.a);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(failures, 2 * BIN + 5 - 11);
	assert_int_equal(full.waiting, 2);
	assert_int_equal(full.open_start, START);
	tick(&u, u.now);
	assert_int_equal(accounting_stats(u.a).waiting, 0);
	assert_int_equal(accounting_stats(u.a).open_start, START + 2 * BIN);
	expect_bin(&u, START, BIN, 10 * MB, 0);
	expect_bin(&u, START + BIN, BIN, 0, 20 * MB);
	run_to(&u, u.now + 3);
	die_and_rise(&u);
	assert_int_equal(u.fault.code, ERR_OK);
	tear_down(&u);
}

static void a_bin_that_the_spool_refused_survives_kill_9(void **state)
{
	(void)state;
	struct set_up u;
	char spool[128], away[128];
	set_up(&u);
	meet(&u);
	run_to(&u, START + 10);
	say(&u, bob, 0, 10 * MB, EVENT_NONE);
	run_to(&u, START + 20);
	(void)snprintf(spool, sizeof(spool), "%s/spool", folder);
	(void)snprintf(away, sizeof(away), "%s/away", folder);
	assert_int_equal(rename(spool, away), 0);
	while (u.now++ < START + BIN + 3)
		assert_int_equal(accounting_tick(u.a, u.now, &u.fault) != ERR_OK,
		                 u.now >= START + BIN);
	assert_int_equal(rename(away, spool), 0);
	die_and_rise(&u);
	tick(&u, u.now + 1);
	expect_bin(&u, START, BIN - 1, 10 * MB, 0);
	tear_down(&u);
}

static void a_silent_swarm_is_forgotten_after_hours(void **state)
{
	(void)state;
	struct set_up u;
	struct accounting_bin b;
	set_up(&u);
	meet(&u);
	for (int i = 1; i < 10 * 3600 / BIN; i++) {
		for (int64_t t = START + (i - 1) * BIN + 50; t < START + i * BIN + 50; t += 50)
			tick(&u, t);
		tick(&u, START + i * BIN);
		while (spool_first(accounting_spool(u.a), &b, &u.fault) == ERR_OK) {
			spool_remove(accounting_spool(u.a), &b);
			accounting_bin_done(&b);
		}
		if (i == 12)
			assert_int_equal(accounting_stats(u.a).swarms, 1);
	}
	assert_int_equal(accounting_stats(u.a).swarms, 0);
	tear_down(&u);
}

/* ---- threads ---- */

enum { ANNOUNCES = 20000, BATCH = 8 };

struct worker {
	struct set_up *u;
	pthread_t thread;
	unsigned slot;
	atomic_bool done;
};

static void *announce_much(void *arg)
{
	struct worker *w = arg;
	struct accounting_slot *s = accounting_slot(w->u->a, w->slot);
	struct map_lease lease = { 0 };
	for (unsigned i = 0; i < ANNOUNCES; i++) {
		if (i % BATCH == 0) {
			const struct map_snapshot *map = map_renew(w->u->office, &lease);
			accounting_enter(s, &lease);
			must(map != NULL);
		}
		const unsigned id = i % 100;
		const struct announce an = { .downloaded = (uint64_t)(i / 100) * MB };
		const uint32_t place = world_place(lease.map, w->slot, 0);
		const struct accounting_announce note = { .announce = &an,
			                                  .client = random_mix(1 + id +
			                                                       100 * w->slot),
			                                  .swarm = id % 7,
			                                  .known = i >= 100,
			                                  .place = place,
			                                  .now = START };
		accounting_prefetch(s, note.client, note.swarm);
		accounting_note(s, &note);
		const struct accounting_handed handed = { .place = world_place(lease.map, 2, 1),
			                                  .count = 1,
			                                  .candidates = 1 };
		accounting_handed(s, &handed, 1);
		if (i % BATCH == BATCH - 1)
			accounting_leave(s);
	}
	map_end(&lease);
	atomic_store(&w->done, true);
	return NULL;
}

static void workers_lose_no_byte_while_maps_change(void **state)
{
	(void)state;
	struct set_up u;
	set_up(&u);
	struct worker workers[2] = { { .u = &u, .slot = 0 }, { .u = &u, .slot = 1 } };
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(
			pthread_create(&workers[i].thread, NULL, announce_much, &workers[i]), 0);
	for (unsigned i = 0; !atomic_load(&workers[0].done) || !atomic_load(&workers[1].done);
	     i++) {
		assert_int_equal(map_publish(u.office, world_new(3, 2 + i % 3)), ERR_OK);
		tick(&u, START + 1);
		(void)accounting_stats(u.a);
	}
	for (size_t i = 0; i < 2; i++)
		(void)pthread_join(workers[i].thread, NULL);
	run_to(&u, START + BIN);
	struct accounting_bin b = take(&u);
	const uint64_t each = UINT64_C(100) * (ANNOUNCES / 100 - 1) * MB;
	assert_int_equal(row(&b, "isp0", "to-isp2")->in_bytes, each);
	assert_int_equal(row(&b, "isp1", "to-isp2")->in_bytes, each);
	assert_int_equal(metrics_sum(u.metrics, METRIC_ACCOUNTING_FULL), 0);
	accounting_bin_done(&b);
	tear_down(&u);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, folder_make, folder_remove)

static const struct CMUnitTest tests[] = {
	TEST(books_a_transfer_on_both_providers),
	TEST(tells_downloads_apart_by_arm_and_flag),
	TEST(a_line_limits_what_is_believed_but_not_in_a_test_network),
	TEST(a_watched_bin_without_traffic_is_known),
	TEST(contacts_outlive_the_bin_they_were_made_in),
	TEST(a_late_upload_pays_for_what_was_booked_before),
	TEST(kill_9_costs_nothing_that_was_drained),
	TEST(contacts_outlive_kill_9_in_a_later_bin),
	TEST(a_journal_of_an_older_bin_is_closed),
	TEST(a_damaged_journal_loses_its_tail_only),
	TEST(a_flushed_bin_goes_on_after_a_restart),
	TEST(restarts_in_order_lose_no_byte),
	TEST(an_old_ledger_is_never_met_again),
	TEST(a_damaged_ledger_is_named_and_left_out),
	TEST(a_new_map_in_mid_bin_keeps_what_was_noted),
	TEST(before_the_first_map_the_open_bin_waits),
	TEST(a_clock_that_goes_back_reopens_nothing),
	TEST(a_clock_that_leaps_ahead_leaves_a_gap),
	TEST(a_full_disk_loses_nothing),
	TEST(a_bin_that_the_spool_refused_survives_kill_9),
	TEST(workers_lose_no_byte_while_maps_change),
	TEST(a_silent_swarm_is_forgotten_after_hours),
};

RUN_TESTS(tests)
