/* SPDX-License-Identifier: Apache-2.0 */
#include "server/report/matrix.h"

#include "common/balance/calibrate.h"
#include "common/balance/spread.h"
#include "server/store/calibrations.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Beyond these a swarm's reports contradict each other; of less than that nothing is said. */
#define LOPSIDED       0.5
#define LOPSIDED_LEAST 1e9

static const char *const directions[] = {
	[STORE_INSIDE] = "inside", [STORE_OUT] = "out", [STORE_IN] = "in"
};
static const char *const tiers[STORE_TIERS] = { "same_pid",     "same_provider", "settlement_free",
	                                        "paid_peering", "transit",       "unknown" };
static const char *const levels[] = {
	[REPORT_PID] = "pid", [REPORT_AS] = "as", [REPORT_INTERCONNECT] = "interconnect"
};

/* ---- intervals ---- */

struct interval {
	double low, high;
	bool bounded; /* all clients met through us, as far as anybody knows */
};

/*
 * Of private torrents alone, and where contacts of ours explain the bytes: elsewhere clients find each
 * other without us, and what that moves nothing here says.
 */
static struct interval interval_of(const struct store_sum *s)
{
	const double bytes = strtod(s->bytes, NULL), half = spread_half(bytes, s->spread);
	return (struct interval){ .low = fmax(0, bytes - half),
		                  .high = bytes + half,
		                  .bounded = strtod(s->private_bytes, NULL) >= 0.99 * bytes &&
		                             strtod(s->unmet_bytes, NULL) <= 0.01 * bytes };
}

static void json_sum(struct text *t, const struct store_sum *s)
{
	const struct interval i = interval_of(s);
	text_printf(t,
	            "\"bytes\":%s,\"low\":%.0f,\"high\":%.0f,\"bounded\":%s,\"private_bytes\":%s,"
	            "\"unmet_bytes\":%s,\"cost\":%.6f",
	            s->bytes, i.low, i.high, i.bounded ? "true" : "false", s->private_bytes,
	            s->unmet_bytes, s->cost);
}

static void csv_sum(struct text *t, const struct store_sum *s)
{
	const struct interval i = interval_of(s);
	text_printf(t, "%s,%.0f,%.0f,%s,%s,%s,%.6f", s->bytes, i.low, i.high,
	            i.bounded ? "true" : "false", s->private_bytes, s->unmet_bytes, s->cost);
}

/* ---- what all answers say ---- */

static void json_name(struct text *t, const char *key, const char *value)
{
	text_printf(t, "\"%s\":", key);
	if (value[0] != '\0')
		text_json_string(t, value);
	else
		text_put(t, "null");
}

static void json_head(struct text *t, const struct report_ask *ask, uint32_t bin_seconds,
                      const struct store_matrix_about *about)
{
	const struct report_query *q = &ask->query;
	char from[24], to[24];
	text_time_print(q->from, from);
	text_time_print(q->to, to);
	text_printf(t,
	            "{\"from\":\"%s\",\"to\":\"%s\",\"bin_seconds\":%" PRIu32 ",\"source\":"
	            "\"announce\",\"estimate\":true,\"bins_known\":%" PRIu64
	            ",\"bins_expected\":%" PRId64 ",\"hours\":%" PRIu64 ",",
	            from, to, bin_seconds, about->bins_known, (q->to - q->from) / bin_seconds,
	            about->hours);
}

static void json_tail(struct text *t, const struct store_matrix_about *about, size_t n)
{
	text_printf(t,
	            "],\"total\":{\"rows\":%" PRIu64 ",\"shown\":%zu,\"bytes\":%s,\"cost\":%.6f},",
	            about->rows, n, about->all.bytes, about->all.cost);
	text_put(
		t,
		"\"definitions\":{"
		"\"bytes\":\"of content, as clients reported them; in the book of each provider, so that "
		"what goes from one to another is in two\","
		"\"interval\":\"nominal 90 % (low to high) around an estimate from announces: it bounds "
		"the error only where bounded is true; open torrents' clients also meet by PEX and DHT\","
		"\"calibrated\":\"bytes times the running mean of what flows measured of peer-to-peer "
		"bytes by what announces told, day by day (UTC), with a nominal interval of 90 %; "
		"null where no flows say so\","
		"\"unmet_bytes\":\"between places of which the tracker brought no clients together\","
		"\"cost\":\"cost units: billions of bytes times the interconnect's documented cost in their "
		"direction when the bin was closed; no money\","
		"\"hours\":\"bins older than two days are kept as so many hours: what lies in an hour that "
		"the window cuts is left out, and its bins are not known\"}}\n");
}

static struct store_ask store_ask_of(const struct report_ask *ask)
{
	static const enum store_level near[] = { [REPORT_PID] = STORE_BY_NEAR,
		                                 [REPORT_AS] = STORE_BY_AS,
		                                 [REPORT_INTERCONNECT] = STORE_BY_INTERCONNECT };
	const bool all = ask->level == REPORT_PID && !ask->scoped;
	const struct report_query *q = &ask->query;
	const bool nothing = q->interconnect != NULL && q->interconnect[0] == '\0';
	return (struct store_ask){
		.window = { .from = q->from, .to = q->to, .provider = nothing ? "" : q->provider },
		.level = all ? STORE_BY_PID : near[ask->level],
		.order = ask->by_cost ? STORE_BY_COST : STORE_BY_BYTES,
		.limit = ask->limit,
		.least_clients = ask->least_clients
	};
}

/* What every line of a CSV begins with. */
static void csv_head(struct text *t, const struct report_ask *ask)
{
	char from[24], to[24];
	text_time_print(ask->query.from, from);
	text_time_print(ask->query.to, to);
	text_printf(t, "%s,%s,announce,true,", from, to);
}

static void csv_field(struct text *t, const char *s)
{
	text_csv_field(t, s);
	text_put(t, ",");
}

/* ---- the matrix ---- */

/* All that is known until the end of the window. */
struct factors {
	struct store_calibration *list;
	size_t n;
};

/* What flows make of a row across an interconnect. false: they say nothing of it. */
static bool calibrated(const struct factors *f, const struct store_matrix_row *r,
                       const struct store_calibration **by, struct calibrated *out)
{
	for (size_t i = 0; i < f->n; i++) {
		const struct store_calibration *c = &f->list[i];
		if (c->direction != r->direction || strcmp(c->provider, r->provider) != 0 ||
		    strcmp(c->interconnect, r->interconnect) != 0)
			continue;
		const struct calibration all = { .k = c->k, .sigma = c->sigma, .days = c->days };
		*by = c;
		*out = calibrate_bytes(&all, strtod(r->sum.bytes, NULL));
		return true;
	}
	return false;
}

static void json_calibrated(struct text *t, const struct factors *f,
                            const struct store_matrix_row *r)
{
	const struct store_calibration *by;
	struct calibrated c;
	if (!calibrated(f, r, &by, &c)) {
		text_put(t, ",\"calibrated\":null");
		return;
	}
	text_printf(t,
	            ",\"calibrated\":{\"source\":\"announce+flow\",\"bytes\":%.0f,\"low\":%.0f,"
	            "\"high\":%.0f,\"factor\":%.6f,\"days\":%u,\"drift\":%s}",
	            c.bytes, c.low, c.high, by->k, by->days, by->drift ? "true" : "false");
}

static void csv_calibrated(struct text *t, const struct factors *f,
                           const struct store_matrix_row *r)
{
	const struct store_calibration *by;
	struct calibrated c;
	if (calibrated(f, r, &by, &c))
		text_printf(t, ",%.0f,%.0f,%.0f,%.6f,%u", c.bytes, c.low, c.high, by->k, by->days);
	else
		text_put(t, ",,,,,");
}

static void json_row(struct text *t, const struct report_ask *ask, const struct factors *f,
                     const struct store_matrix_row *r)
{
	text_put(t, "{");
	json_name(t, "provider", r->provider);
	text_printf(t, ",\"direction\":\"%s\",", directions[r->direction]);
	if (ask->level == REPORT_INTERCONNECT) {
		json_name(t, "interconnect", r->interconnect);
		text_printf(t, ",\"tier\":\"%s\",", tiers[r->tier % STORE_TIERS]);
	} else {
		json_name(t, "from", r->from);
		text_put(t, ",");
		json_name(t, "to", r->to);
		text_put(t, ",");
	}
	json_sum(t, &r->sum);
	if (ask->level == REPORT_INTERCONNECT)
		json_calibrated(t, f, r);
	text_put(t, "}");
}

static void csv_rows(struct text *t, const struct report_ask *ask, const struct factors *f,
                     const struct store_matrix_row *rows, size_t n)
{
	const bool places = ask->level != REPORT_INTERCONNECT;
	text_printf(t,
	            "from,to,source,estimate,provider,direction,%s,bytes,low,high,bounded,"
	            "private_bytes,unmet_bytes,cost_units%s\r\n",
	            places ? "from_place,to_place" : "interconnect,tier",
	            places ? "" : ",calibrated_bytes,calibrated_low,calibrated_high,factor,days");
	for (size_t i = 0; i < n; i++) {
		const struct store_matrix_row *r = &rows[i];
		csv_head(t, ask);
		csv_field(t, r->provider);
		csv_field(t, directions[r->direction]);
		csv_field(t, places ? r->from : r->interconnect);
		csv_field(t, places ? r->to : tiers[r->tier % STORE_TIERS]);
		csv_sum(t, &r->sum);
		if (!places)
			csv_calibrated(t, f, r);
		text_put(t, "\r\n");
	}
}

/* Factors are of interconnects; places have none. */
static enum err read_factors(struct store *s, const struct report_ask *ask, struct factors *out)
{
	*out = (struct factors){ .n = 0 };
	if (ask->level != REPORT_INTERCONNECT)
		return ERR_OK;
	return store_calibrations(s, ask->query.provider, ask->query.to, &out->list, &out->n);
}

enum err report_matrix(struct store *s, const struct report_options *o,
                       const struct report_ask *ask, struct text *out)
{
	const struct store_ask question = store_ask_of(ask);
	struct store_matrix_row *rows;
	struct store_matrix_about about;
	size_t n;
	struct factors factors;
	enum err e = read_factors(s, ask, &factors);
	if (e == ERR_OK)
		e = store_matrix(s, &question, &rows, &n, &about);
	if (e != ERR_OK) {
		free(factors.list);
		return e;
	}
	if (ask->query.csv) {
		csv_rows(out, ask, &factors, rows, n);
	} else {
		json_head(out, ask, o->bin_seconds, &about);
		text_printf(out, "\"level\":\"%s\",\"rows\":[", levels[ask->level]);
		for (size_t i = 0; i < n; i++) {
			text_put(out, i > 0 ? "," : "");
			json_row(out, ask, &factors, &rows[i]);
		}
		json_tail(out, &about, n);
	}
	free(factors.list);
	free(rows);
	return out->bad ? ERR_NOMEM : ERR_OK;
}

/* ---- the largest ---- */

static void json_place(struct text *t, const struct store_top_row *r)
{
	text_put(t, "{");
	json_name(t, "provider", r->provider);
	text_put(t, ",");
	json_name(t, "place", r->place);
	text_printf(t, ",\"inside_bytes\":%s,\"out_bytes\":%s,\"in_bytes\":%s,", r->inside_bytes,
	            r->out_bytes, r->in_bytes);
	json_sum(t, &r->sum);
	text_put(t, "}");
}

static void csv_places(struct text *t, const struct report_ask *ask,
                       const struct store_top_row *rows, size_t n)
{
	text_put(t, "from,to,source,estimate,provider,place,inside_bytes,out_bytes,in_bytes,bytes,"
	            "low,high,bounded,private_bytes,unmet_bytes,cost_units\r\n");
	for (size_t i = 0; i < n; i++) {
		csv_head(t, ask);
		csv_field(t, rows[i].provider);
		csv_field(t, rows[i].place);
		csv_field(t, rows[i].inside_bytes);
		csv_field(t, rows[i].out_bytes);
		csv_field(t, rows[i].in_bytes);
		csv_sum(t, &rows[i].sum);
		text_put(t, "\r\n");
	}
}

enum err report_top_places(struct store *s, const struct report_options *o,
                           const struct report_ask *ask, struct text *out)
{
	const struct store_ask question = store_ask_of(ask);
	struct store_top_row *rows;
	struct store_matrix_about about;
	size_t n;
	const enum err e = store_top(s, &question, &rows, &n, &about);
	if (e != ERR_OK)
		return e;
	if (ask->query.csv) {
		csv_places(out, ask, rows, n);
	} else {
		json_head(out, ask, o->bin_seconds, &about);
		text_printf(out, "\"by\":\"%s\",\"order\":\"%s\",\"rows\":[",
		            ask->level == REPORT_AS ? "asn" : "pid",
		            ask->by_cost ? "cost" : "bytes");
		for (size_t i = 0; i < n; i++) {
			text_put(out, i > 0 ? "," : "");
			json_place(out, &rows[i]);
		}
		json_tail(out, &about, n);
	}
	free(rows);
	return out->bad ? ERR_NOMEM : ERR_OK;
}

/* Uploads are seldom reported with the downloads they served, so only long windows tell. */
static bool is_lopsided(const struct store_top_swarm *r)
{
	const double up = strtod(r->up, NULL), down = strtod(r->down, NULL);
	return fmax(up, down) >= LOPSIDED_LEAST && (down <= 0 || fabs(up / down - 1) > LOPSIDED);
}

static void json_swarm(struct text *t, const struct store_top_swarm *r)
{
	const bool others = r->swarm[0] == '\0';
	text_put(t, "{");
	json_name(t, "provider", r->provider);
	text_put(t, ",");
	json_name(t, "swarm", r->swarm);
	text_printf(t, ",\"swarms\":%" PRIu64 ",\"torrents\":\"%s\",", r->swarms,
	            r->flagged ? "private" : "open");
	if (others)
		text_put(t, "\"clients_at_least\":null,\"lopsided\":null,");
	else
		text_printf(t, "\"clients_at_least\":%" PRIu64 ",\"lopsided\":%s,", r->clients,
		            is_lopsided(r) ? "true" : "false");
	text_printf(t, "\"bytes\":%s,\"out_bytes\":%s,\"in_bytes\":%s,\"cost\":%.6f,\"tiers\":{",
	            r->sum.bytes, r->out_bytes, r->in_bytes, r->sum.cost);
	for (unsigned k = 0; k < STORE_TIERS; k++)
		text_printf(t, "%s\"%s\":%s", k > 0 ? "," : "", tiers[k], r->tiers[k]);
	text_put(t, "}}");
}

static void csv_swarms(struct text *t, const struct report_ask *ask,
                       const struct store_top_swarm *rows, size_t n)
{
	text_put(t, "from,to,source,estimate,provider,swarm,swarms,torrents,clients_at_least,"
	            "lopsided,bytes,out_bytes,in_bytes,cost_units");
	for (unsigned k = 0; k < STORE_TIERS; k++)
		text_printf(t, ",%s_bytes", tiers[k]);
	text_put(t, "\r\n");
	for (size_t i = 0; i < n; i++) {
		const struct store_top_swarm *r = &rows[i];
		csv_head(t, ask);
		csv_field(t, r->provider);
		csv_field(t, r->swarm);
		text_printf(t, "%" PRIu64 ",%s,%" PRIu64 ",%s,%s,%s,%s,%.6f", r->swarms,
		            r->flagged ? "private" : "open", r->clients,
		            is_lopsided(r) ? "true" : "false", r->sum.bytes, r->out_bytes,
		            r->in_bytes, r->sum.cost);
		for (unsigned k = 0; k < STORE_TIERS; k++)
			text_printf(t, ",%s", r->tiers[k]);
		text_put(t, "\r\n");
	}
}

enum err report_top_swarms(struct store *s, const struct report_options *o,
                           const struct report_ask *ask, struct text *out)
{
	const struct store_ask question = store_ask_of(ask);
	struct store_top_swarm *rows;
	struct store_matrix_about about;
	size_t n;
	const enum err e = store_top_swarms(s, &question, &rows, &n, &about);
	if (e != ERR_OK)
		return e;
	if (ask->query.csv) {
		csv_swarms(out, ask, rows, n);
	} else {
		json_head(out, ask, o->bin_seconds, &about);
		text_printf(out,
		            "\"by\":\"swarm\",\"order\":\"%s\",\"least_clients\":%u,"
		            "\"lopsided_beyond\":%.2f,\"rows\":[",
		            ask->by_cost ? "cost" : "bytes", ask->least_clients, LOPSIDED);
		for (size_t i = 0; i < n; i++) {
			text_put(out, i > 0 ? "," : "");
			json_swarm(out, &rows[i]);
		}
		json_tail(out, &about, n);
	}
	free(rows);
	return out->bad ? ERR_NOMEM : ERR_OK;
}
