/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "server/app/reading_feed.h"
#include "tests/support/db.h"

#include <stdio.h>

enum { READINGS = 9, BAD = 3 };
static const int64_t NOVEMBER = 1793491200; /* 2026, UTC */

static struct house {
	struct metrics *metrics;
	struct reading_feed feed;
	struct store_reading rows[READINGS];
} h;

static const struct store_readings_rules rules = {
	.node = STORE_SAMPLES_NODE, .bin_seconds = 300, .late_seconds = 86400, .now = 1793491200
};

/* Readings of a minute each; those at 0, a minute and so on. */
static int open_house(void **state)
{
	(void)state;
	h = (struct house){ .metrics = metrics_new(1) };
	h.feed.store = db_store(NULL);
	h.feed.metrics = metrics_slot(h.metrics, 0);
	assert_string_equal(db_state_of("INSERT INTO providers (provider) VALUES ('isp-a')"), "");
	assert_string_equal(db_state_of("INSERT INTO interconnects (provider, id, relation) "
	                                "VALUES ('isp-a', 'a-b', 'transit')"),
	                    "");
	for (size_t i = 0; i < READINGS; i++)
		h.rows[i] = (struct store_reading){
			.provider = "isp-a",
			.interconnect = "a-b",
			.port = "sflow 192.0.2.1/5",
			.reading = { .at_ms = (NOVEMBER + 60 * (int64_t)i) * 1000,
			             .octets = { 1000 * i, 1000 * i },
			             .bits = 64 },
		};
	return 0;
}

static int close_house(void **state)
{
	(void)state;
	store_free(h.feed.store);
	metrics_free(h.metrics);
	return 0;
}

static enum err feed(void)
{
	return reading_feed(&h.feed, h.rows, READINGS, &rules);
}

static void assert_stored(const char *expected)
{
	char found[64];
	db_ask("SELECT count(*) FROM readings", found, sizeof(found));
	assert_string_equal(found, expected);
}

static void assert_refused(uint64_t expected)
{
	assert_int_equal(metrics_sum(h.metrics, METRIC_READINGS_REFUSED), expected);
}

static void all_are_stored(void **state)
{
	(void)state;
	assert_int_equal(feed(), ERR_OK);
	assert_stored("9");
	assert_refused(0);
	assert_int_equal(metrics_sum(h.metrics, METRIC_BIN_ROWS_STORED), 2);
}

static void one_of_an_unknown_interconnect_keeps_no_others_out(void **state)
{
	(void)state;
	(void)snprintf(h.rows[BAD].interconnect, sizeof(h.rows[BAD].interconnect), "gone");
	assert_int_equal(feed(), ERR_OK);
	assert_stored("8");
	assert_refused(1);
	assert_int_equal(h.feed.said, ERR_NOT_FOUND);
	assert_int_equal(metrics_sum(h.metrics, METRIC_STORE_FAILURES), 0);
}

static void two_out_of_range_keep_no_others_out(void **state)
{
	(void)state;
	h.rows[0].reading.at_ms = h.rows[READINGS - 1].reading.at_ms = 1;
	assert_int_equal(feed(), ERR_OK);
	assert_stored("7");
	assert_refused(2);
	assert_int_equal(h.feed.said, ERR_RANGE);
}

static void what_passes_costs_nothing(void **state)
{
	(void)state;
	assert_string_equal(db_state_of("ALTER TABLE readings ADD CONSTRAINT no CHECK (false)"),
	                    "");
	assert_int_equal(feed(), ERR_BUSY);
	assert_string_equal(db_state_of("ALTER TABLE readings DROP CONSTRAINT no"), "");
	assert_int_equal(feed(), ERR_OK);
	assert_stored("9");
	assert_refused(0);
	assert_int_equal(metrics_sum(h.metrics, METRIC_STORE_FAILURES), 1);
}

static void after_a_refusal_it_waits(void **state)
{
	(void)state;
	h.feed.retry_ms = 3600000;
	assert_string_equal(db_state_of("ALTER TABLE readings ADD CONSTRAINT no CHECK (false)"),
	                    "");
	assert_int_equal(feed(), ERR_BUSY);
	assert_int_equal(feed(), ERR_BUSY);
	assert_int_equal(h.feed.tries, 1);
}

static void one_that_is_refused_again_and_again_is_let_go(void **state)
{
	(void)state;
	assert_string_equal(db_state_of("ALTER TABLE readings ADD CHECK (out_octets <> 3000)"), "");
	for (unsigned i = 1; i < READING_TRIES; i++)
		assert_int_equal(feed(), ERR_BUSY);
	assert_refused(0);
	assert_int_equal(feed(), ERR_OK);
	assert_stored("8");
	assert_refused(1);
	assert_int_equal(h.feed.tries, 0);
}

static void while_the_database_is_away_none_is_let_go(void **state)
{
	(void)state;
	db_server("stop");
	for (unsigned i = 0; i <= READING_TRIES; i++)
		assert_int_equal(feed(), ERR_AWAY);
	db_server("start");
	assert_int_equal(feed(), ERR_OK);
	assert_stored("9");
	assert_refused(0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_house, close_house)

static const struct CMUnitTest tests[] = {
	TEST(all_are_stored),
	TEST(one_of_an_unknown_interconnect_keeps_no_others_out),
	TEST(two_out_of_range_keep_no_others_out),
	TEST(what_passes_costs_nothing),
	TEST(after_a_refusal_it_waits),
	TEST(one_that_is_refused_again_and_again_is_let_go),
	TEST(while_the_database_is_away_none_is_let_go),
};

RUN_TESTS(tests)
