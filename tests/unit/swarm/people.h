/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Stores, swarms and peers with numbers for names. */

#include "tests/unit/test.h"

#include "common/swarm/crowd.h"

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

/* A tag of its own for each number below 2^38, and not in the order of the numbers. */
static inline uint64_t identity_of(uint64_t n)
{
	return (n * 0x9e3779b97f4a7c15U) << (64 - TAG_BITS);
}

/* Number `n` with a key. */
static inline struct swarm_client client_of(uint64_t n)
{
	return (struct swarm_client){ .identity = identity_of(n),
		                      .keyed = true,
		                      .addr = address(0x0a000000 + n),
		                      .port = 6881,
		                      .place = 1 };
}

static inline struct swarm_peer peer_of(uint64_t n, enum swarm_role role)
{
	return (struct swarm_peer){ .client = client_of(n), .role = role, .expires = 1000 };
}

static inline struct swarm_change put(struct swarm_visit *v, struct swarm_peer p, bool completed)
{
	struct swarm_change change;
	assert_int_equal(swarm_put(v, &p, completed, &change), ERR_OK);
	return change;
}

static inline bool remove_number(struct swarm_visit *v, uint64_t n)
{
	const struct swarm_client c = client_of(n);
	return swarm_remove(v, &c, NULL);
}

/* A whole round over all shards. */
static inline size_t sweep(struct swarm_store *s, uint32_t now)
{
	struct swarm_sweep cursor = { 0 };
	size_t gone = 0;
	while (cursor.shards < s->options.shards)
		gone += swarm_sweep(s, &cursor, now);
	return gone;
}

/* A survey that tells no parts apart: all candidates are elsewhere. */
static inline struct swarm_survey survey_all(const struct swarm_visit *v,
                                             const struct swarm_asker *asker)
{
	struct swarm_survey survey;
	swarm_survey(v, asker, (struct swarm_places){ 0 }, &survey);
	return survey;
}

static inline uint32_t candidates(const struct swarm_visit *v, const struct swarm_asker *asker)
{
	return survey_all(v, asker).part[SWARM_ELSEWHERE].n;
}

static inline uint32_t candidates_in(const struct swarm_visit *v, struct swarm_asker asker,
                                     uint32_t place)
{
	struct swarm_survey survey;
	asker.client.place = place;
	swarm_survey(v, &asker, (struct swarm_places){ place, place + 1 }, &survey);
	return survey.part[SWARM_OWN_PLACE].n;
}

static inline size_t draw_all(const struct swarm_visit *v, const struct swarm_asker *asker,
                              size_t want, uint64_t *seed, struct swarm_candidate *out)
{
	const struct swarm_survey survey = survey_all(v, asker);
	return swarm_draw(v, &survey, SWARM_ELSEWHERE, want, seed, out);
}
