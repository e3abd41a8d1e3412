/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "server/report/sheet.h"

static void fill(struct sheet *s)
{
	sheet_string(s, "contract", "c-\"1\", <b>");
	sheet_bool(s, "estimate", false);
	sheet_open(s, "directions");
	sheet_open(s, "out");
	sheet_number(s, "bytes", "B", "36893488147419103230"); /* twice 2^64 - 1 */
	sheet_null(s, "p95_bps", "bit/s");
	sheet_close(s);
	sheet_open(s, "in");
	sheet_close(s);
	sheet_close(s);
	sheet_array(s, "interconnects");
	sheet_string(s, NULL, "a-1");
	sheet_open(s, NULL);
	sheet_u64(s, "bins_known", NULL, UINT64_MAX);
	sheet_time(s, "until", 1793491200);
	sheet_close(s);
	sheet_close(s);
	sheet_money(s, "total", "EUR", "8700.00");
}

static void the_same_figures_are_json_csv_and_html(void **state)
{
	(void)state;
	struct sheet s = { 0 };
	struct text t = { 0 };
	fill(&s);
	assert_false(sheet_is_bad(&s));
	sheet_json(&s, &t);
	assert_string_equal(t.bytes, "\"contract\":\"c-\\\"1\\\", <b>\",\"estimate\":false,"
	                             "\"directions\":{\"out\":{\"bytes\":36893488147419103230,"
	                             "\"p95_bps\":null},\"in\":{}},\"interconnects\":[\"a-1\","
	                             "{\"bins_known\":18446744073709551615,"
	                             "\"until\":\"2026-11-01T00:00:00Z\"}],\"total\":\"8700.00\"");
	text_done(&t);
	sheet_csv(&s, "isp-a", &t);
	assert_string_equal(t.bytes, "isp-a,contract,\"c-\"\"1\"\", <b>\",\r\n"
	                             "isp-a,estimate,false,\r\n"
	                             "isp-a,directions.out.bytes,36893488147419103230,B\r\n"
	                             "isp-a,directions.out.p95_bps,,bit/s\r\n"
	                             "isp-a,interconnects.0,a-1,\r\n"
	                             "isp-a,interconnects.1.bins_known,18446744073709551615,\r\n"
	                             "isp-a,interconnects.1.until,2026-11-01T00:00:00Z,\r\n"
	                             "isp-a,total,8700.00,EUR\r\n");
	text_done(&t);
	sheet_html(&s, &t);
	assert_string_equal(
		t.bytes,
		"<table>\n"
		"<tr><th scope=\"row\">contract</th><td>c-&quot;1&quot;, &lt;b&gt;</td><td></td></tr>\n"
		"<tr><th scope=\"row\">estimate</th><td>false</td><td></td></tr>\n"
		"<tr><th scope=\"row\">total</th><td class=\"n\">8700.00</td><td>EUR</td></tr>\n"
		"</table>\n"
		"<h2>directions</h2>\n<table>\n"
		"<tr><th scope=\"row\">out, bytes</th><td class=\"n\">36893488147419103230</td>"
		"<td>B</td></tr>\n"
		"<tr><th scope=\"row\">out, p95 bps</th><td class=\"n\">\xe2\x80\x93</td>"
		"<td>bit/s</td></tr>\n"
		"</table>\n"
		"<h2>interconnects</h2>\n<table>\n"
		"<tr><th scope=\"row\">0</th><td>a-1</td><td></td></tr>\n"
		"<tr><th scope=\"row\">1, bins known</th><td class=\"n\">18446744073709551615</td>"
		"<td></td></tr>\n"
		"<tr><th scope=\"row\">1, until</th><td>2026-11-01T00:00:00Z</td><td></td></tr>\n"
		"</table>\n");
	text_done(&t);
	sheet_done(&s);
}

static void an_empty_sheet_is_nothing(void **state)
{
	(void)state;
	struct sheet s = { 0 };
	struct text t = { 0 };
	sheet_json(&s, &t);
	sheet_csv(&s, "", &t);
	sheet_html(&s, &t);
	assert_int_equal(t.size, 0);
	text_done(&t);
	sheet_done(&s);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(the_same_figures_are_json_csv_and_html),
	cmocka_unit_test(an_empty_sheet_is_nothing),
};

RUN_TESTS(tests)
