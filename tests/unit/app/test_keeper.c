/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "server/app/keeper.h"
#include "tests/support/db.h"

enum { HOUR = 3600, DAY = 86400 };
static const int64_t AUGUST = 1785542400, NOVEMBER = 1793491200; /* 2026 */

static void assert_count(const char *expected)
{
	char found[64];
	db_ask("SELECT (SELECT count(*) FROM bins) || ' ' || (SELECT count(*) FROM bin_days) || ' ' || "
	       "(SELECT count(*) FROM bin_months)",
	       found, sizeof(found));
	assert_string_equal(found, expected);
}

static enum err put(struct store *s, int64_t start)
{
	const struct store_bin b = {
		.provider = "isp-a", .interconnect = "x", .start = start, .seconds = HOUR
	};
	return store_bins(s, "n1", STORE_COUNTER, &b, 1);
}

static void packs_now_and_drops_later(void **state)
{
	(void)state;
	struct store *s = db_store(NULL);
	struct keeper k = { .store = s, .keep = { 30, 0, 0 } };
	assert_int_equal(put(s, AUGUST), ERR_OK);
	assert_int_equal(keeper_work(&k, NOVEMBER + HOUR), ERR_OK);
	assert_count("0 1 1");

	/* Not again at once: there was nothing more. */
	assert_int_equal(put(s, NOVEMBER - 10 * DAY), ERR_OK);
	assert_int_equal(keeper_work(&k, NOVEMBER + HOUR + 1), ERR_OK);
	assert_count("1 1 1");
	assert_int_equal(keeper_work(&k, NOVEMBER + HOUR + 10), ERR_OK);
	assert_count("1 2 2");
	store_free(s);
}

static void goes_on_after_the_clock_was_set_back(void **state)
{
	(void)state;
	struct store *s = db_store(NULL);
	struct keeper k = { .store = s };
	assert_int_equal(keeper_work(&k, NOVEMBER + 1000 * DAY), ERR_OK);
	assert_int_equal(put(s, AUGUST), ERR_OK);
	assert_int_equal(keeper_work(&k, NOVEMBER), ERR_OK);
	assert_count("1 1 1");
	store_free(s);
}

static void tries_again_in_a_minute(void **state)
{
	(void)state;
	struct store *s = db_store(NULL);
	struct keeper k = { .store = s };
	assert_int_equal(put(s, AUGUST), ERR_OK);
	db_server("stop");
	assert_int_equal(keeper_work(&k, NOVEMBER), ERR_AWAY);
	db_server("start");
	assert_int_equal(keeper_work(&k, NOVEMBER + 30), ERR_OK);
	assert_count("1 0 0");
	assert_int_equal(keeper_work(&k, NOVEMBER + 60), ERR_OK);
	assert_count("1 1 1");
	store_free(s);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(packs_now_and_drops_later),
	cmocka_unit_test(goes_on_after_the_clock_was_set_back),
	cmocka_unit_test(tries_again_in_a_minute),
};

RUN_TESTS(tests)
