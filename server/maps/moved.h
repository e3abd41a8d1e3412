/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * How much of a provider's address space changes its PID, in percent of prefixes.
 *
 * Each prefix is asked at its first address which PID that is in before and after (longest match), so
 * that a topology whose prefixes were only merged or split moves none. Of the prefixes before and those
 * after, the larger share counts: what a half is carved out of moves too. Linear in the prefixes.
 */

#include "common/map/document.h"

/* GUARD_UNKNOWN (guard.h) when `old` is NULL or has no prefix. ERR_NOMEM. */
enum err maps_moved(const struct map_topology *old, const struct map_topology *now,
                    double *percent) must_check;
