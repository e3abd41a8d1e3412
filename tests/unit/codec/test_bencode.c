/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/codec/bencode.h"

static void writes_integers_of_every_size(void **state)
{
	(void)state;
	static const struct {
		int64_t v;
		const char *expect;
	} rows[] = {
		{ 0, "i0e" },
		{ 7, "i7e" },
		{ -1, "i-1e" },
		{ 1800, "i1800e" },
		{ INT64_MAX, "i9223372036854775807e" },
		{ INT64_MIN, "i-9223372036854775808e" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct text t = { 0 };
		struct bencode b = { .out = &t };
		bencode_int(&b, rows[i].v);
		assert_string_equal(t.bytes, rows[i].expect);
		text_done(&t);
	}
}

static void writes_an_announce_reply(void **state)
{
	(void)state;
	struct text t = { 0 };
	struct bencode b = { .out = &t };
	bencode_dict(&b);
	bencode_key(&b, "complete");
	bencode_int(&b, 1);
	bencode_key(&b, "peers");
	bencode_list(&b);
	bencode_dict(&b);
	bencode_key(&b, "ip");
	bencode_string(&b, "10.0.0.1");
	bencode_key(&b, "port");
	bencode_int(&b, 6881);
	bencode_end(&b);
	bencode_end(&b);
	bencode_key(&b, "peers6");
	bencode_bytes(&b, "", 0);
	bencode_end(&b);
	assert_string_equal(t.bytes,
	                    "d8:completei1e5:peersld2:ip8:10.0.0.14:porti6881eee6:peers60:e");
	assert_int_equal(b.depth, 0);
	text_done(&t);
}

static void keeps_nul_bytes_and_the_callers_order_of_raw_keys(void **state)
{
	(void)state;
	struct text t = { 0 };
	struct bencode b = { .out = &t };
	bencode_dict(&b);
	bencode_raw_key(&b, "b\0", 2);
	bencode_bytes(&b, "\0x", 2);
	bencode_raw_key(&b, "a", 1);
	bencode_dict(&b);
	bencode_end(&b);
	bencode_end(&b);
	const char expect[] = "d2:b\0"
			      "2:\0x1:adee";
	assert_int_equal(t.size, sizeof(expect) - 1);
	assert_memory_equal(t.bytes, expect, t.size);
	text_done(&t);
}

static void a_sibling_dictionary_starts_its_order_anew(void **state)
{
	(void)state;
	struct text t = { 0 };
	struct bencode b = { .out = &t };
	bencode_list(&b);
	for (int i = 0; i < 2; i++) {
		bencode_dict(&b);
		bencode_key(&b, "a");
		bencode_int(&b, i);
		bencode_key(&b, "z");
		bencode_int(&b, i);
		bencode_end(&b);
	}
	bencode_end(&b);
	assert_string_equal(t.bytes, "ld1:ai0e1:zi0eed1:ai1e1:zi1eee");
	text_done(&t);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(writes_integers_of_every_size),
	cmocka_unit_test(writes_an_announce_reply),
	cmocka_unit_test(keeps_nul_bytes_and_the_callers_order_of_raw_keys),
	cmocka_unit_test(a_sibling_dictionary_starts_its_order_anew),
};

RUN_TESTS(tests)
