/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Exact ranks over many months without reading them: the values of a month sorted and cut into blocks
 * of RANKS_BLOCK, and an index of where each block begins, in value and in bytes. The index of every
 * month tells within a few blocks where a rank lies; only those blocks are read.
 *
 * index: the number of values; for each block its first value (less that of the block before) and its
 * bytes. values: for each block the steps from its first value on. Numbers as in varint.h.
 *
 * Ownership: ranks_done(). Pure but for malloc. Bytes that are no index or block are ERR_MALFORMED.
 */

#include "common/balance/varint.h"

#include <stddef.h>
#include <stdint.h>

enum { RANKS_BLOCK = 128 };

/* Both are appended to. `sorted` ascends. */
void ranks_write(const uint64_t *sorted, size_t n, struct text *index, struct text *values);

struct ranks {
	size_t n, blocks;
	uint64_t *first; /* of each block */
	size_t *at;      /* where its bytes begin; one more for the end */
};
enum err ranks_read(struct ranks *out, const void *index, size_t size) must_check;
void ranks_done(struct ranks *r);

/* Loose values, in any order, that count too. ranks_find() puts them into another order. */
struct ranks_loose {
	uint64_t *values;
	size_t n;
};

/* What must be looked at to find a rank. */
struct ranks_bracket {
	uint64_t low, high; /* the value is in here */
	uint64_t
		below; /* so many values, all less than `low`, are neither in the blocks nor wanted */
};
/* Blocks [from, to) of one month. */
struct ranks_cut {
	size_t from, to;
};
/* Where the k-th smallest of all is, k from 1 to their number. A cut for each of `lists`. */
struct ranks_bracket ranks_find(const struct ranks *lists, size_t n, struct ranks_loose loose,
                                uint64_t k, struct ranks_cut *cuts);

/* How many values the cut holds, and where its bytes are. */
size_t ranks_cut_count(const struct ranks *r, struct ranks_cut cut);
size_t ranks_cut_at(const struct ranks *r, struct ranks_cut cut);
size_t ranks_cut_size(const struct ranks *r, struct ranks_cut cut);
/* Unpacks the bytes of the cut: ranks_cut_count() values. */
enum err ranks_unpack(const struct ranks *r, struct ranks_cut cut, const void *bytes, size_t size,
                      uint64_t *out) must_check;
