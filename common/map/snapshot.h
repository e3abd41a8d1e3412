/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A snapshot: all providers' documents compiled into what the hot path asks.
 *
 *   which place is this address in?       snapshot_locate()
 *   what is it to send a byte from a to b? snapshot_pair()
 *
 * A **place** is a small number, valid in this snapshot only: 0 is "unknown"; 1 .. n_pids are the
 * PIDs of all providers; above them come the outside places: one for each ASN that some document
 * names and one for each reach prefix. Two strangers whose ASN nobody names are both 0.
 * snapshot_place_key() gives a name that outlives the snapshot.
 *
 * Which interconnects a pair uses: two books (DESIGN section 3). The sender's provider books `out`
 * on its egress towards the receiver, the receiver's provider books `in` on its own egress towards
 * the sender. Egress: longest reach prefix (of the zone the far PID's largest prefix lies in), then
 * ASN, then "any"; then relation; then the nearest to the near PID in link weight; then the first
 * in the document. Pairs inside one provider use none.
 *
 * Ownership: snapshot_free(). Threading: immutable; share freely (see publish.h).
 */

#include "common/map/check.h"

/* Cheapest first (DESIGN section 4). */
enum map_tier {
	TIER_SAME_PID,
	TIER_SAME_PROVIDER,
	TIER_SETTLEMENT_FREE, /* customer and sibling too */
	TIER_PAID_PEERING,
	TIER_TRANSIT,
	TIER_UNKNOWN,
	TIER_COUNT_
};

enum { PLACE_UNKNOWN = 0, NO_INTERCONNECT = UINT32_MAX };

struct map_pair {
	enum map_tier tier; /* in the book of `from`'s provider, else of `to`'s */
	uint32_t out;       /* interconnect of from's provider, or NO_INTERCONNECT */
	uint32_t in;        /* interconnect of to's provider, or NO_INTERCONNECT */
	uint32_t price;     /* p-distance of a byte from `from` to `to`, in that same book */
};

struct map_snapshot;

/*
 * Compiles documents that passed their checks (costs that name what the topology lacks are
 * ignored). Time and memory grow with prefixes + PIDs per provider squared, never with
 * providers x PIDs squared. ERR_NOMEM; ERR_RANGE with a fault when a limit is passed.
 */
enum err map_compile(const struct map_source *sources, size_t n, struct map_snapshot **out,
                     struct fault *fault) must_check;
void snapshot_free(struct map_snapshot *s); /* NULL is fine */

/* Longest match; 0 when no PID and no reach prefix holds `a`. `s` may be NULL (no map yet). */
uint32_t snapshot_locate(const struct map_snapshot *s, const struct ip_addr *a);

/* The outside place of an ASN, 0 when no document names it. */
uint32_t snapshot_place_of_asn(const struct map_snapshot *s, uint32_t asn);

/* Any two places of this snapshot, `from` == `to` included. `s` may be NULL. */
struct map_pair snapshot_pair(const struct map_snapshot *s, uint32_t from, uint32_t to);

/* What steering must know of a place. Outside places have no provider: NO_PROVIDER. */
enum { NO_PROVIDER = UINT32_MAX };
struct map_place {
	uint32_t provider; /* index, or NO_PROVIDER */
	enum map_uploads uploads;
	uint32_t up_kbps, down_kbps; /* of one subscriber; 0: not said */
};
struct map_place snapshot_place(const struct map_snapshot *s, uint32_t place);

/*
 * "pid:isp-a/a-east", "as:64501", "zone:192.0.2.0/24" or "" for unknown, and back: 0 when this
 * snapshot has no such place. PLACE_KEY_MAX bytes are enough, the NUL included.
 */
enum { PLACE_KEY_MAX = 2 * MAP_NAME_MAX + 8 };
void snapshot_place_key(const struct map_snapshot *s, uint32_t place,
                        char out[static PLACE_KEY_MAX]);
uint32_t snapshot_place_find(const struct map_snapshot *s, const char *key);

struct map_counts {
	size_t providers, pids, places, interconnects;
	size_t prefixes_v4, prefixes_v6;
	size_t bytes; /* of memory */
};
struct map_counts snapshot_counts(const struct map_snapshot *s);

/* Interconnect `index` in [0, interconnects). The strings live as long as the snapshot. */
struct map_interconnect_info {
	const char *provider, *id, *pid;
	uint32_t provider_index;
	uint32_t neighbor_asn;
	enum map_relation relation;
	uint64_t capacity_mbps;
};
struct map_interconnect_info snapshot_interconnect(const struct map_snapshot *s, uint32_t index);
const char *snapshot_provider_name(const struct map_snapshot *s, uint32_t provider);
