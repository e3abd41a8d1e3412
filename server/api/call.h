/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One request on its way through the API: what every handler gets, and the answers they share.
 *
 * One rule for what is wrong: in the path or the query it is 400 (the detail names the parameter),
 * in the body 422 with faults. Every error but these is a problem document (RFC 9457) too.
 *
 * Threading: a call belongs to one thread.
 */

#include "server/api/api.h"
#include "server/api/route.h"

struct call {
	const struct api_options *use;
	const struct http_request *request;
	struct ip_addr from; /* who asks, behind proxies of ours too */
	struct http_reply *reply;
	struct metrics_slot *slot;
	struct route_parts path;
	struct auth_who who; /* once admitted; all zero on open routes */
	int64_t now;         /* unix seconds */
};

typedef void call_handle(struct call *c);

/* A problem document; `fmt` is the detail, one sentence. Replaces what the body held. */
void call_problem(struct call *c, unsigned status, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* A failure of a module below; `what` says what was not found or is there already. */
void call_failed(struct call *c, enum err e, const char *what);

/* 204, or call_failed(). */
void call_empty(struct call *c, enum err e, const char *what);

/* 422 with every fault. */
void call_refused(struct call *c, const struct faults *faults);
/* 409 with every objection to what is good in itself. */
void call_objected(struct call *c, const struct faults *objections);

/* Starts a JSON answer and returns its body. */
struct text *call_json(struct call *c, unsigned status);

/*
 * A JSON array. Where a fault says of which provider something is (provider "NAME"), a token of another
 * one reads "another provider" instead.
 */
void call_put_faults(const struct call *c, struct text *t, const struct faults *faults);

void call_put_string(struct text *t, const char *key, const char *value); /* ,"key":"value" */
void call_put_time(struct text *t, const char *key, int64_t unix_seconds);
void call_put_ratio(struct text *t, const char *key, uint64_t milli); /* 0: null */

/* Is the body of media type `type`? "application/json" is also what nothing was said about. */
bool call_body_is(const struct call *c, const char *type);

/* The body as a JSON object for json_decref(); NULL: it is none, and the answer says so. */
struct json_t *call_body_object(struct call *c);

/*
 * Query parameters. false: malformed, and the answer names it. Absent: true, and *out or `out` as
 * it was.
 */
bool call_text(struct call *c, const char *name, char *out, size_t room);
bool call_flag(struct call *c, const char *name, bool *out);
bool call_number(struct call *c, const char *name, uint64_t *out);
bool call_number_to(struct call *c, const char *name, uint64_t most, uint64_t *out);
bool call_time(struct call *c, const char *name, int64_t *out);

/* The info-hash that the path begins with behind its words. false: it is none, and the answer says so. */
bool call_info_hash(struct call *c, uint8_t out[static 20]);

/* Adds the ETag and asks whether the client has it (If-None-Match): then this was a 304. */
bool call_is_known(struct call *c, const char *tag);

/* What must be in force for a change: the tag of If-Match, "*", or `out` as it was when it says nothing.
 * false: malformed, and the answer says so. */
enum { CALL_TAG_SIZE = 80 };
bool call_expected(struct call *c, char out[static CALL_TAG_SIZE]);

/*
 * The same of several tags, as words with blanks between them, for what the store expects (store.h); `out` is
 * "" when nothing was said.
 */
enum { CALL_TAGS_SIZE = 320 };
bool call_expected_any(struct call *c, char out[static CALL_TAGS_SIZE]);

/* "json" unless the query or else the Accept header wants CSV. false: malformed, and the answer says so. */
bool call_csv(struct call *c, bool *csv);
void call_file(struct call *c, const char *file); /* the answer is CSV, to be saved as that */
