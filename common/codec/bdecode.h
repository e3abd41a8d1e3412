/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A walk over untrusted bencode (BEP 3): one item after the other, with the key it stands under.
 *
 * No tree, no recursion, no allocation. At any time the walk knows the place it is at, so that a fault
 * can be named by its path and its byte.
 *
 * Ownership: items point into the caller's bytes. Threading: a walk belongs to one thread.
 */

#include "common/base/cursor.h"
#include "common/base/text.h"

enum { BDECODE_DEPTH_MAX = 100 };

enum bdecode_kind { BDECODE_NUMBER, BDECODE_STRING, BDECODE_LIST, BDECODE_DICT };

struct bdecode_level {
	const uint8_t *key; /* in a dictionary: the latest, NULL before the first */
	size_t key_size;
	size_t count; /* items begun */
	bool dict;
};

struct bdecode {
	struct reader in;
	bool strict;       /* keys ascend and numbers have one form: what writers of torrents owe */
	unsigned depth;    /* containers that are open */
	const uint8_t *at; /* where the token begins that was read last */
	bool done;         /* the outermost item is complete */
	const char *bad;   /* what would be right there; NULL: nothing is wrong so far */
	struct bdecode_level levels[BDECODE_DEPTH_MAX + 1]; /* of what is open; [0] is unused */
};

struct bdecode_item {
	enum bdecode_kind kind;
	unsigned depth;      /* 0: the outermost item, 1: what stands in it ... */
	const uint8_t *from; /* its first byte; a key comes before it */
	const uint8_t *key;
	size_t key_size; /* 0 outside a dictionary */
	const uint8_t *bytes;
	size_t size; /* of a string */
	int64_t number;
};

/* Order of keys is not checked: trackers differ. */
struct bdecode bdecode_over(const void *bytes, size_t size);

/* The next item; a container comes before what is in it. False at the end, or when turned bad. */
bool bdecode_next(struct bdecode *d, struct bdecode_item *out);

/*
 * The next item of depth `depth` or deeper. False when the container that holds such has ended (`in.at` is
 * then just behind it) or the walk turned bad.
 */
bool bdecode_within(struct bdecode *d, unsigned depth, struct bdecode_item *out);

/* The same, and what is deeper is passed over: item by item through a container that was just begun. */
bool bdecode_child(struct bdecode *d, unsigned depth, struct bdecode_item *out);

/* Where the latest item of that depth is, as a JSON pointer: "/info/files/3/length". */
void bdecode_path(const struct bdecode *d, unsigned depth, struct text *out);
