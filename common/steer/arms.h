/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The built-in experiment: who is steered, and who is left alone so that steering can be judged.
 *
 * The unit is a swarm as one provider's clients see it: all of them get lists of one kind in it, for as
 * long as the share stays the same. A hash chooses, so that nobody does: no operator, and no client
 * that asks again. Another provider's lot is another one. A larger share keeps whoever was in a
 * smaller one.
 *
 * Only lists that the provider's own clients ask for are of its arm. Its clients also stand in lists of
 * others, which may be steered; a share of all bytes comes that way in both arms.
 *
 * Pure: share freely.
 */

#include "common/steer/steer.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Is `swarm` in the control group of `provider`? Both are hashes; that of the swarm is keyed, so that
 * nobody makes torrents for one arm, and neither changes with a map or a restart. 0 %: none is; 100 %:
 * all are.
 */
bool steer_in_control(uint64_t swarm, uint64_t provider, unsigned control_percent);

/* By which rules lists are made there: `treated`, or native ones that live as long as the program. */
const struct steer_rules *steer_arm(const struct steer_rules *treated, uint64_t swarm,
                                    uint64_t provider, unsigned control_percent);
