/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Is a change of a map to be taken back? For some time after it came into force there are three breaches:
 *
 *   an alarm          critical, or of a ratio, that fires at the provider since the change
 *   lost peers        of the live peers that the topology before has in the provider's PIDs, more than so
 *                     many percent are in none of them now. Who comes and goes by himself, and strangers,
 *                     however many, are no part of it. Asked where there are WATCH_PEERS of them
 *   failing announces their share has risen by more than so many percentage points since the change. These
 *                     are what a map can make fail: from private addresses that no PID holds any more, and
 *                     for want of room; what access lists, passkeys and rates refuse is no map's fault.
 *                     Asked where there were WATCH_ANNOUNCES before and since, of the newest change only
 *
 * Each daemon judges by its own peers and announces. Pure; share freely.
 */

#include "server/store/lifecycle.h"

enum { WATCH_PEERS = 20, WATCH_ANNOUNCES = 200 };

struct watch_announces {
	uint64_t all, failed;
};

struct watch_sight {
	int64_t now;          /* unix seconds */
	uint64_t peers, lost; /* 0: not counted */
	struct watch_announces before,
		since;     /* since the daemon's start until the change; since then */
	const char *alarm; /* that fires; NULL: none */
};

enum watch_verdict { WATCH_GOES_ON, WATCH_PASSED, WATCH_BREACHED };

/* WATCH_BREACHED: `why` says which. */
enum watch_verdict watch_judge(const struct store_map_watch *watch, const struct watch_sight *sight,
                               char why[static STORE_REASON]);
