/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/map/snapshot.h"
#include "server/pricing/pricing.h"
#include "server/report/agreements.h"
#include "server/store/matrix.h"
#include "tests/support/db.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BIN = 300 };
static const int64_t START = 1793491200; /* a bin */

static struct house {
	struct store *store;
	struct map_office *office;
	struct metrics *metrics;
	struct pricing *pricing;
} h;

/* isp-a with a settlement-free and a transit interconnect, of 1 Gbit/s each, and a link of 100 Mbit/s. */
static void publish_map(uint32_t cost_of_peering)
{
	static uint32_t asns[] = { 64501 };
	static struct map_pid pids[] = { { .name = "a" }, { .name = "b" } };
	static struct map_link links[] = {
		{ .id = "a-b", .a = "a", .b = "b", .weight = 20, .capacity_mbps = 100 },
	};
	static struct map_interconnect edges[] = {
		{ .id = "peer",
		  .pid = "a",
		  .neighbor_asn = 64502,
		  .relation = RELATION_SETTLEMENT_FREE,
		  .capacity_mbps = 1000 },
		{ .id = "transit",
		  .pid = "a",
		  .neighbor_asn = 64510,
		  .relation = RELATION_TRANSIT,
		  .reach = REACH_ANY,
		  .capacity_mbps = 1000 },
	};
	static struct map_topology t = { "isp-a", asns, 1, pids, 2, links, 1, edges, 2 };
	struct map_interconnect_cost cost = { "peer", cost_of_peering, cost_of_peering };
	struct map_costs costs = { "isp-a", NULL, 0, &cost, 1 };
	const struct map_source source = { &t, &costs };
	struct map_snapshot *map;
	assert_int_equal(map_compile(&source, 1, &map, NULL), ERR_OK);
	assert_int_equal(map_publish(h.office, map), ERR_OK);
}

static struct pricing *new_pricing(void)
{
	return pricing_new(&(struct pricing_options){ .store = h.store,
	                                              .office = h.office,
	                                              .metrics = metrics_slot(h.metrics, 0),
	                                              .bin_seconds = BIN,
	                                              .ratio_limit_milli = 2000 });
}

static int open_house(void **state)
{
	(void)state;
	h = (struct house){ .store = db_store(NULL),
		            .office = map_office_new(snapshot_free),
		            .metrics = metrics_new(1) };
	h.pricing = new_pricing();
	publish_map(100);
	return 0;
}

static int close_house(void **state)
{
	(void)state;
	pricing_free(h.pricing);
	map_office_free(h.office);
	metrics_free(h.metrics);
	store_free(h.store);
	return 0;
}

/* Bin `number`: so many percent of the capacity. */
static void count(enum store_source source, int64_t number, const char *interconnect, unsigned out,
                  unsigned in)
{
	struct store_bin b = { .provider = "isp-a",
		               .start = START + number * BIN,
		               .seconds = BIN,
		               .observed_seconds = BIN,
		               .out_bytes = out * 10000000ULL / 8 * BIN,
		               .in_bytes = in * 10000000ULL / 8 * BIN };
	(void)snprintf(b.interconnect, sizeof(b.interconnect), "%s", interconnect);
	assert_int_equal(store_bins(h.store, "n", source, &b, 1), ERR_OK);
	assert_string_equal(db_state_of("UPDATE interconnects SET in_force = true"), "");
}

/* A while after the end of bin `number`. */
static void work_after(struct pricing *p, int64_t number)
{
	assert_int_equal(pricing_work(p, START + (number + 1) * BIN + BIN / 5), ERR_OK);
}

static struct map_crossing price(uint32_t interconnect, uint64_t *number)
{
	struct map_lease lease = { 0 };
	const struct map_snapshot *map = map_renew(h.office, &lease);
	const struct map_crossing c = snapshot_price(map, interconnect);
	if (number != NULL)
		*number = lease.number;
	map_end(&lease);
	return c;
}

static void a_loaded_interconnect_grows_dearer_under_the_same_number(void **state)
{
	(void)state;
	uint64_t number;
	count(STORE_COUNTER, 0, "peer", 90, 60);
	count(STORE_COUNTER, 0, "transit", 0, 0);
	work_after(h.pricing, 0);
	assert_int_equal(price(0, &number).out, 110);
	assert_int_equal(price(0, NULL).in, 100);
	assert_int_equal(price(1, NULL).out, 100);
	assert_int_equal(number, 1);
	assert_int_equal(metrics_sum(h.metrics, METRIC_PRICE_CHANGES), 1);

	/* Each bin once, and a bin without figures changes nothing. */
	work_after(h.pricing, 0);
	work_after(h.pricing, 1);
	assert_int_equal(price(0, NULL).out, 110);
	for (int64_t i = 2; i < 10; i++)
		count(STORE_COUNTER, i, "peer", 10, 10);
	work_after(h.pricing, 9);
	assert_int_equal(price(0, NULL).out, 100);
}

static void a_bin_waits_for_those_who_report_late(void **state)
{
	(void)state;
	count(STORE_COUNTER, 0, "peer", 90, 60);
	count(STORE_COUNTER, 0, "transit", 0, 0);
	assert_int_equal(pricing_work(h.pricing, START + BIN + BIN / 5 - 1), ERR_OK);
	assert_int_equal(price(0, NULL).out, 100);
	work_after(h.pricing, 0);
	assert_int_equal(price(0, NULL).out, 110);
}

static void counters_count_before_announces(void **state)
{
	(void)state;
	count(STORE_ANNOUNCE, 0, "peer", 100, 100);
	count(STORE_COUNTER, 0, "peer", 60, 60);
	count(STORE_ANNOUNCE, 0, "transit", 10, 10);
	work_after(h.pricing, 0);
	assert_int_equal(price(0, NULL).out, 100);
}

static void the_ratio_limit_is_the_interconnects_own_or_the_options(void **state)
{
	(void)state;
	for (int64_t i = 0; i < 10; i++) {
		count(STORE_COUNTER, i, "peer", 20, 10);
		count(STORE_COUNTER, i, "transit", 20, 10); /* no peer: no limit */
	}
	work_after(h.pricing, 9);
	assert_true(price(0, NULL).out > 100);
	assert_int_equal(price(1, NULL).out, 100);
	assert_string_equal(db_state_of("UPDATE interconnects SET ratio_limit_milli = 3000"), "");
	for (int64_t i = 10; i < 30; i++)
		count(STORE_COUNTER, i, "peer", 20, 10);
	assert_string_equal(db_state_of("UPDATE interconnects SET ratio_limit_milli = 3000"), "");
	work_after(h.pricing, 29);
	assert_int_equal(price(0, NULL).out, 100);
}

static void agree_on_400_mbps(void)
{
	static const char *const body =
		"{\"format\":\"p4p-contract/1\",\"provider\":\"isp-a\",\"id\":\"c\","
		"\"interconnects\":[\"transit\"],\"model\":\"flat\",\"commit_mbps\":400,"
		"\"unit_price\":\"1\",\"currency\":\"USD\",\"percentile\":99}";
	const struct agreement_upload u = { .kind = STORE_CONTRACT,
		                            .provider = "isp-a",
		                            .id = "c",
		                            .body = body,
		                            .size = strlen(body),
		                            .author = "alice" };
	struct agreement_change change;
	struct faults *faults = faults_new();
	assert_string_equal(db_state_of("UPDATE interconnects SET relation = 'transit'"), "");
	if (agreement_put(h.store, &u, &change, faults) != ERR_OK)
		fail_msg("%s: %s", faults->list[0].where, faults->list[0].text);
	faults_free(faults);
}

/* Of November's 8,640 bins the 86 highest are free. */
static void a_percentile_that_has_no_free_bins_left_is_paid_for(void **state)
{
	(void)state;
	count(STORE_COUNTER, 0, "transit", 50, 10);
	agree_on_400_mbps();
	for (int64_t i = 1; i < 86; i++)
		count(STORE_COUNTER, i, "transit", 50, 10);
	work_after(h.pricing, 84);
	assert_int_equal(price(1, NULL).out, 100);
	work_after(h.pricing, 85);
	const struct map_crossing after = price(1, NULL);
	assert_int_equal(after.out, 113); /* 1 + 0.5 * (500 / 400 - 1) */
	assert_int_equal(after.in, 100);
}

static void what_was_hardly_watched_is_no_measurement(void **state)
{
	(void)state;
	count(STORE_COUNTER, 0, "peer", 90, 60);
	count(STORE_COUNTER, 0, "transit", 0, 0);
	assert_string_equal(db_state_of("UPDATE bins SET observed_seconds = 149"), "");
	work_after(h.pricing, 0);
	assert_int_equal(price(0, NULL).out, 100);
}

static void a_restart_comes_to_the_same_prices(void **state)
{
	(void)state;
	for (int64_t i = 0; i < 20; i++) {
		count(STORE_COUNTER, i, "peer", 60 + 2 * (unsigned)i, 30);
		count(STORE_COUNTER, i, "transit", 0, 0);
		work_after(h.pricing, i);
	}
	const struct map_crossing before = price(0, NULL);
	assert_true(before.out > 150);
	publish_map(100);
	assert_int_equal(price(0, NULL).out, 100); /* as a daemon starts */
	struct pricing *again = new_pricing();
	work_after(again, 19);
	assert_int_equal(price(0, NULL).out, before.out);
	pricing_free(again);
}

static void a_new_map_keeps_prices_but_where_its_costs_are_others(void **state)
{
	(void)state;
	uint64_t number;
	count(STORE_COUNTER, 0, "peer", 90, 60);
	count(STORE_COUNTER, 0, "transit", 0, 95);
	work_after(h.pricing, 0);
	const struct map_crossing transit = price(1, NULL);
	assert_true(transit.in > 100);
	publish_map(50);
	assert_int_equal(pricing_work(h.pricing, START + BIN + BIN / 5 + 1), ERR_OK);
	assert_int_equal(price(0, &number).out, 50);
	assert_int_equal(number, 2);
	assert_int_equal(price(1, NULL).in, transit.in);
}

/* What announces tell of bin `number`: so many percent of the link's capacity from a to b, for a while. */
static void tell(int64_t number, unsigned percent, uint32_t observed)
{
	struct store_cell c = { .provider = "isp-a",
		                .direction = STORE_INSIDE,
		                .tier = 1,
		                .from = "pid:isp-a/a",
		                .to = "pid:isp-a/b",
		                .bytes = percent * 1000000ULL / 8 * observed };
	const struct store_matrix_bin bin = { .start = START + number * BIN,
		                              .seconds = BIN,
		                              .observed_seconds = observed,
		                              .cells = &c,
		                              .n_cells = 1 };
	assert_int_equal(store_matrix_put(h.store, "n", &bin), ERR_OK);
}

static uint32_t distance(const char *from, const char *to)
{
	struct map_lease lease = { 0 };
	const struct map_snapshot *map = map_renew(h.office, &lease);
	const uint32_t price =
		snapshot_pair(map, snapshot_place_find(map, from), snapshot_place_find(map, to))
			.price;
	map_end(&lease);
	return price;
}

static void a_full_link_makes_its_pairs_dearer(void **state)
{
	(void)state;
	const char *const a = "pid:isp-a/a", *const b = "pid:isp-a/b";
	tell(0, 100, BIN);
	work_after(h.pricing, 0);
	assert_int_equal(distance(a, b), 23); /* 20 * (1 + 0.5 * (1 - 0.7)) */
	assert_int_equal(distance(b, a), 20);
	assert_int_equal(distance(b, "as:64502"), 120); /* the peering is at a */
	assert_int_equal(distance("as:64502", b), 123);
	assert_int_equal(metrics_sum(h.metrics, METRIC_PRICE_CHANGES), 1);

	tell(1, 200, BIN / 2 - 1); /* hardly watched */
	work_after(h.pricing, 1);
	assert_int_equal(distance(a, b), 23);
	work_after(h.pricing, 2); /* nobody tells */
	assert_int_equal(distance(a, b), 23);
	for (int64_t i = 3; i < 9; i++)
		tell(i, 10, BIN);
	work_after(h.pricing, 8);
	assert_int_equal(distance(a, b), 20);
}

static void the_same_bins_give_links_the_same_prices(void **state)
{
	(void)state;
	const char *const a = "pid:isp-a/a", *const b = "pid:isp-a/b";
	for (int64_t i = 0; i < 20; i++) {
		tell(i, 60 + 2 * (unsigned)i, BIN);
		work_after(h.pricing, i);
	}
	const uint32_t before = distance(a, b);
	assert_true(before > 30);
	publish_map(100);
	assert_int_equal(distance(a, b), 20); /* as a daemon starts */
	struct pricing *again = new_pricing();
	work_after(again, 19);
	assert_int_equal(distance(a, b), before);
	publish_map(50); /* the link is as it was */
	assert_int_equal(pricing_work(again, START + 20 * BIN + BIN / 5 + 1), ERR_OK);
	assert_int_equal(distance(a, b), before);
	pricing_free(again);
}

static void without_a_map_or_a_store_nothing_happens(void **state)
{
	(void)state;
	struct store *none = store_new(&(struct store_options){ .conninfo = "", .connections = 1 });
	struct map_office *empty = map_office_new(snapshot_free);
	struct pricing *p = pricing_new(
		&(struct pricing_options){ .store = h.store, .office = empty, .bin_seconds = BIN });
	work_after(p, 0);
	pricing_free(p);
	p = pricing_new(
		&(struct pricing_options){ .store = none, .office = h.office, .bin_seconds = BIN });
	assert_int_equal(pricing_work(p, START), ERR_AWAY);
	pricing_free(p);
	map_office_free(empty);
	store_free(none);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_house, close_house)

static const struct CMUnitTest tests[] = {
	TEST(a_loaded_interconnect_grows_dearer_under_the_same_number),
	TEST(a_bin_waits_for_those_who_report_late),
	TEST(counters_count_before_announces),
	TEST(the_ratio_limit_is_the_interconnects_own_or_the_options),
	TEST(a_percentile_that_has_no_free_bins_left_is_paid_for),
	TEST(what_was_hardly_watched_is_no_measurement),
	TEST(a_restart_comes_to_the_same_prices),
	TEST(a_new_map_keeps_prices_but_where_its_costs_are_others),
	TEST(a_full_link_makes_its_pairs_dearer),
	TEST(the_same_bins_give_links_the_same_prices),
	TEST(without_a_map_or_a_store_nothing_happens),
};

RUN_TESTS(tests)
