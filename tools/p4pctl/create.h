/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Makes a .torrent file: v1 (BEP 3), or hybrid with v2 (BEP 52), of a file or a folder.
 *
 * The same content and options make the same bytes: files are sorted by the bytes of their names, and
 * nothing is written that was not asked for. Symbolic links and what is neither file nor folder are refused:
 * they might lead out of the folder.
 *
 * Threading: one thread at a time, because fts(3) changes the working folder of nobody but reads the
 * caller's. Errors: a fault's `where` is the path.
 */

#include "common/base/text.h"

struct create {
	const char *path;
	const char *const *trackers; /* a tier each, asked in this order */
	size_t n_trackers;
	const char *const *web_seeds;
	size_t n_web_seeds;
	const char *comment;   /* NULL: none */
	uint64_t piece_length; /* 0: chosen by size */
	int64_t date;          /* unix seconds; negative: none */
	bool public, hybrid;
};

enum { PIECE_LENGTH_MIN = 16 << 10, PIECE_LENGTH_MAX = 64 << 20 };

/* The least power of two that makes at most 2000 pieces, from 16 KiB to 16 MiB. */
uint64_t create_piece_length(uint64_t size);

/* Appends the torrent to `out`, and its name to `name`. The caller text_done()s both either way. */
enum err create_torrent(const struct create *c, struct text *name, struct text *out,
                        struct fault *fault) must_check;
