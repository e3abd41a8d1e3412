/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Delay-localised lists: peers are chosen by the smallest delay, as clients do that measure it, and nobody
 * asks a network. What the authors of P4P compare native and P4P with (Xie et al., SIGCOMM 2008).
 *
 * The delay of a pair is that of both access lines and of what bytes cross there and back: a link by its
 * weight, an interconnect as the scenario says. Queues add nothing. Who are equally near are told apart by
 * lot.
 *
 * Pure: share freely.
 */

#include "tools/p4psim/population.h"
#include "tools/p4psim/scenario.h"

struct localise {
	const struct scenario *scenario;
	const struct population *population;
	const struct network *network;
};

/* There and back, in milliseconds. */
double localise_delay(const struct localise *l, uint32_t a, uint32_t b);

/* Sorts `n` peers, at most SCENARIO_MEASURED_MAX, by their delay from `peer`. `seed` is advanced. */
void localise_sort(const struct localise *l, uint32_t peer, uint32_t *peers, size_t n,
                   uint64_t *seed);
