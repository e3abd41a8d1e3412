/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Stores, swarms and peers with numbers for names. */

#include "tests/unit/test.h"

#include "common/swarm/swarm.h"

static inline struct swarm_store *store_of(unsigned shards, size_t max_swarms, size_t max_peers)
{
	struct swarm_store *s = swarm_store_new(&(struct swarm_options){
		.shards = shards, .max_swarms = max_swarms, .max_peers = max_peers, .secret = 99 });
	assert_non_null(s);
	return s;
}

static inline void hash_of_number(uint32_t n, uint8_t out[static INFO_HASH_SIZE])
{
	for (unsigned i = 0; i < INFO_HASH_SIZE; i++)
		out[i] = (uint8_t)(n >> 8 * (i % 4));
}

static inline struct swarm_visit enter(struct swarm_store *s, uint32_t number, bool create)
{
	uint8_t hash[INFO_HASH_SIZE];
	struct swarm_visit v;
	hash_of_number(number, hash);
	assert_int_equal(swarm_enter(s, hash, create, &v), ERR_OK);
	return v;
}

/* IPv6 above 2^32. */
static inline struct ip_addr address(uint64_t n)
{
	struct ip_addr a = ip_v4((uint32_t)n);
	if (n >> 32 != 0) {
		a.family = IP_V6;
		a.bytes[4] = 0x20;
	}
	return a;
}

static inline struct swarm_peer peer_of(uint64_t identity, enum swarm_role role)
{
	return (struct swarm_peer){ .identity = identity,
		                    .addr = address(0x0a000000 + identity),
		                    .port = 6881,
		                    .role = role,
		                    .place = 1,
		                    .expires = 1000 };
}

static inline struct swarm_change put(struct swarm_visit *v, struct swarm_peer p, bool completed)
{
	struct swarm_change change;
	assert_int_equal(swarm_put(v, &p, completed, &change), ERR_OK);
	return change;
}
