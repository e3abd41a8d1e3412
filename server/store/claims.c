/* SPDX-License-Identifier: Apache-2.0 */
#include "server/store/claims.h"

#include "server/store/query.h"

#include <stdlib.h>

/* A provider is there as soon as anything names it. */
static void name_provider(struct work *w, const char *provider)
{
	(void)work_run(w, "INSERT INTO providers (provider) VALUES ($1) ON CONFLICT DO NOTHING",
	               ARGS(arg_text(provider)));
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

/* ---- ASNs ---- */

enum err store_asns_set(struct store *s, const char *provider, const uint32_t *asns, size_t n,
                        const char *author)
{
	struct text list = { 0 }, subject = { 0 };
	text_put(&list, "{");
	text_put(&subject, provider);
	for (size_t i = 0; i < n; i++) {
		text_printf(&list, "%s%u", i > 0 ? "," : "", (unsigned)asns[i]);
		text_printf(&subject, " %u", (unsigned)asns[i]);
	}
	text_put(&list, "}");

	struct work w = work_begin(s, "bind ASNs");
	if (list.bad || subject.bad)
		work_fail(&w, ERR_NOMEM);
	name_provider(&w, provider);
	(void)work_run(
		&w,
		"DELETE FROM provider_asns WHERE provider = $1 AND asn <> ALL ($2::text::bigint[])",
		ARGS(arg_text(provider), arg_text(list.bytes)));
	(void)work_run(&w,
	               "INSERT INTO provider_asns (provider, asn, author) "
	               "SELECT $1, unnest($2::text::bigint[]), $3 ON CONFLICT DO NOTHING",
	               ARGS(arg_text(provider), arg_text(list.bytes), arg_text(author)));
	work_audit_of(&w, provider, author, n > 0 ? "asns-bind" : "asns-unbind", subject.bytes);
	text_done(&list);
	text_done(&subject);
	return work_end(&w);
}

static void asn_row(const struct work *w, size_t row, void *out)
{
	struct store_asn *a = out;
	work_text(w, row, 0, a->provider, sizeof(a->provider));
	a->asn = (uint32_t)work_u64(w, row, 1);
}

enum err store_asns(struct store *s, const char *provider, struct store_asn **out, size_t *count)
{
	struct work w = work_begin(s, "read the ASNs of providers");
	(void)work_run(&w,
	               "SELECT provider, asn FROM provider_asns "
	               "WHERE provider = $1 OR $1::text IS NULL ORDER BY provider, asn",
	               ARGS(arg_text(provider)));
	return hand_over(&w, sizeof(**out), asn_row, out, count);
}

/* ---- delegations ---- */

enum err store_delegation_add(struct store *s, const char *provider, const char *prefix,
                              const char *author)
{
	struct text subject = { 0 };
	text_printf(&subject, "%s %s", provider, prefix);
	struct work w = work_begin(s, "delegate a prefix");
	if (subject.bad)
		work_fail(&w, ERR_NOMEM);
	name_provider(&w, provider);
	if (work_run(
		    &w,
		    "INSERT INTO delegations (prefix, provider, author) VALUES ($1::text::cidr, $2, $3) "
		    "ON CONFLICT (prefix) DO UPDATE SET author = EXCLUDED.author "
		    "WHERE delegations.provider = EXCLUDED.provider RETURNING 1",
		    ARGS(arg_text(prefix), arg_text(provider), arg_text(author))) != 1)
		work_fail(&w, ERR_EXISTS);
	work_audit_of(&w, provider, author, "delegation-add", subject.bytes);
	text_done(&subject);
	return work_end(&w);
}

enum err store_delegation_remove(struct store *s, const char *provider, const char *prefix,
                                 const char *author)
{
	struct text subject = { 0 };
	text_printf(&subject, "%s %s", provider, prefix);
	struct work w = work_begin(s, "end a delegation");
	if (subject.bad)
		work_fail(&w, ERR_NOMEM);
	if (work_run(
		    &w,
		    "DELETE FROM delegations WHERE prefix = $1::text::cidr AND provider = $2 RETURNING 1",
		    ARGS(arg_text(prefix), arg_text(provider))) != 1)
		work_fail(&w, ERR_NOT_FOUND);
	work_audit_of(&w, provider, author, "delegation-remove", subject.bytes);
	text_done(&subject);
	return work_end(&w);
}

static void delegation_row(const struct work *w, size_t row, void *out)
{
	struct store_delegation *d = out;
	work_text(w, row, 0, d->provider, sizeof(d->provider));
	work_text(w, row, 1, d->prefix, sizeof(d->prefix));
	work_text(w, row, 2, d->author, sizeof(d->author));
	d->added = work_i64(w, row, 3);
}

enum err store_delegations(struct store *s, const char *provider, struct store_delegation **out,
                           size_t *count)
{
	struct work w = work_begin(s, "list delegations");
	(void)work_run(
		&w,
		"SELECT provider, prefix::text, author, extract(epoch FROM added)::bigint "
		"FROM delegations WHERE provider = $1 OR $1::text IS NULL ORDER BY delegations.prefix",
		ARGS(arg_text(provider)));
	return hand_over(&w, sizeof(**out), delegation_row, out, count);
}
