/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/base/random.h"
#include "common/steer/steer.h"

#include <math.h>
#include <string.h>

enum { MANY = 64 };

static const struct steer_rules native = { .policy = STEER_NATIVE };
static const struct steer_rules p4p = { .policy = STEER_P4P,
	                                .intra_pid_percent = 70,
	                                .intra_provider_percent = 80,
	                                .overload_percent = 150 };
static const struct steer_rules preset = { .policy = STEER_P4P,
	                                   .intra_pid_percent = 75,
	                                   .intra_provider_percent = 90,
	                                   .overload_percent = 150 };

static struct steer_bucket bucket(enum map_tier tier, uint32_t price, uint32_t seeds,
                                  uint32_t others)
{
	return (struct steer_bucket){
		.tier = tier, .price = price, .seeds = seeds, .others = others
	};
}

static size_t taken(const struct steer_bucket *b, size_t n, enum map_tier tier)
{
	size_t sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += b[i].tier == tier ? b[i].take : 0;
	return sum;
}

static void caps_the_own_pid_and_provider_exactly(void **state)
{
	(void)state;
	static const struct {
		const struct steer_rules *rules;
		size_t want, pid, provider, outside;
	} rows[] = {
		{ &p4p, 50, 35, 5, 10 },   { &p4p, 10, 7, 1, 2 },
		{ &p4p, 20, 14, 2, 4 },    { &p4p, 1, 1, 0, 0 },
		{ &p4p, 2, 1, 1, 0 },      { &p4p, 3, 2, 0, 1 },
		{ &p4p, 7, 5, 1, 1 },      { &p4p, 200, 140, 20, 40 },
		{ &preset, 50, 38, 7, 5 }, { &preset, 10, 8, 1, 1 },
		{ &preset, 20, 15, 3, 2 }, { &preset, 1, 1, 0, 0 },
		{ &preset, 2, 2, 0, 0 },   { &preset, 6, 5, 0, 1 },
		{ &preset, 30, 23, 4, 3 }, { &preset, 200, 150, 30, 20 },
	};
	for (size_t r = 0; r < sizeof(rows) / sizeof(*rows); r++) {
		for (uint64_t seed = 0; seed < 50; seed++) {
			uint64_t s = seed;
			struct steer_bucket b[] = {
				bucket(TIER_TRANSIT, 1000, 100, 200),
				bucket(TIER_SAME_PROVIDER, 7, 100, 200),
				bucket(TIER_SAME_PID, 1, 100, 200),
				bucket(TIER_SETTLEMENT_FREE, 9, 100, 200),
				bucket(TIER_SAME_PROVIDER, 3, 100, 200),
			};
			assert_int_equal(steer_share(rows[r].rules, true, b, 5, rows[r].want, &s),
			                 rows[r].want);
			assert_int_equal(taken(b, 5, TIER_SAME_PID), rows[r].pid);
			assert_int_equal(taken(b, 5, TIER_SAME_PROVIDER), rows[r].provider);
			assert_int_equal(taken(b, 5, TIER_TRANSIT) +
			                         taken(b, 5, TIER_SETTLEMENT_FREE),
			                 rows[r].outside);
		}
	}
}

static void gives_the_provider_what_a_small_pid_leaves(void **state)
{
	(void)state;
	uint64_t seed = 1;
	struct steer_bucket b[] = { bucket(TIER_SAME_PID, 1, 0, 4),
		                    bucket(TIER_SAME_PROVIDER, 5, 50, 50),
		                    bucket(TIER_TRANSIT, 100, 50, 50) };
	assert_int_equal(steer_share(&p4p, true, b, 3, 50, &seed), 50);
	assert_int_equal(b[0].take, 4);
	assert_int_equal(b[1].take, 36); /* 40 from the provider in all */
	assert_int_equal(b[2].take, 10);
}

static void fills_up_from_anywhere_when_others_are_short(void **state)
{
	(void)state;
	uint64_t seed = 1;
	struct steer_bucket b[] = { bucket(TIER_SAME_PID, 1, 0, 500),
		                    bucket(TIER_TRANSIT, 100, 2, 1) };
	assert_int_equal(steer_share(&p4p, true, b, 2, 50, &seed), 50);
	assert_int_equal(b[0].take, 47);
	assert_int_equal(b[1].take, 3);
}

static void fills_uniformly(void **state)
{
	(void)state;
	enum { ROUNDS = 20000 };
	double sum[2] = { 0 };
	uint64_t seed = 7;
	for (unsigned i = 0; i < ROUNDS; i++) {
		/* 35 + 5 + 0 by the caps; 10 more from the 265 + 95 that are left. */
		struct steer_bucket b[] = { bucket(TIER_SAME_PID, 1, 0, 300),
			                    bucket(TIER_SAME_PROVIDER, 5, 0, 100) };
		assert_int_equal(steer_share(&p4p, true, b, 2, 50, &seed), 50);
		sum[0] += b[0].take;
		sum[1] += b[1].take;
	}
	assert_true(fabs(sum[0] / ROUNDS - (35 + 10.0 * 265 / 360)) < 0.02);
	assert_true(fabs(sum[1] / ROUNDS - (5 + 10.0 * 95 / 360)) < 0.02);
}

static void weighs_by_the_inverse_root_of_the_price(void **state)
{
	(void)state;
	enum { ROUNDS = 20000, N = 3 };
	struct steer_rules rules = p4p;
	rules.overload_percent = 0;
	double sum[N] = { 0 };
	uint64_t seed = 3;
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct steer_bucket b[N] = { bucket(TIER_SETTLEMENT_FREE, 1, 50, 50),
			                     bucket(TIER_PAID_PEERING, 4, 100, 50),
			                     bucket(TIER_TRANSIT, 100, 1000, 50) };
		assert_int_equal(steer_share(&rules, true, b, N, 16, &seed), 16);
		for (size_t j = 0; j < N; j++)
			sum[j] += b[j].take / (double)ROUNDS;
	}
	assert_true(fabs(sum[0] - 10) < 0.03); /* 1 : 0.5 : 0.1 */
	assert_true(fabs(sum[1] - 5) < 0.03);
	assert_true(fabs(sum[2] - 1) < 0.03);
}

static void overload_factor_spares_small_pids(void **state)
{
	(void)state;
	enum { ROUNDS = 20000, N = 3 };
	double sum[N] = { 0 };
	uint64_t seed = 5;
	for (unsigned i = 0; i < ROUNDS; i++) {
		/* By price alone the first would get 20 / 2.1 = 9.5; its share of 20 is 2. */
		struct steer_bucket b[N] = { bucket(TIER_SETTLEMENT_FREE, 1, 50, 50),
			                     bucket(TIER_PAID_PEERING, 1, 100, 500),
			                     bucket(TIER_TRANSIT, 100, 200, 100) };
		assert_int_equal(steer_share(&p4p, true, b, N, 20, &seed), 20);
		for (size_t j = 0; j < N; j++)
			sum[j] += b[j].take / (double)ROUNDS;
	}
	assert_true(fabs(sum[0] - 3) < 0.03); /* 1.5 * 2 */
	assert_true(fabs(sum[1] - 17 * 1 / 1.1) < 0.03);
	assert_true(fabs(sum[2] - 17 * 0.1 / 1.1) < 0.03);
}

static void a_free_path_is_preferred_and_no_trap(void **state)
{
	(void)state;
	uint64_t seed = 9;
	struct steer_bucket b[] = { bucket(TIER_SETTLEMENT_FREE, 0, 5, 5),
		                    bucket(TIER_SETTLEMENT_FREE, UINT32_MAX, 5, 5) };
	struct steer_rules rules = p4p;
	rules.overload_percent = 0;
	assert_int_equal(steer_share(&rules, true, b, 2, 10, &seed), 10);
	assert_int_equal(b[0].take + b[1].take, 10);
	assert_true(b[0].take >= 9);
}

static void never_offers_what_must_not_upload(void **state)
{
	(void)state;
	uint64_t seed = 1;
	const struct steer_rules *const all[] = { &native, &p4p, &preset };
	for (size_t r = 0; r < 3; r++) {
		struct steer_bucket b[] = { bucket(TIER_SAME_PID, 1, 9, 9),
			                    bucket(TIER_TRANSIT, 9, 1, 1) };
		b[0].uploads = UPLOADS_NEVER;
		assert_int_equal(steer_share(all[r], true, b, 2, 50, &seed), 2);
		assert_int_equal(b[0].take, 0);
		assert_int_equal(b[1].take, 2);
	}
}

static void avoids_unless_nobody_else_can_serve(void **state)
{
	(void)state;
	static const struct {
		uint32_t seeds, others; /* of the normal bucket */
		enum map_uploads uploads;
		uint32_t take, take_avoid;
		bool seeds_only;
	} rows[] = {
		{ 1, 0, UPLOADS_NORMAL, 1, 0, false }, /* a seed serves */
		{ 0, 5, UPLOADS_NORMAL, 5, 3, true },  /* somebody there, but no full copy */
		{ 0, 0, UPLOADS_NORMAL, 0, 7, false }, /* nobody there */
		{ 9, 9, UPLOADS_NEVER, 0, 7, false },  /* nobody who may */
	};
	const struct steer_rules *const all[] = { &native, &p4p };
	for (size_t r = 0; r < 2; r++) {
		for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
			uint64_t seed = i;
			struct steer_bucket b[] = { bucket(TIER_SAME_PID, 1, 3, 4),
				                    bucket(TIER_TRANSIT, 9, rows[i].seeds,
				                           rows[i].others) };
			b[0].uploads = UPLOADS_AVOID;
			b[1].uploads = rows[i].uploads;
			assert_int_equal(steer_share(all[r], true, b, 2, 50, &seed),
			                 rows[i].take + rows[i].take_avoid);
			assert_int_equal(b[0].take, rows[i].take_avoid);
			assert_int_equal(b[1].take, rows[i].take);
			assert_int_equal(b[0].seeds_only, rows[i].seeds_only);
		}
	}
}

static void random_buckets(struct steer_bucket *b, size_t n, uint64_t *seed)
{
	for (size_t i = 0; i < n; i++) {
		b[i] = bucket(random_below(seed, TIER_COUNT_), random_below(seed, 2000),
		              random_below(seed, 4) * random_below(seed, 9),
		              random_below(seed, 3) * random_below(seed, 30));
		b[i].uploads = random_below(seed, 4) == 0 ? random_below(seed, 3) : UPLOADS_NORMAL;
		if (random_below(seed, 16) == 0)
			b[i].price = (uint32_t)random_next(seed);
	}
}

/* Each bucket's take is its exact share, rounded up or down, and the exact share on average. */
static void native_gives_every_candidate_the_same_chance(void **state)
{
	(void)state;
	enum { N = 40, ROUNDS = 20000 };
	static const size_t wants[] = { 1, 7, 50, 200 };
	struct steer_bucket b[N];
	uint64_t seed = 11;
	for (size_t w = 0; w < sizeof(wants) / sizeof(*wants); w++) {
		double sum[N] = { 0 }, total = 0;
		random_buckets(b, N, &seed);
		for (size_t i = 0; i < N; i++) {
			b[i].uploads = UPLOADS_NORMAL;
			total += b[i].seeds + b[i].others;
		}
		for (unsigned r = 0; r < ROUNDS; r++) {
			assert_int_equal(steer_share(&native, true, b, N, wants[w], &seed),
			                 wants[w]);
			for (size_t i = 0; i < N; i++)
				sum[i] += b[i].take;
		}
		for (size_t i = 0; i < N; i++) {
			const double share = (double)wants[w] * (b[i].seeds + b[i].others) / total;
			assert_true(b[i].take >= floor(share) && b[i].take <= ceil(share));
			const double part = share - floor(share);
			const double off = sum[i] - share * ROUNDS;
			assert_true(off * off <= 16 * (ROUNDS * part * (1 - part) + 1e-6));
		}
	}
}

static void an_unmapped_asker_gets_native(void **state)
{
	(void)state;
	struct steer_bucket a[MANY], b[MANY];
	uint64_t seed = 13;
	for (unsigned r = 0; r < 100; r++) {
		random_buckets(a, MANY, &seed);
		memcpy(b, a, sizeof(a));
		uint64_t one = seed, two = seed;
		assert_int_equal(steer_share(&p4p, false, a, MANY, 30, &one),
		                 steer_share(&native, true, b, MANY, 30, &two));
		for (size_t i = 0; i < MANY; i++)
			assert_int_equal(a[i].take, b[i].take);
	}
}

static uint64_t offerable(const struct steer_bucket *b, size_t n)
{
	uint64_t seeds = 0, all = 0, avoid_seeds = 0, avoid = 0;
	for (size_t i = 0; i < n; i++) {
		const uint64_t both = (uint64_t)b[i].seeds + b[i].others;
		seeds += b[i].uploads == UPLOADS_NORMAL ? b[i].seeds : 0;
		all += b[i].uploads == UPLOADS_NORMAL ? both : 0;
		avoid_seeds += b[i].uploads == UPLOADS_AVOID ? b[i].seeds : 0;
		avoid += b[i].uploads == UPLOADS_AVOID ? both : 0;
	}
	return all == 0 ? avoid : seeds == 0 ? all + avoid_seeds : all;
}

static void holds_for_any_buckets(void **state)
{
	(void)state;
	const struct steer_rules odd = { .policy = STEER_P4P,
		                         .intra_pid_percent = 100,
		                         .intra_provider_percent = 30,
		                         .overload_percent = 20 };
	const struct steer_rules *const all[] = { &native, &p4p, &preset, &odd };
	struct steer_bucket b[MANY];
	uint64_t seed = 17;
	for (unsigned r = 0; r < 40000; r++) {
		const size_t n = random_below(&seed, r % 8 == 0 ? MANY + 1 : 6);
		const size_t want = random_below(&seed, 120);
		random_buckets(b, n, &seed);
		const uint64_t most = offerable(b, n);
		const size_t got = steer_share(all[r % 4], r % 5 != 0, b, n, want, &seed);
		assert_int_equal(got, want < most ? want : most);
		size_t sum = 0;
		for (size_t i = 0; i < n; i++) {
			sum += b[i].take;
			assert_true(b[i].take <= b[i].seeds + (b[i].seeds_only ? 0 : b[i].others));
			assert_true(b[i].uploads != UPLOADS_NEVER || b[i].take == 0);
		}
		assert_int_equal(sum, got);
	}
}

/* A PID's limit is reached one round after the other: the longest way to a common level. */
static void settles_for_a_ladder_of_prices(void **state)
{
	(void)state;
	struct steer_bucket b[MANY];
	uint64_t seed = 19;
	for (uint32_t i = 0; i < MANY; i++)
		b[i] = bucket(TIER_TRANSIT, 1U << (i % 30), 1, i);
	for (size_t want = 0; want < 1000; want++)
		assert_int_equal(steer_share(&p4p, true, b, MANY, want, &seed), want);
}

static void plans_what_the_shares_come_to(void **state)
{
	(void)state;
	static const struct {
		uint32_t candidates[STEER_PARTS];
		size_t want;
		uint32_t take[STEER_PARTS], pool[STEER_PARTS];
	} rows[] = {
		{ { 1000, 1000, 1000 }, 50, { 35, 5, 10 }, { 35, 8, 15 } },
		{ { 4, 1000, 1000 }, 50, { 4, 36, 10 }, { 4, 54, 15 } },
		{ { 4, 50, 15 }, 50, { 4, 36, 10 }, { 4, 50, 15 } },
		{ { 4, 1, 1000 }, 50, { 4, 1, 45 }, { 4, 1, 68 } },
		{ { 1000, 0, 3 }, 50, { 47, 0, 3 }, { 47, 0, 3 } },
		{ { 0, 1000, 3 }, 50, { 0, 47, 3 }, { 0, 67, 3 } },
		{ { 1, 2, 3 }, 50, { 1, 2, 3 }, { 1, 2, 3 } },
		{ { 0, 0, 0 }, 50, { 0, 0, 0 }, { 0, 0, 0 } },
		{ { 9, 9, 9 }, 0, { 0, 0, 0 }, { 0, 0, 0 } },
	};
	uint64_t seed = 23;
	struct steer_plan plan;
	for (size_t r = 0; r < sizeof(rows) / sizeof(*rows); r++) {
		size_t sum = 0;
		const size_t all =
			steer_plan(&p4p, true, rows[r].candidates, rows[r].want, &seed, &plan);
		for (size_t i = 0; i < STEER_PARTS; i++) {
			const uint32_t take = plan.part[i].by_price + plan.part[i].uniform;
			sum += take;
			assert_int_equal(take, rows[r].take[i]);
			assert_int_equal(plan.part[i].pool, rows[r].pool[i]);
		}
		assert_int_equal(all, sum);
	}
	/* At random there are no parts. */
	assert_int_equal(steer_plan(&p4p, false, rows[0].candidates, 50, &seed, &plan), 50);
	assert_int_equal(plan.part[STEER_OUTSIDE].uniform, 50);
	assert_int_equal(plan.part[STEER_OUTSIDE].pool, 50);
	assert_int_equal(plan.part[STEER_OWN_PID].pool, 0);
}

/* 10 more than the caps from the 265 and 95 that are left, as in fills_uniformly() above. */
static void plans_to_fill_uniformly(void **state)
{
	(void)state;
	enum { ROUNDS = 20000 };
	static const uint32_t candidates[] = { 300, 100, 0 };
	double own = 0;
	uint64_t seed = 29;
	struct steer_plan plan;
	for (unsigned i = 0; i < ROUNDS; i++) {
		assert_int_equal(steer_plan(&p4p, true, candidates, 50, &seed, &plan), 50);
		own += plan.part[STEER_OWN_PID].uniform;
	}
	assert_true(fabs(own / ROUNDS - (35 + 10.0 * 265 / 360)) < 0.02);
}

/* ---- pools ---- */

enum { N_PIDS = 200, OUTSIDERS = 180, PROVIDER_PIDS = N_PIDS - OUTSIDERS - 1 };

/* One of a part's candidates, who stand PID by PID, is drawn. */
static void draw_number(struct steer_bucket *b, const uint32_t *ends, size_t n, uint32_t number)
{
	size_t low = 0;
	while (n > 0) { /* the first that ends behind it */
		const size_t half = n / 2;
		const bool behind = ends[low + half] <= number;
		low += behind ? n - half : 0;
		n = half;
	}
	b[low].others++;
}

/*
 * `pool` of the candidates of `n` PIDs as swarm_draw() finds them: of one run of neighbours from each of
 * equal strata, the first of which begins anywhere. The counts that are not drawn go.
 */
static void draw_pool(struct steer_bucket *b, size_t n, uint32_t pool, uint64_t *seed)
{
	uint32_t ends[N_PIDS], all = 0;
	for (size_t i = 0; i < n; i++) {
		all += b[i].seeds + b[i].others;
		ends[i] = all;
		b[i].seeds = b[i].others = 0;
	}
	const uint32_t run = pool < 30 ? 1 : pool < 60 ? 2 : pool < 120 ? 4 : 8;
	const uint32_t strata = (pool + run - 1) / run, begin = random_below(seed, all);
	assert_true(all > 2 * pool);
	for (uint32_t i = 0; i < strata; i++) {
		const uint32_t low = begin + (uint32_t)((uint64_t)all * i / strata);
		const uint32_t first = low + random_below(seed, all / strata - run + 1);
		for (uint32_t k = 0; k < run && pool > 0; k++, pool--)
			draw_number(b, ends, n, (first + k) % all);
	}
}

/*
 * The own PID, then others of its provider, then the outside, where prices are from 20 to 378. The PIDs
 * are equally populous, or by Zipf's law, the largest of middling prices.
 */
static void fill_country(struct steer_bucket b[static N_PIDS], bool zipf,
                         uint32_t candidates[static STEER_PARTS])
{
	memset(candidates, 0, STEER_PARTS * sizeof(*candidates));
	for (uint32_t i = 0; i < N_PIDS; i++) {
		const enum map_tier tier = i == 0               ? TIER_SAME_PID
		                           : i <= PROVIDER_PIDS ? TIER_SAME_PROVIDER
		                                                : TIER_TRANSIT;
		const uint32_t n = i < N_PIDS - OUTSIDERS ? i : i - (N_PIDS - OUTSIDERS);
		b[i] = bucket(tier, 20 + 2 * (n * 37 % OUTSIDERS), 0,
		              tier != TIER_TRANSIT ? 1000
		              : zipf               ? 10000 / ((n * 77 + 165) % OUTSIDERS + 1)
		                                   : 100);
		candidates[steer_part_of(tier)] += b[i].others;
	}
}

struct comparison {
	double moved; /* part of the list that goes to other PIDs than by the whole */
	double uniform, whole, pool; /* mean price of the outside: of all, and of those taken */
};

static double price_of_outside(const struct steer_bucket *b)
{
	double sum = 0, n = 0;
	for (size_t i = N_PIDS - OUTSIDERS; i < N_PIDS; i++) {
		sum += (double)b[i].take * b[i].price;
		n += b[i].take;
	}
	return sum / n;
}

static struct comparison compare_pools(bool zipf, size_t want)
{
	enum { ROUNDS = 20000, OUTSIDE = N_PIDS - OUTSIDERS };
	struct steer_bucket all[N_PIDS], b[N_PIDS];
	double off[N_PIDS] = { 0 };
	struct comparison c = { 0 };
	uint32_t candidates[STEER_PARTS];
	uint64_t seed = 31;
	fill_country(all, zipf, candidates);
	for (size_t i = OUTSIDE; i < N_PIDS; i++)
		c.uniform += (double)all[i].others * all[i].price / candidates[STEER_OUTSIDE];
	for (unsigned r = 0; r < ROUNDS; r++) {
		struct steer_plan plan;
		memcpy(b, all, sizeof(b));
		assert_int_equal(steer_share(&p4p, true, b, N_PIDS, want, &seed), want);
		c.whole += price_of_outside(b) / ROUNDS;
		for (size_t i = 0; i < N_PIDS; i++)
			off[i] += b[i].take;

		memcpy(b, all, sizeof(b));
		assert_int_equal(steer_plan(&p4p, true, candidates, want, &seed, &plan), want);
		assert_int_equal(plan.part[STEER_OUTSIDE].by_price, want / 5);
		draw_pool(b, 1, plan.part[STEER_OWN_PID].pool, &seed);
		draw_pool(b + 1, PROVIDER_PIDS, plan.part[STEER_OWN_PROVIDER].pool, &seed);
		draw_pool(b + OUTSIDE, OUTSIDERS, plan.part[STEER_OUTSIDE].pool, &seed);
		assert_int_equal(steer_pick(&p4p, true, &plan, b, N_PIDS, &seed), want);
		c.pool += price_of_outside(b) / ROUNDS;
		for (size_t i = 0; i < N_PIDS; i++)
			off[i] -= b[i].take;
	}
	for (size_t i = 1; i < N_PIDS; i++)
		c.moved += fabs(off[i]) / ROUNDS / (double)want;
	assert_true(fabs(off[0]) < 1e-9); /* the own PID's is no matter of chance */
	return c;
}

static void a_pool_is_nearly_as_good_as_the_whole(void **state)
{
	(void)state;
	static const struct {
		bool zipf;
		size_t want;          /* of 200 the pool comes in runs of 4 */
		double moved, dearer; /* at most; `dearer` of what choosing from the whole saves */
	} rows[] = {
		{ false, 50, 0.015, 0.1 },
		{ false, 200, 0.015, 0.1 },
		/* By the whole small PIDs get more than their share, whatever they cost. */
		{ true, 50, 0.08, -0.5 },
		{ true, 200, 0.08, -0.5 },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct comparison c = compare_pools(rows[i].zipf, rows[i].want);
		const double dearer = (c.pool - c.whole) / (c.uniform - c.whole);
		assert_true(c.whole < c.uniform - 10);
		if (c.moved > rows[i].moved || dearer > rows[i].dearer)
			fail_msg("row %zu: pools move %.3f of the list, which costs %.1f instead "
			         "of %.1f (at random %.1f)",
			         i, c.moved, c.pool, c.whole, c.uniform);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(caps_the_own_pid_and_provider_exactly),
	cmocka_unit_test(gives_the_provider_what_a_small_pid_leaves),
	cmocka_unit_test(fills_up_from_anywhere_when_others_are_short),
	cmocka_unit_test(fills_uniformly),
	cmocka_unit_test(weighs_by_the_inverse_root_of_the_price),
	cmocka_unit_test(overload_factor_spares_small_pids),
	cmocka_unit_test(a_free_path_is_preferred_and_no_trap),
	cmocka_unit_test(never_offers_what_must_not_upload),
	cmocka_unit_test(avoids_unless_nobody_else_can_serve),
	cmocka_unit_test(native_gives_every_candidate_the_same_chance),
	cmocka_unit_test(an_unmapped_asker_gets_native),
	cmocka_unit_test(holds_for_any_buckets),
	cmocka_unit_test(settles_for_a_ladder_of_prices),
	cmocka_unit_test(plans_what_the_shares_come_to),
	cmocka_unit_test(plans_to_fill_uniformly),
	cmocka_unit_test(a_pool_is_nearly_as_good_as_the_whole),
};

RUN_TESTS(tests)
