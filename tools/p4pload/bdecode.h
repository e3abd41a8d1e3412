/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A walk over untrusted bencode (BEP 3): one item after the other, with the key it stands under.
 *
 * No tree, no recursion, no allocation. Order of keys is not checked: trackers differ.
 *
 * Ownership: items point into the caller's bytes. Threading: a walk belongs to one thread.
 */

#include "common/base/cursor.h"

enum { BDECODE_DEPTH_MAX = 16 };

enum bdecode_kind { BDECODE_NUMBER, BDECODE_STRING, BDECODE_LIST, BDECODE_DICT };

struct bdecode {
	struct reader in;
	unsigned depth;                      /* containers that are open */
	uint8_t dict[BDECODE_DEPTH_MAX + 1]; /* whether the one at each depth is a dictionary */
	bool done;                           /* the outermost item is complete */
	bool bad; /* not bencode, cut short, too deep, or more behind it */
};

struct bdecode_item {
	enum bdecode_kind kind;
	unsigned depth; /* 0: the outermost item, 1: what stands in it ... */
	const uint8_t *key;
	size_t key_size; /* 0 outside a dictionary */
	const uint8_t *bytes;
	size_t size; /* of a string */
	int64_t number;
};

struct bdecode bdecode_over(const void *bytes, size_t size);

/* The next item; a container comes before what is in it. False at the end, or when turned bad. */
bool bdecode_next(struct bdecode *d, struct bdecode_item *out);
