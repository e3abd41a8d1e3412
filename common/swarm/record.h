/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A peer as the store keeps it. Private to common/swarm.
 *
 *   key        class:2 | place:20 | tag:38 | flags:4      the order of a sequence; flags do not count
 *   stamp      16 bits of the second after which it is gone
 *   endpoint   address and port as on the wire: 6 bytes, or 18
 *
 * 16 bytes for IPv4, 32 for IPv6. The class says who may be given this peer: seeds to leechers,
 * leechers to everybody, partial seeds to leechers, the hidden ones (port 0) to nobody; they have no
 * place, and their true role is in the flags. The tag is the upper 38 bits of the identity.
 *
 * Stamps are compared as signed 16-bit differences, which holds as long as no lifetime is above
 * SWARM_LIFETIME_MAX and a sweep passes by within half a minute of an end.
 */

#include "common/swarm/swarm.h"

#include <string.h>

enum { TAG_BITS = 38, FLAG_BITS = 4, PLACE_SHIFT = TAG_BITS + FLAG_BITS, CLASS_SHIFT = 62 };
_Static_assert(SWARM_PLACES_MAX == 1U << (CLASS_SHIFT - PLACE_SHIFT), "a key is 64 bits");

enum { CLASS_HIDDEN = 3, CLASSES = 4 };
_Static_assert(SWARM_SEED == 0 && SWARM_LEECHER == 1 && SWARM_PARTIAL == 2, "a role is a class");

enum {
	FLAG_SNATCHED = 1, /* its snatch is counted */
	FLAG_PEER_ID = 2,  /* peer_ids.h has its peer id */
	FLAG_ROLE_SHIFT = 2,
	FLAGS = 15
};

struct record {
	uint64_t key;
	uint16_t stamp;
	uint8_t endpoint[];
};

enum { ENDPOINT_V4 = 6, ENDPOINT_V6 = 18, RECORD_MAX = 32 };

/* log2 of a record's size. */
static inline unsigned record_shift(bool wide)
{
	return wide ? 5 : 4;
}

static inline size_t endpoint_size(bool wide)
{
	return wide ? ENDPOINT_V6 : ENDPOINT_V4;
}

/* Constant sizes: a comparison of a size that is not known is a call. */
static inline bool endpoint_equal(const uint8_t *a, const uint8_t *b, bool wide)
{
	return wide ? memcmp(a, b, ENDPOINT_V6) == 0 : memcmp(a, b, ENDPOINT_V4) == 0;
}

/* The smallest key of a place; `place` may be SWARM_PLACES_MAX: the next class begins there. */
static inline uint64_t key_of_place(unsigned class, uint32_t place)
{
	return ((uint64_t) class << CLASS_SHIFT) + ((uint64_t)place << PLACE_SHIFT);
}

static inline uint64_t key_of(unsigned class, uint32_t place, uint64_t identity)
{
	return key_of_place(class, place) | identity >> (64 - TAG_BITS) << FLAG_BITS;
}

/* What the order is by. */
static inline uint64_t key_plain(uint64_t key)
{
	return key & ~(uint64_t)FLAGS;
}

static inline unsigned key_class(uint64_t key)
{
	return (unsigned)(key >> CLASS_SHIFT);
}

static inline uint32_t key_place(uint64_t key)
{
	return (uint32_t)(key >> PLACE_SHIFT) & (SWARM_PLACES_MAX - 1);
}

/* As an identity that would get the same tag. */
static inline uint64_t key_identity(uint64_t key)
{
	return key >> FLAG_BITS << (64 - TAG_BITS);
}

static inline enum swarm_role record_role(const struct record *r)
{
	const unsigned class = key_class(r->key);
	return class < CLASS_HIDDEN ? (enum swarm_role) class
	                            : (enum swarm_role)((r->key & FLAGS) >> FLAG_ROLE_SHIFT);
}

/* How many seconds of its life are left; negative: it is over. */
static inline int16_t stamp_left(uint16_t stamp, uint32_t now)
{
	return (int16_t)(uint16_t)(stamp - now);
}
