/* SPDX-License-Identifier: Apache-2.0 */
#include "server/report/reckoning.h"

#include "common/balance/ratio.h"

#include <inttypes.h>
#include <stdio.h>

/* A contract's figures while they are made. */
struct reckoner {
	const struct reckoning_ask *ask;
	const struct metering *m;
	const struct contract *contract;
	struct percentile_scratch *scratch;
	struct sheet *out;
	enum err err; /* the first; nothing is done after it */
};

static uint64_t bps(const struct reckoner *k, struct percentile_value v)
{
	return percentile_bps(v, k->m->bin_seconds);
}

static void put_bps(struct reckoner *k, const char *key, struct percentile_value v)
{
	if (v.known)
		sheet_u64(k->out, key, "bit/s", bps(k, v));
	else
		sheet_null(k->out, key, "bit/s");
}

static void put_total(struct reckoner *k, const char *key, metering_total total)
{
	char digits[METERING_TOTAL_SIZE];
	metering_print(total, digits);
	sheet_number(k->out, key, "B", digits);
}

/* ---- what it is about ---- */

/* Is more missing than the percentile leaves out anyway? Then it could be far off. */
static bool misses_much(const struct reckoner *k, const struct metering_quality *q)
{
	return (q->expected - q->known) * 100 > q->expected * (100 - k->contract->rule.percentile);
}

/* Before all figures: whoever reads on should know what they are worth. */
static void put_warning(struct reckoner *k)
{
	const struct metering_quality *all = &k->m->quality, *worst = NULL;
	char text[256];
	for (size_t i = 0; i < k->m->n; i++)
		if (misses_much(k, &k->m->each[i]) &&
		    (worst == NULL || k->m->each[i].known < worst->known))
			worst = &k->m->each[i];
	if (worst == NULL)
		return;
	if (all->known == 0)
		(void)snprintf(text, sizeof(text), "no bin of %zu is known: nothing was measured",
		               all->expected);
	else
		(void)snprintf(
			text, sizeof(text),
			"of %s only %zu of %zu bins are known: what is missing may change what "
			"is billed, see quality and missing_rules",
			k->ask->terms->interconnects.name[worst - k->m->each], worst->known,
			worst->expected);
	sheet_string(k->out, "warning", text);
}

static void put_subject(struct reckoner *k)
{
	const struct terms_contract *t = k->ask->terms;
	sheet_string(k->out, "provider", t->provider);
	sheet_string(k->out, "contract", t->id);
	sheet_u64(k->out, "version", NULL, k->ask->version);
	sheet_string(k->out, "sha256", k->ask->sha256);
	sheet_string(k->out, "model", contract_model_names[k->contract->model]);
	sheet_string(k->out, "currency", k->contract->currency);
	sheet_array(k->out, "interconnects");
	for (size_t i = 0; i < t->interconnects.n; i++)
		sheet_string(k->out, NULL, t->interconnects.name[i]);
	sheet_close(k->out);
	sheet_open(k->out, "period");
	sheet_time(k->out, "from", k->m->from);
	sheet_time(k->out, "to", k->m->to);
	sheet_string(k->out, "time_zone", k->contract->time_zone);
	sheet_u64(k->out, "cycle_day", NULL, k->contract->cycle_day);
	sheet_u64(k->out, "bin_seconds", "s", k->m->bin_seconds);
	sheet_u64(k->out, "bins_expected", "bins", k->m->bins);
	sheet_u64(k->out, "bins_closed", "bins", k->m->closed);
	sheet_bool(k->out, "ended", k->m->closed == k->m->bins);
	sheet_close(k->out);
}

static void put_method(struct reckoner *k)
{
	const struct percentile_rule *rule = &k->contract->rule;
	sheet_open(k->out, "method");
	sheet_u64(k->out, "percentile", NULL, rule->percentile);
	sheet_string(k->out, "rank", rank_method_names[rule->rank]);
	sheet_string(k->out, "several", percentile_combine_names[rule->combine]);
	sheet_string(k->out, "direction", percentile_direction_names[rule->direction]);
	sheet_string(k->out, "missing", percentile_missing_names[rule->missing]);
	if (k->m->has_source)
		sheet_string(k->out, "source", metering_source(k->m->source));
	else
		sheet_null(k->out, "source", NULL);
	sheet_bool(k->out, "estimate", k->m->has_source && k->m->source == STORE_ANNOUNCE);
	sheet_string(k->out, "layer",
	             k->m->has_source && k->m->source == STORE_COUNTER
	                     ? "bytes as the interface counts them"
	                     : "bytes of IP packets");
	sheet_close(k->out);
}

static void put_counts(struct reckoner *k, const struct metering_quality *q)
{
	sheet_u64(k->out, "bins_expected", "bins", q->expected);
	sheet_u64(k->out, "bins_known", "bins", q->known);
	sheet_u64(k->out, "bins_missing", "bins", q->expected - q->known);
	sheet_u64(k->out, "bins_estimated", "bins", q->estimated);
	sheet_u64(k->out, "bins_partial", "bins", q->partial);
	sheet_u64(k->out, "bins_discontinuity", "bins", q->discontinuity);
	sheet_u64(k->out, "bins_sampled", "bins", q->sampled);
	sheet_u64(k->out, "bins_late", "bins", q->late);
	sheet_u64(k->out, "bins_with_lost_exports", "bins", q->gaps);
}

static void put_quality(struct reckoner *k)
{
	sheet_open(k->out, "quality");
	put_counts(k, &k->m->quality);
	sheet_array(k->out, "interconnects");
	for (size_t i = 0; i < k->m->n; i++) {
		sheet_open(k->out, NULL);
		sheet_string(k->out, "interconnect", k->ask->terms->interconnects.name[i]);
		put_counts(k, &k->m->each[i]);
		sheet_close(k->out);
	}
	sheet_close(k->out);
	sheet_close(k->out);
}

static void put_bytes(struct reckoner *k)
{
	const struct metering_sums *sums = &k->m->sums;
	sheet_open(k->out, "bytes");
	put_total(k, "out", sums->out);
	put_total(k, "in", sums->in);
	if (sums->measured_p2p) {
		put_total(k, "p2p_out", sums->p2p_out);
		put_total(k, "p2p_in", sums->p2p_in);
	} else {
		sheet_null(k->out, "p2p_out", "B");
		sheet_null(k->out, "p2p_in", "B");
	}
	sheet_close(k->out);
}

/* ---- percentiles ---- */

/* So far: over the bins that are over. */
static bool percentile_so_far(struct reckoner *k, const struct percentile_rule *rule,
                              struct percentile_result *r)
{
	if (k->err == ERR_OK)
		k->err = percentile_of(rule, k->m->series, k->m->n, k->m->closed, k->scratch, r);
	return k->err == ERR_OK;
}

static bool bounds(struct reckoner *k, const struct percentile_rule *rule,
                   struct percentile_bounds *b)
{
	if (k->err == ERR_OK)
		k->err = percentile_bounds(rule, k->m->series, k->m->n, k->m->bins, k->scratch, b);
	return k->err == ERR_OK;
}

static void put_direction(struct reckoner *k, const char *key, enum percentile_direction direction,
                          struct percentile_value so_far)
{
	struct percentile_rule rule = k->contract->rule;
	struct percentile_bounds b;
	rule.direction = direction;
	if (!bounds(k, &rule, &b))
		return;
	sheet_open(k->out, key);
	put_bps(k, "percentile_bps", so_far);
	put_bps(k, "floor_bps", b.floor);
	put_bps(k, "ceiling_bps", b.ceiling);
	sheet_close(k->out);
}

static void put_billed(struct reckoner *k, const struct percentile_result *r,
                       const struct percentile_bounds *b)
{
	sheet_open(k->out, "billed");
	put_bps(k, "percentile_bps", r->billed);
	sheet_string(k->out, "side", percentile_billed_names[r->side]);
	put_bps(k, "floor_bps", b->floor);
	put_bps(k, "ceiling_bps", b->ceiling);
	sheet_u64(k->out, "rank_from_top", NULL, r->rank.place);
	sheet_u64(k->out, "bins_ranked", "bins", r->ranked);
	sheet_u64(k->out, "bins_filled_by_rule", "bins", r->filled);
	sheet_u64(k->out, "bins_known_in_part", "bins", r->partial);
	sheet_close(k->out);
}

/* Whatever the bins that are not known turn out to be. */
static bool is_certain(const struct reckoner *k, struct percentile_value floor)
{
	const ratio_wide bits = ((ratio_wide)floor.bytes * 100 + floor.hundredths) * 8;
	return floor.known && bits > (ratio_wide)k->contract->commit_bps * k->m->bin_seconds * 100;
}

/* How many bins may still be above the commit for nothing. */
static void put_budget(struct reckoner *k, struct percentile_value floor)
{
	const struct contract *c = k->contract;
	struct percentile_budget b;
	const enum err e = percentile_budget(&c->rule, k->m->series, k->m->n, k->m->bins,
	                                     c->commit_bps, k->m->bin_seconds, k->scratch, &b);
	sheet_open(k->out, "burst_budget");
	sheet_u64(k->out, "commit_bps", "bit/s", c->commit_bps);
	if (e == ERR_OK) {
		sheet_u64(k->out, "bins_allowed", "bins", b.allowed);
		sheet_u64(k->out, "bins_used", "bins", b.used);
		sheet_u64(k->out, "bins_left", "bins", b.used < b.allowed ? b.allowed - b.used : 0);
	} else {
		sheet_null(k->out, "bins_allowed", "bins");
		sheet_null(k->out, "bins_used", "bins");
		sheet_null(k->out, "bins_left", "bins");
		if (e != ERR_NOT_FOUND) /* several sets: no bin is above the commit by itself */
			k->err = e;
	}
	sheet_bool(k->out, "overage_is_certain", is_certain(k, floor));
	sheet_close(k->out);
}

/* The same bins under the three rules for what is missing: what a dispute about gaps is about. */
static void put_rules(struct reckoner *k)
{
	sheet_open(k->out, "missing_rules");
	for (unsigned i = 0; i < MISSING_RULES; i++) {
		struct percentile_rule rule = k->contract->rule;
		struct percentile_result r;
		rule.missing = (enum percentile_missing)i;
		if (!percentile_so_far(k, &rule, &r))
			break;
		sheet_open(k->out, percentile_missing_names[i]);
		put_bps(k, "billed_bps", r.billed);
		put_bps(k, "out_bps", r.out);
		put_bps(k, "in_bps", r.in);
		sheet_close(k->out);
	}
	sheet_close(k->out);
}

/* ---- money ---- */

static void put_money(struct reckoner *k, const char *key, struct decimal d)
{
	char printed[DECIMAL_TEXT_SIZE];
	if (decimal_print(d, printed))
		sheet_money(k->out, key, k->contract->currency, printed);
	else
		k->err = ERR_RANGE;
}

static void put_line(struct reckoner *k, const struct contract_line *line)
{
	const bool traffic =
		line->kind == LINE_COMMIT || line->kind == LINE_EXCESS || line->kind == LINE_TIER;
	sheet_open(k->out, NULL);
	sheet_string(k->out, "line", contract_line_names[line->kind]);
	if (line->kind == LINE_CHARGE || line->kind == LINE_ONCE)
		sheet_string(k->out, "name", k->contract->charges[line->index].name);
	if (line->kind == LINE_TIER)
		sheet_u64(k->out, "from_bps", "bit/s", k->contract->tiers[line->index].from_bps);
	if (traffic) {
		sheet_u64(k->out, "bps", "bit/s", line->bps);
		put_money(k, "price_per_mbps", line->price);
	}
	put_money(k, "amount", line->amount);
	sheet_close(k->out);
}

static void put_cost(struct reckoner *k, const char *key, struct percentile_value used, bool lines)
{
	struct contract_cost cost;
	if (k->err == ERR_OK)
		k->err = contract_cost(k->contract, bps(k, used), &cost);
	if (k->err != ERR_OK)
		return;
	sheet_open(k->out, key);
	sheet_u64(k->out, "used_bps", "bit/s", cost.used_bps);
	sheet_u64(k->out, "excess_bps", "bit/s", cost.excess_bps);
	sheet_bool(k->out, "beyond_what_has_a_price", cost.beyond);
	put_money(k, "traffic", cost.traffic);
	put_money(k, "total", cost.total);
	if (cost.has_per_mbps)
		put_money(k, "per_mbps", cost.per_mbps);
	else
		sheet_null(k->out, "per_mbps", k->contract->currency);
	if (lines) {
		sheet_array(k->out, "lines");
		for (size_t i = 0; i < cost.n_lines; i++)
			put_line(k, &cost.lines[i]);
		sheet_close(k->out);
	}
	sheet_close(k->out);
}

/* "Sending more lowers the bill": a tariff may be like that, and then somebody has to say it. */
static void put_dip(struct reckoner *k, struct percentile_value used)
{
	struct contract_dip dip;
	if (!contract_dip(k->contract, bps(k, used), &dip))
		return;
	sheet_open(k->out, "sending_more_costs_less");
	sheet_u64(k->out, "to_bps", "bit/s", dip.to_bps);
	put_money(k, "saved", dip.saved);
	sheet_close(k->out);
}

static bool has_money(const struct reckoner *k, const struct percentile_result *r)
{
	return k->m->has_source && k->m->source != STORE_ANNOUNCE && r->billed.known;
}

/* ---- all of it ---- */

static void put_figures(struct reckoner *k)
{
	struct percentile_result r;
	struct percentile_bounds b;
	if (!percentile_so_far(k, &k->contract->rule, &r) || !bounds(k, &k->contract->rule, &b))
		return;
	put_billed(k, &r, &b);
	sheet_open(k->out, "directions");
	put_direction(k, "out", DIRECTION_OUT, r.out);
	put_direction(k, "in", DIRECTION_IN, r.in);
	sheet_close(k->out);
	put_budget(k, b.floor);
	put_rules(k);
	if (!has_money(k, &r)) {
		sheet_null(k->out, "cost", k->contract->currency);
		return;
	}
	put_cost(k, "cost", r.billed, true);
	put_cost(k, "cost_at_floor", b.floor, false);
	put_dip(k, r.billed);
}

enum err reckon(const struct reckoning_ask *ask, struct sheet *out)
{
	struct reckoner k = { .ask = ask,
		              .m = ask->metering,
		              .contract = &ask->terms->contract,
		              .scratch = percentile_scratch_new(ask->metering->bins),
		              .out = out };
	if (k.scratch == NULL)
		return ERR_NOMEM;
	put_warning(&k);
	put_subject(&k);
	put_method(&k);
	put_quality(&k);
	put_bytes(&k);
	if (k.m->closed > 0 && k.m->has_source)
		put_figures(&k);
	else
		sheet_null(out, "cost", k.contract->currency);
	percentile_scratch_free(k.scratch);
	return k.err == ERR_OK && sheet_is_bad(out) ? ERR_NOMEM : k.err;
}
