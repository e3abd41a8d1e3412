/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/base/text.h"

#include <string.h>

static void grows_as_it_is_written(void **state)
{
	(void)state;
	struct text t = { 0 };
	for (int i = 0; i < 1000; i++)
		text_printf(&t, "%03d,", i);
	assert_false(t.bad);
	assert_int_equal(t.size, 4000);
	assert_memory_equal(t.bytes + 3996, "999,", 5);
	text_done(&t);
}

static void escapes_json_and_csv(void **state)
{
	(void)state;
	static const struct {
		const char *in, *json, *csv;
	} rows[] = {
		{ "plain", "\"plain\"", "plain" },
		{ "a\"b\\c", "\"a\\\"b\\\\c\"", "\"a\"\"b\\c\"" },
		{ "x,y\n", "\"x,y\\n\"", "\"x,y\n\"" },
		{ "\x01", "\"\\u0001\"", "\x01" },
		{ "\xc3\xa9", "\"\xc3\xa9\"", "\xc3\xa9" },
		{ "\xff.\xed\xa0\x80", "\"\xef\xbf\xbd.\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"",
		  "\xff.\xed\xa0\x80" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct text json = { 0 }, csv = { 0 };
		text_json_string(&json, rows[i].in);
		text_csv_field(&csv, rows[i].in);
		assert_string_equal(json.bytes, rows[i].json);
		assert_string_equal(csv.bytes, rows[i].csv);
		assert_int_equal(text_is_utf8(rows[i].in), strchr(rows[i].in, '\xff') == NULL);
		text_done(&json);
		text_done(&csv);
	}
}

static void reads_only_whole_numbers(void **state)
{
	(void)state;
	static const char *const bad[] = { "",    "-1", "+1",
		                           " 1",  "1 ", "0x1",
		                           "1.0", "a",  "18446744073709551616" };
	uint64_t v = 42;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(text_u64(bad[i], strlen(bad[i]), &v));
	assert_int_equal(v, 42);
	assert_true(text_u64("18446744073709551615", 20, &v));
	assert_true(v == UINT64_MAX);
}

static void times_may_have_a_fraction(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t ms;
	} rows[] = {
		{ "2026-11-21T10:05:00Z", 1795255500000 },
		{ "2026-11-21T10:05:00.25Z", 1795255500250 },
		{ "2026-11-21T10:05:00.0019999+00:00", 1795255500001 },
		{ "1795255500", 1795255500000 },
		{ "1795255500.781", 1795255500781 },
		{ "0.5", 500 },
	};
	static const char *const bad[] = { "",        ".5",    "5.",   "5.x",
		                           "1.2.3",   "1. 2",  "-1.5", "1.5e3",
		                           "2026.5Z", "0x1.8", "1.5 ", "2026-11-21T10:05.5:00Z" };
	int64_t ms = 42;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(text_time_ms(bad[i], &ms));
	assert_int_equal(ms, 42);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(text_time_ms(rows[i].text, &ms));
		assert_true(ms == rows[i].ms);
	}
}

static void times_round_trip(void **state)
{
	(void)state;
	int64_t t;
	char out[24];
	assert_true(text_time("2026-11-21T10:05:00Z", &t));
	assert_int_equal(t, 1795255500);
	text_time_print(t, out);
	assert_string_equal(out, "2026-11-21T10:05:00Z");
	assert_true(text_time("1795255500", &t));
	assert_true(text_time("2026-11-21", &t));
	assert_int_equal(t, 1795219200);
	assert_true(text_time("2026-11-21T11:05:00+01:00", &t));
	assert_int_equal(t, 1795255500);
	assert_true(text_time("2026-11-21T00:35:00-09:30", &t));
	assert_int_equal(t, 1795255500);
	static const char *const bad[] = { "2026-11-21 10:05",
		                           "2026-11-21T10:05:00",
		                           "2026-11-21T10:05:00+01",
		                           "2026-11-21T10:05:00+0100",
		                           "2026-11-21T10:05:00+24:00",
		                           "2026-11-21T10:05:00+-1:00",
		                           "2026-11-21T10:05:00Zz",
		                           "2026-11-21Z",
		                           "2026-02-30",
		                           "2026-13-01",
		                           "" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(text_time(bad[i], &t));
}

static void hex_round_trips(void **state)
{
	(void)state;
	uint8_t bytes[3] = { 0, 0xab, 0xff }, back[3];
	char out[7];
	text_hex(bytes, 3, out);
	assert_string_equal(out, "00abff");
	assert_true(text_unhex("00AbfF", back, 3));
	assert_memory_equal(back, bytes, 3);
	assert_false(text_unhex("00abf", back, 3));
	assert_false(text_unhex("00abfg", back, 3));
}

static void a_terminal_gets_no_orders(void **state)
{
	(void)state;
	static const char dirty[] = "a\x1b[31m\0\x7f\xc2\x9b \xc3\xa9\xe2\x82\xac\xe2\x82";
	struct text t = { 0 };
	text_clean(&t, dirty, sizeof(dirty) - 1); /* the last character is cut in half */
	assert_string_equal(t.bytes, "a\xef\xbf\xbd[31m\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd "
	                             "\xc3\xa9\xe2\x82\xac\xef\xbf\xbd\xef\xbf\xbd");
	text_done(&t);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(times_may_have_a_fraction), cmocka_unit_test(grows_as_it_is_written),
	cmocka_unit_test(escapes_json_and_csv),      cmocka_unit_test(reads_only_whole_numbers),
	cmocka_unit_test(times_round_trip),          cmocka_unit_test(hex_round_trips),
	cmocka_unit_test(a_terminal_gets_no_orders),
};

RUN_TESTS(tests)
