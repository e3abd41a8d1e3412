/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/base/csv.h"

#include <string.h>

/* All rows of `text`, fields in brackets, with the line each begins on; "!" where a row cannot be split. */
static const char *split(const char *text, char separator)
{
	static char said[512];
	static char copy[512];
	struct csv c;
	size_t n = 0;
	(void)snprintf(copy, sizeof(copy), "%s", text);
	assert_true(csv_begin(&c, copy, strlen(copy), separator));
	const size_t most = csv_rows_max(&c);
	size_t rows = 0;
	said[0] = '\0';
	while (c.at < c.end) {
		n += (size_t)snprintf(said + n, sizeof(said) - n, "%zu", c.line);
		rows++;
		if (!csv_row(&c)) {
			(void)snprintf(said + n, sizeof(said) - n, "!");
			return said;
		}
		for (size_t i = 0; i < c.n; i++)
			n += (size_t)snprintf(said + n, sizeof(said) - n, "[%s]", c.field[i]);
	}
	assert_true(rows <= most);
	return said;
}

static void splits_rows_and_counts_their_lines(void **state)
{
	(void)state;
	assert_string_equal(split("a,b\nc,d\n", ','), "1[a][b]2[c][d]");
	assert_string_equal(split("a,b\r\n\r\nc", ','), "1[a][b]2[]3[c]");
	assert_string_equal(split("a\rb", ','), "1[a]2[b]");
	assert_string_equal(split("a,\n,", ','), "1[a][]2[][]");
	assert_string_equal(split("a\tb,c\n", '\t'), "1[a][b,c]");
	assert_string_equal(split("\xef\xbb\xbf"
	                          "a,b",
	                          ','),
	                    "1[a][b]");
	assert_string_equal(split("", ','), "");
}

static void quotes_hold_separators_lines_and_quotes(void **state)
{
	(void)state;
	assert_string_equal(split("\"a,b\",\"c\nd\",\"say \"\"e\"\"\"\nf", ','),
	                    "1[a,b][c\nd][say \"e\"]3[f]");
	assert_string_equal(split("x\n\"open,\n", ','), "1[x]2!");
}

static void refuses_what_no_field_could_hold(void **state)
{
	(void)state;
	char nul[] = "a,\0b", many[2 * CSV_FIELDS_MAX + 3];
	struct csv c;
	assert_false(csv_begin(&c, nul, 4, ','));
	memset(many, ',', sizeof(many));
	many[CSV_FIELDS_MAX - 1] = '\0';
	assert_true(csv_begin(&c, many, CSV_FIELDS_MAX - 1, ','));
	assert_true(csv_row(&c));
	assert_int_equal(c.n, CSV_FIELDS_MAX);
	memset(many, ',', sizeof(many));
	many[CSV_FIELDS_MAX] = '\0';
	assert_true(csv_begin(&c, many, CSV_FIELDS_MAX, ','));
	assert_false(csv_row(&c));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(splits_rows_and_counts_their_lines),
	cmocka_unit_test(quotes_hold_separators_lines_and_quotes),
	cmocka_unit_test(refuses_what_no_field_could_hold),
};

RUN_TESTS(tests)
