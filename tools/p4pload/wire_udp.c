/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/p4pload/packet.h"
#include "tools/p4pload/wire.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * A few sockets speak for thousands of addresses, because the source is set on each packet
 * (IP_PKTINFO); so requests and replies travel in batches. A client keeps to its socket, and so to its
 * source port, for a tracker may bind connection ids to it.
 */

enum { BATCH = 64, REPLY_ROOM = 2048, CONTROL_ROOM = CMSG_SPACE(sizeof(struct in6_pktinfo)) };

struct batch {
	struct mmsghdr messages[BATCH];
	struct iovec pieces[BATCH];
	struct sockaddr_storage names[BATCH];
	_Alignas(struct cmsghdr) char control[BATCH][CONTROL_ROOM];
	uint8_t *source[BATCH]; /* the address in `control`, maybe unaligned */
	uint8_t bytes[BATCH][REPLY_ROOM];
	uint32_t slots[BATCH];
};

struct wire_udp {
	struct wire wire;
	struct engine *engine;
	struct population *people;
	enum ip_family family;
	struct socket_address target;
	size_t turn; /* which socket sends next */
	struct pollfd *sockets;
	size_t n_sockets;
	struct batch in, out;
};

static struct wire_udp *udp_of(struct wire *w)
{
	return (struct wire_udp *)w;
}

/* ---- sockets and buffers ---- */

static int open_socket(enum ip_family family)
{
	const int size = 4 << 20, whole = IP_PMTUDISC_DO;
	const struct ip_addr any = { .family = (uint8_t)family };
	const struct socket_address s = socket_address(&any, 0);
	const int fd = socket(s.at.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	wire_free_bind(fd, family);
	/* What is never cut into fragments needs no identification: 5 % of a send's cost. */
	(void)setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &whole, sizeof(whole));
	/* A smaller buffer than asked for is fine. */
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (bind(fd, (const struct sockaddr *)&s.at, s.size) != 0) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

static void prepare_source(struct wire_udp *u, size_t i)
{
	const bool v4 = u->family == IP_V4;
	const size_t size = v4 ? sizeof(struct in_pktinfo) : sizeof(struct in6_pktinfo);
	struct msghdr *m = &u->out.messages[i].msg_hdr;
	m->msg_control = u->out.control[i];
	m->msg_controllen = CMSG_SPACE(size);
	struct cmsghdr *c = CMSG_FIRSTHDR(m);
	must(c != NULL);
	c->cmsg_level = v4 ? IPPROTO_IP : IPPROTO_IPV6;
	c->cmsg_type = v4 ? IP_PKTINFO : IPV6_PKTINFO;
	c->cmsg_len = CMSG_LEN(size);
	u->out.source[i] = CMSG_DATA(c) + (v4 ? offsetof(struct in_pktinfo, ipi_spec_dst)
	                                      : offsetof(struct in6_pktinfo, ipi6_addr));
}

static void prepare(struct wire_udp *u)
{
	struct batch *const both[2] = { &u->in, &u->out };
	for (size_t b = 0; b < 2; b++) {
		for (size_t i = 0; i < BATCH; i++) {
			both[b]->pieces[i] = (struct iovec){ both[b]->bytes[i], REPLY_ROOM };
			both[b]->messages[i].msg_hdr =
				(struct msghdr){ .msg_name = &both[b]->names[i],
				                 .msg_namelen = sizeof(both[b]->names[i]),
				                 .msg_iov = &both[b]->pieces[i],
				                 .msg_iovlen = 1 };
		}
	}
	for (size_t i = 0; i < BATCH; i++) {
		u->out.names[i] = u->target.at;
		u->out.messages[i].msg_hdr.msg_namelen = u->target.size;
		prepare_source(u, i);
	}
}

/* ---- sending ---- */

/* Fills the outgoing batch with requests of one class; their number. */
static size_t fill(struct wire_udp *u, uint32_t class)
{
	struct batch *b = &u->out;
	size_t n = 0;
	while (n < BATCH && engine_take(u->engine, class, &b->slots[n]) == TAKE_OK) {
		const struct request *r = engine_request(u->engine, b->slots[n]);
		const struct ip_addr source = population_address(u->people, r->client);
		memcpy(b->source[n], source.bytes, ip_size(&source));
		b->pieces[n].iov_len = packet_write(u->people, r, b->bytes[n]);
		n++;
	}
	return n;
}

/* From one socket; what the kernel does not take was never sent. */
static bool send_some(struct wire_udp *u)
{
	const size_t class = u->turn++ % u->n_sockets;
	const size_t n = fill(u, (uint32_t) class);
	if (n == 0)
		return false;
	const int took = sendmmsg(u->sockets[class].fd, u->out.messages, (unsigned)n, 0);
	const size_t gone = took > 0 ? (size_t)took : 0;
	for (size_t i = n; i > gone; i--)
		engine_give_back(u->engine, u->out.slots[i - 1]);
	return gone > 0;
}

/* ---- receiving ---- */

static bool same_name(const struct wire_udp *u, const struct sockaddr_storage *name)
{
	if (u->family == IP_V4) {
		const struct sockaddr_in *a = (const struct sockaddr_in *)name;
		const struct sockaddr_in *b = (const struct sockaddr_in *)&u->target.at;
		return a->sin_addr.s_addr == b->sin_addr.s_addr && a->sin_port == b->sin_port;
	}
	const struct sockaddr_in6 *a = (const struct sockaddr_in6 *)name;
	const struct sockaddr_in6 *b = (const struct sockaddr_in6 *)&u->target.at;
	return memcmp(&a->sin6_addr, &b->sin6_addr, sizeof(a->sin6_addr)) == 0 &&
	       a->sin6_port == b->sin6_port;
}

static void take_reply(struct wire_udp *u, size_t i)
{
	const size_t size = u->in.messages[i].msg_len;
	uint32_t transaction = 0, slot;
	if (!same_name(u, &u->in.names[i])) {
		engine_tally(u->engine)->foreign++;
		return;
	}
	if (size >= 8)
		memcpy(&transaction, u->in.bytes[i] + 4, sizeof(transaction));
	if (!engine_find(u->engine, ntohl(transaction), &slot)) {
		engine_tally(u->engine)->late++;
		return;
	}
	const struct answer a =
		packet_parse(engine_request(u->engine, slot), u->family, u->in.bytes[i], size);
	engine_answer(u->engine, slot, &a);
}

static bool receive_from(struct wire_udp *u, int fd)
{
	const int got = recvmmsg(fd, u->in.messages, BATCH, MSG_DONTWAIT, NULL);
	if (got <= 0)
		return false;
	engine_read_clock(u->engine);
	for (int i = 0; i < got; i++) {
		take_reply(u, (size_t)i);
		u->in.messages[i].msg_hdr.msg_namelen = sizeof(u->in.names[i]);
	}
	return true;
}

/* ---- the wire ---- */

static bool exchange(struct wire *w, bool sending)
{
	struct wire_udp *u = udp_of(w);
	bool moved = false;
	for (size_t i = 0; i < u->n_sockets; i++)
		moved = receive_from(u, u->sockets[i].fd) || moved;
	for (size_t i = 0; sending && i < u->n_sockets; i++)
		moved = send_some(u) || moved;
	return moved;
}

static void rest(struct wire *w, uint64_t ns)
{
	struct wire_udp *u = udp_of(w);
	const struct timespec t = { .tv_nsec = (long)ns };
	(void)ppoll(u->sockets, u->n_sockets, &t, NULL);
}

static void give_up(struct wire *w, uint32_t slot)
{
	(void)w; /* should the answer come yet, its transaction is unknown */
	(void)slot;
}

static void free_udp(struct wire *w)
{
	struct wire_udp *u = udp_of(w);
	for (size_t i = 0; u->sockets != NULL && i < u->n_sockets; i++)
		(void)close(u->sockets[i].fd);
	free(u->sockets);
	free(u);
}

enum err wire_udp_new(struct engine *e, struct population *p, struct wire **out,
                      struct fault *fault)
{
	const struct options *o = p->options;
	struct wire_udp *u = calloc(1, sizeof(*u));
	if (u == NULL)
		return fault_set(fault, ERR_NOMEM, "memory", "out of memory");
	u->wire = (struct wire){ (uint32_t)o->sockets, exchange, rest, give_up, free_udp };
	u->engine = e;
	u->people = p;
	u->family = (enum ip_family)o->target.family;
	u->target = socket_address(&o->target, (uint16_t)o->port);
	u->sockets = calloc((size_t)o->sockets, sizeof(*u->sockets));
	for (; u->sockets != NULL && u->n_sockets < o->sockets; u->n_sockets++) {
		const int fd = open_socket(u->family);
		if (fd < 0)
			break;
		u->sockets[u->n_sockets] = (struct pollfd){ .fd = fd, .events = POLLIN };
	}
	if (u->n_sockets < o->sockets) {
		const int error = errno;
		free_udp(&u->wire);
		return fault_set(fault, ERR_SYSTEM, "--sockets", "cannot open a socket: %s",
		                 strerror(error));
	}
	prepare(u);
	*out = &u->wire;
	return ERR_OK;
}
