/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Which addresses are in which PID before and after: two topologies of a provider laid over each other.
 *
 * By address and not by line of the document: a /16 that was one PID's and is two /17 of two others has
 * moved in two halves, though no prefix of before is there after. Longest match decides, as in a
 * snapshot. PIDs are the same when their names are.
 *
 * Pure; linear in the prefixes. Ownership: free() the list.
 */

#include "common/map/document.h"

#define MAP_NO_PID UINT32_MAX
enum { MAP_EXAMPLES = 3 };

/* Of what lies in one PID before and one after (MAP_NO_PID: in none; never both). */
struct map_overlap {
	uint32_t before, after;                  /* index in its topology */
	bool stays;                              /* they are one PID */
	uint64_t addresses_v4, networks_v6;      /* /64s, begun ones count */
	size_t prefixes;                         /* the more specific of both, where they begin */
	struct ip_prefix examples[MAP_EXAMPLES]; /* the first of these */
};

/* Lines of the documents: the same prefix in both, in only one, in both but in another PID. */
struct map_prefix_counts {
	size_t kept, added, removed, moved;
};

/* `before` may be NULL. What stays comes last; else the most addresses first, then the most /64s.
 * ERR_NOMEM. */
enum err map_overlaps(const struct map_topology *before, const struct map_topology *after,
                      struct map_overlap **out, size_t *n,
                      struct map_prefix_counts *counts) must_check;
