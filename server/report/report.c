/* SPDX-License-Identifier: Apache-2.0 */
#include "server/report/report.h"

#include "common/balance/ratio.h"
#include "server/report/detail.h"
#include "server/report/policies.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { DAY = 86400 };

static const char *const sources[] = {
	[STORE_ANNOUNCE] = "announce", [STORE_FLOW] = "flow", [STORE_COUNTER] = "counter"
};

/* What an answer is about. */
struct view {
	struct report_query query; /* whole bins */
	uint32_t bin_seconds;
	uint64_t expected; /* bins */
	uint32_t overhead_bytes;
	const struct policy_name *policies; /* of the balance alone */
	size_t n_policies;
};

/* One interconnect: its rows, one for each source, and what they say. */
struct balance {
	const struct store_balance *rows;
	size_t n; /* 0: no bins, then `rows` still names the interconnect */
	uint64_t limit_milli;
	const char *judged_by; /* the source of the verdict; NULL: none */
	enum ratio_verdict verdict;
};

/* ---- the window ---- */

static int64_t round_down(int64_t t, int64_t bin)
{
	return t - ((t % bin) + bin) % bin;
}

int64_t report_settled(uint32_t bin_seconds, int64_t now)
{
	return round_down(now - bin_seconds / 5, bin_seconds);
}

struct report_query report_window(const struct report_query *q, const struct report_options *o,
                                  int64_t now)
{
	const int64_t bin = o->bin_seconds, closed = round_down(now, bin);
	struct report_query w = *q;
	w.to = q->to == REPORT_ABSENT || q->to > closed ? closed : round_down(q->to, bin);
	if (q->from == REPORT_ABSENT)
		w.from = w.to - (DAY > bin ? DAY - DAY % bin : bin);
	else
		w.from = q->from > closed ? closed : -round_down(-q->from, bin);
	if (w.from > w.to)
		w.from = w.to;
	return w;
}

static struct view view_of(const struct report_query *q, const struct report_options *o)
{
	return (struct view){ .query = *q,
		              .bin_seconds = o->bin_seconds,
		              .expected = (uint64_t)(q->to - q->from) / o->bin_seconds,
		              .overhead_bytes = o->overhead_bytes };
}

static struct detail_options detail_of(const struct view *v)
{
	return (struct detail_options){ .expected = v->expected,
		                        .overhead_bytes = v->overhead_bytes };
}

static struct store_window window_of(const struct view *v)
{
	return (struct store_window){ .from = v->query.from,
		                      .to = v->query.to,
		                      .bin_seconds = v->bin_seconds,
		                      .provider = v->query.provider,
		                      .interconnect = v->query.interconnect };
}

/* ---- the verdict ---- */

static bool is_better(const struct store_balance *a, const struct store_balance *b)
{
	if ((a->source == STORE_ANNOUNCE) != (b->source == STORE_ANNOUNCE))
		return b->source == STORE_ANNOUNCE;
	if (a->bins_known != b->bins_known)
		return a->bins_known > b->bins_known;
	return a->source == STORE_FLOW;
}

/* Measured before estimated; of what was measured the fuller; when equal flows, because they leave link-layer
 * bytes out. */
static const struct store_balance *best(const struct store_balance *rows, size_t n)
{
	const struct store_balance *best = NULL;
	for (size_t i = 0; i < n; i++)
		if (best == NULL || is_better(&rows[i], best))
			best = &rows[i];
	return best;
}

/* Takes the interconnect that `rows` begins with; `left` rows are there in all. */
static struct balance judge_window(const struct store_balance *rows, size_t left,
                                   const struct report_options *o)
{
	struct balance b = { .rows = rows, .limit_milli = rows->ratio_limit_milli };
	while (b.n < left && rows[b.n].has_bins &&
	       strcmp(rows[b.n].provider, rows->provider) == 0 &&
	       strcmp(rows[b.n].interconnect, rows->interconnect) == 0)
		b.n++;
	if (b.limit_milli == 0 && strcmp(rows->relation, "settlement-free") == 0)
		b.limit_milli = o->ratio_limit_milli;

	const struct store_balance *row = best(rows, b.n);
	if (row != NULL) {
		b.judged_by = sources[row->source];
		b.verdict = ratio_verdict(row->out_bytes, row->in_bytes, b.limit_milli);
	}
	return b;
}

static void put_limit(struct text *t, uint64_t milli, const char *none)
{
	if (milli == 0)
		text_put(t, none);
	else
		text_printf(t, "%" PRIu64 ".%03" PRIu64, milli / 1000, milli % 1000);
}

static void put_ratio(struct text *t, const struct store_balance *row, const char *none)
{
	char ratio[RATIO_TEXT_SIZE];
	text_put(t, ratio_print(row->out_bytes, row->in_bytes, ratio) ? ratio : none);
}

/* ---- JSON ---- */

/* `key` brings its punctuation. */
static void put_string(struct text *t, const char *key, const char *value)
{
	text_put(t, key);
	text_json_string(t, value);
}

static void put_window(struct text *t, const struct view *v)
{
	char from[24], to[24];
	text_time_print(v->query.from, from);
	text_time_print(v->query.to, to);
	put_string(t, "{\"from\":", from);
	put_string(t, ",\"to\":", to);
	text_printf(t, ",\"bin_seconds\":%" PRIu32, v->bin_seconds);
}

static void json_source(struct text *t, const struct view *v, const struct store_balance *row)
{
	const struct detail_options detail = detail_of(v);
	text_printf(t, "\"%s\":{\"out_bytes\":%s,\"in_bytes\":%s,\"ratio\":", sources[row->source],
	            row->out_bytes, row->in_bytes);
	put_ratio(t, row, "null");
	text_printf(t,
	            ",\"p95_out_bps\":%" PRIu64 ",\"p95_in_bps\":%" PRIu64
	            ",\"bins_known\":%" PRIu64 ",\"bins_expected\":%" PRIu64 "%s",
	            ratio_bps(row->p95_out_bytes, v->bin_seconds),
	            ratio_bps(row->p95_in_bytes, v->bin_seconds), row->bins_known, v->expected,
	            row->source == STORE_ANNOUNCE ? ",\"estimate\":true" : "");
	detail_json(t, &detail, row);
	text_put(t, "}");
}

/* Those that are about it: their verdict is another one. */
static void put_policies(struct text *t, const struct view *v, const struct balance *b,
                         const char *between, void put(struct text *t, const char *id))
{
	size_t n = 0;
	for (size_t i = 0; i < v->n_policies; i++) {
		const struct policy_name *p = &v->policies[i];
		if (strcmp(p->interconnect, b->rows->interconnect) != 0 ||
		    strcmp(p->provider, b->rows->provider) != 0)
			continue;
		text_put(t, n++ > 0 ? between : "");
		put(t, p->policy);
	}
}

static void json_balance(struct text *t, const struct view *v, const struct balance *b)
{
	put_string(t, "{\"provider\":", b->rows->provider);
	put_string(t, ",\"interconnect\":", b->rows->interconnect);
	text_printf(t, ",\"neighbor_asn\":%" PRIu32, b->rows->neighbor_asn);
	put_string(t, ",\"relation\":", b->rows->relation);
	text_put(t, ",\"sources\":{");
	for (size_t i = 0; i < b->n; i++) {
		text_put(t, i > 0 ? "," : "");
		json_source(t, v, &b->rows[i]);
	}
	text_put(t, "},\"ratio_limit\":");
	put_limit(t, b->limit_milli, "null");
	put_string(t, ",\"verdict\":", ratio_verdict_name(b->verdict));
	text_put(t, ",\"verdict_source\":");
	if (b->judged_by != NULL)
		text_json_string(t, b->judged_by);
	else
		text_put(t, "null");
	text_put(t, ",\"policies\":[");
	put_policies(t, v, b, ",", text_json_string);
	text_put(t, "]}");
}

/* The figures' meaning travels with them: other definitions give other verdicts. */
static void json_definitions(struct text *t, uint32_t overhead_bytes)
{
	text_printf(
		t,
		"\"definitions\":{"
		"\"direction\":\"out and in as seen from the provider: out leaves its network\","
		"\"ratio\":\"out:in by volume over the whole window; null when in is 0\","
		"\"percentile\":\"95th, nearest rank over known bins, per direction\","
		"\"verdict\":\"the larger direction against the smaller: warn from %d %% of "
		"ratio_limit, breach beyond it; of the first source there is among flow, "
		"counter, announce; of this window by volume alone, and not what a policy says\","
		"\"policies\":\"those about this interconnect: by their own limit, window, metric and "
		"scope they have a verdict in /v1/reports/policies\","
		"\"announce\":\"an estimate from what clients reported to this tracker; only "
		"its swarms are counted\","
		"\"flow\":\"measured from flow exports\","
		"\"counter\":\"measured by interface counters; all traffic is counted\","
		"\"layer\":\"of out_bytes and in_bytes: l2 as an interface counts Ethernet, l3 IP; "
		"the other by the packets, %" PRIu32 " bytes each; null where a bin has none\","
		"\"p2p\":\"of the bytes, those of peers that this tracker knows\","
		"\"quality\":\"known bins that were watched in part, split from longer readings, "
		"across a reset of the counter, sampled, changed after they were closed, with "
		"exports lost; missing bins count as nothing\"}",
		RATIO_WARN_PERCENT, overhead_bytes);
}

static void balance_json(struct text *t, const struct view *v, const struct report_options *o,
                         const struct store_balance *rows, size_t n)
{
	put_window(t, v);
	text_put(t, ",\"interconnects\":[");
	for (size_t i = 0; i < n;) {
		const struct balance b = judge_window(rows + i, n - i, o);
		text_put(t, i > 0 ? ",\n" : "\n");
		json_balance(t, v, &b);
		i += b.n > 0 ? b.n : 1;
	}
	text_put(t, "],\n");
	json_definitions(t, v->overhead_bytes);
	text_put(t, "}\n");
}

/* ---- CSV (RFC 4180) ---- */

static void csv_string(struct text *t, const char *value)
{
	text_csv_field(t, value);
	text_put(t, ",");
}

/* One line; `row` is NULL for an interconnect without bins. */
static void csv_line(struct text *t, const struct view *v, const struct balance *b,
                     const struct store_balance *row)
{
	const struct detail_options detail = detail_of(v);
	char from[24], to[24];
	text_time_print(v->query.from, from);
	text_time_print(v->query.to, to);
	text_printf(t, "%s,%s,%" PRIu32 ",", from, to, v->bin_seconds);
	csv_string(t, b->rows->provider);
	csv_string(t, b->rows->interconnect);
	text_printf(t, "%" PRIu32 ",", b->rows->neighbor_asn);
	csv_string(t, b->rows->relation);
	if (row != NULL) {
		text_printf(t, "%s,%s,%s,%s,", sources[row->source],
		            row->source == STORE_ANNOUNCE ? "true" : "false", row->out_bytes,
		            row->in_bytes);
		put_ratio(t, row, "");
		text_printf(t, ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",",
		            ratio_bps(row->p95_out_bytes, v->bin_seconds),
		            ratio_bps(row->p95_in_bytes, v->bin_seconds), row->bins_known,
		            v->expected);
	} else {
		text_printf(t, ",,,,,,,0,%" PRIu64 ",", v->expected);
	}
	put_limit(t, b->limit_milli, "");
	text_printf(t, ",%s,%s", ratio_verdict_name(b->verdict),
	            b->judged_by != NULL ? b->judged_by : "");
	if (row != NULL)
		detail_csv(t, &detail, row);
	else
		detail_csv_none(t);
	text_put(t, ",");
	put_policies(t, v, b, " ", text_put); /* ids have no blanks or commas */
	text_put(t, "\r\n");
}

static void balance_csv(struct text *t, const struct view *v, const struct report_options *o,
                        const struct store_balance *rows, size_t n)
{
	text_put(t,
	         "from,to,bin_seconds,provider,interconnect,neighbor_asn,relation,source,estimate,"
	         "out_bytes,in_bytes,ratio,p95_out_bps,p95_in_bps,bins_known,bins_expected,"
	         "ratio_limit,verdict,verdict_source");
	text_put(t, detail_csv_head);
	text_put(t, ",policies\r\n");
	for (size_t i = 0; i < n;) {
		const struct balance b = judge_window(rows + i, n - i, o);
		for (size_t k = 0; k < b.n; k++)
			csv_line(t, v, &b, &b.rows[k]);
		if (b.n == 0)
			csv_line(t, v, &b, NULL);
		i += b.n > 0 ? b.n : 1;
	}
}

/* ---- entry ---- */

enum err report_balance(struct store *s, const struct report_options *o,
                        const struct report_query *q, struct text *out)
{
	struct view v = view_of(q, o);
	const struct store_window window = window_of(&v);
	struct policy_name *policies;
	struct store_balance *rows;
	size_t n;
	enum err e = policies_names(s, q->provider, &policies, &v.n_policies);
	if (e != ERR_OK)
		return e;
	v.policies = policies;
	e = store_balance(s, &window, &rows, &n);
	if (e != ERR_OK) {
		free(policies);
		return e;
	}
	if (q->csv)
		balance_csv(out, &v, o, rows, n);
	else
		balance_json(out, &v, o, rows, n);
	free(rows);
	free(policies);
	return out->bad ? ERR_NOMEM : ERR_OK;
}

/* ---- quality ---- */

static void quality_row(struct text *t, const struct view *v, const struct store_balance *row,
                        bool csv)
{
	const struct store_balance none = { .gap_seconds = v->query.to - v->query.from,
		                            .gap_from = v->query.from };
	const struct detail_options detail = detail_of(v);
	const char *source = row->has_bins ? sources[row->source] : NULL;
	const struct store_balance *counted = row->has_bins ? row : &none;
	if (csv) {
		csv_string(t, row->provider);
		csv_string(t, row->interconnect);
		text_printf(t, "%s,%" PRIu64 ",%" PRIu64 ",", source != NULL ? source : "",
		            v->expected, row->bins_known);
		quality_csv(t, &detail, counted);
		text_put(t, "\r\n");
		return;
	}
	put_string(t, "{\"provider\":", row->provider);
	put_string(t, ",\"interconnect\":", row->interconnect);
	text_printf(t, ",\"source\":%s%s%s", source != NULL ? "\"" : "",
	            source != NULL ? source : "null", source != NULL ? "\"" : "");
	text_printf(t, ",\"expected\":%" PRIu64 ",\"known\":%" PRIu64 ",", v->expected,
	            row->bins_known);
	quality_json(t, &detail, counted);
	text_put(t, "}");
}

enum err report_quality(struct store *s, const struct report_options *o,
                        const struct report_query *q, struct text *out)
{
	const struct view v = view_of(q, o);
	const struct store_window window = window_of(&v);
	struct store_balance *rows;
	size_t n;
	const enum err e = store_balance(s, &window, &rows, &n);
	if (e != ERR_OK)
		return e;
	if (q->csv) {
		text_put(out, "provider,interconnect,source,expected,known,");
		text_put(out, quality_csv_head);
		text_put(out, "\r\n");
	} else {
		put_window(out, &v);
		text_put(out, ",\"rows\":[");
	}
	for (size_t i = 0; i < n; i++) {
		text_put(out, q->csv ? "" : i > 0 ? ",\n" : "\n");
		quality_row(out, &v, &rows[i], q->csv);
	}
	text_put(out, q->csv ? "" : "]}\n");
	free(rows);
	return out->bad ? ERR_NOMEM : ERR_OK;
}

enum err report_series(struct store *s, const struct report_options *o,
                       const struct report_query *q, enum store_source source, struct text *out)
{
	const struct view v = view_of(q, o);
	const struct store_window window = window_of(&v);
	struct store_point *points;
	size_t n;
	const enum err e = store_series(s, &window, source, &points, &n);
	if (e != ERR_OK)
		return e;
	put_window(out, &v);
	text_printf(out, ",\"source\":\"%s\"%s,\"points\":[", sources[source],
	            source == STORE_ANNOUNCE ? ",\"estimate\":true" : "");
	for (size_t i = 0; i < n; i++)
		text_printf(out, "%s[%" PRId64 ",%" PRIu64 ",%" PRIu64 "]", i > 0 ? "," : "",
		            points[i].start, points[i].out_bytes, points[i].in_bytes);
	text_put(out, "]}\n");
	free(points);
	return out->bad ? ERR_NOMEM : ERR_OK;
}
