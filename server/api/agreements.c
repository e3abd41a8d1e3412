/* SPDX-License-Identifier: Apache-2.0 */
/* Ratio policies and contracts: put, read, remove, history. */
#include "server/report/agreements.h"
#include "server/api/routes.h"
#include "server/report/policies.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *plural(enum store_agreement_kind kind)
{
	return kind == STORE_POLICY ? "policies" : "contracts";
}

/* "provider isp-a has no policy p-1", and which version when one was asked for. */
static void not_there(struct call *c, enum store_agreement_kind kind, uint64_t version,
                      char out[static 256])
{
	char which[40] = "";
	if (version > 0)
		(void)snprintf(which, sizeof(which), " of version %" PRIu64, version);
	(void)snprintf(out, 256, "provider %.64s has no %s %.64s%s", c->path.part[0],
	               store_agreement_word(kind), c->path.part[1], which);
}

/* Somebody else was first: where to look. */
static void lost(struct call *c, enum store_agreement_kind kind)
{
	struct store_agreement *now = NULL;
	char in_force[32] = "nothing";
	const enum err e =
		store_agreement(c->use->store, kind, c->path.part[0], c->path.part[1], 0, &now);
	if (e != ERR_OK && e != ERR_NOT_FOUND) {
		call_failed(c, e, "");
		return;
	}
	if (e == ERR_OK)
		(void)snprintf(in_force, sizeof(in_force), "version %" PRIu64, now->version);
	call_problem(c, 412,
	             "what is in force is not what If-Match says: of %s %.64s %s is in force "
	             "now; read it again, and change that",
	             store_agreement_word(kind), c->path.part[1], in_force);
	store_agreements_free(now, now != NULL);
}

static void failed(struct call *c, enum store_agreement_kind kind, uint64_t version, enum err e)
{
	char what[256];
	not_there(c, kind, version, what);
	if (e == ERR_DENIED)
		lost(c, kind);
	else
		call_failed(c, e, what);
}

/* ---- put and remove ---- */

static void put_answer(struct call *c, const struct agreement_upload *u,
                       const struct agreement_change *change)
{
	if (!u->dry_run) {
		char where[HTTP_VALUE_SIZE];
		(void)snprintf(where, sizeof(where),
		               "/v1/providers/%.64s/%s/%.64s?version=%" PRIu64, u->provider,
		               plural(u->kind), u->id, change->version);
		http_reply_header(c->reply, "Location", where);
		(void)snprintf(where, sizeof(where), "\"%s\"", change->sha256);
		http_reply_header(c->reply, "ETag", where);
	}
	struct text *t = call_json(c, u->dry_run ? 200 : 201);
	text_put(t, "{\"provider\":");
	text_json_string(t, u->provider);
	call_put_string(t, "kind", store_agreement_word(u->kind));
	call_put_string(t, "id", u->id);
	if (u->dry_run)
		text_put(t, ",\"version\":null");
	else
		text_printf(t, ",\"version\":%" PRIu64, change->version);
	call_put_string(t, "sha256", change->sha256);
	text_printf(t, ",\"unchanged\":%s}\n", change->unchanged ? "true" : "false");
}

static void put(struct call *c, enum store_agreement_kind kind)
{
	struct agreement_upload u = { .kind = kind,
		                      .provider = c->path.part[0],
		                      .id = c->path.part[1],
		                      .body = c->request->body,
		                      .size = c->request->body_size,
		                      .author = c->who.name };
	struct agreement_change change;
	char expected[CALL_TAG_SIZE] = "";
	if (!call_flag(c, "dry_run", &u.dry_run) || !call_expected(c, expected))
		return;
	if (!call_body_is(c, "application/json")) {
		call_problem(c, 415, "a %s is application/json", store_agreement_word(kind));
		return;
	}
	u.expected = expected[0] != '\0' ? expected : NULL;
	struct faults *faults = faults_new();
	const enum err e =
		faults == NULL ? ERR_NOMEM : agreement_put(c->use->store, &u, &change, faults);
	if (e == ERR_OK)
		put_answer(c, &u, &change);
	else if (e == ERR_MALFORMED)
		call_refused(c, faults);
	else
		failed(c, kind, 0, e);
	faults_free(faults);
}

void policy_put(struct call *c)
{
	put(c, STORE_POLICY);
}

void contract_put(struct call *c)
{
	put(c, STORE_CONTRACT);
}

static void take_away(struct call *c, enum store_agreement_kind kind)
{
	char expected[CALL_TAG_SIZE] = "";
	uint64_t version;
	if (!call_expected(c, expected))
		return;
	const struct store_agreement_change change = { .kind = kind,
		                                       .provider = c->path.part[0],
		                                       .id = c->path.part[1],
		                                       .author = c->who.name,
		                                       .expected = expected[0] != '\0' ? expected
		                                                                       : NULL };
	const enum err e = store_agreement_change(c->use->store, &change, &version);
	if (e == ERR_OK)
		call_empty(c, e, "");
	else
		failed(c, kind, 0, e);
}

void policy_delete(struct call *c)
{
	take_away(c, STORE_POLICY);
}

void contract_delete(struct call *c)
{
	take_away(c, STORE_CONTRACT);
}

/* ---- reading ---- */

static void get(struct call *c, enum store_agreement_kind kind)
{
	uint64_t version = 0;
	struct store_agreement *a;
	char number[24];
	if (!call_number(c, "version", &version))
		return;
	const enum err e =
		store_agreement(c->use->store, kind, c->path.part[0], c->path.part[1], version, &a);
	if (e != ERR_OK) {
		failed(c, kind, version, e);
		return;
	}
	(void)snprintf(number, sizeof(number), "%" PRIu64, a->version);
	http_reply_header(c->reply, "P4P-Version", number);
	if (!call_is_known(c, a->sha256))
		text_add(call_json(c, 200), a->document, a->size);
	store_agreements_free(a, 1);
}

void policy_get(struct call *c)
{
	get(c, STORE_POLICY);
}

void contract_get(struct call *c)
{
	get(c, STORE_CONTRACT);
}

/* Leaves the object open. */
static void put_about(struct text *t, const struct store_agreement *a)
{
	text_printf(t, "\"version\":%" PRIu64 ",\"sha256\":", a->version);
	if (a->removed)
		text_put(t, "null");
	else
		text_json_string(t, a->sha256);
	call_put_string(t, "author", a->author);
	call_put_time(t, "created", a->created);
}

static void list(struct call *c, enum store_agreement_kind kind)
{
	struct store_agreement *all;
	size_t n;
	const enum err e = store_agreements(c->use->store, kind, c->path.part[0], NULL, &all, &n);
	if (e != ERR_OK) {
		call_failed(c, e, "no such provider");
		return;
	}
	struct text *t = call_json(c, 200);
	text_put(t, "{\"provider\":");
	text_json_string(t, c->path.part[0]);
	text_printf(t, ",\"%s\":[", plural(kind));
	for (size_t i = 0; i < n; i++) {
		text_put(t, i > 0 ? ",\n{\"id\":" : "\n{\"id\":");
		text_json_string(t, all[i].id);
		text_put(t, ",");
		put_about(t, &all[i]);
		text_put(t, ",\"document\":");
		text_add(t, all[i].document, all[i].size); /* it was checked: it is JSON */
		text_put(t, "}");
	}
	text_put(t, "]}\n");
	store_agreements_free(all, n);
}

void policies_get(struct call *c)
{
	list(c, STORE_POLICY);
}

void contracts_get(struct call *c)
{
	list(c, STORE_CONTRACT);
}

static void history(struct call *c, enum store_agreement_kind kind)
{
	struct store_agreement *all = NULL;
	size_t n = 0;
	enum err e = store_agreement_history(c->use->store, kind, c->path.part[0], c->path.part[1],
	                                     &all, &n);
	if (e == ERR_OK && n == 0)
		e = ERR_NOT_FOUND;
	if (e != ERR_OK) {
		failed(c, kind, 0, e);
		store_agreements_free(all, n);
		return;
	}
	struct text *t = call_json(c, 200);
	text_put(t, "{\"provider\":");
	text_json_string(t, c->path.part[0]);
	call_put_string(t, "id", c->path.part[1]);
	text_put(t, ",\"versions\":[");
	for (size_t i = 0; i < n; i++) {
		text_put(t, i > 0 ? ",{" : "{");
		put_about(t, &all[i]);
		text_printf(t, ",\"size\":%zu,\"removed\":%s}", all[i].size,
		            all[i].removed ? "true" : "false");
	}
	text_put(t, "]}\n");
	store_agreements_free(all, n);
}

void policy_versions(struct call *c)
{
	history(c, STORE_POLICY);
}

void contract_versions(struct call *c)
{
	history(c, STORE_CONTRACT);
}

/* ---- beside what was measured ---- */

typedef enum err make_report(struct store *s, const struct report_options *o,
                             const struct report_agreements_query *q, struct text *out);

/* `name` is the parameter that names one agreement. */
static void answer_report(struct call *c, const char *name, make_report *make, const char *file)
{
	struct report_agreements_query q = { .at = REPORT_ABSENT, .now = c->now };
	const char *own = c->who.provider; /* of a scoped token: it sees no other */
	char provider[65] = "", id[65] = "";
	if (!call_text(c, "provider", provider, sizeof(provider)) ||
	    !call_text(c, name, id, sizeof(id)) || !call_time(c, "at", &q.at) ||
	    !call_csv(c, &q.csv))
		return;
	q.provider = provider[0] != '\0' ? provider : NULL;
	q.id = id[0] != '\0' ? id : NULL;
	if (own[0] != '\0' && q.provider != NULL && strcmp(own, provider) != 0)
		q.id = ""; /* nothing is called that */
	if (own[0] != '\0')
		q.provider = own;
	const enum err e = make(c->use->store, &c->use->report, &q, call_json(c, 200));
	if (e != ERR_OK)
		call_failed(c, e, "no such agreement");
	else if (q.csv)
		call_file(c, file);
}

void report_contracts_get(struct call *c)
{
	answer_report(c, "contract", report_contracts, "contracts.csv");
}

void report_policies_get(struct call *c)
{
	answer_report(c, "policy", report_policies, "policies.csv");
}
