/* SPDX-License-Identifier: Apache-2.0 */
#include "common/swarm/crowd.h"

/* A tag is the first bits of what a key has of the identity; the others and the flags are below it. */
enum { BELOW_TAG = TAG_BITS - 32 + FLAG_BITS };

uint32_t swarm_tag(const struct swarm_candidate *c)
{
	return swarm_tag_of(key_identity(c->record->key));
}

bool swarm_find(const struct swarm_visit *v, uint8_t family, uint32_t place, uint32_t tag,
                struct swarm_candidate *out)
{
	uint64_t keys[CLASS_HIDDEN];
	struct spot at[CLASS_HIDDEN];
	must(place < SWARM_PLACES_MAX);
	if (v->swarm == NULL)
		return false;
	const struct sequence *s = &v->swarm->of[is_wide(family)];
	const unsigned classes = v->swarm->partial == 0 ? SWARM_PARTIAL : CLASS_HIDDEN;
	for (unsigned class = 0; class < classes; class ++)
		keys[class] = key_of(class, place, (uint64_t)tag << 32);
	sequence_lower_all(s, keys, classes, at);
	for (unsigned class = 0; class < classes && !sequence_is_end(s, at[class]); class ++) {
		const struct record *r = sequence_record(s, at[class]);
		if (r->key >> BELOW_TAG != keys[class] >> BELOW_TAG)
			continue;
		*out = candidate_of(r, s->wide);
		return true;
	}
	return false;
}
