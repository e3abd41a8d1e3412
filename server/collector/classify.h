/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Which interconnects a flow crossed, and in which direction.
 *
 * An exporter that a topology names knows better than any map: what came in through a port of X crossed
 * X inwards, what left through a port of Y crossed Y outwards; a flow through both crossed both, once
 * each. When neither is a port, the flow stayed inside and is not counted.
 *
 * A probe on the wire (softflowd, a tap) says that all came in and left through one interface. Then the
 * addresses tell the direction: out when the sender is in the interconnect's provider and the receiver is
 * not, in the other way round. When both are or neither is, nobody knows.
 *
 * Where a named exporter knows neither interface (softflowd that was told of none), the addresses say all,
 * and only interconnects of its provider are booked: the other side's exporters count theirs.
 *
 * Of an exporter that no topology names only the two addresses help. They tell what announces tell
 * (common/map/snapshot.h): `out` at the sender's provider, `in` at the receiver's. An exporter whose own
 * address is in a provider's PIDs is that provider's and books for it alone; any other for both.
 *
 * Metered once: by addresses nobody books what another exporter has a port of. He counts it himself, and
 * while he is silent his interconnect has a gap and no guess. So one who goes by addresses books on
 * interconnects that no topology names an exporter of, or that name himself. What nothing can tell is
 * whether two exporters without a name see the same packets: one on each side of a border does, if
 * neither has an address in the maps. Name them.
 *
 * Pure. Threading: any.
 */

#include "common/map/snapshot.h"

enum crossing_kind {
	CROSSING_BOOKED,
	CROSSING_INSIDE,    /* between two interfaces, or two places, of one provider */
	CROSSING_ELSEWHERE, /* it crossed interconnects, and other exporters count it there */
	CROSSING_UNKNOWN    /* no map says anything of it */
};

struct crossing {
	enum crossing_kind kind;
	uint32_t out, in; /* interconnects, or NO_INTERCONNECT; both unless booked */
};

/* `exporter` is one of the snapshot's. Interfaces: 0 is unknown. */
struct crossing crossing_of_ports(const struct map_snapshot *s, uint32_t exporter, uint32_t in_if,
                                  uint32_t out_if);

/* Both of the same port of `interconnect`. */
struct crossing crossing_of_wire(const struct map_snapshot *s, uint32_t interconnect, uint32_t from,
                                 uint32_t to);

/* The same without ports. `exporter` is one of the snapshot's. */
struct crossing crossing_of_own(const struct map_snapshot *s, uint32_t exporter, uint32_t from,
                                uint32_t to);

/* Of an exporter that no topology names, at a place of the snapshot; `s` may be NULL. */
struct crossing crossing_of_places(const struct map_snapshot *s, uint32_t at, uint32_t from,
                                   uint32_t to);
