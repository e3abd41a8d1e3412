/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/store/opened.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { HOUR = 3600, DAY = 86400 };
static const int64_t AUGUST = 1785542400, SEPTEMBER = 1788220800, NOVEMBER = 1793491200; /* 2026 */

static enum err put(int64_t start)
{
	const struct store_bin b = { .provider = "isp-a",
		                     .interconnect = "x",
		                     .start = start,
		                     .seconds = HOUR,
		                     .observed_seconds = HOUR,
		                     .out_bytes = 7 };
	return store_bins(s, "n1", STORE_COUNTER, &b, 1);
}

static void retain(uint32_t bins_days, uint32_t rollups_days, int64_t now)
{
	const struct store_keep keep = { bins_days, rollups_days, 0 };
	assert_int_equal(store_retain(s, &keep, now), ERR_OK);
}

static void assert_partitions(const char *table, const char *expected)
{
	char sql[200], found[200];
	(void)snprintf(
		sql, sizeof(sql),
		"SELECT coalesce(string_agg(right(relid::text, 7), ' ' ORDER BY relid::text), '') "
		"FROM pg_partition_tree('%s') WHERE isleaf",
		table);
	db_ask(sql, found, sizeof(found));
	assert_string_equal(found, expected);
}

static void assert_total(const char *expected)
{
	const struct store_window w = { .from = AUGUST, .to = NOVEMBER, .bin_seconds = HOUR };
	struct store_balance *list;
	size_t n;
	assert_int_equal(store_balance(s, &w, &list, &n), ERR_OK);
	assert_string_equal(n > 0 ? list[0].out_bytes : "none", expected);
	free(list);
}

static void pack(int64_t now)
{
	bool more = true;
	while (more)
		assert_int_equal(store_rollup(s, now, &more), ERR_OK);
}

static void partitions_are_there_before_they_are_needed(void **state)
{
	(void)state;
	retain(0, 0, AUGUST + DAY);
	assert_partitions("bins", "2026_08 2026_09");
	assert_partitions("bin_days", "2026_08 2026_09");
	assert_partitions("bin_months", "2026_08 2026_09");
	retain(0, 0, NOVEMBER);
	assert_partitions("bins", "2026_08 2026_09 2026_11 2026_12");
}

/* A report that takes long, in a session of its own. */
static void *read_for_long(void *unused)
{
	(void)unused;
	(void)db_state_of(
		"SELECT pg_sleep(100) FROM (SELECT count(*) FROM bins) b, "
		" (SELECT count(*) FROM bin_days) d, (SELECT count(*) FROM bin_months) m");
	return NULL;
}

static bool reads(void)
{
	char found[8];
	db_ask("SELECT count(*) FROM pg_stat_activity WHERE state = 'active' "
	       " AND wait_event = 'PgSleep'",
	       found, sizeof(found));
	return strcmp(found, "1") == 0;
}

static void a_month_begins_without_waiting_for_readers(void **state)
{
	(void)state;
	char found[8];
	pthread_t reader;
	assert_int_equal(put(AUGUST), ERR_OK);
	assert_int_equal(pthread_create(&reader, NULL, read_for_long, NULL), 0);
	while (!reads())
		(void)nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
	assert_int_equal(put(SEPTEMBER), ERR_OK);
	retain(0, 0, NOVEMBER);
	assert_true(reads());
	db_ask("SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity "
	       "WHERE wait_event = 'PgSleep'",
	       found, sizeof(found));
	pthread_join(reader, NULL);
	assert_partitions("bins", "2026_08 2026_09 2026_11 2026_12");
	/* And what the table has, its partitions have. */
	db_ask("SELECT count(DISTINCT (indisprimary, indnatts)) || ' ' || count(*) FROM pg_index "
	       "WHERE indrelid = ANY ('{bins,bins_2026_08,bins_2026_12}'::regclass[])",
	       found, sizeof(found));
	assert_string_equal(found, "2 6");
	db_ask("SELECT reloptions FROM pg_class WHERE relname = 'bin_days_2026_12'", found,
	       sizeof(found));
	assert_string_equal(found, "{toast_");
}

static void a_month_goes_when_it_is_packed_and_its_figures_stay(void **state)
{
	(void)state;
	assert_int_equal(put(AUGUST), ERR_OK);
	assert_int_equal(put(SEPTEMBER), ERR_OK);
	retain(40, 0, NOVEMBER + 9 * DAY); /* not packed: it stays */
	assert_partitions("bins", "2026_08 2026_09 2026_11 2026_12");
	pack(NOVEMBER);
	retain(0, 0, NOVEMBER + 9 * DAY);  /* for ever */
	retain(41, 0, NOVEMBER + 9 * DAY); /* 40 days: the last of September is needed */
	assert_partitions("bins", "2026_09 2026_11 2026_12");
	retain(40, 0, NOVEMBER + 10 * DAY);
	assert_partitions("bins", "2026_11 2026_12");
	assert_partitions("bin_days", "2026_08 2026_09 2026_11 2026_12");
	assert_total("14");

	/* What comes too late is refused whole, and makes no partition. */
	assert_int_equal(put(SEPTEMBER + DAY), ERR_RANGE);
	assert_int_equal(put(NOVEMBER - HOUR), ERR_OK);
	assert_partitions("bins", "2026_10 2026_11 2026_12");
	assert_total("21");
}

static void packed_months_go_later(void **state)
{
	(void)state;
	assert_int_equal(put(AUGUST), ERR_OK);
	assert_int_equal(put(SEPTEMBER), ERR_OK);
	pack(NOVEMBER);
	retain(1, 62, NOVEMBER);
	assert_partitions("bins", "2026_11 2026_12");
	assert_partitions("bin_days", "2026_08 2026_09 2026_11 2026_12");
	retain(1, 60, NOVEMBER); /* not before September */
	assert_partitions("bin_days", "2026_09 2026_11 2026_12");
	assert_partitions("bin_months", "2026_09 2026_11 2026_12");
	assert_total("7");
	/* Never before the bins, whatever was asked for. */
	retain(400, 1, NOVEMBER);
	assert_partitions("bin_days", "2026_09 2026_11 2026_12");
}

static void assert_readings(const char *expected)
{
	char found[64];
	db_ask("SELECT (SELECT count(*) FROM ports) || ' ports, ' || count(*) || ' readings from ' "
	       " || (min(at_ms) - 1785542400000) / 86400000 FROM readings",
	       found, sizeof(found));
	assert_string_equal(found, expected);
}

/* Two ports: one silent since the 20th of August, one since the first of November. */
static void readings_of_a_silent_port_go(void **state)
{
	(void)state;
	assert_string_equal(
		db_state_of(
			"INSERT INTO readings SELECT 1, port, 1785542400000 + 86400000::bigint * day, "
			" 0, 64, 1, 1, NULL, NULL, NULL, NULL, 0 "
			" FROM (VALUES ('old', 19), ('young', 92)) p (port, last), "
			"  generate_series(last - 9, last) day; "
			"INSERT INTO ports SELECT interconnect, port, max(at_ms) "
			" FROM readings GROUP BY 1, 2"),
		"");
	assert_int_equal(put(AUGUST), ERR_OK);
	assert_int_equal(put(NOVEMBER), ERR_OK);
	pack(NOVEMBER + DAY);
	struct store_keep keep = { 0 };
	assert_int_equal(store_retain(s, &keep, NOVEMBER + DAY), ERR_OK);
	assert_readings("2 ports, 20 readings from 10");
	keep.readings_days = 80;
	assert_int_equal(store_retain(s, &keep, NOVEMBER), ERR_OK);
	assert_readings("2 ports, 20 readings from 10");
	keep.readings_days = 31;
	assert_int_equal(store_retain(s, &keep, NOVEMBER + DAY), ERR_OK);
	assert_readings("2 ports, 11 readings from 19");
	keep.bins_days = 40; /* August goes, and whatever was read in it */
	assert_int_equal(store_retain(s, &keep, NOVEMBER + 10 * DAY), ERR_OK);
	assert_readings("1 ports, 10 readings from 83");
}

/* Somebody who is making bins of readings; NULL when all he needed stayed until he was done. */
static void *make_bins(void *arg)
{
	const char *state = db_state_of(
		"DO $$ BEGIN "
		"PERFORM FROM interconnects FOR NO KEY UPDATE; "
		"PERFORM pg_advisory_xact_lock(4711); "
		"LOOP "
		" IF EXISTS (SELECT FROM ports WHERE gone_ms > 0) THEN RAISE EXCEPTION 'gone'; END IF; "
		" EXIT WHEN EXISTS (SELECT FROM pg_locks WHERE NOT granted "
		"  AND locktype IN ('transactionid', 'tuple')); "
		" PERFORM pg_sleep(0.01); "
		"END LOOP; END $$");
	return state[0] == '\0' ? NULL : arg;
}

static void nothing_is_forgotten_while_bins_are_made(void **state)
{
	(void)state;
	pthread_t maker;
	void *failed;
	char found[8] = "0";
	const struct store_keep keep = { .readings_days = 31 };
	assert_int_equal(put(NOVEMBER), ERR_OK);
	assert_string_equal(
		db_state_of("INSERT INTO readings SELECT 1, 'old', 1785542400000 + at, 0, 64, 1, "
	                    " 1, NULL, NULL, NULL, NULL, 0 FROM (VALUES (0), (300000)) t (at); "
	                    "INSERT INTO ports SELECT interconnect, port, max(at_ms) "
	                    " FROM readings GROUP BY 1, 2"),
		"");
	assert_int_equal(pthread_create(&maker, NULL, make_bins, found), 0);
	while (strcmp(found, "1") != 0)
		db_ask("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711",
		       found, sizeof(found));
	assert_int_equal(store_retain(s, &keep, NOVEMBER + DAY), ERR_OK);
	assert_int_equal(pthread_join(maker, &failed), 0);
	assert_null(failed);
	assert_readings("1 ports, 1 readings from 0");
}

static void a_clock_that_runs_ahead_drops_nothing(void **state)
{
	(void)state;
	char now[32];
	db_ask("SELECT extract(epoch FROM now())::bigint", now, sizeof(now));
	const int64_t today = strtoll(now, NULL, 10);
	assert_int_equal(put(today - today % HOUR - 2 * DAY), ERR_OK);
	pack(today + 400L * DAY);
	retain(100, 100, today + 4000L * DAY);
	db_ask("SELECT count(*) FROM bins", now, sizeof(now));
	assert_string_equal(now, "1");
}

static const struct CMUnitTest tests[] = {
	TEST(partitions_are_there_before_they_are_needed),
	TEST(a_month_begins_without_waiting_for_readers),
	TEST(a_month_goes_when_it_is_packed_and_its_figures_stay),
	TEST(packed_months_go_later),
	TEST(readings_of_a_silent_port_go),
	TEST(nothing_is_forgotten_while_bins_are_made),
	TEST(a_clock_that_runs_ahead_drops_nothing),
};

RUN_TESTS(tests)
