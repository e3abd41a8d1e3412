/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The snapshot from inside: compile.c fills it, snapshot.c answers from it. Nobody else includes
 * this header.
 *
 * Places stand in four runs: 0; the PIDs, provider by provider in document order; the ASNs,
 * ascending; the zones (reach prefixes), in the order of ip_prefix_compare().
 */

#include "common/base/table.h"
#include "common/ip/lpm.h"
#include "common/map/distance.h"
#include "common/map/egress.h"
#include "common/map/snapshot.h"

#include <stdatomic.h>

/* The place where look-ups start; 16 bytes, so that four share a cache line. */
struct place {
	uint32_t provider; /* of a PID; the owner of an ASN; else NO_PROVIDER */
	uint16_t local;    /* a PID's index in its provider */
	uint16_t uploads;  /* enum map_uploads */
	uint32_t zone;     /* a zone: itself; a PID: the smallest around its largest prefix; or 0 */
	uint32_t node; /* what ASN reach is matched against: an ASN's place, PROVIDER_NODE, or 0 */
};

struct provider {
	const char *name;
	uint64_t hash;      /* of the name */
	uint32_t first_pid; /* place */
	uint32_t n_pids;
	uint32_t first_interconnect;
	uint32_t first_link, n_links;
	uint32_t *documented; /* p-distance, [from * n_pids + to] */
	uint32_t *distance;   /* the same at this snapshot's prices of links */
	uint32_t farthest;    /* the largest of them */
	uint32_t any_row;     /* of REACH_ANY; 0: none */
	bool names_zones;     /* some interconnect reaches a prefix */
};

struct pid {
	const char *key; /* "provider/pid" */
	uint32_t up_kbps, down_kbps;
	uint32_t lasting_kbps; /* up, within the cap */
};

/* A link beside its ends and weight. */
struct link {
	const char *id;
	uint64_t capacity_mbps;
};

/* An interconnect, as prices need it. */
struct edge {
	uint32_t local; /* index of its PID in its provider */
	enum map_tier tier;
	struct map_crossing cost; /* documented */
};

/*
 * What an entry of egress.rows comes to, so that a price is one load where it would be a sum over
 * interconnect and distances: a byte from the near PID out, and one in to it.
 */
struct toll {
	enum map_tier tier;
	uint32_t out, in;
};

/* A router that some topology names; its ports are those of interconnects, by ifindex. */
struct exporter {
	struct ip_addr address;
	uint32_t provider; /* the first that names it */
	const struct map_port *ports;
	size_t n;
};

struct map_snapshot {
	struct arena *arena; /* of all arrays that have no other owner */
	struct lpm *lpm;
	struct table *pid_of; /* "provider/pid" -> place */
	struct egress egress;
	struct map_crossing *prices;      /* by interconnect */
	struct map_crossing *link_prices; /* by link; NULL: as documented */
	struct map_leans *leans;          /* by provider; NULL: prices are as documented */
	struct toll *tolls;     /* [row + near PID], as egress.rows; from distances and prices */
	bool restricts_uploads; /* some PID has not UPLOADS_NORMAL */

	struct place *places;
	size_t n_places, n_pids, n_asns, n_zones;
	uint32_t first_asn, first_zone; /* places */

	struct pid *pids;        /* [place - 1] */
	uint32_t *asns;          /* [place - first_asn] */
	struct ip_prefix *zones; /* [place - first_zone] */
	uint32_t *zone_parent;   /* the next larger zone around it, or 0 */

	struct provider *providers;
	size_t n_providers;
	struct edge *edges; /* by interconnect */
	struct map_interconnect_info *interconnects;
	size_t n_interconnects;
	struct distance_link *ends; /* by link, as in the documents; PIDs as in `local` */
	struct link *links;
	size_t n_links;
	struct exporter *exporters; /* by address */
	struct map_port *ports;
	size_t n_exporters, n_ports;

	size_t prefixes_v4, prefixes_v6;
	size_t arena_bytes;

	/* Snapshots at other prices share what does not follow from these; the last one frees it. */
	atomic_uint *sharers;
	struct arena *own; /* of what is not shared; NULL: it is in the other arena */
	size_t own_bytes;
};

/* Of one interconnect (snapshot.h). */
int32_t snapshot_lean_of(const struct map_snapshot *s, uint32_t interconnect);

/* The largest p-distance. */
uint32_t snapshot_farthest(const struct provider *p);

/* Fills in `s`'s tolls; all else is there. */
void snapshot_fill_tolls(struct map_snapshot *s);

/* The place of a reach prefix, or 0. */
uint32_t snapshot_zone(const struct map_snapshot *s, const struct ip_prefix *prefix);
