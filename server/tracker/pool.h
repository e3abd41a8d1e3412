/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Scratch of choose.c: candidates of one swarm, and the same by place. Part of a tracker_worker, so
 * that no announce allocates; nothing in it outlives a call.
 */

#include "common/steer/steer.h"
#include "common/swarm/swarm.h"

enum {
	POOL_WHOLE = 256, /* as many candidates are looked at one by one */
	POOL_SPARE = 32,  /* more than wanted, so that there is a choice */
	POOL_MAX = 1024,
	POOL_SLOTS = 2 * POOL_MAX
};

struct pool {
	struct swarm_candidate candidates[POOL_MAX];
	uint16_t next[POOL_MAX];              /* candidate of the same place, + 1; 0: the last */
	uint16_t slots[POOL_SLOTS];           /* place -> group, + 1; 0: free */
	struct steer_bucket groups[POOL_MAX]; /* `handle`: the first candidate, + 1 */
	uint16_t members[POOL_MAX];           /* of the group that is drawn from */
	size_t n, n_groups;
	bool whole; /* all candidates are in it */
};
