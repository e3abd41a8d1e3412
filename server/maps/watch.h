/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Is a change of a map to be taken back? For some time after it came into force there are two breaches:
 *
 *   an alarm       critical, or of a ratio, that fires at the provider since the change
 *   lost peers     of the live peers that are the provider's or nobody's, the share of nobody's has risen by
 *                  more than so many percentage points, and the provider's are fewer (nobody's alone grow
 *                  with every stranger who comes); asked only where there were WATCH_PEERS of them
 *                  before and are now, on the daemon that counted them before
 *
 * Pure; share freely.
 */

#include "server/store/lifecycle.h"

enum { WATCH_PEERS = 20 };

struct watch_sight {
	int64_t now; /* unix seconds */
	bool counted;
	uint64_t own_peers, nobodys_peers;
	const char *alarm; /* that fires; NULL: none */
};

enum watch_verdict { WATCH_GOES_ON, WATCH_PASSED, WATCH_BREACHED };

/* WATCH_BREACHED: `why` says which. */
enum watch_verdict watch_judge(const struct store_map_watch *watch, const struct watch_sight *sight,
                               char why[static STORE_REASON]);
