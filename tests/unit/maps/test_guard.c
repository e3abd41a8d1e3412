/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "server/maps/guard.h"

#include <string.h>

static void each_rule_trips_beyond_its_number_and_not_at_it(void **state)
{
	(void)state;
	static const struct {
		struct guard_facts facts;
		const char *kind, *text; /* NULL: none trips */
	} rows[] = {
		{ { 0, 0, 0, 0 }, NULL, NULL },
		{ { 10, 20, 5, 0 }, NULL, NULL },
		{ { 10.1, 20, 5, 0 }, "guard-prefixes", "10.1 %" },
		{ { 10, 20.1, 5, 0 }, "guard-peers", "20.1 %" },
		{ { 10, 20, 5.1, 0 }, "guard-default", "5.1 percentage points" },
		{ { 10, 20, 5, 1 }, "guard-interconnect", "1 interconnect is removed" },
		{ { 10, 20, 5, 3 }, "guard-interconnect", "3 interconnects are removed" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct faults *tripped = faults_new();
		assert_int_equal(guard_check(&rows[i].facts, tripped), rows[i].kind != NULL);
		assert_int_equal(tripped->count, rows[i].kind != NULL);
		if (rows[i].kind != NULL) {
			assert_string_equal(tripped->list[0].kind, rows[i].kind);
			assert_non_null(strstr(tripped->list[0].text, rows[i].text));
		}
		faults_free(tripped);
	}
}

static void all_that_trip_are_named_and_what_is_unknown_trips_nothing(void **state)
{
	(void)state;
	struct faults *tripped = faults_new();
	assert_int_equal(guard_check(&GUARD_NOTHING, tripped), 0);
	assert_int_equal(guard_check(&(struct guard_facts){ 50, GUARD_UNKNOWN, 50, 2 }, tripped),
	                 3);
	assert_int_equal(tripped->count, 3);
	faults_free(tripped);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_rule_trips_beyond_its_number_and_not_at_it),
		cmocka_unit_test(all_that_trip_are_named_and_what_is_unknown_trips_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
