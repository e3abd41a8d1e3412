/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/base/random.h"
#include "server/accounting/slot.h"
#include "tests/unit/accounting/world.h"

#include <math.h>

enum { START = 1800000000, PLACES = 20, KB = 1000 };

struct set_up {
	struct map_office *office;
	struct metrics *metrics;
	struct map_lease lease;
	struct accounting_slot slot;
	uint32_t client;
};

static void set_up(struct set_up *u)
{
	*u = (struct set_up){ .office = map_office_new(snapshot_free), .metrics = metrics_new(1) };
	assert_int_equal(map_publish(u->office, world_new(2, 2)), ERR_OK);
	(void)map_renew(u->office, &u->lease);
	u->slot.ledger = ledger_new(1000000, 0);
	u->slot.firsts = firsts_new(1000);
	u->slot.metrics = metrics_slot(u->metrics, 0);
	u->slot.seed = 1;
	assert_int_equal(slot_init(&u->slot), ERR_OK);
}

static void tear_down(struct set_up *u)
{
	slot_done(&u->slot);
	ledger_free(u->slot.ledger);
	firsts_free(u->slot.firsts);
	map_end(&u->lease);
	map_office_free(u->office);
	metrics_free(u->metrics);
}

/* Newcomers of one swarm, each given two of five peers in each of PLACES places. */
static void come(struct set_up *u, unsigned n)
{
	static const struct announce announce = { .event = EVENT_STARTED, .left = 9 };
	struct accounting_handed handed[PLACES];
	for (uint32_t i = 0; i < PLACES; i++)
		handed[i] = (struct accounting_handed){ .place = i, .count = 2, .candidates = 5 };
	for (unsigned i = 0; i < n; i++) {
		const struct accounting_announce note = { .announce = &announce,
			                                  .client = random_mix(++u->client),
			                                  .swarm = 1,
			                                  .place = u->client % 1000,
			                                  .now = START };
		accounting_enter(&u->slot, &u->lease);
		accounting_note(&u->slot, &note);
		accounting_handed(&u->slot, handed, PLACES);
		accounting_leave(&u->slot);
	}
}

struct sums {
	double contacts;
	size_t cells;
	uint64_t up;
};

static struct sums drain(struct set_up *u)
{
	struct slot_tally *sealed[SLOT_TALLIES];
	struct sums sums = { 0 };
	const size_t n = slot_seal(&u->slot, sealed);
	for (size_t k = 0; k < n; k++) {
		const struct tally *t = &sealed[k]->tally;
		for (size_t i = 0; i < t->n_cells; i++)
			sums.contacts += (double)(t->cells[i].first + t->cells[i].later);
		for (size_t i = 0; i < t->n_rows; i++)
			sums.up += t->rows[i].up;
		sums.cells += t->n_cells;
		slot_release(&u->slot, sealed[k]);
	}
	return sums;
}

static void notes_all_of_a_quiet_second(void **state)
{
	(void)state;
	struct set_up u;
	set_up(&u);
	for (int i = 0; i < 5; i++) {
		come(&u, SLOT_CELLS_EACH / PLACES);
		assert_true(drain(&u).contacts == 2.0 * SLOT_CELLS_EACH);
	}
	assert_int_equal(metrics_sum(u.metrics, METRIC_ACCOUNTING_SAMPLED_OUT), 0);
	tear_down(&u);
}

static void samples_a_storm_and_stays_right_on_the_average(void **state)
{
	(void)state;
	enum { SECONDS = 30, STORM = 40000 };
	struct set_up u;
	double sum = 0, worst = 0;
	set_up(&u);
	for (int i = 0; i < SECONDS; i++) {
		const double truth = 2.0 * PLACES * STORM;
		come(&u, STORM);
		assert_true(u.slot.noted <= SLOT_CELLS);
		const double error = drain(&u).contacts / truth - 1;
		/* The first second meets it unprepared. */
		worst = i > 0 && fabs(error) > worst ? fabs(error) : worst;
		sum += error / SECONDS;
	}
	print_message("# mean error %.2f %%, worst of a second %.1f %%\n", 100 * sum, 100 * worst);
	assert_true(fabs(sum) < 0.03 && worst < 0.15);
	assert_int_equal(metrics_sum(u.metrics, METRIC_ACCOUNTING_FULL), 0);
	assert_in_range(metrics_sum(u.metrics, METRIC_ACCOUNTING_SAMPLED_OUT),
	                SECONDS * STORM * 9 / 10, SECONDS * STORM);
	/* It is over: the second after next is whole again. */
	come(&u, 100);
	(void)drain(&u);
	come(&u, 100);
	assert_true(drain(&u).contacts == 200.0 * PLACES);
	tear_down(&u);
}

/* Each of `n` clients has moved a kilobyte in a swarm of its own. */
static void move(struct set_up *u, unsigned n)
{
	const struct announce announce = { .uploaded = KB };
	for (unsigned i = 0; i < n; i++) {
		const struct accounting_announce note = { .announce = &announce,
			                                  .client = random_mix(++u->client),
			                                  .swarm = random_mix(u->client),
			                                  .known = true,
			                                  .silent = 60,
			                                  .place = 1,
			                                  .now = START };
		accounting_enter(&u->slot, &u->lease);
		accounting_note(&u->slot, &note);
		accounting_leave(&u->slot);
	}
}

/* What steering hears of it; nothing where the counters do not tell. */
static void tells_what_was_received_since(void **state)
{
	(void)state;
	static const struct {
		uint64_t client, swarm, down;
		enum peer_event event;
		bool known;
		int64_t after;
		struct accounting_progress progress;
	} rows[] = {
		{ 1, 1, 0, EVENT_STARTED, false, 0, { 0, 0 } },
		{ 1, 1, 0, EVENT_NONE, true, 60, { 0, 60 } },
		{ 1, 1, 5 * KB, EVENT_NONE, true, 100, { 5 * KB, 40 } },
		{ 1, 1, 5 * KB, EVENT_NONE, true, 190, { 0, 90 } },
		{ 1, 1, 9 * KB, EVENT_NONE, true, 200, { 4 * KB, 10 } },
		{ 1, 1, 8 * KB, EVENT_NONE, true, 260, { 0, 0 } }, /* begins anew */
		{ 1, 1, 8 * KB, EVENT_STARTED, true, 300, { 0, 0 } },
		{ 2, 1, 7 * KB, EVENT_NONE, false, 0, { 0, 0 } },
		{ 2, 1, 9 * KB, EVENT_NONE, true, 50, { 2 * KB, 50 } },
		{ 2, 2, 3 * KB, EVENT_STARTED, false, 51, { 0, 0 } }, /* a twin */
		{ 2, 1, 11 * KB, EVENT_NONE, true, 80, { 2 * KB, 30 } },
		{ 2, 2, 11 * KB, EVENT_NONE, true, 81, { 0, 0 } },
	};
	struct set_up u;
	int64_t before = 0;
	set_up(&u);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct announce announce = { .downloaded = rows[i].down,
			                           .left = 100 * KB,
			                           .event = rows[i].event };
		const struct accounting_announce note = {
			.announce = &announce,
			.client = rows[i].client,
			.swarm = rows[i].swarm,
			.known = rows[i].known,
			.silent = rows[i].known ? (uint32_t)(rows[i].after - before) : 0,
			.now = START + rows[i].after
		};
		accounting_enter(&u.slot, &u.lease);
		const struct accounting_progress p = accounting_note(&u.slot, &note);
		accounting_leave(&u.slot);
		if (p.received != rows[i].progress.received ||
		    p.seconds != rows[i].progress.seconds)
			fail_msg("row %zu: %lu bytes in %u s", i, (unsigned long)p.received,
			         p.seconds);
		before = rows[i].after;
	}
	tear_down(&u);
}

static void leaves_out_no_byte(void **state)
{
	(void)state;
	struct set_up u;
	set_up(&u);
	come(&u, 100000); /* amid a storm */
	move(&u, 2 * SLOT_ROWS_MAX);
	assert_int_equal(drain(&u).up, (uint64_t)2 * SLOT_ROWS_MAX * KB);
	assert_int_equal(metrics_sum(u.metrics, METRIC_ACCOUNTING_FULL), 0);
	/* There are bounds, and they are counted. */
	move(&u, SLOT_TALLIES * SLOT_ROWS_MAX + 10);
	assert_int_equal(drain(&u).up, (uint64_t)SLOT_TALLIES * SLOT_ROWS_MAX * KB);
	assert_int_equal(metrics_sum(u.metrics, METRIC_ACCOUNTING_FULL), 10);
	tear_down(&u);
}

/* One client again and again, given two of five each time: what it knows of them when the last is noted. */
static double known_after(unsigned visits, bool same)
{
	struct set_up u;
	struct accounting_handed handed = { .place = 7, .count = 2, .candidates = 5, .same = same };
	set_up(&u);
	for (unsigned i = 0; i < visits; i++) {
		const struct announce announce = { .event = i == 0 ? EVENT_STARTED : EVENT_NONE,
			                           .left = 9,
			                           .downloaded = i + 1,
			                           .uploaded = i + 1 };
		const struct accounting_announce note = { .announce = &announce,
			                                  .client = 1,
			                                  .swarm = 1,
			                                  .known = i > 0,
			                                  .place = 1,
			                                  .now = START };
		accounting_enter(&u.slot, &u.lease);
		accounting_note(&u.slot, &note);
		if (accounting_wants_handed(&u.slot))
			accounting_handed(&u.slot, &handed, 1);
		accounting_leave(&u.slot);
	}
	const double contacts = drain(&u).contacts;
	tear_down(&u);
	return contacts;
}

static void who_meets_the_same_ones_knows_no_more(void **state)
{
	(void)state;
	assert_in_range(1000 * known_after(1, true), 1999, 2001);
	assert_in_range(1000 * known_after(8, true), 1999, 2001);
	assert_in_range(1000 * known_after(1, false), 1999, 2001);
	assert_in_range(1000 * known_after(8, false), 4500, 5000);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(notes_all_of_a_quiet_second),
	cmocka_unit_test(samples_a_storm_and_stays_right_on_the_average),
	cmocka_unit_test(tells_what_was_received_since),
	cmocka_unit_test(leaves_out_no_byte),
	cmocka_unit_test(who_meets_the_same_ones_knows_no_more),
};

RUN_TESTS(tests)
