/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Readings of interface counters, and the bins they make (common/balance/counter.h), in one transaction.
 *
 * Errors, ownership, threading: as store.h.
 */

#include "common/balance/counter.h"
#include "server/store/store.h"

struct store_reading {
	char provider[65], interconnect[65], port[65];
	struct counter_reading reading;
	/* Set by store_readings(): what became of the period it ends; COUNTER_FATES: it is the first. */
	enum counter_fate fate;
	bool too_late;
};

struct store_readings_rules {
	const char *node; /* of the bins */
	uint32_t bin_seconds;
	uint32_t late_seconds; /* how long after its time a reading may still come out of order */
	int64_t now;
	/*
	 * Ports whose name begins so are our own finds: nothing of them is taken where a port of another name
	 * was read in the last COUNTER_PROVEN_SECONDS, for it is the same interface. NULL: no such rule.
	 */
	const char *found;
};

/*
 * One node name for all daemons: nodes are summed inside a bin, and a sample that came to two of them is
 * still one sample.
 */
#define STORE_SAMPLES_NODE "samples"

struct store_readings_made {
	size_t added;   /* readings that were new */
	size_t bins;    /* written: new, or other figures than before */
	size_t removed; /* bins that a late reading showed to be no bins */
};

/*
 * Adds readings and makes the bins they change, source `counter`. One that is there already (same
 * interconnect, port and time) changes nothing, so that a replay is harmless, also one of half a request;
 * readings may come in any order, and the bins are those of the punctual order. A bin that
 * changes later than two bins after its end gets BIN_LATE.
 *
 * ERR_RANGE: some came more than late_seconds after their time and behind a newer one of their port, or
 * half a day more behind one of another port (`too_late` is set), or lie outside 2000 .. 2099.
 * ERR_NOT_FOUND: an interconnect that no topology named. Nothing was written.
 */
enum err store_readings(struct store *s, struct store_reading *rows, size_t n,
                        const struct store_readings_rules *rules,
                        struct store_readings_made *out) must_check;
