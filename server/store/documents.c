/* SPDX-License-Identifier: Apache-2.0 */
#include "server/store/query.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const kinds[] = { [STORE_TOPOLOGY] = "topology", [STORE_COSTS] = "costs" };

/* ---- upload and activation ---- */

static void audit_version(struct work *w, const struct store_upload *u, const char *action,
                          uint64_t version)
{
	char subject[160];
	(void)snprintf(subject, sizeof(subject), "%s %s version %" PRIu64, u->provider,
	               kinds[u->kind], version);
	work_audit_of(w, u->provider, u->author, action, subject);
}

/* One JSON document is one parameter, however many interconnects there are. */
static void interconnects_json(const struct store_upload *u, struct text *json)
{
	text_put(json, "[");
	for (size_t i = 0; i < u->n_interconnects; i++) {
		const struct store_interconnect *c = &u->interconnects[i];
		text_put(json, i > 0 ? ",{\"id\":" : "{\"id\":");
		text_json_string(json, c->id);
		text_put(json, ",\"pid\":");
		text_json_string(json, c->pid);
		text_put(json, ",\"relation\":");
		text_json_string(json, c->relation);
		text_put(json, ",\"metro\":");
		text_json_string(json, c->metro);
		text_printf(json, ",\"neighbor_asn\":%" PRIu32 ",\"capacity_mbps\":%" PRIu64 "}",
		            c->neighbor_asn, c->capacity_mbps);
	}
	text_put(json, "]");
}

static void put_interconnects(struct work *w, const struct store_upload *u)
{
	struct text json = { 0 };
	interconnects_json(u, &json);
	if (json.bad)
		work_fail(w, ERR_NOMEM);
	(void)work_run(w,
	               "UPDATE interconnects SET in_force = false WHERE provider = $1 AND in_force",
	               ARGS(arg_text(u->provider)));
	(void)work_run(w,
	               "INSERT INTO interconnects AS old (provider, id, pid, relation, metro, "
	               " neighbor_asn, capacity_mbps, in_force) "
	               "SELECT $1, id, pid, relation, metro, neighbor_asn, capacity_mbps, true "
	               "FROM json_to_recordset($2) AS new (id text, pid text, relation text, "
	               " metro text, neighbor_asn bigint, capacity_mbps numeric) "
	               "ON CONFLICT (provider, id) DO UPDATE SET pid = EXCLUDED.pid, "
	               " relation = EXCLUDED.relation, metro = EXCLUDED.metro, "
	               " neighbor_asn = EXCLUDED.neighbor_asn, "
	               " capacity_mbps = EXCLUDED.capacity_mbps, in_force = true",
	               ARGS(arg_text(u->provider), arg_text(json.bytes)));
	text_done(&json);
}

static void activate(struct work *w, const struct store_upload *u, uint64_t version)
{
	(void)work_run(w,
	               "INSERT INTO activations (provider, version, kind, author) "
	               "VALUES ($1, $2, $3::text::document_kind, $4)",
	               ARGS(arg_text(u->provider), arg_u64(version), arg_text(kinds[u->kind]),
	                    arg_text(u->author)));
	if (u->kind == STORE_TOPOLOGY)
		put_interconnects(w, u);
	work_notify(w);
}

enum err store_upload(struct store *s, const struct store_upload *u, uint64_t *version)
{
	struct work w = work_begin(s, "store a document");
	uint64_t number = 0;

	/* Locks the provider's row; a roll back gives the number back. */
	if (work_run(
		    &w,
		    "INSERT INTO providers (provider, last_version) VALUES ($1, 1) "
		    "ON CONFLICT (provider) DO UPDATE SET last_version = providers.last_version + 1 "
		    "RETURNING last_version",
		    ARGS(arg_text(u->provider))) == 1)
		number = work_u64(&w, 0, 0);

	if (work_run(&w,
	             "SELECT version FROM documents_in_force JOIN map_versions "
	             " USING (provider, version, kind) "
	             "WHERE provider = $1 AND kind = $2::text::document_kind AND sha256 = $3",
	             ARGS(arg_text(u->provider), arg_text(kinds[u->kind]), arg_text(u->sha256))) ==
	    1) {
		number = work_u64(&w, 0, 0);
		work_fail(&w, ERR_EXISTS);
	}
	(void)work_run(
		&w,
		"INSERT INTO map_versions (provider, version, kind, document, sha256, author) "
		"VALUES ($1, $2, $3::text::document_kind, $4, $5, $6)",
		ARGS(arg_text(u->provider), arg_u64(number), arg_text(kinds[u->kind]),
	             arg_bytes(u->body, u->size), arg_text(u->sha256), arg_text(u->author)));
	activate(&w, u, number);
	audit_version(&w, u, "upload", number);

	const enum err e = work_end(&w);
	if (e == ERR_OK || e == ERR_EXISTS)
		*version = number;
	return e;
}

enum err store_activate(struct store *s, const struct store_upload *u, uint64_t version)
{
	struct work w = work_begin(s, "activate a document");
	(void)work_run(&w, "SELECT 1 FROM providers WHERE provider = $1 FOR NO KEY UPDATE",
	               ARGS(arg_text(u->provider)));
	if (work_run(&w,
	             "SELECT 1 FROM map_versions "
	             "WHERE provider = $1 AND version = $2 AND kind = $3::text::document_kind",
	             ARGS(arg_text(u->provider), arg_u64(version), arg_text(kinds[u->kind]))) != 1)
		work_fail(&w, ERR_NOT_FOUND);
	activate(&w, u, version);
	audit_version(&w, u, "activate", version);
	return work_end(&w);
}

/* ---- reading ---- */

#define VERSION_COLUMNS                                                     \
	"v.provider, v.version, v.kind, v.sha256, v.author, "               \
	"extract(epoch FROM v.created)::bigint, octet_length(v.document), " \
	"f.version IS NOT NULL "
#define VERSION_TABLES \
	"FROM map_versions v LEFT JOIN documents_in_force f USING (provider, kind, version) "

static void version_row(const struct work *w, size_t row, void *out)
{
	struct store_version *v = out;
	char kind[16];
	work_text(w, row, 0, v->provider, sizeof(v->provider));
	v->version = work_u64(w, row, 1);
	work_text(w, row, 2, kind, sizeof(kind));
	v->kind = strcmp(kind, kinds[STORE_COSTS]) == 0 ? STORE_COSTS : STORE_TOPOLOGY;
	work_text(w, row, 3, v->sha256, sizeof(v->sha256));
	work_text(w, row, 4, v->author, sizeof(v->author));
	v->created = work_i64(w, row, 5);
	v->size = work_u64(w, row, 6);
	v->in_force = work_bool(w, row, 7);
}

void store_document_done(struct store_document *d)
{
	free(d->body);
	*d = (struct store_document){ 0 };
}

enum err store_document(struct store *s, const char *provider, enum store_kind kind,
                        uint64_t version, struct store_document *out)
{
	struct work w = work_begin(s, "read a document");
	struct store_document d = { 0 };
	if (work_run(
		    &w,
		    "SELECT " VERSION_COLUMNS ", v.document " VERSION_TABLES
		    "WHERE v.provider = $1 AND v.kind = $2::text::document_kind AND "
		    " CASE WHEN $3::numeric = 0 THEN f.version IS NOT NULL ELSE v.version = $3 END",
		    ARGS(arg_text(provider), arg_text(kinds[kind]), arg_u64(version))) == 1) {
		version_row(&w, 0, &d.about);
		d.body = work_blob(&w, 0, 8, &d.size);
	} else {
		work_fail(&w, ERR_NOT_FOUND);
	}
	const enum err e = work_end(&w);
	if (e == ERR_OK)
		*out = d;
	else
		store_document_done(&d);
	return e;
}

enum err store_version(struct store *s, const char *provider, uint64_t version,
                       struct store_version *out)
{
	struct work w = work_begin(s, "read a version");
	struct store_version v = { 0 };
	if (work_run(&w,
	             "SELECT " VERSION_COLUMNS VERSION_TABLES
	             "WHERE v.provider = $1 AND v.version = $2::numeric",
	             ARGS(arg_text(provider), arg_u64(version))) == 1)
		version_row(&w, 0, &v);
	else
		work_fail(&w, ERR_NOT_FOUND);
	const enum err e = work_end(&w);
	if (e == ERR_OK)
		*out = v;
	return e;
}

enum err store_versions(struct store *s, const char *provider, struct store_version **out,
                        size_t *count)
{
	struct work w = work_begin(s, "list versions");
	(void)work_run(&w,
	               "SELECT " VERSION_COLUMNS VERSION_TABLES
	               "WHERE CASE WHEN $1::text IS NULL THEN f.version IS NOT NULL "
	               " ELSE v.provider = $1 END "
	               "ORDER BY v.created DESC, v.provider, v.version DESC",
	               ARGS(arg_text(provider)));
	size_t n = 0;
	struct store_version *list = work_list(&w, sizeof(*list), version_row, &n);
	const enum err e = work_end(&w);
	if (e != ERR_OK) {
		free(list);
		return e;
	}
	*out = list;
	*count = n;
	return ERR_OK;
}
