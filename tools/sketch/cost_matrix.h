/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What it costs from each PID of a topology to each other, as the server takes it: what the document of
 * costs says, else the least link weight, at least 1.
 *
 * Ownership: cost_matrix_done(), cost_merged_done(); all zero is fine. Pure.
 */

#include "common/base/table.h"
#include "common/map/document.h"

struct cost_matrix {
	uint32_t n;
	uint32_t *out; /* [from * n + to]: a cost, and COST_SAID where the document says it */
	uint32_t *in;  /* the same, turned: [to * n + from] */
	bool *named;   /* by PID: the document says a cost between it and another */
};

#define COST_SAID (UINT32_C(1) << 31) /* MAP_COST_MAX is far below */

/*
 * `numbers`: of the n PIDs, by name; it has all that the costs name. `distances`: least link weights,
 * [a * n + b]. ERR_NOMEM.
 */
enum err cost_matrix_init(struct cost_matrix *m, const struct map_costs *costs,
                          const struct table *numbers, uint32_t n,
                          const uint32_t *distances) must_check;
void cost_matrix_done(struct cost_matrix *m);

/*
 * How much the costs of two PIDs differ: the most that their costs to, or from, any one PID (themselves
 * among them) are apart, where the document says one of the two; 0 where it says none. Linear in n.
 */
uint32_t cost_matrix_differ(const struct cost_matrix *m, uint32_t a, uint32_t b);

/* The costs of groups of PIDs. */
struct cost_merged {
	uint32_t n;
	uint32_t *costs; /* [from * n + to]: with COST_SAID; 0: the document says none of them */
	size_t said;     /* how many it says */
	/* Of the costs that became these, between PIDs that weigh something: */
	double mean, change;  /* the mean, and the mean change, weighted */
	uint32_t change_most; /* the largest */
};

/*
 * Where the document says a cost between members of two groups, theirs is the mean of all of these, weighted
 * by the product of weights; none counts as less than 1 in it. `group`: of each PID, below n. ERR_NOMEM;
 * cost_merged_done() it either way.
 */
enum err cost_matrix_merge(const struct cost_matrix *m, const uint32_t *group, uint32_t n,
                           const double *weight, struct cost_merged *out) must_check;
void cost_merged_done(struct cost_merged *c);
