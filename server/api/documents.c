/* SPDX-License-Identifier: Apache-2.0 */
/* Map documents: upload, try out, read. */
#include "server/api/lifecycle.h"
#include "server/api/routes.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put_location(struct call *c, enum store_kind kind, uint64_t version)
{
	char where[128];
	(void)snprintf(where, sizeof(where), "/v1/providers/%.64s/%s?version=%" PRIu64,
	               c->path.part[0], document_kind(kind), version);
	http_reply_header(c->reply, "Location", where);
}

static void upload(struct call *c, const struct maps_document *d, bool dry_run,
                   struct maps_change *change, struct faults *faults)
{
	char what[160], tag[72];
	const enum err e = maps_upload(c->use->maps, d, dry_run, change, faults);
	if (e == ERR_OK) {
		/* The same document again is stored and in force too: the promise of 201. */
		const unsigned status = dry_run ? 200 : 201;
		(void)snprintf(tag, sizeof(tag), "\"%s\"", change->sha256);
		if (!dry_run) {
			put_location(c, d->kind, change->version);
			http_reply_header(c->reply, "ETag", tag);
		}
		metrics_add(c->slot, METRIC_MAP_UPLOADS, !dry_run && !change->unchanged);
		document_changed(c, status,
		                 dry_run                          ? NULL
		                 : d->draft && !change->unchanged ? "draft"
		                                                  : "in force",
		                 change);
		return;
	}
	metrics_add(c->slot, METRIC_MAP_UPLOADS_REFUSED, e == ERR_MALFORMED || e == ERR_RANGE);
	(void)snprintf(what, sizeof(what),
	               "provider %.64s has no topology; upload it before its costs", d->provider);
	document_failed(c, e, what, faults);
}

/* What the query and the headers say of an upload. */
static bool read_wish(struct call *c, struct maps_document *d, bool *dry_run,
                      char source[static STORE_SOURCE], char expected[static CALL_TAGS_SIZE])
{
	uint64_t watch = 0;
	if (!document_rows(c, &d->limit) || !call_flag(c, "dry_run", dry_run) ||
	    !call_flag(c, "draft", &d->draft) || !call_flag(c, "force", &d->force) ||
	    !call_text(c, "source", source, STORE_SOURCE) || !document_watch(c, &watch) ||
	    !call_expected_any(c, expected))
		return false;
	d->watch_seconds = (uint32_t)watch;
	d->source = source[0] != '\0' ? source : NULL;
	d->expected = expected[0] != '\0' ? expected : NULL;
	return true;
}

bool document_type(struct call *c, enum store_kind kind)
{
	const bool is = call_body_is(c, "application/json");
	if (!is)
		call_problem(c, 415, "a %s document is application/json", document_kind(kind));
	return is;
}

static void document_put(struct call *c, enum store_kind kind)
{
	char source[STORE_SOURCE] = "", expected[CALL_TAGS_SIZE];
	bool dry_run = false;
	struct maps_document d = { .provider = c->path.part[0],
		                   .kind = kind,
		                   .body = c->request->body,
		                   .size = c->request->body_size,
		                   .author = c->who.name };
	if (!read_wish(c, &d, &dry_run, source, expected) || !document_type(c, kind))
		return;
	struct faults *faults = faults_new();
	struct maps_change change = { .warnings = faults_new() };
	if (faults == NULL || change.warnings == NULL)
		call_failed(c, ERR_NOMEM, "");
	else
		upload(c, &d, dry_run, &change, faults);
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
		               c->path.part[0], document_kind(kind));
	else
		(void)snprintf(what, sizeof(what), "provider %.64s has no %s of version %" PRIu64,
		               c->path.part[0], document_kind(kind), version);
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
