/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "tools/p4pctl/pointer.h"

#include <stdlib.h>
#include <string.h>

static size_t line_of(const char *json, const char *pointer)
{
	/* An exact-size copy, so that a sanitizer sees the first byte past the end. */
	const size_t size = strlen(json);
	char *copy = malloc(size > 0 ? size : 1);
	assert_non_null(copy);
	memcpy(copy, json, size);
	const size_t line = pointer_line(copy, size, pointer);
	free(copy);
	return line;
}

static const char document[] = "{\n"
			       " \"format\": \"a \\\"]}, \",\n"
			       " \"pids\": [\n"
			       "  {\"pid\": \"x\", \"prefixes\": [\"10.0.0.0/8\",\n"
			       "    \"11.0.0.0/8\"]},\n"
			       "  {\"pid\": \"y\",\n"
			       "   \"a/b~c\": {}\n"
			       "  }\n"
			       " ]\n"
			       "}\n";

static void finds_the_line(void **state)
{
	(void)state;
	static const struct {
		const char *pointer;
		size_t line;
	} rows[] = {
		{ "", 1 },
		{ "/format", 2 },
		{ "/pids", 3 },
		{ "/pids/0", 4 },
		{ "/pids/0/prefixes/0", 4 },
		{ "/pids/0/prefixes/1", 5 },
		{ "/pids/1", 6 },
		{ "/pids/1/a~1b~0c", 7 },
		/* what is not there: the innermost part that is */
		{ "/pids/1/access", 6 },
		{ "/pids/2", 3 },
		{ "/pids/0/prefixes/x", 4 },
		{ "/format/x", 2 },
		{ "/nothing/at/all", 1 },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(line_of(document, rows[i].pointer), rows[i].line);
}

static void survives_what_is_no_json(void **state)
{
	(void)state;
	static const char *const rows[] = { "",    "{",  "[",  "{\"a", "{\"a\"",     "{\"a\":",
		                            "[1,", "[[", "{]", "\"\\", "{\"a\":\"\\" };
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(line_of(rows[i], "/a/0"), 1);
		assert_int_equal(line_of(rows[i], "/0/0"), 1);
		assert_int_equal(line_of(rows[i], "/1"), 1);
	}
	for (size_t n = 0; n < sizeof(document); n++) {
		char *cut = strndup(document, n);
		assert_true(line_of(cut, "/pids/1/a~1b~0c") <= 8);
		free(cut);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(finds_the_line),
	cmocka_unit_test(survives_what_is_no_json),
};

RUN_TESTS(tests)
