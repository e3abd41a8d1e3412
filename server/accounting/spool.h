/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Closed bins on disk until the database has them: one file each.
 *
 * magic, start, seconds, observed seconds, number of rows; rows of provider, interconnect, out, in;
 * the steered arm's policy, number of trial rows; those of provider, flags (1 control, 2 private),
 * group, bytes by tier, copies, imported, swarms, unsized, number of buckets, those of number and count;
 * checksum. Named by start, so that the order of names is the order of time, and
 * writing a bin again replaces it. Written beside, synced, renamed. Files without
 * trial rows, or with such that end after the bytes, as they were before, are read too.
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

/* Makes the folder and counts what lies there. */
enum err spool_init(struct spool *s, const char *state_dir, struct fault *fault) must_check;
void spool_done(struct spool *s);

enum err spool_write(struct spool *s, const struct accounting_bin *bin,
                     struct fault *fault) must_check;
enum err spool_first(struct spool *s, struct accounting_bin *out, struct fault *fault) must_check;
void spool_remove(struct spool *s, const struct accounting_bin *bin);
enum err spool_refuse(struct spool *s, const struct accounting_bin *bin,
                      struct fault *fault) must_check;

/* ERR_MALFORMED, ERR_TRUNCATED, ERR_NOMEM. accounting_bin_done() the result. */
enum err spool_parse(const void *data, size_t size, struct accounting_bin *out) must_check;
