/* SPDX-License-Identifier: Apache-2.0 */
/* Interconnects, and what crossed them. */
#include "server/api/routes.h"
#include "server/report/matrix.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- interconnects ---- */

/* The provider whose figures a scoped token may see; "" for all. */
static const char *scope(const struct call *c)
{
	return c->who.provider;
}

static void put_crossing(struct text *t, const char *key, const struct map_crossing *c)
{
	text_printf(t, ",\"%s\":{\"out\":%" PRIu32 ",\"in\":%" PRIu32 "}", key, c->out, c->in);
}

/* The interconnects of a map by name: looking through all for each of thousands would take seconds. */
struct places {
	const struct map_snapshot *map; /* NULL: none */
	struct place {
		const char *provider, *id; /* the map's */
		uint32_t index;
	} * list;
	size_t n;
};

static int by_name(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	const int provider = strcmp(x->provider, y->provider);
	return provider != 0 ? provider : strcmp(x->id, y->id);
}

static bool find_places(struct places *p)
{
	p->n = p->map != NULL ? snapshot_counts(p->map).interconnects : 0;
	p->list = calloc(p->n + 1, sizeof(*p->list));
	if (p->list == NULL)
		return false;
	for (size_t i = 0; i < p->n; i++) {
		const struct map_interconnect_info info =
			snapshot_interconnect(p->map, (uint32_t)i);
		p->list[i] = (struct place){ info.provider, info.id, (uint32_t)i };
	}
	qsort(p->list, p->n, sizeof(*p->list), by_name);
	return true;
}

/* As documented, and as it counts now. */
static void put_costs(struct text *t, const struct store_interconnect *ic,
                      const struct places *places)
{
	const struct place key = { ic->provider, ic->id, 0 };
	const struct place *at = bsearch(&key, places->list, places->n, sizeof(key), by_name);
	if (at == NULL) {
		text_put(t, ",\"cost\":null,\"price\":null");
		return;
	}
	const struct map_crossing cost = snapshot_cost(places->map, at->index),
				  price = snapshot_price(places->map, at->index);
	put_crossing(t, "cost", &cost);
	put_crossing(t, "price", &price);
}

static void put_interconnect(struct text *t, const struct store_interconnect *ic,
                             const struct places *places)
{
	text_put(t, "{\"provider\":");
	text_json_string(t, ic->provider);
	call_put_string(t, "interconnect", ic->id);
	call_put_string(t, "pid", ic->pid);
	text_printf(t, ",\"neighbor_asn\":%" PRIu32, ic->neighbor_asn);
	call_put_string(t, "relation", ic->relation);
	text_printf(t, ",\"capacity_mbps\":%" PRIu64, ic->capacity_mbps);
	if (ic->metro[0] != '\0')
		call_put_string(t, "metro", ic->metro);
	else
		text_put(t, ",\"metro\":null");
	call_put_ratio(t, "ratio_limit", ic->ratio_limit_milli);
	put_costs(t, ic, places);
	text_printf(t, ",\"in_force\":%s}", ic->in_force ? "true" : "false");
}

static bool is_wanted(const struct call *c, const struct store_interconnect *ic,
                      const char *provider, bool all)
{
	return (all || ic->in_force) &&
	       (provider[0] == '\0' || strcmp(provider, ic->provider) == 0) &&
	       (scope(c)[0] == '\0' || strcmp(scope(c), ic->provider) == 0);
}

void interconnects_get(struct call *c)
{
	struct store_interconnect *list = NULL;
	size_t n = 0, put = 0;
	char provider[65] = "";
	bool all = false;
	if (!call_text(c, "provider", provider, sizeof(provider)) || !call_flag(c, "all", &all))
		return;
	const enum err e = store_interconnects(c->use->store, NULL, &list, &n);
	if (e != ERR_OK) {
		call_failed(c, e, "no interconnects");
		return;
	}
	struct map_lease lease = { 0 };
	struct places places = { .map = map_renew(c->use->office, &lease) };
	if (find_places(&places)) {
		struct text *t = call_json(c, 200);
		text_put(t, "{\"interconnects\":[");
		for (size_t i = 0; i < n; i++) {
			if (!is_wanted(c, &list[i], provider, all))
				continue;
			text_put(t, put++ > 0 ? "," : "");
			put_interconnect(t, &list[i], &places);
		}
		text_put(t, "]}\n");
	} else {
		call_failed(c, ERR_NOMEM, "");
	}
	free(places.list);
	map_end(&lease);
	free(list);
}

/* {"ratio_limit": 1.8}, or null for none of its own. false: refused. */
static bool read_limit(struct call *c, const json_t *body, uint64_t *milli)
{
	struct faults faults = { 0 };
	const json_t *limit = json_object_get(body, "ratio_limit");
	const double value = json_number_value(limit);
	if (json_object_size(body) != 1 || limit == NULL)
		(void)faults_add(&faults, ERR_MALFORMED, "missing", "",
		                 "exactly one member is needed: ratio_limit");
	else if (!json_is_null(limit) && (!json_is_number(limit) || value < 1 || value > 1000))
		(void)faults_add(&faults, ERR_RANGE, "out-of-range", "/ratio_limit",
		                 "a number from 1 to 1000 (2 means 2:1), or null for none");
	if (faults.count > 0) {
		call_refused(c, &faults);
		return false;
	}
	*milli = json_is_null(limit) ? 0 : (uint64_t)llround(value * 1000);
	return true;
}

void interconnect_put(struct call *c)
{
	const char *provider = c->path.part[0], *id = c->path.part[1];
	uint64_t milli;
	char what[192];
	json_t *body = call_body_object(c);
	if (body == NULL)
		return;
	const bool good = read_limit(c, body, &milli);
	json_decref(body);
	if (!good)
		return;
	const enum err e = store_ratio_limit(c->use->store, provider, id, milli, c->who.name);
	if (e != ERR_OK) {
		(void)snprintf(what, sizeof(what), "provider %.64s has no interconnect %.64s",
		               provider, id);
		call_failed(c, e, what);
		return;
	}
	struct text *t = call_json(c, 200);
	text_put(t, "{\"provider\":");
	text_json_string(t, provider);
	call_put_string(t, "interconnect", id);
	call_put_ratio(t, "ratio_limit", milli);
	text_put(t, "}\n");
}

/* ---- reports ---- */

/* A report's parameters, and the room they live in. */
struct ask {
	struct report_query query;
	char provider[65], interconnect[65];
};

static bool read_window(struct call *c, struct report_query *q)
{
	q->from = q->to = REPORT_ABSENT;
	if (!call_time(c, "from", &q->from) || !call_time(c, "to", &q->to))
		return false;
	const int64_t end = q->to == REPORT_ABSENT ? c->now : q->to;
	if (q->from != REPORT_ABSENT && q->from >= end) {
		call_problem(c, 400, "from: must be before to%s",
		             q->to == REPORT_ABSENT ? ", which is now when absent" : "");
		return false;
	}
	return true;
}

/* A name that nothing has is a slip of the pen, and no figures of it would look like no traffic. */
static bool are_named(struct call *c, const struct report_query *q)
{
	if (q->provider == NULL && q->interconnect == NULL)
		return true;
	enum err e = store_named(c->use->store, q->provider, NULL);
	if (e == ERR_NOT_FOUND) {
		call_problem(c, 404, "provider: there is no %s", q->provider);
		return false;
	}
	if (e == ERR_OK && q->interconnect != NULL)
		e = store_named(c->use->store, q->provider, q->interconnect);
	if (e == ERR_NOT_FOUND)
		call_problem(c, 404, "interconnect: there is no %s%s%s", q->interconnect,
		             q->provider != NULL ? " of " : "",
		             q->provider != NULL ? q->provider : "");
	else if (e != ERR_OK)
		call_failed(c, e, "");
	return e == ERR_OK;
}

static bool read_ask(struct call *c, struct ask *a)
{
	*a = (struct ask){ 0 };
	if (!read_window(c, &a->query) ||
	    !call_text(c, "provider", a->provider, sizeof(a->provider)) ||
	    !call_text(c, "interconnect", a->interconnect, sizeof(a->interconnect)))
		return false;
	if (a->provider[0] != '\0')
		a->query.provider = a->provider;
	if (a->interconnect[0] != '\0')
		a->query.interconnect = a->interconnect;
	const bool foreign = scope(c)[0] != '\0' && a->query.provider != NULL &&
	                     strcmp(scope(c), a->provider) != 0;
	if (scope(c)[0] != '\0')
		a->query.provider = scope(c);
	if (foreign) /* Of another provider there is nothing to see: none has an empty name. */
		a->query.interconnect = "";
	else if (!are_named(c, &a->query))
		return false;
	a->query = report_window(&a->query, &c->use->report, c->now);
	return true;
}

typedef enum err make_report(struct store *s, const struct report_options *o,
                             const struct report_query *q, struct text *out);

static void answer_report(struct call *c, struct ask *a, make_report *make, const char *file)
{
	if (!call_csv(c, &a->query.csv))
		return;
	const enum err e = make(c->use->store, &c->use->report, &a->query, call_json(c, 200));
	if (e != ERR_OK) {
		call_failed(c, e, "no such interconnect");
		return;
	}
	if (a->query.csv)
		call_file(c, file);
}

void balance_get(struct call *c)
{
	struct ask a;
	if (read_ask(c, &a))
		answer_report(c, &a, report_balance, "balance.csv");
}

void quality_get(struct call *c)
{
	struct ask a;
	if (read_ask(c, &a))
		answer_report(c, &a, report_quality, "quality.csv");
}

void steering_get(struct call *c)
{
	struct ask a;
	if (read_ask(c, &a))
		answer_report(c, &a, report_steering, "steering.csv");
}

/* ---- the matrix ---- */

/* A word among `words`, which end with NULL; the first when nothing was said. false: refused. */
static bool read_word(struct call *c, const char *name, const char *const *words, unsigned *out)
{
	char word[32] = "", all[96] = "";
	*out = 0;
	if (!call_text(c, name, word, sizeof(word)))
		return false;
	for (unsigned i = 0; words[i] != NULL; i++) {
		if (strcmp(word, words[i]) == 0) {
			*out = i;
			return true;
		}
		const size_t used = strlen(all);
		(void)snprintf(all + used, sizeof(all) - used, "%s%s", i > 0 ? ", " : "", words[i]);
	}
	if (word[0] == '\0')
		return true;
	call_problem(c, 400, "%s: \"%s\" is none of %s", name, word, all);
	return false;
}

/* What the matrix and the largest have in common. */
static bool read_matrix_ask(struct call *c, struct ask *a, struct report_ask *out)
{
	uint64_t limit = REPORT_ROWS;
	if (!read_ask(c, a) || !call_csv(c, &a->query.csv) || !call_number(c, "limit", &limit))
		return false;
	if (limit < 1 || limit > REPORT_ROWS_MAX) {
		call_problem(c, 400, "limit: 1 to %d rows", REPORT_ROWS_MAX);
		return false;
	}
	*out = (struct report_ask){ .query = a->query,
		                    .scoped = scope(c)[0] != '\0',
		                    .limit = (size_t)limit,
		                    .least_clients = c->use->report.least_clients };
	return true;
}

static void answer_ask(struct call *c, const struct report_ask *ask, report_ask_fn *make,
                       const char *file)
{
	const enum err e = make(c->use->store, &c->use->report, ask, call_json(c, 200));
	if (e != ERR_OK)
		call_failed(c, e, "no such provider");
	else if (ask->query.csv)
		call_file(c, file);
}

void matrix_get(struct call *c)
{
	static const char *const levels[] = { [REPORT_PID] = "pid",
		                              [REPORT_AS] = "as",
		                              [REPORT_INTERCONNECT] = "interconnect",
		                              NULL };
	struct ask a;
	struct report_ask ask;
	unsigned level;
	if (!read_matrix_ask(c, &a, &ask) || !read_word(c, "level", levels, &level))
		return;
	ask.level = (enum report_level)level;
	answer_ask(c, &ask, report_matrix, "matrix.csv");
}

void top_get(struct call *c)
{
	static const char *const by[] = { "pid", "asn", "swarm", NULL };
	static const char *const orders[] = { "bytes", "cost", NULL };
	struct ask a;
	struct report_ask ask;
	unsigned what, order;
	if (!read_matrix_ask(c, &a, &ask) || !read_word(c, "by", by, &what) ||
	    !read_word(c, "order", orders, &order))
		return;
	ask.level = what == 1 ? REPORT_AS : REPORT_PID;
	ask.by_cost = order == 1;
	answer_ask(c, &ask, what == 2 ? report_top_swarms : report_top_places, "top.csv");
}

static bool read_source(struct call *c, enum store_source *out)
{
	static const char *const words[] = {
		[STORE_ANNOUNCE] = "announce", [STORE_FLOW] = "flow", [STORE_COUNTER] = "counter"
	};
	char source[16] = "";
	if (!call_text(c, "source", source, sizeof(source)))
		return false;
	for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(source, words[i]) == 0) {
			*out = (enum store_source)i;
			return true;
		}
	}
	call_problem(c, 400, "source: announce, flow or counter is needed, not \"%s\"", source);
	return false;
}

void series_get(struct call *c)
{
	struct ask a;
	enum store_source source;
	if (!read_ask(c, &a) || !read_source(c, &source))
		return;
	if (a.query.provider == NULL || a.query.interconnect == NULL) {
		call_problem(c, 400, "%s: is needed: a series is of one interconnect",
		             a.query.provider == NULL ? "provider" : "interconnect");
		return;
	}
	if ((a.query.to - a.query.from) / c->use->report.bin_seconds > STORE_SERIES_MAX) {
		call_problem(c, 400, "from: at most %d bins at once; ask for a shorter window",
		             STORE_SERIES_MAX);
		return;
	}
	const enum err e =
		report_series(c->use->store, &c->use->report, &a.query, source, call_json(c, 200));
	if (e != ERR_OK)
		call_failed(c, e, "no such interconnect");
}
