/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Records in the order of their keys, with ranks. Private to common/swarm.
 *
 * Up to BLOCK_MAX records are one block of memory. More are *tall*: chunks of up to BLOCK_MAX under a
 * directory, which has for each chunk its first key, and how many records stand before it:
 *
 *   first[]  key of chunk i's first record, its flags cleared; ascending
 *   start[]  rank of chunk i's first record; start[n] is the number of all
 *
 * So a search is one in first[] and one in a chunk; a rank leads to its chunk by a guess (they are
 * about equally full) and a short walk along start[]. A newcomer adds one to each start[] behind it: a
 * pass over n / 90 numbers that the compiler vectorises, which is cheaper up to millions of records
 * than a tree of more levels. A full chunk is split in half; one that has become small is joined to a
 * neighbour; a tall sequence becomes a block again at half a block.
 *
 * A block's room follows from its number of records (block_room()), so it is not stored.
 *
 * Several records may have the same key; then they stand next to each other.
 *
 * `bytes` in what follows is the caller's count of memory. Ownership: sequence_done() frees what hangs
 * off the struct. Threading: the shard's lock.
 */

#include "common/swarm/record.h"

enum {
	SEQUENCE_MAX = (1 << 30) - 1,
	BLOCK_MAX = 128,
	BLOCK_FLAT = BLOCK_MAX / 2,
	CHUNK_SMALL = BLOCK_MAX / 4,
	CHUNK_STEP = 4,
	SEARCHES_MAX = 16
};

struct sequence {
	void *at; /* records, or a struct directory; NULL: empty */
	uint32_t n : 30, wide : 1, tall : 1;
	uint32_t seeds; /* for swarm.c, which counts them by their true role */
};

struct directory {
	uint32_t n, room; /* chunks */
	uint64_t *first;  /* room */
	void **chunks;    /* room */
	uint32_t *start;  /* room + 1 */
};

struct spot {
	uint32_t chunk, position; /* the end of a sequence is position n of a block, or chunk n */
};

/* A block of `n` records has room for this many: the next quarter of a power of two. */
static inline uint32_t block_room(uint32_t n)
{
	if (n <= 8)
		return n;
	const uint32_t step = 1U << (31 - 2 - __builtin_clz(n - 1));
	return (n + step - 1) & ~(step - 1);
}

/* A chunk moves in steps that waste less: it is one of many. */
static inline uint32_t chunk_room(uint32_t n)
{
	return (n + CHUNK_STEP - 1) / CHUNK_STEP * CHUNK_STEP;
}

static inline struct record *record_at(void *block, bool wide, uint32_t i)
{
	return (void *)((char *)block + ((size_t)i << record_shift(wide)));
}

static inline uint32_t chunk_size(const struct directory *d, uint32_t chunk)
{
	return d->start[chunk + 1] - d->start[chunk];
}

static inline struct record *sequence_record(const struct sequence *s, struct spot at)
{
	void *block = s->tall ? ((const struct directory *)s->at)->chunks[at.chunk] : s->at;
	return record_at(block, s->wide, at.position);
}

/* Where the first record stands whose key is not below `key`, whose flags are zero. */
struct spot sequence_lower(const struct sequence *s, uint64_t key);
/* The same for up to SEARCHES_MAX keys at once, which takes little longer than for one. */
void sequence_lower_all(const struct sequence *s, const uint64_t *keys, unsigned n,
                        struct spot *out);

static inline uint32_t sequence_rank(const struct sequence *s, struct spot at)
{
	return s->tall ? ((const struct directory *)s->at)->start[at.chunk] + at.position
	               : at.position;
}

static inline bool sequence_is_end(const struct sequence *s, struct spot at)
{
	return s->tall ? at.chunk == ((const struct directory *)s->at)->n : at.position == s->n;
}

static inline struct spot sequence_next(const struct sequence *s, struct spot at)
{
	const struct directory *d = s->at;
	at.position++;
	if (s->tall && at.position == chunk_size(d, at.chunk))
		at = (struct spot){ .chunk = at.chunk + 1 };
	return at;
}

static inline uint32_t sequence_chunks(const struct sequence *s)
{
	return s->tall ? ((const struct directory *)s->at)->n : 1;
}

static inline uint32_t sequence_chunk_size(const struct sequence *s, uint32_t chunk)
{
	return s->tall ? chunk_size(s->at, chunk) : s->n;
}

/* The first key of a chunk, its flags cleared. */
static inline uint64_t sequence_first(const struct sequence *s, uint32_t chunk)
{
	return key_plain(sequence_record(s, (struct spot){ .chunk = chunk })->key);
}

/* Copies the record (16 or 32 bytes) to its place, before others of its key. ERR_NOMEM: nothing
 * changed. */
enum err sequence_insert(struct sequence *s, const struct record *r, struct spot *out,
                         size_t *bytes) must_check;
void sequence_remove(struct sequence *s, struct spot at, size_t *bytes);
/* The last `n` records of a chunk (of a block: of all). */
void sequence_cut(struct sequence *s, uint32_t chunk, uint32_t n, size_t *bytes);

/*
 * Takes out those records of one chunk (of a block: all) for which `gone` says so, and returns how
 * many they were. *next is the chunk to go on with; it may be behind the last.
 */
typedef bool sequence_gone_fn(void *ctx, const struct record *r);
uint32_t sequence_sift(struct sequence *s, uint32_t chunk, sequence_gone_fn *gone, void *ctx,
                       uint32_t *next, size_t *bytes);
/* After sifting all chunks: back to one block when few are left. Spots change. */
void sequence_trim(struct sequence *s, size_t *bytes);

void sequence_done(struct sequence *s, size_t *bytes);
