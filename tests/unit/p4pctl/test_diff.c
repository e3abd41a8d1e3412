/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "tools/p4pctl/diff.h"

#include <jansson.h>

static void says_what_differs(void **state)
{
	(void)state;
	static const struct {
		const char *before, *after, *lines;
	} rows[] = {
		{ "{\"a\":1}", "{\"a\":1}", "" },
		{ "{\"a\":1}", "{\"a\":2}", "~ a: 1 -> 2\n" },
		{ "{\"a\":1,\"b\":2}", "{\"b\":2,\"c\":{}}", "- a: 1\n+ c: {}\n" },
		{ "{\"a\":{\"b\":\"x\"}}", "{\"a\":{\"b\":null}}", "~ a.b: \"x\" -> null\n" },
		/* order means nothing */
		{ "{\"l\":[1,2]}", "{\"l\":[2,1]}", "" },
		{ "{\"l\":[\"x\",\"y\"]}", "{\"l\":[\"y\",\"z\"]}", "- l: \"x\"\n+ l: \"z\"\n" },
		{ "{\"pids\":[{\"pid\":\"e\",\"n\":1},{\"pid\":\"w\"}]}",
		  "{\"pids\":[{\"pid\":\"w\"},{\"pid\":\"e\",\"n\":2}]}", "~ pids[e].n: 1 -> 2\n" },
		{ "{\"pids\":[{\"pid\":\"e\"}]}", "{\"pids\":[]}", "- pids[e]: {\"pid\":\"e\"}\n" },
		/* an interconnect has both: the id is its name */
		{ "{\"i\":[{\"id\":\"p\",\"pid\":\"x\"}]}",
		  "{\"i\":[{\"id\":\"p\",\"pid\":\"y\"}]}", "~ i[p].pid: \"x\" -> \"y\"\n" },
		{ "[]", "{}", "~ : [] -> {}\n" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *before = json_loads(rows[i].before, 0, NULL);
		json_t *after = json_loads(rows[i].after, 0, NULL);
		struct text lines = { 0 };
		text_put(&lines, "");
		(void)diff_print(before, after, &lines);
		assert_string_equal(lines.bytes, rows[i].lines);
		text_done(&lines);
		json_decref(before);
		json_decref(after);
	}
}

/* A depth that no map document has is compared whole, not walked. */
static void stops_going_down(void **state)
{
	(void)state;
	json_t *before = json_integer(1), *after = json_integer(2);
	for (int i = 0; i < 100; i++) {
		before = json_pack("{s:o}", "x", before);
		after = json_pack("{s:o}", "x", after);
	}
	struct text lines = { 0 };
	assert_int_equal(diff_print(before, after, &lines), 1);
	text_done(&lines);
	json_decref(before);
	json_decref(after);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(says_what_differs),
	cmocka_unit_test(stops_going_down),
};

RUN_TESTS(tests)
