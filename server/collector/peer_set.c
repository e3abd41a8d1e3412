/* SPDX-License-Identifier: Apache-2.0 */
#include "server/collector/peer_set.h"

#include "common/base/random.h"

#include <stdlib.h>
#include <string.h>

struct peer_set {
	uint64_t secret;
	size_t mask, n, most, left_out;
	uint32_t tags[]; /* 0: free */
};

struct peer_set *peer_set_new(size_t peers, uint64_t secret)
{
	size_t room = 64;
	while (room / 4 * 3 < peers)
		room *= 2;
	struct peer_set *s = calloc(1, sizeof(*s) + room * sizeof(s->tags[0]));
	if (s == NULL)
		return NULL;
	s->secret = secret;
	s->mask = room - 1;
	s->most = room / 4 * 3;
	return s;
}

void peer_set_free(struct peer_set *s)
{
	free(s);
}

static uint64_t hash_of(const struct peer_set *s, const struct ip_addr *address, uint16_t port)
{
	uint64_t half[2];
	memcpy(half, address->bytes, sizeof(half));
	return random_mix(random_mix(half[0] ^ s->secret) + half[1] +
	                  ((uint64_t)port << 8 | address->family) * 0x9e3779b97f4a7c15U);
}

/* Where this tag is, or would be. */
static size_t seek(const struct peer_set *s, uint64_t hash, uint32_t *tag)
{
	size_t at = hash & s->mask;
	*tag = (uint32_t)(hash >> 32);
	*tag += *tag == 0;
	while (s->tags[at] != 0 && s->tags[at] != *tag)
		at = (at + 1) & s->mask;
	return at;
}

void peer_set_add(struct peer_set *s, const struct ip_addr *address, uint16_t port)
{
	uint32_t tag;
	const size_t at = seek(s, hash_of(s, address, port), &tag);
	if (s->tags[at] != 0)
		return;
	if (s->n == s->most) {
		s->left_out++;
		return;
	}
	s->tags[at] = tag;
	s->n++;
}

bool peer_set_has(const struct peer_set *s, const struct ip_addr *address, uint16_t port)
{
	uint32_t tag;
	return s->tags[seek(s, hash_of(s, address, port), &tag)] != 0;
}

size_t peer_set_count(const struct peer_set *s)
{
	return s->n;
}

size_t peer_set_left_out(const struct peer_set *s)
{
	return s->left_out;
}
