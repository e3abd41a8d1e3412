/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/base/random.h"
#include "common/steer/steer.h"

static const struct steer_rules rules = { .policy = STEER_BRIDGE,
	                                  .intra_pid_percent = 70,
	                                  .intra_provider_percent = 80,
	                                  .overload_percent = 150,
	                                  .list_length = 20,
	                                  .free_percent = 50,
	                                  .paid_percent = 20 };

struct row {
	struct steer_standing standing;
	uint32_t free, paid;
};

static void check(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct steer_contacts got = steer_contacts(&rules, &rows[i].standing);
		if (got.free != rows[i].free || got.paid != rows[i].paid)
			fail_msg("row %zu: %u free and %u paid instead of %u and %u", i, got.free,
			         got.paid, rows[i].free, rows[i].paid);
	}
}
#define CHECK(rows) check(rows, sizeof(rows) / sizeof(*(rows)))

/* Peers near enough for anybody's health, and a seed in reach: nothing but the budget counts. */
#define BUDGET(l, c, o)                                                                          \
	{                                                                                        \
		.known = true, .near = 20, .seed_contacts = 1, .leechers = (l), .contacts = (c), \
		.own = (o)                                                                       \
	}

static void a_budget_grows_with_the_leechers_up_to_a_limit(void **state)
{
	(void)state;
	static const struct row rows[] = {
		/* at least STEER_SAFETY */
		{ BUDGET(1, 0, 0), 2, 2 },
		{ BUDGET(1, 1, 0), 1, 1 },
		{ BUDGET(1, 2, 0), 0, 0 },
		/* rounded up: 6 and 3 */
		{ BUDGET(11, 0, 0), 2, 2 },
		{ BUDGET(11, 2, 0), 2, 1 },
		{ BUDGET(11, 3, 0), 2, 0 },
		{ BUDGET(11, 5, 0), 1, 0 },
		{ BUDGET(11, 6, 0), 0, 0 },
		{ BUDGET(11, 1000, 0), 0, 0 },
		/* 50 and 20 */
		{ BUDGET(100, 19, 0), 2, 1 },
		{ BUDGET(100, 20, 0), 2, 0 },
		{ BUDGET(100, 49, 0), 1, 0 },
		{ BUDGET(100, 50, 0), 0, 0 },
		/* STEER_CONTACTS_MAX */
		{ BUDGET(4000000000U, 63, 0), 1, 1 },
		{ BUDGET(4000000000U, 64, 0), 0, 0 },
		/* nobody has more than STEER_CONTACTS of it */
		{ BUDGET(100, 0, 1), 1, 1 },
		{ BUDGET(100, 0, 2), 0, 0 },
		{ BUDGET(100, 0, 7), 0, 0 },
	};
	CHECK(rows);
}

static void a_provider_with_a_seed_has_its_safety(void **state)
{
	(void)state;
#define SERVED(c, o)                                                                      \
	{                                                                                 \
		.known = true, .near = 20, .seeds = 1, .leechers = 1000, .contacts = (c), \
		.own = (o)                                                                \
	}
	static const struct row rows[] = {
		{ SERVED(0, 0), 1, 1 }, { SERVED(1, 0), 1, 1 }, { SERVED(2, 0), 0, 0 },
		{ SERVED(1, 1), 0, 0 }, { SERVED(9, 0), 0, 0 },
	};
	CHECK(rows);
}

static void nobody_is_alone(void **state)
{
	(void)state;
#define LONELY(k, s, n, o)                                                                        \
	{                                                                                         \
		.known = (k), .seeding = (s), .near = (n), .own = (o), .seeds = 1, .leechers = 1, \
		.contacts = 1000, .lot = 99                                                       \
	}
	static const struct row rows[] = {
		/* one who was here: to STEER_HEALTH peers in all */
		{ LONELY(true, false, 0, 0), STEER_HEALTH, STEER_HEALTH },
		{ LONELY(true, false, STEER_HEALTH - 1, 0), 1, 1 },
		{ LONELY(true, false, 1, STEER_HEALTH - 2), 1, 1 },
		{ LONELY(true, false, STEER_HEALTH, 0), 0, 0 },
		{ LONELY(true, false, 0, STEER_HEALTH), 0, 0 },
		{ LONELY(true, false, 20, 8), 0, 0 },
		/* seeds, too */
		{ LONELY(true, true, 0, 0), STEER_HEALTH, STEER_HEALTH },
		{ LONELY(true, true, STEER_HEALTH - 1, 1), 0, 0 },
		/* a newcomer: to STEER_CONTACTS */
		{ LONELY(false, false, 0, 0), STEER_CONTACTS, STEER_CONTACTS },
		{ LONELY(false, false, 1, 0), STEER_CONTACTS - 1, STEER_CONTACTS - 1 },
		{ LONELY(false, false, STEER_CONTACTS, 0), 0, 0 },
		{ LONELY(false, true, 0, 1), STEER_CONTACTS - 1, STEER_CONTACTS - 1 },
	};
	struct row late = { LONELY(false, false, 0, 0), STEER_CONTACTS, STEER_CONTACTS };
	late.standing.age = STEER_SOON - 1;
	check(&late, 1);
	late.standing.age = STEER_SOON; /* the others have come by then */
	late.free = late.paid = STEER_HEALTH;
	check(&late, 1);
	CHECK(rows);
}

static void no_provider_is_an_island(void **state)
{
	(void)state;
#define ISLAND(s, n, r)                                                               \
	{                                                                             \
		.known = true, .near = 20, .leechers = 100, .contacts = 64, .own = 5, \
		.seeding = (s), .seeds = (n), .seed_contacts = (r)                    \
	}
	static const struct {
		struct steer_standing standing;
		bool island;
	} rows[] = { { ISLAND(false, 0, false), true },
		     { ISLAND(false, 0, true), false },
		     { ISLAND(false, 1, false), false },
		     { ISLAND(true, 0, false), false },
		     { ISLAND(true, 1, false), false } };
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct steer_contacts got = steer_contacts(&rules, &rows[i].standing);
		assert_int_equal(steer_is_island(&rows[i].standing), rows[i].island);
		assert_int_equal(got.free + got.paid, 0); /* a seed is all that it may meet */
	}
}

static void every_fourth_contact_leads_to_a_seed(void **state)
{
	(void)state;
	static const struct {
		struct steer_standing standing;
		bool wanted;
	} rows[] = {
		{ { .contacts = 0 }, false },
		{ { .contacts = 1 }, true },
		{ { .contacts = 4, .seed_contacts = 1 }, false },
		{ { .contacts = 5, .seed_contacts = 1 }, true },
		{ { .contacts = 64, .seed_contacts = 16 }, false },
		{ { .contacts = 64, .seed_contacts = 15, .seeds = 1 }, false },
		{ { .contacts = 64, .seed_contacts = 15, .seeding = true }, false },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_int_equal(steer_wants_seed(&rows[i].standing), rows[i].wanted);
}

static void seeds_have_no_budget(void **state)
{
	(void)state;
	struct steer_standing s = BUDGET(1000, 0, 0);
	s.seeding = true;
	for (s.seeds = 0; s.seeds < 3; s.seeds++) {
		const struct steer_contacts got = steer_contacts(&rules, &s);
		assert_int_equal(got.free, 0);
		assert_int_equal(got.paid, 0);
	}
}

/* Spread evenly: a whole number for each, and one more by lot. */
static void newcomers_are_drawn_by_lot(void **state)
{
	(void)state;
	enum { MANY = 100000 };
	static const struct {
		unsigned free, paid;
	} rows[] = { { 50, 20 }, { 80, 65 }, { 100, 100 }, { 0, 0 }, { 200, 10 }, { 115, 70 } };
	uint64_t seed = 1;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct steer_rules r = rules;
		uint64_t free = 0, paid = 0;
		r.free_percent = rows[i].free;
		r.paid_percent = rows[i].paid;
		for (unsigned k = 0; k < MANY; k++) {
			const struct steer_standing s = { .near = 20,
				                          .leechers = 1000000,
				                          .seed_contacts = 1,
				                          .lot = (uint32_t)random_next(&seed) };
			const struct steer_contacts got = steer_contacts(&r, &s);
			assert_in_range(got.free, rows[i].free / 100, (rows[i].free + 99) / 100);
			assert_true(got.paid <= got.free);
			free += got.free;
			paid += got.paid;
		}
		assert_in_range(free, (uint64_t)rows[i].free * (MANY / 100) * 98 / 100,
		                (uint64_t)rows[i].free * (MANY / 100) * 102 / 100);
		assert_in_range(paid, (uint64_t)rows[i].paid * (MANY / 100) * 95 / 100,
		                (uint64_t)rows[i].paid * (MANY / 100) * 105 / 100);
	}
}

/* The lot is the client's: who was not drawn today is not drawn a second later. */
static void a_lot_holds(void **state)
{
	(void)state;
	for (uint32_t lot = 0; lot < 1000; lot++) {
		const struct steer_standing s = {
			.near = 20, .leechers = 100, .seed_contacts = 1, .lot = lot
		};
		const struct steer_contacts got = steer_contacts(&rules, &s);
		assert_int_equal(got.free, lot % 100 < rules.free_percent);
		assert_int_equal(got.paid, lot % 100 < rules.paid_percent);
	}
}

/* A quarter of 4 Mbit/s for 100 s: 12.5 MB. */
static void little_is_less_than_a_quarter_of_the_line(void **state)
{
	(void)state;
	assert_true(steer_is_starved(12499999, 100, 4000));
	assert_false(steer_is_starved(12500000, 100, 4000));
	assert_true(steer_is_starved(0, STEER_SOON, 1));
	assert_false(steer_is_starved(0, STEER_SOON - 1, 4000)); /* too soon to tell */
	assert_false(steer_is_starved(0, 0, 4000));
	assert_false(steer_is_starved(0, 100, 0)); /* it can send nothing itself */
	/* 2 MB/s are not little, however fast the line is said to be: 16 Mbit/s for a month */
	assert_true(steer_is_starved(2000000ULL * 2592000 - 1, 2592000, 64000));
	assert_false(steer_is_starved(2000000ULL * 2592000, 2592000, 64001));
	assert_false(steer_is_starved(2000000ULL * 2592000, 2592000, UINT32_MAX));
}

static void the_starved_may_have_more(void **state)
{
	(void)state;
#define STARVED(a, s, c, o)                                                           \
	{                                                                             \
		.known = true, .starved = true, .age = (a), .near = 20, .seeds = (s), \
		.seed_contacts = 1, .leechers = 100, .contacts = (c), .own = (o)      \
	}
	static const struct row rows[] = {
		/* 50 and 20, STEER_CONTACTS each, and twice that */
		{ STARVED(STEER_PATIENCE - 1, 0, 20, 0), 2, 0 },
		{ STARVED(STEER_PATIENCE, 0, 20, 0), 4, 4 },
		{ STARVED(STEER_PATIENCE, 0, 39, 3), 1, 1 },
		{ STARVED(STEER_PATIENCE, 0, 40, 0), 4, 0 },
		{ STARVED(STEER_PATIENCE, 0, 64, 0), 0, 0 }, /* STEER_CONTACTS_MAX */
		{ STARVED(STEER_PATIENCE, 0, 20, 4), 0, 0 },
		/* its seeds do not serve it: as if they were not there */
		{ STARVED(STEER_PATIENCE - 1, 3, 20, 0), 0, 0 },
		{ STARVED(STEER_PATIENCE, 3, 19, 0), 2, 1 },
		{ STARVED(STEER_PATIENCE, 3, 20, 1), 1, 0 },
		{ STARVED(STEER_PATIENCE, 3, 50, 0), 0, 0 },
	};
	struct row seeding = { STARVED(STEER_PATIENCE, 0, 0, 0), 0, 0 };
	seeding.standing.seeding = true;
	check(&seeding, 1);
	CHECK(rows);
}

static void who_has_few_seeds_is_back_soon(void **state)
{
	(void)state;
	static const struct {
		bool seeding;
		uint32_t seeds, leechers, elsewhere, age, soon;
	} rows[] = {
		{ false, 0, 1, 5, 0, 30 },
		{ false, 0, 1, 5, 120, 30 },
		{ false, 0, 1, 5, 124, 31 },
		{ false, 0, 1, 5, 4000, 1000 },
		{ false, 0, 60, 5, 0, 30 },
		{ false, 0, 62, 5, 0, 31 },
		{ false, 0, 2000, 5, 60, 1000 }, /* two a second */
		{ false, 0, 100, 0, 0, 0 },
		{ true, 0, 100, 5, 0, 0 },
		/* one seed for STEER_SERVED */
		{ false, 1, 8, 5, 0, 0 },
		{ false, 1, 9, 5, 0, 30 },
		{ false, 1, 100, 5, 0, 50 },
		{ false, 13, 100, 5, 0, 0 },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct steer_standing s = { .seeding = rows[i].seeding,
			                          .seeds = rows[i].seeds,
			                          .leechers = rows[i].leechers,
			                          .age = rows[i].age };
		assert_int_equal(steer_soon(&s, rows[i].elsewhere), rows[i].soon);
	}
}

static void a_crowd_is_asked_back_apart(void **state)
{
	(void)state;
	enum { CROWD = 1600, SOON = 30, SPREAD = SOON / 2 + 1 };
	unsigned at[SPREAD] = { 0 };
	for (uint64_t client = 0; client < CROWD; client++) {
		const uint32_t got = steer_interval(1800, SOON, client);
		assert_in_range(got, SOON, SOON + SPREAD - 1);
		assert_int_equal(steer_interval(1800, SOON, client), got);
		assert_int_equal(steer_interval(31, SOON, client), got < 31 ? got : 31);
		assert_int_equal(steer_interval(1800, 0, client), 1800);
		at[got - SOON]++;
	}
	for (unsigned i = 0; i < SPREAD; i++)
		assert_in_range(at[i], CROWD / SPREAD / 2, 2 * CROWD / SPREAD);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(a_budget_grows_with_the_leechers_up_to_a_limit),
	cmocka_unit_test(a_provider_with_a_seed_has_its_safety),
	cmocka_unit_test(nobody_is_alone),
	cmocka_unit_test(no_provider_is_an_island),
	cmocka_unit_test(every_fourth_contact_leads_to_a_seed),
	cmocka_unit_test(seeds_have_no_budget),
	cmocka_unit_test(newcomers_are_drawn_by_lot),
	cmocka_unit_test(a_lot_holds),
	cmocka_unit_test(little_is_less_than_a_quarter_of_the_line),
	cmocka_unit_test(the_starved_may_have_more),
	cmocka_unit_test(who_has_few_seeds_is_back_soon),
	cmocka_unit_test(a_crowd_is_asked_back_apart),
};

RUN_TESTS(tests)
