/* SPDX-License-Identifier: Apache-2.0 */
#include "common/codec/flow/notes.h"

#include "common/base/random.h"

#include "tests/unit/test.h"

static void keeps_what_is_noted(void **state)
{
	struct flow_notes n = { 0 };
	uint32_t model[4096] = { 0 };
	uint64_t seed = 3;
	uint32_t count = 0;
	(void)state;
	assert_null(flow_notes_find(&n, 1));
	for (unsigned i = 0; i < 20000; i++) {
		const uint32_t key = 1 + random_below(&seed, 4095);
		struct flow_note *at = flow_notes_at(&n, (uint64_t)key << 40);
		if (at == NULL) { /* full, and it was not there */
			assert_int_equal(n.count, FLOW_NOTES_MAX);
			assert_int_equal(model[key], 0);
			continue;
		}
		assert_int_equal(at->a, model[key]);
		count += model[key] == 0;
		at->a = model[key] = i + 1;
	}
	assert_int_equal(n.count, count);
	assert_int_equal(count, FLOW_NOTES_MAX);
	assert_true(2 * n.count <= n.room);
	for (uint64_t key = 1; key < 4096; key++) {
		const struct flow_note *at = flow_notes_find(&n, key << 40);
		assert_int_equal(at != NULL ? at->a : 0, model[key]);
	}
	flow_notes_clear(&n);
	assert_null(flow_notes_find(&n, UINT64_C(1) << 40));
}

static const struct CMUnitTest tests[] = { cmocka_unit_test(keeps_what_is_noted) };

RUN_TESTS(tests)
