/* SPDX-License-Identifier: Apache-2.0 */
#include "common/balance/contract.h"

static struct decimal zero(void)
{
	return decimal_of(0, 0);
}

static struct decimal priced(uint64_t bps, struct decimal price)
{
	return decimal_multiply(decimal_of(bps, 6), price);
}

/* The price of a band of use, and how it is told. */
struct band {
	enum contract_line_kind kind;
	size_t index;
	uint64_t from_bps, to_bps; /* the bits above `from` up to `to` */
	struct decimal price;
};

enum { BANDS_MAX = 2 + CONTRACT_TIERS_MAX };

/* Commit, excess, tiers: the bands that `bps` of use reaches into, the commit always. */
static size_t bands_of(const struct contract *c, uint64_t bps, struct band bands[static BANDS_MAX])
{
	size_t n = 0;
	bands[n++] = (struct band){ .kind = LINE_COMMIT,
		                    .to_bps = c->commit_bps,
		                    .price = c->unit_price };
	if (bps > c->commit_bps)
		bands[n++] = (struct band){ .kind = LINE_EXCESS,
			                    .from_bps = c->commit_bps,
			                    .to_bps = bps,
			                    .price = c->unit_price };
	for (size_t i = 0; i < c->n_tiers && bps >= c->tiers[i].from_bps; i++) {
		bands[n - 1].to_bps = c->tiers[i].from_bps;
		bands[n++] = (struct band){ .kind = LINE_TIER,
			                    .index = i,
			                    .from_bps = c->tiers[i].from_bps,
			                    .to_bps = bps,
			                    .price = c->tiers[i].price };
	}
	return n;
}

static void put_line(struct contract_cost *cost, const struct contract_line *line)
{
	must(cost->n_lines < CONTRACT_LINES_MAX);
	cost->lines[cost->n_lines++] = *line;
}

static void put_traffic(struct contract_cost *cost, const struct band *b)
{
	const struct contract_line line = { .kind = b->kind,
		                            .index = b->index,
		                            .bps = b->to_bps - b->from_bps,
		                            .price = b->price,
		                            .amount = priced(b->to_bps - b->from_bps, b->price) };
	cost->traffic = decimal_add(cost->traffic, line.amount);
	put_line(cost, &line);
}

/* Fee, commit, excess and tiers: all that depends on the use. */
static void put_use(const struct contract *c, uint64_t bps, struct contract_cost *cost)
{
	struct band bands[BANDS_MAX];
	const size_t n = bands_of(c, bps, bands);
	cost->traffic = c->fee;
	if (c->fee.units != 0)
		put_line(cost, &(struct contract_line){ .kind = LINE_FEE, .amount = c->fee });
	if (c->model == CONTRACT_COMMIT_VOLUME) {
		/* All of it is in the last band, at its price. */
		struct band all = bands[n - 1];
		all.from_bps = 0;
		put_traffic(cost, &all);
		return;
	}
	for (size_t i = 0; i < n; i++)
		put_traffic(cost, &bands[i]);
}

static struct decimal put_charges(const struct contract *c, struct contract_cost *cost)
{
	/* In twelfths, so that a year's is exact until the total is rounded. */
	const struct decimal twelve = decimal_of(12, 0);
	const unsigned places = contract_minor_places(c->currency);
	struct decimal twelfths = zero();
	for (size_t i = 0; i < c->n_charges; i++) {
		const struct contract_charge *charge = &c->charges[i];
		struct contract_line line = { .kind = LINE_CHARGE,
			                      .index = i,
			                      .amount = charge->amount };
		if (charge->per == CONTRACT_ONCE) {
			line.kind = LINE_ONCE;
		} else if (charge->per == CONTRACT_YEAR) {
			line.amount =
				decimal_divide(charge->amount, twelve, places, DECIMAL_HALF_UP);
			twelfths = decimal_add(twelfths, charge->amount);
		} else {
			twelfths = decimal_add(twelfths, decimal_multiply(charge->amount, twelve));
		}
		put_line(cost, &line);
	}
	return twelfths;
}

static bool is_beyond(const struct contract *c, uint64_t bps)
{
	return c->model == CONTRACT_FLAT && bps > c->commit_bps;
}

enum err contract_cost(const struct contract *c, uint64_t used_bps, struct contract_cost *out)
{
	const struct decimal twelve = decimal_of(12, 0);
	struct contract_cost cost = { .used_bps = used_bps, .beyond = is_beyond(c, used_bps) };
	if (used_bps > c->commit_bps)
		cost.excess_bps = used_bps - c->commit_bps;
	/* A flat contract's fee is due even when there is no price for the rest. */
	put_use(c, cost.beyond ? c->commit_bps : used_bps, &cost);
	const struct decimal twelfths = put_charges(c, &cost);
	cost.total = decimal_divide(decimal_add(decimal_multiply(cost.traffic, twelve), twelfths),
	                            twelve, contract_minor_places(c->currency), DECIMAL_HALF_UP);
	cost.has_per_mbps = used_bps > 0;
	if (cost.has_per_mbps)
		cost.per_mbps =
			decimal_divide(cost.traffic, decimal_of(used_bps, 6), 6, DECIMAL_HALF_UP);
	if (cost.total.bad || cost.per_mbps.bad)
		return ERR_RANGE;
	*out = cost;
	return ERR_OK;
}

static struct decimal traffic(const struct contract *c, uint64_t bps)
{
	struct contract_cost cost = { 0 };
	put_use(c, bps, &cost);
	return cost.traffic;
}

enum err contract_marginal(const struct contract *c, uint64_t used_bps, uint64_t more_bps,
                           struct decimal *out)
{
	uint64_t then;
	if (__builtin_add_overflow(used_bps, more_bps, &then))
		return ERR_RANGE;
	if (is_beyond(c, then))
		return ERR_NOT_FOUND;
	const struct decimal d = decimal_subtract(traffic(c, then), traffic(c, used_bps));
	if (d.bad)
		return ERR_RANGE;
	*out = d;
	return ERR_OK;
}

/* The bill falls only where a tier of the volume model begins. */
bool contract_dip(const struct contract *c, uint64_t used_bps, struct contract_dip *out)
{
	struct contract_dip best = { .saved = zero() };
	const struct decimal now = traffic(c, used_bps);
	for (size_t i = 0; i < c->n_tiers; i++) {
		if (c->tiers[i].from_bps <= used_bps)
			continue;
		const struct decimal saved =
			decimal_subtract(now, traffic(c, c->tiers[i].from_bps));
		if (!saved.bad && decimal_compare(saved, best.saved) > 0)
			best = (struct contract_dip){ .to_bps = c->tiers[i].from_bps,
				                      .saved = saved };
	}
	if (best.to_bps == 0)
		return false;
	*out = best;
	return true;
}

bool contract_is_monotone(const struct contract *c)
{
	struct contract_dip dip;
	for (size_t i = 0; i < c->n_tiers; i++)
		if (contract_dip(c, c->tiers[i].from_bps - 1, &dip))
			return false;
	return true;
}

struct decimal contract_convert(struct decimal amount, struct decimal rate, const char *currency)
{
	return decimal_round(decimal_multiply(amount, rate), contract_minor_places(currency),
	                     DECIMAL_HALF_UP);
}
