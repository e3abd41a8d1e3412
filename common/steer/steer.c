/* SPDX-License-Identifier: Apache-2.0 */
#include "common/steer/steer.h"

#include "common/base/random.h"

#include <math.h>

const char *const steer_policy_names[STEER_POLICIES] = {
	[STEER_NATIVE] = "native", [STEER_P4P] = "p4p", [STEER_BRIDGE] = "bridge"
};

const struct steer_rules steer_rules_usual = { .policy = STEER_BRIDGE,
	                                       .intra_pid_percent = 70,
	                                       .intra_provider_percent = 80,
	                                       .overload_percent = 150,
	                                       .list_length = 20,
	                                       .free_percent = 130,
	                                       .paid_percent = 115 };

/*
 * Buckets that may be offered form one chain in three links, one for each part. So a pass over a link
 * costs that link, and a pass over all is a chain.
 */
struct chain {
	struct steer_bucket *buckets;
	uint32_t first, last, n;
	uint64_t spare; /* candidates offered and not yet taken */
};

#define chain_each(b, c)                                \
	for (uint32_t at_ = (c)->first, left_ = (c)->n; \
	     left_ > 0 && ((b) = &(c)->buckets[at_], true); at_ = (b)->scratch.next, left_--)

static void chain_append(struct chain *c, uint32_t i)
{
	if (c->n > 0)
		c->buckets[c->last].scratch.next = i;
	else
		c->first = i;
	c->last = i;
	c->n++;
	c->spare += c->buckets[i].scratch.offered;
}

/* `a` then `b`; both stay usable as they are. */
static struct chain chain_join(const struct chain *a, const struct chain *b)
{
	if (a->n == 0)
		return *b;
	if (b->n > 0)
		a->buckets[a->last].scratch.next = b->first;
	return (struct chain){ .buckets = a->buckets,
		               .first = a->first,
		               .last = b->n > 0 ? b->last : a->last,
		               .n = a->n + b->n,
		               .spare = a->spare + b->spare };
}

/* Whom may we offer at all? The rules for "never" and "avoid". */
static void admit(struct steer_bucket *buckets, size_t n)
{
	uint64_t seeds = 0, all = 0;
	bool avoid = false;
	for (size_t i = 0; i < n; i++) {
		struct steer_bucket *b = &buckets[i];
		b->take = 0;
		b->seeds_only = false;
		b->scratch.offered = b->scratch.next = 0;
		if (b->uploads == UPLOADS_NORMAL) {
			b->scratch.offered = b->seeds + b->others;
			seeds += b->seeds;
			all += b->scratch.offered;
		} else if (b->uploads == UPLOADS_AVOID) {
			avoid = true;
		}
	}
	if (!avoid || seeds > 0)
		return;
	for (size_t i = 0; i < n; i++) {
		struct steer_bucket *b = &buckets[i];
		if (b->uploads != UPLOADS_AVOID)
			continue;
		b->seeds_only = all > 0;
		b->scratch.offered = b->seeds_only ? b->seeds : b->seeds + b->others;
	}
}

/*
 * `want` candidates of the chain, each equally likely: `want` points, equally spaced and with a
 * random start, on a line where every candidate has the same length. All in integers, so a bucket
 * never gets more than it holds.
 */
static size_t take_uniform(struct chain *c, uint64_t want, uint64_t *seed)
{
	if (want > c->spare)
		want = c->spare;
	if (want == 0)
		return 0;
	const uint64_t spacing = c->spare;
	uint64_t point = random_next(seed) % spacing, end = 0;
	struct steer_bucket *b;
	chain_each (b, c) {
		end += (b->scratch.offered - b->take) * want;
		for (; point < end; point += spacing)
			b->take++;
	}
	c->spare -= want;
	return (size_t)want;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* (1/p)^0.5; a free path weighs much more than the cheapest one that costs something. */
static float price_weight(uint32_t price)
{
	return price > 0 ? 1.0F / sqrtf((float)price) : 32.0F;
}

/* What a bucket shall get on average. */
static double share_of(const struct steer_bucket *b, double level, double limit)
{
	const double by_price = level * (double)b->scratch.weight;
	const double most = limit * b->scratch.offered;
	return by_price < most ? by_price : most;
}

/*
 * The level at which the shares of all buckets come to `want`: Newton's method on a piecewise
 * linear, concave sum. It only rises, and stops once hardly any further weight reaches its limit.
 * What is missing then, or after the rounds that a crafted input may need, is filled uniformly.
 */
static double find_level(const struct chain *c, double want, double limit)
{
	double open = 0;
	struct steer_bucket *b;
	chain_each (b, c) {
		b->scratch.weight = price_weight(b->price);
		open += (double)b->scratch.weight;
	}
	double level = want / open;
	for (unsigned round = 0; round < 8; round++) {
		double full = 0;
		open = 0;
		chain_each (b, c) {
			const double weight = (double)b->scratch.weight;
			const double most = limit * b->scratch.offered;
			const bool is_full = level * weight >= most;
			full += is_full ? most : 0;
			open += is_full ? 0 : weight;
		}
		if (open <= 0 || want - full <= level * open * 1.001)
			break;
		level = (want - full) / open;
	}
	return level;
}

/* `want` candidates of the chain by price, PID by PID; what rounding leaves is filled uniformly. */
static size_t take_by_price(struct chain *c, uint64_t want, unsigned overload_percent,
                            uint64_t *seed)
{
	if (want >= c->spare || c->n == 1)
		return take_uniform(c, want, seed);
	if (want == 0)
		return 0;

	double limit = 1; /* of a bucket's candidates, on average */
	if (overload_percent > 0)
		limit = overload_percent / 100.0 * (double)want / (double)c->spare;
	if (limit > 1)
		limit = 1;
	const double level = find_level(c, (double)want, limit);

	/*
	 * The same equally spaced points as above, on a line where a bucket is as long as its share:
	 * how many lie before its end, less those before its beginning.
	 */
	double end = (double)(random_next(seed) >> 11) * 0x1p-53;
	uint64_t taken = 0, points = 0;
	struct steer_bucket *b;
	chain_each (b, c) {
		end += share_of(b, level, limit);
		const uint64_t before = least((uint64_t)end, want);
		const uint64_t take = least(before - points, b->scratch.offered - b->take);
		b->take += (uint32_t)take;
		taken += take;
		points = before;
	}
	c->spare -= taken;
	return (size_t)taken + take_uniform(c, want - taken, seed);
}

/* ---- the plan ---- */

/* As the reference implementation rounds: n * percent / 100 + 0.5, truncated. */
static size_t percent_of(size_t n, unsigned percent)
{
	return percent < 100 ? (n * percent + 50) / 100 : n;
}

/* `n` * `part` / `whole` on average, rounded up or down by chance. */
static size_t proportional(size_t n, size_t part, size_t whole, uint64_t *seed)
{
	const uint64_t product = (uint64_t)n * part;
	return (size_t)((product + random_next(seed) % whole) / whole);
}

/* Of half as many again the cheaper ones can be chosen nearly as well as of all; see steer.h. */
static size_t pool_for(size_t by_price)
{
	return by_price + (by_price + 1) / 2;
}

/*
 * By the percentages first. What is missing then is missing because the outside is exhausted, and
 * comes from the rest of PID and provider, each of whom is equally likely.
 */
static size_t plan_p4p(const struct steer_rules *rules, const uint32_t *candidates, size_t want,
                       uint64_t *seed, struct steer_plan *out)
{
	const size_t pid = candidates[STEER_OWN_PID], provider = candidates[STEER_OWN_PROVIDER];
	const size_t outside = candidates[STEER_OUTSIDE];
	const size_t limit = percent_of(want, rules->intra_provider_percent);
	size_t own = least(least(pid, limit), percent_of(want, rules->intra_pid_percent));
	const size_t home = least(provider, limit - own);
	const size_t away = least(outside, want - own - home);
	const size_t spare = pid - own + provider - home;
	const size_t missing = least(want - own - home - away, spare);
	const size_t more = missing > 0 ? proportional(missing, provider - home, spare, seed) : 0;

	own += missing - more;
	out->part[STEER_OWN_PID].uniform = out->part[STEER_OWN_PID].pool = (uint32_t)own;
	out->part[STEER_OWN_PROVIDER].by_price = (uint32_t)home;
	out->part[STEER_OWN_PROVIDER].uniform = (uint32_t)more;
	out->part[STEER_OWN_PROVIDER].pool = (uint32_t)least(provider, pool_for(home) + more);
	out->part[STEER_OUTSIDE].by_price = (uint32_t)away;
	out->part[STEER_OUTSIDE].pool = (uint32_t)least(outside, pool_for(away));
	return own + home + more + away;
}

static bool is_native(const struct steer_rules *rules, bool mapped)
{
	return rules->policy == STEER_NATIVE || !mapped;
}

size_t steer_plan(const struct steer_rules *rules, bool mapped,
                  const uint32_t candidates[static STEER_PARTS], size_t want, uint64_t *seed,
                  struct steer_plan *out)
{
	*out = (struct steer_plan){ 0 };
	if (!is_native(rules, mapped))
		return plan_p4p(rules, candidates, want, seed, out);
	size_t all = 0;
	for (size_t i = 0; i < STEER_PARTS; i++)
		all += candidates[i];
	want = least(want, all);
	out->part[STEER_OUTSIDE].uniform = out->part[STEER_OUTSIDE].pool = (uint32_t)want;
	return want;
}

/* ---- the choice ---- */

/* The buckets that may be offered, by part. */
static void link_up(const struct steer_rules *rules, bool mapped, struct steer_bucket *buckets,
                    size_t n, struct chain links[static STEER_PARTS])
{
	const bool native = is_native(rules, mapped);
	for (size_t i = 0; i < STEER_PARTS; i++)
		links[i] = (struct chain){ .buckets = buckets };
	admit(buckets, n);
	for (size_t i = 0; i < n; i++) {
		const struct steer_bucket *b = &buckets[i];
		if (b->scratch.offered > 0)
			chain_append(&links[native ? STEER_OUTSIDE : steer_part_of(b->tier)],
			             (uint32_t)i);
	}
}

static size_t take_planned(const struct steer_rules *rules, const struct steer_plan *plan,
                           struct chain links[static STEER_PARTS], uint64_t *seed)
{
	size_t taken = 0, want = 0;
	for (size_t i = 0; i < STEER_PARTS; i++) {
		const size_t by_price = plan->part[i].by_price, uniform = plan->part[i].uniform;
		want += by_price + uniform;
		taken += take_by_price(&links[i], by_price, rules->overload_percent, seed);
		taken += take_uniform(&links[i], uniform, seed);
	}
	if (taken == want)
		return taken;
	const struct chain home = chain_join(&links[STEER_OWN_PID], &links[STEER_OWN_PROVIDER]);
	struct chain all = chain_join(&home, &links[STEER_OUTSIDE]);
	return taken + take_uniform(&all, want - taken, seed);
}

size_t steer_pick(const struct steer_rules *rules, bool mapped, const struct steer_plan *plan,
                  struct steer_bucket *buckets, size_t n, uint64_t *seed)
{
	struct chain links[STEER_PARTS];
	link_up(rules, mapped, buckets, n, links);
	return take_planned(rules, plan, links, seed);
}

size_t steer_share(const struct steer_rules *rules, bool mapped, struct steer_bucket *buckets,
                   size_t n, size_t want, uint64_t *seed)
{
	struct chain links[STEER_PARTS];
	uint32_t candidates[STEER_PARTS];
	struct steer_plan plan;
	link_up(rules, mapped, buckets, n, links);
	for (size_t i = 0; i < STEER_PARTS; i++)
		candidates[i] = (uint32_t)least((size_t)links[i].spare, UINT32_MAX);
	(void)steer_plan(rules, mapped, candidates, want, seed, &plan);
	return take_planned(rules, &plan, links, seed);
}
