/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/base/random.h"
#include "server/accounting/ledger_file.h"
#include "server/disk/disk.h"
#include "tests/unit/accounting/folder.h"

#include <string.h>
#include <time.h>

enum { NOW = 1800000000, KB = 1000, CLIENTS = 500 };

static struct ledger_delta say(struct ledger *l, unsigned client, unsigned swarm, uint64_t bytes,
                               int64_t now)
{
	const struct ledger_note n = { .client = random_mix(client),
		                       .swarm = random_mix(1000 + swarm),
		                       .known = true,
		                       .silent = 60,
		                       .up = bytes,
		                       .down = 2 * bytes,
		                       .left = (uint64_t)1000 * KB - 2 * bytes,
		                       .up_max = 1000 * KB,
		                       .down_max = 1000 * KB,
		                       .now = now };
	return ledger_update(l, &n);
}

static void save(struct ledger *l)
{
	struct fault fault;
	assert_int_equal(ledger_file_save(l, folder, &fault), ERR_OK);
}

/* A ledger of the file, which is gone then. */
static struct ledger *taken(size_t clients, int64_t now)
{
	struct fault fault;
	struct ledger *l = ledger_new(clients, 0);
	assert_int_equal(ledger_file_take(l, folder, now, &fault), ERR_OK);
	assert_int_equal(ledger_file_take(l, folder, now, &fault), ERR_NOT_FOUND);
	return l;
}

static void assert_same_delta(const struct ledger_delta *x, const struct ledger_delta *y)
{
	assert_int_equal(x->up, y->up);
	assert_int_equal(x->down, y->down);
	assert_int_equal(x->verdict, y->verdict);
	assert_int_equal(x->cut, y->cut);
	assert_int_equal(x->visits, y->visits);
	assert_int_equal(x->elapsed, y->elapsed);
	assert_true(x->need == y->need);
}

/* Twins, falls and cuts too. The restart comes at a third. */
static void goes_on_as_if_nothing_had_happened(void **state)
{
	(void)state;
	struct ledger *kept = ledger_new(4 * CLIENTS, 0), *saved = ledger_new(4 * CLIENTS, 0);
	unsigned counted = 0, twins = 0;
	uint64_t seed = 5;
	for (int i = 0; i < 12000; i++) {
		if (i == 4000) {
			save(saved);
			ledger_free(saved);
			saved = taken(4 * CLIENTS, NOW + i);
			assert_int_equal(ledger_count(saved), ledger_count(kept));
		}
		const unsigned c = random_below(&seed, CLIENTS), w = random_below(&seed, 3);
		const uint64_t bytes = (uint64_t)(i / 1000) * KB * (1 + random_below(&seed, 2));
		const struct ledger_delta x = say(kept, c, w, bytes, NOW + i);
		const struct ledger_delta y = say(saved, c, w, bytes, NOW + i);
		assert_same_delta(&x, &y);
		counted += i > 4000 && x.up > 0;
		twins += i > 4000 && x.verdict == LEDGER_WAS_TWIN;
	}
	assert_true(counted > 1000 && twins > 100);
	ledger_free(kept);
	ledger_free(saved);
}

static void a_twin_is_known_after_the_restart(void **state)
{
	(void)state;
	struct ledger *l = ledger_new(100, 0);
	for (unsigned swarm = 0; swarm < 2; swarm++)
		(void)say(l, 1, swarm, 0, NOW);
	assert_int_equal(say(l, 1, 0, 5 * KB, NOW + 60).up, 5 * KB);
	save(l);
	ledger_free(l);
	l = taken(100, NOW + 61);
	const struct ledger_delta d = say(l, 1, 1, 5 * KB, NOW + 62);
	assert_int_equal(d.verdict, LEDGER_WAS_TWIN);
	assert_int_equal(d.up, 0);
	ledger_free(l);
}

static void forgets_who_was_silent_too_long(void **state)
{
	(void)state;
	struct ledger *l = ledger_new(100, 0);
	(void)say(l, 1, 1, KB, NOW);
	(void)say(l, 2, 1, KB, NOW + 100);
	save(l);
	ledger_free(l);
	l = taken(100, NOW + LEDGER_IDLE + 1);
	assert_int_equal(ledger_count(l), 1);
	assert_int_equal(say(l, 2, 1, 3 * KB, NOW + LEDGER_IDLE + 1).up, 2 * KB);
	ledger_free(l);
}

static void nobody_was_seen_later_than_now(void **state)
{
	(void)state;
	struct ledger *l = ledger_new(100, 0);
	(void)say(l, 1, 1, KB, NOW + 86400); /* the clock was a day ahead */
	save(l);
	ledger_free(l);
	l = taken(100, NOW);
	assert_int_equal(say(l, 1, 1, 3 * KB, NOW + 30).elapsed, 30);
	ledger_free(l);
}

static void a_ledger_of_another_size_takes_what_it_can_hold(void **state)
{
	(void)state;
	struct ledger *l = ledger_new(100000, 0);
	for (unsigned c = 0; c < 50000; c++)
		(void)say(l, c, 1, KB, NOW);
	assert_int_equal(ledger_count(l), 50000);
	save(l);
	ledger_free(l);
	l = taken(200000, NOW);
	assert_int_equal(ledger_count(l), 50000);
	save(l);
	for (unsigned c = 0; c < 50000; c++)
		assert_int_equal(say(l, c, 1, 2 * KB, NOW + 1).up, KB);
	save(l);
	ledger_free(l);
	/* Who found no room there gets a baseline, not its whole counter. */
	l = taken(100, NOW);
	assert_in_range(ledger_count(l), 100, 19 * 1024);
	for (unsigned c = 0; c < 50000; c++) {
		const uint64_t up = say(l, c, 1, 3 * KB, NOW + 1).up;
		assert_true(up == 0 || up == KB);
	}
	ledger_free(l);
}

static void refuses_every_shorter_or_changed_file(void **state)
{
	(void)state;
	char *data = NULL;
	size_t size = 0;
	struct ledger *l = ledger_new(100, 0);
	(void)say(l, 1, 1, KB, NOW);
	save(l);
	assert_int_equal(disk_read(folder, "ledger", &data, &size, NULL), ERR_OK);
	ledger_free(l);
	l = ledger_new(100, 0);
	for (size_t i = 0; i < size; i++) {
		assert_int_not_equal(ledger_file_parse(l, data, i, NOW), ERR_OK);
		data[i] = (char)(data[i] ^ 1);
		assert_int_not_equal(ledger_file_parse(l, data, size, NOW), ERR_OK);
		data[i] = (char)(data[i] ^ 1);
	}
	assert_int_equal(ledger_count(l), 0);
	assert_int_equal(ledger_file_parse(l, data, size, NOW), ERR_OK);
	assert_int_equal(ledger_count(l), 1);
	ledger_free(l);
	free(data);
}

static void a_damaged_file_is_named_and_gone(void **state)
{
	(void)state;
	struct fault fault;
	struct ledger *l = ledger_new(100, 0);
	assert_int_equal(disk_replace(folder, "ledger", 0600, "no ledger", 9, NULL), ERR_OK);
	assert_int_equal(ledger_file_take(l, folder, NOW, &fault), ERR_MALFORMED);
	assert_string_equal(fault.where, "ledger");
	assert_int_equal(ledger_file_take(l, folder, NOW, &fault), ERR_NOT_FOUND);
	ledger_free(l);
}

static void keep(const char *name, char **data, size_t *size)
{
	assert_int_equal(disk_read(folder, name, data, size, NULL), ERR_OK);
}

static void put_back(const char *name, char *data, size_t size)
{
	assert_int_equal(disk_replace(folder, name, 0600, data, size, NULL), ERR_OK);
	free(data);
}

static void a_file_that_was_put_back_is_left_out(void **state)
{
	(void)state;
	char *file, *seal;
	size_t file_size, seal_size;
	int64_t saved;
	struct fault fault;
	struct ledger *l = ledger_new(100, 0);
	(void)say(l, 1, 1, KB, NOW);
	save(l);
	ledger_free(l);
	keep("ledger", &file, &file_size);
	keep("ledger.seal", &seal, &seal_size);
	assert_int_equal(disk_changed(folder, "ledger", &saved, NULL), ERR_OK);
	ledger_free(taken(100, NOW));
	while (time(NULL) <= saved + 1) /* the clock of files lags a little */
		(void)usleep(20000);
	put_back("ledger", file, file_size);
	put_back("ledger.seal", seal, seal_size);
	l = ledger_new(100, NOW);
	assert_int_equal(ledger_file_take(l, folder, NOW + 5, &fault), ERR_MALFORMED);
	assert_string_equal(fault.where, "ledger");
	assert_int_equal(ledger_count(l), 0);
	assert_int_equal(ledger_file_take(l, folder, NOW + 5, &fault), ERR_NOT_FOUND);
	ledger_free(l);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, folder_make, folder_remove)

static const struct CMUnitTest tests[] = {
	TEST(goes_on_as_if_nothing_had_happened),
	TEST(a_twin_is_known_after_the_restart),
	TEST(forgets_who_was_silent_too_long),
	TEST(nobody_was_seen_later_than_now),
	TEST(a_ledger_of_another_size_takes_what_it_can_hold),
	TEST(refuses_every_shorter_or_changed_file),
	TEST(a_damaged_file_is_named_and_gone),
	TEST(a_file_that_was_put_back_is_left_out),
};

RUN_TESTS(tests)
