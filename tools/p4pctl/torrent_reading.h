/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * How torrent.c and torrent_files.c read one file together. Once anything is wrong the walk is bad, so all
 * loops over it end and nobody asks again. Private to the two.
 */

#include "common/codec/bdecode.h"
#include "tools/p4pctl/torrent.h"

struct v2_file {
	const uint8_t *root; /* 32 bytes */
	uint64_t size;
	bool seen; /* in "piece layers" */
};

struct reading {
	struct bdecode d;
	const uint8_t *start;
	struct torrent *t;
	struct fault *fault;
	size_t *byte;
	enum err wrong; /* ERR_OK: nothing that the walk itself would not say */

	/* of info, judged when it ends */
	const uint8_t *info, *pieces, *piece_length; /* where they are; NULL: absent */
	size_t n_hashes;                             /* in pieces */
	bool length, files, tree;
	int64_t version;
	uint64_t v1_size, v1_plain, n_v1_files; /* all, and what does not only pad */
	uint64_t v2_size, n_v2_files;
	struct v2_file *large; /* those of the tree with more than one block */
	size_t n_large, room;
	uint64_t n_small; /* those with one */
};

/* The fault at the latest item of that depth. Only the first counts. */
void reading_wrong(struct reading *r, enum err e, unsigned depth, const uint8_t *at,
                   const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* The same at a place that is not the walk's any more. */
void reading_wrong_at(struct reading *r, const char *where, const uint8_t *at, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

bool reading_is(const struct bdecode_item *i, const char *key);

/* Whether it is of that kind; if not that is a fault. */
bool reading_want(struct reading *r, const struct bdecode_item *i, enum bdecode_kind kind);

/* The items of a container that was just begun, in torrent_files.c. */
void read_v1_files(struct reading *r, const struct bdecode_item *list);
void read_file_tree(struct reading *r, const struct bdecode_item *dict);
void read_piece_layers(struct reading *r, const struct bdecode_item *dict);

/* A name that is one component of a path: no "..", no slash. */
void reading_component(struct reading *r, const struct bdecode_item *i, const uint8_t *name,
                       size_t size);

/* A length in bytes, added to *sum. */
void reading_length(struct reading *r, const struct bdecode_item *i, uint64_t *out, uint64_t *sum);
