/* SPDX-License-Identifier: Apache-2.0 */
#include "common/swarm/directory.h"

#include <stdlib.h>
#include <string.h>

enum { CHUNKS_MIN = 4, CHUNK_JOINED = BLOCK_MAX * 3 / 4, FIRST_SHIFT = 3 };
_Static_assert(sizeof(uint64_t) == 1 << FIRST_SHIFT, "first[] is searched by its elements' size");

static size_t directory_bytes(uint32_t room)
{
	return sizeof(struct directory) + room * (sizeof(uint64_t) + sizeof(void *)) +
	       (room + 1) * sizeof(uint32_t);
}

/* One block of memory, its arrays by alignment. */
static struct directory *directory_alloc(uint32_t room, size_t *bytes)
{
	struct directory *d = malloc(directory_bytes(room));
	if (d == NULL)
		return NULL;
	*d = (struct directory){ .room = room };
	d->first = (void *)(d + 1);
	d->chunks = (void *)(d->first + room);
	d->start = (void *)(d->chunks + room);
	*bytes += directory_bytes(room);
	return d;
}

struct directory *directory_new(void *block, uint32_t n, bool wide, size_t *bytes)
{
	struct directory *d = directory_alloc(CHUNKS_MIN, bytes);
	if (d == NULL)
		return NULL;
	d->n = 1;
	d->first[0] = key_plain(record_at(block, wide, 0)->key);
	d->chunks[0] = block;
	d->start[0] = 0;
	d->start[1] = n;
	return d;
}

void directory_free(struct directory *d, bool wide, size_t *bytes)
{
	for (uint32_t i = 0; i < d->n; i++)
		block_shrink(&d->chunks[i], chunk_room(chunk_size(d, i)), 0, wide, bytes);
	*bytes -= directory_bytes(d->room);
	free(d);
}

void directory_gather(const struct directory *d, bool wide, void *out)
{
	for (uint32_t i = 0; i < d->n; i++)
		memcpy(record_at(out, wide, d->start[i]), d->chunks[i],
		       (size_t)chunk_size(d, i) << record_shift(wide));
}

/* The chunk in which a record of this key is, or would be the first of its key. */
static uint32_t chunk_of(const struct directory *d, uint64_t key)
{
	uint32_t low = 0;
	for (uint32_t n = d->n; n > 0;) {
		const uint32_t half = n / 2;
		low += d->first[low + half] < key ? n - half : 0;
		n = half;
	}
	return low > 0 ? low - 1 : 0;
}

struct spot directory_lower(const struct directory *d, bool wide, uint64_t key)
{
	const uint32_t chunk = chunk_of(d, key), size = chunk_size(d, chunk);
	const uint32_t position = block_lower(d->chunks[chunk], size, wide, key);
	if (position == size)
		return (struct spot){ .chunk = chunk + 1 };
	return (struct spot){ .chunk = chunk, .position = position };
}

void directory_lower_all(const struct directory *d, bool wide, const uint64_t *keys, unsigned n,
                         struct spot *out)
{
	struct search searches[SEARCHES_MAX];
	uint32_t low[SEARCHES_MAX];
	search_one(d->first, d->n, FIRST_SHIFT, keys, n, low);
	for (unsigned i = 0; i < n; i++) {
		const uint32_t chunk = low[i] > 0 ? low[i] - 1 : 0;
		out[i].chunk = chunk;
		searches[i] = (struct search){ .base = d->chunks[chunk],
			                       .n = chunk_size(d, chunk),
			                       .key = keys[i] };
		__builtin_prefetch(record_at(d->chunks[chunk], wide, searches[i].n / 2));
	}
	search_all(searches, n, record_shift(wide));
	for (unsigned i = 0; i < n; i++) {
		out[i].position = searches[i].low;
		if (out[i].position == chunk_size(d, out[i].chunk))
			out[i] = (struct spot){ .chunk = out[i].chunk + 1 };
	}
}

/* ---- chunks come and go ---- */

/* What stands in `chunk` and behind it moves on by one; the caller fills the gap. */
static enum err gap_open(struct directory **dir, uint32_t chunk, size_t *bytes)
{
	struct directory *d = *dir;
	if (d->n == d->room) {
		struct directory *more = directory_alloc(d->room + d->room / 2, bytes);
		if (more == NULL)
			return ERR_NOMEM;
		memcpy(more->first, d->first, d->n * sizeof(*d->first));
		memcpy(more->chunks, d->chunks, d->n * sizeof(*d->chunks));
		memcpy(more->start, d->start, (d->n + 1) * sizeof(*d->start));
		more->n = d->n;
		*bytes -= directory_bytes(d->room);
		free(d);
		*dir = d = more;
	}
	const size_t behind = d->n - chunk;
	memmove(d->first + chunk + 1, d->first + chunk, behind * sizeof(*d->first));
	memmove(d->chunks + chunk + 1, d->chunks + chunk, behind * sizeof(*d->chunks));
	memmove(d->start + chunk + 1, d->start + chunk, (behind + 1) * sizeof(*d->start));
	d->n++;
	return ERR_OK;
}

/* Its block is gone; its records are, or they count as the chunk's before it. */
static void gap_close(struct directory *d, uint32_t chunk)
{
	const size_t behind = d->n - chunk - 1;
	memmove(d->first + chunk, d->first + chunk + 1, behind * sizeof(*d->first));
	memmove(d->chunks + chunk, d->chunks + chunk + 1, behind * sizeof(*d->chunks));
	memmove(d->start + chunk, d->start + chunk + 1, (behind + 1) * sizeof(*d->start));
	d->n--;
}

/* In steps whose number is constant, because that is what compilers vectorise without being asked. */
static void start_shift(struct directory *d, uint32_t chunk, uint32_t by)
{
	enum { LANES = 8 };
	uint32_t *at = d->start + chunk + 1, n = d->n - chunk;
	for (; n >= LANES; n -= LANES, at += LANES)
		for (unsigned i = 0; i < LANES; i++)
			at[i] += by;
	for (; n > 0; n--)
		*at++ += by;
}

/* The full chunk gives its upper half to a new one behind it. */
static enum err split(struct directory **dir, bool wide, uint32_t chunk, size_t *bytes)
{
	enum { HALF = BLOCK_MAX / 2 };
	void *upper = NULL;
	if (block_grow(&upper, 0, HALF, wide, bytes) != ERR_OK)
		return ERR_NOMEM;
	if (gap_open(dir, chunk + 1, bytes) != ERR_OK) {
		block_shrink(&upper, HALF, 0, wide, bytes);
		return ERR_NOMEM;
	}
	struct directory *d = *dir;
	const struct record *middle = record_at(d->chunks[chunk], wide, HALF);
	memcpy(upper, middle, (size_t)HALF << record_shift(wide));
	d->first[chunk + 1] = key_plain(middle->key);
	d->chunks[chunk + 1] = upper;
	d->start[chunk + 1] = d->start[chunk] + HALF;
	block_shrink(&d->chunks[chunk], BLOCK_MAX, HALF, wide, bytes);
	return ERR_OK;
}

/* The chunk behind `chunk` comes into it, if they fit and there is memory. */
static bool join(struct directory *d, bool wide, uint32_t chunk, size_t *bytes)
{
	const uint32_t mine = chunk_size(d, chunk), theirs = chunk_size(d, chunk + 1);
	if (mine + theirs > CHUNK_JOINED ||
	    block_grow(&d->chunks[chunk], chunk_room(mine), chunk_room(mine + theirs), wide,
	               bytes) != ERR_OK)
		return false;
	memcpy(record_at(d->chunks[chunk], wide, mine), d->chunks[chunk + 1],
	       (size_t)theirs << record_shift(wide));
	block_shrink(&d->chunks[chunk + 1], chunk_room(theirs), 0, wide, bytes);
	gap_close(d, chunk + 1);
	return true;
}

/* After records left `chunk`: its first key, its neighbours. True when it is no chunk any more. */
static bool tidy(struct directory *d, bool wide, uint32_t chunk, size_t *bytes)
{
	const uint32_t size = chunk_size(d, chunk);
	if (size == 0) {
		gap_close(d, chunk);
		return true;
	}
	d->first[chunk] = key_plain(record_at(d->chunks[chunk], wide, 0)->key);
	return size < CHUNK_SMALL && chunk > 0 && join(d, wide, chunk - 1, bytes);
}

enum err directory_insert(struct directory **dir, bool wide, const struct record *r,
                          struct spot *out, size_t *bytes)
{
	const uint64_t key = key_plain(r->key);
	uint32_t chunk = chunk_of(*dir, key);
	if (chunk_size(*dir, chunk) == BLOCK_MAX) {
		if (split(dir, wide, chunk, bytes) != ERR_OK)
			return ERR_NOMEM;
		chunk = chunk_of(*dir, key);
	}
	struct directory *d = *dir;
	const uint32_t size = chunk_size(d, chunk);
	if (block_grow(&d->chunks[chunk], chunk_room(size), chunk_room(size + 1), wide, bytes) !=
	    ERR_OK)
		return ERR_NOMEM;
	const uint32_t position = block_lower(d->chunks[chunk], size, wide, key);
	block_open(d->chunks[chunk], size, wide, position, r);
	if (position == 0)
		d->first[chunk] = key;
	start_shift(d, chunk, 1);
	*out = (struct spot){ .chunk = chunk, .position = position };
	return ERR_OK;
}

void directory_cut(struct directory *d, bool wide, uint32_t chunk, uint32_t n, size_t *bytes)
{
	const uint32_t size = chunk_size(d, chunk);
	block_shrink(&d->chunks[chunk], chunk_room(size), chunk_room(size - n), wide, bytes);
	start_shift(d, chunk, -n);
	if (tidy(d, wide, chunk, bytes))
		return;
	if (size - n < CHUNK_SMALL && chunk + 1 < d->n)
		(void)join(d, wide, chunk, bytes);
}

void directory_remove(struct directory *d, bool wide, struct spot at, size_t *bytes)
{
	block_close(d->chunks[at.chunk], chunk_size(d, at.chunk), wide, at.position);
	directory_cut(d, wide, at.chunk, 1, bytes);
}

/* NOLINTNEXTLINE(readability-function-size): sequence_sift()'s parameters, and the width */
uint32_t directory_sift(struct directory *d, bool wide, uint32_t chunk, sequence_gone_fn *gone,
                        void *ctx, uint32_t *next, size_t *bytes)
{
	const uint32_t size = chunk_size(d, chunk);
	const uint32_t kept = block_sift(d->chunks[chunk], size, wide, gone, ctx);
	*next = chunk + 1;
	if (kept == size)
		return 0;
	block_shrink(&d->chunks[chunk], chunk_room(size), chunk_room(kept), wide, bytes);
	start_shift(d, chunk, kept - size);
	if (tidy(d, wide, chunk, bytes))
		*next = chunk;
	return size - kept;
}
