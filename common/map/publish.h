/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The map in force.
 *
 * An office publishes snapshots; workers hold leases. A worker renews its lease once per batch
 * of packets, which costs one atomic load while nothing has changed. When the office and the last
 * lease have let go of a snapshot, the next map_reap() frees it: giving back hundreds of megabytes
 * takes milliseconds, which no worker shall lose. So nobody ever waits for anybody.
 *
 * A publication has a number. The same map at other prices (snapshot_reprice()) comes under the number
 * of the one it replaces, so that what is kept by place, and by that number, stays where it is.
 *
 * Ownership: who publishes a snapshot gives it away. What a lease points to stays valid until that
 * lease is renewed or ended.
 * Threading: an office is for all threads; a lease belongs to one.
 */

#include "common/base/err.h"

#include <stdint.h>

struct map_snapshot; /* immutable once published */
struct map_office;

struct map_lease {
	const struct map_snapshot *map; /* NULL before the first publication */
	uint64_t number;                /* of the publication: places go by it */
	uint64_t edition;               /* grows with every change, of prices too */
	struct map_issue *issue;
};

typedef void map_free_fn(struct map_snapshot *map);

/* NULL when out of memory. */
struct map_office *map_office_new(map_free_fn *free_map);

/* Every lease must have ended. NULL is fine. */
void map_office_free(struct map_office *office);

/* Puts `map` in force and reaps. ERR_NOMEM: the caller still owns it and the old one stays in force. */
enum err map_publish(struct map_office *office, struct map_snapshot *map) must_check;

/*
 * The same for the map of `lease` at other prices, under its number. ERR_EXISTS: another map is in force
 * by now. After a failure the caller still owns `map`.
 */
enum err map_publish_prices(struct map_office *office, const struct map_lease *lease,
                            struct map_snapshot *map) must_check;

/* Brings `lease` (all zero at first) up to date and returns its map. */
const struct map_snapshot *map_renew(struct map_office *office, struct map_lease *lease);

/* A second hold on what `lease` points to, whatever is in force by now. *out must hold nothing. */
void map_share(const struct map_lease *lease, struct map_lease *out);

void map_end(struct map_lease *lease);

/* Frees the maps that nobody holds any more. For a thread that nobody waits for, now and then. */
void map_reap(struct map_office *office);
