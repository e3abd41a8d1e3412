/* SPDX-License-Identifier: Apache-2.0 */
/* What we bill is what a customer's own PostgreSQL says of the same bins. */
#include "tests/unit/balance/months.h"

#include "common/base/text.h"
#include "tests/support/db.h"

static struct percentile_bin bins[MONTH_MAX];
static struct percentile_scratch *scratch;

static int set_up(void **state)
{
	(void)state;
	(void)db_new();
	scratch = percentile_scratch_new(MONTH_MAX);
	return scratch == NULL;
}

static int tear_down(void **state)
{
	(void)state;
	percentile_scratch_free(scratch);
	return 0;
}

/* `function` over the out bytes of n bins, NULL where they are not known; "" of no value. */
static void ask(const char *function, const char *value, size_t n, char *answer, size_t room)
{
	struct text sql = { 0 };
	text_printf(&sql, "SELECT %s WITHIN GROUP (ORDER BY %s) FROM unnest(ARRAY[", function,
	            value);
	for (size_t i = 0; i < n; i++)
		if (bins[i].known)
			text_printf(&sql, "%s%llu", i > 0 ? "," : "",
			            (unsigned long long)bins[i].out_bytes);
		else
			text_put(&sql, i > 0 ? ",NULL" : "NULL");
	text_put(&sql, "]::numeric[]) v");
	assert_false(sql.bad);
	db_ask(sql.bytes, answer, room);
	text_done(&sql);
}

static struct percentile_value ours(enum rank_method rank, enum percentile_missing missing,
                                    unsigned percentile, size_t n)
{
	const struct percentile_rule rule = { .percentile = percentile,
		                              .rank = rank,
		                              .missing = missing,
		                              .direction = DIRECTION_OUT };
	const struct percentile_series series = { .bins = bins };
	struct percentile_result r;
	assert_int_equal(percentile_of(&rule, &series, 1, n, scratch, &r), ERR_OK);
	return r.billed;
}

static void assert_as_postgresql(size_t n)
{
	char answer[64], text[64];
	static const struct {
		enum percentile_missing missing;
		const char *value;
	} rules[] = { { MISSING_DROP, "v" }, { MISSING_ZERO, "coalesce(v, 0)" } };
	for (size_t i = 0; i < 2; i++) {
		ask("percentile_disc(0.95)", rules[i].value, n, answer, sizeof(answer));
		const struct percentile_value v = ours(RANK_NEAREST, rules[i].missing, 95, n);
		(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)v.bytes);
		assert_string_equal(v.known ? text : "", answer);
		assert_int_equal(v.hundredths, 0);
	}
}

static void p95_of_every_month_is_percentile_disc(void **state)
{
	(void)state;
	uint64_t seed = 41;
	for (size_t days = 28; days <= 31; days++)
		for (unsigned round = 0; round < 6; round++) {
			month_random(bins, days * DAY_BINS, &seed);
			if (round == 0) /* totals that no double holds */
				for (size_t i = 0; i < days * DAY_BINS; i++)
					bins[i].out_bytes = random_next(&seed);
			assert_as_postgresql(days * DAY_BINS);
		}
}

static void and_of_a_few_bins(void **state)
{
	(void)state;
	uint64_t seed = 42;
	for (size_t n = 1; n <= 60; n++) {
		month_random(bins, n, &seed);
		assert_as_postgresql(n);
	}
}

/* percentile_cont computes in doubles; ours is exact, so it may be off by no more than they are. */
static void interpolation_is_percentile_cont(void **state)
{
	(void)state;
	uint64_t seed = 43;
	char answer[64];
	for (size_t days = 28; days <= 31; days++) {
		month_random(bins, days * DAY_BINS, &seed);
		ask("percentile_cont(0.95)", "v::float8", days * DAY_BINS, answer, sizeof(answer));
		const struct percentile_value v =
			ours(RANK_INTERPOLATED, MISSING_DROP, 95, days * DAY_BINS);
		const double exact = (double)v.bytes + v.hundredths / 100.0;
		assert_true(fabs(strtod(answer, NULL) - exact) < 1e-6);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

static const struct CMUnitTest tests[] = {
	TEST(p95_of_every_month_is_percentile_disc),
	TEST(and_of_a_few_bins),
	TEST(interpolation_is_percentile_cont),
};

RUN_TESTS(tests)
