/* SPDX-License-Identifier: Apache-2.0 */
#include "common/swarm/sequence.h"

#include "common/swarm/directory.h"

#include <stdlib.h>
#include <string.h>

static size_t block_bytes(uint32_t room, bool wide)
{
	return (size_t)room << record_shift(wide);
}

enum err block_grow(void **block, uint32_t from, uint32_t to, bool wide, size_t *bytes)
{
	const size_t was = block_bytes(from, wide), is = block_bytes(to, wide);
	if (was == is)
		return ERR_OK;
	must(is > was);
	void *moved = realloc(*block, is);
	if (moved == NULL)
		return ERR_NOMEM;
	*block = moved;
	*bytes += is - was;
	return ERR_OK;
}

void block_shrink(void **block, uint32_t from, uint32_t to, bool wide, size_t *bytes)
{
	const size_t was = block_bytes(from, wide), is = block_bytes(to, wide);
	if (was == is)
		return;
	*bytes -= was - is;
	if (to == 0) {
		free(*block);
		*block = NULL;
		return;
	}
	void *moved = realloc(*block, is);
	if (moved != NULL) /* else the old one is as good */
		*block = moved;
}

uint32_t block_lower(void *block, uint32_t n, bool wide, uint64_t key)
{
	uint32_t low = 0;
	while (n > 0) {
		const uint32_t half = n / 2;
		const bool up = record_at(block, wide, low + half)->key < key;
		low += up ? n - half : 0;
		n = half;
	}
	return low;
}

void search_one(const void *base, uint32_t n, unsigned shift, const uint64_t *keys, unsigned n_keys,
                uint32_t *low)
{
	const char *at = base;
	memset(low, 0, n_keys * sizeof(*low));
	while (n > 0) {
		const uint32_t half = n / 2, rest = n - half;
		for (unsigned i = 0; i < n_keys; i++) {
			uint64_t key;
			memcpy(&key, at + ((size_t)(low[i] + half) << shift), sizeof(key));
			/* A product, lest compilers make a branch of it, mispredicted every other time. */
			low[i] += rest * (key < keys[i]);
		}
		n = half;
	}
}

void search_all(struct search *s, unsigned n, unsigned shift)
{
	uint32_t longest = 0;
	for (unsigned i = 0; i < n; i++)
		longest = s[i].n > longest ? s[i].n : longest;
	for (; longest > 0; longest /= 2)
		for (unsigned i = 0; i < n; i++) {
			if (s[i].n == 0)
				continue;
			const uint32_t half = s[i].n / 2;
			uint64_t key;
			memcpy(&key, s[i].base + ((size_t)(s[i].low + half) << shift), sizeof(key));
			s[i].low += (s[i].n - half) * (key < s[i].key); /* as above */
			s[i].n = half;
		}
}

void block_open(void *block, uint32_t n, bool wide, uint32_t position, const struct record *r)
{
	struct record *gap = record_at(block, wide, position);
	memmove(record_at(block, wide, position + 1), gap, block_bytes(n - position, wide));
	memcpy(gap, r, block_bytes(1, wide));
}

void block_close(void *block, uint32_t n, bool wide, uint32_t position)
{
	memmove(record_at(block, wide, position), record_at(block, wide, position + 1),
	        block_bytes(n - position - 1, wide));
}

uint32_t block_sift(void *block, uint32_t n, bool wide, sequence_gone_fn *gone, void *ctx)
{
	uint32_t kept = 0;
	for (uint32_t i = 0; i < n; i++) {
		const struct record *r = record_at(block, wide, i);
		if (gone(ctx, r))
			continue;
		if (kept != i)
			memcpy(record_at(block, wide, kept), r, block_bytes(1, wide));
		kept++;
	}
	return kept;
}

/* ---- a sequence ---- */

struct spot sequence_lower(const struct sequence *s, uint64_t key)
{
	if (!s->tall)
		return (struct spot){ .position = block_lower(s->at, s->n, s->wide, key) };
	return directory_lower(s->at, s->wide, key);
}

void sequence_lower_all(const struct sequence *s, const uint64_t *keys, unsigned n,
                        struct spot *out)
{
	uint32_t low[SEARCHES_MAX];
	must(n <= SEARCHES_MAX);
	if (s->tall) {
		directory_lower_all(s->at, s->wide, keys, n, out);
		return;
	}
	search_one(s->at, s->n, record_shift(s->wide), keys, n, low);
	for (unsigned i = 0; i < n; i++)
		out[i] = (struct spot){ .position = low[i] };
}

enum err sequence_insert(struct sequence *s, const struct record *r, struct spot *out,
                         size_t *bytes)
{
	if (s->n == BLOCK_MAX && !s->tall) {
		struct directory *d = directory_new(s->at, s->n, s->wide, bytes);
		if (d == NULL)
			return ERR_NOMEM;
		s->at = d;
		s->tall = true;
	}
	enum err e;
	if (s->tall) {
		e = directory_insert((struct directory **)&s->at, s->wide, r, out, bytes);
	} else {
		const uint32_t n = s->n;
		e = block_grow(&s->at, block_room(n), block_room(n + 1), s->wide, bytes);
		if (e == ERR_OK) {
			*out = (struct spot){ .position = block_lower(s->at, n, s->wide,
				                                      key_plain(r->key)) };
			block_open(s->at, n, s->wide, out->position, r);
		}
	}
	if (e == ERR_OK)
		s->n = (s->n + 1) & SEQUENCE_MAX;
	return e;
}

/* Back to one block, when few are left. Without memory it stays tall. */
static void flatten(struct sequence *s, size_t *bytes)
{
	void *block = NULL;
	if (!s->tall || s->n > BLOCK_FLAT)
		return;
	if (s->n > 0 && block_grow(&block, 0, block_room(s->n), s->wide, bytes) != ERR_OK)
		return;
	directory_gather(s->at, s->wide, block);
	directory_free(s->at, s->wide, bytes);
	s->at = block;
	s->tall = false;
}

void sequence_remove(struct sequence *s, struct spot at, size_t *bytes)
{
	if (s->tall) {
		directory_remove(s->at, s->wide, at, bytes);
	} else {
		block_close(s->at, s->n, s->wide, at.position);
		block_shrink(&s->at, block_room(s->n), block_room(s->n - 1), s->wide, bytes);
	}
	s->n = (s->n - 1) & SEQUENCE_MAX;
	flatten(s, bytes);
}

void sequence_cut(struct sequence *s, uint32_t chunk, uint32_t n, size_t *bytes)
{
	if (s->tall)
		directory_cut(s->at, s->wide, chunk, n, bytes);
	else
		block_shrink(&s->at, block_room(s->n), block_room(s->n - n), s->wide, bytes);
	s->n = (s->n - n) & SEQUENCE_MAX;
	flatten(s, bytes);
}

uint32_t sequence_sift(struct sequence *s, uint32_t chunk, sequence_gone_fn *gone, void *ctx,
                       uint32_t *next, size_t *bytes)
{
	uint32_t lost;
	if (s->tall) {
		lost = directory_sift(s->at, s->wide, chunk, gone, ctx, next, bytes);
	} else {
		const uint32_t kept = block_sift(s->at, s->n, s->wide, gone, ctx);
		block_shrink(&s->at, block_room(s->n), block_room(kept), s->wide, bytes);
		lost = s->n - kept;
		*next = 1;
	}
	s->n = (s->n - lost) & SEQUENCE_MAX;
	return lost;
}

void sequence_trim(struct sequence *s, size_t *bytes)
{
	flatten(s, bytes);
}

void sequence_done(struct sequence *s, size_t *bytes)
{
	if (s->tall)
		directory_free(s->at, s->wide, bytes);
	else
		block_shrink(&s->at, block_room(s->n), 0, s->wide, bytes);
	*s = (struct sequence){ .wide = s->wide };
}
