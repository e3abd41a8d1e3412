/* SPDX-License-Identifier: Apache-2.0 */
#include "server/maps/watch.h"

#include <inttypes.h>
#include <stdio.h>

static double percent(uint64_t part, uint64_t of)
{
	return 100.0 * (double)part / (double)of;
}

static bool lost(const struct store_map_watch *w, const struct watch_sight *s,
                 char why[static STORE_REASON])
{
	if (s->peers < WATCH_PEERS || percent(s->lost, s->peers) <= w->points)
		return false;
	(void)snprintf(why, STORE_REASON,
	               "%.1f percent of the live peers in PIDs of the map before are in none now "
	               "(%" PRIu64 " of %" PRIu64 "), more than %" PRIu32,
	               percent(s->lost, s->peers), s->lost, s->peers, w->points);
	return true;
}

static bool failing(const struct store_map_watch *w, const struct watch_sight *s,
                    char why[static STORE_REASON])
{
	if (s->before.all < WATCH_ANNOUNCES || s->since.all < WATCH_ANNOUNCES)
		return false;
	const double before = percent(s->before.failed, s->before.all);
	const double since = percent(s->since.failed, s->since.all);
	if (since <= before + w->points)
		return false;
	(void)snprintf(why, STORE_REASON,
	               "announces that fail, for want of room or from private addresses in no PID, "
	               "rose from %.1f to %.1f percent, more than %" PRIu32 " points",
	               before, since, w->points);
	return true;
}

/* A breach in the last second counts: the end of its time does not excuse it. */
enum watch_verdict watch_judge(const struct store_map_watch *w, const struct watch_sight *s,
                               char why[static STORE_REASON])
{
	if (s->alarm != NULL)
		(void)snprintf(why, STORE_REASON, "alarm %s fires since", s->alarm);
	if (s->alarm != NULL || lost(w, s, why) || failing(w, s, why))
		return WATCH_BREACHED;
	return s->now >= w->until ? WATCH_PASSED : WATCH_GOES_ON;
}
