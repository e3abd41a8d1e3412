/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/base/random.h"
#include "server/accounting/firsts.h"

#include <string.h>

static const int64_t T = 1800000000;

/* The trivial model: a list, of which the oldest goes when there are `most`. */
enum { MODEL_MAX = 300 };
static struct {
	struct {
		uint64_t client, swarm;
		int64_t first;
		bool again;
	} all[MODEL_MAX];
	size_t n, most;
} model;

static size_t find(uint64_t client, uint64_t swarm)
{
	size_t i = 0;
	while (i < model.n && (model.all[i].client != client || model.all[i].swarm != swarm))
		i++;
	return i;
}

static void forget(size_t i)
{
	memmove(&model.all[i], &model.all[i + 1], (--model.n - i) * sizeof(model.all[0]));
}

static bool model_put(uint64_t client, uint64_t swarm, int64_t now)
{
	const size_t i = find(client, swarm);
	if (i < model.n) {
		model.all[i].again |= now - model.all[i].first > FIRSTS_AGAIN;
		return false;
	}
	const bool full = model.n == model.most;
	const bool lost = full && now - model.all[0].first <= FIRSTS_IDLE;
	if (full)
		forget(0); /* they are in order of time */
	model.all[model.n].client = client;
	model.all[model.n].swarm = swarm;
	model.all[model.n].again = false;
	model.all[model.n++].first = now;
	return lost;
}

static bool model_take(uint64_t client, uint64_t swarm, int64_t now, uint32_t *seconds)
{
	const size_t i = find(client, swarm);
	if (i == model.n)
		return false;
	*seconds = (uint32_t)(now - model.all[i].first);
	const bool good = !model.all[i].again;
	forget(i);
	return good;
}

/* Room for 8 in one line, or for far more than come. */
static void agrees_with_a_list(size_t room, size_t most)
{
	uint64_t seed = room;
	struct firsts *f = firsts_new(room);
	int64_t now = T;
	unsigned taken = 0;
	assert_non_null(f);
	model.n = 0;
	model.most = most;
	for (unsigned i = 0; i < 50000; i++) {
		uint32_t told = 0, truth = 0;
		const uint64_t client = random_below(&seed, 12), swarm = random_below(&seed, 3);
		/* Each second differs, so that it is clear who is the oldest. */
		now += 1 + random_below(&seed, 20);
		if (random_below(&seed, 5000) == 0)
			now += FIRSTS_IDLE;
		if (random_below(&seed, 3) > 0) {
			assert_int_equal(firsts_put(f, client, swarm, now),
			                 model_put(client, swarm, now));
			continue;
		}
		const bool there = model_take(client, swarm, now, &truth);
		assert_int_equal(firsts_take(f, client, swarm, now, &told), there);
		assert_true(!there || told == truth);
		taken += there;
	}
	assert_true(taken > 1000);
	firsts_free(f);
}

static void a_full_line_agrees_with_a_list_that_drops_its_oldest(void **state)
{
	(void)state;
	agrees_with_a_list(FIRSTS_WAYS, FIRSTS_WAYS);
}

static void a_roomy_table_agrees_with_a_list_of_all(void **state)
{
	(void)state;
	agrees_with_a_list(1 << 16, MODEL_MAX);
}

static void who_comes_again_has_no_time_but_who_repeats_itself_has(void **state)
{
	(void)state;
	struct firsts *f = firsts_new(1000);
	uint32_t seconds = 77;
	assert_false(firsts_put(f, 1, 1, T));
	assert_false(firsts_put(f, 1, 1, T + FIRSTS_AGAIN));
	assert_true(firsts_take(f, 1, 1, T + 500, &seconds));
	assert_int_equal(seconds, 500);
	assert_false(firsts_take(f, 1, 1, T + 501, &seconds)); /* once */

	assert_false(firsts_put(f, 1, 1, T));
	assert_false(firsts_put(f, 1, 1, T + FIRSTS_AGAIN + 1));
	assert_false(firsts_put(f, 1, 1, T + FIRSTS_AGAIN + 2)); /* the mark stays */
	assert_false(firsts_take(f, 1, 1, T + 500, &seconds));
	assert_int_equal(seconds, 500);
	firsts_free(f);
}

static void a_clock_that_went_back_gives_no_time(void **state)
{
	(void)state;
	struct firsts *f = firsts_new(1000);
	uint32_t seconds;
	assert_false(firsts_put(f, 1, 1, T));
	assert_false(firsts_take(f, 1, 1, T - 1, &seconds));
	assert_false(firsts_put(f, 1, 1, T));
	assert_false(firsts_put(f, 2, 1, T));
	firsts_clear(f);
	assert_false(firsts_take(f, 1, 1, T + 1, &seconds));
	assert_false(firsts_take(f, 2, 1, T + 1, &seconds));
	firsts_free(f);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(a_full_line_agrees_with_a_list_that_drops_its_oldest),
	cmocka_unit_test(a_roomy_table_agrees_with_a_list_of_all),
	cmocka_unit_test(who_comes_again_has_no_time_but_who_repeats_itself_has),
	cmocka_unit_test(a_clock_that_went_back_gives_no_time),
};

RUN_TESTS(tests)
