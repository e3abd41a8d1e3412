/* SPDX-License-Identifier: Apache-2.0 */
#include "server/store/documents.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const kinds[] = { [STORE_TOPOLOGY] = "topology", [STORE_COSTS] = "costs" };

/* ---- upload and activation ---- */

const char *documents_kind(enum store_kind kind)
{
	return kinds[kind];
}

void documents_audit(struct work *w, const struct document_name *d, const char *author,
                     const char *action, const char *reason)
{
	char subject[160 + STORE_REASON];
	(void)snprintf(subject, sizeof(subject), "%s %s version %" PRIu64 "%s%s", d->provider,
	               kinds[d->kind], d->version, reason != NULL ? ": " : "",
	               reason != NULL ? reason : "");
	work_audit_of(w, d->provider, author, action, subject);
}

/* One JSON document is one parameter, however many interconnects there are. */
static void interconnects_json(const struct documents_ports *u, struct text *json)
{
	text_put(json, "[");
	for (size_t i = 0; i < u->n; i++) {
		const struct store_interconnect *c = &u->list[i];
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

void documents_put_ports(struct work *w, const struct documents_ports *u)
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

static uint64_t newest_activation(struct work *w)
{
	return work_run(w, "SELECT coalesce(max(number), 0) FROM activations", NULL) == 1
	               ? work_u64(w, 0, 0)
	               : 0;
}

void documents_take_turn(struct work *w, const uint64_t *seen)
{
	if (seen == NULL)
		return;
	(void)work_run(w, "SELECT pg_advisory_xact_lock(hashtext('p4pd maps'))", NULL);
	if (newest_activation(w) != *seen)
		work_fail(w, ERR_BUSY);
}

enum err store_newest_activation(struct store *s, uint64_t *out)
{
	struct work w = work_begin(s, "look for what came into force last");
	const uint64_t newest = newest_activation(&w);
	const enum err e = work_end(&w);
	if (e == ERR_OK)
		*out = newest;
	return e;
}

uint64_t documents_activate(struct work *w, const struct document_name *d, const char *author)
{
	uint64_t number = 0;
	if (work_run(w,
	             "INSERT INTO activations (provider, version, kind, author) "
	             "VALUES ($1, $2, $3::text::document_kind, $4) RETURNING number",
	             ARGS(arg_text(d->provider), arg_u64(d->version), arg_text(kinds[d->kind]),
	                  arg_text(author))) == 1)
		number = work_u64(w, 0, 0);
	work_notify(w);
	return number;
}

/* Is it one of the words? */
static bool lists(const char *words, const char *word)
{
	const size_t size = strlen(word);
	for (const char *at = words; *at != '\0'; at += *at == ' ') {
		const size_t n = strcspn(at, " ");
		if ((n == size && memcmp(at, word, n) == 0) || (n == 1 && *at == '*'))
			return true;
		at += n;
	}
	return false;
}

void documents_expect(struct work *w, const char *provider, enum store_kind kind,
                      const char *expected)
{
	char sha256[65] = "none", version[24] = "0";
	if (expected == NULL)
		return;
	if (work_run(w,
	             "SELECT sha256, version FROM documents_in_force JOIN map_versions "
	             " USING (provider, version, kind) "
	             "WHERE provider = $1 AND kind = $2::text::document_kind",
	             ARGS(arg_text(provider), arg_text(kinds[kind]))) == 1) {
		work_text(w, 0, 0, sha256, sizeof(sha256));
		work_text(w, 0, 1, version, sizeof(version));
	}
	if (!lists(expected, sha256) && !lists(expected, version))
		work_fail(w, ERR_DENIED);
}

void documents_end_watch(struct work *w, const char *provider)
{
	(void)work_run(w,
	               "UPDATE map_watches SET state = 'ended', ended = now(), "
	               " reason = 'a newer change' WHERE provider = $1 AND state = 'watching'",
	               ARGS(arg_text(provider)));
}

void documents_look_after(struct work *w, const struct store_map_watch *l, uint64_t version,
                          uint64_t activation)
{
	(void)work_run(w,
	               "INSERT INTO map_watches (provider, version, activation, begun, until, "
	               " points) VALUES ($1, $2, $3, $4, $5, $6)",
	               ARGS(arg_text(l->provider), arg_u64(version), arg_u64(activation),
	                    arg_i64(l->begun), arg_i64(l->until), arg_u64(l->points)));
}

/* Locks the provider's row; a roll back gives the number back. */
static uint64_t next_version(struct work *w, const char *provider)
{
	if (work_run(
		    w,
		    "INSERT INTO providers (provider, last_version) VALUES ($1, 1) "
		    "ON CONFLICT (provider) DO UPDATE SET last_version = providers.last_version + 1 "
		    "RETURNING last_version",
		    ARGS(arg_text(provider))) != 1)
		return 0;
	return work_u64(w, 0, 0);
}

/* A draft of the same document; 0: there is none. Then the number that was taken is not given back. */
static uint64_t same_draft(struct work *w, const struct store_upload *u)
{
	if (work_run(w,
	             "SELECT version FROM map_versions v WHERE provider = $1 "
	             " AND kind = $2::text::document_kind AND sha256 = $3 "
	             " AND NOT EXISTS (SELECT 1 FROM activations a "
	             "  WHERE a.provider = v.provider AND a.version = v.version) "
	             "ORDER BY version DESC LIMIT 1",
	             ARGS(arg_text(u->provider), arg_text(kinds[u->kind]), arg_text(u->sha256))) !=
	    1)
		return 0;
	const uint64_t version = work_u64(w, 0, 0);
	(void)work_run(w,
	               "UPDATE providers SET last_version = last_version - 1 WHERE provider = $1",
	               ARGS(arg_text(u->provider)));
	return version;
}

/* The same document, where it is in force; 0: it is not. */
static uint64_t same_in_force(struct work *w, const struct store_upload *u)
{
	return work_run(w,
	                "SELECT version FROM documents_in_force JOIN map_versions "
	                " USING (provider, version, kind) "
	                "WHERE provider = $1 AND kind = $2::text::document_kind AND sha256 = $3",
	                ARGS(arg_text(u->provider), arg_text(kinds[u->kind]),
	                     arg_text(u->sha256))) == 1
	               ? work_u64(w, 0, 0)
	               : 0;
}

static void put_in_force(struct work *w, const struct store_upload *u,
                         const struct document_name *d)
{
	documents_take_turn(w, u->seen);
	const uint64_t activation = documents_activate(w, d, u->author);
	documents_end_watch(w, u->provider);
	if (u->look_after != NULL)
		documents_look_after(w, u->look_after, d->version, activation);
	if (u->kind == STORE_TOPOLOGY)
		documents_put_ports(w, &(struct documents_ports){ u->provider, u->interconnects,
		                                                  u->n_interconnects });
}

static void insert(struct work *w, const struct store_upload *u, uint64_t number)
{
	(void)work_run(
		w,
		"INSERT INTO map_versions (provider, version, kind, document, sha256, author, source) "
		"VALUES ($1, $2, $3::text::document_kind, $4, $5, $6, coalesce($7, ''))",
		ARGS(arg_text(u->provider), arg_u64(number), arg_text(kinds[u->kind]),
	             arg_bytes(u->body, u->size), arg_text(u->sha256), arg_text(u->author),
	             arg_text(u->source)));
}

uint64_t documents_make(struct work *w, const struct store_upload *u)
{
	uint64_t number = same_in_force(w, u);
	if (number != 0)
		return number;
	number = next_version(w, u->provider);
	insert(w, u, number);
	return number;
}

/* The audit log comes last: its end is locked, and whoever holds it must not wait for others. */
static void add_version(struct work *w, const struct store_upload *u, uint64_t number)
{
	const struct document_name d = { u->provider, u->kind, number };
	insert(w, u, number);
	if (!u->draft)
		put_in_force(w, u, &d);
	documents_audit(w, &d, u->author, u->draft ? "draft" : "upload", NULL);
}

enum err store_upload(struct store *s, const struct store_upload *u, uint64_t *version)
{
	struct work w = work_begin(s, "store a document");
	uint64_t number = next_version(&w, u->provider);
	documents_expect(&w, u->provider, u->kind, u->expected);
	const uint64_t there = same_in_force(&w, u);
	if (there != 0) {
		number = there;
		work_fail(&w, ERR_EXISTS);
	}
	const uint64_t draft = u->draft ? same_draft(&w, u) : 0;
	if (draft == 0)
		add_version(&w, u, number);
	else
		number = draft;

	const enum err e = work_end(&w);
	if (e == ERR_OK || e == ERR_EXISTS)
		*version = number;
	return e;
}

/* ---- reading ---- */

/*
 * What is in force is found first, and once: planners take the view for long, and join every version with it.
 * $1: the provider; NULL: all.
 */
#define SELECT_VERSIONS                                                     \
	"WITH f AS MATERIALIZED (SELECT * FROM documents_in_force "         \
	" WHERE $1::text IS NULL OR provider = $1) "                        \
	"SELECT v.provider, v.version, v.kind, v.sha256, v.author, "        \
	"extract(epoch FROM v.created)::bigint, octet_length(v.document), " \
	"f.version IS NOT NULL "
#define VERSION_TABLES "FROM map_versions v LEFT JOIN f USING (provider, kind, version) "
/* A u64 as what versions are, so that their index is used; nothing has the largest one. */
#define BIGINT(parameter) "least(" parameter "::numeric, 9223372036854775807)::bigint"

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
	if (work_run(&w,
	             SELECT_VERSIONS
	             ", v.document " VERSION_TABLES
	             "WHERE v.provider = $1 AND v.kind = $2::text::document_kind AND v.version = "
	             " CASE WHEN $3::numeric = 0 THEN "
	             "  (SELECT f.version FROM f WHERE f.kind = $2::text::document_kind) "
	             " ELSE " BIGINT("$3") " END",
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
	             SELECT_VERSIONS VERSION_TABLES
	             "WHERE v.provider = $1 AND v.version = " BIGINT("$2"),
	             ARGS(arg_text(provider), arg_u64(version))) == 1)
		version_row(&w, 0, &v);
	else
		work_fail(&w, ERR_NOT_FOUND);
	const enum err e = work_end(&w);
	if (e == ERR_OK)
		*out = v;
	return e;
}

#define NEWEST "ORDER BY v.created DESC, v.provider, v.version DESC"
static const char OF_PROVIDER[] = SELECT_VERSIONS VERSION_TABLES "WHERE v.provider = $1 " NEWEST;
/* OFFSET 0: one by one, as a table that was never analysed would be read as a whole. */
static const char IN_FORCE[] =
	SELECT_VERSIONS "FROM f CROSS JOIN LATERAL (SELECT * FROM map_versions "
			" WHERE provider = f.provider AND version = f.version OFFSET 0) v " NEWEST;

enum err store_versions(struct store *s, const char *provider, struct store_version **out,
                        size_t *count)
{
	struct work w = work_begin(s, "list versions");
	(void)work_run(&w, provider == NULL ? IN_FORCE : OF_PROVIDER, ARGS(arg_text(provider)));
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
