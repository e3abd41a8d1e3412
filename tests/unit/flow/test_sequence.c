/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/random.h"
#include "common/codec/flow/sequence.h"

#include "tests/unit/test.h"

struct tally {
	struct flow_sequence s;
	uint64_t lost;
	unsigned resets, late;
	int64_t now_ms;
};

static void hear(struct tally *t, uint32_t at, uint32_t count)
{
	const struct flow_heard h = flow_sequence_hear(&t->s, FLOW_BY_RECORD, at, count, t->now_ms);
	t->lost += h.lost;
	t->resets += h.reset;
	t->late += h.late;
}

static void finish(struct tally *t)
{
	t->now_ms += FLOW_HOLE_MS + 1;
	hear(t, t->s.next, 0);
}

static void counts_what_is_missing_once(void **state)
{
	struct tally t = { .now_ms = 1 };
	(void)state;
	hear(&t, 4294967290U, 10); /* over the wrap, to 4 */
	hear(&t, 4, 6);
	hear(&t, 20, 5); /* 10 are missing */
	assert_int_equal(t.lost, 0);
	finish(&t);
	assert_int_equal(t.lost, 10);
	finish(&t);
	assert_int_equal(t.lost, 10);
	assert_int_equal(t.resets + t.late, 0);
}

static void forgives_what_was_overtaken(void **state)
{
	struct tally t = { .now_ms = 1 };
	(void)state;
	hear(&t, 0, 10);
	hear(&t, 40, 10); /* 10 to 39 are open */
	hear(&t, 20, 10); /* the middle of the hole */
	hear(&t, 30, 10); /* its end */
	finish(&t);
	assert_int_equal(t.lost, 10);
	assert_int_equal(t.late, 2);
	hear(&t, 10, 10); /* too late */
	finish(&t);
	assert_int_equal(t.lost, 10);
	hear(&t, 45, 10); /* half of it twice */
	hear(&t, 55, 1);
	finish(&t);
	assert_int_equal(t.lost, 10);
}

static void begins_again_after_a_restart(void **state)
{
	struct tally t = { .now_ms = 1 };
	(void)state;
	hear(&t, 1000000, 10);
	hear(&t, 1000020, 10);
	hear(&t, 0, 10);
	assert_int_equal(t.resets, 1);
	assert_int_equal(t.lost, 10); /* what was open will not come any more */
	hear(&t, 10, 10);
	flow_sequence_forget(&t.s);
	hear(&t, 5000, 10);
	finish(&t);
	assert_int_equal(t.resets, 1);
	assert_int_equal(t.lost, 10);
}

/* Drops and shuffles neighbours at random: what is told lost is what was dropped, but before the first. */
static void agrees_with_what_was_dropped(void **state)
{
	uint64_t seed = 5;
	(void)state;
	for (unsigned round = 0; round < 200; round++) {
		struct tally t = { .now_ms = 1 };
		uint32_t at = (uint32_t)random_next(&seed), held_at = 0, held = 0;
		uint64_t dropped = 0;
		hear(&t, at++, 1);
		for (unsigned i = 0; i < 500; i++) {
			const uint32_t count = 1 + random_below(&seed, 30);
			const uint32_t fate = random_below(&seed, 10);
			if (fate == 0) {
				dropped += count;
			} else if (fate == 1 && held == 0) {
				held_at = at;
				held = count;
			} else {
				hear(&t, at, count);
				if (held > 0)
					hear(&t, held_at, held);
				held = 0;
			}
			at += count;
			t.now_ms += 400; /* at most five holes are young */
		}
		if (held > 0)
			hear(&t, held_at, held);
		hear(&t, at, 1);
		finish(&t);
		assert_int_equal(t.lost, dropped);
		assert_int_equal(t.resets, 0);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(counts_what_is_missing_once),
	cmocka_unit_test(forgives_what_was_overtaken),
	cmocka_unit_test(begins_again_after_a_restart),
	cmocka_unit_test(agrees_with_what_was_dropped),
};

RUN_TESTS(tests)
