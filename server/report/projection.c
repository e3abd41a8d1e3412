/* SPDX-License-Identifier: Apache-2.0 */
#include "server/report/projection.h"

#include "common/balance/forecast.h"

#include <stdio.h>

enum { DAY = 86400, HISTORY_DAYS = 42 };

/* The bill for so much; money is exact, the rate that it is for is the guess. */
static enum err put_cost(const struct contract *contract, const char *key, uint64_t bps,
                         struct sheet *out)
{
	struct contract_cost cost;
	char printed[DECIMAL_TEXT_SIZE];
	const enum err e = contract_cost(contract, bps, &cost);
	if (e != ERR_OK || !decimal_print(cost.total, printed))
		return ERR_RANGE;
	sheet_money(out, key, contract->currency, printed);
	return ERR_OK;
}

static enum err put(const struct contract *contract, const struct forecast *f, bool money,
                    struct sheet *out)
{
	char permille[16];
	(void)snprintf(permille, sizeof(permille), "0.%03u", f->over_commit_permille);
	if (f->over_commit_permille >= 1000)
		(void)snprintf(permille, sizeof(permille), "1.000");
	sheet_open(out, "projection");
	sheet_u64(out, "low_bps", "bit/s", f->billed_bps.low);
	sheet_u64(out, "billed_bps", "bit/s", f->billed_bps.middle);
	sheet_u64(out, "high_bps", "bit/s", f->billed_bps.high);
	sheet_u64(out, "range_holds", "%", 80);
	sheet_number(out, "chance_of_overage", NULL, permille);
	sheet_u64(out, "days_known", "d", f->days);
	enum err e = ERR_OK;
	if (money) {
		e = put_cost(contract, "low_cost", f->billed_bps.low, out);
		if (e == ERR_OK)
			e = put_cost(contract, "cost", f->billed_bps.middle, out);
		if (e == ERR_OK)
			e = put_cost(contract, "high_cost", f->billed_bps.high, out);
	}
	sheet_close(out);
	return e;
}

static enum err run(const struct contract_case *c, struct metering *m, struct sheet *out)
{
	const size_t history = (size_t)((c->metering.from - m->from) / m->bin_seconds);
	const struct forecast_input in = { .series = m->series,
		                           .n_series = m->n,
		                           .history = history,
		                           .bins = c->metering.bins,
		                           .now = c->metering.closed,
		                           .bin_seconds = m->bin_seconds,
		                           .rule = &c->terms->contract.rule,
		                           .commit_bps = c->terms->contract.commit_bps,
		                           .seed = (uint64_t)c->metering.from };
	struct forecast f;
	for (size_t i = 0; i < m->n; i++) {
		m->series[i].set = c->terms->set[i];
		m->series[i].capacity_bytes = c->metering.series[i].capacity_bytes;
	}
	const enum err e = forecast_run(&in, &f);
	if (e == ERR_OK)
		return put(&c->terms->contract, &f, m->source != STORE_ANNOUNCE, out);
	if (e == ERR_NOMEM)
		return e;
	sheet_null(out, "projection", NULL);
	return ERR_OK;
}

enum err projection_put(struct store *s, const struct contract_case *c, int64_t now,
                        struct sheet *out)
{
	const struct metering_ask ask = { .provider = c->terms->provider,
		                          .names = c->terms->interconnects.name,
		                          .n = c->terms->interconnects.n,
		                          .from = c->metering.from - HISTORY_DAYS * DAY,
		                          .to = c->metering.to,
		                          .now = now,
		                          .bin_seconds = c->metering.bin_seconds,
		                          .has_source = true,
		                          .source = c->metering.source };
	struct metering m;
	if (!c->metering.has_source || c->metering.closed == c->metering.bins ||
	    DAY % c->metering.bin_seconds != 0) {
		sheet_null(out, "projection", NULL);
		return ERR_OK;
	}
	enum err e = metering_read(s, &ask, &m);
	if (e != ERR_OK)
		return e;
	e = run(c, &m, out);
	metering_done(&m);
	return e;
}
