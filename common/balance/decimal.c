/* SPDX-License-Identifier: Apache-2.0 */
#include "common/balance/decimal.h"

#include "common/base/err.h"

#include <string.h>

__extension__ typedef unsigned __int128 magnitude;

enum { PLACES_MAX = 36 }; /* of a product; 10^36 is below 2^127 */

static const struct decimal bad_decimal = { .units = 0, .places = 0, .bad = true };

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool decimal_parse(const char *s, size_t size, struct decimal *out)
{
	const bool negative = size > 0 && s[0] == '-';
	const size_t first = negative ? 1 : 0;
	struct decimal d = { 0 };
	size_t digits = 0, point = size;
	for (size_t i = first; i < size; i++) {
		if (s[i] == '.' && point == size) {
			point = i;
			continue;
		}
		if (!is_digit(s[i]) || ++digits > DECIMAL_DIGITS)
			return false;
		d.units = d.units * 10 + (s[i] - '0');
	}
	const size_t places = point < size ? size - point - 1 : 0;
	if (point == first || places > DECIMAL_PLACES || (point < size && places == 0))
		return false;
	if (point - first > 1 && s[first] == '0')
		return false;
	d.places = (uint8_t)places;
	d.units = negative ? -d.units : d.units;
	*out = d;
	return true;
}

bool decimal_print(struct decimal d, char text[static DECIMAL_TEXT_SIZE])
{
	text[0] = '\0';
	if (d.bad)
		return false;
	char digits[DECIMAL_TEXT_SIZE];
	size_t at = sizeof(digits);
	digits[--at] = '\0';
	magnitude rest = d.units < 0 ? -(magnitude)d.units : (magnitude)d.units;
	for (unsigned i = 0; rest > 0 || i <= d.places; i++) {
		if (i > 0 && i == d.places)
			digits[--at] = '.';
		digits[--at] = (char)('0' + (unsigned)(rest % 10));
		rest /= 10;
	}
	if (d.units < 0)
		digits[--at] = '-';
	memcpy(text, digits + at, sizeof(digits) - at);
	return true;
}

struct decimal decimal_of(uint64_t units, unsigned places)
{
	must(places <= DECIMAL_PLACES);
	return (struct decimal){ .units = (decimal_units)units, .places = (uint8_t)places };
}

/* The same with `places` places. */
static struct decimal raised(struct decimal d, unsigned places)
{
	for (; d.places < places && !d.bad; d.places++)
		d.bad = __builtin_mul_overflow(d.units, 10, &d.units);
	return d.bad ? bad_decimal : d;
}

struct decimal decimal_add(struct decimal a, struct decimal b)
{
	const unsigned places = a.places > b.places ? a.places : b.places;
	a = raised(a, places);
	b = raised(b, places);
	if (a.bad || b.bad || __builtin_add_overflow(a.units, b.units, &a.units))
		return bad_decimal;
	return a;
}

struct decimal decimal_subtract(struct decimal a, struct decimal b)
{
	const unsigned places = a.places > b.places ? a.places : b.places;
	a = raised(a, places);
	b = raised(b, places);
	if (a.bad || b.bad || __builtin_sub_overflow(a.units, b.units, &a.units))
		return bad_decimal;
	return a;
}

/* Without zeros at the end of its places: they only take room. */
static struct decimal trimmed(struct decimal d)
{
	for (; d.places > 0 && d.units % 10 == 0; d.places--)
		d.units /= 10;
	return d;
}

struct decimal decimal_multiply(struct decimal a, struct decimal b)
{
	a = trimmed(a);
	b = trimmed(b);
	if (a.bad || b.bad || a.places + b.places > PLACES_MAX ||
	    __builtin_mul_overflow(a.units, b.units, &a.units))
		return bad_decimal;
	a.places = (uint8_t)(a.places + b.places);
	return a;
}

static magnitude rounded(magnitude of, magnitude by, enum decimal_rounding how)
{
	const magnitude whole = of / by, rest = of % by, other = by - rest;
	if (rest > other || (rest == other && (how == DECIMAL_HALF_UP || whole % 2 == 1)))
		return whole + 1;
	return whole;
}

struct decimal decimal_divide(struct decimal a, struct decimal b, unsigned places,
                              enum decimal_rounding how)
{
	must(places <= DECIMAL_PLACES);
	a = trimmed(a);
	b = trimmed(b);
	if (a.bad || b.bad || b.units == 0)
		return bad_decimal;
	/* Wanted: a.units 10^places 10^b.places / (b.units 10^a.places). */
	const unsigned up = places + b.places, down = a.places;
	struct decimal of = a, by = b;
	of.places = by.places = 0;
	of = raised(of, up > down ? up - down : 0);
	by = raised(by, down > up ? down - up : 0);
	if (of.bad || by.bad)
		return bad_decimal;
	const bool negative = (of.units < 0) != (by.units < 0);
	const magnitude result =
		rounded(of.units < 0 ? -(magnitude)of.units : (magnitude)of.units,
	                by.units < 0 ? -(magnitude)by.units : (magnitude)by.units, how);
	if (result >> 127 != 0)
		return bad_decimal;
	return (struct decimal){ .units = negative ? -(decimal_units)result : (decimal_units)result,
		                 .places = (uint8_t)places };
}

struct decimal decimal_round(struct decimal a, unsigned places, enum decimal_rounding how)
{
	return decimal_divide(a, decimal_of(1, 0), places, how);
}

int decimal_compare(struct decimal a, struct decimal b)
{
	must(!a.bad && !b.bad);
	if ((a.units < 0) != (b.units < 0))
		return a.units < 0 ? -1 : 1;
	const unsigned places = a.places > b.places ? a.places : b.places;
	const struct decimal x = raised(a, places), y = raised(b, places);
	if (x.bad || y.bad) /* the one that cannot be raised is the larger, by far */
		return x.bad == (a.units > 0) ? 1 : -1;
	return (x.units > y.units) - (x.units < y.units);
}
