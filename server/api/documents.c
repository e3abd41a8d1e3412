/* SPDX-License-Identifier: Apache-2.0 */
/* Map documents: upload, try out, read, history, roll back. */
#include "server/api/routes.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *kind_name(enum store_kind kind)
{
	return kind == STORE_TOPOLOGY ? "topology" : "costs";
}

static void put_change(struct call *c, unsigned status, const struct maps_change *change)
{
	struct text *t = call_json(c, status);
	text_put(t, "{");
	if (change->version > 0)
		text_printf(t, "\"version\":%" PRIu64, change->version);
	else
		text_put(t, "\"version\":null");
	call_put_string(t, "sha256", change->sha256);
	call_put_string(t, "provider", c->path.part[0]);
	text_printf(t, ",\"unchanged\":%s,\"changes\":{", change->unchanged ? "true" : "false");
	text_printf(t, "\"pids_added\":%zu,\"pids_removed\":%zu,\"pids_changed\":%zu",
	            change->pids_added, change->pids_removed, change->pids_changed);
	text_printf(t, ",\"links_added\":%zu,\"links_removed\":%zu,\"links_changed\":%zu",
	            change->links_added, change->links_removed, change->links_changed);
	text_printf(t, ",\"prefixes_added\":%zu,\"prefixes_removed\":%zu,\"prefixes_moved\":%zu",
	            change->prefixes_added, change->prefixes_removed, change->prefixes_moved);
	text_printf(t,
	            ",\"interconnects_added\":%zu,\"interconnects_removed\":%zu"
	            ",\"interconnects_changed\":%zu",
	            change->interconnects_added, change->interconnects_removed,
	            change->interconnects_changed);
	text_printf(t, ",\"costs_changed\":%zu},\"warnings\":", change->costs_changed);
	call_put_faults(t, change->warnings);
	if (change->impact.size > 0) {
		text_put(t, ",\"impact\":");
		text_add(t, change->impact.bytes, change->impact.size);
	}
	text_put(t, "}\n");
}

static void put_location(struct call *c, enum store_kind kind, uint64_t version)
{
	char where[128];
	(void)snprintf(where, sizeof(where), "/v1/providers/%.64s/%s?version=%" PRIu64,
	               c->path.part[0], kind_name(kind), version);
	http_reply_header(c->reply, "Location", where);
}

/* Of the lists of an impact. */
enum { ROWS = 100, ROWS_MAX = 10000 };

/* false: the answer says why. */
static bool rows_wanted(struct call *c, size_t *out)
{
	uint64_t limit = ROWS;
	if (!call_number(c, "limit", &limit))
		return false;
	if (limit > ROWS_MAX) {
		call_problem(c, 400, "limit: at most %d, not %" PRIu64, ROWS_MAX, limit);
		return false;
	}
	*out = (size_t)limit;
	return true;
}

static void upload(struct call *c, enum store_kind kind, bool dry_run, struct maps_change *change,
                   struct faults *faults)
{
	const struct http_request *r = c->request;
	char what[160];
	struct maps_document d = { .provider = c->path.part[0],
		                   .kind = kind,
		                   .body = r->body,
		                   .size = r->body_size,
		                   .author = c->who.name };
	if (!rows_wanted(c, &d.limit))
		return;
	const enum err e = maps_upload(c->use->maps, &d, dry_run, change, faults);
	if (e == ERR_OK) {
		/* The same document again is stored and in force too: the promise of 201. */
		const unsigned status = dry_run ? 200 : 201;
		if (!dry_run)
			put_location(c, kind, change->version);
		metrics_add(c->slot, METRIC_MAP_UPLOADS, !dry_run && !change->unchanged);
		put_change(c, status, change);
	} else if (e == ERR_MALFORMED) {
		metrics_add(c->slot, METRIC_MAP_UPLOADS_REFUSED, 1);
		call_refused(c, faults);
	} else {
		(void)snprintf(what, sizeof(what),
		               "provider %.64s has no topology; upload it before its costs",
		               c->path.part[0]);
		call_failed(c, e, what);
	}
}

static void document_put(struct call *c, enum store_kind kind)
{
	bool dry_run = false;
	if (!call_flag(c, "dry_run", &dry_run))
		return;
	if (!call_body_is(c, "application/json")) {
		call_problem(c, 415, "a %s document is application/json", kind_name(kind));
		return;
	}
	struct faults *faults = faults_new();
	struct maps_change change = { .warnings = faults_new() };
	if (faults == NULL || change.warnings == NULL)
		call_failed(c, ERR_NOMEM, "");
	else
		upload(c, kind, dry_run, &change, faults);
	text_done(&change.impact);
	faults_free(change.warnings);
	faults_free(faults);
}

void topology_put(struct call *c)
{
	document_put(c, STORE_TOPOLOGY);
}

void costs_put(struct call *c)
{
	document_put(c, STORE_COSTS);
}

/* Hands the document over as it was uploaded, byte by byte. */
static void put_document(struct call *c, const struct store_document *d)
{
	char version[24];
	(void)snprintf(version, sizeof(version), "%" PRIu64, d->about.version);
	http_reply_header(c->reply, "P4P-Version", version);
	if (!call_is_known(c, d->about.sha256))
		text_add(call_json(c, 200), d->body, d->size);
}

static void document_get(struct call *c, enum store_kind kind)
{
	uint64_t version = 0;
	struct store_document d;
	char what[160];
	if (!call_number(c, "version", &version))
		return;
	const enum err e = store_document(c->use->store, c->path.part[0], kind, version, &d);
	if (e == ERR_OK) {
		put_document(c, &d);
		store_document_done(&d);
		return;
	}
	if (version == 0)
		(void)snprintf(what, sizeof(what), "provider %.64s has no %s in force",
		               c->path.part[0], kind_name(kind));
	else
		(void)snprintf(what, sizeof(what), "provider %.64s has no %s of version %" PRIu64,
		               c->path.part[0], kind_name(kind), version);
	call_failed(c, e, what);
}

void topology_get(struct call *c)
{
	document_get(c, STORE_TOPOLOGY);
}

void costs_get(struct call *c)
{
	document_get(c, STORE_COSTS);
}

static void put_version(struct text *t, const struct store_version *v)
{
	text_printf(t, "{\"version\":%" PRIu64, v->version);
	call_put_string(t, "kind", kind_name(v->kind));
	call_put_string(t, "sha256", v->sha256);
	call_put_string(t, "author", v->author);
	call_put_time(t, "created", v->created);
	text_printf(t, ",\"size\":%" PRIu64 ",\"in_force\":%s}", v->size,
	            v->in_force ? "true" : "false");
}

void versions_get(struct call *c)
{
	struct store_version *list = NULL;
	size_t n = 0;
	char what[128];
	enum err e = store_versions(c->use->store, c->path.part[0], &list, &n);
	if (e == ERR_OK && n == 0)
		e = ERR_NOT_FOUND;
	if (e != ERR_OK) {
		(void)snprintf(what, sizeof(what), "there is no provider %.64s", c->path.part[0]);
		call_failed(c, e, what);
		free(list);
		return;
	}
	struct text *t = call_json(c, 200);
	text_put(t, "{\"provider\":");
	text_json_string(t, c->path.part[0]);
	text_put(t, ",\"versions\":[");
	for (size_t i = 0; i < n; i++) {
		text_put(t, i > 0 ? "," : "");
		put_version(t, &list[i]);
	}
	text_put(t, "]}\n");
	free(list);
}

/* What activating it would do, or its activation. */
static void answer_version(struct call *c, bool plan, size_t limit, uint64_t version,
                           struct maps_change *change, struct faults *faults)
{
	char what[128];
	const char *provider = c->path.part[0];
	const enum err e =
		plan ? maps_plan(c->use->maps, provider, version, limit, change, faults)
		     : maps_activate(c->use->maps, provider, version, c->who.name, change, faults);
	if (e == ERR_OK) {
		put_change(c, 200, change);
	} else if (e == ERR_MALFORMED) {
		call_refused(c, faults);
	} else {
		(void)snprintf(what, sizeof(what), "provider %.64s has no version %" PRIu64,
		               provider, version);
		call_failed(c, e, what);
	}
}

static void with_version(struct call *c, bool plan)
{
	const char *digits = c->path.part[1];
	uint64_t version;
	size_t limit = 0;
	if (!text_u64(digits, strlen(digits), &version) || version == 0) {
		call_problem(c, 400, "version: \"%s\" is no whole number from 1", digits);
		return;
	}
	if (plan && !rows_wanted(c, &limit))
		return;
	struct faults *faults = faults_new();
	struct maps_change change = { .warnings = faults_new() };
	if (faults == NULL || change.warnings == NULL)
		call_failed(c, ERR_NOMEM, "");
	else
		answer_version(c, plan, limit, version, &change, faults);
	text_done(&change.impact);
	faults_free(change.warnings);
	faults_free(faults);
}

void version_activate(struct call *c)
{
	with_version(c, false);
}

void version_plan(struct call *c)
{
	with_version(c, true);
}
