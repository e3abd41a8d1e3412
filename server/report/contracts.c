/* SPDX-License-Identifier: Apache-2.0 */
#include "server/report/contracts.h"

#include "server/report/projection.h"
#include "server/report/reckoning.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- one contract ---- */

void contract_case_done(struct contract_case *c)
{
	metering_done(&c->metering);
	arena_free(c->arena);
	*c = (struct contract_case){ 0 };
}

static enum err parse(const struct store_agreement *about, struct contract_case *c,
                      struct fault *why)
{
	struct faults *faults = faults_new();
	c->arena = arena_new(TERMS_ARENA);
	enum err e = faults == NULL || c->arena == NULL
	                     ? ERR_NOMEM
	                     : terms_contract_parse(about->document, about->size, c->arena,
	                                            &c->terms, faults);
	if (e == ERR_MALFORMED)
		*why = faults->list[0];
	faults_free(faults);
	return e;
}

/* What a bin can hold at most, which the ceiling is made of; 0 where nobody said. */
static enum err read_capacities(struct store *s, const struct report_options *o,
                                struct contract_case *c)
{
	struct store_interconnect *all;
	size_t n;
	const enum err e = store_interconnects(s, c->terms->provider, &all, &n);
	if (e != ERR_OK)
		return e;
	for (size_t i = 0; i < c->metering.n; i++)
		for (size_t k = 0; k < n; k++)
			if (strcmp(all[k].id, c->terms->interconnects.name[i]) == 0 &&
			    all[k].capacity_mbps <= UINT32_MAX)
				c->metering.series[i].capacity_bytes =
					all[k].capacity_mbps * (CONTRACT_MBPS / 8) * o->bin_seconds;
	free(all);
	return ERR_OK;
}

static enum err read_bins(struct store *s, const struct report_options *o, int64_t now,
                          struct contract_case *c)
{
	const struct metering_ask ask = { .provider = c->terms->provider,
		                          .names = c->terms->interconnects.name,
		                          .n = c->terms->interconnects.n,
		                          .from = c->period.from,
		                          .to = c->period.to,
		                          .now = now,
		                          .bin_seconds = o->bin_seconds,
		                          .has_source = c->terms->has_source,
		                          .source = c->terms->source };
	enum err e = metering_read(s, &ask, &c->metering);
	for (size_t i = 0; e == ERR_OK && i < c->metering.n; i++)
		c->metering.series[i].set = c->terms->set[i];
	return e == ERR_OK ? read_capacities(s, o, c) : e;
}

enum err contract_case_read(struct store *s, const struct report_options *o,
                            const struct store_agreement *about, struct contract_when when,
                            struct contract_case *out, struct fault *why)
{
	struct contract_case c = { 0 };
	enum err e = parse(about, &c, why);
	if (e == ERR_OK) {
		const struct store_calendar calendar = { .zone = c.terms->contract.time_zone,
			                                 .kind = STORE_MONTH,
			                                 .cycle_day = c.terms->contract.cycle_day };
		e = store_period(s, &calendar, when.at, &c.period, why);
		e = e == ERR_NOT_FOUND ? ERR_MALFORMED : e;
	}
	if (e == ERR_OK)
		e = read_bins(s, o, when.now, &c);
	if (e == ERR_OK)
		*out = c;
	else
		contract_case_done(&c);
	return e;
}

/* ---- the report ---- */

/* What a document says that this version does not understand: told in its place, beside the others. */
static void put_unreadable(struct sheet *sheet, const struct store_agreement *a,
                           const struct fault *why)
{
	sheet_string(sheet, "provider", a->provider);
	sheet_string(sheet, "contract", a->id);
	sheet_u64(sheet, "version", NULL, a->version);
	sheet_string(sheet, "where", why->where);
	sheet_string(sheet, "error", why->text);
}

static enum err figures(struct store *s, const struct report_options *o,
                        const struct report_agreements_query *q, const struct store_agreement *a,
                        struct sheet *sheet)
{
	struct contract_case c;
	struct fault why = { 0 };
	const struct contract_when when = { q->at == REPORT_ABSENT ? q->now : q->at, q->now };
	enum err e = contract_case_read(s, o, a, when, &c, &why);
	if (e == ERR_MALFORMED || e == ERR_RANGE) {
		if (e == ERR_RANGE)
			(void)fault_set(&why, e, "bins", "the period holds no whole bin");
		put_unreadable(sheet, a, &why);
		return ERR_OK;
	}
	if (e != ERR_OK)
		return e;
	const struct reckoning_ask ask = { .terms = c.terms,
		                           .version = a->version,
		                           .sha256 = a->sha256,
		                           .metering = &c.metering,
		                           .now = q->now };
	e = reckon(&ask, sheet);
	if (e == ERR_OK)
		e = projection_put(s, &c, q->now, sheet);
	contract_case_done(&c);
	if (e != ERR_RANGE)
		return e;
	sheet_done(sheet); /* the others have figures nevertheless */
	(void)fault_set(&why, e, "bins", CONTRACT_BEYOND);
	put_unreadable(sheet, a, &why);
	return ERR_OK;
}

static void csv_prefix(const struct store_agreement *a, struct text *prefix)
{
	text_csv_field(prefix, a->provider);
	text_put(prefix, ",");
	text_csv_field(prefix, a->id);
}

static void put_one(const struct report_agreements_query *q, const struct store_agreement *a,
                    const struct sheet *sheet, struct text *out)
{
	struct text prefix = { 0 };
	if (q->csv) {
		csv_prefix(a, &prefix);
		sheet_csv(sheet, prefix.bytes != NULL ? prefix.bytes : "", out);
	} else {
		text_put(out, "{");
		sheet_json(sheet, out);
		text_put(out, "}");
	}
	out->bad = out->bad || prefix.bad;
	text_done(&prefix);
}

static const char definitions[] =
	"\"definitions\":{"
	"\"direction\":\"out and in as seen from the provider: out leaves its network\","
	"\"percentile_bps\":\"of the closed bins so far, by the contract's own method\","
	"\"floor_bps\":\"the period's percentile will not be below it, whatever is still to come\","
	"\"ceiling_bps\":\"nor above it: every bin that is not known taken as full\","
	"\"burst_budget\":\"bins that may be above the commit while the percentile is not, with the gaps "
	"so far as the missing rule takes them\","
	"\"missing_rules\":\"the same bins when those missing are dropped, counted as zero, or repeat "
	"the last known one\","
	"\"projection\":\"drawn from the six weeks before: 80 of 100 periods should end in the "
	"range; null when ended, or with too few days known\","
	"\"cost\":\"of the percentile so far, exact decimals, the total rounded once to the "
	"currency's minor unit; null without bins and for estimates\","
	"\"source\":\"the one the contract names, else flow or counter, whichever knows more bins; announce "
	"is an estimate and "
	"never makes money\"}";

static void put_head(const struct report_agreements_query *q, struct text *out)
{
	char at[24];
	if (q->csv) {
		text_put(out, "provider,contract,figure,value,unit\r\n");
		return;
	}
	text_time_print(q->at == REPORT_ABSENT ? q->now : q->at, at);
	text_printf(out, "{\"at\":\"%s\",\"contracts\":[", at);
}

enum err report_contracts(struct store *s, const struct report_options *o,
                          const struct report_agreements_query *q, struct text *out)
{
	struct store_agreement *all;
	size_t n, put = 0;
	enum err e = store_agreements(s, STORE_CONTRACT, q->provider, q->id, &all, &n);
	if (e != ERR_OK)
		return e;
	put_head(q, out);
	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		struct sheet sheet = { 0 };
		e = figures(s, o, q, &all[i], &sheet);
		if (e == ERR_OK && !q->csv)
			text_put(out, put++ > 0 ? ",\n" : "\n");
		if (e == ERR_OK)
			put_one(q, &all[i], &sheet, out);
		sheet_done(&sheet);
	}
	if (!q->csv)
		text_printf(out, "],\n%s}\n", definitions);
	store_agreements_free(all, n);
	return e == ERR_OK && out->bad ? ERR_NOMEM : e;
}
