/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The measurements that the rules of providers judge. Every bin the database sums a day for each
 * interconnect; every six hours it reads a month for a forecast, and once a day a week of the experiment.
 *
 * Threading: one thread, which may wait for the store.
 */

#include "server/alarms/round.h"
#include "server/store/watch.h"

struct look_options {
	struct store *store;
	uint32_t bin_seconds;
	uint64_t ratio_limit_milli; /* for settlement-free interconnects without one; 0: none */
};

/* The ratio limit that holds for it; 0: none. */
uint64_t look_limit(const struct look_options *o, const struct store_watch_sum *w);

/* Bins up to `at`, where one ends. The store's errors, and ERR_NOMEM. */
enum err look_around(const struct look_options *o, int64_t at, struct sights *out) must_check;
