/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * How a torrent is made: create_files.c lists and reads the files, create.c hashes and writes. Private to
 * the two.
 */

#include "tools/p4pctl/create.h"
#include "tools/p4pctl/merkle.h"

#include <nettle/sha1.h>

struct made_file {
	char *path; /* below the folder; of a single file its name */
	uint64_t size;
	uint8_t root
		[MERKLE_HASH]; /* hybrid only, as the next: of its pieces when there is more than one */
	struct text layer;
};

struct making {
	const struct create *c;
	char *root; /* the real path of what is shared */
	bool folder;
	struct made_file *files; /* sorted, folder by folder */
	size_t n, room;
	uint64_t size, piece; /* bytes of all, bytes of a piece */
	struct sha1_ctx sha1; /* of the piece that is being filled */
	uint64_t filled;
	struct text pieces;
	uint8_t (*blocks)[MERKLE_HASH]; /* of the piece that is being filled, in this file */
	size_t n_blocks;
	struct fault *fault;
};

/* The fault of a path. Returns `e`. */
enum err making_fault(struct making *m, enum err e, const char *path, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Fills in root, folder, files and size. */
enum err making_list(struct making *m) must_check;

typedef void making_block(struct making *m, struct made_file *f, const uint8_t *bytes, size_t size);

/* Hands over a file block by block: MERKLE_BLOCK bytes each but the last. */
enum err making_read(struct making *m, struct made_file *f, making_block *take) must_check;
