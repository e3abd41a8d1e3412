/* SPDX-License-Identifier: Apache-2.0 */
#include "server/net/udp.h"

#include "tests/unit/test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- a kernel that can be told to fail: these stand before libc's ---- */

static atomic_bool no_ipv6;
static atomic_int room = INT_MAX; /* in the send buffer, in datagrams */

int socket(int domain, int type, int protocol)
{
	if (domain == AF_INET6 && atomic_load(&no_ipv6)) {
		errno = EAFNOSUPPORT;
		return -1;
	}
	return (int)syscall(SYS_socket, domain, type, protocol);
}

int sendmmsg(int fd, struct mmsghdr *messages, unsigned n, int flags)
{
	const int left = atomic_load(&room);
	if (left == INT_MAX)
		return (int)syscall(SYS_sendmmsg, fd, messages, n, flags);
	if (left == 0) {
		errno = EAGAIN;
		return -1;
	}
	const unsigned some = n < (unsigned)left ? n : (unsigned)left;
	atomic_store(&room, left - (int)some);
	return (int)syscall(SYS_sendmmsg, fd, messages, some, flags);
}

struct seen {
	atomic_bool hold; /* the handler waits while this is set */
	atomic_int more;  /* a socket on which it makes a request for each that it gets */
	atomic_uint datagrams, batches, workers;
	atomic_uint port, family; /* of the last sender */
	atomic_uint_fast64_t now_ms;
};

/* Sends the bytes back in reverse; "-" gets no answer. */
static void mirror(void *ctx, unsigned worker, uint64_t now_ms, struct net_datagram *batch,
                   size_t n)
{
	struct seen *seen = ctx;
	assert_true(n > 0 && n <= NET_BATCH_MAX);
	atomic_fetch_or(&seen->workers, 1U << worker);
	atomic_store(&seen->now_ms, now_ms);
	atomic_fetch_add(&seen->batches, 1);
	while (atomic_load(&seen->hold))
		(void)usleep(100);
	for (size_t i = 0; i < n; i++) {
		struct net_datagram *d = &batch[i];
		atomic_fetch_add(&seen->datagrams, 1);
		if (atomic_load(&seen->more) > 0)
			(void)send(atomic_load(&seen->more), "-", 1, 0);
		atomic_store(&seen->port, d->from_port);
		atomic_store(&seen->family, d->from.family);
		if (d->in_size == 1 && d->in[0] == '-')
			continue;
		for (size_t k = 0; k < d->in_size; k++)
			d->out[k] = d->in[d->in_size - 1 - k];
		d->out_size = d->in_size;
	}
}

static struct net_udp *start_with(struct seen *seen, const char *listen, unsigned workers,
                                  unsigned receive_buffer)
{
	struct net_udp *u = NULL;
	struct fault fault = { 0 };
	const struct net_udp_options o = { .listen = listen,
		                           .workers = workers,
		                           .receive_buffer = receive_buffer,
		                           .handle = mirror,
		                           .ctx = seen };
	if (net_udp_start(&o, &u, &fault) != ERR_OK)
		fail_msg("%s: %s", fault.where, fault.text);
	return u;
}

static struct net_udp *start(struct seen *seen, const char *listen, unsigned workers)
{
	return start_with(seen, listen, workers, 1U << 20);
}

/* A client that hears only the address it asked. */
static int client(const char *host, uint16_t port)
{
	const struct timeval patience = { .tv_sec = 5 };
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
	assert_int_equal(inet_pton(AF_INET, host, &to.sin_addr), 1);
	const int fd = socket(AF_INET, SOCK_DGRAM, 0);
	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

/* The same from ::1; negative on a machine without IPv6. */
static int client_v6(uint16_t port)
{
	const struct timeval patience = { .tv_sec = 5 };
	const struct sockaddr_in6 to = { .sin6_family = AF_INET6,
		                         .sin6_port = htons(port),
		                         .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	const int fd = socket(AF_INET6, SOCK_DGRAM, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&to, sizeof(to)) != 0) {
		if (fd >= 0)
			(void)close(fd);
		print_message("# skipped: no IPv6 on this machine\n");
		return -1;
	}
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	return fd;
}

static void answers(int fd)
{
	char got[64];
	assert_int_equal(send(fd, "abc", 3, 0), 3);
	assert_int_equal(recv(fd, got, sizeof(got), 0), 3);
	assert_memory_equal(got, "cba", 3);
}

static void answers_from_the_address_asked(void **state)
{
	(void)state;
	static const char *const listens[] = { "0.0.0.0:0", "[::]:0" };
	for (size_t i = 0; i < 2; i++) {
		struct seen seen = { 0 };
		struct net_udp *u = start(&seen, listens[i], 1);
		const int direct = client("127.0.0.1", net_udp_port(u));
		const int other = client("127.0.0.2", net_udp_port(u));
		answers(direct);
		answers(other);
		(void)close(direct);
		(void)close(other);
		assert_int_equal(atomic_load(&seen.family), IP_V4); /* mapped or not */
		net_udp_stop(u);
	}
}

/* One socket, one port, both families in turn; the handler sees each as what it is. */
static void answers_both_families_on_one_port(void **state)
{
	(void)state;
	for (unsigned workers = 1; workers <= 2; workers++) {
		struct seen seen = { 0 };
		struct net_udp *u = start(&seen, "[::]:0", workers);
		const uint16_t port = net_udp_port(u);
		assert_int_not_equal(port, 0);
		const int v4 = client("127.0.0.2", port), v6 = client_v6(port);
		for (unsigned i = 0; i < 10 && v6 >= 0; i++) {
			answers(v4);
			assert_int_equal(atomic_load(&seen.family), IP_V4);
			answers(v6);
			assert_int_equal(atomic_load(&seen.family), IP_V6);
		}
		(void)close(v4);
		if (v6 >= 0)
			(void)close(v6);
		net_udp_stop(u);
	}
}

static void hears_ipv4_where_there_is_no_ipv6(void **state)
{
	(void)state;
	struct seen seen = { 0 };
	atomic_store(&no_ipv6, true);
	struct net_udp *u = start(&seen, "[::]:0", 2);
	atomic_store(&no_ipv6, false);
	for (unsigned i = 0; i < 10; i++) {
		const int fd = client(i % 2 == 0 ? "127.0.0.1" : "127.0.0.2", net_udp_port(u));
		answers(fd);
		(void)close(fd);
	}
	net_udp_stop(u);
}

static void refuses_a_port_that_one_family_lacks(void **state)
{
	(void)state;
	struct seen seen = { 0 };
	struct net_udp *u = start(&seen, "0.0.0.0:0", 1), *second = NULL;
	char listen[32];
	(void)snprintf(listen, sizeof(listen), "[::]:%u", net_udp_port(u));
	for (unsigned workers = 1; workers <= 2; workers++) {
		struct fault fault = { 0 };
		const struct net_udp_options o = {
			.listen = listen, .workers = workers, .handle = mirror, .ctx = &seen
		};
		assert_int_equal(net_udp_start(&o, &second, &fault), ERR_SYSTEM);
		assert_non_null(strstr(fault.text, "in use"));
	}
	net_udp_stop(u);
}

static void tells_who_asked_and_when(void **state)
{
	(void)state;
	struct seen seen = { 0 };
	struct net_udp *u = start(&seen, "127.0.0.1:0", 1);
	const int fd = client("127.0.0.1", net_udp_port(u));
	struct sockaddr_in me;
	socklen_t size = sizeof(me);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&me, &size), 0);
	answers(fd);
	assert_int_equal(atomic_load(&seen.port), ntohs(me.sin_port));
	const uint64_t first = atomic_load(&seen.now_ms);
	(void)usleep(20000);
	answers(fd);
	assert_in_range(atomic_load(&seen.now_ms) - first, 15, 60000);
	(void)close(fd);
	net_udp_stop(u);
}

static void sends_nothing_when_there_is_nothing_to_say(void **state)
{
	(void)state;
	struct seen seen = { 0 };
	struct net_udp *u = start(&seen, "127.0.0.1:0", 1);
	const int fd = client("127.0.0.1", net_udp_port(u));
	assert_int_equal(send(fd, "-", 1, 0), 1);
	assert_int_equal(send(fd, "", 0, 0), 0); /* an empty datagram is one, too */
	answers(fd);                             /* and the first thing to come back is this */
	assert_int_equal(atomic_load(&seen.datagrams), 3);
	(void)close(fd);
	net_udp_stop(u);
}

static void workers_share_the_port_that_the_kernel_chose(void **state)
{
	(void)state;
	struct seen seen = { 0 };
	struct net_udp *u = start(&seen, "127.0.0.1:0", 4);
	assert_int_not_equal(net_udp_port(u), 0);
	for (unsigned i = 0; i < 200; i++) { /* each from a port of its own, so the hash spreads */
		const int fd = client("127.0.0.1", net_udp_port(u));
		answers(fd);
		(void)close(fd);
	}
	struct net_udp_stats s = net_udp_stats(u);
	for (unsigned ms = 0; s.sent < 200 && ms < 5000; ms++) { /* counted after it was sent */
		(void)usleep(1000);
		s = net_udp_stats(u);
	}
	assert_int_equal(s.received, 200);
	assert_int_equal(s.sent, 200);
	assert_int_equal(s.send_failed, 0);
	assert_int_equal(atomic_load(&seen.workers), 0xf);
	net_udp_stop(u);
}

static void answers_what_was_received_before_the_stop(void **state)
{
	(void)state;
	struct seen seen = { 0 };
	struct net_udp *u = start(&seen, "127.0.0.1:0", 1);
	const int fd = client("127.0.0.1", net_udp_port(u));
	char got[8];
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(send(fd, "xy", 2, 0), 2);
	net_udp_stop(u);
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(recv(fd, got, sizeof(got), MSG_DONTWAIT), 2);
	(void)close(fd);
}

/* Holds the one worker in its handler, with one datagram. */
static int hold(struct seen *seen, struct net_udp *u)
{
	const int fd = client("127.0.0.1", net_udp_port(u));
	atomic_store(&seen->hold, true);
	assert_int_equal(send(fd, "-", 1, 0), 1);
	for (unsigned ms = 0; atomic_load(&seen->batches) == 0 && ms < 5000; ms++)
		(void)usleep(1000);
	assert_int_equal(atomic_load(&seen->batches), 1);
	return fd;
}

static struct net_udp_stats when_all_are_seen(struct seen *seen, struct net_udp *u, unsigned n)
{
	struct net_udp_stats s = net_udp_stats(u);
	atomic_store(&seen->hold, false);
	for (unsigned ms = 0; s.sent + s.send_failed < n && ms < 5000; ms++) {
		(void)usleep(1000);
		s = net_udp_stats(u);
	}
	return s;
}

static void counts_what_the_kernel_drops(void **state)
{
	(void)state;
	enum { FLOOD = 1000 };
	struct seen seen = { 0 };
	struct net_udp *u = start_with(&seen, "127.0.0.1:0", 1, 16384);
	const int fd = hold(&seen, u);
	for (unsigned i = 0; i < FLOOD; i++)
		assert_int_equal(send(fd, "xy", 2, 0), 2);
	/* Known while the worker is still stuck and nothing gets through. */
	const uint64_t dropped = net_udp_stats(u).dropped;
	assert_in_range(dropped, 1, FLOOD - 1);

	const struct net_udp_stats s = when_all_are_seen(&seen, u, FLOOD - (unsigned)dropped);
	assert_int_equal(s.dropped, dropped);
	assert_int_equal(s.received, 1 + FLOOD - dropped);
	assert_int_equal(s.sent, FLOOD - dropped);
	(void)close(fd);
	net_udp_stop(u);
}

static void gives_up_the_replies_that_the_send_buffer_has_no_room_for(void **state)
{
	(void)state;
	struct seen seen = { 0 };
	struct net_udp *u = start(&seen, "127.0.0.1:0", 1);
	const int fd = hold(&seen, u);
	char got[8];
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(send(fd, "xy", 2, 0), 2);
	atomic_store(&room, 3);
	const struct net_udp_stats s = when_all_are_seen(&seen, u, 10);
	atomic_store(&room, INT_MAX);
	assert_int_equal(s.sent, 3);
	assert_int_equal(s.send_failed, 7);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(recv(fd, got, sizeof(got), 0), 2);
	answers(fd); /* the worker goes on */
	(void)close(fd);
	net_udp_stop(u);
}

static void stops_while_requests_keep_coming(void **state)
{
	(void)state;
	struct seen seen = { 0 };
	struct net_udp *u = start(&seen, "127.0.0.1:0", 1);
	const int fd = client("127.0.0.1", net_udp_port(u));
	atomic_store(&seen.more, fd);
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(send(fd, "-", 1, 0), 1);
	for (unsigned ms = 0; atomic_load(&seen.datagrams) < 1000 && ms < 5000; ms++)
		(void)usleep(1000);
	assert_true(atomic_load(&seen.datagrams) >= 1000);
	net_udp_stop(u); /* returns, or the test times out */
	(void)close(fd);
}

static void refuses_a_port_that_is_taken(void **state)
{
	(void)state;
	struct seen seen = { 0 };
	for (unsigned workers = 1; workers <= 2; workers++) {
		struct net_udp *u = start(&seen, "127.0.0.1:0", workers), *second = NULL;
		char listen[32];
		struct fault fault = { 0 };
		(void)snprintf(listen, sizeof(listen), "127.0.0.1:%u", net_udp_port(u));
		const struct net_udp_options o = {
			.listen = listen, .workers = workers, .handle = mirror, .ctx = &seen
		};
		assert_int_equal(net_udp_start(&o, &second, &fault), ERR_SYSTEM);
		assert_string_equal(fault.where, listen);
		assert_non_null(strstr(fault.text, "in use"));
		net_udp_stop(u);
	}
}

static void names_a_bad_address(void **state)
{
	(void)state;
	static const char *const bad[] = { "",           "6969",        ":6969",    "::1:80",
		                           "[::1]",      "127.0.0.1",   "[::]:",    "[::]:65536",
		                           "[::]:1x",    "localhost:1", "[::]:-1",  "127.0.0.1: 1",
		                           "[1.2.3.4:5", "1.2.3.4]:5",  "[::]x:80", "[]:80" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct net_udp *u = NULL;
		struct fault fault = { 0 };
		const struct net_udp_options o = { .listen = bad[i],
			                           .workers = 1,
			                           .handle = mirror };
		if (net_udp_start(&o, &u, &fault) != ERR_MALFORMED)
			fail_msg("took '%s'", bad[i]);
		assert_string_equal(fault.where, bad[i]);
	}
	net_udp_stop(NULL);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(answers_from_the_address_asked),
	cmocka_unit_test(answers_both_families_on_one_port),
	cmocka_unit_test(hears_ipv4_where_there_is_no_ipv6),
	cmocka_unit_test(refuses_a_port_that_one_family_lacks),
	cmocka_unit_test(tells_who_asked_and_when),
	cmocka_unit_test(sends_nothing_when_there_is_nothing_to_say),
	cmocka_unit_test(workers_share_the_port_that_the_kernel_chose),
	cmocka_unit_test(answers_what_was_received_before_the_stop),
	cmocka_unit_test(counts_what_the_kernel_drops),
	cmocka_unit_test(gives_up_the_replies_that_the_send_buffer_has_no_room_for),
	cmocka_unit_test(stops_while_requests_keep_coming),
	cmocka_unit_test(refuses_a_port_that_is_taken),
	cmocka_unit_test(names_a_bad_address),
};

RUN_TESTS(tests)
