/* SPDX-License-Identifier: Apache-2.0 */
#include "server/store/query.h"

#include <stdlib.h>

enum err store_access_set(struct store *s, const struct store_hash *hash, bool allowed,
                          const char *author)
{
	char hex[2 * sizeof(hash->bytes) + 1];
	text_hex(hash->bytes, sizeof(hash->bytes), hex);

	struct work w = work_begin(s, "change the access list");
	if (allowed)
		(void)work_run(&w,
		               "INSERT INTO allowed_hashes (hash, author) VALUES ($1, $2) "
		               "ON CONFLICT DO NOTHING",
		               ARGS(arg_bytes(hash->bytes, sizeof(hash->bytes)), arg_text(author)));
	else
		(void)work_run(&w, "DELETE FROM allowed_hashes WHERE hash = $1",
		               ARGS(arg_bytes(hash->bytes, sizeof(hash->bytes))));
	work_audit(&w, author, allowed ? "access-allow" : "access-remove", hex);
	work_notify(&w);
	return work_end(&w);
}

static void hash_row(const struct work *w, size_t row, void *out)
{
	struct store_hash *h = out;
	char hex[2 * sizeof(h->bytes) + 1];
	work_text(w, row, 0, hex, sizeof(hex));
	must(text_unhex(hex, h->bytes, sizeof(h->bytes)));
}

enum err store_access_list(struct store *s, struct store_hash **out, size_t *count)
{
	struct work w = work_begin(s, "read the access list");
	(void)work_run(&w, "SELECT encode(hash, 'hex') FROM allowed_hashes ORDER BY hash", NULL);
	size_t n = 0;
	struct store_hash *list = work_list(&w, sizeof(*list), hash_row, &n);
	const enum err e = work_end(&w);
	if (e != ERR_OK) {
		free(list);
		return e;
	}
	*out = list;
	*count = n;
	return ERR_OK;
}

static void audit_row(const struct work *w, size_t row, void *out)
{
	struct store_audit *a = out;
	a->at = work_i64(w, row, 0);
	work_text(w, row, 1, a->author, sizeof(a->author));
	work_text(w, row, 2, a->action, sizeof(a->action));
	work_text(w, row, 3, a->subject, sizeof(a->subject));
}

enum err store_audit(struct store *s, size_t limit, struct store_audit **out, size_t *count)
{
	struct work w = work_begin(s, "read the audit log");
	(void)work_run(&w,
	               "SELECT extract(epoch FROM at)::bigint, author, action, subject "
	               "FROM audit ORDER BY number DESC LIMIT least($1::numeric, 1000000)",
	               ARGS(arg_u64(limit)));
	size_t n = 0;
	struct store_audit *list = work_list(&w, sizeof(*list), audit_row, &n);
	const enum err e = work_end(&w);
	if (e != ERR_OK) {
		free(list);
		return e;
	}
	*out = list;
	*count = n;
	return ERR_OK;
}
