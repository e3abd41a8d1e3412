/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A snapshot: all providers' documents compiled into what the hot path asks.
 *
 *   which place is this address in?        snapshot_locate()
 *   what is it to send a byte from a to b? snapshot_pair(), tariff_price()
 *
 * A **place** is a number below MAP_PLACES_MAX, valid in this snapshot only: 0 is "unknown"; 1 .. n_pids
 * are the PIDs of all providers, provider by provider; above them come the outside places: one for
 * each ASN that some document names and one for each reach prefix. Two strangers whose ASN nobody names
 * are both 0.
 * snapshot_place_key() gives a name that outlives the snapshot.
 *
 * Which interconnects a pair uses: two books (DESIGN section 3). The sender's provider books `out`
 * on its egress towards the receiver, the receiver's provider books `in` on its own egress towards
 * the sender. Egress: longest reach prefix around the far place, then ASN, then "any"; then
 * relation; then the nearest to the near PID in link weight; then the first in the document. A far
 * PID stands where its largest prefix lies (IPv4 before IPv6) and matches by any ASN of its
 * provider; a zone has no ASN. Pairs inside one provider use none, and neither does a PID with
 * an address that geo puts into the provider's own ASN: that is as far as the farthest PID.
 *
 * What a byte costs: p-distances inside a provider are the documented ones; the others are the least
 * link weight, at least 1 (1 for a PID to itself), and for a PID that no link reaches the largest
 * distance of the provider. Between providers the price is the p-distance between the PID and the
 * interconnect's PID, in the byte's direction, plus the interconnect's cost in that direction;
 * undocumented: customer and sibling 5, settlement-free 10, paid-peering 40, transit 100. What an
 * interconnect costs may differ from that in force, its price (common/steer/prices.h): a snapshot can be
 * had again at other prices. So may what a link costs, which is its weight: what its price is above that is
 * added to the p-distance of each pair whose bytes go along it, and to what leaves or enters that way.
 * Bytes go by weights and not by prices (common/map/ways.h): routers know nothing of these.
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

enum { PLACE_UNKNOWN = 0, MAP_PLACES_MAX = 1 << 20, PRICE_UNKNOWN = 1000 };
#define NO_INTERCONNECT UINT32_MAX

struct map_pair {
	enum map_tier tier; /* in the book of `from`'s provider; `from` outside: of `to`'s */
	uint32_t out;       /* interconnect of from's provider, or NO_INTERCONNECT */
	uint32_t in;        /* interconnect of to's provider, or NO_INTERCONNECT */
	uint32_t price;     /* p-distance in that same book; PRICE_UNKNOWN when the tier is */
};

struct map_snapshot;

/*
 * Compiles documents that passed their checks (costs that name what the topology lacks are
 * ignored). Time and memory grow with prefixes + PIDs per provider squared, never with
 * providers x PIDs squared. ERR_NOMEM; ERR_RANGE with a fault when a limit is passed, or when
 * the documents contradict themselves in a way that their checks refuse.
 */
enum err map_compile(const struct map_source *sources, size_t n, struct map_snapshot **out,
                     struct fault *fault) must_check;
void snapshot_free(struct map_snapshot *s); /* NULL is fine */

/* Longest match of the PIDs, else of the zones; else 0. In what follows `s` may be NULL (no map
 * yet) wherever a place is asked for or given. */
uint32_t snapshot_locate(const struct map_snapshot *s, const struct ip_addr *a);

/* A hint that snapshot_locate() will be asked for this address; never waits. */
void snapshot_prefetch(const struct map_snapshot *s, const struct ip_addr *a);

/* The outside place of an ASN, 0 when no document names it. */
uint32_t snapshot_place_of_asn(const struct map_snapshot *s, uint32_t asn);

/* Any two places of this snapshot, `from` == `to` included. `s` may be NULL. */
struct map_pair snapshot_pair(const struct map_snapshot *s, uint32_t from, uint32_t to);

/*
 * Tier and price of snapshot_pair() for many pairs with one end in common, without its interconnects.
 * First tariff_seek() for all of them, which finds where their prices are and asks memory for them; then
 * tariff_price(), with what that returned. Made on the stack; valid as long as the snapshot.
 */
struct map_tariff {
	const struct map_snapshot *map;
	uint32_t place;
	bool sends; /* bytes go from `place`; else to it */
};

struct map_price {
	enum map_tier tier;
	uint32_t price;
};
uint32_t tariff_seek(const struct map_tariff *t, uint32_t other);
struct map_price tariff_price(const struct map_tariff *t, uint32_t other, uint32_t where);

/* What steering must know of a place. Outside places have no provider: NO_PROVIDER. */
#define NO_PROVIDER UINT32_MAX
enum { UPLINK_USUAL_KBPS = 4000 }; /* of a line of which nothing is said */
struct map_place {
	uint32_t provider; /* index, or NO_PROVIDER */
	enum map_uploads uploads;
	uint32_t up_kbps, down_kbps; /* of one subscriber; 0: not said */
	uint32_t lasting_kbps;       /* up, all month: within the cap */
};
struct map_place snapshot_place(const struct map_snapshot *s, uint32_t place);

/* The provider whose PID or ASN a place is, or NO_PROVIDER. */
uint32_t snapshot_owner(const struct map_snapshot *s, uint32_t place);

/* The PIDs of the provider that a PID belongs to: first <= place < end, without a gap. Empty for other
 * places. An ASN's place is never inside, even when the ASN is the provider's. */
struct map_places {
	uint32_t first, end;
};
struct map_places snapshot_provider_places(const struct map_snapshot *s, uint32_t place);

/* Of one place, as cheap as can be; and whether any place has anything but UPLOADS_NORMAL. */
enum map_uploads snapshot_uploads(const struct map_snapshot *s, uint32_t place);
bool snapshot_restricts_uploads(const struct map_snapshot *s);

/*
 * "pid:isp-a/a-east", "as:64501", "zone:192.0.2.0/24" or "" for unknown, and back: 0 when this
 * snapshot has no such place. PLACE_KEY_MAX bytes are enough, the NUL included.
 */
enum { PLACE_KEY_MAX = 2 * MAP_NAME_MAX + 8 };
void snapshot_place_key(const struct map_snapshot *s, uint32_t place,
                        char out[static PLACE_KEY_MAX]);
uint32_t snapshot_place_find(const struct map_snapshot *s, const char *key);

struct map_counts {
	size_t providers, pids, places, links, interconnects, exporters;
	size_t prefixes_v4, prefixes_v6;
	size_t bytes; /* of memory */
};
struct map_counts snapshot_counts(const struct map_snapshot *s);

/* Interconnect `index` in [0, interconnects). The strings live as long as the snapshot. */
struct map_interconnect_info {
	const char *provider, *id, *pid;
	uint32_t provider_index;
	uint32_t place; /* its PID */
	uint32_t neighbor_asn;
	enum map_relation relation;
	uint64_t capacity_mbps;
	bool metered; /* some exporter has a port of it (see below) */
};
struct map_interconnect_info snapshot_interconnect(const struct map_snapshot *s, uint32_t index);
/* NO_INTERCONNECT: there is none. Looks through all. */
uint32_t snapshot_interconnect_find(const struct map_snapshot *s, const char *provider,
                                    const char *id);

/* Link `index` in [0, links), provider by provider and in document order. */
struct map_link_info {
	const char *provider, *id;
	uint32_t provider_index;
	uint32_t a, b; /* places */
	uint32_t weight;
	uint64_t capacity_mbps; /* each way; 0: not said */
};
struct map_link_info snapshot_link(const struct map_snapshot *s, uint32_t index);

/*
 * What reports flows: the routers that topologies name under "exporters", by address, with those of their
 * interfaces that lead across an interconnect. An exporter's number, below `exporters`, is valid in this
 * snapshot only. An interface is one interconnect's; where two topologies claim it, the first has it.
 */
#define NO_EXPORTER UINT32_MAX
struct map_port {
	uint32_t ifindex, interconnect;
};
struct map_exporter_info {
	struct ip_addr address;
	uint32_t provider;            /* the first that names it */
	const struct map_port *ports; /* by ifindex; live as long as the snapshot */
	size_t n;
};
/* NO_EXPORTER: no topology names this address. */
uint32_t snapshot_exporter(const struct map_snapshot *s, const struct ip_addr *a);
struct map_exporter_info snapshot_exporter_info(const struct map_snapshot *s, uint32_t exporter);
/* NO_INTERCONNECT: the interface leads across none. */
uint32_t snapshot_port(const struct map_snapshot *s, uint32_t exporter, uint32_t ifindex);

/* Of a byte across an interconnect, by direction: as documented, and as it counts in this snapshot. */
struct map_crossing {
	uint32_t out, in;
};
struct map_crossing snapshot_cost(const struct map_snapshot *s, uint32_t interconnect);
struct map_crossing snapshot_price(const struct map_snapshot *s, uint32_t interconnect);

/* Of a byte along a link; `out` is from its a to its b, `in` back. Documented is its weight. */
struct map_crossing snapshot_link_price(const struct map_snapshot *s, uint32_t link);

/*
 * How far the prices of a settlement-free interconnect lean to one side: the premium on `out` less that
 * on `in`, each in percent of what is documented, at most MAP_LEAN_MAX. Above 0: too much goes out,
 * and what comes in is welcome; below 0 the reverse; 0 as documented, and for other relations.
 * snapshot_lean() is that of the one that `near`, a PID, uses with `far`; snapshot_leans() has the extremes
 * of a place's provider, at least and at most 0, as cheap as can be.
 */
enum { MAP_LEAN_MAX = 100000 };
struct map_leans {
	int32_t least, most;
};
int32_t snapshot_lean(const struct map_snapshot *s, uint32_t near, uint32_t far);
struct map_leans snapshot_leans(const struct map_snapshot *s, uint32_t place);

/*
 * The same map at these prices, each at most MAP_COST_MAX, those of links at least their weight. Places
 * and all else are those of `s` and stand in memory once: either may be freed first. Where links of a
 * provider cost more than their weights, its p-distances are made anew: a tree of least weight for each PID.
 * ERR_NOMEM.
 */
struct map_prices {
	const struct map_crossing *interconnects;
	const struct map_crossing *links; /* NULL: as documented */
};
enum err snapshot_reprice(const struct map_snapshot *s, const struct map_prices *prices,
                          struct map_snapshot **out) must_check;

const char *snapshot_provider_name(const struct map_snapshot *s, uint32_t provider);

/* A hash of that name, which outlives the snapshot. */
uint64_t snapshot_provider_hash(const struct map_snapshot *s, uint32_t provider);
