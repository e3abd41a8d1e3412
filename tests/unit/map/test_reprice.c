/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/base/random.h"
#include "common/map/snapshot.h"

#include <pthread.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Two providers that meet twice, and a transit. */
static struct map_snapshot *compile(void)
{
	static uint32_t a_asns[] = { 64501 }, b_asns[] = { 64502 };
	static struct map_pid a_pids[] = { { .name = "a-1" }, { .name = "a-2" } };
	static struct map_pid b_pids[] = { { .name = "b-1" } };
	static struct map_link a_links[] = { { .id = "l", .a = "a-1", .b = "a-2", .weight = 3 } };
	static struct map_interconnect a_edges[] = {
		{ .id = "t",
		  .pid = "a-1",
		  .neighbor_asn = 64510,
		  .relation = RELATION_TRANSIT,
		  .reach = REACH_ANY },
		{ .id = "x",
		  .pid = "a-1",
		  .neighbor_asn = 64502,
		  .relation = RELATION_SETTLEMENT_FREE },
		{ .id = "y",
		  .pid = "a-2",
		  .neighbor_asn = 64502,
		  .relation = RELATION_SETTLEMENT_FREE },
	};
	static struct map_interconnect b_edges[] = {
		{ .id = "x",
		  .pid = "b-1",
		  .neighbor_asn = 64501,
		  .relation = RELATION_PAID_PEERING },
	};
	static struct map_interconnect_cost costs[] = { { "y", 7, 8 } };
	static struct map_topology a = { "isp-a", a_asns, 1,       a_pids,        COUNT(a_pids),
		                         a_links, 1,      a_edges, COUNT(a_edges) };
	static struct map_topology b = { "isp-b", b_asns, 1, b_pids, 1, NULL, 0, b_edges, 1 };
	static struct map_costs a_costs = { "isp-a", NULL, 0, costs, COUNT(costs) };
	const struct map_source sources[] = { { &a, &a_costs }, { &b, NULL } };
	struct map_snapshot *s;
	assert_int_equal(map_compile(sources, COUNT(sources), &s, NULL), ERR_OK);
	return s;
}

enum { EDGES = 4 };

static void interconnects_are_found_by_name(void **state)
{
	(void)state;
	struct map_snapshot *s = compile();
	assert_int_equal(snapshot_interconnect_find(s, "isp-a", "x"), 1);
	assert_int_equal(snapshot_interconnect_find(s, "isp-b", "x"), 3);
	assert_int_equal(snapshot_interconnect_find(s, "isp-b", "y"), NO_INTERCONNECT);
	assert_int_equal(snapshot_interconnect_find(NULL, "isp-b", "x"), NO_INTERCONNECT);
	snapshot_free(s);
}

static void a_compiled_map_is_at_its_documented_prices(void **state)
{
	(void)state;
	static const struct map_crossing documented[EDGES] = {
		{ 100, 100 }, { 10, 10 }, { 7, 8 }, { 40, 40 }
	};
	struct map_snapshot *s = compile();
	for (uint32_t i = 0; i < EDGES; i++) {
		const struct map_crossing cost = snapshot_cost(s, i), price = snapshot_price(s, i);
		assert_memory_equal(&cost, &documented[i], sizeof(cost));
		assert_memory_equal(&price, &documented[i], sizeof(price));
	}
	snapshot_free(s);
}

static void assert_same_but_for_prices(const struct map_snapshot *a, const struct map_snapshot *b)
{
	const uint32_t places = (uint32_t)snapshot_counts(a).places;
	assert_int_equal(snapshot_counts(b).places, places);
	for (uint32_t from = 0; from < places; from++) {
		char key[PLACE_KEY_MAX];
		snapshot_place_key(a, from, key);
		assert_int_equal(snapshot_place_find(b, key), from);
		for (uint32_t to = 0; to < places; to++) {
			const struct map_pair p = snapshot_pair(a, from, to);
			const struct map_pair q = snapshot_pair(b, from, to);
			const bool out = snapshot_place(a, from).provider != NO_PROVIDER;
			const uint32_t via = out ? p.out : p.in;
			assert_int_equal(p.tier, q.tier);
			assert_int_equal(p.out, q.out);
			assert_int_equal(p.in, q.in);
			if (via == NO_INTERCONNECT) {
				assert_int_equal(p.price, q.price);
				continue;
			}
			/* The distance to the edge is what is left when its price is taken away. */
			const struct map_crossing old = snapshot_price(a, via);
			const struct map_crossing new = snapshot_price(b, via);
			assert_int_equal(p.price - (out ? old.out : old.in),
			                 q.price - (out ? new.out : new.in));
		}
	}
}

static void new_prices_change_what_pairs_cost_and_nothing_else(void **state)
{
	(void)state;
	uint64_t seed = 1;
	struct map_snapshot *base = compile();
	for (unsigned round = 0; round < 50; round++) {
		struct map_crossing prices[EDGES];
		struct map_snapshot *s;
		for (unsigned i = 0; i < EDGES; i++)
			prices[i] =
				(struct map_crossing){ (uint32_t)random_below(&seed, 5000),
				                       (uint32_t)random_below(&seed, MAP_COST_MAX) +
				                               1 };
		assert_int_equal(
			snapshot_reprice(base, &(struct map_prices){ .interconnects = prices }, &s),
			ERR_OK);
		for (uint32_t i = 0; i < EDGES; i++) {
			const struct map_crossing price = snapshot_price(s, i);
			const struct map_crossing cost = snapshot_cost(s, i);
			const struct map_crossing documented = snapshot_cost(base, i);
			assert_memory_equal(&price, &prices[i], sizeof(price));
			assert_memory_equal(&cost, &documented, sizeof(cost));
		}
		assert_same_but_for_prices(base, s);
		assert_true(snapshot_counts(s).bytes > snapshot_counts(base).bytes);
		snapshot_free(s);
	}
	snapshot_free(base);
}

/* As the office does: each from the one before, which is freed while the next is in use. */
static void what_is_shared_lives_as_long_as_the_last_of_them(void **state)
{
	(void)state;
	struct map_snapshot *s = compile(), *first = compile();
	for (uint32_t round = 1; round < 20; round++) {
		const struct map_crossing prices[EDGES] = {
			{ round, round }, { round, round }, { round, round }, { round, round }
		};
		struct map_snapshot *next;
		assert_int_equal(
			snapshot_reprice(s, &(struct map_prices){ .interconnects = prices }, &next),
			ERR_OK);
		snapshot_free(s);
		s = next;
		assert_int_equal(snapshot_price(s, 3).in, round);
	}
	assert_same_but_for_prices(first, s);
	snapshot_free(s);
	snapshot_free(first);
}

/* Interconnects 1 and 2 of isp-a are settlement-free; 0 is transit and 3 isp-b's, which it pays. */
static void a_premium_leans_by_what_was_documented(void **state)
{
	(void)state;
	struct map_snapshot *base = compile(), *s;
	const uint32_t a1 = snapshot_place_find(base, "pid:isp-a/a-1");
	const uint32_t a2 = snapshot_place_find(base, "pid:isp-a/a-2");
	const uint32_t b1 = snapshot_place_find(base, "pid:isp-b/b-1");
	const uint32_t far = snapshot_place_of_asn(base, 64510);
	const struct map_crossing prices[EDGES] = {
		{ 900, 100 }, { 25, 10 }, { 7, 10 }, { 400, 40 }
	};
	assert_int_equal(snapshot_lean(base, a1, b1), 0);
	assert_int_equal(snapshot_leans(base, a1).most, 0);
	assert_int_equal(
		snapshot_reprice(base, &(struct map_prices){ .interconnects = prices }, &s),
		ERR_OK);
	assert_int_equal(snapshot_lean(s, a1, b1), 150); /* 10 -> 25 out */
	assert_int_equal(snapshot_lean(s, a2, b1), -25); /* 8 -> 10 in */
	assert_int_equal(snapshot_lean(s, b1, a1), 0);
	assert_int_equal(snapshot_lean(s, a1, a2), 0);
	assert_int_equal(snapshot_lean(s, a1, far), 0);
	assert_int_equal(snapshot_lean(s, far, a1), 0);
	assert_int_equal(snapshot_leans(s, a2).least, -25);
	assert_int_equal(snapshot_leans(s, a2).most, 150);
	assert_int_equal(snapshot_leans(s, b1).most, 0);
	assert_int_equal(snapshot_leans(s, PLACE_UNKNOWN).most, 0);
	assert_int_equal(snapshot_leans(NULL, 0).most, 0);
	snapshot_free(base);
	snapshot_free(s);
}

/* Of isp-a: a-1 and a-2, with a link of weight 3 between them. */
static void what_a_link_costs_more_all_pay_who_go_along_it(void **state)
{
	(void)state;
	static const struct map_crossing at_cost[EDGES] = {
		{ 100, 100 }, { 10, 10 }, { 7, 8 }, { 40, 40 }
	};
	const struct map_crossing dear = { 10, 5 }, usual = { 3, 3 };
	struct map_snapshot *base = compile(), *s, *next, *back;
	const uint32_t a1 = snapshot_place_find(base, "pid:isp-a/a-1");
	const uint32_t a2 = snapshot_place_find(base, "pid:isp-a/a-2");
	const uint32_t far = snapshot_place_of_asn(base, 64510),
		       own = snapshot_place_of_asn(base, 64501);
	assert_int_equal(snapshot_link_price(base, 0).out, 3);
	assert_int_equal(snapshot_reprice(base, &(struct map_prices){ at_cost, &dear }, &s),
	                 ERR_OK);
	assert_int_equal(snapshot_link_price(s, 0).out, 10);
	assert_int_equal(snapshot_link_price(s, 0).in, 5);
	assert_int_equal(snapshot_pair(s, a1, a2).price, 10);
	assert_int_equal(snapshot_pair(s, a2, a1).price, 5);
	assert_int_equal(snapshot_pair(s, a1, a1).price, 1);
	assert_int_equal(snapshot_pair(s, a2, far).price, 105); /* the transit is at a-1 */
	assert_int_equal(snapshot_pair(s, far, a2).price, 110);
	assert_int_equal(snapshot_pair(s, a1, far).price, 101);
	assert_int_equal(snapshot_pair(s, a1, own).price, 10); /* as the farthest */
	assert_int_equal(snapshot_pair(base, a1, a2).price, 3);

	/* The same prices again, and the documented ones, from one that has others. */
	snapshot_free(base);
	assert_int_equal(snapshot_reprice(s, &(struct map_prices){ at_cost, &dear }, &next),
	                 ERR_OK);
	assert_int_equal(snapshot_reprice(s, &(struct map_prices){ at_cost, &usual }, &back),
	                 ERR_OK);
	snapshot_free(s);
	assert_int_equal(snapshot_pair(next, a1, a2).price, 10);
	assert_int_equal(snapshot_pair(next, far, a2).price, 110);
	assert_int_equal(snapshot_pair(back, a1, a2).price, 3);
	assert_int_equal(snapshot_pair(back, a1, own).price, 3);
	snapshot_free(next);
	snapshot_free(back);
}

/* A ring with a chord, whose p-distances are documented here and there. */
static void premiums_come_on_top_of_what_is_documented(void **state)
{
	(void)state;
	enum { PIDS = 4, LINKS = 5 };
	static uint32_t asns[] = { 64501 };
	static struct map_pid pids[PIDS] = {
		{ .name = "p" }, { .name = "q" }, { .name = "r" }, { .name = "s" }
	};
	static struct map_link links[LINKS] = {
		{ .id = "1", .a = "p", .b = "q", .weight = 1 },
		{ .id = "2", .a = "q", .b = "r", .weight = 1 },
		{ .id = "3", .a = "r", .b = "s", .weight = 1 },
		{ .id = "4", .a = "s", .b = "p", .weight = 5 },
		{ .id = "5", .a = "s", .b = "q", .weight = 9 },
	};
	static struct map_pid_cost documented[] = { { "p", "s", 50 }, { "p", "p", 7 } };
	static struct map_topology t = { "isp", asns, 1, pids, PIDS, links, LINKS, NULL, 0 };
	static struct map_costs costs = { "isp", documented, COUNT(documented), NULL, 0 };
	const struct map_crossing prices[LINKS] = {
		{ 2, 1 }, { 1, 1 }, { 101, 1 }, { 1000, 1000 }, { 9, 9 }
	};
	struct map_snapshot *base, *s;
	const struct map_source source = { &t, &costs };
	assert_int_equal(map_compile(&source, 1, &base, NULL), ERR_OK);
	assert_int_equal(snapshot_reprice(base, &(struct map_prices){ NULL, prices }, &s), ERR_OK);
	assert_int_equal(snapshot_pair(s, 1, 4).price,
	                 151); /* over q and r, 1 and 100 above the weights */
	assert_int_equal(snapshot_pair(s, 4, 1).price, 3);
	assert_int_equal(snapshot_pair(s, 1, 1).price, 7);
	assert_int_equal(snapshot_pair(s, 3, 4).price, 101);
	snapshot_free(base);
	snapshot_free(s);
}

static void *free_it(void *snapshot)
{
	snapshot_free(snapshot);
	return NULL;
}

static void any_thread_may_free_the_last(void **state)
{
	(void)state;
	static const struct map_crossing prices[EDGES];
	for (unsigned round = 0; round < 10; round++) {
		struct map_snapshot *s = compile(), *next;
		pthread_t thread;
		assert_int_equal(
			snapshot_reprice(s, &(struct map_prices){ .interconnects = prices }, &next),
			ERR_OK);
		assert_int_equal(pthread_create(&thread, NULL, free_it, s), 0);
		snapshot_free(next);
		pthread_join(thread, NULL);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(interconnects_are_found_by_name),
	cmocka_unit_test(a_compiled_map_is_at_its_documented_prices),
	cmocka_unit_test(new_prices_change_what_pairs_cost_and_nothing_else),
	cmocka_unit_test(a_premium_leans_by_what_was_documented),
	cmocka_unit_test(what_is_shared_lives_as_long_as_the_last_of_them),
	cmocka_unit_test(what_a_link_costs_more_all_pay_who_go_along_it),
	cmocka_unit_test(premiums_come_on_top_of_what_is_documented),
	cmocka_unit_test(any_thread_may_free_the_last),
};

RUN_TESTS(tests)
