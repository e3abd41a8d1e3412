/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A test on a store of its own, in a new database. */

#include "tests/unit/test.h"

#include "tests/support/db.h"

static struct store *s;

static inline int open_store(void **state)
{
	(void)state;
	s = db_store(NULL);
	return 0;
}

static inline int close_store(void **state)
{
	(void)state;
	store_free(s);
	return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_store, close_store)
