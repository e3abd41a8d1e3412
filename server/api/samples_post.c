/* SPDX-License-Identifier: Apache-2.0 */
/* POST /v1/samples: what pollers counted, into the store. */
#include "server/api/routes.h"
#include "server/api/samples.h"

#include <stdlib.h>

/* What was in the request, and what became of it. */
struct posted {
	struct samples samples;
	struct store_readings_made made;
};

static void put_warning(struct text *t, const struct posted *p, size_t i, size_t n)
{
	const enum counter_fate fate = p->samples.readings[i].fate;
	char place[48];
	samples_print_place(&p->samples.places[i], place);
	text_printf(t, "%s{\"kind\":\"%s\"", n > 0 ? "," : "", counter_fate_name(fate));
	call_put_string(t, "where", place);
	call_put_string(t, "text", counter_fate_text(fate));
	text_put(t, "}");
}

/* Periods that came to nothing: a poller should hear of them, though nothing is wrong with the request. */
static void put_warnings(struct text *t, const struct posted *p)
{
	size_t n = 0;
	text_put(t, ",\"warnings\":[");
	for (size_t i = 0; i < p->samples.n_readings && n < FAULTS_MAX; i++) {
		const enum counter_fate fate = p->samples.readings[i].fate;
		if (fate < COUNTER_FATES && fate != COUNTER_COUNTED && fate != COUNTER_DUPLICATE)
			put_warning(t, p, i, n++);
	}
	text_put(t, "]");
}

static void put_readings(struct text *t, const struct posted *p)
{
	size_t fates[COUNTER_FATES + 1] = { 0 };
	for (size_t i = 0; i < p->samples.n_readings; i++)
		fates[p->samples.readings[i].fate]++;
	text_printf(t, ",\"readings\":{\"stored\":%zu,\"bins\":%zu,\"bins_removed\":%zu",
	            p->made.added, p->made.bins, p->made.removed);
	for (unsigned f = 0; f < COUNTER_FATES; f++)
		text_printf(t, ",\"%s\":%zu", counter_fate_name(f), fates[f]);
	put_warnings(t, p);
	text_put(t, "}");
}

/* Readings that came too late, each with its place. */
static void refuse_late(struct call *c, const struct samples *s, struct faults *faults)
{
	char place[48];
	for (size_t i = 0; i < s->n_readings; i++) {
		if (!s->readings[i].too_late)
			continue;
		samples_print_place(&s->places[i], place);
		(void)faults_add(
			faults, ERR_RANGE, "late", place,
			"there are newer readings of the interconnect, and this one is older than "
			"late_reading_seconds (%u); p4pctl samples import makes bins of old ones",
			c->use->late_seconds);
	}
	call_refused(c, faults);
}

/* Readings first: of the two only they may be refused, and then nothing was stored. */
static enum err store_posted(struct call *c, struct posted *p)
{
	struct samples *s = &p->samples;
	const struct store_readings_rules rules = { .node = STORE_SAMPLES_NODE,
		                                    .bin_seconds = c->use->report.bin_seconds,
		                                    .late_seconds = c->use->late_seconds,
		                                    .now = c->now };
	enum err e = ERR_OK;
	if (s->n_readings > 0)
		e = store_readings(c->use->store, s->readings, s->n_readings, &rules, &p->made);
	if (e == ERR_OK && s->n > 0)
		e = store_bins(c->use->store, STORE_SAMPLES_NODE, STORE_COUNTER, s->rows, s->n);
	return e;
}

static void store_samples(struct call *c, struct posted *p, struct faults *faults)
{
	const enum err e = store_posted(c, p);
	if (e == ERR_RANGE && p->samples.n_readings > 0) {
		refuse_late(c, &p->samples, faults);
		return;
	}
	if (e != ERR_OK) {
		call_failed(c, e, "no such interconnect");
		return;
	}
	metrics_add(c->slot, METRIC_BIN_ROWS_STORED, p->samples.n + p->made.bins);
	struct text *t = call_json(c, 200);
	text_printf(t, "{\"stored\":%zu", p->samples.n);
	if (p->samples.n_readings > 0)
		put_readings(t, p);
	text_put(t, "}\n");
}

static void parse_samples(struct call *c, bool csv, const struct samples_rules *rules,
                          struct faults *faults)
{
	const struct http_request *r = c->request;
	struct posted p = { .made = { 0 } };
	const enum err e =
		csv ? samples_parse_csv(r->body, r->body_size, rules, &p.samples, faults)
		    : samples_parse_json(r->body, r->body_size, rules, &p.samples, faults);
	if (e == ERR_DENIED) {
		call_problem(c, 403, "token %s may only post samples of provider %s", c->who.name,
		             c->who.provider);
	} else if (faults->count > 0) {
		call_refused(c, faults);
	} else if (e != ERR_OK) {
		call_failed(c, e, "no such interconnect");
	} else {
		store_samples(c, &p, faults);
		samples_done(&p.samples);
	}
}

bool samples_type(struct call *c, bool *csv)
{
	*csv = call_body_is(c, "text/csv");
	const bool is = *csv || call_body_is(c, "application/json");
	if (!is)
		call_problem(c, 415, "samples are application/json or text/csv");
	return is;
}

void samples_post(struct call *c)
{
	struct samples_rules rules = { .bin_seconds = c->use->report.bin_seconds, .now = c->now };
	bool csv;
	if (!samples_type(c, &csv))
		return;
	struct store_interconnect *known = NULL;
	if (c->who.provider[0] != '\0')
		rules.provider = c->who.provider;
	enum err e = store_interconnects(c->use->store, rules.provider, &known, &rules.n_known);
	rules.known = known;
	struct faults *faults = faults_new();
	if (e == ERR_OK && faults == NULL)
		e = ERR_NOMEM;
	if (e == ERR_OK)
		parse_samples(c, csv, &rules, faults);
	else
		call_failed(c, e, "no interconnects");
	faults_free(faults);
	free(known);
}
