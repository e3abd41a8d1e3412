/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A few providers, one swarm of theirs, and a tracker's announce without its sockets: what the tests of
 * `bridge` have in common. Provider i has the ASN 64500 + i and the PIDs 4i ... of 10.(4i).0.0/16 and
 * 2001:db8:(4i)::/48. Friends exchange without settlement; all others are reached by transit.
 */

#include "tests/unit/test.h"

#include "common/base/random.h"
#include "common/choice/choice.h"

#include <string.h>

enum { PROVIDERS_MAX = 16, PIDS_EACH = 4, INTERVAL = 1800, TIMEOUT = 3900 };

struct isp {
	unsigned pids;    /* 1 .. PIDS_EACH */
	uint32_t friends; /* bit i: settlement-free with provider i */
	enum map_uploads uploads;
	uint32_t up_kbps;
	uint64_t monthly_upload_gb;
};

/* A client: number `n` of PID `pid` (4 * provider + PID of it). */
struct body {
	unsigned pid;
	uint32_t n;
	bool wide, seed, partial;
};

struct got {
	struct body body;
	uint32_t place;
};

struct world {
	struct map_snapshot *map;
	uint32_t map_number;
	struct swarm_store *store;
	struct bridge_store *bridges;
	struct steer_rules rules;
	struct choice choice;
	uint32_t now;
	uint64_t seed;
	/* What those who announce have received, in so many seconds. */
	uint64_t received;
	uint32_t seconds;
	/* The last answer. */
	size_t n;
	struct got list[CHOICE_MAX];
};

static const uint8_t world_hash[INFO_HASH_SIZE] = { 1 };

static inline unsigned provider_of(unsigned pid)
{
	return pid / PIDS_EACH;
}

static inline struct ip_addr address_of(const struct body *b)
{
	const uint32_t number = 0x0a000000 + (b->pid << 16) + b->n;
	struct ip_addr a = ip_v4(number);
	if (!b->wide)
		return a;
	const uint8_t bytes[16] = {
		0x20,         0x01, 0x0d, 0xb8, 0, (uint8_t)b->pid, [14] = (uint8_t)(b->n >> 8),
		(uint8_t)b->n
	};
	return ip_from_bytes(bytes, sizeof(bytes));
}

static inline struct body body_at(const struct ip_addr *a)
{
	if (a->family == IP_V6)
		return (struct body){ .pid = a->bytes[5],
			              .n = (uint32_t)(a->bytes[14] << 8 | a->bytes[15]),
			              .wide = true };
	const uint32_t number = ip_v4_number(a);
	return (struct body){ .pid = number >> 16 & 0xff, .n = number & 0xffff };
}

static inline uint32_t world_place_of(void *ctx, const struct ip_addr *a)
{
	const struct world *w = ctx;
	return snapshot_locate(w->map, a);
}

static inline uint64_t identity_of(const struct body *b)
{
	return random_mix(((uint64_t)b->pid << 32 | b->n) * 2 + b->wide + 1);
}

static inline struct swarm_client client_of(struct world *w, const struct body *b)
{
	const struct ip_addr a = address_of(b);
	return (struct swarm_client){
		.identity = identity_of(b), .addr = a, .port = 6881, .place = world_place_of(w, &a)
	};
}

struct maps {
	struct map_topology topologies[PROVIDERS_MAX];
	struct map_pid pids[PROVIDERS_MAX][PIDS_EACH];
	struct ip_prefix prefixes[PROVIDERS_MAX][PIDS_EACH][2];
	struct map_interconnect interconnects[PROVIDERS_MAX][PROVIDERS_MAX + 1];
	uint32_t asns[PROVIDERS_MAX];
	struct map_source sources[PROVIDERS_MAX];
};

static const char *const isp_names[PROVIDERS_MAX] = { "isp-a", "isp-b", "isp-c", "isp-d",
	                                              "isp-e", "isp-f", "isp-g", "isp-h",
	                                              "isp-i", "isp-j", "isp-k", "isp-l",
	                                              "isp-m", "isp-n", "isp-o", "isp-p" };
static const char *const pid_names[PIDS_EACH] = { "p0", "p1", "p2", "p3" };
static const char *const ix_names[PROVIDERS_MAX] = { "x0",  "x1",  "x2",  "x3", "x4",  "x5",
	                                             "x6",  "x7",  "x8",  "x9", "x10", "x11",
	                                             "x12", "x13", "x14", "x15" };

static inline void describe(struct maps *m, unsigned i, unsigned n, const struct isp *isp)
{
	struct map_topology *t = &m->topologies[i];
	m->asns[i] = 64500 + i;
	*t = (struct map_topology){ .provider = isp_names[i],
		                    .asns = &m->asns[i],
		                    .n_asns = 1,
		                    .pids = m->pids[i],
		                    .n_pids = isp->pids,
		                    .interconnects = m->interconnects[i] };
	for (unsigned k = 0; k < isp->pids; k++) {
		struct ip_prefix *p = m->prefixes[i][k];
		p[0] = (struct ip_prefix){
			.addr = address_of(&(struct body){ .pid = PIDS_EACH * i + k }), .length = 16
		};
		p[1] = (struct ip_prefix){ .addr = address_of(&(struct body){
						   .pid = PIDS_EACH * i + k, .wide = true }),
			                   .length = 48 };
		m->pids[i][k] = (struct map_pid){ .name = pid_names[k],
			                          .prefixes = p,
			                          .n_prefixes = 2,
			                          .uploads = isp->uploads,
			                          .subscriber_up_kbps = isp->up_kbps,
			                          .monthly_upload_gb = isp->monthly_upload_gb };
	}
	for (unsigned k = 0; k < n; k++)
		if (isp->friends >> k & 1)
			m->interconnects[i][t->n_interconnects++] =
				(struct map_interconnect){ .id = ix_names[k],
				                           .pid = pid_names[0],
				                           .neighbor_asn = 64500 + k,
				                           .relation = RELATION_SETTLEMENT_FREE };
	m->interconnects[i][t->n_interconnects++] =
		(struct map_interconnect){ .id = "transit",
		                           .pid = pid_names[0],
		                           .neighbor_asn = 65000,
		                           .relation = RELATION_TRANSIT,
		                           .reach = REACH_ANY };
	m->sources[i] = (struct map_source){ t, NULL };
}

/* Providers [first, n) of those described. */
static inline struct map_snapshot *map_of(const struct isp *isps, unsigned first, unsigned n)
{
	struct map_snapshot *map;
	struct maps *m = calloc(1, sizeof(*m));
	assert_non_null(m);
	for (unsigned i = first; i < n; i++)
		describe(m, i, n, &isps[i]);
	assert_int_equal(map_compile(m->sources + first, n - first, &map, NULL), ERR_OK);
	free(m);
	return map;
}

static inline struct world *world_new(const struct isp *isps, unsigned n, size_t max_bytes)
{
	struct world *w = calloc(1, sizeof(*w));
	assert_non_null(w);
	w->map = map_of(isps, 0, n);
	w->map_number = 1;
	w->store = swarm_store_new(&(struct swarm_options){
		.shards = 1, .max_swarms = 4, .max_peers = 100000, .secret = 1 });
	w->bridges = bridge_store_new(1, max_bytes);
	assert_non_null(w->store);
	assert_non_null(w->bridges);
	w->rules = (struct steer_rules){ .policy = STEER_BRIDGE,
		                         .intra_pid_percent = 70,
		                         .intra_provider_percent = 80,
		                         .overload_percent = 150,
		                         .list_length = 20,
		                         .free_percent = 80,
		                         .paid_percent = 60 };
	w->now = 1000;
	w->seed = 1;
	return w;
}

static inline void world_free(struct world *w)
{
	swarm_store_free(w->store);
	bridge_store_free(w->bridges);
	snapshot_free(w->map);
	free(w);
}

/* Entered, with the places of this map. */
static inline struct swarm_visit world_enter(struct world *w)
{
	struct swarm_visit v;
	assert_int_equal(swarm_enter(w->store, world_hash, true, &v), ERR_OK);
	assert_int_equal(swarm_relocate(&v, w->map_number, world_place_of, w), ERR_OK);
	return v;
}

static inline struct choice_asker asker_of(const struct world *w, const struct swarm_visit *v,
                                           const struct swarm_asker *who)
{
	const struct swarm_where where = swarm_where(v);
	const uint32_t place = who->client.place;
	const bool mapped = snapshot_place(w->map, place).provider != NO_PROVIDER;
	return (struct choice_asker){ .map = w->map,
		                      .rules = &w->rules,
		                      .who = who,
		                      .place = place,
		                      .mapped = mapped,
		                      .steered = mapped && w->rules.policy != STEER_NATIVE,
		                      .noted = true,
		                      .page = { .store = w->bridges,
		                                .shard = where.shard,
		                                .swarm = where.hash,
		                                .now = w->now },
		                      .ends = w->now + TIMEOUT };
}

/* Comes, or is here still; returns whether it was here before. */
static inline bool put(struct world *w, struct swarm_visit *v, const struct body *b)
{
	struct swarm_change change;
	const struct swarm_peer peer = { .client = client_of(w, b),
		                         .role = b->seed      ? SWARM_SEED
		                                 : b->partial ? SWARM_PARTIAL
		                                              : SWARM_LEECHER,
		                         .expires = w->now + TIMEOUT };
	assert_int_equal(swarm_put(v, &peer, false, &change), ERR_OK);
	return !change.joined;
}

static inline void join(struct world *w, unsigned pid, uint32_t first, uint32_t n, bool seed)
{
	struct swarm_visit v = world_enter(w);
	for (uint32_t i = 0; i < n; i++)
		(void)put(w, &v, &(struct body){ .pid = pid, .n = first + i, .seed = seed });
	swarm_leave(&v);
}

/* An announce, and its answer in w->list. */
static inline size_t announce(struct world *w, const struct body *b, size_t want)
{
	struct swarm_visit v = world_enter(w);
	const bool known = put(w, &v, b);
	const struct swarm_asker who = { .client = client_of(w, b),
		                         .family = b->wide ? IP_V6 : IP_V4,
		                         .seeding = b->seed || b->partial };
	struct choice_asker asker = asker_of(w, &v, &who);
	asker.known = known;
	asker.received = w->received;
	asker.seconds = known ? w->seconds : 0;
	w->n = choice_make(&w->choice, &v, &asker, want, &w->seed);
	for (size_t i = 0; i < w->n; i++) {
		struct swarm_endpoint e;
		swarm_endpoint(&v, &w->choice.list[i], false, &e);
		w->list[i] = (struct got){ body_at(&e.addr), w->choice.list[i].place };
		w->list[i].body.seed = w->choice.list[i].seed;
	}
	swarm_leave(&v);
	return w->n;
}

/* Without a word to the books: it was swept away. */
static inline void vanish(struct world *w, const struct body *b)
{
	struct swarm_visit v = world_enter(w);
	const struct swarm_client c = client_of(w, b);
	assert_true(swarm_remove(&v, &c, NULL));
	swarm_leave(&v);
}

/* event=stopped */
static inline void stop(struct world *w, const struct body *b)
{
	struct swarm_visit v = world_enter(w);
	const struct swarm_asker who = { .client = client_of(w, b),
		                         .family = b->wide ? IP_V6 : IP_V4 };
	const struct choice_asker asker = asker_of(w, &v, &who);
	choice_leave(&asker);
	(void)swarm_remove(&v, &who.client, NULL);
	swarm_leave(&v);
}

static inline size_t count_far(const struct world *w, unsigned provider)
{
	size_t n = 0;
	for (size_t i = 0; i < w->n; i++)
		n += provider_of(w->list[i].body.pid) != provider;
	return n;
}

/* The book of the provider whose PID this is, as it stands; NULL: none. */
static inline struct bridge_book *book_of(struct world *w, unsigned pid)
{
	struct swarm_visit v = world_enter(w);
	const struct swarm_client c = client_of(w, &(struct body){ .pid = pid });
	const struct swarm_asker who = { .client = c, .family = IP_V4 };
	struct bridge_page page = asker_of(w, &v, &who).page;
	const uint32_t provider = snapshot_place(w->map, c.place).provider;
	page.provider = snapshot_provider_hash(w->map, provider);
	struct bridge_book *b = bridge_find(&page);
	swarm_leave(&v);
	return b;
}
