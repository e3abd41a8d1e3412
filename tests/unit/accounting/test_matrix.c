/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/base/random.h"
#include "server/accounting/matrix.h"
#include "tests/unit/accounting/world.h"

#include <malloc.h>
#include <math.h>
#include <string.h>

enum { PROVIDERS = 3, PIDS = 40 };

static struct map_snapshot *map;

static int make_world(void **state)
{
	(void)state;
	map = world_new(PROVIDERS, PIDS);
	return 0;
}

static int free_world(void **state)
{
	(void)state;
	snapshot_free(map);
	return 0;
}

static void add(struct matrix *m, uint32_t from, uint32_t to, uint64_t bytes, bool sure)
{
	const struct matrix_bytes b = { .from = from,
		                        .to = to,
		                        .pair = snapshot_pair(map, from, to),
		                        .bytes = bytes,
		                        .variance = 4,
		                        .sure = sure };
	assert_int_equal(matrix_add(m, &b, 1), ERR_OK);
}

static const struct accounting_cell *find(const struct accounting_bin *b, const char *provider,
                                          const char *from, const char *to)
{
	for (size_t i = 0; i < b->n_cells; i++)
		if (strcmp(b->cells[i].provider, provider) == 0 &&
		    strcmp(b->cells[i].from, from) == 0 && strcmp(b->cells[i].to, to) == 0)
			return &b->cells[i];
	return NULL;
}

static void a_pair_is_in_the_books_of_both_ends(void **state)
{
	(void)state;
	struct accounting_bin b = { 0 };
	struct matrix *m = matrix_new(map);
	const uint32_t x = world_place(map, 0, 1), y = world_place(map, 1, 2);
	add(m, x, y, 3000000000, true);
	add(m, x, y, 1000000000, false);
	add(m, x, x, 5, false);
	add(m, x, world_place(map, 0, 2), 6, false);
	add(m, PLACE_UNKNOWN, x, 7, false);
	add(m, PLACE_UNKNOWN, PLACE_UNKNOWN, 9, false); /* in nobody's book */
	assert_int_equal(matrix_rows(m, &b), ERR_OK);
	assert_int_equal(b.n_cells, 5);
	const struct accounting_cell *out = find(&b, "isp0", "pid:isp0/p1", "pid:isp1/p2");
	const struct accounting_cell *in = find(&b, "isp1", "pid:isp0/p1", "pid:isp1/p2");
	assert_non_null(out);
	assert_non_null(in);
	assert_int_equal(out->direction, ACCOUNTING_OUT);
	assert_int_equal(in->direction, ACCOUNTING_IN);
	assert_string_equal(out->interconnect, "to-isp1");
	assert_string_equal(in->interconnect, "to-isp0");
	assert_int_equal(out->tier, TIER_SETTLEMENT_FREE);
	assert_int_equal(out->bytes, 4000000000);
	assert_int_equal(out->sure_bytes, 3000000000);
	assert_float_equal(out->spread, sqrt(8), 1e-9);
	assert_float_equal(out->cost, 40, 1e-9); /* 4 GB at 10 */
	const struct accounting_cell *same = find(&b, "isp0", "pid:isp0/p1", "pid:isp0/p1");
	assert_non_null(same);
	assert_int_equal(same->tier, TIER_SAME_PID);
	assert_int_equal(find(&b, "isp0", "pid:isp0/p1", "pid:isp0/p2")->tier, TIER_SAME_PROVIDER);
	const struct accounting_cell *stranger = find(&b, "isp0", "", "pid:isp0/p1");
	assert_non_null(stranger);
	assert_int_equal(stranger->direction, ACCOUNTING_IN);
	assert_int_equal(stranger->tier, TIER_UNKNOWN);
	matrix_free(m);
	accounting_bin_done(&b);
}

/* Sums by provider, direction and neighbour against a plain table, with far more pairs than rows. */
static void the_others_keep_the_sums_right(void **state)
{
	(void)state;
	uint64_t truth[PROVIDERS][PROVIDERS] = { 0 }, told[PROVIDERS][PROVIDERS] = { 0 }, seed = 7;
	size_t rows[PROVIDERS] = { 0 };
	uint64_t least[PROVIDERS] = { UINT64_MAX, UINT64_MAX, UINT64_MAX };
	struct accounting_bin b = { 0 };
	struct matrix *m = matrix_new(map);
	for (unsigned i = 0; i < 20000; i++) {
		const unsigned p = random_below(&seed, PROVIDERS),
			       q = random_below(&seed, PROVIDERS);
		const uint64_t bytes = 1 + random_below(&seed, 1000000);
		add(m, world_place(map, p, random_below(&seed, PIDS)),
		    world_place(map, q, random_below(&seed, PIDS)), bytes, false);
		truth[p][q] += bytes;
	}
	assert_int_equal(matrix_rows(m, &b), ERR_OK);
	for (size_t i = 0; i < b.n_cells; i++) {
		const struct accounting_cell *c = &b.cells[i];
		const unsigned p = (unsigned)(c->provider[3] - '0');
		const unsigned q = c->interconnect[0] ? (unsigned)(c->interconnect[6] - '0') : p;
		if (strcmp(c->from, ACCOUNTING_OTHERS) != 0) {
			rows[p]++;
			least[p] = c->bytes < least[p] ? c->bytes : least[p];
		}
		/* What came in is told by the receiver: it must be what the sender's truth is. */
		if (c->direction == ACCOUNTING_OUT || c->direction == ACCOUNTING_INSIDE)
			told[p][q] += c->bytes;
		else
			truth[q][p] -= c->bytes;
	}
	for (unsigned p = 0; p < PROVIDERS; p++) {
		assert_int_equal(rows[p], MATRIX_CELLS);
		assert_true(least[p] >
		            1000000); /* several of the 20,000 fell on each of the largest */
		for (unsigned q = 0; q < PROVIDERS; q++) {
			assert_true(told[p][q] > 0);
			assert_int_equal(truth[p][q], p == q ? told[p][q] : 0);
		}
	}
	matrix_free(m);
	accounting_bin_done(&b);
}

static void the_largest_swarms_have_rows_of_their_own(void **state)
{
	(void)state;
	struct accounting_bin b = { 0 };
	struct matrix *m = matrix_new(map);
	const uint32_t x = world_place(map, 0, 1), y = world_place(map, 1, 2);
	uint64_t all = 0, told = 0, others = 0;
	for (uint64_t i = 1; i <= 200; i++) {
		const uint64_t bytes = (i * 37 % 200 + 1) * 1000;
		add(m, x, y, bytes, true);
		matrix_clients(m, x, 1);
		matrix_clients(m, x, 4);
		matrix_clients(m, y, 2);
		matrix_swarm_done(
			m, &(struct matrix_swarm){ .swarm = i, .up = 2, .down = 3, .sure = true });
		all += bytes;
	}
	assert_int_equal(matrix_rows(m, &b), ERR_OK);
	assert_int_equal(b.n_swarms, 2 * (MATRIX_SWARMS + 1));
	for (size_t i = 0; i < b.n_swarms; i++) {
		const struct accounting_swarm *r = &b.swarms[i];
		if (strcmp(r->provider, "isp0") != 0) {
			assert_int_equal(r->out_bytes, 0);
			assert_true(r->swarm == 0 || r->clients == 2);
			continue;
		}
		told += r->bytes[TIER_SETTLEMENT_FREE];
		assert_int_equal(r->out_bytes, r->bytes[TIER_SETTLEMENT_FREE]);
		if (r->swarm == 0) {
			others++;
			assert_int_equal(r->swarms, 200 - MATRIX_SWARMS);
			assert_int_equal(r->clients, 0);
			continue;
		}
		assert_true(r->out_bytes > (200 - MATRIX_SWARMS) * 1000);
		assert_true(r->flagged && r->clients == 5 && r->up == 2 && r->down == 3);
	}
	assert_int_equal(others, 1);
	assert_int_equal(told, all);
	matrix_free(m);
	accounting_bin_done(&b);
}

static void same_cells(const struct accounting_bin *a, const struct accounting_bin *b)
{
	assert_int_equal(a->n_cells, b->n_cells);
	for (size_t i = 0; i < a->n_cells; i++) {
		const struct accounting_cell *x = &a->cells[i], *y = &b->cells[i];
		assert_string_equal(x->provider, y->provider);
		assert_string_equal(x->from, y->from);
		assert_string_equal(x->to, y->to);
		assert_string_equal(x->interconnect, y->interconnect);
		assert_int_equal(x->direction, y->direction);
		assert_int_equal(x->tier, y->tier);
		assert_int_equal(x->bytes, y->bytes);
		assert_int_equal(x->sure_bytes, y->sure_bytes);
		assert_int_equal(x->unmet_bytes, y->unmet_bytes);
		assert_memory_equal(&x->spread, &y->spread, sizeof(x->spread));
		assert_memory_equal(&x->cost, &y->cost, sizeof(x->cost));
	}
}

static struct matrix_bytes any_bytes(uint64_t *seed)
{
	const uint32_t from =
		world_place(map, random_below(seed, PROVIDERS), random_below(seed, PIDS));
	const uint32_t to =
		world_place(map, random_below(seed, PROVIDERS), random_below(seed, PIDS));
	return (struct matrix_bytes){ .from = from,
		                      .to = to,
		                      .pair = snapshot_pair(map, from, to),
		                      .bytes = random_below(seed, 1000000),
		                      .variance = 1.0 / (1 + random_below(seed, 1000)),
		                      .sure = random_below(seed, 2) == 0,
		                      .unmet = random_below(seed, 2) == 0 };
}

/* Bit by bit, while the index grows, and however many a batch has. */
static void many_at_once_are_the_same_as_one_by_one(void **state)
{
	(void)state;
	static struct matrix_bytes all[1000];
	uint64_t seed = 11;
	struct accounting_bin single = { 0 }, batch = { 0 };
	struct matrix *one = matrix_new(map), *many = matrix_new(map);
	for (unsigned round = 0; round < 60; round++) {
		const size_t n = random_below(&seed, 1000);
		for (size_t i = 0; i < n; i++) {
			all[i] = any_bytes(&seed);
			assert_int_equal(matrix_add(one, &all[i], 1), ERR_OK);
		}
		assert_int_equal(matrix_add(many, all, n), ERR_OK);
	}
	assert_int_equal(matrix_rows(one, &single), ERR_OK);
	assert_int_equal(matrix_rows(many, &batch), ERR_OK);
	assert_true(single.n_cells > MATRIX_CELLS * PROVIDERS);
	same_cells(&single, &batch);
	matrix_free(one);
	matrix_free(many);
	accounting_bin_done(&single);
	accounting_bin_done(&batch);
}

/* More pairs than MATRIX_PAIRS_MAX, again and again. */
static void what_comes_after_the_last_pair_takes_no_memory(void **state)
{
	(void)state;
	enum { MANY = 210, OF = 5, ALL = OF * MANY, ROUNDS = 8 };
	struct map_snapshot *large = world_new(OF, MANY);
	struct matrix *m = matrix_new(large);
	struct accounting_bin b = { 0 };
	uint32_t places[ALL];
	uint64_t sum = 0;
	size_t before = 0;
	for (unsigned i = 0; i < ALL; i++)
		places[i] = world_place(large, i / MANY, i % MANY);
	for (unsigned i = 0; i < ROUNDS * ALL * ALL; i++) {
		const uint32_t from = places[i / ALL % ALL], to = places[i % ALL];
		const struct matrix_bytes one = {
			.from = from, .to = to, .pair = snapshot_pair(large, from, to), .bytes = 3
		};
		if (i == MATRIX_PAIRS_MAX)
			before = mallinfo2().uordblks + mallinfo2().hblkhd;
		assert_int_equal(matrix_add(m, &one, 1), ERR_OK);
	}
	const size_t after = mallinfo2().uordblks + mallinfo2().hblkhd;
	assert_true(after - before <= 16 << 20);
	assert_int_equal(matrix_rows(m, &b), ERR_OK);
	for (size_t i = 0; i < b.n_cells; i++)
		sum += b.cells[i].direction != ACCOUNTING_IN ? b.cells[i].bytes : 0;
	assert_int_equal(sum, 3ULL * ROUNDS * ALL * ALL);
	accounting_bin_done(&b);
	matrix_free(m);
	snapshot_free(large);
}

static void without_a_map_there_is_nothing(void **state)
{
	(void)state;
	struct accounting_bin b = { 0 };
	struct matrix *m = matrix_new(NULL);
	matrix_clients(m, 0, 1);
	assert_int_equal(matrix_add(m, &(struct matrix_bytes){ .bytes = 1 }, 1), ERR_OK);
	matrix_swarm_done(m, &(struct matrix_swarm){ .swarm = 1 });
	assert_int_equal(matrix_rows(m, &b), ERR_OK);
	assert_int_equal(b.n_cells + b.n_swarms, 0);
	matrix_free(m);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_world, free_world)

static const struct CMUnitTest tests[] = {
	TEST(a_pair_is_in_the_books_of_both_ends),
	TEST(the_others_keep_the_sums_right),
	TEST(the_largest_swarms_have_rows_of_their_own),
	TEST(many_at_once_are_the_same_as_one_by_one),
	TEST(what_comes_after_the_last_pair_takes_no_memory),
	TEST(without_a_map_there_is_nothing),
};

RUN_TESTS(tests)
