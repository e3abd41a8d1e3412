/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/base/arena.h"

static void hands_out_aligned_zeroed_memory(void **state)
{
	(void)state;
	struct arena *a = arena_new(64);
	assert_non_null(a);
	for (size_t size = 1; size < 5000; size = size * 3 + 1) {
		unsigned char *p = arena_take(a, size);
		assert_non_null(p);
		assert_int_equal((uintptr_t)p % sizeof(max_align_t) % 16, 0);
		for (size_t i = 0; i < size; i++)
			assert_int_equal(p[i], 0);
		p[size - 1] = 0xff;
	}
	arena_reset(a);
	assert_int_equal(*(unsigned char *)arena_take(a, 1), 0);
	arena_free(a);
}

static void refuses_absurd_sizes(void **state)
{
	(void)state;
	struct arena *a = arena_new(64);
	assert_null(arena_take(a, SIZE_MAX - 3));
	arena_free(a);
	arena_free(NULL);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(hands_out_aligned_zeroed_memory),
	cmocka_unit_test(refuses_absurd_sizes),
};

RUN_TESTS(tests)
