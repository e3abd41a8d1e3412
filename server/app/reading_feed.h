/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Readings of interfaces into the database, so that one which it will not have keeps no others out.
 *
 * Too late, or of an interconnect that is in no topology: that reading is found by halves and let go, for
 * the next one of its port has its bytes. A database that refuses for another reason (a lost privilege,
 * say) is tried again, ever more seldom; after READING_TRIES only what it takes then is kept.
 *
 * Threading: one thread at a time.
 */

#include "server/metrics/metrics.h"
#include "server/store/readings.h"

enum { READING_TRIES = 10 };

struct reading_feed {
	struct store *store;
	struct metrics_slot *metrics;
	unsigned retry_ms;  /* after the first refusal; doubles every time */
	unsigned tries;     /* that failed */
	int64_t not_before; /* CLOCK_MONOTONIC millisecond of the next one */
	enum err said;      /* why readings were let go when the log was told last */
};

/*
 * ERR_OK: each row is stored, or let go and counted. ERR_AWAY, ERR_NOMEM, or ERR_BUSY (it is too soon to
 * try again): offer all of them again, which those that are stored already do not mind.
 */
enum err reading_feed(struct reading_feed *f, struct store_reading *rows, size_t n,
                      const struct store_readings_rules *rules) must_check;
