/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Times in buckets that grow by 2^(1/4): bucket b is for [2^(b/4), 2^((b+1)/4)) seconds, and its value is the
 * middle of that by ratio, so what is told of a time is wrong by less than 2^(1/8), 9.1 %. Whole seconds;
 * 0 counts as 1, and HISTOGRAM_SPAN and more (12 days) is in the last bucket, where no bound holds.
 *
 * Pure.
 */

#include <stdint.h>

enum { HISTOGRAM_BUCKETS = 80, HISTOGRAM_SPAN = 1 << 20 };

unsigned histogram_bucket(uint32_t seconds);
double histogram_seconds(unsigned bucket);

uint64_t histogram_count(const uint64_t counts[static HISTOGRAM_BUCKETS]);

/* The smallest value that `quantile` (above 0, at most 1) of all do not exceed (nearest rank); 0 of none. */
double histogram_quantile(const uint64_t counts[static HISTOGRAM_BUCKETS], double quantile);
