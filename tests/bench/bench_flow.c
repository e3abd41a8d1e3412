/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Flow records decoded per CPU-second, beside libfixbuf where it is installed.
 *
 *   bench_flow [--check]            all workloads, in memory: one JSON object a line
 *   bench_flow --receive PORT       decodes what comes to a UDP port of 127.0.0.1 until SIGTERM
 *   bench_flow --send WORKLOAD PORT DATAGRAMS
 *
 * In memory each decoder gets the same datagrams in turns, numbered as an exporter does, and fills a
 * record with addresses, ports, interfaces, times and counters; what counts is the best turn of each.
 * libfixbuf reads IPFIX alone from memory. With --check a workload below a million records per
 * CPU-second, or one below twice libfixbuf's, is an error. bench_flow.py has the comparison over UDP.
 *
 * Exit status: 0 fine; 1 a bar was missed; 77 libfixbuf is not there to compare with; 2 wrong usage.
 */

#include "tests/bench/bench_flow.h"
#include "common/codec/flow/flow.h"
#include "tests/bench/measure.h"

#include <arpa/inet.h>
#include <signal.h>
#include <sys/socket.h>

enum { TURNS = 7, ROUNDS = 300, BAR = 1000000, BATCH = 64 };

struct sums {
	uint64_t records, bytes;
};

static void add(void *ctx, const struct flow_source *s, const struct flow_record *r)
{
	struct sums *sum = ctx;
	(void)s;
	sum->records++;
	sum->bytes += r->bytes;
}

struct ours {
	struct flow_decoder *d;
	struct flow_sink sink;
	struct sums sums;
};

static void ours_begin(struct ours *o)
{
	*o = (struct ours){ .d = flow_decoder_new(&(struct flow_limits){ 0 }) };
	o->sink = (struct flow_sink){ .ctx = &o->sums, .record = add };
	must(o->d != NULL);
}

static void ours_decode(void *ctx, uint8_t *bytes, size_t size)
{
	struct ours *o = ctx;
	const struct ip_addr from = ip_v4(0x7f000001);
	must(flow_decode(o->d, &from, bytes, size, 1800000020000, &o->sink, NULL) == ERR_OK);
}

/* Records per CPU-second of one turn. */
static double turn(struct datagrams *g, void (*decode)(void *, uint8_t *, size_t), void *ctx)
{
	const double began = cpu_seconds();
	for (unsigned round = 0; round < ROUNDS; round++)
		for (unsigned i = 1; i <= DATAGRAMS; i++) {
			datagram_number(g, i);
			decode(ctx, g->bytes[i], g->sizes[i]);
		}
	return (double)ROUNDS * DATAGRAMS * g->w->records / (cpu_seconds() - began);
}

struct figures {
	double ours, fixbuf;
};

static double larger(double a, double b)
{
	return a > b ? a : b;
}

static struct figures measure(const struct workload *w)
{
	struct figures best = { 0 };
	struct datagrams *g = datagrams_new(w), *h = datagrams_new(w);
	struct ours o;
	ours_begin(&o);
	struct fixbuf *f = w->version == 10 ? fixbuf_new() : NULL;
	if (g->sizes[0] > 0) {
		datagram_number(g, 0);
		datagram_number(h, 0);
		ours_decode(&o, g->bytes[0], g->sizes[0]);
		if (f != NULL)
			fixbuf_decode(f, h->bytes[0], h->sizes[0]);
	}
	for (unsigned i = 0; i < TURNS; i++) {
		best.ours = larger(best.ours, turn(g, ours_decode, &o));
		if (f != NULL)
			best.fixbuf = larger(best.fixbuf, turn(h, fixbuf_decode, f));
	}
	const struct flow_stats s = flow_decoder_stats(o.d);
	const uint64_t sent = (uint64_t)TURNS * ROUNDS * DATAGRAMS * w->records;
	must(o.sums.records == sent && s.before_template == 0);
	for (unsigned p = 0; p < FLOW_PROTOCOLS; p++)
		must(s.of[p].lost == 0 && s.of[p].late == 0 && s.of[p].resets == 0);
	must(f == NULL || (fixbuf_records(f) == sent && fixbuf_bytes(f) == o.sums.bytes));
	fixbuf_free(f);
	flow_decoder_free(o.d);
	free(g);
	free(h);
	return best;
}

static int all(bool check)
{
	bool missed = false, compared = false;
	for (unsigned i = 0; i < WORKLOADS; i++) {
		const struct figures f = measure(&workloads[i]);
		printf("{\"workload\": \"%s\", \"records_per_cpu_second\": %.0f", workloads[i].name,
		       f.ours);
		if (f.fixbuf > 0)
			printf(", \"libfixbuf\": %.0f, \"ratio\": %.2f", f.fixbuf,
			       f.ours / f.fixbuf);
		printf("}\n");
		(void)fflush(stdout);
		compared |= f.fixbuf > 0;
		missed |= f.ours < BAR || f.ours < 2 * f.fixbuf;
	}
	if (!compared)
		printf("no libfixbuf (libfixbuf-dev) to compare with\n");
	return check && missed ? EXIT_FAILURE : compared ? EXIT_SUCCESS : 77;
}

static int udp_socket(struct sockaddr_in *to, const char *port)
{
	const int fd = socket(AF_INET, SOCK_DGRAM, 0);
	*to = (struct sockaddr_in){ .sin_family = AF_INET,
		                    .sin_port = htons((uint16_t)strtoul(port, NULL, 10)),
		                    .sin_addr = { htonl(INADDR_LOOPBACK) } };
	must(fd >= 0);
	return fd;
}

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
	(void)signal;
	stopped = 1;
}

static int receive(const char *port)
{
	static uint8_t rooms[BATCH][DATAGRAM_MAX];
	struct iovec iov[BATCH];
	struct mmsghdr messages[BATCH] = { 0 };
	struct sockaddr_in at;
	struct ours o;
	const int fd = udp_socket(&at, port), buffer = 64 << 20;
	const struct sigaction action = { .sa_handler = stop };
	must(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer)) == 0);
	must(bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0);
	must(sigaction(SIGTERM, &action, NULL) == 0);
	ours_begin(&o);
	for (unsigned i = 0; i < BATCH; i++) {
		iov[i] = (struct iovec){ .iov_base = rooms[i], .iov_len = DATAGRAM_MAX };
		messages[i].msg_hdr = (struct msghdr){ .msg_iov = &iov[i], .msg_iovlen = 1 };
	}
	printf("ready\n");
	(void)fflush(stdout);
	while (!stopped) {
		const int n = recvmmsg(fd, messages, BATCH, MSG_WAITFORONE, NULL);
		for (int i = 0; i < n; i++)
			ours_decode(&o, rooms[i], messages[i].msg_len);
	}
	printf("%lu\n", (unsigned long)o.sums.records);
	flow_decoder_free(o.d);
	(void)close(fd);
	return EXIT_SUCCESS;
}

/* So slowly that nobody loses anything: what counts is CPU time, not the wire. */
static int send_all(const struct workload *w, const char *port, unsigned long count)
{
	struct datagrams *g = datagrams_new(w);
	struct sockaddr_in to;
	const int fd = udp_socket(&to, port);
	const struct timespec pause = { .tv_nsec = 1000000 };
	for (unsigned long n = 0; n < count; n++) {
		const unsigned i = n == 0 && g->sizes[0] > 0 ? 0 : 1 + (unsigned)(n % DATAGRAMS);
		datagram_number(g, i);
		must(sendto(fd, g->bytes[i], g->sizes[i], 0, (struct sockaddr *)&to, sizeof(to)) >
		     0);
		if (n % 32 == 0)
			(void)nanosleep(&pause, NULL);
	}
	free(g);
	(void)close(fd);
	return EXIT_SUCCESS;
}

static const struct workload *workload_of(const char *name)
{
	for (unsigned i = 0; i < WORKLOADS; i++)
		if (strcmp(workloads[i].name, name) == 0)
			return &workloads[i];
	return NULL;
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";
	if (argc == 1 || (argc == 2 && strcmp(mode, "--check") == 0))
		return all(argc == 2);
	if (argc == 3 && strcmp(mode, "--receive") == 0)
		return receive(argv[2]);
	if (argc == 5 && strcmp(mode, "--send") == 0 && workload_of(argv[2]) != NULL)
		return send_all(workload_of(argv[2]), argv[3], strtoul(argv[4], NULL, 10));
	(void)fputs(
		"usage: bench_flow [--check | --receive PORT | --send WORKLOAD PORT DATAGRAMS]\n",
		stderr);
	return 2;
}
