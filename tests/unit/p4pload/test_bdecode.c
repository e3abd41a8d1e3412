/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "tools/p4pload/bdecode.h"

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
	return !d.bad;
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
		"",
		"x",
		"e",
		"ie",
		"i-e",
		"i1",
		"i1x",
		"i1234567890123456789e",
		"1a",
		"01:a",
		"3:ab",
		"99999999999:a",
		"di1ee",
		"d1:ae",
		"i1ei2e",
		"lee",
		"llllllllllllllllleeeeeeeeeeeeeeeee",
	};
	char out[200];
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_false(walk(rows[i], strlen(rows[i]), out, sizeof(out)));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(walks_item_by_item),
	cmocka_unit_test(what_is_no_bencode_turns_bad),
};

RUN_TESTS(tests)
