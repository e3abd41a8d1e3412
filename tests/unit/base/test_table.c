/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/base/table.h"

#include <stdio.h>

enum { N = 5000 };
static char keys[N][12];

static void finds_what_was_added_and_nothing_else(void **state)
{
	(void)state;
	struct table *t = table_new(4); /* far too small: it must grow */
	uint32_t v = 77;
	assert_false(table_find(t, "x", &v));
	assert_int_equal(v, 77);
	for (uint32_t i = 0; i < N; i++) {
		(void)snprintf(keys[i], sizeof(keys[i]), "pid-%u", i * 7);
		assert_int_equal(table_add(t, keys[i], i, NULL), ERR_OK);
	}
	assert_int_equal(table_count(t), N);
	for (uint32_t i = 0; i < N; i++) {
		assert_true(table_find(t, keys[i], &v));
		assert_int_equal(v, i);
	}
	assert_false(table_find(t, "pid-1", &v));
	table_free(t);
}

static void tells_who_was_there_first(void **state)
{
	(void)state;
	struct table *t = table_new(0);
	uint32_t there = 0;
	assert_int_equal(table_add(t, "a", 1, &there), ERR_OK);
	assert_int_equal(table_add(t, "a", 2, &there), ERR_EXISTS);
	assert_int_equal(there, 1);
	assert_int_equal(table_count(t), 1);
	table_free(t);
	table_free(NULL);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(finds_what_was_added_and_nothing_else),
	cmocka_unit_test(tells_who_was_there_first),
};

RUN_TESTS(tests)
