/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/base/random.h"
#include "server/accounting/names.h"
#include "server/accounting/tally.h"

#include <stdio.h>

static void finds_what_it_added_and_nothing_else(void **state)
{
	(void)state;
	enum { SWARMS = 7, PLACES = 9 };
	struct tally t;
	uint64_t rows[SWARMS][PLACES] = { 0 }, cells[SWARMS][PLACES][PLACES] = { 0 };
	uint64_t seed = 5;
	const struct tally_size room = { 4, 4, 0 }, max = { 64, 1024, 0 };
	assert_int_equal(tally_init(&t, room, max), ERR_OK);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 5000; i++) {
			const uint32_t s = random_below(&seed, SWARMS);
			const uint32_t p = random_below(&seed, PLACES);
			const uint32_t q = random_below(&seed, PLACES);
			tally_row(&t, s, p)->up += 1;
			rows[s][p] += 1;
			tally_cell(&t, s, p, q)->candidates += 1;
			cells[s][p][q] += 1;
		}
		for (uint32_t s = 0; s < SWARMS; s++)
			for (uint32_t p = 0; p < PLACES; p++) {
				assert_int_equal(tally_row(&t, s, p)->up, rows[s][p]);
				for (uint32_t q = 0; q < PLACES; q++) {
					assert_int_equal(tally_cell(&t, s, p, q)->candidates,
					                 cells[s][p][q]);
					cells[s][p][q] = 0;
				}
				rows[s][p] = 0;
			}
		assert_int_equal(t.n_rows, SWARMS * PLACES);
		assert_int_equal(t.n_cells, SWARMS * PLACES * PLACES);
		tally_clear(&t);
	}
	tally_done(&t);
}

static void a_full_table_refuses_newcomers_only(void **state)
{
	(void)state;
	struct tally t;
	const struct tally_size room = { 2, 4, 2 }, max = { 4, 4, 4 };
	assert_int_equal(tally_init(&t, room, max), ERR_OK);
	for (uint32_t i = 0; i < 4; i++) {
		assert_non_null(tally_row(&t, 1, i));
		assert_non_null(tally_cell(&t, 1, i, i));
		assert_true(tally_time(&t, &(struct tally_time){ .swarm = 1, .place = i }));
	}
	assert_false(tally_time(&t, &(struct tally_time){ .swarm = 1 }));
	for (uint32_t i = 0; i < 4; i++)
		assert_int_equal(t.times[i].place, i);
	assert_null(tally_row(&t, 1, 4));
	assert_null(tally_cell(&t, 1, 4, 4));
	assert_non_null(tally_row(&t, 1, 3));
	assert_non_null(tally_cell(&t, 1, 0, 0));
	tally_done(&t);
}

static void names_keep_their_numbers(void **state)
{
	(void)state;
	struct names *all = names_new();
	char key[32];
	uint32_t n;
	assert_int_equal(names_put(all, "", &n), ERR_OK);
	assert_int_equal(n, 0);
	for (int round = 0; round < 2; round++)
		for (uint32_t i = 1; i < 1000; i++) {
			(void)snprintf(key, sizeof(key), "pid:isp/p%u", i);
			assert_int_equal(names_put(all, key, &n), ERR_OK);
			assert_int_equal(n, i);
			assert_string_equal(names_key(all, n), key);
		}
	assert_int_equal(names_count(all), 1000);
	names_free(all);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(finds_what_it_added_and_nothing_else),
	cmocka_unit_test(a_full_table_refuses_newcomers_only),
	cmocka_unit_test(names_keep_their_numbers),
};

RUN_TESTS(tests)
