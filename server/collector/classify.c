/* SPDX-License-Identifier: Apache-2.0 */
#include "server/collector/classify.h"

static const struct crossing nowhere = { .kind = CROSSING_UNKNOWN,
	                                 .out = NO_INTERCONNECT,
	                                 .in = NO_INTERCONNECT };

static bool is_booked(const struct crossing *c)
{
	return c->out != NO_INTERCONNECT || c->in != NO_INTERCONNECT;
}

struct crossing crossing_of_ports(const struct map_snapshot *s, uint32_t exporter, uint32_t in_if,
                                  uint32_t out_if)
{
	struct crossing c = { .kind = CROSSING_BOOKED,
		              .out = snapshot_port(s, exporter, out_if),
		              .in = snapshot_port(s, exporter, in_if) };
	if (!is_booked(&c))
		c.kind = CROSSING_INSIDE;
	return c;
}

struct crossing crossing_of_wire(const struct map_snapshot *s, uint32_t interconnect, uint32_t from,
                                 uint32_t to)
{
	const uint32_t provider = snapshot_interconnect(s, interconnect).provider_index;
	const bool sends = snapshot_place(s, from).provider == provider;
	const bool receives = snapshot_place(s, to).provider == provider;
	if (sends == receives)
		return nowhere;
	return (struct crossing){ .kind = CROSSING_BOOKED,
		                  .out = sends ? interconnect : NO_INTERCONNECT,
		                  .in = receives ? interconnect : NO_INTERCONNECT };
}

struct crossing crossing_of_places(const struct map_snapshot *s, uint32_t from, uint32_t to)
{
	if (s == NULL)
		return nowhere;
	const struct map_pair pair = snapshot_pair(s, from, to);
	struct crossing c = { .kind = CROSSING_BOOKED, .out = pair.out, .in = pair.in };
	if (pair.tier == TIER_SAME_PID || pair.tier == TIER_SAME_PROVIDER)
		c.kind = CROSSING_INSIDE;
	else if (!is_booked(&c))
		c.kind = CROSSING_UNKNOWN;
	return c;
}

static bool is_of(const struct map_snapshot *s, uint32_t interconnect, uint32_t provider)
{
	return interconnect != NO_INTERCONNECT &&
	       snapshot_interconnect(s, interconnect).provider_index == provider;
}

struct crossing crossing_of_own(const struct map_snapshot *s, uint32_t provider, uint32_t from,
                                uint32_t to)
{
	struct crossing c = crossing_of_places(s, from, to);
	if (!is_of(s, c.out, provider))
		c.out = NO_INTERCONNECT;
	if (!is_of(s, c.in, provider))
		c.in = NO_INTERCONNECT;
	return c.kind == CROSSING_BOOKED && !is_booked(&c) ? nowhere : c;
}
