/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Guards: changes of a map that are seldom meant. What trips one is a warning or a refusal, which the
 * provider's settings and the request decide; here are the rules alone.
 *
 *   guard-prefixes      more than 10 % of the prefixes move to another PID, or to none
 *   guard-peers         more than 20 % of the live peers change their PID
 *   guard-interconnect  an interconnect goes
 *   guard-default       the share of live peers in no PID rises by more than 5 percentage points
 *
 * Pure; share freely.
 */

#include "common/base/err.h"

#include <math.h>

/* What nobody could count; it trips nothing. */
#define GUARD_UNKNOWN ((double)NAN)

struct guard_facts {
	double prefixes_moved; /* percent of the provider's prefixes (moved.h) */
	double peers_moved;    /* percent of its live peers */
	double default_points; /* percentage points that their share in no PID rises by */
	size_t interconnects_removed;
};

/* A document that changes nothing but what is counted by itself: a new provider's, or costs. */
#define GUARD_NOTHING ((struct guard_facts){ GUARD_UNKNOWN, GUARD_UNKNOWN, GUARD_UNKNOWN, 0 })

/* Adds a fault for each guard that is tripped, which names the number; returns how many. */
size_t guard_check(const struct guard_facts *facts, struct faults *tripped);
