/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Chance as an argument: splitmix64, seeded by the caller, so that a replay is exact.
 * Good for sampling and shuffling; never for secrets (those come from libsodium).
 *
 * Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
 */

#include <stdint.h>

/* A bijection that spreads every bit of `x` over the result. */
static inline uint64_t random_mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
	return x ^ (x >> 31);
}

static inline uint64_t random_next(uint64_t *seed)
{
	return random_mix(*seed += 0x9e3779b97f4a7c15U);
}

/* Uniform in [0, n), n > 0; the bias of the multiply (n / 2^32) is below anything we measure. */
static inline uint32_t random_below(uint64_t *seed, uint32_t n)
{
	return (uint32_t)(((random_next(seed) >> 32) * n) >> 32);
}
