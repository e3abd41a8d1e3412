/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Is an interconnect in balance: the out:in ratio of its byte totals against a limit.
 *
 * Totals are decimal digits, because sums of many uint64_t may pass 2^64; all arithmetic is exact
 * integers. A verdict comes from the totals themselves, never from the rounded ratio that is shown.
 *
 * Pure; share freely.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RATIO_TEXT_SIZE = 48 };

/*
 * out:in by volume with three places, rounded half up: "1.730". False when there is none: `in` is
 * 0, or a total is not a number below 2^100.
 */
bool ratio_print(const char *out_bytes, const char *in_bytes, char text[static RATIO_TEXT_SIZE]);

enum ratio_verdict {
	RATIO_NO_DATA,  /* nothing was counted */
	RATIO_NO_LIMIT, /* nothing to hold it against */
	RATIO_OK,
	RATIO_WARN,  /* from RATIO_WARN_PERCENT of the limit */
	RATIO_BREACH /* beyond the limit; at the limit is still within */
};

enum { RATIO_WARN_PERCENT = 85 };

/*
 * The limit counts in both directions: 2000 allows 2:1 and 1:2. Below 1000 it could not be kept by
 * anybody and is taken as it stands.
 */
enum ratio_verdict ratio_verdict(const char *out_bytes, const char *in_bytes, uint64_t limit_milli);

const char *ratio_verdict_name(enum ratio_verdict v); /* "ok", "warn", "breach", ... */

/* Bits per second of a bin, rounded half up, at most UINT64_MAX. */
uint64_t ratio_bps(uint64_t bytes, uint32_t seconds);
