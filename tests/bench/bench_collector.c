/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What a flow record costs, from the socket to the bins.
 *
 * A child sends NetFlow v5, 30 records a datagram, over loopback; it stays at most half a receive buffer
 * ahead, so that nothing is dropped. The router has 200 ports at 100 interconnects, and half a million
 * live peers are known; a third of the flows lasted for minutes and are spread over two bins. CPU time is
 * that of the whole receiving process, the kernel's part and one tick a second included.
 * One JSON object. Exit status 1: below the bar of a million records a CPU second.
 */

#include "common/base/text.h"
#include "common/map/snapshot.h"
#include "server/collector/socket.h"
#include "tests/bench/measure.h"
#include "tests/unit/accounting/folder.h"
#include "tests/unit/collector/export.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

enum {
	EDGES = 100,
	PORTS = 2 * EDGES,
	PEERS = 500000,
	EACH = 30,
	DATAGRAMS = 200000,
	KINDS = 4096, /* different datagrams */
	AHEAD = 512,
	BAR = 1000000
};

struct bench {
	struct map_office *office;
	struct collector *c;
	_Atomic uint64_t *taken; /* datagrams, shared with the child */
};

static void publish(struct bench *b)
{
	struct text t = { 0 };
	struct arena *arena = arena_new(1 << 20);
	struct faults *faults = faults_new();
	struct map_topology *topology;
	struct map_snapshot *map;
	text_put(&t,
	         "{\"format\":\"p4p-topology/1\",\"provider\":\"isp-a\",\"asns\":[64500],"
	         "\"pids\":[{\"pid\":\"p\",\"prefixes\":[\"10.0.0.0/8\"]}],\"interconnects\":[");
	for (unsigned i = 0; i < EDGES; i++)
		text_printf(
			&t,
			"%s{\"id\":\"x%u\",\"pid\":\"p\",\"neighbor_asn\":%u,\"relation\":"
			"\"transit\",\"reach\":\"any\",\"exporters\":[{\"address\":\"127.0.0.1\","
			"\"ifindex\":%u},{\"address\":\"127.0.0.1\",\"ifindex\":%u}]}",
			i > 0 ? "," : "", i, 1000 + i, 2 * i + 1, 2 * i + 2);
	text_put(&t, "]}");
	must(map_topology_parse(t.bytes, t.size, arena, &topology, faults) == ERR_OK);
	const struct map_source source = { .topology = topology };
	must(map_compile(&source, 1, &map, NULL) == ERR_OK);
	must(map_publish(b->office, map) == ERR_OK);
	faults_free(faults);
	arena_free(arena);
	text_done(&t);
}

static struct ip_addr peer_address(uint32_t i)
{
	return ip_v4(0x0a000000 + i);
}

static void know_peers(struct bench *b)
{
	struct peer_set *peers = peer_set_new(PEERS, 1);
	must(peers != NULL);
	for (uint32_t i = 0; i < PEERS; i++) {
		const struct ip_addr a = peer_address(i);
		peer_set_add(peers, &a, 6881);
	}
	peer_set_free(collector_peers(b->c, peers));
}

static void take(void *ctx, const struct collector_datagram *batch, size_t n, int64_t now_ms,
                 uint64_t dropped)
{
	struct bench *b = ctx;
	collector_take(b->c, batch, n, now_ms, dropped);
	atomic_fetch_add(b->taken, n);
}

static struct export_flow random_flow(uint64_t *seed)
{
	const bool out = random_next(seed) % 2;
	const uint16_t port = (uint16_t)(1 + random_below(seed, PORTS)),
		       inside = (uint16_t)(1000 + random_below(seed, 8));
	return (struct export_flow){
		.from = 0x0a000000 + random_below(seed, 2 * PEERS),
		.to = 0x2e000000 + random_below(seed, 1 << 24),
		.in_if = out ? inside : port,
		.out_if = out ? port : inside,
		.from_port = 6881,
		.to_port = (uint16_t)random_next(seed),
		.packets = 1 + random_below(seed, 1000),
		.bytes = 40 + random_below(seed, 1 << 20),
		.first_ms = random_below(seed, 3) == 0 ? 200000 : 1000,
	};
}

/* The child. */
static int send_all(struct bench *b, uint16_t port)
{
	static uint8_t bytes[KINDS][EXPORT_MAX];
	const struct sockaddr_in to = { .sin_family = AF_INET,
		                        .sin_port = htons(port),
		                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const int fd = socket(AF_INET, SOCK_DGRAM, 0);
	uint64_t seed = 4;
	size_t size = 0;
	must(fd >= 0 && connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0);
	for (size_t i = 0; i < KINDS; i++) {
		struct export_flow flows[EACH];
		for (size_t k = 0; k < EACH; k++)
			flows[k] = random_flow(&seed);
		size = export_v5(bytes[i], flows, EACH, time(NULL), (uint32_t)i * EACH, 1);
	}
	for (uint64_t i = 0; i < DATAGRAMS; i++) {
		const uint32_t sequence = htonl((uint32_t)i * EACH);
		while (i - atomic_load(b->taken) > AHEAD)
			(void)usleep(200);
		memcpy(bytes[i % KINDS] + 16, &sequence, sizeof(sequence));
		must(send(fd, bytes[i % KINDS], size, 0) == (ssize_t)size);
	}
	return 0;
}

static double process_seconds(void)
{
	struct rusage r;
	must(getrusage(RUSAGE_SELF, &r) == 0);
	return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
	       (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) * 1e-6;
}

static void tick(struct bench *b)
{
	struct fault fault;
	if (collector_tick(b->c, time(NULL), &fault) != ERR_OK)
		(void)fprintf(stderr, "%s: %s\n", fault.where, fault.text);
}

/* CPU seconds for DATAGRAMS of them. */
static double run(struct bench *b)
{
	struct fault fault;
	struct flow_socket *socket;
	const struct flow_socket_options o = {
		.listen = "127.0.0.1:0", .receive_buffer = 32 << 20, .take = take, .ctx = b
	};
	must(flow_socket_start(&o, &socket, &fault) == ERR_OK);
	const pid_t child = fork();
	must(child >= 0);
	if (child == 0)
		_exit(send_all(b, flow_socket_port(socket)));
	while (atomic_load(b->taken) == 0)
		(void)usleep(1000);
	const double before = process_seconds();
	int status;
	while (waitpid(child, &status, WNOHANG) == 0) {
		tick(b);
		(void)sleep(1);
	}
	must(status == 0);
	flow_socket_stop(socket);
	return process_seconds() - before;
}

int main(void)
{
	struct fault fault;
	struct bench b = { .office = map_office_new(snapshot_free) };
	must(folder_make(NULL) == 0);
	b.taken = mmap(NULL, sizeof(*b.taken), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
	               -1, 0);
	must(b.taken != MAP_FAILED);
	publish(&b);
	const struct collector_options o = { .state_dir = folder,
		                             .bin_seconds = 300,
		                             .late_seconds = 3600,
		                             .overhead_bytes = 18,
		                             .measures_p2p = true,
		                             .office = b.office,
		                             .now = time(NULL) };
	must(collector_new(&o, &b.c, &fault) == ERR_OK);
	know_peers(&b);
	const double seconds = run(&b);
	const struct collector_stats s = collector_stats(b.c);
	const uint64_t records = s.decoder.of[FLOW_NETFLOW5].records;
	const double rate = (double)records / seconds;
	printf("{\"bench\":\"collector\",\"records\":%llu,\"dropped\":%llu,\"cpu_seconds\":%.3f,"
	       "\"records_per_cpu_second\":%.0f,\"ns_per_record\":%.0f}\n",
	       (unsigned long long)records, (unsigned long long)s.dropped, seconds, rate,
	       1e9 / rate);
	must(s.booked_bytes > 0 && s.inside_bytes == 0);
	collector_free(b.c);
	map_office_free(b.office);
	(void)folder_remove(NULL);
	return rate >= BAR ? 0 : 1;
}
