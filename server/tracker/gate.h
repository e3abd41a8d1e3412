/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Who is let in: rates, then torrents and clients. Private to server/tracker.
 *
 * A connection id that is too old or not ours is counted and gets no answer, and that is all: clients
 * are known that use theirs again an hour later.
 */

#include "server/tracker/worker.h"

/*
 * May this address ask once more? What may not is counted and written down for the operator. Listed
 * proxies ask for many and are exempt; so are private and loopback addresses while `lab` is on.
 */
bool gate_pace(struct tracker_worker *w, enum limits_what what, const struct ip_addr *from);

/* A batch does this for all of its datagrams first, then gate_pace() for each. */
void gate_prefetch(struct tracker_worker *w, enum limits_what what, const struct ip_addr *from);

/* NULL: let in. Else a short text for the client; counted. */
const char *gate_refusal(struct tracker_worker *w, const struct ask *ask);

/* The same for a scrape with this URL (UDP: "", it has none). */
const char *gate_scrape_refusal(struct tracker_worker *w, const char *path, const char *query);

/* Passkeys are in use; then this finds one in a URL. */
bool gate_wants_passkey(const struct tracker_worker *w);
void gate_find_passkey(const char *path, const char *query, struct ask *ask);
