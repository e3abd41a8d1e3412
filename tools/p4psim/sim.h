/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One run of a scenario under one policy: a fluid model in steps of equal length, of a second at the
 * most. In each step peers come and go, announce, and choose whom to serve; flows get max-min fair
 * rates over access lines, links and interconnects, whenever they changed; bytes move; and pieces that
 * were filled count from the next step on.
 *
 * Everything by chance comes from the scenario's seed, and the same people come in every run of it.
 */

#include "tools/p4psim/network.h"
#include "tools/p4psim/outcome.h"
#include "tools/p4psim/population.h"
#include "tools/p4psim/scenario.h"

struct sim_input {
	const struct scenario *scenario;
	const struct population *population;
	const struct network *network;
};

/* The caller ends `out` with outcome_done(). ERR_NOMEM. */
enum err sim_run(const struct sim_input *in, const struct scenario_arm *arm,
                 struct outcome *out) must_check;
