/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The one thread that waits for PostgreSQL, so that nobody else has to.
 *
 * Applies the migrations when the database is first reached; then follows what other daemons
 * activate (LISTEN) and carries closed bins from the spool into the database, oldest first. While
 * the database is away it tries again every second; nothing is lost, the spool grows.
 *
 * Threading: start and stop from one thread.
 */

#include "server/accounting/accounting.h"
#include "server/maps/maps.h"
#include "server/store/store.h"

#include <stdatomic.h>

struct feeder_options {
	struct store *store;
	struct maps *maps;
	struct accounting *accounting;
	struct metrics_slot *metrics; /* this thread's own */
	const char *node;
	/* The access list may have changed; called on the feeder's thread. */
	void (*access_changed)(void *ctx);
	void *ctx;
};

struct feeder;

struct feeder *feeder_start(const struct feeder_options *options); /* NULL: no thread to be had */

/* Lets the spool run empty for at most `seconds`, then ends the thread. NULL is fine. */
void feeder_stop(struct feeder *f, unsigned seconds);

/* Have the migrations been applied, by this daemon, since it started? */
bool feeder_connected(const struct feeder *f);
