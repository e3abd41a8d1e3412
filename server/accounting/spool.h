/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Closed bins on disk until the database has them: one file each.
 *
 * magic, source (0 announces, 1 flows), start, seconds, observed seconds, number of rows; rows of provider,
 * interconnect, out, in, and of flows flags (1 packets measured, 2 p2p measured), observed seconds, quality,
 * packets out and in, p2p bytes out and in;
 * the steered arm's policy, number of trial rows; those of provider, flags (1 control, 2 private),
 * group, bytes by tier, copies, imported, swarms, unsized, number of buckets, those of number and count;
 * sections, each a byte for its kind, its size, and what it has: 1 the matrix (spool_matrix.h);
 * checksum. Named by start, so that the order of names is the order of time, and
 * writing a bin again replaces it; so each source needs a spool of its own. Written beside, synced, renamed.
 * Files without sections, a source, trial rows, or with such that end after the bytes, as they were before,
 * are read too.
 *
 * Threading: one thread writes and one takes; what the second removes is never what the first has put
 * in its place meanwhile. `count`: any.
 */

#include "server/accounting/accounting.h"

#include <pthread.h>
#include <stdatomic.h>

struct spool {
	char *dir;
	pthread_mutex_t lock; /* from looking at a file to changing it */
	_Atomic size_t count; /* whole files */
};

/* Makes the folder "spool" in `dir`, which is there, and counts what lies in it. */
enum err spool_init(struct spool *s, const char *dir, struct fault *fault) must_check;
void spool_done(struct spool *s);

enum err spool_write(struct spool *s, const struct accounting_bin *bin,
                     struct fault *fault) must_check;

/*
 * The oldest bin. ERR_NOT_FOUND: none. A damaged file is set aside (".damaged") with a fault, and
 * ERR_MALFORMED returned; call again for the next.
 */
enum err spool_first(struct spool *s, struct accounting_bin *out, struct fault *fault) must_check;
/*
 * It is in the database: forget the file. Not the one that has replaced it since: a bin that was
 * flushed at the end of one process is closed whole by the next.
 */
void spool_remove(struct spool *s, const struct accounting_bin *bin);
/*
 * The database will never take it: sets the file aside (".refused"; *fault tells where), so that the
 * bins behind it get their turn. The rest as in spool_remove().
 */
enum err spool_refuse(struct spool *s, const struct accounting_bin *bin,
                      struct fault *fault) must_check;

/* ERR_MALFORMED, ERR_TRUNCATED, ERR_NOMEM. accounting_bin_done() the result. */
enum err spool_parse(const void *data, size_t size, struct accounting_bin *out) must_check;
