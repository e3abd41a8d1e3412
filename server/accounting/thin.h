/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Fewer contacts that stand for all: how a bin makes room in its table.
 *
 * A swarm's matrix is fitted to how its contacts compare with one another, so each swarm keeps some:
 * all of them up to a number that is the same for every swarm, chosen so that the whole keeps to the
 * room there is. In a larger swarm a contact survives by lot, with a chance of its weight to a
 * threshold, and weighs as much as the threshold then: sums stay right on the average.
 */

#include "server/accounting/bin.h"

/* Below this a contact has faded away. */
#define CONTACTS_LEAST 0.05

/*
 * For each cell of `b`, by position, what its contacts are to be multiplied with; 0: it goes. All fade
 * to `kept` of what they are first. About `most` stay, or one of each swarm where those are more.
 * free() it; NULL when out of memory. Another `seed`, another lot.
 */
float *thin_plan(const struct bin *b, double kept, size_t most, uint64_t seed);
