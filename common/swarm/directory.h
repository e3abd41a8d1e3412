/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The two storeys of a tall sequence, and the blocks that both kinds are made of. Private to
 * sequence.c and directory.c; what they mean is in sequence.h. */

#include "common/swarm/sequence.h"

/* From room for `from` records to room for `to`; 0: no block. */
enum err block_grow(void **block, uint32_t from, uint32_t to, bool wide, size_t *bytes) must_check;
void block_shrink(void **block, uint32_t from, uint32_t to, bool wide, size_t *bytes);
uint32_t block_lower(void *block, uint32_t n, bool wide, uint64_t key);

/*
 * Lower bounds in arrays whose elements begin with a key and are 1 << shift bytes. All take a step in
 * turn, so that each waits for its memory while the others work.
 */
struct search {
	const char *base;
	uint32_t low, n; /* at first 0 and the number of elements; then `low` is the result */
	uint64_t key;
};
void search_all(struct search *s, unsigned n, unsigned shift);
/* The same in one array of `n` elements, with fewer things to keep apart: low[i] is that of keys[i]. */
void search_one(const void *base, uint32_t n, unsigned shift, const uint64_t *keys, unsigned n_keys,
                uint32_t *low);

/* The block has the room. */
void block_open(void *block, uint32_t n, bool wide, uint32_t position, const struct record *r);
void block_close(void *block, uint32_t n, bool wide, uint32_t position);
/* Returns how many stay. */
uint32_t block_sift(void *block, uint32_t n, bool wide, sequence_gone_fn *gone, void *ctx);

/* Takes over a full block as its only chunk. NULL: no memory. */
struct directory *directory_new(void *block, uint32_t n, bool wide, size_t *bytes);
void directory_free(struct directory *d, bool wide, size_t *bytes); /* chunks too */
void directory_gather(const struct directory *d, bool wide, void *out);

struct spot directory_lower(const struct directory *d, bool wide, uint64_t key);
void directory_lower_all(const struct directory *d, bool wide, const uint64_t *keys, unsigned n,
                         struct spot *out);
enum err directory_insert(struct directory **d, bool wide, const struct record *r, struct spot *out,
                          size_t *bytes) must_check;
void directory_remove(struct directory *d, bool wide, struct spot at, size_t *bytes);
void directory_cut(struct directory *d, bool wide, uint32_t chunk, uint32_t n, size_t *bytes);
uint32_t directory_sift(struct directory *d, bool wide, uint32_t chunk, sequence_gone_fn *gone,
                        void *ctx, uint32_t *next, size_t *bytes);
