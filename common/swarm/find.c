/* SPDX-License-Identifier: Apache-2.0 */
#include "common/swarm/crowd.h"

#include <string.h>

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

static void describe(const struct record *r, bool wide, struct swarm_peer *out)
{
	const uint8_t *port = r->endpoint + endpoint_size(wide) - 2;
	out->client.identity = key_identity(r->key);
	out->client.keyed = true;
	out->client.port = (uint16_t)(port[0] << 8 | port[1]);
	out->role = record_role(r);
}

enum swarm_search swarm_search(const struct swarm_visit *v, const struct ip_addr *addr,
                               uint16_t port, uint32_t place, uint64_t *cursor,
                               struct swarm_peer *out)
{
	unsigned seen = 0;
	if (v->swarm == NULL || v->swarm->of[is_wide(addr->family)].n == 0)
		return SWARM_NOBODY;
	const struct sequence *s = &v->swarm->of[is_wide(addr->family)];
	const struct swarm_client sought = { .addr = *addr, .port = port, .place = place };
	const size_t size = endpoint_size(s->wide) - (port == 0 ? 2 : 0);
	uint8_t endpoint[ENDPOINT_V6];
	endpoint_write(&sought, endpoint);
	for (unsigned class = SWARM_SEED; class < CLASS_HIDDEN; class ++) {
		const uint64_t first = key_of_place(class, place);
		const uint64_t end = key_of_place(class, place + 1);
		struct spot at = sequence_lower(s, *cursor > first ? *cursor : first);
		for (; !sequence_is_end(s, at); at = sequence_next(s, at)) {
			const struct record *r = sequence_record(s, at);
			if (key_plain(r->key) >= end)
				break;
			if (memcmp(r->endpoint, endpoint, size) == 0) {
				out->client = sought;
				describe(r, s->wide, out);
				return SWARM_FOUND;
			}
			*cursor = key_plain(r->key) + FLAGS + 1;
			if (++seen == SWARM_SLICE)
				return SWARM_MORE;
		}
	}
	return SWARM_NOBODY;
}
