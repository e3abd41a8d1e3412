/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "server/report/report.h"
#include "server/store/agreements.h"
#include "tests/support/db.h"

#include <stdlib.h>
#include <string.h>

enum { BIN = 300, DAY = 86400 };
static const int64_t T = 1793491200; /* 2026-11-01T00:00:00Z */
static const struct report_options options = { .bin_seconds = BIN,
	                                       .overhead_bytes = 18,
	                                       .ratio_limit_milli = 2000 };

/* ---- the window ---- */

static void a_window_holds_whole_closed_bins(void **state)
{
	(void)state;
	static const struct {
		int64_t from, to, now;    /* seconds after T; "absent" for REPORT_ABSENT */
		int64_t got_from, got_to; /* likewise */
	} rows[] = {
#define ABSENT INT64_MIN
		{ ABSENT, ABSENT, DAY, 0, DAY },
		{ ABSENT, ABSENT, DAY + 299, 0, DAY }, /* 288 bins at any time of the clock */
		{ ABSENT, ABSENT, DAY + 300, 300, DAY + 300 },
		{ ABSENT, DAY, 9 * DAY, 0, DAY },
		{ 0, ABSENT, 1000, 0, 900 },
		{ 0, 600, 1000, 0, 600 },
		{ 1, 899, 1000, 300, 600 },
		{ 0, 5000, 1000, 0, 900 }, /* not closed yet */
		{ 5000, 6000, 1000, 900, 900 },
		{ 1, 2, 1000, 0, 0 },
		{ 600, 300, 1000, 300, 300 },
#undef ABSENT
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct report_query q = {
			.from = rows[i].from == REPORT_ABSENT ? REPORT_ABSENT : T + rows[i].from,
			.to = rows[i].to == REPORT_ABSENT ? REPORT_ABSENT : T + rows[i].to,
			.provider = "isp-a",
			.csv = true,
		};
		const struct report_query w = report_window(&q, &options, T + rows[i].now);
		assert_int_equal(w.from - T, rows[i].got_from);
		assert_int_equal(w.to - T, rows[i].got_to);
		assert_ptr_equal(w.provider, q.provider);
		assert_true(w.csv);
	}
	const struct report_query before_1970 = { .from = -301, .to = -299 };
	const struct report_query w = report_window(&before_1970, &options, T);
	assert_int_equal(w.from, -300);
	assert_int_equal(w.to, -300);
}

static void a_bin_settles_a_fifth_of_its_length_after_its_end(void **state)
{
	(void)state;
	assert_int_equal(report_settled(BIN, T + BIN + BIN / 5 - 1), T);
	assert_int_equal(report_settled(BIN, T + BIN + BIN / 5), T + BIN);
	assert_int_equal(report_settled(2, 7), 6); /* a fifth rounds down */
	assert_int_equal(report_settled(BIN, -1), -BIN);
}

/* ---- golden answers ---- */

static struct store *s;

static void put(const char *interconnect, enum store_source source, int64_t start, uint64_t out,
                uint64_t in)
{
	struct store_bin b = { .provider = "isp-a",
		               .start = start,
		               .seconds = BIN,
		               .observed_seconds = BIN,
		               .out_bytes = out,
		               .in_bytes = in };
	memcpy(b.interconnect, interconnect, strlen(interconnect) + 1);
	assert_int_equal(store_bins(s, "n1", source, &b, 1), ERR_OK);
}

static void agree(const char *id, const char *about)
{
	char body[256];
	uint64_t version;
	const int n = snprintf(body, sizeof(body),
	                       "{\"format\":\"p4p-policy/1\",\"provider\":\"isp-a\",\"id\":\"%s\","
	                       "%s,\"ratio\":{\"limit\":2}}",
	                       id, about);
	const struct store_agreement_change change = {
		.kind = STORE_POLICY,
		.provider = "isp-a",
		.id = id,
		.document = body,
		.size = (size_t)n,
		.sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		.author = "alice",
	};
	assert_int_equal(store_agreement_change(s, &change, &version), ERR_OK);
}

static int open_store(void **state)
{
	(void)state;
	static const struct store_interconnect interconnects[] = {
		{ .id = "a-b-1", .pid = "c", .relation = "settlement-free", .neighbor_asn = 64501 },
		{ .id = "a-c-1", .pid = "c", .relation = "settlement-free", .neighbor_asn = 64502 },
		{ .id = "a-t-1", .pid = "c", .relation = "transit", .neighbor_asn = 4200000000U },
		{ .id = "a-u-1", .pid = "c", .relation = "paid-peering", .neighbor_asn = 64503 },
	};
	s = db_store(NULL);
	db_map(s, interconnects, 4);
	assert_int_equal(store_ratio_limit(s, "isp-a", "a-u-1", 1800, "alice"), ERR_OK);
	agree("p-1", "\"peer_asn\":64501");
	agree("p-2", "\"interconnects\":[\"a-t-1\",\"a-b-1\"]");
	put("a-b-1", STORE_ANNOUNCE, T, 1000, 10); /* a breach, but flows know better */
	put("a-b-1", STORE_FLOW, T, 9007199254740993U, 9007199254740992U);
	put("a-b-1", STORE_FLOW, T + BIN, UINT64_MAX, UINT64_MAX);
	put("a-t-1", STORE_COUNTER, T, 37500, 0);
	put("a-u-1", STORE_ANNOUNCE, T, 181, 100);
	return 0;
}

static int close_store(void **state)
{
	(void)state;
	store_free(s);
	return 0;
}

#define L3(out, in)                                                                         \
	",\"layer\":\"l3\",\"out_packets\":null,\"in_packets\":null,\"out_bytes_l2\":null," \
	"\"in_bytes_l2\":null,\"out_bytes_l3\":" out ",\"in_bytes_l3\":" in NO_P2P
#define L2(out, in)                                                                        \
	",\"layer\":\"l2\",\"out_packets\":null,\"in_packets\":null,\"out_bytes_l2\":" out \
	",\"in_bytes_l2\":" in ",\"out_bytes_l3\":null,\"in_bytes_l3\":null" NO_P2P
#define NO_P2P ",\"out_p2p_bytes\":null,\"in_p2p_bytes\":null"
#define GAP(missing, seconds, minute)                                                              \
	",\"quality\":{\"missing\":" missing ",\"partial\":0,\"estimated\":0,\"discontinuity\":0," \
	"\"sampled\":0,\"late\":0,\"gaps\":0,\"longest_gap_seconds\":" seconds                     \
	",\"longest_gap_from\":\"2026-11-01T00:" minute ":00Z\"}"

#define FEW_L3     L3("1000", "10") GAP("2", "600", "05")
#define MANY_L3    L3("18455751272964292608", "18455751272964292607") GAP("1", "300", "10")
#define COUNTED_L2 L2("37500", "0") GAP("2", "600", "05")
#define BREACH_L3  L3("181", "100") GAP("2", "600", "05")

static void the_balance_is_exactly_this_json(void **state)
{
	(void)state;
	const struct report_query q = { .from = T, .to = T + 3 * BIN };
	struct text t = { 0 };
	assert_int_equal(report_balance(s, &options, &q, &t), ERR_OK);
	static const char *const golden =
		"{\"from\":\"2026-11-01T00:00:00Z\",\"to\":\"2026-11-01T00:15:00Z\","
		"\"bin_seconds\":300,\"interconnects\":[\n"
		"{\"provider\":\"isp-a\",\"interconnect\":\"a-b-1\",\"neighbor_asn\":64501,"
		"\"relation\":\"settlement-free\",\"sources\":{"
		"\"announce\":{\"out_bytes\":1000,\"in_bytes\":10,\"ratio\":100.000,"
		"\"p95_out_bps\":27,\"p95_in_bps\":0,\"bins_known\":1,\"bins_expected\":3,"
		"\"estimate\":true" FEW_L3 "},"
		"\"flow\":{\"out_bytes\":18455751272964292608,\"in_bytes\":18455751272964292607,"
		"\"ratio\":1.000,\"p95_out_bps\":491913175298921376,"
		"\"p95_in_bps\":491913175298921376,\"bins_known\":2,\"bins_expected\":3" MANY_L3
		"}},"
		"\"ratio_limit\":2.000,\"verdict\":\"ok\",\"verdict_source\":\"flow\","
		"\"policies\":[\"p-1\",\"p-2\"]},\n"
		"{\"provider\":\"isp-a\",\"interconnect\":\"a-c-1\",\"neighbor_asn\":64502,"
		"\"relation\":\"settlement-free\",\"sources\":{},"
		"\"ratio_limit\":2.000,\"verdict\":\"no-data\",\"verdict_source\":null,"
		"\"policies\":[]},\n"
		"{\"provider\":\"isp-a\",\"interconnect\":\"a-t-1\",\"neighbor_asn\":4200000000,"
		"\"relation\":\"transit\",\"sources\":{"
		"\"counter\":{\"out_bytes\":37500,\"in_bytes\":0,\"ratio\":null,"
		"\"p95_out_bps\":1000,\"p95_in_bps\":0,\"bins_known\":1,\"bins_expected\":3" COUNTED_L2
		"}},"
		"\"ratio_limit\":null,\"verdict\":\"no-limit\",\"verdict_source\":\"counter\","
		"\"policies\":[\"p-2\"]},\n"
		"{\"provider\":\"isp-a\",\"interconnect\":\"a-u-1\",\"neighbor_asn\":64503,"
		"\"relation\":\"paid-peering\",\"sources\":{"
		"\"announce\":{\"out_bytes\":181,\"in_bytes\":100,\"ratio\":1.810,"
		"\"p95_out_bps\":5,\"p95_in_bps\":3,\"bins_known\":1,\"bins_expected\":3,"
		"\"estimate\":true" BREACH_L3 "}},"
		"\"ratio_limit\":1.800,\"verdict\":\"breach\",\"verdict_source\":\"announce\","
		"\"policies\":[]}],\n"
		"\"definitions\":{";
	const char *definitions = strstr(t.bytes, "\"definitions\":{");
	assert_non_null(definitions);
	assert_memory_equal(t.bytes, golden, strlen(golden));
	assert_non_null(strstr(definitions, "nearest rank"));
	assert_string_equal(t.bytes + t.size - 3, "}}\n");
	text_done(&t);
}

static void the_csv_tells_the_same(void **state)
{
	(void)state;
	const struct report_query q = { .from = T, .to = T + 3 * BIN, .csv = true };
	struct text t = { 0 };
	assert_int_equal(report_balance(s, &options, &q, &t), ERR_OK);
#define G ",0,0,0,0,0,0,"
#define W "2026-11-01T00:00:00Z,2026-11-01T00:15:00Z,300,isp-a,"
	assert_string_equal(
		t.bytes,
		"from,to,bin_seconds,provider,interconnect,neighbor_asn,relation,source,estimate,"
		"out_bytes,in_bytes,ratio,p95_out_bps,p95_in_bps,bins_known,bins_expected,"
		"ratio_limit,verdict,verdict_source,layer,out_packets,in_packets,out_bytes_l2,"
		"in_bytes_l2,out_bytes_l3,in_bytes_l3,out_p2p_bytes,in_p2p_bytes,bins_missing,"
		"bins_partial,bins_estimated,bins_discontinuity,bins_sampled,bins_late,bins_gaps,"
		"longest_gap_seconds,longest_gap_from,policies\r\n" W
		"a-b-1,64501,settlement-free,announce,true,1000,10,100.000,27,0,1,3,2.000,ok,"
		"flow,l3,,,,,1000,10,,,2" G "600,2026-11-01T00:05:00Z,p-1 p-2\r\n" W
		"a-b-1,64501,settlement-free,flow,false,18455751272964292608,"
		"18455751272964292607,1.000,491913175298921376,491913175298921376,2,3,2.000,ok,"
		"flow,l3,,,,,18455751272964292608,18455751272964292607,,,1" G
		"300,2026-11-01T00:10:00Z,p-1 p-2\r\n" W
		"a-c-1,64502,settlement-free,,,,,,,,0,3,2.000,no-data,,,,,,,,,,,,,,,,,,,,\r\n" W
		"a-t-1,4200000000,transit,counter,false,37500,0,,1000,0,1,3,,no-limit,counter,l2,,,"
		"37500,0,,,,,2" G "600,2026-11-01T00:05:00Z,p-2\r\n" W
		"a-u-1,64503,paid-peering,announce,true,181,100,1.810,5,3,1,3,1.800,breach,"
		"announce,l3,,,,,181,100,,,2" G "600,2026-11-01T00:05:00Z,\r\n");
#undef W
#undef G
	text_done(&t);
}

static void quality_is_told_of_every_interconnect(void **state)
{
	(void)state;
	struct report_query q = { .from = T, .to = T + 3 * BIN, .interconnect = "a-b-1" };
	struct text t = { 0 };
	assert_int_equal(report_quality(s, &options, &q, &t), ERR_OK);
	assert_string_equal(t.bytes,
	                    "{\"from\":\"2026-11-01T00:00:00Z\",\"to\":\"2026-11-01T00:15:00Z\","
	                    "\"bin_seconds\":300,\"rows\":[\n"
	                    "{\"provider\":\"isp-a\",\"interconnect\":\"a-b-1\","
	                    "\"source\":\"announce\",\"expected\":3,\"known\":1,\"missing\":2,"
	                    "\"partial\":0,\"estimated\":0,\"discontinuity\":0,\"sampled\":0,"
	                    "\"late\":0,\"gaps\":0,\"longest_gap_seconds\":600,"
	                    "\"longest_gap_from\":\"2026-11-01T00:05:00Z\"},\n"
	                    "{\"provider\":\"isp-a\",\"interconnect\":\"a-b-1\","
	                    "\"source\":\"flow\",\"expected\":3,\"known\":2,\"missing\":1,"
	                    "\"partial\":0,\"estimated\":0,\"discontinuity\":0,\"sampled\":0,"
	                    "\"late\":0,\"gaps\":0,\"longest_gap_seconds\":300,"
	                    "\"longest_gap_from\":\"2026-11-01T00:10:00Z\"}]}\n");
	text_done(&t);
	q.interconnect = "a-c-1"; /* which nobody saw */
	q.csv = true;
	assert_int_equal(report_quality(s, &options, &q, &t), ERR_OK);
	assert_string_equal(
		t.bytes, "provider,interconnect,source,expected,known,missing,partial,estimated,"
			 "discontinuity,sampled,late,gaps,longest_gap_seconds,longest_gap_from\r\n"
			 "isp-a,a-c-1,,3,0,3,0,0,0,0,0,0,900,2026-11-01T00:00:00Z\r\n");
	text_done(&t);
}

static void the_chart_gets_its_bins(void **state)
{
	(void)state;
	const struct report_query q = {
		.from = T, .to = T + 3 * BIN, .provider = "isp-a", .interconnect = "a-b-1"
	};
	struct text t = { 0 };
	assert_int_equal(report_series(s, &options, &q, STORE_FLOW, &t), ERR_OK);
	assert_string_equal(t.bytes,
	                    "{\"from\":\"2026-11-01T00:00:00Z\",\"to\":\"2026-11-01T00:15:00Z\","
	                    "\"bin_seconds\":300,\"source\":\"flow\",\"points\":["
	                    "[1793491200,9007199254740993,9007199254740992],"
	                    "[1793491500,18446744073709551615,18446744073709551615]]}\n");
	text_done(&t);
}

static void an_empty_window_and_a_filter(void **state)
{
	(void)state;
	struct text t = { 0 };
	struct report_query q = {
		.from = T, .to = T, .provider = "isp-a", .interconnect = "a-b-1"
	};
	assert_int_equal(report_balance(s, &options, &q, &t), ERR_OK);
	assert_non_null(strstr(t.bytes, "\"a-b-1\",\"neighbor_asn\":64501"));
	assert_non_null(strstr(t.bytes, "\"sources\":{}"));
	assert_null(strstr(t.bytes, "a-c-1"));
	text_done(&t);
	q.provider = "isp-z";
	assert_int_equal(report_balance(s, &options, &q, &t), ERR_OK);
	assert_non_null(strstr(t.bytes, "\"interconnects\":[],"));
	text_done(&t);
}

static void the_fuller_source_judges(void **state)
{
	(void)state;
	static const int64_t day = 86400;
	const struct report_query q = { .from = T + day,
		                        .to = T + day + 3 * BIN,
		                        .interconnect = "a-c-1" };
	struct text t = { 0 };
	for (int64_t i = 0; i < 2; i++)
		put("a-c-1", STORE_COUNTER, q.from + i * BIN, 300, 100);
	put("a-c-1", STORE_FLOW, q.from, 1, 1); /* a new exporter's first bin */
	for (int64_t i = 0; i < 3; i++)
		put("a-c-1", STORE_ANNOUNCE, q.from + i * BIN, 1, 1);
	assert_int_equal(report_balance(s, &options, &q, &t), ERR_OK);
	assert_non_null(strstr(t.bytes, "\"verdict\":\"breach\",\"verdict_source\":\"counter\""));
	text_done(&t);
	/* Of as many bins flows are it: they leave link-layer bytes out. */
	put("a-c-1", STORE_FLOW, q.from + BIN, 1, 1);
	assert_int_equal(report_balance(s, &options, &q, &t), ERR_OK);
	assert_non_null(strstr(t.bytes, "\"verdict\":\"ok\",\"verdict_source\":\"flow\""));
	text_done(&t);
}

static void without_a_database_nothing_is_written(void **state)
{
	(void)state;
	const struct store_options none = { .conninfo = "",
		                            .connections = 1,
		                            .timeout_seconds = 1 };
	struct store *away = store_new(&none);
	const struct report_query q = { .from = T, .to = T + BIN };
	struct text t = { 0 };
	assert_int_equal(report_balance(away, &options, &q, &t), ERR_AWAY);
	assert_int_equal(report_series(away, &options, &q, STORE_FLOW, &t), ERR_AWAY);
	assert_null(t.bytes);
	store_free(away);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(a_window_holds_whole_closed_bins),
	cmocka_unit_test(a_bin_settles_a_fifth_of_its_length_after_its_end),
	cmocka_unit_test(the_balance_is_exactly_this_json),
	cmocka_unit_test(the_csv_tells_the_same),
	cmocka_unit_test(quality_is_told_of_every_interconnect),
	cmocka_unit_test(the_chart_gets_its_bins),
	cmocka_unit_test(an_empty_window_and_a_filter),
	cmocka_unit_test(the_fuller_source_judges),
	cmocka_unit_test(without_a_database_nothing_is_written),
};

int main(void)
{
	return cmocka_run_group_tests(tests, open_store, close_store);
}
