/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A provider's two documents, as structs: "p4p-topology/1" and "p4p-costs/1" (DESIGN section 3).
 *
 * Parsing reads JSON and nothing else: types, formats, ranges, unknown keys (with the nearest known
 * one as a hint), limits. All faults of a document come in one answer, each with its JSON pointer.
 * Whether the document makes sense is the business of check.h.
 *
 * A document with faults may be had as far as it was understood, so that check.h can name its
 * faults in the same answer; it is good for nothing else. What could not be read is zero in it: NULL
 * for a name, 0 for a number, IP_NONE for an address, the first for a choice. A list that could not
 * be read, or that was probably misspelt, has one such entry; every other entry stands at the index
 * that it has in the document.
 *
 * Only "monthly_upload_gb" may be null. Left out, "uploads" is "normal", but "avoid" where "access" is
 * "mobile" or "satellite"; "weight" is 1 and "reach" "neighbor"; a speed, a capacity or a cap that is left
 * out is 0, "not said", and so none may be given as 0. Costs are whole numbers.
 *
 * Kinds of fault: syntax, size, depth, duplicate-key, unknown-key, missing, type, format, name,
 * text, choice, range, count, address, prefix, host-bits.
 *
 * Ownership: everything lives in the arena given to the parser. Names are NUL-terminated.
 * Threading: a parsed document is immutable; share freely.
 */

#include "common/base/arena.h"
#include "common/ip/addr.h"

enum map_relation {
	RELATION_CUSTOMER, /* the order is that of egress choice: best first */
	RELATION_SIBLING,
	RELATION_SETTLEMENT_FREE,
	RELATION_PAID_PEERING,
	RELATION_TRANSIT
};

enum map_uploads {
	UPLOADS_NORMAL,
	UPLOADS_AVOID, /* offered to others only when nobody else can serve */
	UPLOADS_NEVER
};

enum map_reach { REACH_NEIGHBOR, REACH_ANY, REACH_LIST };

struct map_pid {
	const char *name;
	struct ip_prefix *prefixes; /* none: a backbone node */
	size_t n_prefixes;
	const char *access; /* "fiber", "cable", "dsl", "mobile", ...; NULL when not said */
	enum map_uploads uploads;
	bool uploads_said;          /* in the document; else it follows from `access` */
	uint64_t monthly_upload_gb; /* 0: no cap */
	uint32_t subscriber_up_kbps, subscriber_down_kbps; /* 0: not said */
};

struct map_link {
	const char *id;
	const char *a, *b;      /* PIDs; both ways */
	uint64_t capacity_mbps; /* each way; 0: not said */
	uint32_t weight;        /* default 1 */
};

struct map_exporter {
	struct ip_addr address;
	uint32_t ifindex;
};

struct map_interconnect {
	const char *id;
	const char *pid;
	uint32_t neighbor_asn;
	enum map_relation relation;
	uint64_t capacity_mbps;
	enum map_reach reach;
	uint32_t *reach_asns; /* REACH_LIST */
	size_t n_reach_asns;
	struct ip_prefix *reach_prefixes;
	size_t n_reach_prefixes;
	const char *metro; /* NULL when not said */
	struct map_exporter *exporters;
	size_t n_exporters;
};

struct map_topology {
	const char *provider;
	uint32_t *asns;
	size_t n_asns;
	struct map_pid *pids;
	size_t n_pids;
	struct map_link *links;
	size_t n_links;
	struct map_interconnect *interconnects;
	size_t n_interconnects;
};

struct map_pid_cost {
	const char *from, *to;
	uint32_t cost; /* p-distance; at most MAP_COST_MAX */
};

struct map_interconnect_cost {
	const char *id;
	uint32_t out, in;
};

struct map_costs {
	const char *provider;
	struct map_pid_cost *pid_costs;
	size_t n_pid_costs;
	struct map_interconnect_cost *interconnect_costs;
	size_t n_interconnect_costs;
};

enum {
	MAP_BYTES_MAX = 64 << 20,
	MAP_NAME_MAX = 64, /* bytes of a name; characters of RFC 7285 section 10.1 */
	MAP_ASNS_MAX = 4096,
	MAP_PIDS_MAX = 4096, /* of one provider */
	MAP_PREFIXES_MAX = 1500000,
	MAP_INTERCONNECTS_MAX = 4096,
	MAP_LINKS_MAX = 65536,
	MAP_REACH_MAX = 200000, /* entries of one interconnect */
	MAP_EXPORTERS_MAX = 1024,
	MAP_PID_COSTS_MAX = 4000000,
	MAP_DEPTH_MAX = 16, /* nesting of the JSON */
	MAP_COST_MAX = 1000000000,
	MAP_WEIGHT_MAX = 16777215,    /* IS-IS wide metrics, RFC 5305; sums of them stop at
	                                  MAP_COST_MAX */
	MAP_CAPACITY_MAX = 100000000, /* Mbit/s */
	MAP_CAP_MAX = 1000000000      /* GB a month */
};

/*
 * ERR_MALFORMED: see `faults`; *out is what was understood, or untouched: no JSON, the other kind of
 * document, or a key given twice, which leaves open what was meant. ERR_NOMEM: the arena is full.
 */
enum err map_topology_parse(const char *json, size_t size, struct arena *arena,
                            struct map_topology **out, struct faults *faults) must_check;
enum err map_costs_parse(const char *json, size_t size, struct arena *arena, struct map_costs **out,
                         struct faults *faults) must_check;

const char *map_relation_name(enum map_relation r); /* "settlement-free", ... */

/* Is every byte of an access network on the air, where who sends takes from all others? NULL is fine. */
bool map_access_is_radio(const char *access);

/* What a cap comes to for somebody who uploads all month (of 30 days), in kbit/s. 1 GB: 3. */
uint32_t map_cap_kbps(uint64_t monthly_upload_gb);
