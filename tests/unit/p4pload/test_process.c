/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "tools/p4pload/process.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void sees_memory_that_was_touched(void **state)
{
	(void)state;
	enum { SIZE = 32 << 20 };
	uint64_t before, after;
	assert_int_equal(process_memory((uint64_t)getpid(), &before), ERR_OK);
	void *p = malloc(SIZE);
	assert_non_null(p);
	memset(p, 1, SIZE);
	assert_int_equal(process_memory((uint64_t)getpid(), &after), ERR_OK);
	assert_true(after - before >= SIZE);
	assert_true(after - before < 6ULL * SIZE); /* a sanitizer's shadow counts, too */
	free(p);
}

static void sees_time_that_was_spent(void **state)
{
	(void)state;
	uint64_t before, after;
	volatile unsigned n = 0;
	assert_int_equal(process_cpu((uint64_t)getpid(), &before), ERR_OK);
	do {
		for (unsigned i = 0; i < 1000; i++)
			n = n + i;
		assert_int_equal(process_cpu((uint64_t)getpid(), &after), ERR_OK);
	} while (after - before < 1000000);
}

static void a_process_that_has_ended_is_not_found(void **state)
{
	(void)state;
	uint64_t v = 7;
	const pid_t child = fork();
	if (child == 0)
		_exit(0);
	assert_true(child > 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(process_cpu((uint64_t)child, &v), ERR_NOT_FOUND);
	assert_int_equal(process_memory((uint64_t)child, &v), ERR_NOT_FOUND);
	assert_int_equal(v, 7);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(a_process_that_has_ended_is_not_found),
	cmocka_unit_test(sees_memory_that_was_touched),
	cmocka_unit_test(sees_time_that_was_spent),
};

RUN_TESTS(tests)
