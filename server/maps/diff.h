/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What would change between two documents of a provider, in numbers an operator can read.
 * Sorts copies; never quadratic. ERR_NOMEM.
 */

#include "server/maps/maps.h"

/* `old` may be NULL: everything is new. Fills the counts of *change, nothing else. */
enum err maps_diff_topology(const struct map_topology *old, const struct map_topology *now,
                            struct maps_change *change) must_check;
enum err maps_diff_costs(const struct map_costs *old, const struct map_costs *now,
                         struct maps_change *change) must_check;
