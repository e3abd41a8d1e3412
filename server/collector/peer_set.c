/* SPDX-License-Identifier: Apache-2.0 */
#include "server/collector/peer_set.h"

#include "common/base/cursor.h"
#include "common/base/random.h"
#include "server/accounting/sum.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

struct peer_set {
	uint64_t secret;
	size_t mask, n, most, left_out;
	uint32_t tags[]; /* 0: free */
};

/* Magic, when it was made, the secret, slots and peers (u64 each); the slots (u32); a checksum. */
static const uint8_t magic[8] = "p4ppeer1";
enum { HEADER_SIZE = 5 * 8, ROOM_MIN = 64 };

struct peer_set *peer_set_new(size_t peers, uint64_t secret)
{
	size_t room = ROOM_MIN;
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

/* ---- as bytes ---- */

void peer_set_export(const struct peer_set *s, int64_t made, struct text *out)
{
	uint8_t bytes[HEADER_SIZE], sum[SUM_SIZE];
	const size_t before = out->size;
	struct writer w = writer_over(bytes, sizeof(bytes));
	writer_bytes(&w, magic, sizeof(magic));
	writer_u64(&w, (uint64_t)made);
	writer_u64(&w, s->secret);
	writer_u64(&w, s->mask + 1);
	writer_u64(&w, s->n);
	text_add(out, bytes, writer_size(&w));
	for (size_t i = 0; i <= s->mask; i++) {
		const uint32_t tag = htobe32(s->tags[i]);
		text_add(out, &tag, sizeof(tag));
	}
	if (out->bad)
		return;
	sum_make(out->bytes + before, out->size - before, sum);
	text_add(out, sum, sizeof(sum));
}

/* There must be a free slot: seek() ends at one. */
static bool take_tags(struct peer_set *s, struct reader *r, uint64_t peers)
{
	for (size_t i = 0; i <= s->mask; i++) {
		s->tags[i] = reader_u32(r);
		s->n += s->tags[i] != 0;
	}
	return !r->bad && reader_left(r) == 0 && s->n == peers && s->n <= s->most;
}

enum err peer_set_import(const void *data, size_t size, struct peer_set **out, int64_t *made)
{
	if (size < HEADER_SIZE + SUM_SIZE)
		return ERR_TRUNCATED;
	size -= SUM_SIZE;
	struct reader r = reader_over(data, size);
	const uint8_t *head = reader_take(&r, sizeof(magic));
	const uint64_t when = reader_u64(&r), secret = reader_u64(&r);
	const uint64_t room = reader_u64(&r), peers = reader_u64(&r);
	if (memcmp(head, magic, sizeof(magic)) != 0 ||
	    !sum_holds(data, size, (const uint8_t *)data + size) ||
	    room != reader_left(&r) / sizeof(uint32_t) || room < ROOM_MIN ||
	    (room & (room - 1)) != 0)
		return ERR_MALFORMED;
	struct peer_set *s = peer_set_new(room / 4 * 3, secret);
	if (s == NULL)
		return ERR_NOMEM;
	if (s->mask + 1 != room || !take_tags(s, &r, peers)) {
		peer_set_free(s);
		return ERR_MALFORMED;
	}
	*out = s;
	*made = (int64_t)when;
	return ERR_OK;
}
