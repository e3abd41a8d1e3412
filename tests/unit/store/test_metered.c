/* SPDX-License-Identifier: Apache-2.0 */
#include "server/store/metered.h"

#include "common/balance/quality.h"
#include "tests/unit/store/opened.h"

#include <stdio.h>
#include <stdlib.h>

enum { BIN = 300 };
static const int64_t T = 1793491200; /* 2026-11-01T00:00:00Z */

static void put(const char *node, const char *interconnect, int64_t start, uint64_t out,
                unsigned quality)
{
	struct store_bin b = { .provider = "isp-a",
		               .start = start,
		               .seconds = BIN,
		               .observed_seconds = BIN,
		               .out_bytes = out,
		               .in_bytes = 2 * out,
		               .measured_p2p = out == 7,
		               .out_p2p_bytes = 1,
		               .quality = quality };
	(void)snprintf(b.interconnect, sizeof(b.interconnect), "%s", interconnect);
	assert_int_equal(store_bins(s, node, STORE_FLOW, &b, 1), ERR_OK);
}

static void gives_bins_by_name_and_time_with_nodes_summed(void **state)
{
	(void)state;
	static const char *const names[] = { "b\"\\-1", "a-1", "nowhere" };
	put("n1", "a-1", T + BIN, 5, 0);
	put("n1", "a-1", T, 7, BIN_SAMPLED);
	put("n2", "a-1", T, 100, BIN_GAPS);
	put("n1", "b\"\\-1", T, 9, 0);
	put("n1", "c-1", T, 1000, 0);       /* nobody asked for it */
	put("n1", "a-1", T - BIN, 1000, 0); /* not in the window */
	put("n1", "a-1", T + 2 * BIN, 1000, 0);

	const struct store_metered_ask ask = { .provider = "isp-a",
		                               .names = names,
		                               .n_names = 3,
		                               .from = T,
		                               .to = T + 2 * BIN,
		                               .bin_seconds = BIN,
		                               .source = STORE_FLOW };
	struct store_metered *m;
	size_t n;
	assert_int_equal(store_metered(s, &ask, &m, &n), ERR_OK);
	assert_int_equal(n, 3);
	assert_true(m[0].which == 0 && m[0].start == T && m[0].out_bytes == 9);
	assert_false(m[0].measured_p2p);
	assert_true(m[1].which == 1 && m[1].start == T);
	assert_true(m[1].out_bytes == 107 && m[1].in_bytes == 214);
	assert_true(m[1].measured_p2p && m[1].out_p2p_bytes == 1 && m[1].in_p2p_bytes == 0);
	assert_int_equal(m[1].quality, BIN_SAMPLED | BIN_GAPS);
	assert_int_equal(m[1].observed_seconds, BIN);
	assert_true(m[2].which == 1 && m[2].start == T + BIN && m[2].out_bytes == 5);
	free(m);

	uint64_t counts[STORE_SOURCES];
	assert_int_equal(store_metered_counts(s, &ask, counts), ERR_OK);
	assert_int_equal(counts[STORE_FLOW], 3);
	assert_int_equal(counts[STORE_COUNTER], 0);
	bool has[STORE_SOURCES];
	assert_int_equal(store_metered_sources(s, &ask, has), ERR_OK);
	assert_true(has[STORE_FLOW] && !has[STORE_COUNTER]);
	struct store_metered_ask other = ask;
	other.source = STORE_COUNTER;
	assert_int_equal(store_metered(s, &other, &m, &n), ERR_OK);
	assert_int_equal(n, 0);
	free(m);
	other = ask;
	other.provider = "isp-b";
	assert_int_equal(store_metered_counts(s, &other, counts), ERR_OK);
	assert_int_equal(counts[STORE_FLOW], 0);
	assert_int_equal(store_metered_sources(s, &other, has), ERR_OK);
	assert_true(!has[STORE_FLOW] && !has[STORE_ANNOUNCE]);
	other = ask;
	other.to = T + BIN - 1; /* no whole bin */
	assert_int_equal(store_metered_sources(s, &other, has), ERR_OK);
	assert_false(has[STORE_FLOW]);
}

static const struct CMUnitTest tests[] = { TEST(gives_bins_by_name_and_time_with_nodes_summed) };

RUN_TESTS(tests)
