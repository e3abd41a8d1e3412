/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Where the API listens: HTTP, and HTTPS where the configuration wants it, which may ask clients for
 * certificates too.
 *
 * Threading: from the thread that builds and ends the daemon.
 */

#include "server/api/api.h"
#include "server/config/config.h"

struct api_listeners { /* all zero: none */
	struct http_server *http, *tls;
	uint8_t pem_hash[32]; /* of what is in force: the same again ends no connection */
};

/* How many threads they will have. */
unsigned api_listeners_threads(const struct config *c);

/* On failure the caller stops what has started. */
enum err api_listeners_start(struct api_listeners *l, const struct config *c, struct api *api,
                             struct fault *fault) must_check;
/* proxies, proxy_header and api_cors_origins; an error changes nothing. Part of the start, and for SIGHUP. */
enum err api_listeners_front(const struct config *c, struct api *api,
                             struct fault *fault) must_check;

void api_listeners_stop(struct api_listeners *l);

/* Reads certificate, key and authorities again; bad ones change nothing. Fine without HTTPS. */
enum err api_listeners_certificate(struct api_listeners *l, const struct config *c,
                                   struct fault *fault) must_check;
