/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/report/agreed.h"

#include "server/pricing/budgets.h"

#include <stdlib.h>

#define GBIT  1000000000ULL
#define BYTES "37500000000::bigint" /* of a bin of 1 Gbit/s */

static struct budgets *budgets;

static int open_books(void **state)
{
	budgets = budgets_new();
	return open_store(state);
}

static int close_books(void **state)
{
	budgets_free(budgets);
	return close_store(state);
}

static struct edges {
	struct prices_edge a_1, a_2;
} edges;

static struct prices_edge *edge_of(const void *ctx, const char *provider, const char *id)
{
	(void)ctx;
	if (strcmp(provider, "isp-a") != 0)
		return NULL;
	return strcmp(id, "a-1") == 0 ? &edges.a_1 : strcmp(id, "a-2") == 0 ? &edges.a_2 : NULL;
}

/* What bin `n` of November leaves; Gbit/s of both. */
static void lay_after(unsigned n, double out, double in)
{
	const struct prices_edge e = { .known = true,
		                       .load_bps = { out * (double)GBIT, in * (double)GBIT } };
	edges = (struct edges){ e, e };
	assert_int_equal(budgets_read(budgets, s, BIN, NOVEMBER + (n + 1) * BIN), ERR_OK);
	budgets_lay(budgets, edge_of, NULL);
}

static void assert_budget(const struct prices_budget *b, uint64_t bps, double load, uint32_t left)
{
	assert_int_equal(b->bps, bps);
	assert_int_equal((uint64_t)b->load_bps, (uint64_t)(load * (double)GBIT));
	assert_int_equal(b->bins_left, left);
}

static void bins_above_the_commit_use_up_what_is_free(void **state)
{
	(void)state;
	agree(STORE_CONTRACT, "c", "\"interconnects\":[\"a-1\"]," TARIFF);
	fill("a-1", "counter", NOVEMBER, 100, "6 * " BYTES,
	     "CASE WHEN n < 30 THEN 7 ELSE 1 END * " BYTES);
	lay_after(99, 6, 1);
	/* 30 days: 432 of 8,640; each direction by itself, for the higher one is billed. */
	assert_budget(&edges.a_1.budget[PRICES_OUT], 5 * GBIT, 6, 332);
	assert_budget(&edges.a_1.budget[PRICES_IN], 5 * GBIT, 1, 402);
	assert_int_equal(edges.a_2.budget[PRICES_OUT].bps, 0);
}

static void what_is_charged_anyway_is_free_to_use(void **state)
{
	(void)state;
	agree(STORE_CONTRACT, "c", "\"interconnects\":[\"a-1\"]," TARIFF);
	fill("a-1", "counter", NOVEMBER, 600, "6 * " BYTES " + n", "0");
	lay_after(599, 6, 0);
	/* The 433rd largest is that of bin 167: 37,500,000,000 * 6 + 167 bytes. */
	assert_budget(&edges.a_1.budget[PRICES_OUT], 6 * GBIT + 4, 6, 0);
}

static void interconnects_of_one_contract_are_added_up(void **state)
{
	(void)state;
	agree(STORE_CONTRACT, "c",
	      "\"interconnects\":[\"a-1\",\"a-2\"],\"method\":\"peak_of_sums\","
	      "\"direction\":\"in\"," TARIFF);
	fill("a-1", "counter", NOVEMBER, 10, "0", "3 * " BYTES);
	fill("a-2", "counter", NOVEMBER, 10, "0", "4 * " BYTES);
	lay_after(9, 2, 3.5);
	assert_budget(&edges.a_1.budget[PRICES_IN], 5 * GBIT, 7, 422);
	assert_budget(&edges.a_2.budget[PRICES_IN], 5 * GBIT, 7, 422);
	assert_int_equal(edges.a_1.budget[PRICES_OUT].bps, 0);
}

static void both_directions_are_added_where_their_sum_is_billed(void **state)
{
	(void)state;
	agree(STORE_CONTRACT, "c", "\"interconnects\":[\"a-1\"],\"direction\":\"sum\"," TARIFF);
	fill("a-1", "counter", NOVEMBER, 10, "3 * " BYTES, "3 * " BYTES);
	lay_after(9, 3, 2);
	assert_budget(&edges.a_1.budget[PRICES_OUT], 5 * GBIT, 5, 422);
	assert_budget(&edges.a_1.budget[PRICES_IN], 5 * GBIT, 5, 422);
}

static void of_two_contracts_the_one_without_bins_left_counts(void **state)
{
	(void)state;
	agree(STORE_CONTRACT, "tight",
	      "\"interconnects\":[\"a-1\"],\"percentile\":99,\"model\":\"flat\",\"commit_mbps\":1000,"
	      "\"unit_price\":\"1\",\"currency\":\"USD\",\"direction\":\"out\"");
	agree(STORE_CONTRACT, "wide", "\"interconnects\":[\"a-1\"]," TARIFF);
	fill("a-1", "counter", NOVEMBER, 86, "2 * " BYTES, "0");
	lay_after(85, 2, 0);
	assert_budget(&edges.a_1.budget[PRICES_OUT], 1 * GBIT, 2, 0);
	assert_budget(&edges.a_1.budget[PRICES_IN], 5 * GBIT, 0, 432);
}

static void sets_ranked_apart_and_what_was_never_measured_have_none(void **state)
{
	(void)state;
	agree(STORE_CONTRACT, "apart",
	      "\"interconnects\":[\"a-1\",\"a-2\"],\"method\":\"sum_of_peaks\"," TARIFF);
	agree(STORE_CONTRACT, "silent", "\"interconnects\":[\"a-t\"]," TARIFF);
	fill("a-1", "counter", NOVEMBER, 10, BYTES, BYTES);
	lay_after(9, 1, 1);
	assert_int_equal(edges.a_1.budget[PRICES_OUT].bps, 0);
	assert_int_equal(edges.a_2.budget[PRICES_IN].bps, 0);
}

/* Seen by what is left while more is used. */
static void a_contract_is_read_again_when_its_bins_could_be_gone(void **state)
{
	(void)state;
	agree(STORE_CONTRACT, "c", "\"interconnects\":[\"a-1\"],\"percentile\":99," TARIFF);
	fill("a-1", "counter", NOVEMBER, 86, "CASE WHEN n < 60 THEN 6 ELSE 7 END * " BYTES, "0");
	lay_after(59, 6, 0);
	assert_budget(&edges.a_1.budget[PRICES_OUT], 5 * GBIT, 6, 26);
	lay_after(84, 7, 0);
	assert_int_equal(edges.a_1.budget[PRICES_OUT].bins_left, 26);
	lay_after(85, 7, 0);
	assert_int_equal(edges.a_1.budget[PRICES_OUT].bins_left, 0);
}

static void another_version_counts_at_once(void **state)
{
	(void)state;
	fill("a-1", "counter", NOVEMBER, 10, "6 * " BYTES, "0");
	agree(STORE_CONTRACT, "c", "\"interconnects\":[\"a-1\"]," TARIFF);
	lay_after(9, 6, 0);
	agree(STORE_CONTRACT, "c", "\"interconnects\":[\"a-1\"],\"percentile\":99," TARIFF);
	lay_after(9, 6, 0);
	assert_int_equal(edges.a_1.budget[PRICES_OUT].bins_left, 76);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_books, close_books)

static const struct CMUnitTest tests[] = {
	TEST(bins_above_the_commit_use_up_what_is_free),
	TEST(what_is_charged_anyway_is_free_to_use),
	TEST(interconnects_of_one_contract_are_added_up),
	TEST(both_directions_are_added_where_their_sum_is_billed),
	TEST(of_two_contracts_the_one_without_bins_left_counts),
	TEST(a_contract_is_read_again_when_its_bins_could_be_gone),
	TEST(another_version_counts_at_once),
	TEST(sets_ranked_apart_and_what_was_never_measured_have_none),
};

RUN_TESTS(tests)
