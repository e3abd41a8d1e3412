/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Is an interconnect in balance: the out:in ratio of two amounts (byte totals, percentiles) against a
 * limit.
 *
 * Totals come as decimal digits where sums of many uint64_t may pass 2^64; all arithmetic is exact
 * integers. A verdict comes from the amounts themselves, never from the rounded ratio that is shown.
 *
 * Pure; share freely.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RATIO_TEXT_SIZE = 48 };

__extension__ typedef unsigned __int128 ratio_wide; /* amounts are below 2^100 */

/* Decimal digits below 2^100; false: they are not, *out is untouched. */
bool ratio_read(const char *digits, ratio_wide *out);

/* In decimal digits. */
void ratio_digits(ratio_wide amount, char text[static RATIO_TEXT_SIZE]);

/*
 * out:in with three places, rounded half up: "1.730". False when there is none: `in` is 0, or (of
 * ratio_print) a total is not a number below 2^100.
 */
bool ratio_print(const char *out_bytes, const char *in_bytes, char text[static RATIO_TEXT_SIZE]);
bool ratio_text(ratio_wide out, ratio_wide in, char text[static RATIO_TEXT_SIZE]);

enum ratio_verdict {
	RATIO_NO_DATA,  /* nothing was counted */
	RATIO_NO_LIMIT, /* nothing to hold it against */
	RATIO_OK,
	RATIO_WARN,  /* from the warn level on */
	RATIO_BREACH /* beyond the limit; at the limit is still within */
};

enum { RATIO_WARN_PERCENT = 85 };

enum ratio_orientation { RATIO_EITHER, RATIO_OUT_IN, RATIO_IN_OUT, RATIO_ORIENTATIONS };
extern const char *const ratio_orientation_names[RATIO_ORIENTATIONS + 1];

/*
 * RATIO_EITHER counts in both directions: 2000 allows 2:1 and 1:2; below 1000 it could not be kept by
 * anybody and is taken as it stands. RATIO_OUT_IN allows out to be so many thousandths of in, and any less.
 */
struct ratio_terms {
	enum ratio_orientation orientation;
	uint64_t limit_milli; /* 2000: 2.000:1; 0: no limit */
	unsigned warn_milli;  /* 850: from 85 % of the limit on; 0: never */
};

enum ratio_verdict ratio_judge(const struct ratio_terms *terms, ratio_wide out, ratio_wide in);

/* RATIO_EITHER, RATIO_WARN_PERCENT, of decimal digits. */
enum ratio_verdict ratio_verdict(const char *out_bytes, const char *in_bytes, uint64_t limit_milli);

const char *ratio_verdict_name(enum ratio_verdict v); /* "ok", "warn", "breach", ... */

/*
 * How much more may go in one direction, the other staying as it is, before the limit is broken there:
 * the amount itself still is within, one more is not. 0 when it is broken there already.
 */
struct ratio_margin {
	bool out_limited, in_limited; /* false: no amount breaks it, and the member below is 0 */
	ratio_wide out, in;
};

struct ratio_margin ratio_margin(const struct ratio_terms *terms, ratio_wide out, ratio_wide in);

/* Bits per second of a bin, rounded half up, at most UINT64_MAX. */
uint64_t ratio_bps(uint64_t bytes, uint32_t seconds);
