/* SPDX-License-Identifier: Apache-2.0 */
#include "server/net/udp.h"

#include "common/base/log.h"
#include "server/net/listen.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	WAKE_MS = 200,      /* how late a worker may notice that it shall stop */
	DRAIN_BATCHES = 256 /* answered after that, at the most */
};

/* Room for what a datagram carries beside its bytes: where it was sent to, and the drop counter. */
struct control {
	alignas(struct cmsghdr) uint8_t
		bytes[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(uint32_t))];
};

struct worker {
	struct net_udp *udp;
	pthread_t thread;
	unsigned index;
	int fd;
	bool running;
	/* Written by the worker alone. */
	_Atomic uint64_t received, sent, send_failed, dropped;

	struct net_datagram batch[NET_BATCH_MAX];
	struct mmsghdr in[NET_BATCH_MAX], out[NET_BATCH_MAX];
	struct iovec in_at[NET_BATCH_MAX], out_at[NET_BATCH_MAX];
	struct net_place from[NET_BATCH_MAX];
	struct control in_control[NET_BATCH_MAX], out_control[NET_BATCH_MAX];
	uint8_t in_bytes[NET_BATCH_MAX][NET_DATAGRAM_MAX];
	uint8_t out_bytes[NET_BATCH_MAX][NET_DATAGRAM_MAX];
};

struct net_udp {
	net_udp_handle *handle;
	void *ctx;
	struct net_place place;
	atomic_bool stop;
	unsigned n_workers;
	struct worker *workers;
};

static void count(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
	                      memory_order_relaxed);
}

static uint64_t clock_ms(void)
{
	struct timespec t;
	must(clock_gettime(CLOCK_MONOTONIC, &t) == 0);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* How many datagrams came: 0 after WAKE_MS of silence. */
static size_t receive(struct worker *w, int flags)
{
	for (size_t i = 0; i < NET_BATCH_MAX; i++) {
		struct msghdr *m = &w->in[i].msg_hdr;
		m->msg_namelen = sizeof(w->from[i].at);
		m->msg_controllen = sizeof(w->in_control[i]);
	}
	const int n = recvmmsg(w->fd, w->in, NET_BATCH_MAX, flags, NULL);
	if (n > 0) {
		count(&w->received, (uint64_t)n);
		return (size_t)n;
	}
	if (errno != EAGAIN && errno != EINTR)
		(void)poll(NULL, 0, 10); /* out of memory, say: do not spin */
	return 0;
}

/*
 * A host with several addresses must answer from the one that was asked, or a client's firewall
 * drops the reply. An IPv6 socket tells and takes IPv4 addresses in the mapped form. The interface
 * stays open except where the address means nothing without it.
 */
static size_t put_source(const struct cmsghdr *asked, struct control *out)
{
	struct msghdr m = { .msg_control = out->bytes, .msg_controllen = sizeof(out->bytes) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	if (asked->cmsg_level == IPPROTO_IP) {
		struct in_pktinfo info;
		memcpy(&info, CMSG_DATA(asked), sizeof(info));
		const struct in_pktinfo from = { .ipi_spec_dst = info.ipi_spec_dst };
		*c = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(from)),
			               .cmsg_level = IPPROTO_IP,
			               .cmsg_type = IP_PKTINFO };
		memcpy(CMSG_DATA(c), &from, sizeof(from));
		return CMSG_SPACE(sizeof(from));
	}
	struct in6_pktinfo info;
	memcpy(&info, CMSG_DATA(asked), sizeof(info));
	if (IN6_IS_ADDR_MULTICAST(&info.ipi6_addr))
		return 0;
	if (!IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr))
		info.ipi6_ifindex = 0;
	*c = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(info)),
		               .cmsg_level = IPPROTO_IPV6,
		               .cmsg_type = IPV6_PKTINFO };
	memcpy(CMSG_DATA(c), &info, sizeof(info));
	return CMSG_SPACE(sizeof(info));
}

/* Reads what came beside datagram `i`; returns the size of the reply's control data. */
static size_t read_control(struct worker *w, size_t i)
{
	struct msghdr *m = &w->in[i].msg_hdr;
	size_t size = 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL) {
			uint32_t drops;
			memcpy(&drops, CMSG_DATA(c), sizeof(drops));
			atomic_store_explicit(&w->dropped, drops, memory_order_relaxed);
		} else if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) ||
		           (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO)) {
			size = put_source(c, &w->out_control[i]);
		}
	}
	return size;
}

static void send_all(struct worker *w, size_t n)
{
	size_t done = 0, failed = 0;
	while (done < n) {
		const int k = sendmmsg(w->fd, w->out + done, (unsigned)(n - done), 0);
		if (k > 0) {
			done += (size_t)k;
		} else if (errno != EINTR) { /* one that cannot go must not hold up the rest */
			failed++;
			done++;
		}
	}
	count(&w->sent, n - failed);
	count(&w->send_failed, failed);
}

static void answer(struct worker *w, size_t n)
{
	size_t control[NET_BATCH_MAX];
	for (size_t i = 0; i < n; i++) {
		struct net_datagram *d = &w->batch[i];
		*d = (struct net_datagram){
			.in = w->in_bytes[i],
			.in_size = w->in[i].msg_len,
			.out = w->out_bytes[i],
		};
		d->from = net_peer(&w->from[i].at.any, &d->from_port);
		control[i] = read_control(w, i);
	}
	w->udp->handle(w->udp->ctx, w->index, clock_ms(), w->batch, n);

	size_t replies = 0;
	for (size_t i = 0; i < n; i++) {
		if (w->batch[i].out_size == 0)
			continue;
		must(w->batch[i].out_size <= NET_DATAGRAM_MAX);
		w->out_at[i] = (struct iovec){ w->out_bytes[i], w->batch[i].out_size };
		w->out[replies++].msg_hdr = (struct msghdr){
			.msg_name = &w->from[i].at,
			.msg_namelen = w->in[i].msg_hdr.msg_namelen,
			.msg_iov = &w->out_at[i],
			.msg_iovlen = 1,
			.msg_control = control[i] > 0 ? w->out_control[i].bytes : NULL,
			.msg_controllen = control[i],
		};
	}
	send_all(w, replies);
}

static void *work(void *arg)
{
	struct worker *w = arg;
	size_t n;
	while (!atomic_load_explicit(&w->udp->stop, memory_order_relaxed))
		if ((n = receive(w, MSG_WAITFORONE)) > 0)
			answer(w, n);
	for (unsigned i = 0; i < DRAIN_BATCHES && (n = receive(w, MSG_DONTWAIT)) > 0; i++)
		answer(w, n);
	return NULL;
}

/* What the kernel does not know costs a feature, never the start. */
static void set_options(int fd, const struct net_udp_options *o, int family)
{
	const int on = 1, bytes = (int)o->receive_buffer;
	const struct timeval wake = { .tv_usec = WAKE_MS * 1000L };
	int got = 0;
	socklen_t size = sizeof(got);

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wake, sizeof(wake));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wake, sizeof(wake));
	(void)setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof(on));
	if (family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
	else
		(void)setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on));
	if (bytes <= 0)
		return;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) != 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	if (getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &got, &size) == 0 && got / 2 < bytes)
		log_line(LOG_NOTE,
		         "the kernel gives a smaller UDP receive buffer; raise net.core.rmem_max "
		         "asked=%d got=%d",
		         bytes, got / 2);
}

static void link_buffers(struct worker *w)
{
	for (size_t i = 0; i < NET_BATCH_MAX; i++) {
		w->in_at[i] = (struct iovec){ w->in_bytes[i], NET_DATAGRAM_MAX };
		w->in[i].msg_hdr = (struct msghdr){
			.msg_name = &w->from[i].at,
			.msg_iov = &w->in_at[i],
			.msg_iovlen = 1,
			.msg_control = w->in_control[i].bytes,
		};
	}
}

static enum err open_sockets(struct net_udp *u, const struct net_udp_options *o,
                             struct fault *fault)
{
	const bool share = u->n_workers > 1;
	if (share && net_place_port(&u->place) != 0) {
		/* SO_REUSEPORT would let a second daemon take half of our packets unseen. */
		int probe;
		const enum err e = net_open(&u->place, SOCK_DGRAM, false, &probe, fault);
		if (e != ERR_OK)
			return e;
		(void)close(probe);
	}
	for (unsigned i = 0; i < u->n_workers; i++) {
		struct worker *w = &u->workers[i];
		const enum err e = net_open(&u->place, SOCK_DGRAM, share, &w->fd, fault);
		if (e != ERR_OK)
			return e;
		set_options(w->fd, o, u->place.at.any.sa_family);
	}
	return ERR_OK;
}

static enum err start_threads(struct net_udp *u, struct fault *fault)
{
	sigset_t all, before;
	sigfillset(&all);
	int failed = 0;
	pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the main thread's */
	for (unsigned i = 0; i < u->n_workers && failed == 0; i++) {
		struct worker *w = &u->workers[i];
		char name[16];
		failed = pthread_create(&w->thread, NULL, work, w);
		if (failed != 0)
			break;
		w->running = true;
		(void)snprintf(name, sizeof(name), "udp/%u", i);
		(void)pthread_setname_np(w->thread, name);
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return failed == 0 ? ERR_OK
	                   : fault_set(fault, ERR_SYSTEM, "", "cannot start a UDP worker: %s",
	                               strerror(failed));
}

enum err net_udp_start(const struct net_udp_options *options, struct net_udp **out,
                       struct fault *fault)
{
	must(options->workers > 0);
	struct net_place place;
	enum err e = net_place_parse(options->listen, &place, fault);
	if (e != ERR_OK)
		return e;

	struct net_udp *u = calloc(1, sizeof(*u));
	struct worker *workers = calloc(options->workers, sizeof(*workers));
	if (u == NULL || workers == NULL) {
		free(u);
		free(workers);
		return fault_set(fault, ERR_NOMEM, options->listen, "out of memory");
	}
	*u = (struct net_udp){ .handle = options->handle,
		               .ctx = options->ctx,
		               .place = place,
		               .n_workers = options->workers,
		               .workers = workers };
	for (unsigned i = 0; i < u->n_workers; i++) {
		workers[i].udp = u;
		workers[i].index = i;
		workers[i].fd = -1;
		link_buffers(&workers[i]);
	}
	e = open_sockets(u, options, fault);
	if (e == ERR_OK)
		e = start_threads(u, fault);
	if (e != ERR_OK) {
		net_udp_stop(u);
		return e;
	}
	*out = u;
	return ERR_OK;
}

void net_udp_stop(struct net_udp *u)
{
	if (u == NULL)
		return;
	atomic_store(&u->stop, true);
	for (unsigned i = 0; i < u->n_workers; i++)
		if (u->workers[i].running)
			pthread_join(u->workers[i].thread, NULL);
	for (unsigned i = 0; i < u->n_workers; i++)
		if (u->workers[i].fd >= 0)
			(void)close(u->workers[i].fd);
	free(u->workers);
	free(u);
}

uint16_t net_udp_port(const struct net_udp *u)
{
	return net_place_port(&u->place);
}

struct net_udp_stats net_udp_stats(const struct net_udp *u)
{
	struct net_udp_stats s = { 0 };
	for (unsigned i = 0; i < u->n_workers; i++) {
		const struct worker *w = &u->workers[i];
		s.received += atomic_load_explicit(&w->received, memory_order_relaxed);
		s.sent += atomic_load_explicit(&w->sent, memory_order_relaxed);
		s.send_failed += atomic_load_explicit(&w->send_failed, memory_order_relaxed);
		s.dropped += atomic_load_explicit(&w->dropped, memory_order_relaxed);
	}
	return s;
}
