/* SPDX-License-Identifier: Apache-2.0 */
#include "server/store/query.h"

#include <stdlib.h>

enum err store_passkey_add(struct store *s, const struct store_passkey *key, const char *author)
{
	struct work w = work_begin(s, "add a passkey");
	if (work_run(&w,
	             "INSERT INTO passkeys (hash, name, max_peers, per_minute) "
	             "VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING RETURNING id",
	             ARGS(arg_bytes(key->hash, sizeof(key->hash)), arg_text(key->name),
	                  arg_u64(key->max_peers), arg_u64(key->per_minute))) != 1)
		work_fail(&w, ERR_EXISTS);
	work_audit(&w, author, "passkey-add", key->name);
	work_notify(&w);
	return work_end(&w);
}

enum err store_passkey_remove(struct store *s, const char *name, const char *author)
{
	struct work w = work_begin(s, "revoke a passkey");
	if (work_run(&w,
	             "UPDATE passkeys SET revoked = now() WHERE name = $1 AND revoked IS NULL "
	             "RETURNING 1",
	             ARGS(arg_text(name))) != 1)
		work_fail(&w, ERR_NOT_FOUND);
	work_audit(&w, author, "passkey-remove", name);
	work_notify(&w);
	return work_end(&w);
}

static void passkey_row(const struct work *w, size_t row, void *out)
{
	struct store_passkey *k = out;
	char hex[2 * sizeof(k->hash) + 1];
	work_text(w, row, 0, k->name, sizeof(k->name));
	work_text(w, row, 1, hex, sizeof(hex));
	must(text_unhex(hex, k->hash, sizeof(k->hash)));
	k->max_peers = (uint32_t)work_u64(w, row, 2);
	k->per_minute = (uint32_t)work_u64(w, row, 3);
	k->created = work_i64(w, row, 4);
}

enum err store_passkeys(struct store *s, struct store_passkey **out, size_t *count)
{
	struct work w = work_begin(s, "list passkeys");
	(void)work_run(&w,
	               "SELECT name, encode(hash, 'hex'), max_peers, per_minute, "
	               "extract(epoch FROM created)::bigint FROM passkeys "
	               "WHERE revoked IS NULL ORDER BY name",
	               NULL);
	size_t n = 0;
	struct store_passkey *list = work_list(&w, sizeof(*list), passkey_row, &n);
	const enum err e = work_end(&w);
	if (e != ERR_OK) {
		free(list);
		return e;
	}
	*out = list;
	*count = n;
	return ERR_OK;
}
