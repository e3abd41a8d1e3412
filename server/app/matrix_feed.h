/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A closed bin's matrix into the database, with the info-hashes of its largest swarms.
 *
 * Accounting knows swarms by keyed hashes, which only the tracker can make; so those of all swarms that
 * are there are made again, once for each bin: a million take about a tenth of a second of the feeder's.
 */

#include "server/accounting/accounting.h"
#include "server/store/matrix.h"
#include "server/tracker/tracker.h"

struct swarm_name {
	uint64_t swarm; /* the keyed hash */
	char name[41];  /* hexadecimal, or what it is called while its info-hash is not known */
};

struct swarm_names {
	/* Puts in the info-hashes that are known of `n` different swarms, by hash. */
	void (*find)(void *ctx, struct swarm_name *names, size_t n);
	void *ctx;
};

/* Errors of store_matrix_put(). */
enum err matrix_feed(struct store *s, const char *node, const struct swarm_names *names,
                     const struct accounting_bin *bin) must_check;

/* What `find` does in a daemon. */
void swarm_names_find(struct swarm_store *swarms, const struct tracker *tracker,
                      struct swarm_name *names, size_t n);
