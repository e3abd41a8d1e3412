/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* cmocka wants these four first, in every test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define RUN_TESTS(tests)                                            \
	int main(void)                                              \
	{                                                           \
		return cmocka_run_group_tests((tests), NULL, NULL); \
	}
