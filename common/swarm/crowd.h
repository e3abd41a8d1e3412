/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Finding a client among the records of its swarm. Private to common/swarm. */

#include "common/swarm/store.h"

static inline bool is_wide(uint8_t family)
{
	return family == IP_V6;
}

static inline struct swarm_candidate candidate_of(const struct record *r, bool wide)
{
	const unsigned class = key_class(r->key);
	return (struct swarm_candidate){ .record = r,
		                         .place = key_place(r->key),
		                         .wide = wide,
		                         .seed = class == SWARM_SEED,
		                         .partial = class == SWARM_PARTIAL };
}

/* Address and port as on the wire. */
void endpoint_write(const struct swarm_client *c, uint8_t out[static ENDPOINT_V6]);

/* By its key in the class of its role. */
bool crowd_find_as(const struct sequence *s, const struct swarm_client *c, enum swarm_role role,
                   struct spot *out);
/* By its key in each class of its place; `role` is looked at first. */
bool crowd_find_in(const struct sequence *s, const struct swarm_client *c, enum swarm_role role,
                   struct spot *out);
bool crowd_find(const struct swarm *w, const struct swarm_client *c, enum swarm_role role,
                struct spot *out);

/* Moves a client's record to where its place is now, if it is found among those under way. */
bool relocate_client(struct swarm_visit *v, const struct swarm_client *c, enum swarm_role role,
                     struct spot *out);
/* The same with one search, for nearly everybody; before its other roles are looked for. */
bool relocate_likely(struct swarm_visit *v, const struct swarm_client *c, enum swarm_role role,
                     struct spot *out);
/* Frees moves of the swarm in which nobody is left. */
void relocate_tidy(struct swarm_shard *shard, struct swarm *w);
