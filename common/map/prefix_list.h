/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * All readable prefixes of one topology in order, each with its place in the document and with the nearest
 * prefix around it: a private tool of the checks. One sort, then every question about nesting is a
 * walk of at most 128 steps.
 *
 * Ownership: prefix_list_done(). Threading: immutable once made.
 */

#include "common/map/document.h"

struct prefix_ref {
	struct ip_prefix prefix;
	uint32_t pid, index; /* /pids/<pid>/prefixes/<index> */
	uint32_t around;     /* the nearest ref before this one that covers it, or NO_REF */
};

#define NO_REF UINT32_MAX

struct prefix_list {
	struct prefix_ref *refs;
	size_t n;
};

/* ERR_NOMEM. */
enum err prefix_list_make(const struct map_topology *t, struct prefix_list *out) must_check;
void prefix_list_done(struct prefix_list *list);

/* The first ref that is `p` or stands behind it; `n` when there is none. */
size_t prefix_list_find(const struct prefix_list *list, const struct ip_prefix *p);

/* From ref `i` (NO_REF is fine) outwards: the first that covers `p`, or NO_REF. */
uint32_t prefix_list_around(const struct prefix_list *list, uint32_t i, const struct ip_prefix *p);
