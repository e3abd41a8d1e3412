/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What would change between two documents of a provider, in numbers and names an operator can read.
 * Sorts copies; never quadratic. ERR_NOMEM.
 */

#include "common/base/text.h"
#include "common/map/overlap.h"
#include "server/maps/maps.h"

/*
 * Where the names go, as members of a JSON object (schema/openapi.yaml, "impact"): of each list the first
 * `limit`, and how many more there are. NULL: nobody wants names.
 */
struct maps_rows {
	struct text *json;
	size_t limit;
};

/* `old` may be NULL: everything is new. Fills the counts of *change, nothing else of it. */
enum err maps_diff_topology(const struct map_topology *old, const struct map_topology *now,
                            const struct maps_rows *rows, struct maps_change *change) must_check;
enum err maps_diff_costs(const struct map_costs *old, const struct map_costs *now,
                         const struct maps_rows *rows, struct maps_change *change) must_check;

/* The same of what map_overlaps() found. */
void maps_diff_prefixes(const struct map_topology *old, const struct map_topology *now,
                        const struct map_overlap *list, size_t n, const struct maps_rows *rows);
