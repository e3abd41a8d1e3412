/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/base/err.h"

#include <string.h>

static void every_error_has_a_name(void **state)
{
	(void)state;
	for (int e = ERR_OK; e < ERR_COUNT_; e++)
		assert_string_not_equal(err_name((enum err)e), "unknown");
	assert_string_equal(err_name(ERR_COUNT_), "unknown");
}

static void a_fault_names_the_place(void **state)
{
	(void)state;
	struct fault f;
	assert_int_equal(fault_set(&f, ERR_RANGE, "/asns/0", "must be at most %d", 7), ERR_RANGE);
	assert_string_equal(f.kind, "out-of-range");
	assert_string_equal(f.where, "/asns/0");
	assert_string_equal(f.text, "must be at most 7");
	assert_int_equal(fault_set(NULL, ERR_BUSY, "", "nobody listens"), ERR_BUSY);
}

/* Cut anywhere inside one, of two, three or four bytes, it ends with the character before. */
static void a_cut_ends_with_a_whole_character(void **state)
{
	(void)state;
	static const char *const characters[] = { "x", "\xc3\xa9", "\xe6\x95\xb0",
		                                  "\xf0\x9f\x8c\x8d" };
	for (size_t size = 1; size <= 4; size++)
		for (size_t first = 0; first < 4; first++) {
			struct fault f;
			char where[1024] = "aaa";
			size_t n = first;
			for (; n + size < sizeof(where); n += size)
				memcpy(where + n, characters[size - 1], size);
			where[n] = '\0';
			(void)fault_set(&f, ERR_RANGE, where, "%s", where);
			const size_t room = sizeof(f.where) - 1, most = sizeof(f.text) - 1;
			assert_int_equal(strlen(f.where), room - (room - first) % size);
			assert_int_equal(strlen(f.text), most - (most - first) % size);
		}
}

static void keeps_a_hundred_faults_and_counts_the_rest(void **state)
{
	(void)state;
	struct faults *all = faults_new();
	assert_non_null(all);
	for (int i = 0; i < FAULTS_MAX + 5; i++)
		faults_add(all, ERR_MALFORMED, "type", "/x", "number %d", i);
	assert_int_equal(all->count, FAULTS_MAX);
	assert_int_equal(all->more, 5);
	assert_string_equal(all->list[99].text, "number 99");
	faults_free(all);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(every_error_has_a_name),
	cmocka_unit_test(a_fault_names_the_place),
	cmocka_unit_test(a_cut_ends_with_a_whole_character),
	cmocka_unit_test(keeps_a_hundred_faults_and_counts_the_rest),
};

RUN_TESTS(tests)
