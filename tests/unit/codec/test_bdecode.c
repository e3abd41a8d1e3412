/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/codec/bdecode.h"

#include <stdio.h>
#include <string.h>

/* The walk as text: "depth key=value" for each item. */
static bool walk(const char *bytes, size_t size, char *out, size_t room)
{
	struct bdecode d = bdecode_over(bytes, size);
	struct bdecode_item i;
	size_t n = 0;
	out[0] = '\0';
	while (bdecode_next(&d, &i)) {
		n += (size_t)snprintf(out + n, room - n, "%u%.*s", i.depth, (int)i.key_size,
		                      (const char *)i.key);
		if (i.kind == BDECODE_NUMBER)
			n += (size_t)snprintf(out + n, room - n, "=%lld ", (long long)i.number);
		else if (i.kind == BDECODE_STRING)
			n += (size_t)snprintf(out + n, room - n, "='%.*s' ", (int)i.size,
			                      (const char *)i.bytes);
		else
			n += (size_t)snprintf(out + n, room - n, "=%c ",
			                      i.kind == BDECODE_LIST ? 'l' : 'd');
		assert_true(n < room);
	}
	return d.bad == NULL;
}

static void walks_item_by_item(void **state)
{
	(void)state;
	static const struct {
		const char *bytes, *expect;
	} rows[] = {
		{ "i5e", "0=5 " },
		{ "i-12e", "0=-12 " },
		{ "0:", "0='' " },
		{ "11:abcdefghijk", "0='abcdefghijk' " },
		{ "le", "0=l " },
		{ "de", "0=d " },
		{ "d1:ai1e1:b2:xye", "0=d 1a=1 1b='xy' " },
		{ "d5:filesd2:zzd8:completei3eeee", "0=d 1files=d 2zz=d 3complete=3 " },
		{ "d1:al1:x1:yi7ee1:bi9ee", "0=d 1a=l 2='x' 2='y' 2=7 1b=9 " },
	};
	char out[200];
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const size_t size = strlen(rows[i].bytes);
		assert_true(walk(rows[i].bytes, size, out, sizeof(out)));
		assert_string_equal(out, rows[i].expect);
		for (size_t n = 0; n < size; n++)
			assert_false(walk(rows[i].bytes, n, out, sizeof(out)));
	}
}

static void what_is_no_bencode_turns_bad(void **state)
{
	(void)state;
	static const char *const rows[] = {
		"",      "x",     "e",      "ie",
		"i-e",   "i1",    "i1x",    "i1234567890123456789e",
		"1a",    "01:a",  "3:ab",   "99999999999:a",
		"di1ee", "d1:ae", "i1ei2e", "lee",
	};
	char out[200];
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_false(walk(rows[i], strlen(rows[i]), out, sizeof(out)));
}

static void depth_has_a_limit(void **state)
{
	(void)state;
	char bytes[2 * BDECODE_DEPTH_MAX + 2], out[1000];
	memset(bytes, 'l', sizeof(bytes));
	memset(bytes + BDECODE_DEPTH_MAX, 'e', BDECODE_DEPTH_MAX);
	assert_true(walk(bytes, 2 * BDECODE_DEPTH_MAX, out, sizeof(out)));
	memset(bytes, 'l', BDECODE_DEPTH_MAX + 1);
	memset(bytes + BDECODE_DEPTH_MAX + 1, 'e', BDECODE_DEPTH_MAX + 1);
	assert_false(walk(bytes, sizeof(bytes), out, sizeof(out)));
}

/* Walks to the end; what was wrong, where and at which byte. */
static const char *fault_of(const char *bytes, bool strict, char *path, size_t room, size_t *byte)
{
	struct bdecode d = bdecode_over(bytes, strlen(bytes));
	struct bdecode_item i;
	struct text where = { 0 };
	d.strict = strict;
	while (bdecode_next(&d, &i))
		;
	bdecode_path(&d, d.depth, &where);
	(void)snprintf(path, room, "%s", where.size > 0 ? where.bytes : "");
	*byte = (size_t)(d.at - (const uint8_t *)bytes);
	text_done(&where);
	return d.bad;
}

static void the_strict_want_one_form_of_everything(void **state)
{
	(void)state;
	static const struct {
		const char *bytes, *path, *word; /* word NULL: good */
		size_t byte;
	} rows[] = {
		{ "d1:a1:x1:bl0:i0eee", "", NULL, 17 },
		{ "d1:a1:x2:aai-1ee", "", NULL, 15 },
		{ "d1:b1:x1:a1:ye", "/a", "sorted", 7 },
		{ "d2:aa1:x1:a1:ye", "/a", "sorted", 8 },
		{ "d1:a1:x1:a1:ye", "/a", "twice", 7 },
		{ "d1:ad1:bi01eee", "/a/b", "leading zero", 8 },
		{ "d1:ali1ei-0eee", "/a/1", "leading zero", 8 },
		{ "li1ei-01ee", "/1", "leading zero", 4 },
		{ "d3:a/~i-ee", "/a~1~0", "digits", 6 },
		{ "d1:\x1bi-ee", "/\xef\xbf\xbd", "digits", 4 },
		{ "d1:ad4:path5:abcd", "/a/path", "longer", 11 },
		{ "d1:ad9:path", "/a", "longer", 5 },
		{ "d1:al1:x", "/a/1", "too early", 8 },
		{ "dei1e", "", "nothing follows", 2 },
	};
	char path[40];
	size_t byte;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *why = fault_of(rows[i].bytes, true, path, sizeof(path), &byte);
		assert_int_equal(why == NULL, rows[i].word == NULL);
		assert_true(why == NULL || strstr(why, rows[i].word) != NULL);
		assert_string_equal(path, rows[i].path);
		assert_int_equal(byte, rows[i].byte);
	}
	for (size_t i = 2; i < 8; i++) /* trackers may */
		assert_null(fault_of(rows[i].bytes, false, path, sizeof(path), &byte));
}

static void a_container_is_read_child_by_child(void **state)
{
	(void)state;
	static const char bytes[] = "d1:ad1:xl1:ye1:bi1ee1:ci2ee";
	struct bdecode d = bdecode_over(bytes, sizeof(bytes) - 1);
	struct bdecode_item i;
	assert_true(bdecode_next(&d, &i));
	assert_true(bdecode_child(&d, 1, &i));
	assert_int_equal(i.kind, BDECODE_DICT);
	assert_ptr_equal(i.from, bytes + 4);
	assert_true(bdecode_child(&d, 2, &i)); /* x, whose content nobody asks for */
	assert_true(bdecode_child(&d, 2, &i));
	assert_int_equal(*i.key, 'b');
	assert_false(bdecode_child(&d, 2, &i));
	assert_ptr_equal(d.in.at, bytes + 20); /* just behind the value of a */
	assert_true(bdecode_child(&d, 1, &i));
	assert_int_equal(i.number, 2);
	assert_false(bdecode_child(&d, 1, &i));
	assert_false(bdecode_next(&d, &i));
	assert_null(d.bad);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(walks_item_by_item),
	cmocka_unit_test(what_is_no_bencode_turns_bad),
	cmocka_unit_test(depth_has_a_limit),
	cmocka_unit_test(the_strict_want_one_form_of_everything),
	cmocka_unit_test(a_container_is_read_child_by_child),
};

RUN_TESTS(tests)
