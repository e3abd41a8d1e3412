/* SPDX-License-Identifier: Apache-2.0 */
#include "server/tracker/limits.h"

#include "common/base/random.h"

#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { CELLS = 8, LINES = 1 << 16, MINUTE_US = 60000000 };

/* Upper 16 bits: a tag. The rest: the microsecond at which the bucket is full; 9 years of them. */
static const uint64_t time_mask = (UINT64_C(1) << 48) - 1;

struct line {
	alignas(64) _Atomic uint64_t cell[CELLS];
};

struct limits {
	struct line line[LINES];
	uint64_t secret[2];
};

uint32_t limits_pace(uint64_t per_minute)
{
	return per_minute > 0 ? (uint32_t)(MINUTE_US / per_minute) : 0;
}

struct limits *limits_new(const uint8_t secret[static 16])
{
	struct limits *l = aligned_alloc(alignof(struct limits), sizeof(*l));
	if (l == NULL)
		return NULL;
	memset(l, 0, sizeof(*l)); /* touched now: a flood must not make the process grow */
	memcpy(l->secret, secret, sizeof(l->secret));
	return l;
}

void limits_free(struct limits *l)
{
	free(l);
}

struct ip_prefix limits_group(const struct ip_addr *from, bool prefix)
{
	const bool v4 = from->family == IP_V4;
	struct ip_prefix p = { .addr = { .family = from->family } };
	if (prefix)
		p.length = v4 ? 24 : 48;
	else
		p.length = v4 ? 32 : 64;
	memcpy(p.addr.bytes, from->bytes, p.length / 8);
	return p;
}

/* The keys keep others from finding addresses that share a bucket with a victim's. */
static uint64_t hash(const struct limits *l, const struct ip_addr *from, enum limits_what what,
                     bool prefix)
{
	static const uint8_t v4_24[8] = { 0xff, 0xff, 0xff };
	static const uint8_t v6_48[8] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	uint64_t bits, mask;
	memcpy(&bits, from->bytes, sizeof(bits)); /* an IPv4 address and zeros, or the /64 */
	memcpy(&mask, from->family == IP_V4 ? v4_24 : v6_48, sizeof(mask));
	bits &= prefix ? mask : UINT64_MAX;
	const uint64_t kind = (uint64_t)from->family << 8 | (uint64_t)what << 1 | prefix;
	return random_mix(random_mix(bits ^ l->secret[0]) + (kind ^ l->secret[1]));
}

/* The cell with the tag, and when its bucket is full; or the fullest, which has to go. */
static unsigned find(const struct line *line, uint64_t tag, uint64_t *full)
{
	uint64_t least = UINT64_MAX;
	unsigned fullest = 0;
	for (unsigned i = 0; i < CELLS; i++) {
		const uint64_t cell = atomic_load_explicit(&line->cell[i], memory_order_relaxed);
		if ((cell & ~time_mask) == tag) {
			*full = cell & time_mask;
			return i;
		}
		if ((cell & time_mask) < least) {
			least = cell & time_mask;
			fullest = i;
		}
	}
	*full = 0;
	return fullest;
}

/* One token of the bucket that `h` leads to, `each` microseconds' worth. */
static bool take(struct limits *l, uint64_t h, uint64_t each, uint64_t now)
{
	struct line *line = &l->line[h % LINES];
	const uint64_t tag = h & ~time_mask;
	uint64_t full;
	const unsigned at = find(line, tag, &full);
	full = (full > now ? full : now) + each;
	if (full > now + MINUTE_US)
		return false;
	atomic_store_explicit(&line->cell[at], tag | full, memory_order_relaxed);
	return true;
}

void limits_prefetch(struct limits *l, const struct limits_rates *rates, enum limits_what what,
                     const struct ip_addr *from)
{
	if (rates->address_us != 0)
		__builtin_prefetch(&l->line[hash(l, from, what, false) % LINES], 1);
	if (rates->prefix_us != 0)
		__builtin_prefetch(&l->line[hash(l, from, what, true) % LINES], 1);
}

enum limits_verdict limits_take(struct limits *l, const struct limits_rates *rates,
                                enum limits_what what, const struct ip_addr *from, uint64_t now_ms)
{
	const uint64_t now = now_ms * 1000 & time_mask;
	if (rates->address_us != 0 && !take(l, hash(l, from, what, false), rates->address_us, now))
		return LIMITS_ADDRESS;
	if (rates->prefix_us != 0 && !take(l, hash(l, from, what, true), rates->prefix_us, now))
		return LIMITS_PREFIX;
	return LIMITS_GOOD;
}
