/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What sFlow agents say their interfaces have counted, on its way to the database.
 *
 * Of each port one reading in `spacing` is kept, for agents say it far more often than bins need it. The
 * line is bounded: beyond READINGS_MAX the oldest goes, and a process that dies takes the line with it.
 * Neither costs bytes while the agent runs on, for the counters do too: the next reading has them, and
 * its sysUpTime is the proof. A bin in between may be ESTIMATED.
 *
 * Threading: one thread at a time.
 */

#include "common/balance/counter.h"

#include <stddef.h>

enum { READINGS_MAX = 1 << 16, READINGS_PORTS_MAX = 1 << 14 };

/* Names of names.h. */
struct reading {
	uint32_t exporter, edge, ifindex;
	struct counter_reading reading;
};

struct readings;

struct readings *readings_new(uint32_t spacing_ms); /* NULL: no memory */
void readings_free(struct readings *r);             /* NULL is fine */

/* What the agent says; `uptime_ms` wraps. Too soon, too many ports or no memory: it is left out. */
struct reading_said {
	uint32_t exporter, edge, ifindex, uptime_ms;
	int64_t at_ms;
	uint64_t out_octets, in_octets, speed_bps;
};
void readings_put(struct readings *r, const struct reading_said *said);

/* The oldest, `most` of them; they stay until readings_done(upto) says that they are stored, or hopeless. */
size_t readings_first(const struct readings *r, struct reading *out, size_t most, uint64_t *upto);
void readings_done(struct readings *r, uint64_t upto);

size_t readings_count(const struct readings *r);
uint64_t readings_lost(const struct readings *r); /* that had to make room */
