/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Which interconnect a provider uses, by near PID and far node.
 *
 * A **node** is what a reach is matched against: a zone, an ASN, another provider as a whole (any
 * of its ASNs) or ANY_NODE. Of the interconnects that reach a node only those of the best relation
 * count; they are its **group**. Few groups exist, however many nodes there are: each distinct one
 * of a provider gets one **row**, which names the best interconnect by near PID. So memory grows
 * with what the documents name and with groups x PIDs, never with providers x places.
 *
 * Look-up: one probe of a hash table of (provider, node), one load from the row.
 *
 * Ownership: egress_done(). Threading: immutable once finished; share freely.
 */

#include "common/map/document.h"

#define PROVIDER_NODE 0x80000000U /* | provider index */
#define ANY_NODE      UINT32_MAX

struct egress_slot {
	uint32_t provider, node, row; /* row 0: free */
};

struct egress {
	struct egress_slot *slots;
	size_t mask;    /* slots - 1; a power of two less one */
	uint32_t *rows; /* interconnect of near PID i: rows[row + i] */
	size_t n_rows, n_slots_used;
	size_t rows_room, slots_room;
	uint64_t work; /* done so far, bounded */
};

/*
 * A claim says "this interconnect reaches that node": node, relation and document position in one
 * word, so that sorted claims stand by node and then in order of preference.
 */
enum { CLAIM_POSITION_BITS = 24 };
static inline uint64_t egress_preference(enum map_relation relation, uint32_t position)
{
	return (uint64_t)relation << CLAIM_POSITION_BITS | position;
}
static inline uint64_t egress_claim(uint32_t node, uint64_t preference)
{
	return (uint64_t)node << 32 | preference;
}

struct egress_provider {
	uint32_t index;
	uint32_t n_pids;
	const uint32_t *distance;    /* in link weight, [near * n_pids + pid] */
	const uint32_t *pid_of;      /* PID of the interconnect at a document position */
	uint32_t first_interconnect; /* number of the one at position 0 */
};

void egress_init(struct egress *e);
void egress_done(struct egress *e);

/*
 * Adds a provider; sorts `claims`. ERR_NOMEM; ERR_RANGE: EGRESS_WORK_MAX comparisons of distances
 * are passed, which no real topology comes near.
 */
enum { EGRESS_WORK_MAX = 1 << 29 };
enum err egress_add(struct egress *e, const struct egress_provider *p, uint64_t *claims,
                    size_t n) must_check;

/* Makes it ready for look-ups. */
enum err egress_finish(struct egress *e) must_check;

/* The row for `node`, or 0. */
uint32_t egress_row(const struct egress *e, uint32_t provider, uint32_t node);

size_t egress_bytes(const struct egress *e);
