/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The journal of the open bin: what a restart needs to go on where kill -9 struck.
 *
 *   header   magic, bin start, bin seconds, checksum
 *   frames   length, checksum, items
 *   items    name (number, key) | row | cell | observed seconds | time
 *
 * A journal begins as a checkpoint, the whole bin as it stands, which replaces the file before it;
 * from then on frames are appended. A frame is taken whole or not at all; reading stops at the first
 * that is damaged. When an append fails (disk full), what it left is cut off, and the journal is
 * `broken` until the next checkpoint, which needs nothing of it: the bin in memory is whole.
 *
 * Appends are not synced one by one: kill -9 loses nothing that was written, a power cut may lose
 * what the kernel had not yet written back. Integers are big-endian.
 *
 * Threading: one thread.
 */

#include "common/base/cursor.h"
#include "common/base/text.h"
#include "server/accounting/slot.h"

struct journal_header {
	int64_t start;
	uint32_t seconds;
};

enum journal_kind { JOURNAL_NAME, JOURNAL_ROW, JOURNAL_CELL, JOURNAL_OBSERVED, JOURNAL_TIME };

struct journal_item {
	enum journal_kind kind;
	uint32_t number; /* of a name; or seconds observed */
	char key[PLACE_KEY_MAX];
	struct tally_row row;
	struct tally_cell cell;
	struct tally_time time;
};

/* ---- writing ---- */

struct journal {
	const char *dir;
	int fd;              /* -1: none */
	uint64_t size;       /* of the file, all of it whole */
	uint64_t first;      /* size of the checkpoint */
	bool broken;         /* nothing can be appended; a checkpoint is due */
	struct text pending; /* frames not yet in the file; the last one still open at `frame` */
	size_t frame;
};

void journal_init(struct journal *j, const char *state_dir); /* borrows the name */
void journal_done(struct journal *j);                        /* leaves the file where it is */

void journal_put(struct journal *j, const struct journal_item *item);

/* Appends what was put. ERR_SYSTEM, ERR_NOMEM with a fault; then the journal is broken. */
enum err journal_append(struct journal *j, struct fault *fault) must_check;

/* A checkpoint: begin, put, commit. What was put before is dropped. Errors as above. */
void journal_begin(struct journal *j, const struct journal_header *h);
enum err journal_commit(struct journal *j, struct fault *fault) must_check;

/* ---- reading ---- */

struct journal_scan {
	struct reader file, frame;
	uint8_t version; /* older journals lack members of rows and cells */
};

/* ERR_MALFORMED, ERR_TRUNCATED: no journal of ours. */
enum err journal_open(struct journal_scan *scan, const void *data, size_t size,
                      struct journal_header *out) must_check;

/* ERR_NOT_FOUND: the end. ERR_MALFORMED, ERR_TRUNCATED: the rest is damaged. */
enum err journal_next(struct journal_scan *scan, struct journal_item *out) must_check;
