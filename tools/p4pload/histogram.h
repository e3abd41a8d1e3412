/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A histogram of durations in nanoseconds: 32 steps to each doubling, so that a percentile is at
 * most 1/32 (3.2 %) too high, from one nanosecond to centuries, in fixed memory.
 */

#include <stddef.h>
#include <stdint.h>

enum { HISTOGRAM_STEPS = 32, HISTOGRAM_BUCKETS = HISTOGRAM_STEPS * 60 };

struct histogram {
	uint64_t total;
	uint64_t max; /* exact */
	uint64_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *h, uint64_t ns);

/* The least duration that `part` (0 to 1) of all do not exceed; 0 when there are none. */
uint64_t histogram_percentile(const struct histogram *h, double part);
