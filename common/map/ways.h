/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Which links of a provider bytes go along: those of least weight, as routers find them; of equally short
 * ways always the same one, that of the tree of where they begin (common/map/distance.h).
 *
 * Trees are grown when they are first asked for, and kept: eight bytes for each PID of the provider.
 *
 * Ownership: ways_free(); the map must outlive it. Threading: one thread.
 */

#include "common/map/snapshot.h"

struct ways;

struct ways *ways_new(const struct map_snapshot *map); /* NULL when out of memory */
void ways_free(struct ways *w);                        /* NULL is fine */

/*
 * The links from one PID to another of its provider, the last one first, each as 2 * its number, and one more
 * when it is gone along from its b to its a. None from a PID to itself, to what no link reaches, and
 * between other places. Valid until the next call. ERR_NOMEM.
 */
struct ways_list {
	const uint32_t *steps;
	size_t n;
};
enum err ways_between(struct ways *w, uint32_t from, uint32_t to, struct ways_list *out) must_check;
