/* SPDX-License-Identifier: Apache-2.0 */
#include "server/collector/readings.h"

#include <stdlib.h>

struct port {
	uint32_t exporter, ifindex;
	int64_t at_ms;
	uint64_t uptime_ms; /* of the last reading, without wraps */
};

struct readings {
	uint32_t spacing_ms;
	struct port *ports;
	size_t n_ports, ports_room;
	struct reading *line; /* a ring of READINGS_MAX */
	uint64_t first, end;  /* numbers of readings: [first, end) are in the line */
	uint64_t lost;
};

struct readings *readings_new(uint32_t spacing_ms)
{
	struct readings *r = calloc(1, sizeof(*r));
	if (r == NULL)
		return NULL;
	r->spacing_ms = spacing_ms;
	r->line = calloc(READINGS_MAX, sizeof(*r->line)); /* pages nobody reaches cost nothing */
	if (r->line == NULL) {
		free(r);
		return NULL;
	}
	return r;
}

void readings_free(struct readings *r)
{
	if (r == NULL)
		return;
	free(r->ports);
	free(r->line);
	free(r);
}

/* NULL: one too many, or no memory. */
static struct port *port_of(struct readings *r, const struct reading_said *said)
{
	for (size_t i = 0; i < r->n_ports; i++)
		if (r->ports[i].exporter == said->exporter && r->ports[i].ifindex == said->ifindex)
			return &r->ports[i];
	if (r->n_ports == READINGS_PORTS_MAX)
		return NULL;
	if (r->n_ports == r->ports_room) {
		const size_t room = r->ports_room > 0 ? 2 * r->ports_room : 64;
		struct port *more = realloc(r->ports, room * sizeof(*more));
		if (more == NULL)
			return NULL;
		r->ports = more;
		r->ports_room = room;
	}
	r->ports[r->n_ports] =
		(struct port){ .exporter = said->exporter, .ifindex = said->ifindex };
	return &r->ports[r->n_ports++];
}

/* Milliseconds in 32 bits wrap every 49 days; who was above the half and is below is taken to run on. */
static uint64_t run_on(const struct port *p, uint32_t uptime_ms)
{
	const uint32_t low = (uint32_t)p->uptime_ms;
	const uint64_t high = p->uptime_ms - low;
	if (uptime_ms >= low)
		return high + uptime_ms;
	return low - uptime_ms > UINT32_MAX / 2 ? high + (UINT64_C(1) << 32) + uptime_ms
	                                        : uptime_ms;
}

void readings_put(struct readings *r, const struct reading_said *said)
{
	struct port *p = port_of(r, said);
	if (p == NULL)
		return;
	const bool soon = said->at_ms > p->at_ms && said->at_ms - p->at_ms < r->spacing_ms;
	if (soon && said->uptime_ms >= (uint32_t)p->uptime_ms)
		return;
	p->uptime_ms = run_on(p, said->uptime_ms);
	p->at_ms = said->at_ms;
	if (r->end - r->first == READINGS_MAX) {
		r->first++;
		r->lost++;
	}
	struct reading *to = &r->line[r->end++ % READINGS_MAX];
	*to = (struct reading){ .exporter = said->exporter,
		                .edge = said->edge,
		                .ifindex = said->ifindex };
	to->reading = (struct counter_reading){ .at_ms = said->at_ms,
		                                .speed_bps = said->speed_bps,
		                                .uptime = (uint32_t)(p->uptime_ms / 10),
		                                .has_uptime = true,
		                                .bits = 64 };
	to->reading.octets[COUNTER_OUT] = said->out_octets;
	to->reading.octets[COUNTER_IN] = said->in_octets;
}

size_t readings_first(const struct readings *r, struct reading *out, size_t most, uint64_t *upto)
{
	size_t n = 0;
	while (n < most && r->first + n < r->end) {
		out[n] = r->line[(r->first + n) % READINGS_MAX];
		n++;
	}
	*upto = r->first + n;
	return n;
}

void readings_done(struct readings *r, uint64_t upto)
{
	if (upto > r->first)
		r->first = upto;
}

size_t readings_count(const struct readings *r)
{
	return (size_t)(r->end - r->first);
}

uint64_t readings_lost(const struct readings *r)
{
	return r->lost;
}
