/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Which torrents and clients are served: the operator's files, and what was said through the API.
 *
 * What was said through the API is kept in the state folder too ("access", "access.denied",
 * "access.clients"), for a start without PostgreSQL.
 */

#include "server/config/config.h"
#include "server/store/store.h"
#include "server/tracker/tracker.h"

/*
 * Reads all and hands the lists to the tracker. `store` NULL: from the copies, without asking it.
 * ERR_AWAY: with what the API said when the database last answered. A fault names the file and the
 * line; then the old lists stay in force. Not for two threads at a time.
 */
enum err access_load(const struct config *c, struct store *store, struct tracker *tracker,
                     struct fault *fault) must_check;
