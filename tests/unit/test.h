/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* cmocka wants these four first, in every test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

/*
 * Opens recorded real-world input, which is not ours to publish. NULL when it is not there: the test
 * says so and passes. (cmocka's skip() prints "not ok" in TAP, which meson takes for a failure.)
 */
static inline FILE *open_recorded(const char *name)
{
	const char *folder = getenv("P4P_TEST_DATA");
	char path[4096];
	(void)snprintf(path, sizeof(path), "%s/%s", folder == NULL ? "." : folder, name);
	FILE *f = fopen(path, "r");
	if (f == NULL)
		print_message("# skipped: no %s\n", path);
	return f;
}

#define RUN_TESTS(tests)                                            \
	int main(void)                                              \
	{                                                           \
		return cmocka_run_group_tests((tests), NULL, NULL); \
	}
