/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Sees to maps that nobody is at the keyboard for: activations whose time has come, and changes that are
 * watched. Of several daemons that share a database one does each; what fails is kept with its reason,
 * logged, and an alarm.
 *
 * Threading: one thread, which may wait for the store.
 */

#include "server/maps/maps.h"
#include "server/maps/watch.h"
#include "server/metrics/metrics.h"

struct lookout; /* what is remembered of a change that is watched */

struct minder {
	struct store *store;
	struct maps *maps;
	const struct metrics *metrics; /* what this daemon's tracker counted; NULL: no tracker */
	int64_t look_at; /* unix seconds of the next look at what is watched; 0 at the start */
	struct lookout *lookouts;
	size_t n_lookouts;
};

void minder_done(struct minder *m);

/* What is due at `now` (unix seconds); call it every second. Its errors are the store's. */
enum err minder_work(struct minder *m, int64_t now) must_check;
