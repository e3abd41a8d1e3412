/* SPDX-License-Identifier: Apache-2.0 */
#include "server/store/query.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOKEN_COLUMNS                                                                  \
	"id, name, role, provider, extract(epoch FROM created)::bigint, "              \
	"extract(epoch FROM expires)::bigint, extract(epoch FROM last_used)::bigint, " \
	"CASE WHEN previous_until > now() THEN extract(epoch FROM previous_until)::bigint END "

static void token_row(const struct work *w, size_t row, void *out)
{
	struct store_token *t = out;
	char role[16];
	t->id = work_u64(w, row, 0);
	work_text(w, row, 1, t->name, sizeof(t->name));
	work_text(w, row, 2, role, sizeof(role));
	t->role = STORE_VIEWER; /* should a newer schema know more roles */
	(void)store_role_find(role, &t->role);
	work_text(w, row, 3, t->provider, sizeof(t->provider));
	t->created = work_i64(w, row, 4);
	t->expires = work_i64(w, row, 5);
	t->last_used = work_i64(w, row, 6);
	t->previous_until = work_i64(w, row, 7);
}

enum err store_token_add(struct store *s, const struct store_token *token,
                         const uint8_t hash[static 32], const char *author, uint64_t *id)
{
	const char *provider = token->provider[0] != '\0' ? token->provider : NULL;
	char subject[160];
	(void)snprintf(subject, sizeof(subject), "%s %s %s", token->name,
	               store_role_name(token->role), token->provider);

	struct work w = work_begin(s, "add a token");
	uint64_t number = 0;
	if (provider != NULL)
		(void)work_run(
			&w, "INSERT INTO providers (provider) VALUES ($1) ON CONFLICT DO NOTHING",
			ARGS(arg_text(provider)));
	if (work_run(
		    &w,
		    "INSERT INTO tokens (hash, name, role, provider, expires) "
		    "VALUES ($1, $2, $3::text::token_role, $4, to_timestamp(nullif($5::bigint, 0))) "
		    "ON CONFLICT DO NOTHING RETURNING id",
		    ARGS(arg_bytes(hash, 32), arg_text(token->name),
	                 arg_text(store_role_name(token->role)), arg_text(provider),
	                 arg_i64(token->expires))) == 1)
		number = work_u64(&w, 0, 0);
	else
		work_fail(&w, ERR_EXISTS);
	work_audit_of(&w, provider, author, "token-add", subject);
	const enum err e = work_end(&w);
	if (e == ERR_OK)
		*id = number;
	return e;
}

enum err store_token_find(struct store *s, const uint8_t hash[static 32], struct store_token *out,
                          enum store_secret *what)
{
	struct work w = work_begin(s, "find a token");
	struct store_token t = { 0 };
	enum store_secret secret = STORE_VALID;
	if (work_run(&w,
	             "SELECT " TOKEN_COLUMNS ", CASE "
	             "WHEN revoked IS NOT NULL THEN 4 "
	             "WHEN hash <> $1 AND previous_until <= now() THEN 2 "
	             "WHEN expires <= now() THEN 3 "
	             "WHEN hash <> $1 THEN 1 ELSE 0 END "
	             "FROM tokens WHERE hash = $1 OR previous_hash = $1 ORDER BY hash = $1 DESC",
	             ARGS(arg_bytes(hash, 32))) > 0) {
		token_row(&w, 0, &t);
		secret = (enum store_secret)work_u64(&w, 0, 8);
	} else {
		work_fail(&w, ERR_NOT_FOUND);
	}
	const enum err e = work_end(&w);
	if (e == ERR_OK) {
		*out = t;
		*what = secret;
	}
	return e;
}

void store_token_used(struct store *s, const struct store_token *token)
{
	struct work w = work_begin(s, "note that a token was used");
	(void)work_run(&w,
	               "UPDATE tokens SET last_used = now() WHERE id IN (SELECT id FROM tokens "
	               "WHERE id = $1 AND (last_used IS NULL OR last_used < now() - interval "
	               "'1 minute') FOR UPDATE SKIP LOCKED)",
	               ARGS(arg_u64(token->id)));
	(void)work_end(&w);
}

/* What RETURNING gave for one token by that name; ends `w`. */
static enum err hand_back(struct work *w, size_t rows, const char *author, const char *action,
                          struct store_token *out)
{
	struct store_token t = { 0 };
	char subject[160], until[24] = "never";
	if (rows == 1)
		token_row(w, 0, &t);
	else
		work_fail(w, ERR_NOT_FOUND);
	if (t.expires != 0)
		text_time_print(t.expires, until);
	(void)snprintf(subject, sizeof(subject), "%s %s expires=%s", t.name,
	               store_role_name(t.role), until);
	work_audit_of(w, t.provider, author, action, subject);
	const enum err e = work_end(w);
	if (e == ERR_OK)
		*out = t;
	return e;
}

/* $2: seconds, 0 for never, negative for as it was. */
#define NEW_EXPIRY                                                                                  \
	"expires = CASE WHEN $2::bigint < 0 THEN expires ELSE to_timestamp(nullif($2::bigint, 0)) " \
	"END"

enum err store_token_rotate(struct store *s, const char *name, const struct store_rotation *to,
                            const char *author, struct store_token *out)
{
	struct work w = work_begin(s, "rotate a token");
	const size_t n =
		work_run(&w,
	                 "UPDATE tokens SET previous_hash = hash, hash = $3, "
	                 "previous_until = now() + make_interval(secs => $4::bigint), " NEW_EXPIRY
	                 " WHERE name = $1 AND revoked IS NULL RETURNING " TOKEN_COLUMNS
	                 ", coalesce(expires <= now(), false)",
	                 ARGS(arg_text(name), arg_i64(to->expires), arg_bytes(to->hash, 32),
	                      arg_u64(to->grace_seconds)));
	if (n == 1 && work_bool(&w, 0, 8))
		work_fail(&w, ERR_RANGE);
	return hand_back(&w, n, author, "token-rotate", out);
}

enum err store_token_change(struct store *s, const char *name, const enum store_role *role,
                            int64_t expires, const char *author, struct store_token *out)
{
	struct work w = work_begin(s, "change a token");
	const char *named = role != NULL ? store_role_name(*role) : NULL;
	if (work_run(&w,
	             "SELECT role <> $2::text::token_role AND 'admin' IN (role, "
	             "$2::text::token_role) FROM tokens WHERE name = $1 AND revoked IS NULL "
	             "FOR UPDATE",
	             ARGS(arg_text(name), arg_text(named))) == 1 &&
	    work_bool(&w, 0, 0))
		work_fail(&w, ERR_RANGE);
	const size_t n = work_run(
		&w,
		"UPDATE tokens SET role = coalesce($3::text::token_role, role), " NEW_EXPIRY
		" WHERE name = $1 AND revoked IS NULL RETURNING " TOKEN_COLUMNS,
		ARGS(arg_text(name), arg_i64(expires), arg_text(named)));
	return hand_back(&w, n, author, "token-change", out);
}

enum err store_token_remove(struct store *s, const char *name, const char *author)
{
	struct work w = work_begin(s, "revoke a token");
	char provider[65] = "";
	if (work_run(&w,
	             "UPDATE tokens SET revoked = now() WHERE name = $1 AND revoked IS NULL "
	             "RETURNING provider",
	             ARGS(arg_text(name))) == 1)
		work_text(&w, 0, 0, provider, sizeof(provider));
	else
		work_fail(&w, ERR_NOT_FOUND);
	work_audit_of(&w, provider, author, "token-remove", name);
	return work_end(&w);
}

enum err store_tokens(struct store *s, struct store_token **out, size_t *count)
{
	struct work w = work_begin(s, "list tokens");
	(void)work_run(&w,
	               "SELECT " TOKEN_COLUMNS "FROM tokens WHERE revoked IS NULL ORDER BY name",
	               NULL);
	size_t n = 0;
	struct store_token *list = work_list(&w, sizeof(*list), token_row, &n);
	const enum err e = work_end(&w);
	if (e != ERR_OK) {
		free(list);
		return e;
	}
	*out = list;
	*count = n;
	return ERR_OK;
}
