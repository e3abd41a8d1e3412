/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/net/asking.h"

static atomic_bool loopback_is_a_proxy;

static bool is_proxy(void *ctx, const struct ip_addr *addr)
{
	(void)ctx;
	return atomic_load(&loopback_is_a_proxy) && addr->family == IP_V4 && addr->bytes[0] == 127;
}

static struct http_server *start_proxied(unsigned per_address)
{
	const struct http_options o = { .listen = "127.0.0.1:0",
		                        .listen_proxied = "127.0.0.1:0",
		                        .threads = 2,
		                        .memory_each = 8192,
		                        .connections_max = 64,
		                        .connections_per_address = per_address,
		                        .idle_seconds = 5,
		                        .keep_alive = true,
		                        .handle = echo,
		                        .is_proxy = is_proxy };
	return start_with(&o);
}

static void limits_connections_of_an_address_but_not_of_a_proxy(void **state)
{
	(void)state;
	static const char request[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
	struct http_server *s = start_proxied(3);
	int fds[6];
	atomic_store(&loopback_is_a_proxy, false);
	for (unsigned round = 0; round < 2; round++) { /* what closes counts no more */
		for (unsigned i = 0; i < 4; i++) {
			fds[i] = dial(http_port(s));
			(void)send(fds[i], request, sizeof(request) - 1, MSG_NOSIGNAL);
			struct text t = hear(fds[i], 1, false);
			assert_int_equal(t.size > 0, i < 3);
			text_done(&t);
		}
		assert_int_equal(http_stats(s).refused, round + 1);
		for (unsigned i = 0; i < 4; i++)
			(void)close(fds[i]);
		(void)usleep(100000); /* the server must hear of it */
	}
	atomic_store(&loopback_is_a_proxy, true);
	for (unsigned i = 0; i < 6; i++) {
		fds[i] = dial(http_port(s));
		say(fds[i], request);
		struct text t = hear(fds[i], 1, false);
		assert_true(t.size > 0);
		text_done(&t);
	}
	for (unsigned i = 0; i < 6; i++)
		(void)close(fds[i]);
	http_stop(s);
}

#define REQUEST "GET /p?q HTTP/1.1\r\nHost: x\r\n\r\n"

static void believes_the_header_of_a_proxy(void **state)
{
	(void)state;
	static const struct {
		const char *header;
		size_t size;
		const char *from;
	} rows[] = {
#define V2                "\r\n\r\n\0\r\nQUIT\n"
#define ROW(header, from) { header, sizeof(header) - 1, from }
		ROW("PROXY TCP4 192.0.2.1 198.51.100.1 56324 80\r\n", "from=192.0.2.1\n"),
		ROW("PROXY TCP6 2001:db8::1 2001:db8::2 5 80\r\n", "from=2001:db8::1\n"),
		ROW("PROXY UNKNOWN\r\n", "from=127.0.0.1\n"),
		ROW(V2 "\x21\x11\0\x0f\xc0\0\2\1\xc6\x33\x64\1\xdc\4\0\x50\4\0\0",
		    "from=192.0.2.1\n"),
		ROW(V2 "\x20\0\0\0", "from=127.0.0.1\n"),
	};
	struct http_server *s = start_proxied(0);
	atomic_store(&loopback_is_a_proxy, true);
	for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
		const size_t row = i / 2, step = i % 2 == 0 ? rows[row].size : 1;
		const int fd = dial(http_proxied_port(s));
		for (size_t at = 0; at < rows[row].size; at += step) {
			assert_int_equal(send(fd, rows[row].header + at, step, MSG_NOSIGNAL), step);
			if (step == 1)
				(void)usleep(500); /* so that the header comes in many pieces */
		}
		for (unsigned n = 0; n < 2; n++) { /* the header speaks for the whole connection */
			say(fd, REQUEST);
			struct text t = hear(fd, 1, false);
			expect(&t, "path=/p\nquery=q\n");
			expect(&t, rows[row].from);
			text_done(&t);
		}
		(void)close(fd);
	}
	assert_int_equal(http_stats(s).unproxied, 0);
	http_stop(s);
}

static void hangs_up_on_who_is_no_proxy_or_speaks_another_protocol(void **state)
{
	(void)state;
	static const char header[] = "PROXY TCP4 192.0.2.1 198.51.100.1 56324 80\r\n" REQUEST;
	struct http_server *s = start_proxied(0);
	atomic_store(&loopback_is_a_proxy, false);
	int fd = dial(http_proxied_port(s));
	(void)send(fd, header, sizeof(header) - 1, MSG_NOSIGNAL);
	char c;
	assert_true(recv(fd, &c, 1, 0) <= 0); /* a reset, when it closes before it reads */
	(void)close(fd);
	assert_int_equal(http_stats(s).unproxied, 1);

	atomic_store(&loopback_is_a_proxy, true);
	fd = dial(http_proxied_port(s));
	(void)send(fd, REQUEST, sizeof(REQUEST) - 1, MSG_NOSIGNAL);
	assert_true(recv(fd, &c, 1, 0) <= 0);
	(void)close(fd);
	assert_int_equal(http_stats(s).unproxied, 2);

	fd = dial(http_proxied_port(s)); /* one that hangs up in the middle */
	say(fd, "PROXY TCP4 192.0.2.1");
	(void)shutdown(fd, SHUT_WR);
	assert_true(recv(fd, &c, 1, 0) <= 0);
	(void)close(fd);
	assert_int_equal(http_stats(s).unproxied, 3);

	fd = dial(http_proxied_port(s)); /* and one that is silent when the server stops */
	say(fd, "PROXY ");
	(void)usleep(20000);
	http_stop(s);
	assert_true(recv(fd, &c, 1, 0) <= 0);
	(void)close(fd);
}

static void limits_the_addresses_that_a_proxy_speaks_for(void **state)
{
	(void)state;
	static const char header[] = "PROXY TCP4 192.0.2.1 198.51.100.1 56324 80\r\n" REQUEST;
	struct http_server *s = start_proxied(2);
	int fds[3];
	atomic_store(&loopback_is_a_proxy, true);
	for (unsigned i = 0; i < 3; i++) {
		fds[i] = dial(http_proxied_port(s));
		(void)send(fds[i], header, sizeof(header) - 1, MSG_NOSIGNAL);
		struct text t = hear(fds[i], 1, false);
		assert_int_equal(t.size > 0, i < 2);
		text_done(&t);
	}
	for (unsigned i = 0; i < 3; i++)
		(void)close(fds[i]);
	http_stop(s);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(limits_connections_of_an_address_but_not_of_a_proxy),
	cmocka_unit_test(believes_the_header_of_a_proxy),
	cmocka_unit_test(hangs_up_on_who_is_no_proxy_or_speaks_another_protocol),
	cmocka_unit_test(limits_the_addresses_that_a_proxy_speaks_for),
};

RUN_TESTS(tests)
