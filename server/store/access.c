/* SPDX-License-Identifier: Apache-2.0 */
#include "server/store/query.h"

#include <stdlib.h>

/* Statements may not take a table's name as a parameter. */
static const struct {
	const char *add, *remove, *list, *added, *removed;
} hash_lists[] = {
	[STORE_ALLOWED] = { "INSERT INTO allowed_hashes (hash, author) VALUES ($1, $2) "
	                    "ON CONFLICT DO NOTHING",
	                    "DELETE FROM allowed_hashes WHERE hash = $1",
	                    "SELECT encode(hash, 'hex'), private FROM allowed_hashes ORDER BY hash",
	                    "access-allow", "access-remove" },
	[STORE_DENIED] = { "INSERT INTO denied_hashes (hash, author) VALUES ($1, $2) "
	                   "ON CONFLICT DO NOTHING",
	                   "DELETE FROM denied_hashes WHERE hash = $1",
	                   "SELECT encode(hash, 'hex'), false FROM denied_hashes ORDER BY hash",
	                   "access-deny", "access-undeny" },
};

enum err store_access_set(struct store *s, enum store_list list, const struct store_hash *hash,
                          bool listed, const char *author)
{
	const enum store_list other = list == STORE_ALLOWED ? STORE_DENIED : STORE_ALLOWED;
	const struct arg bytes = arg_bytes(hash->bytes, sizeof(hash->bytes));
	char hex[2 * sizeof(hash->bytes) + 1];
	text_hex(hash->bytes, sizeof(hash->bytes), hex);

	struct work w = work_begin(s, "change the access list");
	if (listed) {
		(void)work_run(&w, hash_lists[list].add, ARGS(bytes, arg_text(author)));
		(void)work_run(&w, hash_lists[other].remove, ARGS(bytes));
		(void)work_run(
			&w, "UPDATE allowed_hashes SET private = $2::text::boolean WHERE hash = $1",
			ARGS(bytes, arg_text(hash->is_private ? "true" : "false")));
	} else {
		(void)work_run(&w, hash_lists[list].remove, ARGS(bytes));
	}
	work_audit(&w, author, listed ? hash_lists[list].added : hash_lists[list].removed, hex);
	work_notify(&w);
	return work_end(&w);
}

static void hash_row(const struct work *w, size_t row, void *out)
{
	struct store_hash *h = out;
	char hex[2 * sizeof(h->bytes) + 1];
	work_text(w, row, 0, hex, sizeof(hex));
	must(text_unhex(hex, h->bytes, sizeof(h->bytes)));
	h->is_private = work_bool(w, row, 1);
}

/* Ends `w`, whose last result becomes the list. */
static enum err hand_over(struct work *w, size_t each, row_reader *read, void *out, size_t *count)
{
	size_t n = 0;
	void *list = work_list(w, each, read, &n);
	const enum err e = work_end(w);
	if (e != ERR_OK) {
		free(list);
		return e;
	}
	*(void **)out = list;
	*count = n;
	return ERR_OK;
}

enum err store_access_list(struct store *s, enum store_list list, struct store_hash **out,
                           size_t *count)
{
	struct work w = work_begin(s, "read the access list");
	(void)work_run(&w, hash_lists[list].list, NULL);
	return hand_over(&w, sizeof(**out), hash_row, out, count);
}

enum err store_client_set(struct store *s, const char *prefix, bool denied, const char *author)
{
	struct work w = work_begin(s, "change the list of clients");
	if (denied)
		(void)work_run(&w,
		               "INSERT INTO denied_clients (prefix, author) VALUES ($1, $2) "
		               "ON CONFLICT DO NOTHING",
		               ARGS(arg_text(prefix), arg_text(author)));
	else
		(void)work_run(&w, "DELETE FROM denied_clients WHERE prefix = $1",
		               ARGS(arg_text(prefix)));
	work_audit(&w, author, denied ? "client-deny" : "client-undeny", prefix);
	work_notify(&w);
	return work_end(&w);
}

static void client_row(const struct work *w, size_t row, void *out)
{
	struct store_client *c = out;
	work_text(w, row, 0, c->prefix, sizeof(c->prefix));
}

enum err store_client_list(struct store *s, struct store_client **out, size_t *count)
{
	struct work w = work_begin(s, "read the list of clients");
	(void)work_run(&w, "SELECT prefix FROM denied_clients ORDER BY prefix COLLATE \"C\"", NULL);
	return hand_over(&w, sizeof(**out), client_row, out, count);
}
