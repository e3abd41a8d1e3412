/* SPDX-License-Identifier: Apache-2.0 */
#include "server/pricing/budgets.h"

#include "server/report/contracts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of one version of a contract. */
struct budget {
	char provider[65], id[65];
	uint64_t version;
	int64_t read_at, until; /* it is what was read at read_at, until then */
	char names[TERMS_NAMES_MAX][65];
	size_t n; /* names; 0: it has no budget */
	bool counts[PRICES_DIRECTIONS], sum;
	uint64_t bps;
	uint32_t bins_left[PRICES_DIRECTIONS];
};

struct budgets {
	struct budget *list;
	size_t n;
};

struct budgets *budgets_new(void)
{
	return calloc(1, sizeof(struct budgets));
}

void budgets_free(struct budgets *b)
{
	if (b != NULL)
		free(b->list);
	free(b);
}

/* ---- reading ---- */

static enum err count_left(const struct contract_case *c, enum percentile_direction direction,
                           struct percentile_scratch *scratch, uint64_t bps, uint32_t *left)
{
	const struct metering *m = &c->metering;
	struct percentile_rule rule = c->terms->contract.rule;
	struct percentile_budget b;
	rule.direction = direction;
	const enum err e = percentile_budget(&rule, m->series, m->n, m->bins, bps, m->bin_seconds,
	                                     scratch, &b);
	if (e == ERR_OK)
		*left = b.used < b.allowed ? (uint32_t)(b.allowed - b.used) : 0;
	return e;
}

static enum err measure(const struct contract_case *c, struct percentile_scratch *scratch,
                        struct budget *out)
{
	const struct metering *m = &c->metering;
	const struct percentile_rule *rule = &c->terms->contract.rule;
	const enum percentile_direction d = rule->direction;
	const bool each = d == DIRECTION_MAX_IN_OUT;
	struct percentile_bounds bounds;
	enum err e = percentile_bounds(rule, m->series, m->n, m->bins, scratch, &bounds);
	if (e != ERR_OK)
		return e;
	const uint64_t floor = percentile_bps(bounds.floor, m->bin_seconds);
	out->bps = floor > c->terms->contract.commit_bps ? floor : c->terms->contract.commit_bps;
	out->counts[PRICES_OUT] = d != DIRECTION_IN;
	out->counts[PRICES_IN] = d != DIRECTION_OUT;
	out->sum = d == DIRECTION_SUM;
	e = count_left(c, each ? DIRECTION_OUT : d, scratch, out->bps, &out->bins_left[PRICES_OUT]);
	return e != ERR_OK ? e
	                   : count_left(c, each ? DIRECTION_IN : d, scratch, out->bps,
	                                &out->bins_left[PRICES_IN]);
}

static enum err fill(const struct contract_case *c, struct budget *out)
{
	struct percentile_scratch *scratch = percentile_scratch_new(c->metering.bins);
	const enum err e = scratch == NULL ? ERR_NOMEM : measure(c, scratch, out);
	percentile_scratch_free(scratch);
	out->n = c->terms->interconnects.n;
	for (size_t i = 0; i < out->n; i++)
		(void)snprintf(out->names[i], sizeof(out->names[i]), "%s",
		               c->terms->interconnects.name[i]);
	return e;
}

/* How long it will be slack whatever comes; 0 when it is not. */
static int64_t bins_of_grace(const struct budget *b)
{
	int64_t least = BUDGETS_RECHECK_BINS;
	for (unsigned d = 0; d < PRICES_DIRECTIONS; d++)
		if (b->counts[d] && b->bins_left[d] < least)
			least = b->bins_left[d];
	return least;
}

/* ERR_NOT_FOUND: it has no budget. */
static enum err read_document(struct store *s, uint32_t bin_seconds, int64_t at,
                              const struct store_agreement *about, struct budget *out)
{
	const struct report_options options = { .bin_seconds = bin_seconds };
	struct contract_case c;
	struct fault why;
	enum err e = contract_case_read(s, &options, about, (struct contract_when){ at - 1, at },
	                                &c, &why);
	if (e == ERR_OK) {
		e = c.metering.has_source ? fill(&c, out) : ERR_NOT_FOUND;
		if (e == ERR_OK && out->bps == 0)
			e = ERR_NOT_FOUND;
		const int64_t until = at + bins_of_grace(out) * bin_seconds;
		out->until = until < c.period.to ? until : c.period.to;
		contract_case_done(&c);
	}
	return e == ERR_MALFORMED || e == ERR_RANGE ? ERR_NOT_FOUND : e;
}

static enum err read_one(struct store *s, uint32_t bin_seconds, int64_t at,
                         const struct store_agreement *about, struct budget *out)
{
	const enum err e = read_document(s, bin_seconds, at, about, out);
	if (e == ERR_NOT_FOUND)
		*out = (struct budget){ .until = at + (int64_t)BUDGETS_ABSENT_BINS * bin_seconds };
	(void)snprintf(out->provider, sizeof(out->provider), "%s", about->provider);
	(void)snprintf(out->id, sizeof(out->id), "%s", about->id);
	out->version = about->version;
	out->read_at = at;
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static const struct budget *still_good(const struct budgets *b, const struct store_agreement *about,
                                       int64_t at)
{
	for (size_t i = 0; i < b->n; i++) {
		const struct budget *one = &b->list[i];
		if (one->version == about->version && strcmp(one->id, about->id) == 0 &&
		    strcmp(one->provider, about->provider) == 0)
			return at >= one->read_at && at < one->until ? one : NULL;
	}
	return NULL;
}

static enum err read_all(const struct budgets *before, struct store *s, uint32_t bin_seconds,
                         int64_t at, struct budgets *out)
{
	struct store_agreement *list;
	enum err e = store_agreements(s, STORE_CONTRACT, NULL, NULL, &list, &out->n);
	if (e != ERR_OK)
		return e;
	out->list = calloc(out->n + 1, sizeof(*out->list));
	e = out->list == NULL ? ERR_NOMEM : ERR_OK;
	for (size_t i = 0; i < out->n && e == ERR_OK; i++) {
		const struct budget *known = still_good(before, &list[i], at);
		if (known != NULL)
			out->list[i] = *known;
		else
			e = read_one(s, bin_seconds, at, &list[i], &out->list[i]);
	}
	store_agreements_free(list, out->n);
	return e;
}

enum err budgets_read(struct budgets *b, struct store *s, uint32_t bin_seconds, int64_t at)
{
	struct budgets next = { 0 };
	const enum err e = read_all(b, s, bin_seconds, at, &next);
	free(e == ERR_OK ? b->list : next.list);
	if (e == ERR_OK)
		*b = next;
	return e;
}

/* ---- laying ---- */

static double load_of(const struct budget *b, const struct prices_edge *e, unsigned direction)
{
	return b->sum ? e->load_bps[PRICES_OUT] + e->load_bps[PRICES_IN] : e->load_bps[direction];
}

/* Is `a` the one to heed? One that has bins left lets everything through. */
static bool is_tighter(const struct prices_budget *a, const struct prices_budget *b)
{
	if (b->bps == 0 || (a->bins_left == 0) != (b->bins_left == 0))
		return b->bps == 0 || a->bins_left == 0;
	return a->load_bps / (double)a->bps > b->load_bps / (double)b->bps;
}

static void lay(const struct budget *b, unsigned direction, struct prices_edge *const *edges)
{
	struct prices_budget budget = { .bps = b->bps, .bins_left = b->bins_left[direction] };
	for (size_t i = 0; i < b->n; i++)
		if (edges[i] != NULL && edges[i]->known)
			budget.load_bps += load_of(b, edges[i], direction);
	for (size_t i = 0; i < b->n; i++)
		if (edges[i] != NULL && is_tighter(&budget, &edges[i]->budget[direction]))
			edges[i]->budget[direction] = budget;
}

void budgets_lay(const struct budgets *b, budgets_edge *edge, const void *ctx)
{
	for (size_t i = 0; i < b->n; i++) {
		const struct budget *one = &b->list[i];
		struct prices_edge *edges[TERMS_NAMES_MAX];
		for (size_t k = 0; k < one->n; k++)
			edges[k] = edge(ctx, one->provider, one->names[k]);
		for (unsigned d = 0; d < PRICES_DIRECTIONS; d++)
			if (one->counts[d])
				lay(one, d, edges);
	}
}
