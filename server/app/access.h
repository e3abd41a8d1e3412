/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Which info-hashes may be announced: access_file, and what the API allowed.
 *
 * What the API allowed is kept in the state folder too ("access"), for a start without PostgreSQL.
 */

#include "server/config/config.h"
#include "server/store/store.h"
#include "server/tracker/tracker.h"

/*
 * Reads both and hands the list to the tracker. ERR_AWAY: with what the API allowed when the database
 * last answered. A fault names the file and the line; then the old list stays in force. Not for two
 * threads at a time.
 */
enum err access_load(const struct config *c, struct store *store, struct tracker *tracker,
                     struct fault *fault) must_check;
