/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The passkeys of announce URLs, from the database to the tracker.
 *
 * A copy is kept in the state folder ("passkeys", mode 0600; it has hashes only), for a start without
 * PostgreSQL.
 */

#include "server/config/config.h"
#include "server/store/store.h"
#include "server/tracker/tracker.h"

/*
 * Hands the passkeys to the tracker, none where the option is off. `store` NULL: from the copy, without
 * asking it. ERR_AWAY: those that the database had when it last answered. Not for two threads at a
 * time.
 */
enum err passkeys_load(const struct config *c, struct store *store, struct tracker *tracker,
                       struct fault *fault) must_check;
