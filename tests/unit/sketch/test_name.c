/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "tools/sketch/sketch.h"

#include <string.h>

static void names_are_made_of_any_text(void **state)
{
	(void)state;
	static const char *const rows[][2] = {
		{ "US-TX,Dallas-Fort Worth", "us-tx-dallas-fort-worth" },
		{ "BR,S\xc3\xa3o Paulo", "br-sao-paulo" },
		{ "Za\xcc\x88hringen", "zahringen" }, /* the accent is a character of its own */
		{ "\xc5\x81\xc3\xb3"
		  "d\xc5\xba",
		  "lodz" },
		{ "JP,\xe6\x9d\xb1\xe4\xba\xac", "jp-u6771u4eac" },
		{ "a \xe2\x80\x93 b", "a-b" }, /* a dash of typographers */
		{ "  --  ", "x" },
		{ "", "x" },
		{ "\xff\xfe"
		  "a\xc3",
		  "ytaa" }, /* no UTF-8: byte by byte, as Latin-1 */
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char name[MAP_NAME_MAX + 1];
		sketch_name(rows[i][0], name);
		assert_string_equal(name, rows[i][1]);
	}
}

static void long_names_stay_apart(void **state)
{
	(void)state;
	char a[101], b[101], x[MAP_NAME_MAX + 1], y[MAP_NAME_MAX + 1];
	memset(a, 'a', 100);
	memset(b, 'a', 100);
	a[100] = b[100] = '\0';
	b[99] = 'b';
	sketch_name(a, x);
	sketch_name(b, y);
	assert_int_equal(strlen(x), MAP_NAME_MAX);
	assert_string_not_equal(x, y);
	a[MAP_NAME_MAX] = '\0';
	sketch_name(a, x);
	assert_string_equal(x, a);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(names_are_made_of_any_text),
	cmocka_unit_test(long_names_stay_apart),
};

RUN_TESTS(tests)
