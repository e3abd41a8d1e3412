/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What the tracker's own code costs an announce over UDP, sockets and kernel left out: batches of
 * datagrams go through tracker_udp() with swarms, a map of 200 PIDs, steering and accounting as they
 * are. Small swarms, a Zipf catalogue, one giant, and a swarm of 200 peers beside it; under both
 * policies. Then, what new prices and a new map do to latency. One JSON object for each line; with an
 * argument only the workloads of that name.
 */

#include "common/codec/udp_tracker.h"
#include "server/tracker/tracker.h"
#include "tests/bench/measure.h"

#include <ftw.h>
#include <inttypes.h>
#include <string.h>

enum { PROVIDERS_MAX = 100, PIDS_EACH = 20, NOW = 1000, ROUND = 1 << 14 };

struct workload {
	const char *name;
	uint32_t swarms, peers;
	bool zipf;
	uint32_t want, providers;
};

struct bench {
	const struct workload *workload;
	struct tracker *tracker;
	struct accounting *accounting;
	uint32_t *swarm_of;   /* of each peer */
	uint64_t *connection; /* id of each of its address */
	uint64_t seed, bytes;
};

/* PID `k` of provider `p` has the addresses 10.p.k.0/24. */
static struct ip_prefix prefix_of(uint32_t p, uint32_t k)
{
	return (struct ip_prefix){ ip_v4(10U << 24 | p << 16 | k << 8), 24 };
}

static struct ip_addr address_of(const struct workload *w, uint32_t peer)
{
	const uint32_t pid = (uint32_t)random_mix(peer) % (w->providers * PIDS_EACH);
	return ip_v4(10U << 24 | pid / PIDS_EACH << 16 | pid % PIDS_EACH << 8 | (peer & 255));
}

/* `shift`: by how many PIDs every block of addresses is further on. */
static struct map_snapshot *make_map(uint32_t providers, uint32_t shift)
{
	static char names[PROVIDERS_MAX][16], pid_names[PIDS_EACH][16];
	static char edge_names[PROVIDERS_MAX][16];
	static uint32_t asns[PROVIDERS_MAX];
	static struct ip_prefix prefixes[PROVIDERS_MAX][PIDS_EACH];
	static struct map_pid pids[PROVIDERS_MAX][PIDS_EACH];
	static struct map_interconnect edges[PROVIDERS_MAX][PROVIDERS_MAX];
	static struct map_topology topologies[PROVIDERS_MAX];
	static struct map_source sources[PROVIDERS_MAX];
	struct map_snapshot *map;
	for (uint32_t k = 0; k < PIDS_EACH; k++)
		(void)snprintf(pid_names[k], sizeof(pid_names[k]), "pid-%u", k);
	for (uint32_t p = 0; p < providers; p++) {
		(void)snprintf(names[p], sizeof(names[p]), "isp-%u", p);
		(void)snprintf(edge_names[p], sizeof(edge_names[p]), "to-%u", p);
		asns[p] = 64500 + p;
		for (uint32_t k = 0; k < PIDS_EACH; k++) {
			prefixes[p][k] = prefix_of(p, (k + shift) % PIDS_EACH);
			pids[p][k] = (struct map_pid){ .name = pid_names[k],
				                       .prefixes = &prefixes[p][k],
				                       .n_prefixes = 1 };
		}
		uint32_t n = 0;
		for (uint32_t q = 0; q < providers; q++)
			if (q != p)
				edges[p][n++] = (struct map_interconnect){
					.id = edge_names[q],
					.pid = pid_names[q % PIDS_EACH],
					.neighbor_asn = 64500 + q,
					.relation = (p + q) % 3 == 0 ? RELATION_PAID_PEERING
					                             : RELATION_SETTLEMENT_FREE,
				};
		topologies[p] = (struct map_topology){ .provider = names[p],
			                               .asns = &asns[p],
			                               .n_asns = 1,
			                               .pids = pids[p],
			                               .n_pids = PIDS_EACH,
			                               .interconnects = edges[p],
			                               .n_interconnects = n };
		sources[p].topology = &topologies[p];
	}
	for (uint32_t q = 0; q < providers; q++)
		(void)snprintf(edge_names[q], sizeof(edge_names[q]), "to-%u", q);
	must(map_compile(sources, providers, &map, NULL) == ERR_OK);
	return map;
}

static void write_announce(const struct bench *b, uint32_t peer,
                           uint8_t out[static UDP_ANNOUNCE_SIZE])
{
	uint8_t hash[INFO_HASH_SIZE] = { 0 }, id[PEER_ID_SIZE] = { 0 };
	const uint64_t h = random_mix(b->swarm_of[peer] + 1), k = random_mix(peer);
	memcpy(hash, &h, sizeof(h));
	memcpy(id, &k, sizeof(k));
	struct writer w = writer_over(out, UDP_ANNOUNCE_SIZE);
	writer_u64(&w, b->connection[peer]);
	writer_u32(&w, UDP_ANNOUNCE);
	writer_u32(&w, peer);
	writer_bytes(&w, hash, sizeof(hash));
	writer_bytes(&w, id, sizeof(id));
	writer_u64(&w, 0);
	writer_u64(&w, k >> 32 & 1); /* the lower bits say in which PID it is */
	writer_u64(&w, 0);
	writer_u32(&w, EVENT_NONE);
	writer_u32(&w, 0);
	writer_u32(&w, (uint32_t)k | 1);
	writer_u32(&w, b->workload->want);
	writer_u16(&w, (uint16_t)(1024 + peer / 65536));
}

/* One batch: connects when `connects`, else announces. */
static void batch(struct bench *b, const uint32_t *peers, bool connects)
{
	static uint8_t in[NET_BATCH_MAX][UDP_ANNOUNCE_SIZE], out[NET_BATCH_MAX][NET_DATAGRAM_MAX];
	static struct net_datagram d[NET_BATCH_MAX];
	for (size_t i = 0; i < NET_BATCH_MAX; i++) {
		struct writer w = writer_over(in[i], UDP_CONNECT_SIZE);
		writer_u64(&w, 0x41727101980);
		writer_u32(&w, UDP_CONNECT);
		writer_u32(&w, 0);
		if (!connects)
			write_announce(b, peers[i], in[i]);
		d[i] = (struct net_datagram){ .in = in[i],
			                      .in_size = connects ? UDP_CONNECT_SIZE
			                                          : UDP_ANNOUNCE_SIZE,
			                      .from = address_of(b->workload, peers[i]),
			                      .from_port = 9999,
			                      .out = out[i] };
	}
	tracker_udp(b->tracker, 0, (uint64_t)NOW * 1000, d, NET_BATCH_MAX);
	for (size_t i = 0; i < NET_BATCH_MAX; i++) {
		must(d[i].out_size >= UDP_CONNECT_SIZE);
		b->bytes += d[i].out_size;
		if (connects) {
			struct reader r = reader_over(out[i] + 8, 8);
			b->connection[peers[i]] = reader_u64(&r);
		}
	}
}

static void everybody(struct bench *b, bool connects)
{
	uint32_t peers[NET_BATCH_MAX];
	for (uint32_t i = 0; i < b->workload->peers; i += NET_BATCH_MAX) {
		for (uint32_t j = 0; j < NET_BATCH_MAX; j++)
			peers[j] = (i + j) % b->workload->peers;
		batch(b, peers, connects);
	}
}

static int compare(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* A second of rounds: the median round's figure, and the best one's, which other load does not reach. */
static double nanoseconds(struct bench *b, double *least)
{
	enum { ROUNDS_MAX = 400 };
	struct fault fault;
	double rounds[ROUNDS_MAX];
	const double start = cpu_seconds();
	size_t n = 0;
	while (n < ROUNDS_MAX && cpu_seconds() - start < 1) {
		const double before = cpu_seconds();
		for (unsigned i = 0; i < ROUND; i += NET_BATCH_MAX) {
			uint32_t peers[NET_BATCH_MAX];
			for (size_t j = 0; j < NET_BATCH_MAX; j++)
				peers[j] = random_below(&b->seed, b->workload->peers);
			batch(b, peers, false);
		}
		rounds[n++] = (cpu_seconds() - before) / ROUND * 1e9;
		if (n % 8 == 0) /* the drain is another thread's work */
			must(accounting_tick(b->accounting, time(NULL), &fault) == ERR_OK);
	}
	qsort(rounds, n, sizeof(*rounds), compare);
	*least = rounds[0];
	return rounds[n / 2];
}

/*
 * A new map in which everybody has another place. What each batch costs before and after is measured,
 * and replayed as a queue to which batches come evenly, at 70 % of what was possible before: so these
 * are latencies of a machine that does nothing else. An announce costs KERNEL_SECONDS more than here
 * (bench_udp.py's echo).
 */
enum { SWAP_BATCHES = 4096 };
static const double KERNEL_SECONDS = 4e-6, SWAP_LOAD = 0.7;

static double costs_of(struct bench *b, double cost[static SWAP_BATCHES])
{
	double sum = 0;
	for (unsigned i = 0; i < SWAP_BATCHES; i++) {
		uint32_t peers[NET_BATCH_MAX];
		for (size_t j = 0; j < NET_BATCH_MAX; j++)
			peers[j] = random_below(&b->seed, b->workload->peers);
		const double before = cpu_seconds();
		batch(b, peers, false);
		cost[i] = cpu_seconds() - before + NET_BATCH_MAX * KERNEL_SECONDS;
		sum += cost[i];
	}
	return sum;
}

/* The 99th percentile of waiting and service, in microseconds. */
static double p99_of(const double cost[static SWAP_BATCHES], double gap)
{
	static double latency[SWAP_BATCHES];
	double free_at = 0;
	for (unsigned i = 0; i < SWAP_BATCHES; i++) {
		const double now = i * gap;
		free_at = (free_at > now ? free_at : now) + cost[i];
		latency[i] = free_at - now;
	}
	qsort(latency, SWAP_BATCHES, sizeof(*latency), compare);
	return latency[SWAP_BATCHES * 99 / 100] * 1e6;
}

static void raise_prices(struct map_office *office)
{
	struct map_lease lease = { 0 };
	struct map_snapshot *next;
	const struct map_snapshot *map = map_renew(office, &lease);
	const size_t n = snapshot_counts(map).interconnects;
	struct map_crossing *prices = malloc(n * sizeof(*prices));
	must(prices != NULL);
	for (uint32_t i = 0; i < n; i++)
		prices[i] = (struct map_crossing){ 100 + i % 7, 100 + i % 5 };
	must(snapshot_reprice(map, &(struct map_prices){ .interconnects = prices }, &next) ==
	     ERR_OK);
	must(map_publish_prices(office, &lease, next) == ERR_OK);
	map_end(&lease);
	free(prices);
}

static void swap_maps(struct bench *b, struct map_office *office)
{
	static double before[SWAP_BATCHES], priced[SWAP_BATCHES], after[SWAP_BATCHES];
	const double gap = costs_of(b, before) / SWAP_BATCHES / SWAP_LOAD;
	raise_prices(office);
	(void)costs_of(b, priced);
	must(map_publish(office, make_map(b->workload->providers, 1)) == ERR_OK);
	(void)costs_of(b, after);
	printf("{\"workload\": \"%s\", \"p99_us\": %.0f, \"prices_p99_us\": %.0f, "
	       "\"swap_p99_us\": %.0f}\n",
	       b->workload->name, p99_of(before, gap), p99_of(priced, gap), p99_of(after, gap));
}

static void race(struct bench *b, struct tracker_settings *settings)
{
	const struct workload *w = b->workload;
	for (enum steer_policy policy = STEER_NATIVE; policy < STEER_POLICIES; policy++) {
		settings->rules.policy = policy;
		must(tracker_reload(b->tracker, settings) == ERR_OK);
		if (policy == STEER_BRIDGE)
			everybody(b, false); /* who shall meet does */
		double least;
		const double ns = nanoseconds(b, &least);
		printf("{\"workload\": \"%s\", \"pids\": %u, \"want\": %u, \"policy\": \"%s\", "
		       "\"ns\": %.0f, \"least\": %.0f}\n",
		       w->name, w->providers * PIDS_EACH, w->want, steer_policy_names[policy], ns,
		       least);
		(void)fflush(stdout);
	}
}

static void show_bridges(const struct workload *w, const struct bridge_store *bridges)
{
	const struct bridge_totals met = bridge_totals(bridges);
	printf("{\"workload\": \"%s\", \"bridge_books\": %" PRIu64 ", \"bridge_entries\": %" PRIu64
	       ", \"bridge_bytes_a_peer\": %.1f}\n",
	       w->name, met.books, met.entries, (double)met.bytes / w->peers);
}

static void run(const struct workload *w, const char *state_dir)
{
	struct bench b = { .workload = w, .seed = 1 };
	struct fault fault;
	b.swarm_of = malloc(w->peers * sizeof(*b.swarm_of));
	b.connection = malloc(w->peers * sizeof(*b.connection));
	must(b.swarm_of != NULL && b.connection != NULL);
	choose_swarms(b.swarm_of, w->peers, w->swarms, w->zipf, &b.seed);
	struct map_office *office = map_office_new(snapshot_free);
	struct metrics *metrics = metrics_new(2);
	struct swarm_store *swarms =
		swarm_store_new(&(struct swarm_options){ .shards = 64,
	                                                 .max_swarms = 2 * w->swarms + 4096,
	                                                 .max_peers = w->peers + 1,
	                                                 .secret = 7 });
	struct bridge_store *bridges = bridge_store_new(64, (size_t)1 << 30);
	must(office != NULL && metrics != NULL && swarms != NULL && bridges != NULL);
	must(map_publish(office, make_map(w->providers, 0)) == ERR_OK);
	must(accounting_new(&(struct accounting_options){ .slots = 1,
	                                                  .bin_seconds = 300,
	                                                  .state_dir = state_dir,
	                                                  .ledger_max = 1 << 20,
	                                                  .office = office,
	                                                  .metrics = metrics,
	                                                  .now = time(NULL) },
	                    &b.accounting, &fault) == ERR_OK);
	struct tracker_settings settings = { .rules = steer_rules_usual,
		                             .max_peers = 200,
		                             .default_peers = 50,
		                             .interval = 1800,
		                             .min_interval = 900,
		                             .peer_timeout = 2700,
		                             .lab = true };
	const struct tracker_options o = { .workers = 1,
		                           .udp_workers = 1,
		                           .swarms = swarms,
		                           .bridges = bridges,
		                           .office = office,
		                           .accounting = b.accounting,
		                           .metrics = metrics };
	must(tracker_new(&o, &settings, &b.tracker) == ERR_OK);
	everybody(&b, true);
	everybody(&b, false);
	race(&b, &settings);
	show_bridges(w, bridges);
	swap_maps(&b, office);
	tracker_free(b.tracker);
	accounting_free(b.accounting);
	swarm_store_free(swarms);
	bridge_store_free(bridges);
	metrics_free(metrics);
	map_office_free(office);
	free(b.connection);
	free(b.swarm_of);
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *where)
{
	(void)status;
	(void)type;
	(void)where;
	return remove(path);
}

int main(int argc, char **argv)
{
	static const struct workload workloads[] = {
		{ "small", 1000, 50000, false, 50, 10 },
		{ "large", 100000, 1000000, true, 50, 10 },
		{ "giant", 1, 200000, false, 200, 10 },
		{ "200", 1, 200, false, 200, 10 },
		{ "2000-pids", 1, 200000, false, 200, 100 },
	};
	char state_dir[] = "/tmp/bench-announce-XXXXXX";
	must(mkdtemp(state_dir) != NULL);
	for (size_t i = 0; i < sizeof(workloads) / sizeof(*workloads); i++)
		if (argc < 2 || strcmp(argv[1], workloads[i].name) == 0)
			run(&workloads[i], state_dir);
	must(nftw(state_dir, remove_one, 8, FTW_DEPTH | FTW_PHYS) == 0);
	return EXIT_SUCCESS;
}
