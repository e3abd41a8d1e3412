/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Crowds of `people`: a third seeds, a half leechers, the rest partial seeds, in places 1 to 9, two
 * thirds of them in places 4 and 5. Number n is at 10.0.0.0 + n, or the IPv6 address of that.
 */

#include "tests/unit/swarm/people.h"

enum { PLACES = 10, PEOPLE_MAX = 1500, FIRST_ADDRESS = 0x0a000000 };

static inline enum swarm_role role_of(uint32_t n)
{
	return n % 6 < 2 ? SWARM_SEED : n % 6 < 5 ? SWARM_LEECHER : SWARM_PARTIAL;
}

static inline uint32_t place_of(uint32_t n)
{
	return n % 3 == 0 ? 1 + n / 3 % (PLACES - 1) : 4 + n / 7 % 2;
}

static inline struct swarm_peer person(uint32_t n, uint8_t family)
{
	struct swarm_peer p = peer_of(n, role_of(n));
	p.client.place = place_of(n);
	p.client.addr = address((family == IP_V6 ? 1ULL << 32 : 0) + FIRST_ADDRESS + n);
	return p;
}

static inline uint32_t number_of(const uint8_t *address)
{
	return ((uint32_t)address[0] << 24 | (uint32_t)address[1] << 16 |
	        (uint32_t)address[2] << 8 | address[3]) -
	       FIRST_ADDRESS;
}

struct crowd {
	struct swarm_store *store;
	struct swarm_visit visit;
	uint32_t people;
	uint8_t family;
};

static inline struct crowd crowd_of(uint32_t people, uint8_t family)
{
	struct crowd c = { .store = store_of(1, 2, 2 * PEOPLE_MAX),
		           .people = people,
		           .family = family };
	c.visit = enter(c.store, 1, true);
	for (uint32_t i = 0; i < people; i++) {
		(void)put(&c.visit, person(i, family), false);
		/* The other family is there, and does not come in. */
		(void)put(&c.visit, person(i, IP_V4 + IP_V6 - family), false);
	}
	return c;
}

static inline void crowd_free(struct crowd *c)
{
	swarm_leave(&c->visit);
	swarm_store_free(c->store);
}

/* Number `n`, who asks as if it were in place `own`. It stands where it stood, and the visit knows. */
static inline struct swarm_asker asker_in(struct crowd *c, uint32_t n, uint32_t own)
{
	struct swarm_asker asker = { .client = person(n, c->family).client,
		                     .family = c->family,
		                     .seeding = n < c->people && role_of(n) != SWARM_LEECHER };
	if (n < c->people)
		(void)put(&c->visit, person(n, c->family), false);
	asker.client.place = own;
	return asker;
}

static inline struct swarm_asker asker_of(struct crowd *c, uint32_t n)
{
	return asker_in(c, n, place_of(n));
}

static inline enum swarm_part part_of(uint32_t own, struct swarm_places around, uint32_t place)
{
	return place < around.first || place >= around.end ? SWARM_ELSEWHERE
	       : place == own                              ? SWARM_OWN_PLACE
	                                                   : SWARM_AROUND;
}

/* Is number `n` a candidate of this part, or `who` itself and would be one? */
static inline bool stands_in(const struct crowd *c, const struct swarm_asker *asker,
                             struct swarm_places around, enum swarm_part part, uint32_t n)
{
	return n < c->people && (!asker->seeding || role_of(n) == SWARM_LEECHER) &&
	       (!asker->seeds_only || role_of(n) == SWARM_SEED) &&
	       part_of(asker->client.place, around, place_of(n)) == part;
}

/* What a survey may be told of the places around the `own` one. */
enum { AROUNDS = 6 };
static inline struct swarm_places around_of(unsigned i, uint32_t own)
{
	const struct swarm_places all[AROUNDS] = {
		{ 0, 0 },       { own, own + 1 }, { own - 1, own + 2 },
		{ 1, own + 1 }, { own, PLACES },  { 0, SWARM_PLACES_MAX },
	};
	return all[i];
}
