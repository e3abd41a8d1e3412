/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "tools/p4psim/maxmin.h"

#include "common/base/random.h"

#include <math.h>
#include <string.h>

enum { RESOURCES = 24, FLOWS = 60, PATH = 5, ROUNDS = 2000 };

struct trial {
	double capacity[RESOURCES];
	struct maxmin_flow flows[FLOWS];
	uint32_t paths[FLOWS][PATH];
	double rates[FLOWS];
	size_t n;
};

static bool crosses(const struct maxmin_flow *f, uint32_t resource)
{
	bool found = f->up == resource || f->down == resource;
	for (uint32_t i = 0; i < f->n_path; i++)
		found = found || f->path[i] == resource;
	return found;
}

static bool near(double a, double b)
{
	return fabs(a - b) <= 1e-9 * (1 + fabs(a) + fabs(b));
}

/* Up is one of the first 8 resources, down of the next 8, the path of the others; some unlimited. */
static void draw(struct trial *t, uint64_t *seed)
{
	t->n = 1 + random_below(seed, FLOWS);
	for (uint32_t r = 0; r < RESOURCES; r++) {
		t->capacity[r] = random_below(seed, 20) == 0 ? 0 : 1 + random_below(seed, 1000);
		if (r >= 16 && random_below(seed, 4) == 0)
			t->capacity[r] = (double)INFINITY;
	}
	for (size_t i = 0; i < t->n; i++) {
		const uint32_t first = random_below(seed, 8);
		t->flows[i] = (struct maxmin_flow){ .up = random_below(seed, 8),
			                            .down = 8 + random_below(seed, 8),
			                            .path = t->paths[i],
			                            .n_path = random_below(seed, PATH + 1) };
		for (uint32_t k = 0; k < PATH; k++)
			t->paths[i][k] = 16 + (first + k) % 8;
	}
}

static void share(struct maxmin *m, struct trial *t, uint64_t *seed)
{
	draw(t, seed);
	assert_int_equal(maxmin_share(m, t->capacity, t->flows, t->n, t->rates), ERR_OK);
}

/* What is taken of a resource, and the most that one flow has of it. */
static void measure(const struct trial *t, uint32_t r, double *load, double *most)
{
	*load = *most = 0;
	for (size_t i = 0; i < t->n; i++)
		if (crosses(&t->flows[i], r)) {
			*load += t->rates[i];
			*most = t->rates[i] > *most ? t->rates[i] : *most;
		}
}

static void no_resource_is_over_its_capacity_and_each_flow_has_a_full_one(void **state)
{
	(void)state;
	uint64_t seed = 1;
	struct trial t;
	struct maxmin m;
	assert_int_equal(maxmin_init(&m, RESOURCES), ERR_OK);
	for (unsigned round = 0; round < ROUNDS; round++) {
		bool bottleneck[FLOWS] = { false }; /* it is full, and nobody has more of it */
		share(&m, &t, &seed);
		for (uint32_t r = 0; r < RESOURCES; r++) {
			double load, most;
			measure(&t, r, &load, &most);
			assert_true(load <= t.capacity[r] * (1 + 1e-9) + 1e-9);
			for (size_t i = 0; i < t.n; i++)
				if (crosses(&t.flows[i], r) && near(load, t.capacity[r]) &&
				    t.rates[i] >= most * (1 - 1e-9))
					bottleneck[i] = true;
		}
		for (size_t i = 0; i < t.n; i++)
			assert_true(bottleneck[i]);
	}
	maxmin_done(&m);
}

/* The share that a resource has left for each of its open flows. */
static double share_of(const struct trial *t, uint32_t r, const double *rates, const bool *fixed)
{
	double left = t->capacity[r], count = 0;
	for (size_t i = 0; i < t->n; i++)
		if (crosses(&t->flows[i], r)) {
			left -= fixed[i] ? rates[i] : 0;
			count += !fixed[i];
		}
	return count > 0 ? fmax(left, 0) / count : (double)INFINITY;
}

/* A trivial model: raise all rates together until a resource is full; its flows stop there. */
static void fill(const struct trial *t, double *rates)
{
	bool fixed[FLOWS] = { false };
	for (size_t open = t->n; open > 0;) {
		double least = (double)INFINITY;
		uint32_t full = 0;
		for (uint32_t r = 0; r < RESOURCES; r++) {
			const double each = share_of(t, r, rates, fixed);
			full = each < least ? r : full;
			least = each < least ? each : least;
		}
		for (size_t i = 0; i < t->n; i++)
			if (!fixed[i] && crosses(&t->flows[i], full)) {
				fixed[i] = true;
				rates[i] = least;
				open--;
			}
	}
}

static void rates_are_those_of_a_trivial_model(void **state)
{
	(void)state;
	uint64_t seed = 2;
	struct trial t;
	struct maxmin m;
	assert_int_equal(maxmin_init(&m, RESOURCES), ERR_OK);
	for (unsigned round = 0; round < ROUNDS; round++) {
		double right[FLOWS];
		share(&m, &t, &seed);
		fill(&t, right);
		for (size_t i = 0; i < t.n; i++)
			if (!near(t.rates[i], right[i]))
				fail_msg("round %u, flow %zu: %.12g, not %.12g", round, i,
				         t.rates[i], right[i]);
	}
	maxmin_done(&m);
}

static void no_flows_have_no_rates(void **state)
{
	(void)state;
	const double capacity[2] = { 1, 1 };
	double rate = 7;
	struct maxmin m;
	assert_int_equal(maxmin_init(&m, 2), ERR_OK);
	assert_int_equal(maxmin_share(&m, capacity, NULL, 0, &rate), ERR_OK);
	assert_true(rate > 6);
	maxmin_done(&m);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(no_resource_is_over_its_capacity_and_each_flow_has_a_full_one),
	cmocka_unit_test(rates_are_those_of_a_trivial_model),
	cmocka_unit_test(no_flows_have_no_rates),
};

RUN_TESTS(tests)
