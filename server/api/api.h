/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Operator and analyst routes: HTTP in, module calls, JSON or CSV out (DESIGN section 6).
 *
 * Every error is a problem document (RFC 9457) with "title" and "detail"; a refused document carries
 * "faults". 401 without a token, 403 with the wrong one, 404, 405 with Allow, 413, 415, 422, 503 with
 * Retry-After while PostgreSQL is away.
 *
 * Threading: runs on the API listener's threads.
 */

#include "common/ip/addr.h"
#include "server/auth/auth.h"
#include "server/maps/maps.h"
#include "server/metrics/metrics.h"
#include "server/net/http.h"
#include "server/report/report.h"

/* What a passkey is used for, by this daemon since it started. */
struct api_passkey_use {
	uint64_t peers, announces, refused;
};

enum api_swarms { API_SWARMS_CSV, API_SWARMS_JSON_LINES, API_SWARMS_BENCODE };

/* What would this client be given, and why? */
struct api_question {
	uint8_t info_hash[20];
	struct ip_addr address;
	uint16_t port;           /* 0: any */
	int32_t want;            /* negative: as by default */
	bool says_left, has_all; /* left=0 */
	const char *provider;    /* the client must be this one's; NULL: anybody's */
};

struct api_options {
	struct store *store;
	struct maps *maps;
	struct map_office *office; /* what is in force */
	struct auth *auth;
	struct metrics *metrics;
	unsigned first_slot; /* of the metrics: API thread i adds to slot first_slot + i */
	struct report_options report;
	size_t upload_max;     /* bytes of a map or samples; other bodies are the listener's */
	uint32_t late_seconds; /* readings may come out of order for so long */
	/* Is the daemon ready (listeners up, maps loaded)? `why` gets a sentence when not. */
	bool (*ready)(void *ctx, char why[static 128]);
	/* Access lists or passkeys changed in the store. */
	void (*access_changed)(void *ctx);
	/* false: this daemon does not know the key yet, or does not look at passkeys. */
	bool (*passkey_use)(void *ctx, const uint8_t hash[static 32], struct api_passkey_use *out);
	/* All swarms into the reply's stream. ERR_NOMEM. */
	enum err (*list_swarms)(void *ctx, enum api_swarms format, struct http_reply *reply);
	/* As JSON. ERR_NOT_FOUND: no such swarm; ERR_DENIED: another provider's client; ERR_NOMEM. */
	enum err (*explain)(void *ctx, const struct api_question *q, struct text *out);
	/* The flow exporters of a provider (NULL: all), as JSON. ERR_NOT_FOUND: no collector here. */
	enum err (*list_exporters)(void *ctx, const char *provider, struct text *out);
	void *ctx;
};

/* Who speaks for others, and pages of which origins may read answers. */
struct api_front {
	const struct ip_prefix *proxies;
	size_t n_proxies;
	bool forwarded;           /* they say so in Forwarded, not in X-Forwarded-For */
	const char *cors_origins; /* words with blanks between them; "": none */
};

struct api;

struct api *api_new(const struct api_options *options); /* NULL when out of memory */
void api_free(struct api *a);                           /* NULL is fine */

/* Puts another front in force, from any thread; copies. Before the first, nobody is known. ERR_NOMEM. */
enum err api_front(struct api *a, const struct api_front *front) must_check;
bool api_is_proxy(void *ctx, const struct ip_addr *addr); /* `ctx` is the api */

http_handle api_http; /* `ctx` is the api */

/*
 * Whether a long body may be read: route, token, right and media type are judged before it comes, and the
 * token once more when it has come, which may take minutes.
 */
http_admit api_admit;
