/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The one thread that waits for PostgreSQL, so that nobody else has to. It gives way to all others, so
 * it also frees the maps of yesterday.
 *
 * Applies the migrations when the database is first reached; then follows what other daemons
 * activate (LISTEN) and carries closed bins from the spools into the database, the oldest of a spool
 * first; sees to maps at their time (minder.h); when no bin is left, to prices, to the bins that are
 * there (keeper.h), and to the statements that contracts want by themselves. While the database is away
 * it tries again every second; nothing is lost, the spool grows. When the state folder is an older one,
 * put back, what it still has of bins that are stored lowers none. A bin that the database refuses
 * although it is there is set aside after some tries, for a human to look at.
 *
 * Threading: start and stop from one thread.
 */

#include "server/accounting/spool.h"
#include "server/app/matrix_feed.h"
#include "server/collector/collector.h"
#include "server/maps/maps.h"
#include "server/pricing/pricing.h"
#include "server/report/report.h"
#include "server/store/store.h"

#include <stdatomic.h>

enum { FEEDER_SPOOLS = 2 };

struct feeder_options {
	struct store *store;
	struct maps *maps;
	struct spool *spools[FEEDER_SPOOLS]; /* closed bins, by source; NULL: none */
	struct pricing *pricing;             /* NULL: prices are as documented */
	struct metrics_slot *metrics;        /* this thread's own */
	const struct metrics *tracked;       /* what the tracker counted; NULL: there is none */
	struct store_keep keep;
	const char *node, *life;     /* store_life() */
	const char *state_dir;       /* where it counts: store_life_step() */
	struct collector *collector; /* whose readings go to the database; NULL: none */
	uint32_t bin_seconds, late_reading_seconds;
	struct report_options report; /* of statements; bin_seconds 0: none are made here */
	unsigned retry_ms; /* after a bin was refused the first time; doubles every time */
	/* The access list may have changed; on the feeder's thread, again until it is ERR_OK. */
	enum err (*access_changed)(void *ctx);
	void *ctx;
	struct swarm_names swarm_names;
	unsigned matrix_days; /* how long the matrix is kept */
};

struct feeder;

struct feeder *feeder_start(const struct feeder_options *options); /* NULL: no thread to be had */

/* Lets the spool run empty for at most `seconds`, then ends the thread. NULL is fine. */
void feeder_stop(struct feeder *f, unsigned seconds);

/* Calls access_changed() soon, whether the database is there or not. */
void feeder_access(struct feeder *f);

/* Have the migrations been applied, by this daemon, since it started? */
bool feeder_connected(const struct feeder *f);

/* Was PostgreSQL away when it was last needed? From any thread. */
bool feeder_away(const struct feeder *f);
