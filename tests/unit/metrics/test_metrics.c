/* SPDX-License-Identifier: Apache-2.0 */
#include "server/metrics/metrics.h"

#include "tests/unit/test.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void sums_the_slots(void **state)
{
	(void)state;
	struct metrics *m = metrics_new(3);
	metrics_add(metrics_slot(m, 0), METRIC_UDP_CONNECTS, 2);
	metrics_add(metrics_slot(m, 2), METRIC_UDP_CONNECTS, 40);
	metrics_add(metrics_slot(m, 1), METRIC_SNATCHES, 7);
	assert_int_equal(metrics_sum(m, METRIC_UDP_CONNECTS), 42);
	assert_int_equal(metrics_sum(m, METRIC_SNATCHES), 7);
	assert_int_equal(metrics_sum(m, METRIC_UDP_SCRAPES), 0);
	metrics_free(m);
}

static void keeps_slots_on_cache_lines_of_their_own(void **state)
{
	(void)state;
	struct metrics *m = metrics_new(2);
	assert_int_equal((uintptr_t)metrics_slot(m, 0) % 64, 0);
	assert_int_equal((uintptr_t)metrics_slot(m, 1) % 64, 0);
	metrics_free(m);
}

enum { ROUNDS = 100000 };

static void *work(void *arg)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		metrics_add(arg, METRIC_UDP_CONNECTS, 1);
		metrics_latency(arg, 1000);
	}
	return NULL;
}

/* TSAN watches this one. */
static void counts_while_another_thread_reads(void **state)
{
	(void)state;
	struct metrics *m = metrics_new(2);
	pthread_t threads[2];
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, work, metrics_slot(m, i)), 0);
	uint64_t last = 0;
	for (unsigned i = 0; i < 1000; i++) {
		const uint64_t now = metrics_sum(m, METRIC_UDP_CONNECTS);
		assert_true(now >= last);
		last = now;
	}
	for (unsigned i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(metrics_sum(m, METRIC_UDP_CONNECTS), 2 * ROUNDS);
	metrics_free(m);
}

static unsigned occurrences(const char *page, const char *what)
{
	unsigned n = 0;
	for (const char *p = page; (p = strstr(p, what)) != NULL; p++)
		n++;
	return n;
}

static void writes_help_once_for_each_name(void **state)
{
	(void)state;
	struct metrics *m = metrics_new(1);
	struct text page = { 0 };
	metrics_add(metrics_slot(m, 0), METRIC_UDP_ANNOUNCE_P4P, 5);
	metrics_add(metrics_slot(m, 0), METRIC_SNATCHES, 3);
	metrics_write(m, &page);
	assert_false(page.bad);
	assert_int_equal(occurrences(page.bytes, "# TYPE p4pd_announces_total counter\n"), 1);
	assert_int_equal(occurrences(page.bytes, "# HELP p4pd_announces_total "), 1);
	assert_non_null(strstr(page.bytes, "\np4pd_announces_total{protocol=\"udp\",policy=\"p4p\","
	                                   "outcome=\"answered\"} 5\n"));
	assert_non_null(strstr(page.bytes, "\np4pd_snatches_total 3\n"));

	/* Prometheus refuses a page that declares a name twice. */
	char *save = NULL;
	char *lines = strdup(page.bytes);
	for (char *l = strtok_r(lines, "\n", &save); l != NULL; l = strtok_r(NULL, "\n", &save)) {
		char name[128], line[160];
		if (sscanf(l, "# TYPE %127s", name) != 1)
			continue;
		(void)snprintf(line, sizeof(line), "# TYPE %s ", name);
		assert_int_equal(occurrences(page.bytes, line), 1);
	}
	free(lines);
	text_done(&page);
	metrics_free(m);
}

static void puts_latencies_into_powers_of_two(void **state)
{
	(void)state;
	static const struct {
		uint64_t ns;
		const char *first; /* the first bucket that holds it */
		const char *below; /* the one before it, NULL: none */
	} rows[] = {
		{ 0, "0.000001", NULL },
		{ 1000, "0.000001", NULL },
		{ 1001, "0.000002", "0.000001" },
		{ 2000, "0.000002", "0.000001" },
		{ 2001, "0.000004", "0.000002" },
		{ 4001, "0.000008", "0.000004" },
		{ 1048576000, "1.048576", "0.524288" },
		{ 1048576001, "+Inf", "1.048576" },
		{ UINT64_MAX, "+Inf", "1.048576" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct metrics *m = metrics_new(1);
		struct text page = { 0 };
		char line[80];
		metrics_latency(metrics_slot(m, 0), rows[i].ns);
		metrics_write(m, &page);
		(void)snprintf(line, sizeof(line), "_bucket{le=\"%s\"} 1\n", rows[i].first);
		assert_non_null(strstr(page.bytes, line));
		if (rows[i].below != NULL) {
			(void)snprintf(line, sizeof(line), "_bucket{le=\"%s\"} 0\n", rows[i].below);
			assert_non_null(strstr(page.bytes, line));
		}
		assert_non_null(strstr(page.bytes, "p4pd_announce_seconds_count 1\n"));
		text_done(&page);
		metrics_free(m);
	}
}

static void write_depth(void *ctx, struct text *page)
{
	metrics_gauge(page, "p4pd_depth", "How deep", *(const uint64_t *)ctx);
	metrics_counter(page, "p4pd_dives_total", "How often", 7);
}

static void asks_gauges_when_the_page_is_made(void **state)
{
	(void)state;
	struct metrics *m = metrics_new(1);
	struct text page = { 0 };
	uint64_t depth = 1;
	metrics_register(m, write_depth, &depth);
	depth = UINT64_MAX;
	metrics_write(m, &page);
	assert_non_null(strstr(page.bytes, "# HELP p4pd_depth How deep\n# TYPE p4pd_depth gauge\n"
	                                   "p4pd_depth 18446744073709551615\n"));
	assert_non_null(
		strstr(page.bytes, "# TYPE p4pd_dives_total counter\np4pd_dives_total 7\n"));
	text_done(&page);
	metrics_free(m);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(sums_the_slots),
	cmocka_unit_test(keeps_slots_on_cache_lines_of_their_own),
	cmocka_unit_test(counts_while_another_thread_reads),
	cmocka_unit_test(writes_help_once_for_each_name),
	cmocka_unit_test(puts_latencies_into_powers_of_two),
	cmocka_unit_test(asks_gauges_when_the_page_is_made),
};

RUN_TESTS(tests)
