/* SPDX-License-Identifier: Apache-2.0 */
#include "server/maps/watch.h"

#include <stdio.h>

static double share(uint64_t own, uint64_t nobodys)
{
	return 100.0 * (double)nobodys / ((double)own + (double)nobodys);
}

static bool enough(bool counted, uint64_t own, uint64_t nobodys)
{
	return counted && own + nobodys >= WATCH_PEERS;
}

/* A breach in the last second counts: the end of its time does not excuse it. */
enum watch_verdict watch_judge(const struct store_map_watch *w, const struct watch_sight *s,
                               char why[static STORE_REASON])
{
	if (s->alarm != NULL) {
		(void)snprintf(why, STORE_REASON, "alarm %s fires since", s->alarm);
		return WATCH_BREACHED;
	}
	/* Nobody's are the strangers of all swarms, too: that more of these come loses no peer. */
	if (s->own_peers < w->own_peers && enough(w->counted, w->own_peers, w->nobodys_peers) &&
	    enough(s->counted, s->own_peers, s->nobodys_peers)) {
		const double before = share(w->own_peers, w->nobodys_peers);
		const double now = share(s->own_peers, s->nobodys_peers);
		if (now > before + w->points) {
			(void)snprintf(why, STORE_REASON,
			               "live peers in no PID rose from %.1f to %.1f percent, more "
			               "than %u points",
			               before, now, (unsigned)w->points);
			return WATCH_BREACHED;
		}
	}
	return s->now >= w->until ? WATCH_PASSED : WATCH_GOES_ON;
}
