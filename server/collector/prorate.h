/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A flow's bytes over the bins it covers, by time.
 *
 * In exact integers: what is due by a moment is total * elapsed / duration, rounded down, and a bin's
 * part is what is due at its end less what was due at its beginning. So parts add up to the whole and
 * none is off by more than one.
 *
 * Pure. Threading: any.
 */

#include <stdint.h>

__extension__ typedef unsigned __int128 prorate_wide; /* a product of two numbers */

/* Of `total`, what falls into [0, elapsed) of [0, duration); all of it when there is no duration. */
static inline uint64_t prorate_due(uint64_t total, uint64_t elapsed, uint64_t duration)
{
	if (elapsed >= duration)
		return total;
	return (uint64_t)((prorate_wide)total * elapsed / duration);
}
