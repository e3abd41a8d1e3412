/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * How often an address, and the prefix around it, may ask.
 *
 * An address is an IPv4 address or an IPv6 /64, a prefix an IPv4 /24 or an IPv6 /48. Each has a token
 * bucket that holds a minute's worth, so that a client may come back with all its torrents at once. A
 * bucket is one number: when it will be full again (the generic cell rate algorithm, ITU-T I.371).
 *
 * The buckets stand in a fixed table, found by a keyed hash, eight to a cache line with 16 bits of
 * that hash beside them; a ninth takes the place of the fullest. So memory is bounded, one question is
 * one cache line, and a flood from many addresses makes the table forgetful, never unjust: what is
 * pushed out starts again with a full bucket.
 *
 * Threading: all threads share the table by relaxed atomics. Two that meet in one bucket may take one
 * token instead of two, which no rate notices.
 */

#include "common/ip/addr.h"

enum limits_what { LIMITS_ANNOUNCES, LIMITS_CONNECTS };
enum limits_verdict { LIMITS_GOOD, LIMITS_ADDRESS, LIMITS_PREFIX };

/* Microseconds between two in the long run; 0: no limit. */
struct limits_rates {
	uint32_t address_us, prefix_us;
};

/* `per_minute`: 0 (no limit) to 60,000,000. */
uint32_t limits_pace(uint64_t per_minute);

struct limits;

struct limits *limits_new(const uint8_t secret[static 16]); /* NULL when out of memory */
void limits_free(struct limits *l);                         /* NULL is fine */

/*
 * Takes a token of the address and one of its prefix, or says whose are spent. `now_ms` is a steady
 * clock's.
 */
enum limits_verdict limits_take(struct limits *l, const struct limits_rates *rates,
                                enum limits_what what, const struct ip_addr *from, uint64_t now_ms);

/* Brings nearer what limits_take() will touch, so that the cache misses of a batch overlap. */
void limits_prefetch(struct limits *l, const struct limits_rates *rates, enum limits_what what,
                     const struct ip_addr *from);

/* What limits count as one: the /64 of an IPv6 address, or its /48 and an IPv4 address's /24. */
struct ip_prefix limits_group(const struct ip_addr *from, bool prefix);
