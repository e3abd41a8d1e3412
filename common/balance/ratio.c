/* SPDX-License-Identifier: Apache-2.0 */
#include "common/balance/ratio.h"

#include "common/base/err.h"

#include <string.h>

#define WIDE_MAX  (~(ratio_wide)0)
#define TOTAL_MAX ((ratio_wide)1 << 100) /* leaves room for the factors below */

const char *const ratio_orientation_names[RATIO_ORIENTATIONS + 1] = {
	[RATIO_EITHER] = "either",
	[RATIO_OUT_IN] = "out:in",
	[RATIO_IN_OUT] = "in:out",
};

bool ratio_read(const char *digits, ratio_wide *out)
{
	ratio_wide n = 0;
	if (*digits == '\0')
		return false;
	for (; *digits != '\0'; digits++) {
		if (*digits < '0' || *digits > '9')
			return false;
		n = n * 10 + (unsigned)(*digits - '0');
		if (n >= TOTAL_MAX)
			return false;
	}
	*out = n;
	return true;
}

/* With a point before the last `places` digits, and at least one before it. */
static void print(ratio_wide n, unsigned places, char text[static RATIO_TEXT_SIZE])
{
	char digits[RATIO_TEXT_SIZE];
	size_t at = sizeof(digits);
	digits[--at] = '\0';
	for (unsigned i = 0; n > 0 || i <= places; i++) {
		if (i > 0 && i == places)
			digits[--at] = '.';
		digits[--at] = (char)('0' + (unsigned)(n % 10));
		n /= 10;
	}
	memcpy(text, digits + at, sizeof(digits) - at);
}

void ratio_digits(ratio_wide amount, char text[static RATIO_TEXT_SIZE])
{
	print(amount, 0, text);
}

bool ratio_text(ratio_wide out, ratio_wide in, char text[static RATIO_TEXT_SIZE])
{
	if (in == 0)
		return false;
	print((out * 1000 + in / 2) / in, 3, text);
	return true;
}

bool ratio_print(const char *out_bytes, const char *in_bytes, char text[static RATIO_TEXT_SIZE])
{
	ratio_wide out, in;
	return ratio_read(out_bytes, &out) && ratio_read(in_bytes, &in) &&
	       ratio_text(out, in, text);
}

/* A product too big for us is as good as infinity. */
static ratio_wide times(ratio_wide a, ratio_wide b)
{
	ratio_wide product;
	return __builtin_mul_overflow(a, b, &product) ? WIDE_MAX : product;
}

/* The amount that is limited, and the one it is held against. */
static void orient(enum ratio_orientation how, ratio_wide *big, ratio_wide *small)
{
	const ratio_wide out = *big, in = *small;
	if (how == RATIO_IN_OUT || (how == RATIO_EITHER && in > out)) {
		*big = in;
		*small = out;
	}
}

enum ratio_verdict ratio_judge(const struct ratio_terms *terms, ratio_wide out, ratio_wide in)
{
	must(out < TOTAL_MAX && in < TOTAL_MAX);
	if (out == 0 && in == 0)
		return RATIO_NO_DATA;
	if (terms->limit_milli == 0)
		return RATIO_NO_LIMIT;

	/* big / small > limit / 1000, without dividing. */
	ratio_wide big = out, small = in;
	orient(terms->orientation, &big, &small);
	const ratio_wide most = times(small, terms->limit_milli);
	if (times(big, 1000) > most)
		return RATIO_BREACH;
	if (terms->warn_milli == 0)
		return RATIO_OK;
	return times(big, 1000000) >= times(most, terms->warn_milli) ? RATIO_WARN : RATIO_OK;
}

enum ratio_verdict ratio_verdict(const char *out_bytes, const char *in_bytes, uint64_t limit_milli)
{
	const struct ratio_terms terms = { .orientation = RATIO_EITHER,
		                           .limit_milli = limit_milli,
		                           .warn_milli = RATIO_WARN_PERCENT * 10 };
	ratio_wide out, in;
	if (!ratio_read(out_bytes, &out) || !ratio_read(in_bytes, &in))
		return RATIO_NO_DATA;
	return ratio_judge(&terms, out, in);
}

const char *ratio_verdict_name(enum ratio_verdict v)
{
	static const char *const names[] = {
		[RATIO_NO_DATA] = "no-data", [RATIO_NO_LIMIT] = "no-limit", [RATIO_OK] = "ok",
		[RATIO_WARN] = "warn",       [RATIO_BREACH] = "breach",
	};
	return names[v];
}

/* How much may be added to `amount`, held against `other`. False: as much as one likes. */
static bool room(ratio_wide amount, ratio_wide other, uint64_t limit_milli, ratio_wide *out)
{
	const ratio_wide product = times(other, limit_milli);
	if (product == WIDE_MAX)
		return false;
	const ratio_wide most = product / 1000;
	*out = most > amount ? most - amount : 0;
	return true;
}

struct ratio_margin ratio_margin(const struct ratio_terms *terms, ratio_wide out, ratio_wide in)
{
	must(out < TOTAL_MAX && in < TOTAL_MAX);
	struct ratio_margin m = { 0 };
	if (terms->limit_milli == 0)
		return m;
	if (terms->orientation != RATIO_IN_OUT)
		m.out_limited = room(out, in, terms->limit_milli, &m.out);
	if (terms->orientation != RATIO_OUT_IN)
		m.in_limited = room(in, out, terms->limit_milli, &m.in);
	return m;
}

uint64_t ratio_bps(uint64_t bytes, uint32_t seconds)
{
	must(seconds > 0);
	const ratio_wide bps = ((ratio_wide)bytes * 8 + seconds / 2) / seconds;
	return bps < UINT64_MAX ? (uint64_t)bps : UINT64_MAX;
}
