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

/* What the addresses tell, whoever may book it. */
static struct crossing crossing_of_pair(const struct map_snapshot *s, uint32_t from, uint32_t to)
{
	const struct map_pair pair = snapshot_pair(s, from, to);
	struct crossing c = { .kind = CROSSING_BOOKED, .out = pair.out, .in = pair.in };
	if (pair.tier == TIER_SAME_PID || pair.tier == TIER_SAME_PROVIDER)
		c.kind = CROSSING_INSIDE;
	else if (!is_booked(&c))
		c.kind = CROSSING_UNKNOWN;
	return c;
}

/* Who goes by addresses: a number of the snapshot or NO_EXPORTER, and his provider or NO_PROVIDER. */
struct teller {
	uint32_t exporter, provider;
};

static bool has_port(const struct map_snapshot *s, uint32_t exporter, uint32_t interconnect)
{
	if (exporter == NO_EXPORTER)
		return false;
	const struct map_exporter_info e = snapshot_exporter_info(s, exporter);
	for (size_t i = 0; i < e.n; i++)
		if (e.ports[i].interconnect == interconnect)
			return true;
	return false;
}

static bool may_book(const struct map_snapshot *s, const struct teller *t, uint32_t interconnect)
{
	if (interconnect == NO_INTERCONNECT)
		return false;
	const struct map_interconnect_info i = snapshot_interconnect(s, interconnect);
	return (t->provider == NO_PROVIDER || t->provider == i.provider_index) &&
	       (!i.metered || has_port(s, t->exporter, interconnect));
}

static struct crossing crossing_told_by(const struct map_snapshot *s, const struct teller *t,
                                        uint32_t from, uint32_t to)
{
	struct crossing c = crossing_of_pair(s, from, to);
	if (c.kind != CROSSING_BOOKED)
		return c;
	if (!may_book(s, t, c.out))
		c.out = NO_INTERCONNECT;
	if (!may_book(s, t, c.in))
		c.in = NO_INTERCONNECT;
	if (!is_booked(&c))
		c.kind = CROSSING_ELSEWHERE;
	return c;
}

struct crossing crossing_of_own(const struct map_snapshot *s, uint32_t exporter, uint32_t from,
                                uint32_t to)
{
	const struct teller t = { .exporter = exporter,
		                  .provider = snapshot_exporter_info(s, exporter).provider };
	return crossing_told_by(s, &t, from, to);
}

struct crossing crossing_of_places(const struct map_snapshot *s, uint32_t at, uint32_t from,
                                   uint32_t to)
{
	if (s == NULL)
		return nowhere;
	const struct teller t = { .exporter = NO_EXPORTER,
		                  .provider = snapshot_place(s, at).provider };
	return crossing_told_by(s, &t, from, to);
}
