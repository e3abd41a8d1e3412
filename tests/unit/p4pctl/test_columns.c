/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "tools/p4pctl/columns.h"

#include <stdlib.h>

static void aligns_words_left_and_figures_right(void **state)
{
	(void)state;
	static const char *const heads[] = { "NAME", ">SIZE", "", NULL };
	struct columns c;
	char *printed = NULL;
	size_t size;
	FILE *out = open_memstream(&printed, &size);
	assert_non_null(out);
	columns_begin(&c, heads);
	for (int i = 0; i < 2; i++) {
		columns_add(&c, "%s", i ? "longer-name" : "x");
		columns_add(&c, "%d", i ? 5 : 123456);
		columns_add(&c, "%s", i ? "" : "in force");
	}
	assert_true(columns_print(&c, out));
	(void)fclose(out);
	assert_string_equal(printed, "NAME           SIZE\n"
	                             "x            123456  in force\n"
	                             "longer-name       5\n");
	free(printed);
}

static void keeps_three_digits(void **state)
{
	(void)state;
	static const struct {
		double value;
		const char *printed;
	} rows[] = {
		{ 0, "0 B" },           { 999, "999 B" },      { 999.6, "1.00 kB" },
		{ 1000, "1.00 kB" },    { 12345, "12.3 kB" },  { 123456, "123 kB" },
		{ 9.999e6, "10.0 MB" }, { 1.5e12, "1.50 TB" }, { 1.8446744073709552e19, "18.4 EB" },
		{ 1e30, "1000000 YB" }, { -0.4, "0 B" },       { -12345, "-12.3 kB" },
	};
	char out[UNITS_SIZE];
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(units_print(rows[i].value, "B", out), rows[i].printed);
}

static void says_ratios_as_people_do(void **state)
{
	(void)state;
	static const struct {
		double ratio;
		const char *printed;
	} rows[] = {
		{ 2.4, "2.40:1" }, { 0.5, "1:2.00" }, { 1, "1.00:1" }, { 0, "0.00:1" }, { -1, "-" },
	};
	char out[UNITS_SIZE];
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(ratio_cell(rows[i].ratio, out), rows[i].printed);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(aligns_words_left_and_figures_right),
	cmocka_unit_test(keeps_three_digits),
	cmocka_unit_test(says_ratios_as_people_do),
};

RUN_TESTS(tests)
