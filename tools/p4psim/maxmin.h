/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Max-min fair rates: nobody can get more without somebody who has no more than that getting less.
 *
 * Progressive filling (Bertsekas and Gallager, Data Networks, 6.5.2), by resource instead of by time:
 * of all resources the one whose equal share is the smallest is full first, so its flows get that
 * share and leave their other resources what remains. The shares of those only grow by it, so a heap
 * that corrects its keys when they come to the top is enough: O((resources + steps) log resources),
 * where the steps are those of all flows over all resources.
 *
 * Ownership: maxmin_done(). Threading: one thread at a time.
 */

#include "common/base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct maxmin_flow {
	uint32_t up, down;    /* resources at its ends */
	const uint32_t *path; /* and between them; no resource comes twice */
	uint32_t n_path;
};

struct maxmin {
	size_t n_resources;
	double *left;    /* of each resource: what is not given away */
	uint32_t *count; /* flows without a rate */
	uint32_t *first; /* in `members`; one more than resources */
	double *key;     /* by which it stands in the heap */
	uint32_t *heap;
	uint32_t *members; /* flows by resource */
	size_t room;       /* of members */
};

enum err maxmin_init(struct maxmin *m, size_t n_resources) must_check;
void maxmin_done(struct maxmin *m);

/*
 * Fills rates[0 .. n). `capacity` of each resource is finite and not negative, or INFINITY; each flow
 * has a finite one. ERR_NOMEM.
 */
enum err maxmin_share(struct maxmin *m, const double *capacity, const struct maxmin_flow *flows,
                      size_t n, double *rates) must_check;
