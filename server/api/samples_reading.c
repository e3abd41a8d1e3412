/* SPDX-License-Identifier: Apache-2.0 */
/* Readings of counters, and periods that are no bins. */
#include "server/api/samples_parsing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Clocks of pollers are a little ahead. */
enum { AHEAD = 60 };

/* A whole number from `low` to `high`; absent: *there is false. */
/* NOLINTNEXTLINE(readability-function-size): a field, its range, and two answers */
static bool number_is_good(struct parser *p, const struct raw *r, enum field f, uint64_t low,
                           uint64_t high, bool *there, uint64_t *out)
{
	const char *value = r->value[f];
	char text[96];
	uint64_t n;
	*there = value != NULL;
	if (!*there)
		return true;
	if (text_u64(value, strlen(value), &n) && n >= low && n <= high) {
		*out = n;
		return true;
	}
	(void)snprintf(text, sizeof(text), "a whole number from %llu to %llu",
	               (unsigned long long)low, (unsigned long long)high);
	wrong(p, r, f, "out-of-range", text);
	return false;
}

static bool width_is_good(struct parser *p, const struct raw *r, struct counter_reading *c)
{
	uint64_t bits = 0;
	bool there;
	if (!number_is_good(p, r, COUNTER_BITS, 32, 64, &there, &bits))
		return false;
	if (there && bits != 32 && bits != 53 && bits != 64) {
		wrong(p, r, COUNTER_BITS, "out-of-range",
		      "32, 64, or 53 for counters that came through a double (snmp_exporter)");
		return false;
	}
	c->bits = (uint8_t)bits;
	if (bits == 0 || bits == 64 ||
	    ((c->octets[COUNTER_OUT] | c->octets[COUNTER_IN]) >> bits) == 0)
		return true;
	wrong(p, r, COUNTER_BITS, "out-of-range", "the octets need more bits than that");
	return false;
}

static bool counters_are_good(struct parser *p, const struct raw *r, struct counter_reading *c)
{
	uint64_t uptime = 0, jump = 0;
	bool good = time_is_good(p, r, AT, AHEAD, &c->at_ms);
	good &= count_is_good(p, r, OUT_OCTETS, &c->octets[COUNTER_OUT]);
	good &= count_is_good(p, r, IN_OCTETS, &c->octets[COUNTER_IN]);
	good = good && width_is_good(p, r, c);
	good &= number_is_good(p, r, SYS_UPTIME, 0, UINT32_MAX, &c->has_uptime, &uptime);
	good &= number_is_good(p, r, DISCONTINUITY, 0, UINT32_MAX, &c->has_discontinuity, &jump);
	c->uptime = (uint32_t)uptime;
	c->discontinuity = (uint32_t)jump;
	return good;
}

static bool period_is_good(struct parser *p, const struct raw *r, struct counter_reading *c)
{
	uint64_t seconds = 0;
	bool there;
	bool good = count_is_good(p, r, OUT_BYTES, &c->octets[COUNTER_OUT]);
	good &= count_is_good(p, r, IN_BYTES, &c->octets[COUNTER_IN]);
	good &= number_is_good(p, r, SECONDS, 1, COUNTER_PROVEN_SECONDS, &there, &seconds);
	if (!there) {
		wrong(p, r, SECONDS, "missing", "is needed: how long the period is");
		return false;
	}
	if ((r->value[BIN] != NULL) == (r->value[END] != NULL)) {
		wrong(p, r, END, "missing", "a period says when it starts or when it ends");
		return false;
	}
	c->period_ms = (uint32_t)seconds * 1000;
	if (r->value[END] != NULL)
		return time_is_good(p, r, END, AHEAD, &c->at_ms) && good;
	if (!time_is_good(p, r, BIN, 0, &c->at_ms))
		return false;
	c->at_ms += c->period_ms;
	if (c->at_ms <= (p->rules->now + AHEAD) * 1000)
		return good;
	wrong(p, r, SECONDS, "future", "the period has not ended yet");
	return false;
}

static bool has_room(struct parser *p)
{
	if (p->found.readings == NULL) {
		p->found.readings = calloc(p->room, sizeof(*p->found.readings));
		p->found.places = calloc(p->room, sizeof(*p->found.places));
	}
	p->no_memory |= p->found.readings == NULL || p->found.places == NULL;
	must(p->found.n_readings < p->room);
	return !p->no_memory;
}

void add_reading(struct parser *p, const struct raw *r, enum shape shape)
{
	struct store_reading row = { .port = "-" };
	struct counter_reading *c = &row.reading;
	uint64_t packets[COUNTER_WAYS] = { 0 };
	bool there;
	bool good = provider_is_good(p, r, row.provider);
	good &= name_is_good(p, r, INTERCONNECT, row.interconnect);
	if (r->value[PORT] != NULL)
		good &= name_is_good(p, r, PORT, row.port);
	good &= shape == READING ? counters_are_good(p, r, c) : period_is_good(p, r, c);
	good &= number_is_good(p, r, SPEED, 1, UINT64_MAX, &there, &c->speed_bps);
	good &= packets_are_good(p, r, &c->has_packets, &packets[COUNTER_OUT],
	                         &packets[COUNTER_IN]);
	memcpy(c->packets, packets, sizeof(packets));
	if (!good || !link_is_good(p, r, row.provider, row.interconnect) || !has_room(p))
		return;
	p->found.places[p->found.n_readings] = r->place;
	p->found.readings[p->found.n_readings++] = row;
}
