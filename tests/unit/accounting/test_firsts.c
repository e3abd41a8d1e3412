/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/base/random.h"
#include "server/accounting/firsts.h"

#include <pthread.h>
#include <string.h>

static const int64_t T = 1800000000;

/* The trivial model: a list, which takes no newcomer when there are `most`. */
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
		return true;
	}
	if (model.n == model.most)
		return false;
	model.all[model.n].client = client;
	model.all[model.n].swarm = swarm;
	model.all[model.n].again = false;
	model.all[model.n++].first = now;
	return true;
}

static void model_tend(int64_t now)
{
	while (model.n > 0 && now - model.all[0].first > FIRSTS_IDLE)
		forget(0); /* they are in order of time */
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

/* Room for 8 in one line, or for far more than come. Tended when `idle` seconds have passed at once. */
static void agrees_with_a_list(size_t room, size_t most, int64_t idle)
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
		now += 1 + random_below(&seed, 20);
		if (random_below(&seed, 1000) == 0) {
			now += idle;
			model_tend(now);
			assert_int_equal(firsts_tend(f, now), 0);
		}
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

static void a_full_line_agrees_with_a_list_that_takes_no_newcomer(void **state)
{
	(void)state;
	agrees_with_a_list(FIRSTS_WAYS, FIRSTS_WAYS, FIRSTS_IDLE + 1);
}

static void a_roomy_table_agrees_with_a_list_of_all(void **state)
{
	(void)state;
	agrees_with_a_list(1 << 16, MODEL_MAX, FIRSTS_IDLE);
}

static void who_comes_again_has_no_time_but_who_repeats_itself_has(void **state)
{
	(void)state;
	struct firsts *f = firsts_new(1000);
	uint32_t seconds = 77;
	assert_true(firsts_put(f, 1, 1, T));
	assert_true(firsts_put(f, 1, 1, T + FIRSTS_AGAIN));
	assert_true(firsts_take(f, 1, 1, T + 500, &seconds));
	assert_int_equal(seconds, 500);
	assert_false(firsts_take(f, 1, 1, T + 501, &seconds)); /* once */

	assert_true(firsts_put(f, 1, 1, T));
	assert_true(firsts_put(f, 1, 1, T + FIRSTS_AGAIN + 1));
	assert_true(firsts_put(f, 1, 1, T + FIRSTS_AGAIN + 2)); /* the mark stays */
	assert_false(firsts_take(f, 1, 1, T + 500, &seconds));
	assert_int_equal(seconds, 500);
	firsts_free(f);
}

static void a_clock_that_went_back_gives_no_time(void **state)
{
	(void)state;
	struct firsts *f = firsts_new(1000);
	uint32_t seconds;
	assert_true(firsts_put(f, 1, 1, T));
	assert_false(firsts_take(f, 1, 1, T - 1, &seconds));
	assert_true(firsts_put(f, 1, 1, T));
	assert_true(firsts_put(f, 2, 1, T));
	firsts_clear(f);
	assert_false(firsts_take(f, 1, 1, T + 1, &seconds));
	assert_false(firsts_take(f, 2, 1, T + 1, &seconds));
	firsts_free(f);
}

/* ---- more than there is room for ---- */

enum { ROOM = 1 << 12 };

static size_t put_all(struct firsts *f, uint64_t first, uint64_t end, int64_t now)
{
	size_t kept = 0;
	for (uint64_t client = first; client < end; client++)
		kept += firsts_put(f, client, 1, now);
	return kept;
}

/* Those that come are timed: how many? */
static size_t take_all(struct firsts *f, uint64_t first, uint64_t end, int64_t now, uint32_t truth)
{
	size_t timed = 0;
	for (uint64_t client = first; client < end; client++) {
		uint32_t seconds;
		if (!firsts_take(f, client, 1, now, &seconds))
			continue;
		assert_int_equal(seconds, truth);
		timed++;
	}
	return timed;
}

/* 1,000 come in each of `turns` minutes, from number 0 on. */
static void come(struct firsts *f, unsigned turns)
{
	for (unsigned i = 0; i < turns; i++) {
		(void)put_all(f, i * 1000ULL, (i + 1) * 1000ULL, T + 60 * i);
		(void)firsts_tend(f, T + 60 * i);
	}
}

static void of_very_many_a_share_is_timed_however_long_it_takes(void **state)
{
	(void)state;
	struct firsts *f = firsts_new(ROOM);
	size_t early = 0, late = 0;
	assert_int_equal(put_all(f, 0, 1000, T), 1000);
	assert_int_equal(take_all(f, 0, 1000, T + 9, 9), 1000);
	come(f, 64);
	for (uint64_t i = 0; i < 64; i++)
		*(i < 32 ? &early : &late) +=
			take_all(f, i * 1000, (i + 1) * 1000, T + 9999, (uint32_t)(9999 - 60 * i));
	assert_in_range(early + late, ROOM / 5, ROOM / 2 + ROOM / 8);
	assert_in_range(early, late * 8 / 10, late * 12 / 10);
	firsts_free(f);
}

static void who_was_left_out_is_so_again_and_who_was_drawn_is_known(void **state)
{
	(void)state;
	struct firsts *f = firsts_new(ROOM);
	come(f, 64);
	for (uint64_t i = 0; i < 64; i++)
		(void)take_all(f, i * 1000, (i + 1) * 1000, T + 9999, (uint32_t)(9999 - 60 * i));
	const size_t drawn = put_all(f, 100000, 108000, T + 4000);
	assert_in_range(drawn, 8000 / 128, 8000 / 16);
	assert_int_equal(put_all(f, 100000, 108000, T + 9000), drawn);
	assert_int_equal(take_all(f, 100000, 108000, T + 9999, 0), 0);
	firsts_free(f);
}

static void when_they_have_gone_everybody_is_timed_again(void **state)
{
	(void)state;
	struct firsts *f = firsts_new(ROOM);
	come(f, 64);
	assert_true(put_all(f, 100000, 101000, T) < 100);
	for (unsigned i = 0; i < FIRSTS_LOTS_MAX; i++)
		assert_int_equal(firsts_tend(f, T + 64 * 60 + FIRSTS_IDLE), 0);
	assert_int_equal(put_all(f, 0, 1000, T + FIRSTS_IDLE), 1000);
	firsts_free(f);
}

static void a_flood_ends_at_the_last_lot(void **state)
{
	(void)state;
	struct firsts *f = firsts_new(64);
	const uint64_t many = 64ULL << (FIRSTS_LOTS_MAX + 1);
	size_t dropped = 0;
	for (unsigned i = 0; i < 2 * FIRSTS_LOTS_MAX; i++) {
		(void)put_all(f, 0, many, T);
		dropped += firsts_tend(f, T);
	}
	assert_in_range(dropped, FIRSTS_LOTS_MAX * 64 / 4, FIRSTS_LOTS_MAX * 64);
	assert_in_range(take_all(f, 0, many, T + 5, 5), 48, 64);
	firsts_free(f);
}

/* ---- from several threads ---- */

struct crowd {
	struct firsts *firsts;
	uint64_t first; /* client; others are other threads' */
	size_t timed;
};

static void *comes_and_completes(void *arg)
{
	struct crowd *c = arg;
	for (uint64_t turn = 0; turn < 20; turn++) {
		const uint64_t first = c->first + turn * 1000;
		(void)put_all(c->firsts, first, first + 1000, T);
		c->timed += take_all(c->firsts, first, first + 1000, T + 7, 7);
	}
	return NULL;
}

static void two_threads_and_one_that_tends(void **state)
{
	(void)state;
	struct firsts *f = firsts_new(ROOM / 4);
	struct crowd crowds[2] = { { .firsts = f }, { .firsts = f, .first = 1000000 } };
	pthread_t threads[2];
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, comes_and_completes, &crowds[i]),
		                 0);
	for (unsigned i = 0; i < 100; i++)
		(void)firsts_tend(f, T);
	for (unsigned i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	for (unsigned i = 0; i < 2; i++)
		assert_in_range(crowds[i].timed, 100, 20000);
	firsts_free(f);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(a_full_line_agrees_with_a_list_that_takes_no_newcomer),
	cmocka_unit_test(a_roomy_table_agrees_with_a_list_of_all),
	cmocka_unit_test(who_comes_again_has_no_time_but_who_repeats_itself_has),
	cmocka_unit_test(a_clock_that_went_back_gives_no_time),
	cmocka_unit_test(of_very_many_a_share_is_timed_however_long_it_takes),
	cmocka_unit_test(who_was_left_out_is_so_again_and_who_was_drawn_is_known),
	cmocka_unit_test(when_they_have_gone_everybody_is_timed_again),
	cmocka_unit_test(a_flood_ends_at_the_last_lot),
	cmocka_unit_test(two_threads_and_one_that_tends),
};

RUN_TESTS(tests)
