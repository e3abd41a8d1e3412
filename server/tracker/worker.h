/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One thread's share of the tracker, and the announce that both protocols meet in. Private to
 * server/tracker.
 *
 * Around a batch: worker_begin() renews the leases of map and rules and takes the accounting slot;
 * worker_end() gives it back. The scratch arrays save every announce from malloc.
 */

#include "common/choice/choice.h"
#include "server/tracker/connection.h"
#include "server/tracker/rules.h"
#include "server/tracker/tracker.h"

enum { PEERS_MAX = CHOICE_MAX }; /* in one reply */

struct tracker_worker {
	struct tracker *tracker;
	struct metrics_slot *metrics;
	struct accounting_slot *accounting; /* NULL: nobody counts */
	struct map_lease map;
	struct rules_lease rules;
	uint64_t seed;
	bool timed;        /* one announce of this batch was, or none shall be */
	unsigned requests; /* HTTP's, so far */
	uint32_t now;      /* of this batch: steady seconds */
	uint64_t now_ms;   /* and milliseconds */
	int64_t unix_now;  /* and calendar seconds */

	struct choice choice;
	struct bridge_book *dry[2]; /* a rehearsal (common/choice/choice.h); NULL: announces */
	uint8_t *compact[2];        /* where the next IPv4 and IPv6 peers go; NULL: into peers[] */
	struct swarm_endpoint peers[PEERS_MAX];
	struct accounting_handed handed[PEERS_MAX]; /* what accounting is told */
	size_t n_peers, n_handed;
	uint32_t soon; /* seconds until steering wants to hear of this client again; 0: as usual */
	bool notes;    /* accounting wants it of this announce */
};

struct tracker {
	struct tracker_options options;
	struct rules_office *rules;
	struct limits *limits;
	struct floods *floods;
	uint8_t connection_key[HASH_KEY_SIZE], identity_key[HASH_KEY_SIZE];
	struct tracker_worker *workers;
};

_Static_assert((int)METRIC_UDP_ANNOUNCE_BRIDGE - (int)METRIC_UDP_ANNOUNCE_NATIVE == STEER_BRIDGE &&
                       (int)METRIC_HTTP_ANNOUNCE_BRIDGE - (int)METRIC_HTTP_ANNOUNCE_NATIVE ==
                               STEER_BRIDGE,
               "a counter for each policy, in order");

/* Of a client or a swarm: nobody outside can make two alike. A restart does not change it. */
uint64_t tracker_hash(const struct tracker *t, const void *bytes, size_t size);

uint64_t clock_ns(void); /* CLOCK_MONOTONIC */
void worker_begin(struct tracker_worker *w, uint64_t now_ms);
void worker_end(struct tracker_worker *w);

struct ask {
	const struct announce *announce;
	struct ip_addr from; /* the client: what we believe, not what it claims */
	size_t room;         /* peers that fit into the reply */
	/* Where IPv4 peers go, COMPACT_V4 bytes each, and IPv6 ones. NULL: into w->peers */
	uint8_t *compact[2];
	bool both_families;  /* it can use peers of the other family, too */
	bool keep_id;        /* its peer id is for lists of dictionaries */
	bool with_ids;       /* the reply has room for peer ids */
	const char *passkey; /* in the URL; NULL: none. Not NUL-terminated */
	size_t passkey_size;
};

struct answer {
	const char *refusal; /* NULL: the rest is valid */
	struct swarm_counts counts;
	uint32_t interval;        /* seconds; set for a refusal, too */
	enum steer_policy policy; /* by which it was answered */
};

enum { COMPACT_V4 = 6, COMPACT_V6 = 18 }; /* address and port (BEP 23, BEP 7) */

/* The peers are in w->peers[0 .. w->n_peers), or from ask->compact[] to w->compact[]. */
void tracker_announce(struct tracker_worker *w, const struct ask *ask, struct answer *out);

/* Zeros for a swarm that nobody is in. */
struct swarm_counts tracker_counts(struct tracker_worker *w,
                                   const uint8_t info_hash[static INFO_HASH_SIZE]);
