/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A scenario: "p4psim-scenario/1", the JSON document that says what is simulated. p4psim(1) describes
 * its members.
 *
 * Reading finds all faults, each with its JSON pointer, as common/map does with its documents.
 *
 * Ownership: everything lives in the arena given to the parser. Threading: immutable once read.
 */

#include "common/steer/steer.h"

enum {
	SCENARIO_ARMS_MAX = 64,
	SCENARIO_PEERS_MAX = 1000000,
	SCENARIO_PIECES_MAX = 65535,
	SCENARIO_SWARMS_MAX = 100000,
	SCENARIO_SECONDS_MAX = 10000000,
	SCENARIO_CONNECTIONS_MAX = 250, /* they are counted in a byte */
	SCENARIO_MEASURED_MAX = 1024,
	SCENARIO_DELAY_MS = 10, /* of a line, one way, unless it is said */
};

enum arrival {
	ARRIVE_AT_ONCE,
	ARRIVE_UNIFORM, /* anywhen within `seconds` */
	ARRIVE_POISSON, /* exponential gaps, all in `seconds` on average */
	ARRIVE_FLASH    /* a crowd at once that thins out, with `seconds` as the mean delay */
};

struct scenario_access {
	uint32_t up_kbps, down_kbps, weight;
	double delay_ms; /* one way */
};

struct scenario_count {
	const char *pid; /* "isp-a/a-east" */
	uint32_t n;
};

/* Peers, or seeds, that have their ways in common. */
struct scenario_group {
	struct scenario_count *pids;
	size_t n_pids;
	struct scenario_access *access; /* none: as the map says of the PID's subscribers */
	size_t n_access;
	bool seed; /* then the counts are for each swarm */
	unsigned arrive;
	uint32_t arrive_seconds, arrive_after;
	uint32_t stay_seconds; /* after completion; UINT32_MAX: to the end */
	uint32_t abort_percent;
	uint32_t abort_seconds; /* the mean time until they give up */
	uint32_t unreachable_percent;
};

/* What an arm's `policy` may be: a policy of the server, or what others are compared with. */
enum { SCENARIO_LOCALISED = STEER_POLICIES, SCENARIO_POLICIES };

/* What interconnects cost: as documented, or by what crosses them. */
enum scenario_prices { PRICES_STATIC, PRICES_LIVE };

struct scenario_arm {
	const char *name, *policy; /* the latter one of the words above */
	struct steer_rules rules;
	bool localised; /* lists by delay (localise.h) in place of the rules */
	uint32_t numwant;
	uint32_t measured;        /* localised: of so many peers, by chance, the delay is known */
	uint32_t control_percent; /* of the swarms stay native */
	unsigned prices;          /* enum scenario_prices */
};

struct scenario {
	const char **topologies, **costs; /* files */
	size_t n_topologies, n_costs;
	uint64_t seed;
	uint32_t swarms;
	double zipf; /* swarm n has a share of the peers of 1/n^zipf */
	uint64_t content_bytes;
	uint32_t piece_bytes;
	uint32_t upload_slots, max_connections, announce_seconds, retry_seconds;
	uint32_t min_announce_seconds;         /* shorter intervals are raised to it */
	uint32_t overhead_percent;             /* bytes on the wire beyond those of the content */
	double us_per_weight, interconnect_ms; /* delays one way, of links and interconnects */
	struct scenario_group *groups;
	size_t n_groups;
	struct scenario_arm *arms;
	size_t n_arms;
	uint32_t max_seconds, bin_seconds;
	uint64_t ratio_limit_milli; /* of settlement-free interconnects */
};

/* ERR_MALFORMED: see `faults`. ERR_NOMEM. */
enum err scenario_parse(const char *json, size_t size, struct arena *arena, struct scenario *out,
                        struct faults *faults) must_check;

static inline uint32_t scenario_pieces(const struct scenario *s)
{
	return (uint32_t)((s->content_bytes + s->piece_bytes - 1) / s->piece_bytes);
}
