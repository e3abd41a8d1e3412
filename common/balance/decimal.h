/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Exact decimals, for money.
 *
 * Sums, differences and products are exact or nothing: a decimal that does not fit turns bad and stays bad
 * through whatever is computed from it; ask once, at the end. Only decimal_divide() and decimal_round()
 * round, in the way they are told.
 *
 * { 0 } is zero. A decimal keeps the places it was written with ("0.80" prints as "0.80").
 *
 * Pure; share freely.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

__extension__ typedef __int128 decimal_units;

/* Of what decimal_parse() takes, and the room that decimal_print() needs. */
enum { DECIMAL_DIGITS = 24, DECIMAL_PLACES = 12, DECIMAL_TEXT_SIZE = 64 };

struct decimal {
	decimal_units units; /* the value times 10^places */
	uint8_t places;
	bool bad;
};

enum decimal_rounding {
	DECIMAL_HALF_UP,  /* away from zero: 0.5 -> 1, -0.5 -> -1 */
	DECIMAL_HALF_EVEN /* 0.5 -> 0, 1.5 -> 2 */
};

/*
 * "250", "0.80", "-12.5": digits on both sides of the point, no plus, blank, exponent or idle leading
 * zero, at most DECIMAL_DIGITS digits and DECIMAL_PLACES of them after the point. False: *out is
 * untouched.
 */
bool decimal_parse(const char *s, size_t size, struct decimal *out);

/* False, and "" in `text`: it is bad. */
bool decimal_print(struct decimal d, char text[static DECIMAL_TEXT_SIZE]);

struct decimal decimal_of(uint64_t units, unsigned places); /* places <= DECIMAL_PLACES */

struct decimal decimal_add(struct decimal a, struct decimal b);
struct decimal decimal_subtract(struct decimal a, struct decimal b);
struct decimal decimal_multiply(struct decimal a, struct decimal b);

/* To exactly `places` (<= DECIMAL_PLACES) places. By zero: bad. */
struct decimal decimal_divide(struct decimal a, struct decimal b, unsigned places,
                              enum decimal_rounding how);
struct decimal decimal_round(struct decimal a, unsigned places, enum decimal_rounding how);

/* < 0, 0 or > 0, as a is below, equal to or above b; neither may be bad. */
int decimal_compare(struct decimal a, struct decimal b);
