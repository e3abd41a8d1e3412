/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What an announce costs in memory, from entering the swarm to the drawn list, and what a peer
 * weighs: small swarms, a Zipf catalogue, swarms of one, and one giant, with peers in 1, 20, 100 and
 * 1,000 places, under both policies. Sixteen neighbouring places are one provider's; what the map
 * would answer is made up on the spot, so its price is not in the figures. One JSON object a line.
 */

#include "common/steer/steer.h"
#include "common/swarm/swarm.h"
#include "tests/bench/measure.h"

#include <malloc.h>
#include <string.h>

enum {
	WANT_MAX = 200,
	WHOLE = 256,
	SPARE = 32,
	POOL = 1024,
	SLOTS = 2048,
	SHARDS = 256,
	ROUND = 1 << 14
};

struct workload {
	const char *name;
	uint32_t swarms, peers;
	bool zipf;
	size_t want;
};

struct bench {
	struct swarm_store *store;
	uint32_t *swarm_of; /* of each peer */
	uint32_t peers, places;
	enum steer_policy policy;
	size_t want;
	uint64_t seed, drawn;

	struct swarm_candidate pool[POOL];
	uint16_t next[POOL];
	struct steer_bucket groups[POOL];
	size_t n, n_groups;
};

static struct swarm_peer peer_number(const struct bench *b, uint32_t i)
{
	const uint64_t h = random_mix(i);
	return (struct swarm_peer){ .client = { .identity = h,
		                                .addr = ip_v4((uint32_t)h),
		                                .port = (uint16_t)(h >> 32 | 1),
		                                .place = 1 + (uint32_t)(h >> 16) % b->places },
		                    .role = h >> 48 & 3 ? SWARM_LEECHER : SWARM_SEED,
		                    .expires = 10000 };
}

static struct swarm_visit visit(const struct bench *b, uint32_t swarm)
{
	uint8_t hash[INFO_HASH_SIZE] = { 0 };
	const uint64_t h = random_mix(swarm + 1);
	memcpy(hash, &h, sizeof(h));
	struct swarm_visit v;
	must(swarm_enter(b->store, hash, true, &v) == ERR_OK);
	return v;
}

static void put(struct swarm_visit *v, const struct swarm_peer *p)
{
	struct swarm_change change;
	must(swarm_put(v, p, false, &change) == ERR_OK);
}

static void locate(uint32_t mine, struct steer_bucket *to)
{
	const uint32_t theirs = to->place;
	to->tier = theirs == mine             ? TIER_SAME_PID
	           : theirs >> 4 == mine >> 4 ? TIER_SAME_PROVIDER
	           : (theirs & 3) == 0        ? TIER_SETTLEMENT_FREE
	                                      : TIER_TRANSIT;
	to->price = 1 + ((theirs * 7 + mine) & 127) + (to->tier == TIER_TRANSIT ? 100 : 0);
}

/* As the tracker does it (server/tracker/choose.c): all of a small swarm, three parts of a large one. */
static void fill(struct bench *b, const struct swarm_visit *v, const struct swarm_asker *asker)
{
	static const struct swarm_places all = { .end = SWARM_PLACES_MAX }, none = { 0 };
	const uint32_t mine = asker->client.place, group = mine & ~15U;
	const struct swarm_places pid = { mine, mine + 1 }, provider = { group, group + 16 };
	const bool whole = swarm_candidates(v, asker, all) <= WHOLE;
	const size_t part = b->want + SPARE;
	struct swarm_candidate *to = b->pool;
	if (whole || b->policy == STEER_NATIVE) {
		b->n = swarm_pool(v, asker, all, none, whole ? WHOLE : part, &b->seed, to);
		return;
	}
	b->n = swarm_pool(v, asker, pid, none, b->want, &b->seed, to);
	b->n += swarm_pool(v, asker, provider, pid, part, &b->seed, to + b->n);
	b->n += swarm_pool(v, asker, all, provider, part, &b->seed, to + b->n);
}

/* Makes b->groups of the pool. */
static void divide(struct bench *b, uint32_t mine)
{
	static uint16_t slots[SLOTS];
	memset(slots, 0, sizeof(slots));
	b->n_groups = 0;
	for (uint16_t i = 0; i < b->n; i++) {
		const struct swarm_candidate *c = &b->pool[i];
		uint32_t at = c->place * 0x9e3779b1U >> 21;
		while (slots[at] != 0 && b->groups[slots[at] - 1].place != c->place)
			at = (at + 1) % SLOTS;
		if (slots[at] == 0) {
			slots[at] = (uint16_t)++b->n_groups;
			b->groups[b->n_groups - 1] = (struct steer_bucket){ .place = c->place };
			locate(mine, &b->groups[b->n_groups - 1]);
		}
		struct steer_bucket *g = &b->groups[slots[at] - 1];
		g->seeds += c->seed;
		g->others += !c->seed;
		b->next[i] = (uint16_t)g->handle;
		g->handle = i + 1;
	}
}

static void announce(struct bench *b, uint32_t i)
{
	static uint8_t out[WANT_MAX * 6];
	static const struct steer_rules rules[] = {
		{ .policy = STEER_NATIVE },
		{ .policy = STEER_P4P,
		  .intra_pid_percent = 70,
		  .intra_provider_percent = 80,
		  .overload_percent = 150 },
	};
	const struct swarm_peer p = peer_number(b, i);
	struct swarm_visit v = visit(b, b->swarm_of[i]);
	put(&v, &p);
	const struct swarm_asker asker = { .client = p.client,
		                           .family = IP_V4,
		                           .seeding = p.role == SWARM_SEED };
	fill(b, &v, &asker);
	divide(b, p.client.place);
	(void)steer_share(&rules[b->policy], true, b->groups, b->n_groups, b->want, &b->seed);
	uint8_t *end = out;
	for (size_t j = 0; j < b->n_groups; j++) {
		uint32_t member = b->groups[j].handle;
		for (uint32_t left = b->groups[j].take; left > 0; left--, b->drawn++) {
			end = swarm_compact(&v, b->pool[member - 1].spot, end);
			member = b->next[member - 1];
		}
	}
	swarm_leave(&v);
}

static int compare(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* Half a second of rounds; the figure is the median round's. */
static double nanoseconds(struct bench *b, double *drawn)
{
	enum { ROUNDS_MAX = 200 };
	double rounds[ROUNDS_MAX];
	const double start = cpu_seconds();
	size_t n = 0;
	b->drawn = 0;
	while (n < ROUNDS_MAX && cpu_seconds() - start < 0.5) {
		const double before = cpu_seconds();
		for (unsigned i = 0; i < ROUND; i++)
			announce(b, random_below(&b->seed, b->peers));
		rounds[n++] = (cpu_seconds() - before) / ROUND * 1e9;
	}
	*drawn = (double)b->drawn / (double)(n * ROUND);
	qsort(rounds, n, sizeof(*rounds), compare);
	return rounds[n / 2];
}

static void run(const struct workload *w, uint32_t places)
{
	static struct bench b;
	b = (struct bench){ .peers = w->peers, .places = places, .want = w->want, .seed = 1 };
	b.swarm_of = malloc(w->peers * sizeof(*b.swarm_of));
	must(b.swarm_of != NULL);
	choose_swarms(b.swarm_of, w->peers, w->swarms, w->zipf, &b.seed);
	for (uint32_t i = 0; w->swarms == w->peers && i < w->peers; i++)
		b.swarm_of[i] = i; /* each gets one, when there are as many */
	(void)malloc_trim(0);
	const size_t before = resident_bytes();
	b.store =
		swarm_store_new(&(struct swarm_options){ .shards = SHARDS,
	                                                 .max_swarms = 2 * w->swarms + SHARDS * 64,
	                                                 .max_peers = w->peers,
	                                                 .secret = 7 });
	must(b.store != NULL);
	for (uint32_t i = 0; i < w->peers; i++) {
		const struct swarm_peer p = peer_number(&b, i);
		struct swarm_visit v = visit(&b, b.swarm_of[i]);
		put(&v, &p);
		swarm_leave(&v);
	}
	const size_t resident = resident_bytes() - before;
	const struct swarm_totals totals = swarm_totals(b.store);
	for (unsigned policy = STEER_NATIVE; policy <= STEER_P4P; policy++) {
		b.policy = policy;
		double drawn;
		const double ns = nanoseconds(&b, &drawn);
		printf("{\"workload\": \"%s\", \"swarms\": %u, \"peers\": %u, \"places\": %u, "
		       "\"want\": %zu, \"policy\": \"%s\", \"ns\": %.0f, \"drawn\": %.1f, "
		       "\"resident_per_peer\": %.1f, \"bytes_per_peer\": %.1f}\n",
		       w->name, w->swarms, w->peers, places, w->want,
		       policy == STEER_NATIVE ? "native" : "p4p", ns, drawn,
		       (double)resident / w->peers, (double)totals.bytes / w->peers);
		(void)fflush(stdout);
	}
	swarm_store_free(b.store);
	free(b.swarm_of);
}

/* With an argument: only the workloads of that name. */
int main(int argc, char **argv)
{
	static const struct workload workloads[] = {
		{ "small", 1000, 50000, false, 50 },     { "zipf", 100000, 1000000, true, 50 },
		{ "lonely", 200000, 200000, false, 50 }, { "giant", 1, 200000, false, 50 },
		{ "giant", 1, 200000, false, 200 },
	};
	static const uint32_t places[] = { 1, 20, 100, 1000 };
	for (size_t w = 0; w < sizeof(workloads) / sizeof(*workloads); w++)
		for (size_t p = 0; p < sizeof(places) / sizeof(*places); p++)
			if (argc < 2 || strcmp(argv[1], workloads[w].name) == 0)
				run(&workloads[w], places[p]);
	return EXIT_SUCCESS;
}
