/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/balance/contract.h"
#include "common/balance/names.h"
#include "common/base/random.h"

#include <string.h>

static struct decimal money(const char *s)
{
	struct decimal d = { 0 };
	assert_true(decimal_parse(s, strlen(s), &d));
	return d;
}

static void assert_money(struct decimal d, const char *text)
{
	char printed[DECIMAL_TEXT_SIZE];
	(void)decimal_print(d, printed);
	assert_string_equal(printed, text);
}

/* Kentik's example: commit 5 Gbit/s at 0.80, from 10 Gbit/s on 0.70, from 12 on 0.60. */
static struct contract example(enum contract_model model)
{
	return (struct contract){
		.model = model,
		.commit_bps = 5000000000,
		.unit_price = money("0.80"),
		.tiers = { { .from_bps = 10000000000, .price = money("0.70") },
		           { .from_bps = 12000000000, .price = money("0.60") } },
		.n_tiers = model == CONTRACT_FLAT ? 0 : 2,
		.currency = "USD",
		.cycle_day = 1,
		.time_zone = "UTC",
		.rule = { .percentile = 95 },
	};
}

static struct contract_cost cost_of(const struct contract *c, uint64_t bps)
{
	struct contract_cost cost;
	assert_int_equal(contract_cost(c, bps, &cost), ERR_OK);
	return cost;
}

static void the_worked_example(void **state)
{
	(void)state;
	static const struct {
		uint64_t mbps;
		const char *blended, *volume, *flat; /* NULL: no price */
		const char *per_blended, *per_volume;
	} rows[] = {
		{ 3000, "4000.00", "4000.00", "4000.00", "1.333333", "1.333333" },
		{ 9990, "7992.00", "7992.00", NULL, "0.800000", "0.800000" },
		{ 11000, "8700.00", "7700.00", NULL, "0.790909", "0.700000" },
		{ 13000, "10000.00", "7800.00", NULL, "0.769231", "0.600000" },
	};
	const struct contract blended = example(CONTRACT_COMMIT_BLENDED);
	const struct contract volume = example(CONTRACT_COMMIT_VOLUME);
	const struct contract flat = example(CONTRACT_FLAT);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const uint64_t bps = rows[i].mbps * CONTRACT_MBPS;
		const struct contract_cost b = cost_of(&blended, bps);
		assert_money(b.total, rows[i].blended);
		assert_money(b.per_mbps, rows[i].per_blended);
		const struct contract_cost v = cost_of(&volume, bps);
		assert_money(v.total, rows[i].volume);
		assert_money(v.per_mbps, rows[i].per_volume);
		const struct contract_cost f = cost_of(&flat, bps);
		assert_int_equal(f.beyond, rows[i].flat == NULL);
		assert_money(f.total, "4000.00");
		assert_false(b.beyond || v.beyond);
	}
}

static void the_lines_say_what_is_billed(void **state)
{
	(void)state;
	struct contract c = example(CONTRACT_COMMIT_BLENDED);
	c.fee = money("100");
	c.charges[0] = (struct contract_charge){ "xconnect", money("250"), CONTRACT_MONTH };
	c.charges[1] = (struct contract_charge){ "port", money("1000"), CONTRACT_YEAR };
	c.charges[2] = (struct contract_charge){ "setup", money("5000"), CONTRACT_ONCE };
	c.charges[3] = (struct contract_charge){ "goodwill", money("-10.5"), CONTRACT_MONTH };
	c.n_charges = 4;
	static const struct {
		enum contract_line_kind kind;
		size_t index;
		uint64_t mbps;
		const char *amount;
	} rows[] = {
		{ LINE_FEE, 0, 0, "100" },        { LINE_COMMIT, 0, 5000, "4000" },
		{ LINE_EXCESS, 0, 5000, "4000" }, { LINE_TIER, 0, 2000, "1400" },
		{ LINE_TIER, 1, 1000, "600" },    { LINE_CHARGE, 0, 0, "250" },
		{ LINE_CHARGE, 1, 0, "83.33" },   { LINE_ONCE, 2, 0, "5000" },
		{ LINE_CHARGE, 3, 0, "-10.5" },
	};
	const struct contract_cost cost = cost_of(&c, 13000000000);
	assert_int_equal(cost.n_lines, sizeof(rows) / sizeof(rows[0]));
	for (size_t i = 0; i < cost.n_lines; i++) {
		assert_int_equal(cost.lines[i].kind, rows[i].kind);
		assert_int_equal(cost.lines[i].index, rows[i].index);
		assert_int_equal(cost.lines[i].bps, rows[i].mbps * CONTRACT_MBPS);
		assert_int_equal(decimal_compare(cost.lines[i].amount, money(rows[i].amount)), 0);
	}
	assert_money(cost.total, "10422.83");
	assert_money(cost.traffic, "10100.0");
	assert_int_equal(cost.excess_bps, 8000000000);
}

/* Three charges of 100 a year: 8.33 on each line, but 25.00 in the total. */
static void the_total_is_rounded_once(void **state)
{
	(void)state;
	struct contract c = { .currency = "EUR", .cycle_day = 1, .rule = { .percentile = 95 } };
	c.n_charges = 3;
	for (size_t i = 0; i < 3; i++)
		c.charges[i] = (struct contract_charge){ "port", money("100"), CONTRACT_YEAR };
	assert_money(cost_of(&c, 0).lines[0].amount, "0");
	assert_money(cost_of(&c, 0).lines[1].amount, "8.33");
	assert_money(cost_of(&c, 0).total, "25.00");
	/* Two prices that are half a cent each. */
	c.n_charges = 0;
	c.unit_price = money("0.005");
	c.n_tiers = 1;
	c.tiers[0] = (struct contract_tier){ 2000000, money("0.015") };
	assert_money(cost_of(&c, 2000000).total, "0.01");
	assert_money(cost_of(&c, 3000000).total, "0.03"); /* 0.01 + 0.015, half up */
	/* Use is billed to the bit. */
	c.unit_price = money("1");
	assert_money(cost_of(&c, 1234567).traffic, "1.234567");
}

static void the_currency_says_the_places(void **state)
{
	(void)state;
	assert_int_equal(contract_minor_places("USD"), 2);
	assert_int_equal(contract_minor_places("JPY"), 0);
	assert_int_equal(contract_minor_places("KWD"), 3);
	assert_int_equal(contract_minor_places("CLF"), 4);
	assert_int_equal(contract_minor_places("P C"), 2); /* not across two of the list */
	assert_int_equal(contract_minor_places(""), 2);
	struct contract c = example(CONTRACT_COMMIT_BLENDED);
	memcpy(c.currency, "JPY", 4);
	c.unit_price = money("110.5");
	assert_money(cost_of(&c, 5001000000).total, "552611"); /* 552610.5 */
	assert_money(contract_convert(money("552611"), money("0.0062"), "EUR"), "3426.19");
}

static void a_tier_begins_at_its_first_bit(void **state)
{
	(void)state;
	const struct contract c = example(CONTRACT_COMMIT_VOLUME);
	assert_money(cost_of(&c, 9999999999).total, "8000.00"); /* 7999.9999992 */
	assert_money(cost_of(&c, 10000000000).total, "7000.00");
	assert_money(cost_of(&c, 5000000000).total, "4000.00");
	assert_money(cost_of(&c, 0).total, "4000.00");
	assert_false(cost_of(&c, 0).has_per_mbps);
}

static void more_may_cost_less(void **state)
{
	(void)state;
	const struct contract volume = example(CONTRACT_COMMIT_VOLUME);
	const struct contract blended = example(CONTRACT_COMMIT_BLENDED);
	assert_true(contract_is_monotone(&blended));
	assert_false(contract_is_monotone(&volume));
	struct contract_dip dip = { .to_bps = 1 };
	assert_false(contract_dip(&blended, 9990000000, &dip));
	assert_false(contract_dip(&volume, 8750000000, &dip)); /* 7000, the same */
	assert_int_equal(dip.to_bps, 1);
	assert_true(contract_dip(&volume, 8750000001, &dip));
	assert_int_equal(dip.to_bps, 10000000000);
	assert_true(contract_dip(&volume, 9990000000, &dip));
	assert_money(decimal_round(dip.saved, 2, DECIMAL_HALF_UP), "992.00");
	assert_true(contract_dip(&volume, 11000000000, &dip));
	assert_int_equal(dip.to_bps, 12000000000);
	assert_money(decimal_round(dip.saved, 2, DECIMAL_HALF_UP), "500.00");
	assert_false(contract_dip(&volume, 12000000000, &dip));
}

static void one_mbps_more(void **state)
{
	(void)state;
	const struct contract blended = example(CONTRACT_COMMIT_BLENDED);
	const struct contract volume = example(CONTRACT_COMMIT_VOLUME);
	const struct contract flat = example(CONTRACT_FLAT);
	static const struct {
		uint64_t mbps;
		const char *blended, *volume, *flat;
	} rows[] = {
		{ 3000, "0", "0", "0" },       { 4999, "0", "0", "0" },
		{ 5000, "0.8", "0.8", NULL },  { 9999, "0.8", "-999.2", NULL },
		{ 10000, "0.7", "0.7", NULL }, { 12000, "0.6", "0.6", NULL },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const uint64_t bps = rows[i].mbps * CONTRACT_MBPS;
		struct decimal d;
		assert_int_equal(contract_marginal(&blended, bps, CONTRACT_MBPS, &d), ERR_OK);
		assert_int_equal(decimal_compare(d, money(rows[i].blended)), 0);
		assert_int_equal(contract_marginal(&volume, bps, CONTRACT_MBPS, &d), ERR_OK);
		assert_int_equal(decimal_compare(d, money(rows[i].volume)), 0);
		const enum err e = contract_marginal(&flat, bps, CONTRACT_MBPS, &d);
		assert_int_equal(e, rows[i].flat != NULL ? ERR_OK : ERR_NOT_FOUND);
		if (e == ERR_OK)
			assert_int_equal(decimal_compare(d, money(rows[i].flat)), 0);
	}
	struct decimal d;
	assert_int_equal(contract_marginal(&blended, UINT64_MAX, 1, &d), ERR_RANGE);
}

/* Blended: the sum of the price of every Mbit/s, one after the other. */
static void blended_adds_up_its_mbps(void **state)
{
	(void)state;
	uint64_t seed = 11;
	for (unsigned round = 0; round < 200; round++) {
		struct contract c = example(CONTRACT_COMMIT_BLENDED);
		c.commit_bps = random_below(&seed, 20) * (uint64_t)CONTRACT_MBPS;
		c.unit_price = decimal_of(random_below(&seed, 500), 2);
		uint64_t from = c.commit_bps;
		c.n_tiers = random_below(&seed, 6);
		for (size_t i = 0; i < c.n_tiers; i++) {
			from += (1 + random_below(&seed, 10)) * (uint64_t)CONTRACT_MBPS;
			c.tiers[i] =
				(struct contract_tier){ from,
				                        decimal_of(random_below(&seed, 500), 2) };
		}
		const uint64_t used = random_below(&seed, 80) * (uint64_t)CONTRACT_MBPS;
		struct decimal sum = decimal_of(0, 2);
		for (uint64_t at = 0; at < used || at < c.commit_bps; at += CONTRACT_MBPS) {
			struct decimal price = c.unit_price;
			for (size_t i = 0; i < c.n_tiers && at >= c.tiers[i].from_bps; i++)
				price = c.tiers[i].price;
			sum = decimal_add(sum, price);
		}
		assert_int_equal(decimal_compare(cost_of(&c, used).total, sum), 0);
		assert_true(contract_is_monotone(&c));
	}
}

static void an_amount_that_does_not_fit_is_an_error(void **state)
{
	(void)state;
	struct contract c = example(CONTRACT_COMMIT_BLENDED);
	c.unit_price = money("999999999999999999999999");
	c.n_tiers = 0;
	struct contract_cost cost = { .used_bps = 42 };
	assert_int_equal(contract_cost(&c, UINT64_MAX, &cost), ERR_RANGE);
	assert_int_equal(cost.used_bps, 42);
	struct decimal d;
	assert_int_equal(contract_marginal(&c, 5000000000, UINT64_MAX / 2, &d), ERR_RANGE);
}

static void every_fault_of_a_contract_is_told(void **state)
{
	(void)state;
	struct faults *faults = faults_new();
	struct contract c = example(CONTRACT_COMMIT_BLENDED);
	assert_int_equal(contract_check(&c, "", faults), ERR_OK);
	assert_int_equal(faults->count, 0);

	c.model = CONTRACT_FLAT;
	c.unit_price = money("-1");
	c.fee = money("-0.01");
	c.commit_bps = 0;
	c.tiers[0].from_bps = 0;
	c.tiers[1].from_bps = 0;
	c.tiers[1].price = money("-2");
	memcpy(c.currency, "usd", 4);
	c.cycle_day = 31;
	c.rule.percentile = 101;
	assert_int_equal(contract_check(&c, "/contract", faults), ERR_RANGE);
	static const char *const places[] = {
		"/contract/unit_price",
		"/contract/fee",
		"/contract/tiers",
		"/contract/tiers/0/from_mbps",
		"/contract/tiers/1/price",
		"/contract/tiers/1/from_mbps",
		"/contract/tiers/1/from_mbps",
		"/contract/commit_mbps",
		"/contract/currency",
		"/contract/cycle_day",
		"/contract/percentile",
	};
	assert_int_equal(faults->count, sizeof(places) / sizeof(places[0]));
	for (size_t i = 0; i < faults->count; i++)
		assert_string_equal(faults->list[i].where, places[i]);
	faults_free(faults);
}

static void words_are_constants(void **state)
{
	(void)state;
	assert_int_equal(name_find(contract_model_names, "commit_volume"), CONTRACT_COMMIT_VOLUME);
	assert_int_equal(name_find(contract_model_names, "commit"), -1);
	assert_int_equal(name_find(contract_per_names, "once"), CONTRACT_ONCE);
	assert_int_equal(name_find(contract_per_names, ""), -1);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(the_worked_example),
	cmocka_unit_test(the_lines_say_what_is_billed),
	cmocka_unit_test(the_total_is_rounded_once),
	cmocka_unit_test(the_currency_says_the_places),
	cmocka_unit_test(a_tier_begins_at_its_first_bit),
	cmocka_unit_test(more_may_cost_less),
	cmocka_unit_test(one_mbps_more),
	cmocka_unit_test(blended_adds_up_its_mbps),
	cmocka_unit_test(an_amount_that_does_not_fit_is_an_error),
	cmocka_unit_test(every_fault_of_a_contract_is_told),
	cmocka_unit_test(words_are_constants),
};

RUN_TESTS(tests)
