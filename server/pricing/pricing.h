/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Closes the loop: closed bins -> prices (common/steer/prices.h) -> the map in force at those prices,
 * under the same number, so that no swarm moves (common/map/publish.h).
 *
 * A bin is read from the store a fifth of its length after its end, when counters and other daemons'
 * announces have come; what comes later counts for reports only. Of each interconnect the best source
 * there is counts: flow, counter, announce. A bin that was watched for less than half its length is
 * no measurement. What links carried is estimated from the traffic matrix of announces
 * (server/pricing/links.h). Contracts' percentile budgets (server/pricing/budgets.h) are those at the end of
 * the last bin read.
 *
 * Nothing is kept on disk: at the start prices are computed anew from the last PRICING_PAST bins, from
 * the documented ones on. Daemons that share a store so come to the same prices, and far sooner than in
 * that time to nearly the same. A new map keeps the prices of interconnects and links whose
 * documented costs have not changed. While the store is away prices stay.
 *
 * Threading: one thread, which may wait for the store.
 */

#include "common/map/publish.h"
#include "server/metrics/metrics.h"
#include "server/store/store.h"

enum { PRICING_PAST = 36 };

struct pricing_options {
	struct store *store;
	struct map_office *office;
	struct metrics_slot *metrics; /* of the thread */
	uint32_t bin_seconds;
	uint64_t ratio_limit_milli; /* for settlement-free interconnects without one; 0: none */
};

struct pricing;

struct pricing *pricing_new(const struct pricing_options *options); /* NULL when out of memory */
void pricing_free(struct pricing *p);                               /* NULL is fine */

/*
 * Takes account of a new map, and of the bins that are due at `now` (unix seconds), and puts what comes
 * of it in force. Cheap when there are none: call it every second. ERR_NOMEM and the store's; call again.
 */
enum err pricing_work(struct pricing *p, int64_t now) must_check;
