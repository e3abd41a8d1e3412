/* SPDX-License-Identifier: Apache-2.0 */
#include "server/report/judging.h"

#include <inttypes.h>
#include <stdio.h>

enum { DAY = 86400, SHOWN_SIZE = 32 };

enum err judge(const struct policy *p, const struct metering *m, struct judged *out)
{
	*out = (struct judged){ 0 };
	if (m->closed > 0 && m->has_source) {
		struct percentile_scratch *scratch = percentile_scratch_new(m->bins);
		const enum err e = scratch == NULL
		                           ? ERR_NOMEM
		                           : policy_measure(p, m->series, m->n, m->closed,
		                                            m->bin_seconds, scratch, &out->figures);
		percentile_scratch_free(scratch);
		if (e != ERR_OK)
			return e;
		out->has_figures = true;
	}
	policy_judge(p, &out->figures, &out->result);
	if (out->has_figures && m->closed == m->bins &&
	    metering_known_percent(m) < JUDGING_KNOWN_PERCENT)
		out->result.verdict = POLICY_UNKNOWN;
	return ERR_OK;
}

/* ---- in words ---- */

/* "410 GB": three digits, powers of 1000. */
static void show_bytes(ratio_wide bytes, char out[static SHOWN_SIZE])
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB" };
	long double value = (long double)bytes;
	size_t unit = 0;
	while (value >= 999.5L && unit + 1 < sizeof(units) / sizeof(units[0])) {
		value /= 1000;
		unit++;
	}
	(void)snprintf(out, SHOWN_SIZE, "%.*Lf %s",
	               unit == 0 || value >= 99.95L ? 0
	               : value >= 9.995L            ? 1
	                                            : 2,
	               value, units[unit]);
}

/* As the limit is read: a policy of in:out, or of either where more came in, is broken by in:out. Others are
 * told out:in. */
static void put_ratio(struct text *out, const struct ratio_terms *terms,
                      const struct policy_amount *a)
{
	char ratio[RATIO_TEXT_SIZE];
	const bool turned = terms->limit_milli > 0 &&
	                    (terms->orientation == RATIO_IN_OUT ||
	                     (terms->orientation == RATIO_EITHER && a->in_bytes > a->out_bytes));
	const char *words = turned ? "in:out" : "out:in";
	if (turned ? ratio_text(a->in_bytes, a->out_bytes, ratio)
	           : ratio_text(a->out_bytes, a->in_bytes, ratio))
		text_printf(out, "%s %s:1", words, ratio);
	else
		text_printf(out, "no %s", words);
}

/* Of what the margin's bytes are. */
static const char *margin_of(enum policy_metric metric)
{
	static const char *const words[POLICY_METRICS] = { [POLICY_VOLUME_AVG] = "period",
		                                           [POLICY_P95] = "bin",
		                                           [POLICY_BUSY_HOUR] = "busy hours" };
	return words[metric];
}

/* The side that is nearer to its limit: that of the smaller margin. */
static void put_margin(const struct judging_ask *ask, struct text *out)
{
	const struct ratio_margin *m = &ask->judged->result.margin;
	const bool out_side = m->out_limited && (!m->in_limited || m->out <= m->in);
	char bytes[SHOWN_SIZE], until[24];
	const bool ended = ask->metering->closed == ask->metering->bins;
	if ((!m->out_limited && !m->in_limited) || (ended && (out_side ? m->out : m->in) == 0))
		return;
	show_bytes(out_side ? m->out : m->in, bytes);
	text_time_print(ask->metering->to, until);
	text_printf(out, "; %s more %s", bytes, out_side ? "out" : "in");
	if (ask->terms->policy.metric != POLICY_VOLUME_AVG)
		text_printf(out, " in its %s", margin_of(ask->terms->policy.metric));
	else if (!ended)
		text_printf(out, " until %s", until);
	text_put(out, ended ? " would have been within" : "");
}

void judging_summary(const struct judging_ask *ask, struct text *out)
{
	const struct policy *p = &ask->terms->policy;
	const struct policy_result *r = &ask->judged->result;
	if (!ask->judged->has_figures) {
		text_put(out, "nothing was measured");
		return;
	}
	if (r->verdict == POLICY_UNKNOWN)
		text_printf(out, "unknown: %u %% of its bins are known, %d %% are needed; ",
		            metering_known_percent(ask->metering), JUDGING_KNOWN_PERCENT);
	put_ratio(out, &p->ratio, &r->ratio);
	if (p->ratio.limit_milli > 0) {
		text_printf(out, " of %" PRIu64 ".%03" PRIu64 ":1", p->ratio.limit_milli / 1000,
		            p->ratio.limit_milli % 1000);
		put_margin(ask, out);
	}
	if (!r->enough)
		text_printf(out, "; %" PRIu64 " Mbit/s of the %" PRIu64 " that it asks for",
		            r->volume_bps / 1000000, p->min_bps / 1000000);
}

/* ---- in figures ---- */

static void put_milli(struct sheet *out, const char *key, uint64_t milli)
{
	char printed[32];
	(void)snprintf(printed, sizeof(printed), "%" PRIu64 ".%03" PRIu64, milli / 1000,
	               milli % 1000);
	if (milli == 0)
		sheet_null(out, key, NULL);
	else
		sheet_number(out, key, NULL, printed);
}

static void put_wide(struct sheet *out, const char *key, bool there, ratio_wide bytes)
{
	char digits[RATIO_TEXT_SIZE];
	ratio_digits(bytes, digits);
	if (there)
		sheet_number(out, key, "B", digits);
	else
		sheet_null(out, key, "B");
}

static void put_subject(const struct judging_ask *ask, struct sheet *out)
{
	sheet_string(out, "provider", ask->terms->provider);
	sheet_string(out, "policy", ask->terms->id);
	sheet_u64(out, "version", NULL, ask->version);
	sheet_string(out, "sha256", ask->sha256);
	sheet_string(out, "subject", ask->subject);
	sheet_array(out, "interconnects");
	for (size_t i = 0; i < ask->metering->n; i++)
		sheet_string(out, NULL, ask->names[i]);
	sheet_close(out);
}

static void put_method(const struct judging_ask *ask, struct sheet *out)
{
	const struct policy *p = &ask->terms->policy;
	const struct metering *m = ask->metering;
	sheet_open(out, "method");
	put_milli(out, "limit", p->ratio.limit_milli);
	sheet_string(out, "orientation", ratio_orientation_names[p->ratio.orientation]);
	put_milli(out, "warn_at", p->ratio.warn_milli);
	sheet_string(out, "metric", policy_metric_names[p->metric]);
	sheet_string(out, "scope", policy_scope_names[p->scope]);
	sheet_string(out, "window", policy_window_names[p->window]);
	sheet_string(out, "time_zone", ask->terms->time_zone);
	if (m->has_source)
		sheet_string(out, "source", metering_source(m->source));
	else
		sheet_null(out, "source", NULL);
	sheet_bool(out, "estimate", m->has_source && m->source == STORE_ANNOUNCE);
	sheet_close(out);
}

static void put_period(const struct metering *m, struct sheet *out)
{
	sheet_open(out, "period");
	sheet_time(out, "from", m->from);
	sheet_time(out, "to", m->to);
	sheet_u64(out, "bin_seconds", "s", m->bin_seconds);
	sheet_u64(out, "bins_expected", "bins", m->bins);
	sheet_u64(out, "bins_closed", "bins", m->closed);
	sheet_bool(out, "ended", m->closed == m->bins);
	sheet_close(out);
	sheet_open(out, "quality");
	sheet_u64(out, "bins_expected", "bins", m->quality.expected);
	sheet_u64(out, "bins_known", "bins", m->quality.known);
	sheet_u64(out, "bins_estimated", "bins", m->quality.estimated);
	sheet_u64(out, "bins_partial", "bins", m->quality.partial);
	sheet_u64(out, "known_percent", "%", metering_known_percent(m));
	sheet_close(out);
}

static void put_verdict(const struct judging_ask *ask, struct sheet *out)
{
	const struct policy_result *r = &ask->judged->result;
	char ratio[RATIO_TEXT_SIZE];
	sheet_string(out, "verdict", policy_verdict_names[r->verdict]);
	if (ratio_text(r->ratio.out_bytes, r->ratio.in_bytes, ratio))
		sheet_number(out, "ratio", "out:in", ratio);
	else
		sheet_null(out, "ratio", "out:in");
	put_wide(out, "out_bytes", ask->judged->has_figures, r->ratio.out_bytes);
	put_wide(out, "in_bytes", ask->judged->has_figures, r->ratio.in_bytes);
	sheet_open(out, "margin");
	sheet_string(out, "of", margin_of(ask->terms->policy.metric));
	put_wide(out, "out_bytes", ask->judged->has_figures && r->margin.out_limited,
	         r->margin.out);
	put_wide(out, "in_bytes", ask->judged->has_figures && r->margin.in_limited, r->margin.in);
	sheet_close(out);
	if (ask->terms->policy.min_bps == 0) {
		sheet_null(out, "min_volume", NULL);
		return;
	}
	sheet_open(out, "min_volume");
	sheet_u64(out, "needed_bps", "bit/s", ask->terms->policy.min_bps);
	sheet_string(out, "metric", policy_volume_names[ask->terms->policy.min_metric]);
	sheet_u64(out, "measured_bps", "bit/s", r->volume_bps);
	sheet_bool(out, "enough", r->enough);
	sheet_close(out);
}

static void put_clause(const struct judging_ask *ask, struct sheet *out)
{
	const struct policy *p = &ask->terms->policy;
	const struct policy_run *run = &ask->run;
	const bool broken = run->clause == POLICY_BREACH || run->clause == POLICY_BELOW_MINIMUM;
	sheet_open(out, "clause");
	sheet_string(out, "verdict", policy_verdict_names[run->clause]);
	sheet_u64(out, "periods_broken", "periods", run->broken);
	sheet_u64(out, "periods_kept", "periods", run->kept);
	sheet_u64(out, "periods_without_data", "periods", run->passed_over);
	sheet_u64(out, "broken_after", "periods", p->consecutive_periods);
	sheet_u64(out, "notice_days", "d", p->notice_days);
	if (broken && ask->broken_until > 0)
		sheet_time(out, "notice_ends", ask->broken_until + (int64_t)p->notice_days * DAY);
	else
		sheet_null(out, "notice_ends", NULL);
	sheet_close(out);
}

void judging_put(const struct judging_ask *ask, struct sheet *out)
{
	struct text summary = { 0 };
	put_subject(ask, out);
	put_period(ask->metering, out);
	put_method(ask, out);
	put_verdict(ask, out);
	put_clause(ask, out);
	judging_summary(ask, &summary);
	sheet_string(out, "summary", summary.bytes != NULL ? summary.bytes : "");
	out->bad = out->bad || summary.bad;
	text_done(&summary);
}
