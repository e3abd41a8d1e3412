/* SPDX-License-Identifier: Apache-2.0 */
#include "server/report/comparison.h"
#include "server/report/report.h"

#include <inttypes.h>
#include <stdlib.h>

static const struct {
	const char *name;
	double quantile;
} times[] = { { "median", 0.5 }, { "p95", 0.95 } };
enum { TIMES = sizeof(times) / sizeof(times[0]) };

/* Savings are claimed for private torrents alone, and only where an interval says how sure they are. */
static bool claims(const struct comparison *c, const struct figure *outside)
{
	return c->rows->flagged && outside->known;
}

/* ---- JSON ---- */

static void json_arm(struct text *t, const struct comparison *c, unsigned arm)
{
	const struct arm_sums all = comparison_sums(c, arm);
	text_printf(t, ",\"%s\":{\"bytes\":%" PRIu64 ",\"groups\":%zu,\"tiers\":{", arm_names[arm],
	            comparison_bytes(c, arm, STORE_TIERS), c->n[arm]);
	for (unsigned k = 0; k < STORE_TIERS; k++)
		text_printf(t, "%s\"%s\":%" PRIu64, k > 0 ? "," : "", figure_name(k),
		            comparison_bytes(c, arm, k));
	text_printf(t,
	            "},\"copies\":{\"downloaded\":%.6f,\"imported\":%.6f,\"swarms\":%" PRIu64
	            ",\"unsized\":%" PRIu64 "},\"completed\":%" PRIu64 "}",
	            (double)all.copies / 1e6, (double)all.imported / 1e6, all.swarms, all.unsized,
	            all.completed);
}

/* A number, or null where it is not known. */
static void json_number(struct text *t, const char *name, bool known, double value)
{
	if (known)
		text_printf(t, ",\"%s\":%.6f", name, value);
	else
		text_printf(t, ",\"%s\":null", name);
}

static double change(const struct figure *f)
{
	return f->value[TREATED] - f->value[CONTROL];
}

static double ratio(const struct figure *f)
{
	return f->value[TREATED] / f->value[CONTROL];
}

static void json_arms(struct text *t, const struct figure *f)
{
	if (f->has[TREATED])
		text_printf(t, "\"treated\":%.6f", f->value[TREATED]);
	else
		text_put(t, "\"treated\":null");
	json_number(t, "control", f->has[CONTROL], f->value[CONTROL]);
}

static void json_figure(struct text *t, unsigned which, const struct figure *f)
{
	text_printf(t, "\"%s\":{", figure_name(which));
	json_arms(t, f);
	json_number(t, "difference", f->known, change(f));
	json_number(t, "low", f->known, f->interval.low);
	json_number(t, "high", f->known, f->interval.high);
	text_put(t, "}");
}

static void json_times(struct text *t, const struct comparison *c)
{
	text_put(t, ",\"seconds_to_complete\":{");
	for (unsigned i = 0; i < TIMES; i++) {
		const struct figure f = comparison_time(c, times[i].quantile);
		text_printf(t, "%s\"%s\":{", i > 0 ? "," : "", times[i].name);
		json_arms(t, &f);
		json_number(t, "ratio", f.has[TREATED] && f.has[CONTROL], ratio(&f));
		json_number(t, "low", f.known, f.interval.low);
		json_number(t, "high", f.known, f.interval.high);
		text_put(t, "}");
	}
	text_put(t, "}");
}

static void json_saved(struct text *t, const struct comparison *c, const struct figure *outside)
{
	const double treated = (double)comparison_bytes(c, TREATED, STORE_TIERS);
	if (!claims(c, outside)) {
		text_put(t, ",\"saved_outside_bytes\":null");
		return;
	}
	text_printf(t, ",\"saved_outside_bytes\":{\"estimate\":%.0f,\"low\":%.0f,\"high\":%.0f}",
	            treated * (outside->value[CONTROL] - outside->value[TREATED]),
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
	for (unsigned i = 0; i < FIGURE_SHARES; i++) {
		f = comparison_figure(c, i); /* the last one is what came from outside */
		text_put(t, i > 0 ? "," : "");
		json_figure(t, i, &f);
	}
	text_put(t, "}");
	json_saved(t, c, &f);
	for (unsigned i = FIGURE_SHARES; i < FIGURES; i++) {
		f = comparison_figure(c, i);
		text_put(t, ",");
		json_figure(t, i, &f);
	}
	json_times(t, c);
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
		"\"copies\":\"bytes downloaded by the size of the content, summed over swarms; the size "
		"is the most that one of its clients in that bin lacked when its session began, so "
		"where all went on with a part it is too small; swarms: with bytes, once for each "
		"bin; unsized: of them, left out\","
		"\"imported\":\"copies from outside; imported_per_copy: of those downloaded; "
		"imported_per_swarm: for each swarm and bin in which the provider's clients "
		"downloaded\","
		"\"completed\":\"downloads whose time is known: from the first announce of a client "
		"that has nothing to the one that says it has everything; not of those that went on "
		"with a part, came again in between, or were under way when this tracker was started "
		"or its clock stepped; with very many clients, of a share drawn by a hash\","
		"\"seconds_to_complete\":\"nearest rank, from buckets: told within 9.1 %% of the "
		"announced, up to 12 days; ratio: treated by control, with its low and high; those "
		"that gave up are not in it\","
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
		const struct comparison c = comparison_take(rows + i, n - i);
		text_put(t, i > 0 ? ",\n" : "\n");
		json_comparison(t, &c);
		i += c.n[TREATED] + c.n[CONTROL];
	}
	text_put(t, "],\n");
	json_definitions(t);
	text_put(t, "}\n");
}

/* ---- CSV (RFC 4180) ---- */

struct line {
	const struct report_query *query;
	const struct comparison *c;
	const char *name;
	struct figure figure;
	bool is_time;
};

static void csv_known(struct text *t, bool known, double value)
{
	if (known)
		text_printf(t, "%.6f", value);
	text_put(t, ",");
}

static void csv_line(struct text *t, const struct line *l)
{
	const struct comparison *c = l->c;
	const struct figure *f = &l->figure;
	char from[24], to[24];
	text_time_print(l->query->from, from);
	text_time_print(l->query->to, to);
	text_printf(t, "%s,%s,", from, to);
	text_csv_field(t, c->rows->provider);
	text_put(t, ",");
	text_csv_field(t, c->rows->policy);
	text_printf(t, ",%s,announce,true,%s,%zu,%zu,", c->rows->flagged ? "private" : "open",
	            l->name, c->n[TREATED], c->n[CONTROL]);
	for (unsigned a = 0; a < ARMS; a++)
		text_printf(t, "%" PRIu64 ",", comparison_bytes(c, a, STORE_TIERS));
	for (unsigned a = 0; a < ARMS; a++)
		text_printf(t, "%" PRIu64 ",", comparison_sums(c, a).completed);
	for (unsigned a = 0; a < ARMS; a++)
		csv_known(t, f->has[a], f->value[a]);
	csv_known(t, !l->is_time && f->known, change(f));
	csv_known(t, l->is_time && f->has[TREATED] && f->has[CONTROL], ratio(f));
	csv_known(t, f->known, f->interval.low);
	csv_known(t, f->known, f->interval.high);
	text_printf(t, "%s\r\n", c->rows->flagged ? "steerable" : "not steerable");
}

static void csv_comparison(struct text *t, const struct report_query *q, const struct comparison *c)
{
	static const char *const names[TIMES] = { "median_seconds", "p95_seconds" };
	struct line l = { .query = q, .c = c };
	for (unsigned k = 0; k < FIGURES; k++) {
		l.name = figure_name(k);
		l.figure = comparison_figure(c, k);
		csv_line(t, &l);
	}
	l.is_time = true;
	for (unsigned k = 0; k < TIMES; k++) {
		l.name = names[k];
		l.figure = comparison_time(c, times[k].quantile);
		csv_line(t, &l);
	}
}

static void put_csv(struct text *t, const struct report_query *q, const struct store_steering *rows,
                    size_t n)
{
	text_put(t, "from,to,provider,policy,torrents,source,estimate,figure,treated_groups,"
	            "control_groups,treated_bytes,control_bytes,treated_completed,"
	            "control_completed,treated,control,difference,ratio,low,high,steerable\r\n");
	for (size_t i = 0; i < n;) {
		const struct comparison c = comparison_take(rows + i, n - i);
		csv_comparison(t, q, &c);
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

static struct report_effect effect(const struct comparison *c)
{
	const struct figure f = comparison_figure(c, FIGURE_OUTSIDE);
	struct report_effect e = { .known = f.known };
	memcpy(e.provider, c->rows->provider, sizeof(e.provider));
	memcpy(e.policy, c->rows->policy, sizeof(e.policy));
	if (f.known) {
		e.low = 100 * f.interval.low;
		e.high = 100 * f.interval.high;
	}
	return e;
}

enum err report_effects(struct store *s, const struct report_options *o,
                        const struct report_query *q, struct report_effect **out, size_t *count)
{
	const struct store_window window = {
		.from = q->from, .to = q->to, .bin_seconds = o->bin_seconds, .provider = q->provider
	};
	struct store_steering *rows;
	size_t n, kept = 0;
	const enum err e = store_steering(s, &window, &rows, &n);
	if (e != ERR_OK)
		return e;
	struct report_effect *list = calloc(n + 1, sizeof(*list));
	for (size_t i = 0; i < n && list != NULL;) {
		const struct comparison c = comparison_take(rows + i, n - i);
		if (c.rows->flagged)
			list[kept++] = effect(&c);
		i += c.n[TREATED] + c.n[CONTROL];
	}
	free(rows);
	if (list == NULL)
		return ERR_NOMEM;
	*out = list;
	*count = kept;
	return ERR_OK;
}
