/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Where the tracker listens: UDP and HTTP on one port, HTTPS and the PROXY protocol where the
 * configuration wants them.
 *
 * Threading: from the thread that builds and ends the daemon.
 */

#include "server/config/config.h"
#include "server/tracker/tracker.h"

struct listeners { /* all NULL: none */
	struct net_udp *udp;
	struct http_server *http, *tls;
	uint8_t pem_hash
		[32]; /* of certificate and key in force: the same again ends no connection */
};

/* How many threads of the tracker they will have, UDP workers among them. */
unsigned listeners_threads(const struct config *c);

/* On failure the caller stops what has started. */
enum err listeners_start(struct listeners *l, const struct config *c, struct tracker *t,
                         struct fault *fault) must_check;
void listeners_stop(struct listeners *l);

/* Reads the certificate and its key again; a bad one changes nothing. Fine without HTTPS. */
enum err listeners_certificate(struct listeners *l, const struct config *c,
                               struct fault *fault) must_check;
