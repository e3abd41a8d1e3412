/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Which interconnects a flow crossed, and in which direction.
 *
 * An exporter that a topology names knows better than any map: what came in through a port of X crossed
 * X inwards, what left through a port of Y crossed Y outwards; a flow through both crossed both, once
 * each. When neither is a port, the flow stayed inside and is not counted.
 *
 * Of an exporter that no topology names only the two addresses help. They are booked as announces are
 * (common/map/snapshot.h): `out` at the sender's provider, `in` at the receiver's.
 *
 * Pure. Threading: any.
 */

#include "common/map/snapshot.h"

enum crossing_kind {
	CROSSING_BOOKED,
	CROSSING_INSIDE, /* between two interfaces, or two places, of one provider */
	CROSSING_UNKNOWN /* no map says anything of it */
};

struct crossing {
	enum crossing_kind kind;
	uint32_t out, in; /* interconnects, or NO_INTERCONNECT; both unless booked */
};

/* `exporter` is one of the snapshot's. Interfaces: 0 is unknown. */
struct crossing crossing_of_ports(const struct map_snapshot *s, uint32_t exporter, uint32_t in_if,
                                  uint32_t out_if);

/* Places of the snapshot, which may be NULL. */
struct crossing crossing_of_places(const struct map_snapshot *s, uint32_t from, uint32_t to);
