/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Which peers of a swarm an asker gets: a pool of candidates, grouped by place, appraised by the map,
 * shared out by steering.
 *
 * Up to POOL_WHOLE candidates are all looked at. Of more, the pool is a random part: for an asker that
 * is to be steered, one of its own PID, one of the rest of its provider and one of everybody else, so
 * that those near it are not missed among many; for others, one of all. So an announce costs what is
 * in a pool, however large the swarm. Private to server/tracker.
 */

#include "server/tracker/worker.h"

/* One client in one announce. */
struct asker {
	struct swarm_asker swarm;
	struct map_place info;
	uint64_t client;
	uint32_t place;
	bool mapped;     /* stands in a PID */
	bool steered;    /* and the policy cares */
	bool bogon;      /* counted, never handed out */
	bool with_ids;   /* it reads the peer ids of its list */
	bool known;      /* was in the swarm already */
	uint32_t silent; /* and has not announced for so many seconds */
};

/* Appends up to `want` peers for `who` to w->peers, and what they were chosen from to w->handed. */
void choose_peers(struct tracker_worker *w, const struct swarm_visit *visit,
                  const struct asker *asker, const struct swarm_asker *who, size_t want);
