/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "server/report/detail.h"

#include <stdlib.h>
#include <string.h>

static const struct detail_options options = { .expected = 4, .overhead_bytes = 18 };

static struct store_balance measured(enum store_source source)
{
	return (struct store_balance){ .source = source,
		                       .has_bins = true,
		                       .bins_known = 3,
		                       .bins_with_packets = 3,
		                       .bins_with_p2p = 3,
		                       .out_bytes = "36893488147419103230", /* 2 (2^64 - 1) */
		                       .in_bytes = "1000",
		                       .out_packets = "10",
		                       .in_packets = "5",
		                       .out_p2p_bytes = "7",
		                       .in_p2p_bytes = "0",
		                       .flagged = { 1, 2, 3, 4, 5, 6 },
		                       .gap_seconds = 300,
		                       .gap_from = 1793491200 };
}

static void assert_csv(const struct store_balance *row, const char *expected)
{
	struct text t = { 0 };
	detail_csv(&t, &options, row);
	assert_string_equal(t.bytes, expected);
	text_done(&t);
}

#define QUALITY ",1,1,2,3,4,5,6,300,2026-11-01T00:00:00Z"

static void the_other_layer_follows_from_the_packets(void **state)
{
	(void)state;
	struct store_balance row = measured(STORE_FLOW);
	assert_csv(&row,
	           ",l3,10,5,36893488147419103410,1090,36893488147419103230,1000,7,0" QUALITY);
	row = measured(STORE_COUNTER);
	assert_csv(&row, ",l2,10,5,36893488147419103230,1000,36893488147419103050,910,7,0" QUALITY);
	/* More packets than bytes are no measurement. */
	memcpy(row.in_packets, "56", 3);
	assert_csv(&row, ",l2,10,56,36893488147419103230,1000,36893488147419103050,,7,0" QUALITY);
}

static void what_not_every_bin_has_is_not_known(void **state)
{
	(void)state;
	struct store_balance row = measured(STORE_FLOW);
	row.bins_with_packets = 2;
	row.bins_with_p2p = 2;
	assert_csv(&row, ",l3,,,,,36893488147419103230,1000,," QUALITY);

	struct text t = { 0 };
	detail_json(&t, &options, &row);
	assert_non_null(strstr(t.bytes, "\"out_packets\":null"));
	assert_non_null(strstr(t.bytes, "\"out_bytes_l2\":null"));
	assert_non_null(strstr(t.bytes, "\"in_p2p_bytes\":null"));
	text_done(&t);
}

static void no_gap_has_no_beginning(void **state)
{
	(void)state;
	struct store_balance row = measured(STORE_FLOW);
	struct text t = { 0 };
	row.gap_seconds = 0;
	quality_json(&t, &options, &row);
	assert_non_null(strstr(t.bytes, "\"longest_gap_seconds\":0,\"longest_gap_from\":null"));
	text_done(&t);
	quality_csv(&t, &options, &row);
	assert_string_equal(t.bytes, "1,1,2,3,4,5,6,0,");
	text_done(&t);
}

static size_t commas(const char *s)
{
	size_t n = 0;
	for (; *s != '\0'; s++)
		n += *s == ',';
	return n;
}

static void every_line_has_the_fields_of_the_head(void **state)
{
	(void)state;
	const struct store_balance row = measured(STORE_FLOW);
	struct text some = { 0 }, none = { 0 }, quality = { 0 };
	detail_csv(&some, &options, &row);
	detail_csv_none(&none);
	quality_csv(&quality, &options, &row);
	assert_int_equal(commas(some.bytes), commas(detail_csv_head));
	assert_int_equal(commas(none.bytes), commas(detail_csv_head));
	assert_int_equal(commas(quality.bytes), commas(quality_csv_head));
	text_done(&some);
	text_done(&none);
	text_done(&quality);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(the_other_layer_follows_from_the_packets),
	cmocka_unit_test(what_not_every_bin_has_is_not_known),
	cmocka_unit_test(no_gap_has_no_beginning),
	cmocka_unit_test(every_line_has_the_fields_of_the_head),
};

RUN_TESTS(tests)
