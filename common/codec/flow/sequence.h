/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What got lost between an exporter and us, told from its sequence numbers.
 *
 * A gap may be datagrams that others have overtaken, so it stays open for HOLE_MS before it counts.
 * A number far off the expected one is an exporter that began again.
 */

#include <stdbool.h>
#include <stdint.h>

enum { FLOW_HOLES = 8, FLOW_HOLE_MS = 2000 };

struct flow_sequence {
	struct flow_hole {
		uint32_t from, count;
		int64_t at_ms;
	} holes[FLOW_HOLES]; /* oldest first */
	uint32_t next;       /* the number expected */
	uint8_t open;        /* holes */
	bool known;
};

/* How far a number may be off and still be of the same run. */
struct flow_window {
	uint32_t back, ahead;
};
static const struct flow_window FLOW_BY_DATAGRAM = { .back = 64, .ahead = 1 << 16 };
static const struct flow_window FLOW_BY_RECORD = { .back = 4096, .ahead = 1 << 20 };

/* What a datagram tells. */
struct flow_heard {
	uint64_t lost; /* for good */
	bool reset, late;
};

/* A datagram of the numbers [at, at + count). */
struct flow_heard flow_sequence_hear(struct flow_sequence *s, struct flow_window w, uint32_t at,
                                     uint32_t count, int64_t now_ms);

/* The count of a datagram is unknown: nothing can be told until the next. */
void flow_sequence_forget(struct flow_sequence *s);
