/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Which peers of a swarm an asker gets. Three ways, from the cheapest:
 *
 *   no choice     the list has room for all: they are copied
 *   whole         few more candidates than the list has room for: all are looked at, grouped by place
 *                 and appraised by the map, and steering shares the list out exactly
 *   a pool        of more, steering says from exact counts how many come from the asker's PID, its
 *                 provider and elsewhere, and how many to draw there; of those drawn by price it
 *                 chooses (common/steer/steer.h). Unsteered, a pool of all is the list
 *
 * So an announce costs what is in a list, however large the swarm and however many its places.
 * Private to server/tracker.
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

/*
 * Appends up to `want` peers for `who` to w->compact, or where that is NULL to w->peers, and what they
 * were chosen from to w->handed, if accounting wants to know it of this announce.
 */
void choose_peers(struct tracker_worker *w, const struct swarm_visit *visit,
                  const struct asker *asker, const struct swarm_asker *who, size_t want);
