/* SPDX-License-Identifier: Apache-2.0 */
#include "server/net/udp.h"

#include "common/base/log.h"
#include "server/net/listen.h"

#include <errno.h>
#include <linux/sock_diag.h>
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
	WAKE_MS = 200,       /* how late a worker may notice that it shall stop */
	DRAIN_BATCHES = 256, /* answered after that, at the most */
	SEND_MS = 5,         /* a batch of replies may wait for room in the send buffer, once */
	STACK_TOUCHED = 192 << 10
};

/* On a cache line of its own, so that a small datagram touches as few as can be. */
struct bytes {
	alignas(64) uint8_t at[NET_DATAGRAM_MAX];
};

/* One message: where a datagram was sent to. */
struct control {
	alignas(struct cmsghdr) uint8_t at[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

struct worker {
	struct net_udp *udp;
	pthread_t thread;
	unsigned index;
	int fd;
	bool running;
	uint64_t dropped; /* guarded by udp->lock */
	/* Written by the worker alone. */
	_Atomic uint64_t received, sent, send_failed;

	size_t used; /* entries of `in` that the last receive has written to */
	struct net_datagram batch[NET_BATCH_MAX];
	struct mmsghdr in[NET_BATCH_MAX], out[NET_BATCH_MAX];
	struct iovec in_at[NET_BATCH_MAX], out_at[NET_BATCH_MAX];
	struct net_place from[NET_BATCH_MAX];
	struct control control[NET_BATCH_MAX];
	struct bytes in_bytes[NET_BATCH_MAX], out_bytes[NET_BATCH_MAX];
};

struct net_udp {
	net_udp_handle *handle;
	void *ctx;
	struct net_place place;
	bool any; /* listens on all addresses: a reply must name the one that was asked */
	atomic_bool stop;
	unsigned n_workers;
	struct worker *workers;
	pthread_mutex_t lock; /* of the drop counters, which whoever asks brings up to date */
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

/* What the kernel writes to in entry `i`, and must find as it was. */
static void arm(struct worker *w, size_t i)
{
	struct msghdr *m = &w->in[i].msg_hdr;
	m->msg_namelen = sizeof(w->from[i].at);
	m->msg_controllen = w->udp->any ? sizeof(w->control[i]) : 0;
}

/* How many datagrams came: 0 after WAKE_MS of silence. */
static size_t receive(struct worker *w, int flags)
{
	for (size_t i = 0; i < w->used; i++)
		arm(w, i);
	const int n = recvmmsg(w->fd, w->in, NET_BATCH_MAX, flags, NULL);
	w->used = n > 0 ? (size_t)n : 0;
	if (n > 0)
		count(&w->received, (uint64_t)n);
	else if (errno != EAGAIN && errno != EINTR)
		(void)poll(NULL, 0, 10); /* out of memory, say: do not spin */
	return w->used;
}

/*
 * A host with several addresses must answer from the one that was asked, or a client's firewall
 * drops the reply. What the kernel told of the datagram says that to it, too, once the interface is
 * left open, except where the address means nothing without it. An IPv6 socket tells and takes IPv4
 * addresses in the mapped form. Returns the size for msg_controllen: without the padding, for which
 * the kernel would allocate (3 % of an echo).
 */
static size_t source(struct msghdr *asked)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(asked);
	if (c == NULL)
		return 0;
	if (c->cmsg_level == IPPROTO_IP) {
		struct in_pktinfo info;
		memcpy(&info, CMSG_DATA(c), sizeof(info));
		info.ipi_ifindex = 0;
		memcpy(CMSG_DATA(c), &info, sizeof(info));
		return c->cmsg_len;
	}
	struct in6_pktinfo info;
	memcpy(&info, CMSG_DATA(c), sizeof(info));
	if (IN6_IS_ADDR_MULTICAST(&info.ipi6_addr))
		return 0;
	if (!IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr))
		info.ipi6_ifindex = 0;
	memcpy(CMSG_DATA(c), &info, sizeof(info));
	return c->cmsg_len;
}

/* A reply that cannot go must not hold up the others; a full send buffer not the requests. */
static void send_all(struct worker *w, size_t n)
{
	struct pollfd room = { .fd = w->fd, .events = POLLOUT };
	size_t done = 0, failed = 0;
	bool waited = false;
	while (done < n) {
		const int k = sendmmsg(w->fd, w->out + done, (unsigned)(n - done), MSG_DONTWAIT);
		if (k > 0) {
			done += (size_t)k;
		} else if (errno == EAGAIN) {
			if (waited || poll(&room, 1, SEND_MS) <= 0)
				break;
			waited = true;
		} else if (errno != EINTR) {
			failed++;
			done++;
		}
	}
	count(&w->sent, done - failed);
	count(&w->send_failed, n - done + failed);
}

static void answer(struct worker *w, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct net_datagram *d = &w->batch[i];
		d->in_size = w->in[i].msg_len;
		d->out_size = 0;
		d->from = net_peer(&w->from[i].at.any, &d->from_port);
	}
	w->udp->handle(w->udp->ctx, w->index, clock_ms(), w->batch, n);

	size_t replies = 0;
	for (size_t i = 0; i < n; i++) {
		if (w->batch[i].out_size == 0)
			continue;
		must(w->batch[i].out_size <= NET_DATAGRAM_MAX);
		w->out_at[i].iov_len = w->batch[i].out_size;
		w->out[replies++].msg_hdr = (struct msghdr){
			.msg_name = &w->from[i].at,
			.msg_namelen = w->in[i].msg_hdr.msg_namelen,
			.msg_iov = &w->out_at[i],
			.msg_iovlen = 1,
			.msg_control = &w->control[i],
			.msg_controllen = w->udp->any ? source(&w->in[i].msg_hdr) : 0,
		};
	}
	send_all(w, replies);
}

/* An announce goes deep into the stack: the first ones shall not wait for its pages. */
static void touch_stack(void)
{
	volatile uint8_t stack[STACK_TOUCHED];
	for (size_t i = 0; i < sizeof(stack); i += 4096)
		stack[i] = 0;
}

static void *work(void *arg)
{
	struct worker *w = arg;
	size_t n;
	touch_stack();
	while (!atomic_load_explicit(&w->udp->stop, memory_order_relaxed))
		if ((n = receive(w, MSG_WAITFORONE)) > 0)
			answer(w, n);
	for (unsigned i = 0; i < DRAIN_BATCHES && (n = receive(w, MSG_DONTWAIT)) > 0; i++)
		answer(w, n);
	return NULL;
}

static void ask_buffer(int fd, int bytes)
{
	int got = 0;
	socklen_t size = sizeof(got);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) != 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	if (getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &got, &size) == 0 && got / 2 < bytes)
		log_line(LOG_NOTE,
		         "the kernel gives a smaller UDP receive buffer; raise net.core.rmem_max "
		         "asked=%d got=%d",
		         bytes, got / 2);
}

/* What the kernel does not know costs a feature, never the start. */
static void set_options(const struct net_udp *u, int fd, const struct net_udp_options *o)
{
	const int on = 1, v4 = IP_PMTUDISC_PROBE, v6 = IPV6_PMTUDISC_PROBE;
	const struct timeval wake = { .tv_usec = WAKE_MS * 1000L };
	const bool is_v6 = u->place.at.any.sa_family == AF_INET6;

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wake, sizeof(wake));
	(void)setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &v4, sizeof(v4));
	if (is_v6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &v6, sizeof(v6));
	if (u->any && is_v6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
	else if (u->any)
		(void)setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on));
	if (o->receive_buffer > 0)
		ask_buffer(fd, (int)o->receive_buffer);
}

static void link_buffers(struct worker *w)
{
	for (size_t i = 0; i < NET_BATCH_MAX; i++) {
		w->batch[i].in = w->in_bytes[i].at;
		w->batch[i].out = w->out_bytes[i].at;
		w->in_at[i] = (struct iovec){ w->in_bytes[i].at, NET_DATAGRAM_MAX };
		w->out_at[i] = (struct iovec){ w->out_bytes[i].at, 0 };
		w->in[i].msg_hdr = (struct msghdr){
			.msg_name = &w->from[i].at,
			.msg_iov = &w->in_at[i],
			.msg_iovlen = 1,
			.msg_control = &w->control[i],
		};
	}
	w->used = NET_BATCH_MAX;
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
		u->any = net_place_any(&u->place);
		set_options(u, w->fd, o);
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
	const size_t size = options->workers * sizeof(struct worker);
	struct worker *workers = aligned_alloc(alignof(struct worker), size); /* no calloc does */
	if (u == NULL || workers == NULL) {
		free(u);
		free(workers);
		return fault_set(fault, ERR_NOMEM, options->listen, "out of memory");
	}
	memset(workers, 0, size);
	*u = (struct net_udp){ .handle = options->handle,
		               .ctx = options->ctx,
		               .place = place,
		               .n_workers = options->workers,
		               .workers = workers,
		               .lock = PTHREAD_MUTEX_INITIALIZER };
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

/*
 * The kernel counts in 32 bits. Asking it here costs a datagram nothing and is right even while
 * none gets through; SO_RXQ_OVFL would hang a control message on each datagram after the first loss.
 */
static uint64_t drops(struct worker *w)
{
	uint32_t info[SK_MEMINFO_VARS];
	socklen_t size = sizeof(info);
	if (getsockopt(w->fd, SOL_SOCKET, SO_MEMINFO, info, &size) == 0 && size == sizeof(info))
		w->dropped += (uint32_t)(info[SK_MEMINFO_DROPS] - (uint32_t)w->dropped);
	return w->dropped;
}

struct net_udp_stats net_udp_stats(struct net_udp *u)
{
	struct net_udp_stats s = { 0 };
	pthread_mutex_lock(&u->lock);
	for (unsigned i = 0; i < u->n_workers; i++) {
		struct worker *w = &u->workers[i];
		s.received += atomic_load_explicit(&w->received, memory_order_relaxed);
		s.sent += atomic_load_explicit(&w->sent, memory_order_relaxed);
		s.send_failed += atomic_load_explicit(&w->send_failed, memory_order_relaxed);
		s.dropped += drops(w);
	}
	pthread_mutex_unlock(&u->lock);
	return s;
}
