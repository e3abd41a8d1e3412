/* SPDX-License-Identifier: Apache-2.0 */
/* Statements: freeze, list, show, verify. */
#include "server/report/statements.h"

#include "server/api/routes.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- freeze ---- */

/* A name of the body. NULL: noted. */
static const char *want(const json_t *body, const char *key, struct faults *faults)
{
	char where[32];
	const char *s = json_string_value(json_object_get(body, key));
	if (s != NULL && *s != '\0' && strlen(s) <= 64)
		return s;
	(void)snprintf(where, sizeof(where), "/%s", key);
	(void)faults_add(faults, ERR_MALFORMED, "missing", where,
	                 "must be a text of 1 to 64 bytes");
	return NULL;
}

static bool read_order(struct call *c, const json_t *body, struct statement_order *order)
{
	struct faults faults = { 0 };
	order->provider = want(body, "provider", &faults);
	order->contract = want(body, "contract", &faults);
	order->period = want(body, "period", &faults);
	if (json_object_size(body) != 3 && faults.count == 0)
		(void)faults_add(&faults, ERR_MALFORMED, "unknown-key", "",
		                 "known here: 'provider', 'contract' and 'period'");
	if (faults.count > 0) {
		call_refused(c, &faults);
		return false;
	}
	const char *own = c->who.provider;
	if (own[0] == '\0' || strcmp(own, order->provider) == 0)
		return true;
	call_problem(c, 403, "token %s may not do this for provider %.64s", c->who.name,
	             order->provider);
	return false;
}

static void put_statement(struct call *c, unsigned status, const struct store_statement *st)
{
	char where[48];
	(void)snprintf(where, sizeof(where), "/v1/statements/%" PRIu64, st->id);
	http_reply_header(c->reply, "Location", where);
	statement_json(st, call_json(c, status));
}

static void refuse(struct call *c, enum err e, const struct fault *why)
{
	struct faults faults = { 0 };
	if (e == ERR_MALFORMED) {
		(void)faults_add(&faults, e, "malformed", why->where, "%s", why->text);
		call_refused(c, &faults);
	} else if (e == ERR_BUSY) {
		call_problem(c, 409, "%s", why->text);
	} else {
		call_failed(c, e, why->text);
	}
}

static void freeze(struct call *c, const struct statement_order *order)
{
	struct store_statement st;
	struct fault why = { 0 };
	uint64_t id;
	enum err e = statement_freeze(c->use->store, &c->use->report, order, &id, &why);
	if (e == ERR_OK)
		e = store_statement(c->use->store, id, &st);
	if (e != ERR_OK) {
		refuse(c, e, &why);
		return;
	}
	put_statement(c, 201, &st);
	store_statement_done(&st);
}

void statement_post(struct call *c)
{
	json_t *body = call_body_object(c);
	struct statement_order order = { .author = c->who.name, .now = c->now };
	if (body != NULL && read_order(c, body, &order))
		freeze(c, &order);
	json_decref(body);
}

/* ---- read ---- */

void statements_get(struct call *c)
{
	struct store_statement *list;
	size_t n;
	const char *own = c->who.provider;
	char provider[65] = "", contract[65] = "";
	if (!call_text(c, "provider", provider, sizeof(provider)) ||
	    !call_text(c, "contract", contract, sizeof(contract)))
		return;
	if (own[0] != '\0' && provider[0] != '\0' && strcmp(own, provider) != 0)
		(void)snprintf(contract, sizeof(contract), "%s", "."); /* nothing is called that */
	if (own[0] != '\0')
		(void)snprintf(provider, sizeof(provider), "%s", own);
	const enum err e = store_statements(c->use->store, provider[0] != '\0' ? provider : NULL,
	                                    contract[0] != '\0' ? contract : NULL, NULL, &list, &n);
	if (e != ERR_OK) {
		call_failed(c, e, "no statements");
		return;
	}
	struct text *t = call_json(c, 200);
	text_put(t, "{\"statements\":[");
	for (size_t i = 0; i < n; i++) {
		text_put(t, i > 0 ? ",\n{" : "\n{");
		statement_json_about(&list[i], t);
		text_put(t, "}");
	}
	text_put(t, "]}\n");
	free(list);
}

/* The statement that the path names, if it is for these eyes; false: the answer says why not. */
static bool find(struct call *c, struct store_statement *st)
{
	const char *digits = c->path.part[0];
	char what[64];
	uint64_t id;
	enum err e = ERR_NOT_FOUND;
	if (text_u64(digits, strlen(digits), &id))
		e = store_statement(c->use->store, id, st);
	if (e == ERR_OK && c->who.provider[0] != '\0' &&
	    strcmp(c->who.provider, st->provider) != 0) {
		store_statement_done(st);
		e = ERR_NOT_FOUND;
	}
	if (e == ERR_OK)
		return true;
	(void)snprintf(what, sizeof(what), "there is no statement %.20s", digits);
	call_failed(c, e, what);
	return false;
}

enum format { FORMAT_JSON, FORMAT_CSV, FORMAT_HTML, FORMATS };

static bool read_format(struct call *c, enum format *out)
{
	static const char *const words[FORMATS] = { "json", "csv", "html" };
	static const char *const types[FORMATS] = { "application/json", "text/csv", "text/html" };
	const char *accept = http_header(c->request, "Accept");
	char format[16] = "";
	if (!call_text(c, "format", format, sizeof(format)))
		return false;
	*out = FORMAT_JSON;
	for (unsigned i = 0; i < FORMATS; i++)
		if (format[0] != '\0'
		            ? strcmp(format, words[i]) == 0
		            : accept != NULL && strncmp(accept, types[i], strlen(types[i])) == 0)
			*out = (enum format)i;
	if (format[0] == '\0' || strcmp(format, words[*out]) == 0)
		return true;
	call_problem(c, 400, "format: \"%s\" is none of json, csv and html", format);
	return false;
}

void statement_get(struct call *c)
{
	struct store_statement st;
	enum format format;
	char file[64];
	if (!read_format(c, &format) || !find(c, &st))
		return;
	struct text *t = call_json(c, 200);
	if (format == FORMAT_HTML) {
		/* It has no script, and none may be slipped in. */
		c->reply->content_type = "text/html; charset=utf-8";
		http_reply_header(c->reply, "Content-Security-Policy",
		                  "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; "
		                  "form-action 'none'; frame-ancestors 'none'");
		statement_html(&st, t);
	} else if (format == FORMAT_CSV) {
		(void)snprintf(file, sizeof(file), "statement-%" PRIu64 ".csv", st.id);
		statement_csv(&st, t);
		call_file(c, file);
	} else {
		statement_json(&st, t);
	}
	store_statement_done(&st);
}

/* ---- verify ---- */

static void put_difference(struct text *t, const char *key, const char *what, const char *where,
                           const char *was, const char *is)
{
	text_printf(t, ",\"%s\":", key);
	if (where[0] == '\0') {
		text_put(t, "null");
		return;
	}
	text_printf(t, "{\"%s\":", what);
	text_json_string(t, where);
	call_put_string(t, "statement", was);
	call_put_string(t, "now", is);
	text_put(t, "}");
}

void statement_verify_get(struct call *c)
{
	struct store_statement st;
	struct statement_finding f;
	struct fault why = { 0 };
	if (!find(c, &st))
		return;
	const enum err e = statement_verify(c->use->store, &st, &f, &why);
	if (e == ERR_OK) {
		struct text *t = call_json(c, 200);
		text_printf(t, "{\"id\":%" PRIu64 ",\"verified\":%s", st.id,
		            statement_is_sound(&f) ? "true" : "false");
		text_printf(t, ",\"inputs_match_hash\":%s", f.hash_differs ? "false" : "true");
		text_put(t, ",\"other_format\":");
		if (f.format[0] != '\0')
			text_json_string(t, f.format);
		else
			text_put(t, "null");
		put_difference(t, "first_figure", "figure", f.figure, f.figure_was, f.figure_is);
		put_difference(t, "first_bin", "bin", f.bin, f.bin_was, f.bin_is);
		text_put(t, "}\n");
	} else if (e == ERR_MALFORMED) {
		call_problem(c, 500, "the inputs of statement %" PRIu64 " cannot be read: %s: %s",
		             st.id, why.where, why.text);
	} else {
		call_failed(c, e, "no such statement");
	}
	store_statement_done(&st);
}
