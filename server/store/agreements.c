/* SPDX-License-Identifier: Apache-2.0 */
#include "server/store/agreements.h"

#include "server/store/query.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const words[] = { [STORE_POLICY] = "policy", [STORE_CONTRACT] = "contract" };

const char *store_agreement_word(enum store_agreement_kind kind)
{
	return words[kind];
}

void store_agreements_free(struct store_agreement *list, size_t count)
{
	for (size_t i = 0; list != NULL && i < count; i++)
		free(list[i].document);
	free(list);
}

/* ---- change ---- */

/* What is in force, its provider's row locked against other changes. Version 0: never was one. */
static struct store_agreement lock(struct work *w, const struct store_agreement_change *c)
{
	struct store_agreement now = { .removed = true };
	if (c->document != NULL)
		(void)work_run(w,
		               "INSERT INTO providers (provider) VALUES ($1) "
		               "ON CONFLICT (provider) DO NOTHING",
		               ARGS(arg_text(c->provider)));
	(void)work_run(w, "SELECT 1 FROM providers WHERE provider = $1 FOR NO KEY UPDATE",
	               ARGS(arg_text(c->provider)));
	if (work_run(w,
	             "SELECT version, coalesce(sha256, ''), document IS NULL FROM agreements "
	             "WHERE provider = $1 AND kind = $2::text::agreement_kind AND id = $3 "
	             "ORDER BY version DESC LIMIT 1",
	             ARGS(arg_text(c->provider), arg_text(words[c->kind]), arg_text(c->id))) == 1) {
		now.version = work_u64(w, 0, 0);
		work_text(w, 0, 1, now.sha256, sizeof(now.sha256));
		now.removed = work_bool(w, 0, 2);
	}
	return now;
}

static bool is_expected(const struct store_agreement *now, const char *expected)
{
	if (expected == NULL)
		return true;
	return !now->removed && (strcmp(expected, "*") == 0 || strcmp(expected, now->sha256) == 0);
}

static void add_version(struct work *w, const struct store_agreement_change *c, uint64_t version)
{
	const bool removes = c->document == NULL;
	char action[32], subject[160];
	(void)work_run(
		w,
		"INSERT INTO agreements (provider, kind, id, version, document, sha256, author) "
		"VALUES ($1, $2::text::agreement_kind, $3, $4, $5, $6, $7)",
		ARGS(arg_text(c->provider), arg_text(words[c->kind]), arg_text(c->id),
	             arg_u64(version), removes ? arg_text(NULL) : arg_bytes(c->document, c->size),
	             arg_text(removes ? NULL : c->sha256), arg_text(c->author)));
	(void)snprintf(action, sizeof(action), "%s-%s", words[c->kind], removes ? "remove" : "put");
	(void)snprintf(subject, sizeof(subject), "%s %s version %" PRIu64, c->provider, c->id,
	               version);
	work_audit_of(w, c->provider, c->author, action, subject);
}

enum err store_agreement_change(struct store *s, const struct store_agreement_change *c,
                                uint64_t *version)
{
	struct work w = work_begin(s, "change an agreement");
	const struct store_agreement now = lock(&w, c);
	uint64_t number = now.version + 1;
	if (!is_expected(&now, c->expected)) {
		work_fail(&w, ERR_DENIED);
	} else if (c->document == NULL && now.removed) {
		work_fail(&w, ERR_NOT_FOUND);
	} else if (c->document != NULL && strcmp(now.sha256, c->sha256) == 0) {
		number = now.version;
		work_fail(&w, ERR_EXISTS);
	}
	add_version(&w, c, number);
	const enum err e = work_end(&w);
	if (e == ERR_OK || e == ERR_EXISTS)
		*version = number;
	return e;
}

/* ---- reading ---- */

#define COLUMNS                                                       \
	"provider, id, kind, version, coalesce(sha256, ''), author, " \
	"extract(epoch FROM created)::bigint, document IS NULL, "     \
	"coalesce(octet_length(document), 0) "

static void about_row(const struct work *w, size_t row, void *out)
{
	struct store_agreement *a = out;
	char kind[16];
	work_text(w, row, 0, a->provider, sizeof(a->provider));
	work_text(w, row, 1, a->id, sizeof(a->id));
	work_text(w, row, 2, kind, sizeof(kind));
	a->kind = strcmp(kind, words[STORE_CONTRACT]) == 0 ? STORE_CONTRACT : STORE_POLICY;
	a->version = work_u64(w, row, 3);
	work_text(w, row, 4, a->sha256, sizeof(a->sha256));
	work_text(w, row, 5, a->author, sizeof(a->author));
	a->created = work_i64(w, row, 6);
	a->removed = work_bool(w, row, 7);
	a->size = work_u64(w, row, 8);
}

/* Ends `w`, whose last result becomes the list; its tenth column, when asked for, the documents. */
static enum err hand_over(struct work *w, bool documents, struct store_agreement **out,
                          size_t *count)
{
	size_t n = 0;
	struct store_agreement *list = work_list(w, sizeof(*list), about_row, &n);
	for (size_t i = 0; documents && list != NULL && i < n; i++)
		list[i].document = work_blob(w, i, 9, &list[i].size);
	const enum err e = work_end(w);
	if (e != ERR_OK) {
		store_agreements_free(list, n);
		return e;
	}
	*out = list;
	*count = n;
	return ERR_OK;
}

enum err store_agreement(struct store *s, enum store_agreement_kind kind, const char *provider,
                         const char *id, uint64_t version, struct store_agreement **out)
{
	size_t count;
	struct work w = work_begin(s, "read an agreement");
	if (work_run(&w,
	             "SELECT " COLUMNS ", document FROM agreements "
	             "WHERE provider = $1 AND kind = $2::text::agreement_kind AND id = $3 "
	             " AND document IS NOT NULL AND version = CASE WHEN $4::numeric > 0 "
	             "  THEN $4::numeric ELSE (SELECT max(version) FROM agreements "
	             "   WHERE provider = $1 AND kind = $2::text::agreement_kind AND id = $3) END",
	             ARGS(arg_text(provider), arg_text(words[kind]), arg_text(id),
	                  arg_u64(version))) != 1)
		work_fail(&w, ERR_NOT_FOUND);
	return hand_over(&w, true, out, &count);
}

enum err store_agreements(struct store *s, enum store_agreement_kind kind, const char *provider,
                          const char *id, struct store_agreement **out, size_t *count)
{
	struct work w = work_begin(s, "read agreements");
	(void)work_run(
		&w,
		"SELECT * FROM (SELECT DISTINCT ON (provider, id) " COLUMNS ", document "
		" FROM agreements WHERE kind = $1::text::agreement_kind "
		"  AND ($2::text IS NULL OR provider = $2) AND ($3::text IS NULL OR id = $3) "
		" ORDER BY provider, id, version DESC) newest "
		"WHERE document IS NOT NULL ORDER BY provider, id",
		ARGS(arg_text(words[kind]), arg_text(provider), arg_text(id)));
	return hand_over(&w, true, out, count);
}

enum err store_agreement_history(struct store *s, enum store_agreement_kind kind,
                                 const char *provider, const char *id, struct store_agreement **out,
                                 size_t *count)
{
	struct work w = work_begin(s, "read the versions of an agreement");
	(void)work_run(&w,
	               "SELECT " COLUMNS "FROM agreements "
	               "WHERE provider = $1 AND kind = $2::text::agreement_kind AND id = $3 "
	               "ORDER BY version DESC",
	               ARGS(arg_text(provider), arg_text(words[kind]), arg_text(id)));
	return hand_over(&w, false, out, count);
}
