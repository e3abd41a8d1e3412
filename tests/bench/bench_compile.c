/* SPDX-License-Identifier: Apache-2.0 */

/*
 * How long the map compiler takes, and what it costs to ask its snapshot, at the scale to plan for
 * (DESIGN section 3): 200 providers, 10,000 PIDs, 1.0 M IPv4 and 0.2 M IPv6 prefixes, 75,000 ASNs,
 * 2,000 interconnects. Prefix lengths are BGP-like; sizes of providers and customer cones are
 * skewed, as in the wild. Exits 1 when a limit of the compiler's contract is passed.
 */

#include "common/base/random.h"
#include "common/map/snapshot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum {
	PROVIDERS = 200,
	PIDS = 10000,
	PREFIXES_V4 = 1000000,
	PREFIXES_V6 = 200000,
	ZONES = 20000,
	ASNS = 75000,
	EDGES = 10, /* of each provider */
	QUESTIONS = 1 << 21,
	HOT = 512,
	SECONDS_MAX = 10,
	MEGABYTES_MAX = 2048,
	COLD_NS_MAX = 60
};

struct bench {
	uint64_t seed;
	struct arena *arena;
	struct map_topology topologies[PROVIDERS];
	struct map_source sources[PROVIDERS];
	struct map_pid *pids[PIDS]; /* of all providers */
	struct ip_prefix *v4, *v6, *zones;
};

static void *take(struct bench *b, size_t size)
{
	void *p = arena_take(b->arena, size);
	must(p != NULL);
	return p;
}

static const char *name(struct bench *b, const char *kind, size_t i)
{
	char *text = take(b, 32);
	(void)snprintf(text, 32, "%s-%zu", kind, i);
	return text;
}

/* ---- the documents ---- */

static struct ip_prefix some_v4(struct bench *b)
{
	static const uint8_t lengths[] = { 24, 24, 24, 24, 24, 24, 24, 24, 24, 24,
		                           24, 23, 22, 22, 22, 21, 20, 19, 16, 32 };
	const uint8_t length = lengths[random_below(&b->seed, sizeof(lengths))];
	const uint32_t a = 0x01000000 + random_below(&b->seed, 0xdf000000 - 0x01000000);
	return (struct ip_prefix){ ip_v4(a & ~0U << (32 - length)), length };
}

static struct ip_prefix some_v6(struct bench *b)
{
	static const uint8_t lengths[] = { 48, 48, 48, 48, 48, 32, 32, 44, 40, 36, 29, 56 };
	const uint8_t length = lengths[random_below(&b->seed, sizeof(lengths))];
	uint64_t a = (random_next(&b->seed) >> 3 | (uint64_t)1 << 61) & ~(uint64_t)0
	                                                                        << (64 - length);
	struct ip_prefix p = { { .family = IP_V6 }, length };
	for (size_t i = 8; i-- > 0; a >>= 8)
		p.addr.bytes[i] = (uint8_t)a;
	return p;
}

/* The first tenth of the providers holds half of the PIDs. */
static void make_pids(struct bench *b)
{
	size_t made = 0;
	for (size_t i = 0; i < PROVIDERS; i++) {
		struct map_topology *t = &b->topologies[i];
		t->n_pids = i < PROVIDERS / 10 ? PIDS / 2 / (PROVIDERS / 10)
		                               : (PIDS - made) / (PROVIDERS - i);
		t->pids = take(b, t->n_pids * sizeof(*t->pids));
		for (size_t k = 0; k < t->n_pids; k++) {
			t->pids[k].name = name(b, "pid", k);
			b->pids[made++] = &t->pids[k];
		}
	}
	must(made == PIDS);
}

/* Most PIDs hold IPv4 and IPv6. */
static void make_prefixes(struct bench *b)
{
	const size_t v4_each = PREFIXES_V4 / PIDS, v6_each = PREFIXES_V6 / PIDS;
	b->v4 = take(b, PREFIXES_V4 * sizeof(*b->v4));
	b->v6 = take(b, PREFIXES_V6 * sizeof(*b->v6));
	b->zones = take(b, ZONES * sizeof(*b->zones));
	for (size_t i = 0; i < PREFIXES_V4; i++)
		b->v4[i] = some_v4(b);
	for (size_t i = 0; i < PREFIXES_V6; i++)
		b->v6[i] = some_v6(b);
	for (size_t i = 0; i < ZONES; i++)
		b->zones[i] = some_v4(b);
	for (size_t i = 0; i < PIDS; i++) {
		struct map_pid *p = b->pids[i];
		p->n_prefixes = v4_each + v6_each;
		p->prefixes = take(b, p->n_prefixes * sizeof(*p->prefixes));
		memcpy(p->prefixes, &b->v4[i * v4_each], v4_each * sizeof(*b->v4));
		memcpy(p->prefixes + v4_each, &b->v6[i * v6_each], v6_each * sizeof(*b->v6));
	}
}

/* A ring with chords. */
static void make_links(struct bench *b, struct map_topology *t)
{
	t->n_links = 2 * t->n_pids;
	t->links = take(b, t->n_links * sizeof(*t->links));
	for (size_t i = 0; i < t->n_links; i++) {
		const size_t from = i % t->n_pids;
		const size_t to = i < t->n_pids ? (from + 1) % t->n_pids
		                                : random_below(&b->seed, (uint32_t)t->n_pids);
		t->links[i] = (struct map_link){ .id = name(b, "link", i),
			                         .a = t->pids[from].name,
			                         .b = t->pids[to].name,
			                         .weight = 1 + random_below(&b->seed, 100) };
	}
}

/* A cone of some hundred to thousands of ASNs, or a slice of the zones. */
static void fill_list(struct bench *b, struct map_interconnect *x, size_t number)
{
	x->n_reach_asns = 200 + random_below(&b->seed, 20) * random_below(&b->seed, 200);
	x->reach_asns = take(b, x->n_reach_asns * sizeof(*x->reach_asns));
	for (size_t i = 0; i < x->n_reach_asns; i++)
		x->reach_asns[i] = 1 + random_below(&b->seed, ASNS);
	x->n_reach_prefixes = 25;
	x->reach_prefixes = &b->zones[number * 25 % (ZONES - 25)];
}

static void make_interconnects(struct bench *b, size_t provider)
{
	static const enum map_relation relations[] = { RELATION_TRANSIT, RELATION_TRANSIT,
		                                       RELATION_SETTLEMENT_FREE,
		                                       RELATION_PAID_PEERING, RELATION_CUSTOMER };
	struct map_topology *t = &b->topologies[provider];
	t->n_interconnects = EDGES;
	t->interconnects = take(b, EDGES * sizeof(*t->interconnects));
	for (size_t i = 0; i < EDGES; i++) {
		struct map_interconnect *x = &t->interconnects[i];
		const size_t neighbor = random_below(&b->seed, PROVIDERS);
		*x = (struct map_interconnect){
			.id = name(b, "edge", i),
			.pid = t->pids[random_below(&b->seed, (uint32_t)t->n_pids)].name,
			.neighbor_asn = b->topologies[neighbor].asns[0],
			.relation =
				i < 2 ? RELATION_TRANSIT : relations[2 + random_below(&b->seed, 3)],
			.capacity_mbps = 100000,
			.reach = i < 2   ? REACH_ANY
			         : i < 6 ? REACH_NEIGHBOR
			                 : REACH_LIST,
		};
		if (x->reach == REACH_LIST)
			fill_list(b, x, provider * 4 + i - 6);
	}
}

static void make_documents(struct bench *b)
{
	make_pids(b);
	make_prefixes(b);
	for (size_t i = 0; i < PROVIDERS; i++) {
		struct map_topology *t = &b->topologies[i];
		t->provider = name(b, "isp", i);
		t->n_asns = 1 + i % 3;
		t->asns = take(b, t->n_asns * sizeof(*t->asns));
		for (size_t k = 0; k < t->n_asns; k++)
			t->asns[k] = (uint32_t)(1 + 3 * i + k);
		b->sources[i].topology = t;
	}
	for (size_t i = 0; i < PROVIDERS; i++) {
		make_links(b, &b->topologies[i]);
		make_interconnects(b, i);
	}
}

/* ---- the questions ---- */

static double seconds(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static size_t megabytes(void)
{
	struct rusage usage;
	(void)getrusage(RUSAGE_SELF, &usage);
	return (size_t)usage.ru_maxrss / 1024;
}

static uint64_t sink; /* keeps the optimiser from dropping the questions */

/* Random addresses inside random prefixes; the first HOT of them over and over when hot. */
static double locate_ns(struct bench *b, const struct map_snapshot *s,
                        const struct ip_prefix *prefixes, uint32_t n, size_t different)
{
	struct ip_addr *asked = malloc(different * sizeof(*asked));
	must(asked != NULL);
	for (size_t i = 0; i < different; i++) {
		asked[i] = prefixes[random_below(&b->seed, n)].addr;
		asked[i].bytes[asked[i].family == IP_V4 ? 3 : 15] |= (uint8_t)random_next(&b->seed);
	}
	const double start = seconds();
	for (size_t i = 0; i < QUESTIONS; i++)
		sink += snapshot_locate(s, &asked[i & (different - 1)]);
	const double ns = (seconds() - start) * 1e9 / QUESTIONS;
	free(asked);
	return ns;
}

/* From one of `near` PIDs to one of `far` places, or back: a hot set is a swarm's. */
static double pair_ns(struct bench *b, const struct map_snapshot *s, uint32_t near, uint32_t far)
{
	uint32_t(*asked)[2] = malloc(QUESTIONS * sizeof(*asked));
	must(asked != NULL);
	for (size_t i = 0; i < QUESTIONS; i++) {
		const size_t swap = i & 1;
		asked[i][swap] = 1 + random_below(&b->seed, near);
		asked[i][1 - swap] = 1 + random_below(&b->seed, far);
	}
	const double start = seconds();
	for (size_t i = 0; i < QUESTIONS; i++) {
		const struct map_pair pair = snapshot_pair(s, asked[i][0], asked[i][1]);
		sink += pair.price + pair.out + pair.in;
	}
	const double ns = (seconds() - start) * 1e9 / QUESTIONS;
	free(asked);
	return ns;
}

int main(void)
{
	static struct bench b = { .seed = 1 };
	struct map_snapshot *s = NULL;
	struct fault fault = { 0 };

	b.arena = arena_new(1 << 20);
	must(b.arena != NULL);
	make_documents(&b);
	const size_t documents_mb = megabytes();
	const double start = seconds();
	if (map_compile(b.sources, PROVIDERS, &s, &fault) != ERR_OK) {
		(void)fprintf(stderr, "%s: %s\n", fault.where, fault.text);
		return 1;
	}
	const double compile_s = seconds() - start;
	const size_t peak_mb = megabytes();
	const struct map_counts counts = snapshot_counts(s);
	const uint32_t places = (uint32_t)counts.places - 1;

	const double v4_cold = locate_ns(&b, s, b.v4, PREFIXES_V4, QUESTIONS);
	const double v4_hot = locate_ns(&b, s, b.v4, PREFIXES_V4, HOT);
	const double v6_cold = locate_ns(&b, s, b.v6, PREFIXES_V6, QUESTIONS);
	const double v6_hot = locate_ns(&b, s, b.v6, PREFIXES_V6, HOT);
	const double pids_cold = pair_ns(&b, s, PIDS, PIDS);
	const double places_cold = pair_ns(&b, s, PIDS, places);
	const double pids_hot = pair_ns(&b, s, 10, 1000);
	(void)printf("{\"compile_s\": %.2f, \"documents_mb\": %zu, \"peak_mb\": %zu, "
	             "\"snapshot_mb\": %zu, \"places\": %zu,\n"
	             " \"locate_ns\": {\"v4_cold\": %.1f, \"v4_hot\": %.1f, \"v6_cold\": %.1f, "
	             "\"v6_hot\": %.1f},\n"
	             " \"pair_ns\": {\"pids_cold\": %.1f, \"places_cold\": %.1f, \"hot\": %.1f}}\n",
	             compile_s, documents_mb, peak_mb, counts.bytes >> 20, counts.places, v4_cold,
	             v4_hot, v6_cold, v6_hot, pids_cold, places_cold, pids_hot);
	snapshot_free(s);
	arena_free(b.arena);
	return compile_s > SECONDS_MAX || peak_mb > MEGABYTES_MAX || v4_cold > COLD_NS_MAX ||
	       sink == 0;
}
