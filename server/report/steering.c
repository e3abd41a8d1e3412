/* SPDX-License-Identifier: Apache-2.0 */
#include "server/report/report.h"

#include "common/balance/bootstrap.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { GROUPS_MAX = 256, SEED = 20081017 /* any, but always the same */ };
enum { TREATED, CONTROL, ARMS };

static const char *const arm_names[ARMS] = { "treated", "control" };
static const char *const tiers[STORE_TIERS] = { "same_pid",     "same_provider", "settlement_free",
	                                        "paid_peering", "transit",       "unknown" };
/* The figures: a tier each, and what came from outside the provider. */
enum { OUTSIDE = STORE_TIERS, FIGURES, FIRST_OUTSIDE = 2 };

/* One provider, policy and kind of torrents. */
struct comparison {
	const struct store_steering *rows; /* treated before control */
	size_t n[ARMS];
};

struct figure {
	double share[ARMS];
	bool known; /* the interval is */
	struct bootstrap_interval interval;
};

static const char *figure_name(unsigned f)
{
	return f == OUTSIDE ? "outside" : tiers[f];
}

static bool belongs(const struct store_steering *a, const struct store_steering *b)
{
	return a->flagged == b->flagged && strcmp(a->provider, b->provider) == 0 &&
	       strcmp(a->policy, b->policy) == 0;
}

/* Takes what `rows` begins with. */
static struct comparison take(const struct store_steering *rows, size_t left)
{
	struct comparison c = { .rows = rows };
	for (size_t i = 0; i < left && belongs(rows, &rows[i]); i++)
		c.n[rows[i].control ? CONTROL : TREATED]++;
	return c;
}

static const struct store_steering *arm_rows(const struct comparison *c, unsigned arm)
{
	return c->rows + (arm == CONTROL ? c->n[TREATED] : 0);
}

static double sum(const struct store_steering *row, unsigned from, unsigned end)
{
	double bytes = 0;
	for (unsigned k = from; k < end; k++)
		bytes += (double)row->bytes[k];
	return bytes;
}

static size_t units_of(const struct comparison *c, unsigned arm, unsigned figure,
                       struct bootstrap_unit out[static GROUPS_MAX])
{
	const struct store_steering *rows = arm_rows(c, arm);
	const unsigned from = figure == OUTSIDE ? FIRST_OUTSIDE : figure;
	const unsigned end = figure == OUTSIDE ? STORE_TIERS : figure + 1;
	const size_t n = c->n[arm] < GROUPS_MAX ? c->n[arm] : GROUPS_MAX;
	for (size_t i = 0; i < n; i++)
		out[i] = (struct bootstrap_unit){ sum(&rows[i], from, end),
			                          sum(&rows[i], 0, STORE_TIERS) };
	return n;
}

static struct figure compare(const struct comparison *c, unsigned figure)
{
	struct bootstrap_unit units[ARMS][GROUPS_MAX];
	struct bootstrap_arm arms[ARMS];
	struct figure f;
	for (unsigned a = 0; a < ARMS; a++) {
		arms[a] = (struct bootstrap_arm){ units[a], units_of(c, a, figure, units[a]) };
		f.share[a] = bootstrap_share(&arms[a]);
	}
	f.known = bootstrap_difference(&arms[TREATED], &arms[CONTROL], SEED, &f.interval);
	return f;
}

/* Bytes of an arm that came over a tier; STORE_TIERS: all. Integers, for they may pass 2^53. */
static uint64_t bytes_of(const struct comparison *c, unsigned arm, unsigned tier)
{
	uint64_t bytes = 0;
	for (size_t i = 0; i < c->n[arm]; i++)
		for (unsigned k = 0; k < STORE_TIERS; k++)
			if ((tier == STORE_TIERS || k == tier) &&
			    __builtin_add_overflow(bytes, arm_rows(c, arm)[i].bytes[k], &bytes))
				return UINT64_MAX;
	return bytes;
}

static void put_bytes(struct text *t, uint64_t bytes)
{
	text_printf(t, "%" PRIu64, bytes);
}

/* Savings are claimed for private torrents alone, and only where an interval says how sure they are. */
static bool claims(const struct comparison *c, const struct figure *outside)
{
	return c->rows->flagged && outside->known;
}

/* ---- JSON ---- */

static void json_arm(struct text *t, const struct comparison *c, unsigned arm)
{
	text_printf(t, ",\"%s\":{\"bytes\":", arm_names[arm]);
	put_bytes(t, bytes_of(c, arm, STORE_TIERS));
	text_printf(t, ",\"groups\":%zu,\"tiers\":{", c->n[arm]);
	for (unsigned k = 0; k < STORE_TIERS; k++) {
		text_printf(t, "%s\"%s\":", k > 0 ? "," : "", tiers[k]);
		put_bytes(t, bytes_of(c, arm, k));
	}
	text_put(t, "}}");
}

static void json_share(struct text *t, const struct comparison *c, unsigned arm, double share)
{
	if (c->n[arm] > 0)
		text_printf(t, "\"%s\":%.6f", arm_names[arm], share);
	else
		text_printf(t, "\"%s\":null", arm_names[arm]);
}

static void json_figure(struct text *t, const struct comparison *c, unsigned which,
                        const struct figure *f)
{
	text_printf(t, "%s\"%s\":{", which > 0 ? "," : "", figure_name(which));
	json_share(t, c, TREATED, f->share[TREATED]);
	text_put(t, ",");
	json_share(t, c, CONTROL, f->share[CONTROL]);
	if (f->known)
		text_printf(t, ",\"difference\":%.6f,\"low\":%.6f,\"high\":%.6f}",
		            f->share[TREATED] - f->share[CONTROL], f->interval.low,
		            f->interval.high);
	else
		text_put(t, ",\"difference\":null,\"low\":null,\"high\":null}");
}

static void json_saved(struct text *t, const struct comparison *c, const struct figure *outside)
{
	const double treated = (double)bytes_of(c, TREATED, STORE_TIERS);
	if (!claims(c, outside)) {
		text_put(t, ",\"saved_outside_bytes\":null");
		return;
	}
	text_printf(t, ",\"saved_outside_bytes\":{\"estimate\":%.0f,\"low\":%.0f,\"high\":%.0f}",
	            treated * (outside->share[CONTROL] - outside->share[TREATED]),
	            -treated * outside->interval.high, -treated * outside->interval.low);
}

static void json_comparison(struct text *t, const struct comparison *c)
{
	struct figure f = { .known = false };
	text_put(t, "{\"provider\":");
	text_json_string(t, c->rows->provider);
	text_put(t, ",\"policy\":");
	text_json_string(t, c->rows->policy);
	text_printf(t, ",\"torrents\":\"%s\",\"steerable\":\"%s\"",
	            c->rows->flagged ? "private" : "open",
	            c->rows->flagged ? "steerable" : "not steerable");
	json_arm(t, c, TREATED);
	json_arm(t, c, CONTROL);
	text_put(t, ",\"shares\":{");
	for (unsigned i = 0; i < FIGURES; i++) {
		f = compare(c, i); /* the last one is what came from outside */
		json_figure(t, c, i, &f);
	}
	text_put(t, "}");
	json_saved(t, c, &f);
	text_put(t, "}");
}

static void json_definitions(struct text *t)
{
	text_printf(
		t,
		"\"definitions\":{"
		"\"bytes\":\"bytes that the provider's clients downloaded, by the tier of the "
		"provider's own book\","
		"\"source\":\"announce: an estimate from what clients reported to this tracker and "
		"whom it handed out\","
		"\"control\":\"swarms that a hash left to native lists for this provider's clients; "
		"clients of other providers may be steered there\","
		"\"outside\":\"all tiers but same_pid and same_provider\","
		"\"difference\":\"share treated minus share control\","
		"\"low, high\":\"95 %% percentile bootstrap over groups of swarms, %d draws, a fixed "
		"seed; null with fewer than %d groups in an arm\","
		"\"saved_outside_bytes\":\"outside bytes that the treated arm would have had more "
		"with the control arm's share\","
		"\"open\":\"not steerable, or not known to be: without the private flag (BEP 27) "
		"clients also meet by DHT and peer exchange; no savings are claimed\"}",
		BOOTSTRAP_DRAWS, BOOTSTRAP_LEAST);
}

static void put_json(struct text *t, const struct report_query *q, const struct report_options *o,
                     const struct store_steering *rows, size_t n)
{
	char from[24], to[24];
	text_time_print(q->from, from);
	text_time_print(q->to, to);
	text_printf(t,
	            "{\"from\":\"%s\",\"to\":\"%s\",\"bin_seconds\":%" PRIu32
	            ",\"source\":\"announce\",\"estimate\":true,\"comparisons\":[",
	            from, to, o->bin_seconds);
	for (size_t i = 0; i < n;) {
		const struct comparison c = take(rows + i, n - i);
		text_put(t, i > 0 ? ",\n" : "\n");
		json_comparison(t, &c);
		i += c.n[TREATED] + c.n[CONTROL];
	}
	text_put(t, "],\n");
	json_definitions(t);
	text_put(t, "}\n");
}

/* ---- CSV (RFC 4180) ---- */

static void csv_line(struct text *t, const struct report_query *q, const struct comparison *c,
                     unsigned which)
{
	char from[24], to[24];
	const struct figure f = compare(c, which);
	text_time_print(q->from, from);
	text_time_print(q->to, to);
	text_printf(t, "%s,%s,", from, to);
	text_csv_field(t, c->rows->provider);
	text_put(t, ",");
	text_csv_field(t, c->rows->policy);
	text_printf(t, ",%s,announce,true,%s,%zu,%zu,", c->rows->flagged ? "private" : "open",
	            figure_name(which), c->n[TREATED], c->n[CONTROL]);
	for (unsigned a = 0; a < ARMS; a++) {
		put_bytes(t, bytes_of(c, a, STORE_TIERS));
		text_put(t, ",");
	}
	for (unsigned a = 0; a < ARMS; a++) {
		if (c->n[a] > 0)
			text_printf(t, "%.6f", f.share[a]);
		text_put(t, ",");
	}
	if (f.known)
		text_printf(t, "%.6f,%.6f,%.6f", f.share[TREATED] - f.share[CONTROL],
		            f.interval.low, f.interval.high);
	else
		text_put(t, ",,");
	text_printf(t, ",%s\r\n", c->rows->flagged ? "steerable" : "not steerable");
}

static void put_csv(struct text *t, const struct report_query *q, const struct store_steering *rows,
                    size_t n)
{
	text_put(t, "from,to,provider,policy,torrents,source,estimate,share_of,treated_groups,"
	            "control_groups,treated_bytes,control_bytes,treated_share,control_share,"
	            "difference,low,high,steerable\r\n");
	for (size_t i = 0; i < n;) {
		const struct comparison c = take(rows + i, n - i);
		for (unsigned k = 0; k < FIGURES; k++)
			csv_line(t, q, &c, k);
		i += c.n[TREATED] + c.n[CONTROL];
	}
}

enum err report_steering(struct store *s, const struct report_options *o,
                         const struct report_query *q, struct text *out)
{
	/* What asks for an interconnect without a name may see nothing; no provider has none either. */
	const bool nothing = q->interconnect != NULL && q->interconnect[0] == '\0';
	const struct store_window window = { .from = q->from,
		                             .to = q->to,
		                             .bin_seconds = o->bin_seconds,
		                             .provider = nothing ? "" : q->provider };
	struct store_steering *rows;
	size_t n;
	const enum err e = store_steering(s, &window, &rows, &n);
	if (e != ERR_OK)
		return e;
	if (q->csv)
		put_csv(out, q, rows, n);
	else
		put_json(out, q, o, rows, n);
	free(rows);
	return out->bad ? ERR_NOMEM : ERR_OK;
}
