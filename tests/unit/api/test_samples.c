/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/balance/quality.h"
#include "server/api/samples.h"

#include <stdlib.h>
#include <string.h>

static const struct store_interconnect known[] = {
	{ .provider = "isp-a", .id = "a-b-1" },
	{ .provider = "isp-a", .id = "a-t-1" },
	{ .provider = "isp-b", .id = "b-a-1" },
};
static const struct samples_rules rules = {
	.bin_seconds = 300, .now = 1795255600, .known = known, .n_known = 3
};

#define BIN   "2026-11-21T10:05:00Z"
#define ONE   "{\"provider\":\"isp-a\",\"interconnect\":\"a-b-1\",\"bin\":\"" BIN "\","
#define HEAD  "provider,interconnect,bin,out_bytes,in_bytes\n"
#define START 1795255500

static enum err parse(const char *body, struct samples *out, struct faults *faults)
{
	/* An exact-size copy, so that a sanitizer sees the first byte past the end. */
	const size_t size = strlen(body);
	char *copy = malloc(size > 0 ? size : 1);
	assert_non_null(copy);
	memcpy(copy, body, size);
	const enum err e = body[0] == '{' || body[0] == '['
	                           ? samples_parse_json(copy, size, &rules, out, faults)
	                           : samples_parse_csv(copy, size, &rules, out, faults);
	free(copy);
	return e;
}

static void reads_every_way_to_write_a_sample(void **state)
{
	(void)state;
	static const char *const rows[] = {
		"{\"samples\":[" ONE "\"out_bytes\":7,\"in_bytes\":9}]}",
		"[" ONE "\"out_bytes\":\"7\",\"in_bytes\":\"9\",\"observed_seconds\":300}]",
		"[{\"provider\":\"isp-a\",\"interconnect\":\"a-b-1\",\"start\":1795255500,"
		"\"out_bytes\":7,\"in_bytes\":9}]",
		ONE "\"out_bytes\":7,\"in_bytes\":9}",
		"{\"provider\":\"isp-a\",\"interconnect\":\"a-b-1\",\"timestamp\":1795255500.0,"
		"\"out_bytes\":7e0,\"in_bytes\":9}",
		"time,provider,interconnect,out_bytes,in_bytes\n" BIN ",isp-a,a-b-1,7,9",
		HEAD "isp-a,a-b-1," BIN ",7,9",
		HEAD "isp-a,a-b-1,1795255500,7,9\r\n",
		"\xef\xbb\xbfin_bytes,start,\"provider\",out_bytes,interconnect,observed_seconds\r\n"
		"9," BIN ",\"isp-a\",7,a-b-1,\r\n\r\n",
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct faults *faults = faults_new();
		struct samples s;
		assert_int_equal(parse(rows[i], &s, faults), ERR_OK);
		assert_int_equal(s.n, 1);
		assert_string_equal(s.rows[0].provider, "isp-a");
		assert_string_equal(s.rows[0].interconnect, "a-b-1");
		assert_int_equal(s.rows[0].start, START);
		assert_int_equal(s.rows[0].seconds, 300);
		assert_int_equal(s.rows[0].observed_seconds, 300);
		assert_int_equal(s.rows[0].out_bytes, 7);
		assert_int_equal(s.rows[0].in_bytes, 9);
		samples_done(&s);
		faults_free(faults);
	}
}

static void keeps_every_digit(void **state)
{
	(void)state;
	static const char *const rows[] = {
		"[" ONE "\"out_bytes\":9007199254740993,\"in_bytes\":\"18446744073709551615\"}]",
		HEAD "isp-a,a-b-1," BIN ",9007199254740993,18446744073709551615\n",
	};
	for (size_t i = 0; i < 2; i++) {
		struct faults *faults = faults_new();
		struct samples s;
		assert_int_equal(parse(rows[i], &s, faults), ERR_OK);
		assert_true(s.rows[0].out_bytes == 9007199254740993U);
		assert_true(s.rows[0].in_bytes == UINT64_MAX);
		samples_done(&s);
		faults_free(faults);
	}
}

static void names_each_fault_and_its_place(void **state)
{
	(void)state;
	static const struct {
		const char *body, *kind, *where;
	} rows[] = {
		{ "", "malformed", "line 1" },
		{ "{", "malformed", "line 1" },
		{ "{}", "wrong-type", "/samples" },
		{ "{\"samples\":{}}", "wrong-type", "/samples" },
		{ "[7]", "wrong-type", "/0" },
		{ "[" ONE "\"out_bytes\":1}]", "missing", "/0/in_bytes" },
		{ "[" ONE "\"out_bytes\":1.5,\"in_bytes\":1}]", "malformed", "/0/out_bytes" },
		{ "[" ONE "\"out_bytes\":-1,\"in_bytes\":1}]", "malformed", "/0/out_bytes" },
		{ "[" ONE "\"out_bytes\":18446744073709551615,\"in_bytes\":1}]", "malformed",
		  "line 1" },
		{ "[" ONE "\"out_bytes\":\"18446744073709551616\",\"in_bytes\":1}]", "malformed",
		  "/0/out_bytes" },
		{ "[" ONE "\"out_bytes\":9007199254740992.0,\"in_bytes\":1}]", "malformed",
		  "/0/out_bytes" },
		{ ONE "\"out_bytes\":1}", "missing", "/0/in_bytes" },
		{ "[" ONE "\"start\":1,\"out_bytes\":1,\"in_bytes\":1}]", "duplicate", "/0/bin" },
		{ "[" ONE "\"out_byte\":1,\"out_bytes\":1,\"in_bytes\":1}]", "unknown-key", "/0" },
		{ "[" ONE "\"out_bytes\":1,\"in_bytes\":1,\"observed_seconds\":301}]",
		  "out-of-range", "/0/observed_seconds" },
		{ "{\"samples\":[" ONE "\"out_bytes\":1,\"in_bytes\":1}," ONE
		  "\"out_bytes\":1,\"in_bytes\":1}]}",
		  "duplicate", "/samples/1/bin" },
		{ "out_bytes\n", "missing", "line 1" },
		{ HEAD "isp-a,a-b-1," BIN ",7\n", "columns", "line 2" },
		{ HEAD "isp-a,a-b-1," BIN ",7,8\nisp-a,a-b-1,1795255501,7,8", "unaligned",
		  "line 3" },
		{ HEAD "isp-a,a-b-1,1795255800,7,8\n", "future", "line 2" },
		{ HEAD "isp-a,a-b-1,300,7,8\n", "out-of-range", "line 2" },
		{ HEAD "isp-a,\xff," BIN ",7,8\n", "malformed", "line 2" },
		{ HEAD "isp-a,a-b-1,yesterday,7,8\n", "malformed", "line 2" },
		{ HEAD "isp-a,b-a-1," BIN ",7,8\n", "unknown-interconnect", "line 2" },
		{ HEAD "isp-a,\"a-b-1\n,,\n", "malformed", "line 2" },
		{ HEAD "isp-a,\"a\nb\"," BIN ",1,2\nisp-a,a-b-1," BIN ",x,2",
		  "unknown-interconnect", "line 2" },
		{ "provider,provider\n", "unknown-column", "line 1" },
		{ "provider,colour\n", "unknown-column", "line 1" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct faults *faults = faults_new();
		struct samples s = { .n = 42 };
		assert_int_equal(parse(rows[i].body, &s, faults), ERR_MALFORMED);
		assert_int_equal(s.n, 42);
		assert_true(faults->count > 0);
		assert_string_equal(faults->list[0].kind, rows[i].kind);
		assert_string_equal(faults->list[0].where, rows[i].where);
		faults_free(faults);
	}
}

static void reports_all_faults_and_counts_quoted_lines(void **state)
{
	(void)state;
	struct faults *faults = faults_new();
	struct samples s;
	assert_int_equal(
		parse(HEAD "isp-a,\"a\nb\"," BIN ",1,2\nisp-a,a-b-1," BIN ",x,y", &s, faults),
		ERR_MALFORMED);
	assert_int_equal(faults->count, 3);
	assert_string_equal(faults->list[1].where, "line 4");
	assert_string_equal(faults->list[2].where, "line 4");
	faults_free(faults);
}

#define AT     "\"at\":\"2026-11-21T10:05:00.250Z\","
#define PORT   "{\"provider\":\"isp-a\",\"interconnect\":\"a-b-1\",\"port\":\"et-0/0/1\","
#define OCTETS "\"out_octets\":7,\"in_octets\":\"9\""
#define RHEAD  "provider,interconnect,port,at,out_octets,in_octets,"

static void reads_readings_in_every_shape(void **state)
{
	(void)state;
	static const char *const rows[] = {
		"{\"readings\":[" PORT AT OCTETS ",\"counter_bits\":32,\"sys_uptime\":4294967295,"
		"\"discontinuity_time\":5,\"speed_bps\":100000000,\"out_packets\":1,"
		"\"in_packets\":2}]}",
		(PORT AT "\"out_octets\":7,\"in_octets\":9,\"counter_bits\":\"32\","
		         "\"sys_uptime\":4294967295,\"discontinuity_time\":5,\"speed_bps\":1e8,"
		         "\"out_packets\":1,\"in_packets\":2}"),
		"[" PORT "\"at\":1795255500.25," OCTETS ",\"counter_bits\":32,"
		"\"sys_uptime\":4294967295,\"discontinuity_time\":5,\"speed_bps\":100000000,"
		"\"out_packets\":1,\"in_packets\":2}]",
		RHEAD
		"counter_bits,sys_uptime,discontinuity_time,speed_bps,out_packets,in_packets\n"
		"isp-a,a-b-1,et-0/0/1,1795255500.25,7,9,32,4294967295,5,100000000,1,2\n",
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct faults *faults = faults_new();
		struct samples s;
		assert_int_equal(parse(rows[i], &s, faults), ERR_OK);
		assert_int_equal(s.n, 0);
		assert_int_equal(s.n_readings, 1);
		const struct counter_reading *r = &s.readings[0].reading;
		assert_string_equal(s.readings[0].provider, "isp-a");
		assert_string_equal(s.readings[0].interconnect, "a-b-1");
		assert_string_equal(s.readings[0].port, "et-0/0/1");
		assert_int_equal(r->at_ms, START * INT64_C(1000) + 250);
		assert_int_equal(r->period_ms, 0);
		assert_int_equal(r->octets[COUNTER_OUT], 7);
		assert_int_equal(r->octets[COUNTER_IN], 9);
		assert_true(r->has_packets && r->has_uptime && r->has_discontinuity);
		assert_int_equal(r->packets[COUNTER_OUT], 1);
		assert_int_equal(r->packets[COUNTER_IN], 2);
		assert_int_equal(r->bits, 32);
		assert_true(r->uptime == UINT32_MAX);
		assert_int_equal(r->discontinuity, 5);
		assert_int_equal(r->speed_bps, 100000000);
		samples_done(&s);
		faults_free(faults);
	}
}

static void what_a_reading_does_not_say_is_not_known(void **state)
{
	(void)state;
	struct faults *faults = faults_new();
	struct samples s;
	assert_int_equal(parse(RHEAD "counter_bits,sys_uptime\n"
	                             "isp-a,a-b-1,,1795255500,7,18446744073709551615,,\n",
	                       &s, faults),
	                 ERR_OK);
	const struct counter_reading *r = &s.readings[0].reading;
	assert_string_equal(s.readings[0].port, "-"); /* an interconnect of one port */
	assert_true(r->octets[COUNTER_IN] == UINT64_MAX);
	assert_false(r->has_packets || r->has_uptime || r->has_discontinuity);
	assert_int_equal(r->bits, 0);
	assert_int_equal(r->speed_bps, 0);
	samples_done(&s);
	faults_free(faults);
}

static void reads_periods_by_their_start_or_end(void **state)
{
	(void)state;
	static const char *const rows[] = {
		"{\"samples\":[" PORT "\"end\":1795255500,\"seconds\":303,\"out_bytes\":7,"
		"\"in_bytes\":9}]}",
		PORT "\"start\":1795255197,\"seconds\":303,\"out_bytes\":7,\"in_bytes\":9}",
		("port,provider,interconnect,timestamp,seconds,out_bytes,in_bytes\n"
		 "et-0/0/1,isp-a,a-b-1,2026-11-21T09:59:57Z,303,7,9"),
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct faults *faults = faults_new();
		struct samples s;
		assert_int_equal(parse(rows[i], &s, faults), ERR_OK);
		assert_int_equal(s.n_readings, 1);
		const struct counter_reading *r = &s.readings[0].reading;
		assert_int_equal(r->at_ms, START * INT64_C(1000));
		assert_int_equal(r->period_ms, 303000);
		assert_int_equal(r->octets[COUNTER_OUT], 7);
		assert_int_equal(r->octets[COUNTER_IN], 9);
		samples_done(&s);
		faults_free(faults);
	}
}

static void a_sample_may_say_how_good_it_is(void **state)
{
	(void)state;
	struct faults *faults = faults_new();
	struct samples s;
	assert_int_equal(parse("[" ONE "\"out_bytes\":7,\"in_bytes\":9,"
	                       "\"quality\":\" estimated discontinuity \"}]",
	                       &s, faults),
	                 ERR_OK);
	assert_int_equal(s.rows[0].quality, BIN_ESTIMATED | BIN_DISCONTINUITY);
	samples_done(&s);
	assert_int_equal(
		parse("[" ONE "\"out_bytes\":7,\"in_bytes\":9,\"quality\":\"late\"}]", &s, faults),
		ERR_MALFORMED);
	assert_string_equal(faults->list[0].where, "/0/quality");
	faults_free(faults);
}

static void takes_samples_and_readings_together(void **state)
{
	(void)state;
	struct faults *faults = faults_new();
	struct samples s;
	char place[48];
	assert_int_equal(parse("{\"samples\":[" ONE "\"out_bytes\":7,\"in_bytes\":9,"
	                       "\"out_packets\":3,\"in_packets\":4}],\"readings\":[" PORT
	                       "\"at\":1795255400," OCTETS "}," PORT AT OCTETS "}]}",
	                       &s, faults),
	                 ERR_OK);
	assert_int_equal(s.n, 1);
	assert_true(s.rows[0].measured_packets);
	assert_int_equal(s.rows[0].in_packets, 4);
	assert_int_equal(s.n_readings, 2);
	samples_print_place(&s.places[1], place);
	assert_string_equal(place, "/readings/1");
	samples_done(&s);
	faults_free(faults);
}

static void names_what_is_wrong_with_a_reading(void **state)
{
	(void)state;
	static const struct {
		const char *body, *kind, *where;
	} rows[] = {
		{ "{\"readings\":7}", "wrong-type", "/readings" },
		{ "{\"readings\":[" PORT OCTETS "}]}", "missing", "/readings/0/at" },
		{ PORT AT "\"out_octets\":7}", "missing", "/0/in_octets" },
		{ PORT AT OCTETS ",\"seconds\":3}", "unknown-key", "/0/seconds" },
		{ PORT AT OCTETS ",\"bits\":3}", "unknown-key", "/0" },
		{ PORT AT OCTETS ",\"counter_bits\":33}", "out-of-range", "/0/counter_bits" },
		{ PORT AT OCTETS ",\"counter_bits\":16}", "out-of-range", "/0/counter_bits" },
		{ PORT AT "\"out_octets\":4294967296,\"in_octets\":9,\"counter_bits\":32}",
		  "out-of-range", "/0/counter_bits" },
		{ PORT AT OCTETS ",\"sys_uptime\":4294967296}", "out-of-range", "/0/sys_uptime" },
		{ PORT AT OCTETS ",\"speed_bps\":0}", "out-of-range", "/0/speed_bps" },
		{ PORT AT OCTETS ",\"out_packets\":0}", "missing", "/0/in_packets" },
		{ PORT "\"at\":1795255661," OCTETS "}", "future", "/0/at" },
		{ PORT "\"at\":1795255.5," OCTETS "}", "out-of-range", "/0/at" },
		{ "{\"provider\":\"isp-a\",\"interconnect\":\"b-a-1\"," AT OCTETS "}",
		  "unknown-interconnect", "/0/interconnect" },
		{ PORT "\"end\":1795255500,\"out_bytes\":7,\"in_bytes\":9}", "missing",
		  "/0/seconds" },
		{ PORT "\"seconds\":300,\"out_bytes\":7,\"in_bytes\":9}", "missing", "/0/end" },
		{ PORT "\"end\":1795255500,\"bin\":1795255500,\"seconds\":300,\"out_bytes\":7,"
		       "\"in_bytes\":9}",
		  "missing", "/0/end" },
		{ PORT "\"bin\":1795255500,\"seconds\":300,\"out_bytes\":7,\"in_bytes\":9}",
		  "future", "/0/seconds" },
		{ PORT "\"end\":1795255500,\"seconds\":86401,\"out_bytes\":7,\"in_bytes\":9}",
		  "out-of-range", "/0/seconds" },
		{ RHEAD "bin\nisp-a,a-b-1,e,1795255500,7,9,1\n", "unknown-key", "line 2" },
		{ RHEAD "sys_uptime\nisp-a,a-b-1,e,1795255500,,9,\n", "missing", "line 2" },
		{ "at,out_octets\n", "missing", "line 1" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct faults *faults = faults_new();
		struct samples s = { .n_readings = 42 };
		assert_int_equal(parse(rows[i].body, &s, faults), ERR_MALFORMED);
		assert_int_equal(s.n_readings, 42);
		assert_true(faults->count > 0);
		assert_string_equal(faults->list[0].kind, rows[i].kind);
		assert_string_equal(faults->list[0].where, rows[i].where);
		faults_free(faults);
	}
}

static void refuses_the_provider_of_another(void **state)
{
	(void)state;
	struct samples_rules scoped = rules;
	scoped.provider = "isp-a";
	static const char body[] = HEAD "isp-b,b-a-1," BIN ",1,2\n";
	struct faults *faults = faults_new();
	struct samples s;
	assert_int_equal(samples_parse_csv(body, sizeof(body) - 1, &scoped, &s, faults),
	                 ERR_DENIED);
	assert_string_equal(faults->list[0].kind, "denied");
	faults_free(faults);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(reads_every_way_to_write_a_sample),
	cmocka_unit_test(keeps_every_digit),
	cmocka_unit_test(names_each_fault_and_its_place),
	cmocka_unit_test(reports_all_faults_and_counts_quoted_lines),
	cmocka_unit_test(reads_readings_in_every_shape),
	cmocka_unit_test(what_a_reading_does_not_say_is_not_known),
	cmocka_unit_test(reads_periods_by_their_start_or_end),
	cmocka_unit_test(a_sample_may_say_how_good_it_is),
	cmocka_unit_test(takes_samples_and_readings_together),
	cmocka_unit_test(names_what_is_wrong_with_a_reading),
	cmocka_unit_test(refuses_the_provider_of_another),
};

RUN_TESTS(tests)
