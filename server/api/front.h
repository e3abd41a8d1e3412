/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What stands between the API and who asks: proxies of ours, which say for whom they speak, and browsers,
 * which ask whether a page of another origin may read an answer (CORS, the Fetch standard).
 *
 * Tokens are sent as a header that a page must know, and never by the browser itself, so credentials in the
 * sense of CORS are not allowed to anybody.
 *
 * Threading: any thread.
 */

#include "server/api/api.h"

struct front;

struct front *front_new(void);    /* knows nobody; NULL when out of memory */
void front_free(struct front *f); /* NULL is fine */
enum err front_set(struct front *f,
                   const struct api_front *about) must_check; /* copies; ERR_NOMEM */

bool front_is_proxy(struct front *f, const struct ip_addr *addr);
struct ip_addr front_client(struct front *f, const struct http_request *r);

/*
 * What a browser must hear so that the page of a listed origin gets the answer. True: it asked no more than
 * that (a preflight), and `reply` is the answer.
 */
bool front_cors(struct front *f, const struct http_request *r, struct http_reply *reply);
