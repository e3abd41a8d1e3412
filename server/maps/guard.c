/* SPDX-License-Identifier: Apache-2.0 */
#include "server/maps/guard.h"

static const double PREFIXES_MAX = 10, PEERS_MAX = 20, DEFAULT_MAX = 5;

/* Unknown is beyond nothing: every comparison with it is false. */
size_t guard_check(const struct guard_facts *f, struct faults *tripped)
{
	size_t n = 0;
	if (f->prefixes_moved > PREFIXES_MAX) {
		(void)faults_add(tripped, ERR_DENIED, "guard-prefixes", "",
		                 "%.1f %% of the prefixes move to another PID or to none; more "
		                 "than %.0f %% are seldom meant",
		                 f->prefixes_moved, PREFIXES_MAX);
		n++;
	}
	if (f->peers_moved > PEERS_MAX) {
		(void)faults_add(tripped, ERR_DENIED, "guard-peers", "",
		                 "%.1f %% of the live peers change their PID; more than %.0f %% "
		                 "are seldom meant",
		                 f->peers_moved, PEERS_MAX);
		n++;
	}
	if (f->interconnects_removed > 0) {
		(void)faults_add(tripped, ERR_DENIED, "guard-interconnect", "",
		                 "%zu interconnect%s removed; what crosses there will be booked "
		                 "elsewhere",
		                 f->interconnects_removed,
		                 f->interconnects_removed == 1 ? " is" : "s are");
		n++;
	}
	if (f->default_points > DEFAULT_MAX) {
		(void)faults_add(tripped, ERR_DENIED, "guard-default", "",
		                 "the share of live peers in no PID rises by %.1f percentage "
		                 "points; more than %.0f are seldom meant",
		                 f->default_points, DEFAULT_MAX);
		n++;
	}
	return n;
}
