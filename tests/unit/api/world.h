/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What the API calls, pretended: tests say what the modules answer, and read what they were told. */

#include "tests/unit/test.h"

#include "server/api/api.h"
#include "server/report/agreements.h"
#include "server/report/matrix.h"
#include "server/report/policies.h"
#include "server/report/statements.h"
#include "server/store/audit.h"
#include "server/store/readings.h"
#include "server/store/replay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the doubles ---- */

static struct {
	enum err answer;         /* of the store and the maps */
	bool late;               /* readings come too late */
	bool unchanged, unready; /* of an upload; of the daemon */
	struct auth_who who;
	struct ip_addr from;
	const char *origin, *preflight, *forwarded;
	const char *authorization, *content_type, *accept, *if_none_match, *if_match;
	struct report_query asked; /* its strings are copied below */
	char asked_provider[65], asked_interconnect[65];
	struct store_bin stored;
	struct store_token token;
	uint64_t limit_milli;
	const char *upload_provider;
	struct maps_activation activation;
	unsigned access_changes;
	char said[64];                     /* of the lists */
	struct map_snapshot *(*map)(void); /* in force; NULL: none */
	struct store_flow flow;
	uint32_t observed_seconds;
} world;

const char *http_header(const struct http_request *r, const char *name)
{
	(void)r;
	if (strcmp(name, "Authorization") == 0)
		return world.authorization;
	if (strcmp(name, "Content-Type") == 0)
		return world.content_type;
	if (strcmp(name, "Accept") == 0)
		return world.accept;
	if (strcmp(name, "If-Match") == 0)
		return world.if_match;
	if (strcmp(name, "Origin") == 0)
		return world.origin;
	if (strcmp(name, "Access-Control-Request-Method") == 0)
		return world.preflight;
	assert_string_equal(name, "If-None-Match");
	return world.if_none_match;
}

size_t http_each_header(const struct http_request *r, const char *name, http_see_header *see,
                        void *ctx)
{
	(void)r;
	assert_string_equal(name, "X-Forwarded-For");
	if (world.forwarded != NULL)
		see(ctx, world.forwarded);
	return world.forwarded != NULL;
}

bool http_parameter(const struct http_request *r, const char *name, char *out, size_t room)
{
	for (const char *at = r->query; *at != '\0'; at += *at == '&') {
		const size_t size = strcspn(at, "&"), n = strlen(name);
		if (size > n && strncmp(at, name, n) == 0 && at[n] == '=' && size - n - 1 < room) {
			(void)snprintf(out, room, "%.*s", (int)(size - n - 1), at + n + 1);
			return true;
		}
		at += size;
	}
	return false;
}

bool http_has_parameter(const struct http_request *r, const char *name)
{
	const size_t n = strlen(name);
	for (const char *at = r->query; *at != '\0'; at += *at == '&') {
		const size_t size = strcspn(at, "&");
		if (size >= n && strncmp(at, name, n) == 0 && (size == n || at[n] == '='))
			return true;
		at += size;
	}
	return false;
}

void http_reply_header(struct http_reply *reply, const char *name, const char *value)
{
	assert_true(reply->n_headers < HTTP_HEADERS_MAX);
	reply->headers[reply->n_headers].name = name;
	assert_true(strlen(value) < HTTP_VALUE_SIZE);
	(void)snprintf(reply->headers[reply->n_headers++].value, HTTP_VALUE_SIZE, "%s", value);
}

enum err auth_who(struct auth *a, const char *header, const struct ip_addr *from,
                  struct auth_who *out, struct auth_refusal *refusal)
{
	(void)a;
	world.from = *from;
	(void)snprintf(refusal->why, sizeof(refusal->why), "who are you?");
	if (header == NULL || strcmp(header, "Bearer good") != 0)
		return header != NULL && strcmp(header, "Bearer away") == 0 ? ERR_AWAY : ERR_DENIED;
	*out = world.who;
	return ERR_OK;
}

enum err auth_token_new(struct auth *a, const struct store_token *about, const char *author,
                        char text[static AUTH_TOKEN_SIZE], uint64_t *id)
{
	(void)a;
	(void)author;
	world.token = *about;
	(void)snprintf(text, AUTH_TOKEN_SIZE, "p4pd-secret");
	*id = 1;
	return world.answer;
}

static void one_fault(struct faults *faults)
{
	(void)faults_add(faults, ERR_MALFORMED, "overlap", "/pids/1/prefixes/0", "is in two PIDs");
}

enum err maps_upload(struct maps *m, const struct maps_document *d, bool dry_run,
                     struct maps_change *change, struct faults *faults)
{
	(void)m;
	world.upload_provider = d->provider;
	change->version = dry_run ? 0 : 7;
	change->unchanged = world.unchanged;
	(void)snprintf(change->sha256, sizeof(change->sha256), "abc");
	change->pids_added = 2;
	if (world.answer == ERR_MALFORMED)
		one_fault(faults);
	return world.answer;
}

enum err maps_activate(struct maps *m, const struct maps_activation *a, struct maps_change *change,
                       struct faults *faults)
{
	const struct maps_document d = { .provider = a->provider, .body = "", .author = a->author };
	world.activation = *a;
	(void)snprintf(world.said, sizeof(world.said), "%s",
	               a->expected != NULL ? a->expected : "");
	if (world.answer == ERR_RANGE)
		(void)faults_add(faults, ERR_DENIED, "guard-prefixes", "", "12 %% of the prefixes");
	return maps_upload(m, &d, false, change, faults);
}

enum err maps_plan(struct maps *m, const struct maps_activation *a, size_t limit,
                   struct maps_change *change, struct faults *faults)
{
	const struct maps_document d = { .provider = a->provider, .kind = STORE_TOPOLOGY };
	text_printf(&change->impact, "{\"limit\":%zu}", limit);
	const enum err e = maps_upload(m, &d, false, change, faults);
	change->version = a->version;
	change->also = a->also;
	return e;
}

enum err maps_roll_back(struct maps *m, const struct maps_return *r, struct maps_change *change,
                        struct faults *faults)
{
	const struct maps_activation a = { .provider = r->provider, .version = r->to };
	return maps_activate(m, &a, change, faults);
}

enum err store_document(struct store *s, const char *provider, enum store_kind kind,
                        uint64_t version, struct store_document *out)
{
	(void)s, (void)provider, (void)kind;
	if (world.answer == ERR_OK)
		*out = (struct store_document){ .about = { .version = version > 0 ? version : 3,
			                                   .sha256 = "beef" },
			                        .body = strdup("{\"as\":\"sent\"}"),
			                        .size = 13 };
	return world.answer;
}

void store_document_done(struct store_document *d)
{
	free(d->body);
}

/* A list of one, as the store gives them; who lost a race (ERR_DENIED) may read. */
static enum err one(const void *item, size_t size, void *out, size_t *count)
{
	if (world.answer != ERR_OK && world.answer != ERR_DENIED)
		return world.answer;
	void *copy = malloc(size);
	assert_non_null(copy);
	memcpy(copy, item, size);
	memcpy(out, &copy, sizeof(copy));
	*count = 1;
	return ERR_OK;
}

enum err store_versions(struct store *s, const char *provider, struct store_version **out,
                        size_t *count)
{
	static const struct store_version all[] = {
		{ .provider = "isp-b", .version = 9, .kind = STORE_TOPOLOGY },
		{ .provider = "isp-a", .version = 5, .kind = STORE_COSTS },
		{ .provider = "isp-a", .version = 4, .kind = STORE_TOPOLOGY },
	};
	(void)s, (void)provider;
	const enum err e = one(all, sizeof(all), out, count);
	if (e == ERR_OK)
		*count = sizeof(all) / sizeof(all[0]);
	return e;
}

enum err store_history_page(struct store *s, const char *provider, const struct store_page *page,
                            struct store_life **out, size_t *count)
{
	static const struct store_life v = {
		.about = { .version = 3, .kind = STORE_COSTS, .in_force = true },
		.state = STORE_IN_FORCE,
		.source = "a.json",
		.approved = 86400,
		.approver = "carol",
		.approval_counts = true
	};
	(void)s, (void)page;
	if (strcmp(provider, "nobody") == 0)
		return ERR_OK; /* nothing was ever uploaded */
	return one(&v, sizeof(v), out, count);
}

const char *store_state_name(enum store_state s)
{
	return s == STORE_IN_FORCE ? "in force" : "draft";
}

enum err store_settings(struct store *s, const char *provider, struct store_settings *out)
{
	(void)s, (void)provider;
	*out = STORE_SETTINGS_DEFAULT;
	out->approvals = 1;
	return world.answer == ERR_DENIED ? ERR_OK : world.answer;
}

enum err store_settings_put(struct store *s, const char *provider, struct store_settings *settings,
                            const char *expected, bool may_lower, const char *author)
{
	(void)s, (void)provider, (void)expected, (void)author;
	settings->version = 8;
	return settings->approvals == 0 && !may_lower ? ERR_RANGE : world.answer;
}

void store_standing_print(const char *standing, char out[static STORE_STANDING_TEXT])
{
	(void)snprintf(out, STORE_STANDING_TEXT, "was %s", standing);
}

enum err store_approve(struct store *s, const char *provider, uint64_t version, const char *author)
{
	(void)s, (void)provider, (void)version, (void)author;
	return world.answer;
}

enum err store_plan_cancel(struct store *s, const char *provider, uint64_t version,
                           const char *author)
{
	return store_approve(s, provider, version, author);
}

enum err store_named(struct store *s, const char *provider, const char *interconnect)
{
	(void)s;
	(void)provider;
	(void)interconnect;
	return ERR_OK;
}

enum err store_interconnects(struct store *s, const char *provider, struct store_interconnect **out,
                             size_t *count)
{
	static const struct store_interconnect ic = { .provider = "isp-a",
		                                      .id = "a-b-1",
		                                      .relation = "transit",
		                                      .ratio_limit_milli = 1800,
		                                      .in_force = true };
	(void)s, (void)provider;
	return one(&ic, sizeof(ic), out, count);
}

enum err store_ratio_limit(struct store *s, const char *provider, const char *interconnect,
                           uint64_t milli, const char *author)
{
	(void)s, (void)provider, (void)interconnect, (void)author;
	world.limit_milli = milli;
	return world.answer;
}

enum err store_tokens(struct store *s, struct store_token **out, size_t *count)
{
	static const struct store_token t = { .name = "t", .role = STORE_ANALYST, .provider = "p" };
	(void)s;
	return one(&t, sizeof(t), out, count);
}

enum err store_token_change(struct store *s, const char *name, const enum store_role *role,
                            int64_t expires, const char *author, struct store_token *out)
{
	(void)s, (void)author;
	*out = (struct store_token){ .role = role != NULL ? *role : STORE_ANALYST,
		                     .provider = "p",
		                     .expires = expires < 0 ? 4102444799 : expires };
	(void)snprintf(out->name, sizeof(out->name), "%s", name);
	return world.answer;
}

enum err auth_token_rotate(struct auth *a, const char *name, uint32_t grace_seconds,
                           int64_t expires, const char *author, char text[static AUTH_TOKEN_SIZE],
                           struct store_token *out)
{
	(void)snprintf(text, AUTH_TOKEN_SIZE, "p4pd-other");
	const enum err e = store_token_change(NULL, name, NULL, expires, author, out);
	(void)a;
	out->previous_until = grace_seconds;
	return e;
}

enum err store_token_remove(struct store *s, const char *name, const char *author)
{
	(void)s, (void)name, (void)author;
	return world.answer;
}

enum err store_bins(struct store *s, const char *node, enum store_source source,
                    const struct store_bin *rows, size_t n)
{
	(void)s;
	assert_string_equal(node, "samples");
	assert_int_equal(source, STORE_COUNTER);
	assert_int_equal(n, 1);
	world.stored = rows[0];
	return world.answer;
}

/* One reading, whose period came to nothing; or late ones. */
enum err store_readings(struct store *s, struct store_reading *rows, size_t n,
                        const struct store_readings_rules *rules, struct store_readings_made *out)
{
	(void)s;
	assert_string_equal(rules->node, "samples");
	assert_int_equal(rules->late_seconds, 77);
	assert_int_equal(rules->bin_seconds, 300);
	for (size_t i = 0; i < n; i++) {
		rows[i].fate = COUNTER_RESET;
		rows[i].too_late = world.late;
	}
	*out = (struct store_readings_made){ .added = n, .bins = 2, .removed = 1 };
	return world.late ? ERR_RANGE : world.answer;
}

enum err store_access_set(struct store *s, enum store_list list, const struct store_hash *hash,
                          bool listed, const char *author)
{
	(void)s, (void)author;
	(void)snprintf(world.said, sizeof(world.said), "%s %s%s",
	               list == STORE_DENIED ? "denied" : "allowed", listed ? "on" : "off",
	               hash->is_private ? " private" : "");
	return world.answer;
}

enum err store_access_list(struct store *s, enum store_list list, struct store_hash **out,
                           size_t *count)
{
	static const struct store_hash h[] = { { { 0xab }, true }, { { 0xde }, false } };
	(void)s;
	return one(&h[list == STORE_DENIED], sizeof(h[0]), out, count);
}

enum err store_client_set(struct store *s, const char *prefix, bool denied, const char *author)
{
	(void)s, (void)author;
	(void)snprintf(world.said, sizeof(world.said), "%s %s", prefix, denied ? "on" : "off");
	return world.answer;
}

enum err store_client_list(struct store *s, struct store_client **out, size_t *count)
{
	static const struct store_client client = { "-X\"00" };
	(void)s;
	return one(&client, sizeof(client), out, count);
}

enum err store_passkeys(struct store *s, struct store_passkey **out, size_t *count)
{
	static const struct store_passkey key = {
		.name = "bob", .hash = { 7 }, .max_peers = 5, .created = 1795255500
	};
	(void)s;
	return one(&key, sizeof(key), out, count);
}

enum err store_passkey_remove(struct store *s, const char *name, const char *author)
{
	(void)s, (void)name, (void)author;
	return world.answer;
}

enum err auth_passkey_new(struct auth *a, struct store_passkey *about, const char *own,
                          const char *author, char text[static AUTH_PASSKEY_SIZE])
{
	(void)a, (void)author;
	about->hash[0] = 8;
	(void)snprintf(text, AUTH_PASSKEY_SIZE, "%s", own != NULL ? own : "made");
	(void)snprintf(world.said, sizeof(world.said), "%.32s %u %u", about->name, about->max_peers,
	               about->per_minute);
	return own != NULL && strlen(own) < 16 ? ERR_RANGE : world.answer;
}

/* Only the key of passkeys_get() has been used. */
static inline bool passkey_use(void *ctx, const uint8_t hash[static 32],
                               struct api_passkey_use *out)
{
	(void)ctx;
	*out = (struct api_passkey_use){ 1, 2, 3 };
	return hash[0] == 7;
}

const char *store_agreement_word(enum store_agreement_kind kind)
{
	return kind == STORE_POLICY ? "policy" : "contract";
}

enum err agreement_put(struct store *s, const struct agreement_upload *u,
                       struct agreement_change *change, struct faults *faults)
{
	(void)s;
	(void)snprintf(world.said, sizeof(world.said), "%.20s %.20s %.20s", u->provider, u->id,
	               u->expected != NULL ? u->expected : "-");
	*change = (struct agreement_change){ .version = u->dry_run ? 0 : 2,
		                             .sha256 = "cafe",
		                             .unchanged = world.unchanged };
	if (world.answer == ERR_MALFORMED)
		one_fault(faults);
	return world.answer;
}

enum err store_agreement_change(struct store *s, const struct store_agreement_change *change,
                                uint64_t *version)
{
	(void)s;
	assert_null(change->document);
	(void)snprintf(world.said, sizeof(world.said), "rm %.16s %.16s %.16s", change->provider,
	               change->id, change->expected != NULL ? change->expected : "-");
	*version = 3;
	return world.answer;
}

void store_agreements_free(struct store_agreement *list, size_t count)
{
	for (size_t i = 0; list != NULL && i < count; i++)
		free(list[i].document);
	free(list);
}

enum err store_agreements(struct store *s, enum store_agreement_kind kind, const char *provider,
                          const char *id, struct store_agreement **out, size_t *count)
{
	static const char document[] = "{\"as\":\"sent\"}";
	struct store_agreement a = {
		.id = "p-1", .version = 2, .sha256 = "cafe", .size = sizeof(document) - 1
	};
	(void)s, (void)kind, (void)provider, (void)id;
	const enum err e = one(&a, sizeof(a), out, count);
	if (e == ERR_OK)
		(*out)[0].document = strdup(document);
	return e;
}

enum err store_agreement(struct store *s, enum store_agreement_kind kind, const char *provider,
                         const char *id, uint64_t version, struct store_agreement **out)
{
	size_t n;
	(void)version;
	return store_agreements(s, kind, provider, id, out, &n);
}

enum err store_agreement_history(struct store *s, enum store_agreement_kind kind,
                                 const char *provider, const char *id, struct store_agreement **out,
                                 size_t *count)
{
	static const struct store_agreement a = { .version = 3, .removed = true };
	(void)s, (void)kind, (void)id;
	if (strcmp(provider, "nobody") == 0)
		return ERR_OK; /* there never was one */
	return one(&a, sizeof(a), out, count);
}

static inline enum err pretend_report(const struct report_agreements_query *q, const char *what,
                                      struct text *out)
{
	(void)snprintf(world.said, sizeof(world.said), "%.16s %.16s %ld",
	               q->provider != NULL ? q->provider : "(all)", q->id != NULL ? q->id : "(all)",
	               q->at == REPORT_ABSENT ? -1 : (long)q->at);
	text_printf(out, q->csv ? "provider,%s\n" : "{\"%s\":1}", what);
	return world.answer;
}

enum err report_contracts(struct store *s, const struct report_options *o,
                          const struct report_agreements_query *q, struct text *out)
{
	(void)s, (void)o;
	return pretend_report(q, "contracts", out);
}

enum err report_policies(struct store *s, const struct report_options *o,
                         const struct report_agreements_query *q, struct text *out)
{
	(void)s, (void)o;
	return pretend_report(q, "policies", out);
}

enum err statement_freeze(struct store *s, const struct report_options *o,
                          const struct statement_order *order, uint64_t *id, struct fault *why)
{
	(void)s, (void)o;
	(void)snprintf(world.said, sizeof(world.said), "%.16s %.16s %.16s %.8s", order->provider,
	               order->contract, order->period, order->author);
	*id = 7;
	if (world.answer != ERR_OK)
		(void)fault_set(why, world.answer, "/period", "not this one");
	return world.answer;
}

enum err store_statement(struct store *s, uint64_t id, struct store_statement *out)
{
	(void)s;
	if (world.answer == ERR_OK)
		*out = (struct store_statement){ .id = id, .provider = "isp-a" };
	return id == 404 ? ERR_NOT_FOUND : world.answer;
}

void store_statement_done(struct store_statement *st)
{
	(void)st;
}

enum err store_statements(struct store *s, const char *provider, const char *contract,
                          const char *period, struct store_statement **out, size_t *count)
{
	static const struct store_statement st = { .id = 7 };
	(void)s, (void)period;
	(void)snprintf(world.said, sizeof(world.said), "%.16s %.16s",
	               provider != NULL ? provider : "(all)",
	               contract != NULL ? contract : "(all)");
	return one(&st, sizeof(st), out, count);
}

void statement_json_about(const struct store_statement *st, struct text *out)
{
	text_printf(out, "\"id\":%u", (unsigned)st->id);
}

void statement_json(const struct store_statement *st, struct text *out)
{
	text_printf(out, "{\"id\":%u,\"figures\":{}}", (unsigned)st->id);
}

void statement_csv(const struct store_statement *st, struct text *out)
{
	text_printf(out, "statement.id,%u", (unsigned)st->id);
}

void statement_html(const struct store_statement *st, struct text *out)
{
	text_printf(out, "<!doctype html>Statement %u", (unsigned)st->id);
}

enum err statement_verify(struct store *s, const struct store_statement *st,
                          struct statement_finding *out, struct fault *why)
{
	(void)s, (void)why;
	*out = (struct statement_finding){ .bin = "flow a-1", .bin_was = "1", .bin_is = "2" };
	if (st->id == 8)
		*out = (struct statement_finding){ .hash_differs = false };
	return world.answer;
}

bool statement_is_sound(const struct statement_finding *f)
{
	return f->bin[0] == '\0';
}

enum err store_audit_verify(struct store *s, const struct store_head *noted,
                            struct store_audit_check *out)
{
	(void)s;
	*out = (struct store_audit_check){ .rows = 3, .head = { 3, "ab" } };
	if (noted != NULL) {
		out->broken = noted->number;
		(void)snprintf(out->why, sizeof(out->why), "not %.4s", noted->chain);
	}
	return world.answer;
}

enum err store_audit(struct store *s, const char *provider, size_t limit, struct store_audit **out,
                     size_t *count)
{
	(void)snprintf(world.asked_provider, sizeof(world.asked_provider), "%s",
	               provider != NULL ? provider : "");
	static const struct store_audit a = { .at = 1795255500, .author = "admin" };
	(void)s, (void)limit;
	return one(&a, sizeof(a), out, count);
}

struct report_query report_window(const struct report_query *q, const struct report_options *o,
                                  int64_t now)
{
	(void)o;
	struct report_query w = *q;
	if (w.to == REPORT_ABSENT)
		w.to = now;
	if (w.from == REPORT_ABSENT)
		w.from = w.to - 86400;
	return w;
}

int64_t report_settled(uint32_t bin_seconds, int64_t now)
{
	(void)now;
	return 1793491200 + bin_seconds;
}

enum err store_flows(struct store *s, int64_t start, uint32_t bin_seconds, struct store_flow **out,
                     size_t *count, uint32_t *observed_seconds)
{
	(void)s;
	assert_int_equal(start, 1793491200);
	assert_int_equal(bin_seconds, 300);
	*observed_seconds = world.observed_seconds;
	return one(&world.flow, sizeof(world.flow), out, count);
}

static void remember(const struct report_query *q)
{
	world.asked = *q;
	(void)snprintf(world.asked_provider, 65, "%s", q->provider ? q->provider : "(all)");
	(void)snprintf(world.asked_interconnect, 65, "%s",
	               q->interconnect ? q->interconnect : "(all)");
}

enum err report_balance(struct store *s, const struct report_options *o,
                        const struct report_query *q, struct text *out)
{
	(void)s, (void)o;
	remember(q);
	text_put(out, q->csv ? "provider,interconnect\n" : "{\"balance\":1}");
	return world.answer;
}

enum err report_quality(struct store *s, const struct report_options *o,
                        const struct report_query *q, struct text *out)
{
	(void)s, (void)o;
	remember(q);
	text_put(out, q->csv ? "provider,source\n" : "{\"quality\":1}");
	return world.answer;
}

enum err report_steering(struct store *s, const struct report_options *o,
                         const struct report_query *q, struct text *out)
{
	(void)s, (void)o;
	remember(q);
	text_put(out, q->csv ? "provider,policy\n" : "{\"steering\":1}");
	return world.answer;
}

/* What was asked of the matrix, told in the answer. */
static enum err told_ask(const char *what, const struct report_ask *a, struct text *out)
{
	remember(&a->query);
	text_printf(out, "{\"%s\":\"%d %zu%s%s%s\"}", what, (int)a->level, a->limit,
	            a->scoped ? " scoped" : "", a->by_cost ? " cost" : "",
	            a->query.csv ? " csv" : "");
	return world.answer;
}

enum err report_matrix(struct store *s, const struct report_options *o, const struct report_ask *a,
                       struct text *out)
{
	(void)s, (void)o;
	return told_ask("matrix", a, out);
}

enum err report_top_places(struct store *s, const struct report_options *o,
                           const struct report_ask *a, struct text *out)
{
	(void)s, (void)o;
	return told_ask("places", a, out);
}

enum err report_top_swarms(struct store *s, const struct report_options *o,
                           const struct report_ask *a, struct text *out)
{
	(void)s, (void)o;
	return told_ask("swarms", a, out);
}

enum err report_series(struct store *s, const struct report_options *o,
                       const struct report_query *q, enum store_source source, struct text *out)
{
	(void)s, (void)o;
	assert_int_equal(source, STORE_FLOW);
	remember(q);
	text_put(out, "{\"series\":1}");
	return world.answer;
}

static inline bool ready(void *ctx, char why[static 128])
{
	(void)ctx;
	(void)snprintf(why, 128, "maps are loading");
	return !world.unready;
}

static inline void access_changed(void *ctx)
{
	(void)ctx;
	world.access_changes++;
}

static inline enum err explain(void *ctx, const struct api_question *q, struct text *out)
{
	(void)ctx;
	(void)snprintf(world.said, sizeof(world.said), "%02x %u %d %d %d %s", q->info_hash[0],
	               q->port, q->want, q->says_left, q->has_all,
	               q->provider != NULL ? q->provider : "(all)");
	text_put(out, "{\"peers\":[]}");
	return world.answer;
}

static inline enum err list_swarms(void *ctx, enum api_swarms format, struct http_reply *reply)
{
	(void)ctx;
	(void)snprintf(world.said, sizeof(world.said), "swarms %d", (int)format);
	text_put(&reply->body, "all"); /* a stream in the daemon */
	return world.answer;
}
