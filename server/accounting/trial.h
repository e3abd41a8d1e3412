/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The experiment's figures: what a provider's clients downloaded in a bin, by the tier that it came over
 * in their provider's book, how many copies of the contents that is, and the times that downloads took
 * which were completed; all apart by arm (common/steer/arms.h), private flag and group of swarms.
 *
 * Which arm a swarm is in follows from its hash when the bin is closed, so announces cost nothing more
 * for it, and nothing must be kept. A share that was changed in mid-bin puts that bin's bytes where the
 * new one says. Groups are by hash too: ACCOUNTING_GROUPS heaps of swarms, the units of a bootstrap, since
 * a row for each swarm and bin would be too many.
 *
 * Threading: trial_set() and trial_private() any; a count belongs to one thread.
 */

#include "server/accounting/accounting.h"

#include <pthread.h>

struct trial {
	pthread_mutex_t lock;
	unsigned control_percent;
	char policy[ACCOUNTING_POLICY_MAX]; /* "": none yet; nothing is counted */
	uint64_t *privates;                 /* swarms, sorted */
	size_t n_privates;
};

void trial_init(struct trial *t);
void trial_done(struct trial *t);
void trial_set(struct trial *t, unsigned control_percent, const char *policy);
enum err trial_private(struct trial *t, const uint64_t *swarms, size_t n) must_check;

struct trial_cell {
	uint64_t bytes[TIER_COUNT_];
	double copies, imported;
	uint32_t swarms, unsized;
	uint32_t completed;
};

/* One bin's. */
struct trial_count {
	struct trial now; /* a copy; its lock is not used */
	const struct map_snapshot *map;
	struct trial_cell *cells;             /* by provider, arm, flag and group */
	uint32_t (*times)[HISTOGRAM_BUCKETS]; /* the same */
	uint64_t *last;                       /* swarm that each provider's bytes were of */
};

/* ERR_NOMEM. Of a `map` that is NULL nothing is counted. trial_count_done() it either way. */
enum err trial_count_init(struct trial_count *c, struct trial *t,
                          const struct map_snapshot *map) must_check;
void trial_count_done(struct trial_count *c);

/*
 * Bytes of a swarm went between two places of the map; `in`: the receiver's interconnect; `size` of the
 * content: 0 when not known. Swarm by swarm.
 */
struct trial_bytes {
	uint64_t swarm, bytes;
	double size;
	uint32_t from, to, in;
};
void trial_add(struct trial_count *c, const struct trial_bytes *b);

/* Is the swarm known to be private? */
bool trial_is_private(const struct trial_count *c, uint64_t swarm);

/* A client in a place of the map completed a download of a swarm. */
void trial_time(struct trial_count *c, uint64_t swarm, uint32_t place, uint32_t bucket);

/* Into the bin's rows, those with something only. ERR_NOMEM. */
enum err trial_rows(const struct trial_count *c, struct accounting_bin *out) must_check;
