/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Least link weight between all PIDs of one provider, and the ways that have it.
 *
 * Dijkstra over a binary heap from each PID that is no mere end of others' links: a backbone is sparse,
 * and 4096 PIDs would make the cubic algorithms take minutes.
 *
 * Pure; allocates only scratch memory.
 */

#include "common/base/err.h"

#include <stddef.h>
#include <stdint.h>

struct distance_link {
	uint32_t a, b; /* below n; both ways */
	uint32_t weight;
};

/*
 * Fills out[from * n + to], 0 when they are one. No distance passes MAP_COST_MAX, and what no
 * link reaches is as far as the farthest pair that links do reach, at least 1. ERR_NOMEM.
 */
enum err distance_all(const struct distance_link *links, size_t n_links, uint32_t n,
                      uint32_t *out) must_check;

/*
 * The ways of least weight from one PID, the root, to all others: of equally short ones always the same. Back
 * from there it may be another; a way is that of the tree of where it begins.
 */
struct distance_step {
	uint32_t before; /* the PID before this one, coming from the root */
	uint32_t link;   /* between the two; its number in the list */
};

struct distance_tree {
	struct distance_graph *graph;
	uint32_t *order;    /* what is reached, the root first, each after the one before it */
	uint32_t reached;   /* how many; 1: no link reaches the root */
	uint32_t *distance; /* by PID; UINT32_MAX: not reached */
	/* By PID; UINT32_MAX for the root and for what is not reached. */
	struct distance_step *steps;
};

/* `links` may be freed. ERR_NOMEM. */
enum err distance_tree_init(struct distance_tree *t, const struct distance_link *links,
                            size_t n_links, uint32_t n) must_check;
void distance_tree_done(struct distance_tree *t); /* all zero is fine */

/* Makes it that of another root. */
void distance_tree_grow(struct distance_tree *t, uint32_t root);
