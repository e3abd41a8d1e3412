/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens. Admins make, change and revoke them; a token may rotate itself, so that whoever holds one can
 * change it without asking, but neither for longer nor with the secret of before the last rotation:
 * else whoever found an old one could take its name over.
 */
#include "server/api/body.h"
#include "server/api/routes.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GRACE_MOST = 30 * 86400, AS_IT_WAS = -1 };
#define EXPIRES_MAX INT64_C(4102444800) /* the year 2100 */

static void put_when(struct text *t, const char *key, int64_t when)
{
	if (when != 0)
		call_put_time(t, key, when);
	else
		text_printf(t, ",\"%s\":null", key);
}

/* Leaves the object open. */
static void put_token(struct text *t, const struct store_token *token)
{
	text_put(t, "{\"name\":");
	text_json_string(t, token->name);
	call_put_string(t, "role", store_role_name(token->role));
	if (token->provider[0] != '\0')
		call_put_string(t, "provider", token->provider);
	else
		text_put(t, ",\"provider\":null");
	call_put_time(t, "created", token->created);
	put_when(t, "expires", token->expires);
	put_when(t, "last_used", token->last_used);
	put_when(t, "previous_until", token->previous_until);
}

void tokens_get(struct call *c)
{
	struct store_token *list = NULL;
	size_t n = 0;
	const enum err e = store_tokens(c->use->store, &list, &n);
	if (e != ERR_OK) {
		call_failed(c, e, "no tokens");
		return;
	}
	struct text *t = call_json(c, 200);
	text_put(t, "{\"tokens\":[");
	for (size_t i = 0; i < n; i++) {
		text_put(t, i > 0 ? "," : "");
		put_token(t, &list[i]);
		text_put(t, "}");
	}
	text_put(t, "]}\n");
	free(list);
}

/* The one time that the secret is shown. */
static void answer_secret(struct call *c, unsigned status, const struct store_token *token,
                          const char *secret)
{
	struct text *t = call_json(c, status);
	http_reply_header(c->reply, "Cache-Control", "no-store");
	put_token(t, token);
	call_put_string(t, "token", secret);
	text_put(t, "}\n");
}

/* ---- members ---- */

/* false: absent. */
static bool read_role(const json_t *body, enum store_role *out, struct faults *faults)
{
	const char *role = body_string(body, "role", faults);
	if (role == NULL || json_object_get(body, "role") == NULL)
		return false;
	if (store_role_find(role, out))
		return true;
	(void)faults_add(faults, ERR_RANGE, "out-of-range", "/role",
	                 "must be viewer, analyst, operator, approver, auditor or admin");
	return false;
}

/* Null is never; absent leaves *out. */
static void read_expires(const struct call *c, const json_t *body, int64_t *out,
                         struct faults *faults)
{
	const json_t *value = json_object_get(body, "expires");
	const char *said = body_string(body, "expires", faults);
	int64_t at;
	if (value == NULL || said == NULL)
		return;
	if (json_is_null(value))
		*out = 0;
	else if (!text_time(said, &at))
		(void)faults_add(faults, ERR_MALFORMED, "malformed", "/expires",
		                 "must be a time such as 2027-01-31T00:00:00Z, or null for never");
	else if (at <= c->now || at >= EXPIRES_MAX)
		(void)faults_add(faults, ERR_RANGE, "out-of-range", "/expires",
		                 "must be in the future, and before the year 2100");
	else
		*out = at;
}

static void read_grace(const json_t *body, uint32_t *out, struct faults *faults)
{
	const json_t *value = json_object_get(body, "grace_seconds");
	const json_int_t n = json_integer_value(value);
	if (value == NULL)
		return;
	if (!json_is_integer(value) || n < 0 || n > GRACE_MOST)
		(void)faults_add(faults, ERR_RANGE, "out-of-range", "/grace_seconds",
		                 "must be a whole number of 0 (the old token ends at once) to %d",
		                 GRACE_MOST);
	else
		*out = (uint32_t)n;
}

static void read_new(const struct call *c, const json_t *body, struct store_token *out,
                     struct faults *faults)
{
	const char *provider = body_string(body, "provider", faults);
	body_new_name(body, out->name, faults);
	read_expires(c, body, &out->expires, faults);
	if (json_object_get(body, "role") == NULL)
		(void)faults_add(faults, ERR_MALFORMED, "missing", "/role",
		                 "what may it do? viewer, analyst, operator, approver, auditor or "
		                 "admin");
	if (!read_role(body, &out->role, faults) || provider == NULL)
		return;
	if (out->role == STORE_ADMIN && provider[0] != '\0')
		(void)faults_add(faults, ERR_RANGE, "out-of-range", "/provider",
		                 "an admin is of all providers");
	else if (out->role != STORE_ADMIN && !body_is_name(provider))
		(void)faults_add(faults, ERR_MALFORMED, provider[0] ? "malformed" : "missing",
		                 "/provider", "a token with role %s is of one provider: say which",
		                 store_role_name(out->role));
	else
		(void)snprintf(out->provider, sizeof(out->provider), "%s", provider);
}

/* The body (none is an empty one), and a list of what it may not hold. NULL: it is answered. */
static json_t *take_body(struct call *c, const char *const *keys, struct faults **faults)
{
	json_t *body = c->request->body_size > 0 ? call_body_object(c) : json_object();
	if (body == NULL)
		return NULL;
	*faults = faults_new();
	if (*faults != NULL) {
		body_reject_unknown(body, keys, *faults);
		return body;
	}
	call_failed(c, ERR_NOMEM, "");
	json_decref(body);
	return NULL;
}

/* ---- changes ---- */

static void make_token(struct call *c, struct store_token *token)
{
	char text[AUTH_TOKEN_SIZE], what[128];
	uint64_t id;
	const enum err e = auth_token_new(c->use->auth, token, c->who.name, text, &id);
	(void)snprintf(what, sizeof(what), "there is a token named %s already", token->name);
	if (e == ERR_OK)
		answer_secret(c, 201, token, text);
	else
		call_failed(c, e, what);
}

void token_post(struct call *c)
{
	static const char *const keys[] = { "name", "role", "provider", "expires", NULL };
	struct store_token token = { .created = c->now };
	struct faults *faults;
	json_t *body = take_body(c, keys, &faults);
	if (body == NULL)
		return;
	read_new(c, body, &token, faults);
	if (faults->count > 0)
		call_refused(c, faults);
	else
		make_token(c, &token);
	faults_free(faults);
	json_decref(body);
}

/* ERR_RANGE is `where`'s fault. */
static void fail(struct call *c, enum err e, const char *where, const char *text)
{
	char what[192];
	struct faults faults = { 0 };
	const char *name = c->path.part[0];
	if (strcmp(name, "admin") == 0)
		(void)snprintf(
			what, sizeof(what),
			"the admin token is the file admin.token in the state folder: remove "
			"it and restart p4pd for a new one");
	else
		(void)snprintf(what, sizeof(what), "there is no token named %.128s", name);
	if (e != ERR_RANGE) {
		call_failed(c, e, what);
		return;
	}
	(void)faults_add(&faults, ERR_RANGE, "out-of-range", where, "%s", text);
	call_refused(c, &faults);
}

static void change_token(struct call *c, const enum store_role *role, int64_t expires)
{
	struct store_token token;
	const enum err e = store_token_change(c->use->store, c->path.part[0], role, expires,
	                                      c->who.name, &token);
	if (e != ERR_OK) {
		fail(c, e, "/role",
		     "an admin is of all providers, others of one: revoke it, and make another");
		return;
	}
	struct text *t = call_json(c, 200);
	put_token(t, &token);
	text_put(t, "}\n");
}

void token_patch(struct call *c)
{
	static const char *const keys[] = { "role", "expires", NULL };
	enum store_role role;
	int64_t expires = AS_IT_WAS;
	struct faults *faults;
	json_t *body = take_body(c, keys, &faults);
	if (body == NULL)
		return;
	const bool has_role = read_role(body, &role, faults);
	read_expires(c, body, &expires, faults);
	if (faults->count > 0)
		call_refused(c, faults);
	else
		change_token(c, has_role ? &role : NULL, expires);
	faults_free(faults);
	json_decref(body);
}

static void rotate(struct call *c, uint32_t grace_seconds, int64_t expires)
{
	char text[AUTH_TOKEN_SIZE];
	struct store_token token;
	const enum err e = auth_token_rotate(c->use->auth, c->path.part[0], grace_seconds, expires,
	                                     c->who.name, text, &token);
	if (e == ERR_OK)
		answer_secret(c, 200, &token, text);
	else
		fail(c, e, "/expires", "the token has expired: say until when the new one is good");
}

void token_rotate(struct call *c)
{
	static const char *const keys[] = { "grace_seconds", "expires", NULL };
	uint32_t grace = 0;
	int64_t expires = AS_IT_WAS;
	struct faults *faults;
	if (c->who.rotated) {
		call_problem(c, 403, "token %s was rotated: only its new secret may do that again",
		             c->who.name);
		return;
	}
	json_t *body = take_body(c, keys, &faults);
	if (body == NULL)
		return;
	read_grace(body, &grace, faults);
	read_expires(c, body, &expires, faults);
	if (faults->count > 0)
		call_refused(c, faults);
	else if (expires != AS_IT_WAS && !auth_may(&c->who, AUTH_ADMIN, NULL))
		call_problem(c, 403, "token %s may not say when it expires: an admin may",
		             c->who.name);
	else
		rotate(c, grace, expires);
	faults_free(faults);
	json_decref(body);
}

void token_delete(struct call *c)
{
	const enum err e = store_token_remove(c->use->store, c->path.part[0], c->who.name);
	if (e == ERR_OK)
		c->reply->status = 204;
	else
		fail(c, e, "", "");
}
