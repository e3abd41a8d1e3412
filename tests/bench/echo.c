/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A UDP tracker without a tracker: what the kernel alone costs per datagram.
 *
 * It answers whatever looks like BEP 15 with a reply of the right kind and size and thinks about
 * nothing: no connection ids, no swarms. Zeros stand where counts and peers would. So p4pload can load
 * it like any tracker, and its CPU time per reply is the ceiling of every tracker in its place.
 *
 * The default is the leanest loop known: one IPv4 socket bound to one address, recvmmsg and
 * sendmmsg, batches of 32, no control data, nothing fragmented. Options add one thing at a time, to
 * learn what that one costs; with --net it is server/net/udp.c that receives and sends, and the
 * replies stay the same.
 */

#include "common/base/cursor.h"
#include "common/base/text.h"
#include "common/codec/udp_tracker.h"
#include "server/net/udp.h"

#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BATCH_MAX = 256, HEAD_SIZE = 16, ROW_SIZE = 12, CONTROL = 128, BUFFER = 4 << 20 };

struct echo {
	uint64_t port, size, batch, workers;
	const char *net; /* what net_udp_start() shall listen on, or NULL */
	int dual, pktinfo, fragment, overflow, timeout, poll; /* options that are there or not */
	int fd;
	struct mmsghdr in[BATCH_MAX], out[BATCH_MAX];
	struct iovec in_at[BATCH_MAX], out_at[BATCH_MAX];
	struct sockaddr_storage from[BATCH_MAX];
	_Alignas(struct cmsghdr) uint8_t control[BATCH_MAX][CONTROL];
	uint8_t in_bytes[BATCH_MAX][NET_DATAGRAM_MAX], out_bytes[BATCH_MAX][NET_DATAGRAM_MAX];
};

static _Noreturn void fail(const char *what)
{
	(void)fprintf(stderr, "echo: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Action and transaction go back; the rest of `out` is zero for good. */
static size_t reply(const struct echo *e, const uint8_t *in, size_t in_size, uint8_t *out)
{
	if (in_size < HEAD_SIZE)
		return 0;
	memcpy(out, in + 8, 8);
	if (in[11] == UDP_CONNECT)
		return 16;
	return in[11] == UDP_SCRAPE ? 8 + (in_size - HEAD_SIZE) / INFO_HASH_SIZE * ROW_SIZE
	                            : e->size;
}

/* ---- bare ---- */

static void set(int fd, int level, int option, int value)
{
	if (setsockopt(fd, level, option, &value, sizeof(value)) != 0)
		fail("setsockopt");
}

static void open_socket(struct echo *e)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET,
		                  .sin_port = htons((uint16_t)e->port),
		                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const struct sockaddr_in6 v6 = { .sin6_family = AF_INET6,
		                         .sin6_port = htons((uint16_t)e->port) };
	if (e->pktinfo)
		v4.sin_addr.s_addr = htonl(INADDR_ANY); /* else it would be pointless */
	e->fd = socket(e->dual ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (e->fd < 0)
		fail("socket");
	if (e->dual)
		set(e->fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
	if (setsockopt(e->fd, SOL_SOCKET, SO_RCVBUFFORCE, &(int){ BUFFER }, sizeof(int)) != 0)
		set(e->fd, SOL_SOCKET, SO_RCVBUF, BUFFER);
	if (e->overflow)
		set(e->fd, SOL_SOCKET, SO_RXQ_OVFL, 1);
	if (e->pktinfo)
		set(e->fd, e->dual ? IPPROTO_IPV6 : IPPROTO_IP,
		    e->dual ? IPV6_RECVPKTINFO : IP_PKTINFO, 1);
	if (!e->fragment)
		set(e->fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
	const struct timeval wake = { .tv_usec = 200000 };
	if (e->timeout)
		(void)setsockopt(e->fd, SOL_SOCKET, SO_RCVTIMEO, &wake, sizeof(wake));
	if (bind(e->fd, e->dual ? (const struct sockaddr *)&v6 : (const struct sockaddr *)&v4,
	         e->dual ? sizeof(v6) : sizeof(v4)) != 0)
		fail("bind");
}

static uint16_t chosen_port(int fd)
{
	struct sockaddr_in6 at = { 0 }; /* the port is where it is in a sockaddr_in */
	socklen_t size = sizeof(at);
	if (getsockname(fd, (struct sockaddr *)&at, &size) != 0)
		fail("getsockname");
	return ntohs(at.sin6_port);
}

static void prepare(struct echo *e)
{
	for (size_t i = 0; i < e->batch; i++) {
		e->in_at[i] = (struct iovec){ e->in_bytes[i], NET_DATAGRAM_MAX };
		e->out_at[i] = (struct iovec){ e->out_bytes[i], 0 };
		e->in[i].msg_hdr = (struct msghdr){ .msg_name = &e->from[i],
			                            .msg_iov = &e->in_at[i],
			                            .msg_iovlen = 1 };
	}
}

/* With --pktinfo the received control data goes back as it came. */
static size_t answer(struct echo *e, size_t n)
{
	size_t replies = 0;
	for (size_t i = 0; i < n; i++) {
		const struct msghdr *from = &e->in[i].msg_hdr;
		const size_t size = reply(e, e->in_bytes[i], e->in[i].msg_len, e->out_bytes[i]);
		if (size == 0)
			continue;
		e->out_at[i].iov_len = size;
		e->out[replies++].msg_hdr = (struct msghdr){
			.msg_name = from->msg_name,
			.msg_namelen = from->msg_namelen,
			.msg_iov = &e->out_at[i],
			.msg_iovlen = 1,
			.msg_control = e->pktinfo ? from->msg_control : NULL,
			.msg_controllen = e->pktinfo ? from->msg_controllen : 0,
		};
	}
	return replies;
}

static _Noreturn void serve(struct echo *e)
{
	struct pollfd ready = { .fd = e->fd, .events = POLLIN };
	const bool control = e->pktinfo != 0 || e->overflow != 0;
	for (;;) {
		for (size_t i = 0; i < e->batch; i++) {
			struct msghdr *m = &e->in[i].msg_hdr;
			m->msg_namelen = sizeof(e->from[i]);
			m->msg_control = control ? e->control[i] : NULL;
			m->msg_controllen = control ? CONTROL : 0;
		}
		if (e->poll)
			(void)poll(&ready, 1, -1);
		const int n = recvmmsg(e->fd, e->in, (unsigned)e->batch,
		                       e->poll ? MSG_DONTWAIT : MSG_WAITFORONE, NULL);
		const size_t replies = n > 0 ? answer(e, (size_t)n) : 0;
		size_t done = 0;
		while (done < replies) {
			const int k = sendmmsg(e->fd, e->out + done, (unsigned)(replies - done), 0);
			done += k > 0 ? (size_t)k : 1;
		}
	}
}

/* ---- through server/net/udp.c ---- */

static void handle(void *ctx, unsigned worker, uint64_t now_ms, struct net_datagram *batch,
                   size_t n)
{
	(void)worker;
	(void)now_ms;
	for (size_t i = 0; i < n; i++)
		batch[i].out_size = reply(ctx, batch[i].in, batch[i].in_size, batch[i].out);
}

static _Noreturn void serve_net(struct echo *e)
{
	struct net_udp *u;
	struct fault fault = { 0 };
	const struct net_udp_options o = { .listen = e->net,
		                           .workers = (unsigned)e->workers,
		                           .receive_buffer = BUFFER,
		                           .handle = handle,
		                           .ctx = e };
	if (net_udp_start(&o, &u, &fault) != ERR_OK) {
		(void)fprintf(stderr, "echo: %s: %s\n", fault.where, fault.text);
		exit(1);
	}
	(void)printf("%u\n", net_udp_port(u));
	(void)fflush(stdout);
	for (;;)
		(void)pause();
}

/* ---- options ---- */

static const char usage[] =
	"Usage: echo [OPTION]...\n"
	"Answer BEP 15 requests with replies of the right size and no content. The port in use is\n"
	"printed as one line; end it with SIGTERM.\n\n"
	"  --port N         of 127.0.0.1; 0: the kernel chooses (0)\n"
	"  --size N         bytes of the reply to an announce: 20 and 6 for each peer (320: 50 peers)\n"
	"                   connects get 16, scrapes 8 and 12 for each info-hash\n"
	"  --batch N        datagrams received and sent at once (32)\n"
	"  --pktinfo        listen on every address; ask where each datagram went, answer from there\n"
	"  --dual           an IPv6 socket that hears IPv4, too; listens on every address\n"
	"  --fragment       let the kernel fragment replies, as it does by default\n"
	"  --overflow       ask for the drop counter with each datagram (SO_RXQ_OVFL)\n"
	"  --timeout        wake five times a second (SO_RCVTIMEO)\n"
	"  --poll           poll, then receive what is there, instead of a receive that waits\n"
	"  --net ADDRESS:PORT  let server/net/udp.c receive and send; ignores the options above but --size\n"
	"  --workers N      threads of --net (1)\n";

static uint64_t number(const char *text, uint64_t min, uint64_t max)
{
	uint64_t v;
	if (text_u64(text, strlen(text), &v) && v >= min && v <= max)
		return v;
	(void)fprintf(stderr, "echo: \"%s\" is no number from %llu to %llu\n", text,
	              (unsigned long long)min, (unsigned long long)max);
	exit(2);
}

static void parse(struct echo *e, int argc, char **argv)
{
	const struct option options[] = {
		{ "port", required_argument, NULL, 'p' },
		{ "size", required_argument, NULL, 's' },
		{ "batch", required_argument, NULL, 'b' },
		{ "net", required_argument, NULL, 'n' },
		{ "workers", required_argument, NULL, 'w' },
		{ "pktinfo", no_argument, &e->pktinfo, 1 },
		{ "dual", no_argument, &e->dual, 1 },
		{ "overflow", no_argument, &e->overflow, 1 },
		{ "timeout", no_argument, &e->timeout, 1 },
		{ "poll", no_argument, &e->poll, 1 },
		{ "fragment", no_argument, &e->fragment, 1 },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		switch (c) {
		case 0:
			break;
		case 'p':
			e->port = number(optarg, 0, UINT16_MAX);
			break;
		case 's':
			e->size = number(optarg, 20, NET_DATAGRAM_MAX);
			break;
		case 'b':
			e->batch = number(optarg, 1, BATCH_MAX);
			break;
		case 'w':
			e->workers = number(optarg, 1, 64);
			break;
		case 'n':
			e->net = optarg;
			break;
		case 'h':
			(void)fputs(usage, stdout);
			exit(0);
		default:
			(void)fputs(usage, stderr);
			exit(2);
		}
	}
}

int main(int argc, char **argv)
{
	static struct echo e = { .size = 320, .batch = 32, .workers = 1 };
	parse(&e, argc, argv);
	if (e.pktinfo != 0 && e.overflow != 0) {
		(void)fputs("echo: --pktinfo and --overflow exclude each other\n", stderr);
		return 2;
	}
	if (e.net != NULL)
		serve_net(&e);
	open_socket(&e);
	prepare(&e);
	(void)printf("%u\n", chosen_port(e.fd));
	(void)fflush(stdout);
	serve(&e);
}
