/* SPDX-License-Identifier: Apache-2.0 */
#include "server/net/udp.h"

#include "tests/unit/test.h"

#include <arpa/inet.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct seen {
	atomic_uint datagrams, workers;
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
	for (size_t i = 0; i < n; i++) {
		struct net_datagram *d = &batch[i];
		atomic_fetch_add(&seen->datagrams, 1);
		atomic_store(&seen->port, d->from_port);
		atomic_store(&seen->family, d->from.family);
		if (d->in_size == 1 && d->in[0] == '-')
			continue;
		for (size_t k = 0; k < d->in_size; k++)
			d->out[k] = d->in[d->in_size - 1 - k];
		d->out_size = d->in_size;
	}
}

static struct net_udp *start(struct seen *seen, const char *listen, unsigned workers)
{
	struct net_udp *u = NULL;
	struct fault fault = { 0 };
	const struct net_udp_options o = { .listen = listen,
		                           .workers = workers,
		                           .receive_buffer = 1U << 20,
		                           .handle = mirror,
		                           .ctx = seen };
	if (net_udp_start(&o, &u, &fault) != ERR_OK)
		fail_msg("%s: %s", fault.where, fault.text);
	return u;
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

static void answers_ipv6(void **state)
{
	(void)state;
	struct seen seen = { 0 };
	struct net_udp *u = start(&seen, "[::]:0", 1);
	struct sockaddr_in6 to = { .sin6_family = AF_INET6,
		                   .sin6_port = htons(net_udp_port(u)),
		                   .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	const int fd = socket(AF_INET6, SOCK_DGRAM, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0) {
		if (fd >= 0)
			(void)close(fd);
		net_udp_stop(u);
		print_message("# skipped: no IPv6 on this machine\n");
		return;
	}
	answers(fd);
	assert_int_equal(atomic_load(&seen.family), IP_V6);
	(void)close(fd);
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
	cmocka_unit_test(answers_ipv6),
	cmocka_unit_test(tells_who_asked_and_when),
	cmocka_unit_test(sends_nothing_when_there_is_nothing_to_say),
	cmocka_unit_test(workers_share_the_port_that_the_kernel_chose),
	cmocka_unit_test(answers_what_was_received_before_the_stop),
	cmocka_unit_test(refuses_a_port_that_is_taken),
	cmocka_unit_test(names_a_bad_address),
};

RUN_TESTS(tests)
