/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/balance/ranks.h"
#include "common/balance/select.h"
#include "common/base/random.h"

#include <stdlib.h>

enum { MONTHS = 6, MONTH = 900, LOOSE = 400, ALL = MONTHS * MONTH + LOOSE };

struct month {
	struct text index, values;
	struct ranks ranks;
	struct ranks_cut cut;
};

static int by_size(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

static void make_month(struct month *m, uint64_t *values, size_t n)
{
	qsort(values, n, sizeof(*values), by_size);
	*m = (struct month){ 0 };
	ranks_write(values, n, &m->index, &m->values);
	assert_int_equal(ranks_read(&m->ranks, m->index.bytes, m->index.size), ERR_OK);
	assert_int_equal(m->ranks.n, n);
	assert_int_equal(m->ranks.at[m->ranks.blocks], m->values.size);
}

/* Adds what the cut holds. */
static size_t pour(const struct month *m, uint64_t *pool, size_t have)
{
	const size_t count = ranks_cut_count(&m->ranks, m->cut);
	/* A month of a single value has no bytes at all. */
	const char *bytes =
		m->values.size > 0 ? m->values.bytes + ranks_cut_at(&m->ranks, m->cut) : "";
	if (count > 0)
		assert_int_equal(ranks_unpack(&m->ranks, m->cut, bytes,
		                              ranks_cut_size(&m->ranks, m->cut), pool + have),
		                 ERR_OK);
	return have + count;
}

/* The k-th of all, read by the index alone; *looked: how many values that took. */
static uint64_t find(struct month *months, size_t n, struct ranks_loose loose, uint64_t k,
                     size_t *looked)
{
	static uint64_t pool[ALL];
	struct ranks ranks[MONTHS] = { 0 };
	struct ranks_cut cuts[MONTHS];
	for (size_t i = 0; i < n; i++)
		ranks[i] = months[i].ranks;
	const struct ranks_bracket b = ranks_find(ranks, n, loose, k, cuts);
	size_t have = 0;
	for (size_t i = 0; i < n; i++) {
		months[i].cut = cuts[i];
		have = pour(&months[i], pool, have);
	}
	for (size_t i = 0; i < loose.n; i++)
		if (loose.values[i] >= b.low && loose.values[i] <= b.high)
			pool[have++] = loose.values[i];
	assert_true(k > b.below && k - b.below <= have);
	*looked = have;
	return select_smallest(pool, have, k - b.below);
}

static void every_rank_is_what_sorting_says(void **state)
{
	(void)state;
	static const uint64_t kinds[] = { 1, 5, 300, 1000000, UINT64_MAX };
	static uint64_t values[ALL], sorted[ALL], loose[LOOSE];
	uint64_t seed = 11;
	for (int round = 0; round < 300; round++) {
		struct month months[MONTHS];
		const size_t n = random_below(&seed, MONTHS + 1);
		size_t all = 0;
		for (size_t i = 0; i < n; i++) {
			/* Months of their own height, some empty, some of exactly so many blocks. */
			const size_t size =
				round % 3 == 0 ? i * RANKS_BLOCK : random_below(&seed, MONTH + 1);
			const uint64_t kind = kinds[random_below(&seed, 5)];
			for (size_t j = 0; j < size; j++)
				values[all + j] = random_next(&seed) % kind;
			make_month(&months[i], values + all, size);
			all += size;
		}
		const size_t n_loose = all == 0 ? LOOSE : random_below(&seed, LOOSE + 1);
		for (size_t i = 0; i < n_loose; i++)
			values[all++] = loose[i] = random_next(&seed) % kinds[round % 5];
		memcpy(sorted, values, all * sizeof(*sorted));
		qsort(sorted, all, sizeof(*sorted), by_size);
		for (int ask = 0; ask < 20; ask++) {
			const size_t k = ask == 0   ? 1
			                 : ask == 1 ? all
			                 : ask == 2 ? (95 * all + 99) / 100
			                            : 1 + random_below(&seed, (uint32_t)all);
			size_t looked;
			assert_true(find(months, n, (struct ranks_loose){ loose, n_loose }, k,
			                 &looked) == sorted[k - 1]);
		}
		for (size_t i = 0; i < n; i++) {
			ranks_done(&months[i].ranks);
			text_done(&months[i].index);
			text_done(&months[i].values);
		}
	}
}

static void little_is_read(void **state)
{
	(void)state;
	enum { N = 8640 };
	static uint64_t values[N];
	uint64_t seed = 5;
	struct month m;
	size_t looked;
	for (size_t i = 0; i < N; i++)
		values[i] = random_next(&seed);
	make_month(&m, values, N);
	assert_true(find(&m, 1, (struct ranks_loose){ NULL, 0 }, 8208, &looked) == values[8207]);
	assert_true(looked <= 3 * RANKS_BLOCK);
	ranks_done(&m.ranks);
	text_done(&m.index);
	text_done(&m.values);
}

static void what_is_no_index_is_refused(void **state)
{
	(void)state;
	static uint64_t values[300];
	struct month m;
	struct ranks r;
	make_month(&m, values, 300);
	for (size_t size = 0; size < m.index.size; size++)
		assert_int_equal(ranks_read(&r, m.index.bytes, size), ERR_MALFORMED);
	/* It promises 2^62 values. */
	assert_int_equal(ranks_read(&r, "\x80\x80\x80\x80\x80\x80\x80\x80\x40", 9), ERR_MALFORMED);
	uint64_t out[300];
	const struct ranks_cut all = { 0, 3 };
	assert_int_equal(ranks_unpack(&m.ranks, all, m.values.bytes, m.values.size, out), ERR_OK);
	assert_int_equal(ranks_unpack(&m.ranks, all, m.values.bytes, m.values.size - 1, out),
	                 ERR_MALFORMED);
	ranks_done(&m.ranks);
	text_done(&m.index);
	text_done(&m.values);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(every_rank_is_what_sorting_says),
	cmocka_unit_test(little_is_read),
	cmocka_unit_test(what_is_no_index_is_refused),
};

RUN_TESTS(tests)
