/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/base/cursor.h"

static void reads_big_endian_in_order(void **state)
{
	(void)state;
	const uint8_t bytes[] = { 0x12, 0x34, 0xde, 0xad, 0xbe, 0xef };
	struct reader r = reader_over(bytes, sizeof(bytes));
	assert_int_equal(reader_u16(&r), 0x1234);
	assert_int_equal(reader_u32(&r), 0xdeadbeef);
	assert_false(r.bad);
	assert_int_equal(reader_left(&r), 0);
}

static void stays_bad_once_bad(void **state)
{
	(void)state;
	const uint8_t bytes[] = { 1, 2, 3 };
	struct reader r = reader_over(bytes, sizeof(bytes));
	assert_int_equal(reader_u32(&r), 0);
	assert_true(r.bad);
	assert_int_equal(reader_u16(&r), 0); /* two bytes are there, but the cursor has failed */
	assert_null(reader_take(&r, 0));
}

static void nothing_may_be_null(void **state)
{
	(void)state;
	struct reader r = reader_over(NULL, 0);
	assert_int_equal(reader_left(&r), 0);
	assert_int_equal(reader_u8(&r), 0);
	assert_true(r.bad);
}

static void a_write_past_the_end_changes_nothing(void **state)
{
	(void)state;
	uint8_t bytes[6] = { 0, 0, 0, 0, 0, 0x77 };
	struct writer w = writer_over(bytes, 5);
	writer_u32(&w, 0x01020304);
	assert_int_equal(writer_size(&w), 4);
	writer_u16(&w, 0xffff);
	assert_true(w.bad);
	writer_u8(&w, 0xee); /* one byte of room is there, but the cursor has failed */
	assert_int_equal(writer_size(&w), 0);
	const uint8_t expect[6] = { 1, 2, 3, 4, 0, 0x77 };
	assert_memory_equal(bytes, expect, 6);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(nothing_may_be_null),
	cmocka_unit_test(a_write_past_the_end_changes_nothing),
	cmocka_unit_test(reads_big_endian_in_order),
	cmocka_unit_test(stays_bad_once_bad),
};

RUN_TESTS(tests)
