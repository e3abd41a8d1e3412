/* SPDX-License-Identifier: Apache-2.0 */
#include "server/store/query.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOKEN_COLUMNS "id, name, role, provider, extract(epoch FROM created)::bigint "

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
		    "INSERT INTO tokens (hash, name, role, provider) "
		    "VALUES ($1, $2, $3::text::token_role, $4) ON CONFLICT DO NOTHING RETURNING id",
		    ARGS(arg_bytes(hash, 32), arg_text(token->name),
	                 arg_text(store_role_name(token->role)), arg_text(provider))) == 1)
		number = work_u64(&w, 0, 0);
	else
		work_fail(&w, ERR_EXISTS);
	work_audit(&w, author, "token-add", subject);
	const enum err e = work_end(&w);
	if (e == ERR_OK)
		*id = number;
	return e;
}

enum err store_token_find(struct store *s, const uint8_t hash[static 32], struct store_token *out)
{
	struct work w = work_begin(s, "find a token");
	struct store_token t = { 0 };
	if (work_run(&w, "SELECT " TOKEN_COLUMNS "FROM tokens WHERE hash = $1 AND revoked IS NULL",
	             ARGS(arg_bytes(hash, 32))) == 1)
		token_row(&w, 0, &t);
	else
		work_fail(&w, ERR_NOT_FOUND);
	const enum err e = work_end(&w);
	if (e == ERR_OK)
		*out = t;
	return e;
}

enum err store_token_remove(struct store *s, const char *name, const char *author)
{
	struct work w = work_begin(s, "revoke a token");
	if (work_run(&w,
	             "UPDATE tokens SET revoked = now() WHERE name = $1 AND revoked IS NULL "
	             "RETURNING 1",
	             ARGS(arg_text(name))) != 1)
		work_fail(&w, ERR_NOT_FOUND);
	work_audit(&w, author, "token-remove", name);
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
