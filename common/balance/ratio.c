/* SPDX-License-Identifier: Apache-2.0 */
#include "common/balance/ratio.h"

#include "common/base/err.h"

#include <stdio.h>

__extension__ typedef unsigned __int128 wide;

#define WIDE_MAX  (~(wide)0)
#define TOTAL_MAX ((wide)1 << 100) /* leaves room for the factors below */

static bool read_total(const char *digits, wide *out)
{
	wide n = 0;
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

bool ratio_print(const char *out_bytes, const char *in_bytes, char text[static RATIO_TEXT_SIZE])
{
	wide out, in;
	if (!read_total(out_bytes, &out) || !read_total(in_bytes, &in) || in == 0)
		return false;

	wide milli = (out * 1000 + in / 2) / in;
	char digits[RATIO_TEXT_SIZE];
	size_t at = sizeof(digits);
	digits[--at] = '\0';
	for (unsigned place = 0; milli > 0 || place < 4; place++) {
		if (place == 3)
			digits[--at] = '.';
		digits[--at] = (char)('0' + (unsigned)(milli % 10));
		milli /= 10;
	}
	(void)snprintf(text, RATIO_TEXT_SIZE, "%s", digits + at);
	return true;
}

/* A product too big for us is as good as infinity. */
static wide times(wide a, wide b)
{
	wide product;
	return __builtin_mul_overflow(a, b, &product) ? WIDE_MAX : product;
}

enum ratio_verdict ratio_verdict(const char *out_bytes, const char *in_bytes, uint64_t limit_milli)
{
	wide out, in;
	if (!read_total(out_bytes, &out) || !read_total(in_bytes, &in) || (out == 0 && in == 0))
		return RATIO_NO_DATA;
	if (limit_milli == 0)
		return RATIO_NO_LIMIT;

	/* big / small > limit / 1000, without dividing. */
	const wide big = out > in ? out : in, small = out > in ? in : out;
	if (times(big, 1000) > times(small, limit_milli))
		return RATIO_BREACH;
	const wide warn = times(times(small, limit_milli), RATIO_WARN_PERCENT);
	return times(big, 100000) >= warn ? RATIO_WARN : RATIO_OK;
}

const char *ratio_verdict_name(enum ratio_verdict v)
{
	static const char *const names[] = {
		[RATIO_NO_DATA] = "no-data", [RATIO_NO_LIMIT] = "no-limit", [RATIO_OK] = "ok",
		[RATIO_WARN] = "warn",       [RATIO_BREACH] = "breach",
	};
	return names[v];
}

uint64_t ratio_bps(uint64_t bytes, uint32_t seconds)
{
	must(seconds > 0);
	const wide bps = ((wide)bytes * 8 + seconds / 2) / seconds;
	return bps < UINT64_MAX ? (uint64_t)bps : UINT64_MAX;
}
