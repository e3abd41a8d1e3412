/* SPDX-License-Identifier: Apache-2.0 */
#include "server/collector/socket.h"

#include "server/net/listen.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	BATCH = 64,
	SIZE_MAX_UDP = 65535, /* pages that no datagram reaches stay untouched */
	WAKE_MS = 200,        /* how late the thread may notice that it shall stop */
	LAST_MS = 2000 /* and how long it then takes what was received: exporters do not stop */
};

struct control {
	alignas(struct cmsghdr) uint8_t at[CMSG_SPACE(sizeof(uint32_t))];
};

struct flow_socket {
	struct flow_socket_options options;
	struct net_place place;
	int fd;
	atomic_bool stop;
	int64_t until; /* CLOCK_MONOTONIC millisecond; set before `stop` */
	pthread_t thread;
	uint64_t dropped;
	uint32_t dropped_low; /* what the kernel counts in 32 bits */
	struct collector_datagram batch[BATCH];
	struct mmsghdr in[BATCH];
	struct iovec at[BATCH];
	struct net_place from[BATCH];
	struct control control[BATCH];
	uint8_t *bytes;
};

static int64_t clock_ms(clockid_t clock)
{
	struct timespec t;
	must(clock_gettime(clock, &t) == 0);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void arm(struct flow_socket *s, size_t i)
{
	s->at[i] = (struct iovec){ s->bytes + i * SIZE_MAX_UDP, SIZE_MAX_UDP };
	s->in[i].msg_hdr = (struct msghdr){ .msg_name = &s->from[i].at,
		                            .msg_namelen = sizeof(s->from[i].at),
		                            .msg_iov = &s->at[i],
		                            .msg_iovlen = 1,
		                            .msg_control = &s->control[i],
		                            .msg_controllen = sizeof(s->control[i]) };
}

static void note_drops(struct flow_socket *s, struct msghdr *m)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c)) {
		uint32_t low;
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SO_RXQ_OVFL)
			continue;
		memcpy(&low, CMSG_DATA(c), sizeof(low));
		s->dropped += (uint32_t)(low - s->dropped_low);
		s->dropped_low = low;
	}
}

static void take(struct flow_socket *s, size_t n)
{
	uint16_t port;
	for (size_t i = 0; i < n; i++) {
		note_drops(s, &s->in[i].msg_hdr);
		s->batch[i] =
			(struct collector_datagram){ .bytes = s->at[i].iov_base,
			                             .size = s->in[i].msg_len,
			                             .from = net_peer(&s->from[i].at.any, &port) };
	}
	s->options.take(s->options.ctx, s->batch, n, clock_ms(CLOCK_REALTIME), s->dropped);
	for (size_t i = 0; i < n; i++)
		arm(s, i);
}

static void *run(void *arg)
{
	struct flow_socket *s = arg;
	for (size_t i = 0; i < BATCH; i++)
		arm(s, i);
	for (;;) {
		const bool last = atomic_load(&s->stop);
		const int n =
			recvmmsg(s->fd, s->in, BATCH, last ? MSG_DONTWAIT : MSG_WAITFORONE, NULL);
		if (n > 0)
			take(s, (size_t)n);
		if (last && (n <= 0 || clock_ms(CLOCK_MONOTONIC) >= s->until))
			return NULL;
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			(void)poll(NULL, 0, 10); /* out of memory, say: do not spin */
	}
}

static enum err open_socket(struct flow_socket *s, struct fault *fault)
{
	const struct timeval wake = { .tv_usec = WAKE_MS * 1000 };
	const int on = 1, size = (int)s->options.receive_buffer;
	enum err e = net_place_parse(s->options.listen, &s->place, fault);
	if (e == ERR_OK)
		e = net_open(&s->place, SOCK_DGRAM, false, &s->fd, fault);
	if (e != ERR_OK)
		return e;
	/* Of the buffer what can be had; as root more than rmem_max. */
	if (setsockopt(s->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) != 0)
		(void)setsockopt(s->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (setsockopt(s->fd, SOL_SOCKET, SO_RCVTIMEO, &wake, sizeof(wake)) != 0 ||
	    setsockopt(s->fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof(on)) != 0)
		return fault_set(fault, ERR_SYSTEM, s->options.listen, "setsockopt: %s",
		                 strerror(errno));
	return ERR_OK;
}

/* Signals are the main thread's. */
static int start_thread(struct flow_socket *s)
{
	sigset_t all, before;
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	const int failed = pthread_create(&s->thread, NULL, run, s);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return failed;
}

static void release(struct flow_socket *s)
{
	if (s->fd >= 0)
		(void)close(s->fd);
	free(s->bytes);
	free(s);
}

enum err flow_socket_start(const struct flow_socket_options *options, struct flow_socket **out,
                           struct fault *fault)
{
	struct flow_socket *s = calloc(1, sizeof(*s));
	if (s == NULL)
		return fault_set(fault, ERR_NOMEM, options->listen, "no memory is left");
	s->options = *options;
	s->fd = -1;
	s->bytes = malloc((size_t)BATCH * SIZE_MAX_UDP);
	enum err e = s->bytes != NULL
	                     ? open_socket(s, fault)
	                     : fault_set(fault, ERR_NOMEM, options->listen, "no memory is left");
	if (e == ERR_OK && start_thread(s) != 0)
		e = fault_set(fault, ERR_SYSTEM, options->listen, "no thread is to be had");
	if (e != ERR_OK) {
		release(s);
		return e;
	}
	*out = s;
	return ERR_OK;
}

void flow_socket_stop(struct flow_socket *s)
{
	if (s == NULL)
		return;
	s->until = clock_ms(CLOCK_MONOTONIC) + LAST_MS;
	atomic_store(&s->stop, true);
	(void)pthread_join(s->thread, NULL);
	release(s);
}

uint16_t flow_socket_port(const struct flow_socket *s)
{
	return net_place_port(&s->place);
}
