/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The tracker of a simulation: the server's swarm store and its choice of a list, without a socket.
 *
 * A peer's number is in its address. The control group is the server's (common/steer/arms.h). Only lists by
 * delay are the simulator's own.
 *
 * Ownership: office_close(). Threading: one thread.
 */

#include "common/choice/choice.h"
#include "tools/p4psim/localise.h"

struct office {
	const struct scenario *scenario;
	const struct scenario_arm *arm;
	const struct population *population;
	const struct map_snapshot *map;
	struct swarm_store *store;
	struct choice *choice;
	struct bridge_store *bridges;
	struct localise localise; /* for an arm that asks for it */
	struct swarm_candidate drawn[SCENARIO_MEASURED_MAX];
	uint64_t seed;
};

enum err office_open(struct office *o, const struct scenario *s, const struct scenario_arm *arm,
                     const struct population *p, const struct network *n) must_check;
void office_close(struct office *o);

/* An announce. */
struct office_ask {
	uint32_t peer, want;
	bool whole;        /* it has everything */
	uint64_t received; /* bytes, in the seconds since it announced last */
	uint32_t seconds;
	double now;
};
struct office_list {
	size_t n;
	uint32_t peers[CHOICE_MAX];
	uint32_t interval; /* seconds to the next announce */
};
/* The peer is here; up to `want` others for it, at most CHOICE_MAX. ERR_NOMEM. */
enum err office_announce(struct office *o, const struct office_ask *ask,
                         struct office_list *out) must_check;

/* The peer goes. */
enum err office_stop(struct office *o, uint32_t peer, double now) must_check;
