/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Scratch of choose.c: candidates of one swarm, and the places they are in. Part of a tracker_worker,
 * so that no announce allocates; nothing in it outlives a call.
 */

#include "common/steer/steer.h"
#include "common/swarm/swarm.h"

enum {
	PEERS_MAX = 200,  /* in one list */
	POOL_WHOLE = 256, /* as many candidates are looked at one by one */
	POOL_SPARE = 32,  /* more than planned, where some may turn out not to upload */
	POOL_MAX = 1024,
	POOL_SLOTS = 1024
};

struct pool {
	struct swarm_survey survey;
	struct swarm_candidate candidates[POOL_MAX];
	struct steer_bucket groups[POOL_MAX]; /* `handle`: the first candidate, + 1 */
	size_t n, n_groups;
	uint16_t next[POOL_MAX];    /* candidate of the same place, + 1; 0: the last */
	uint16_t slots[POOL_SLOTS]; /* place -> group, + 1; 0: free */
	struct swarm_candidate members[POOL_MAX]; /* of the group that is drawn from */
};
