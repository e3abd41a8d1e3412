/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/base/random.h"
#include "common/map/distance.h"
#include "common/map/document.h"

#include <stdbool.h>

enum { ROUNDS = 300, PIDS = 40, LINKS = 120 };

static void what_no_link_reaches_is_as_far_as_the_farthest(void **state)
{
	(void)state;
	static const struct distance_link links[] = { { 0, 1, 7 }, { 1, 2, 2 }, { 0, 2, 100 } };
	static const uint32_t expected[16] = { 0, 7, 9, 9, 7, 0, 2, 9, 9, 2, 0, 9, 9, 9, 9, 0 };
	uint32_t distance[16];
	assert_int_equal(distance_all(links, 3, 4, distance), ERR_OK);
	assert_memory_equal(distance, expected, sizeof(expected));

	static const uint32_t unlinked[4] = { 0, 1, 1, 0 };
	assert_int_equal(distance_all(NULL, 0, 2, distance), ERR_OK);
	assert_memory_equal(distance, unlinked, sizeof(unlinked));
	assert_int_equal(distance_all(NULL, 0, 0, distance), ERR_OK);
}

static void no_distance_passes_the_limit(void **state)
{
	(void)state;
	static const struct distance_link links[] = { { 0, 1, UINT32_MAX }, { 1, 2, UINT32_MAX } };
	uint32_t distance[9];
	assert_int_equal(distance_all(links, 2, 3, distance), ERR_OK);
	assert_int_equal(distance[1], MAP_COST_MAX);
	assert_int_equal(distance[2], MAP_COST_MAX);
}

/* Floyd and Warshall's cubic way. */
static void model(const struct distance_link *links, size_t n_links, uint32_t n, uint32_t *d)
{
	const uint32_t far = 1U << 30;
	uint32_t farthest = 1;
	for (uint32_t i = 0; i < n * n; i++)
		d[i] = i / n == i % n ? 0 : far;
	for (size_t i = 0; i < n_links; i++) {
		const struct distance_link *l = &links[i];
		if (l->weight < d[l->a * n + l->b])
			d[l->a * n + l->b] = d[l->b * n + l->a] = l->weight;
	}
	for (uint32_t m = 0; m < n; m++)
		for (uint32_t i = 0; i < n * n; i++)
			if (d[i / n * n + m] + d[m * n + i % n] < d[i])
				d[i] = d[i / n * n + m] + d[m * n + i % n];
	for (uint32_t i = 0; i < n * n; i++)
		farthest = d[i] < far && d[i] > farthest ? d[i] : farthest;
	for (uint32_t i = 0; i < n * n; i++)
		d[i] = d[i] < far ? d[i] : farthest;
}

static void random_graphs_agree_with_the_cubic_way(void **state)
{
	(void)state;
	static uint32_t distance[PIDS * PIDS], expected[PIDS * PIDS];
	struct distance_link links[LINKS];
	for (uint64_t round = 0; round < ROUNDS; round++) {
		uint64_t seed = round;
		const uint32_t n = 1 + random_below(&seed, PIDS);
		const size_t n_links = random_below(&seed, LINKS + 1);
		const uint32_t weights = 1 + random_below(&seed, 1000);
		for (size_t i = 0; i < n_links; i++)
			links[i] = (struct distance_link){ random_below(&seed, n),
				                           random_below(&seed, n),
				                           random_below(&seed, weights) };
		model(links, n_links, n, expected);
		assert_int_equal(distance_all(links, n_links, n, distance), ERR_OK);
		assert_memory_equal(distance, expected, n * n * sizeof(*distance));
	}
}

/* Adds up the links of a way, back to the root. */
static uint32_t walk(const struct distance_tree *t, const struct distance_link *links,
                     uint32_t from)
{
	uint32_t sum = 0;
	for (uint32_t at = from; t->steps[at].before != UINT32_MAX; at = t->steps[at].before) {
		const struct distance_link *l = &links[t->steps[at].link];
		assert_true((l->a == at && l->b == t->steps[at].before) ||
		            (l->b == at && l->a == t->steps[at].before));
		sum += l->weight;
	}
	return sum;
}

static void a_tree_has_the_ways_that_distances_are_of(void **state)
{
	(void)state;
	static uint32_t expected[PIDS * PIDS];
	struct distance_link links[LINKS];
	for (uint64_t round = 0; round < ROUNDS; round++) {
		uint64_t seed = round;
		struct distance_tree t;
		bool seen[PIDS] = { false };
		const uint32_t n = 1 + random_below(&seed, PIDS), root = random_below(&seed, n);
		const size_t n_links = random_below(&seed, LINKS + 1);
		for (size_t i = 0; i < n_links; i++)
			links[i] = (struct distance_link){ random_below(&seed, n),
				                           random_below(&seed, n),
				                           1 + random_below(&seed, 9) };
		assert_int_equal(distance_all(links, n_links, n, expected), ERR_OK);
		assert_int_equal(distance_tree_init(&t, links, n_links, n), ERR_OK);
		distance_tree_grow(&t, random_below(&seed, n)); /* what was before leaves nothing */
		distance_tree_grow(&t, root);
		assert_int_equal(t.order[0], root);
		for (uint32_t i = 0; i < t.reached; i++) {
			const uint32_t pid = t.order[i];
			assert_true(i == 0 || seen[t.steps[pid].before]);
			assert_false(seen[pid]);
			seen[pid] = true;
			assert_int_equal(walk(&t, links, pid), expected[root * n + pid]);
			assert_int_equal(t.distance[pid], expected[root * n + pid]);
		}
		for (uint32_t i = 0; i < n; i++)
			assert_true(seen[i] || (t.distance[i] == UINT32_MAX &&
			                        t.steps[i].before == UINT32_MAX));
		distance_tree_done(&t);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(what_no_link_reaches_is_as_far_as_the_farthest),
	cmocka_unit_test(no_distance_passes_the_limit),
	cmocka_unit_test(random_graphs_agree_with_the_cubic_way),
	cmocka_unit_test(a_tree_has_the_ways_that_distances_are_of),
};

RUN_TESTS(tests)
