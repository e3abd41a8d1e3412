/* SPDX-License-Identifier: Apache-2.0 */
#include "server/net/lane.h"

#include "tests/unit/test.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* What libmicrohttpd 0.9.75 takes at a time. */
enum { BATCH = 128 };

static atomic_bool busy;
static atomic_uint foreseen;

/* An empty body; "/slow" keeps the thread busy for a while. */
static void answer(void *ctx, const struct http_request *r, struct http_reply *reply)
{
	(void)ctx;
	(void)reply;
	if (strcmp(r->path, "/slow") == 0) {
		atomic_store(&busy, true);
		(void)usleep(300000);
	}
}

static void foresee(void *ctx, const struct http_request *const *requests, size_t n)
{
	(void)ctx;
	for (size_t i = 0; i < n; i++)
		if (strcmp(requests[i]->query, "kept") == 0)
			atomic_fetch_add(&foreseen, 1);
}

/* Nobody is given up on while a test runs. */
static struct http_server *start(unsigned connections_max)
{
	const struct http_options o = { .listen = "127.0.0.1:0",
		                        .threads = 1,
		                        .memory_each = 4096,
		                        .connections_max = connections_max,
		                        .idle_seconds = 60,
		                        .keep_alive = true,
		                        .handle = answer,
		                        .foresee = foresee };
	struct http_server *s = NULL;
	struct fault fault = { 0 };
	if (http_start(&o, &s, &fault) != ERR_OK)
		fail_msg("%s: %s", fault.where, fault.text);
	return s;
}

static void dial(const struct http_server *s, int *fds, unsigned n)
{
	const struct timeval patience = { .tv_sec = 5 };
	const struct sockaddr_in to = { .sin_family = AF_INET,
		                        .sin_port = htons(http_port(s)),
		                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	for (unsigned i = 0; i < n; i++) {
		fds[i] = socket(AF_INET, SOCK_STREAM, 0);
		assert_true(fds[i] >= 0);
		assert_int_equal(
			setsockopt(fds[i], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)),
			0);
		assert_int_equal(connect(fds[i], (const struct sockaddr *)&to, sizeof(to)), 0);
	}
}

static void hang_up(const int *fds, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		(void)close(fds[i]);
}

static void ask(const int *fds, unsigned n, const char *request)
{
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(send(fds[i], request, strlen(request), MSG_NOSIGNAL),
		                 strlen(request));
}

static void expect_replies(const int *fds, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		char reply[1024];
		size_t size = 0;
		while (size < 4 || memcmp(reply + size - 4, "\r\n\r\n", 4) != 0) {
			const ssize_t more = recv(fds[i], reply + size, sizeof(reply) - size, 0);
			if (more <= 0)
				fail_msg("connection %u of %u has no reply", i + 1, n);
			size += (size_t)more;
		}
		assert_memory_equal(reply, "HTTP/1.1 200 ", 13);
	}
}

#define REQUEST(path) "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"

/* While the thread is busy, exactly so many requests gather. */
static void answers_as_many_at_once_as_fill_its_batches(void **state)
{
	(void)state;
	static const unsigned counts[] = { BATCH - 1, BATCH, 2 * BATCH };
	for (size_t row = 0; row < sizeof(counts) / sizeof(counts[0]); row++) {
		const unsigned n = counts[row];
		struct http_server *s = start(2 * n); /* some places stay free */
		int fds[2 * BATCH], slow;
		dial(s, fds, n);
		ask(fds, n, REQUEST("/"));
		expect_replies(fds, n);

		dial(s, &slow, 1);
		atomic_store(&busy, false);
		ask(&slow, 1, REQUEST("/slow"));
		while (!atomic_load(&busy))
			(void)usleep(1000);
		ask(fds, n, REQUEST("/?kept"));
		expect_replies(fds, n);
		hang_up(&slow, 1);
		hang_up(fds, n);
		http_stop(s);
	}
}

static void accepts_again_when_it_was_full(void **state)
{
	(void)state;
	struct http_server *s = start(1);
	for (unsigned round = 0; round < 3; round++) {
		int fd;
		dial(s, &fd, 1);
		ask(&fd, 1, REQUEST("/"));
		expect_replies(&fd, 1);
		(void)usleep(20000); /* it stops listening, and waits */
		hang_up(&fd, 1);
		(void)usleep(20000);
	}
	http_stop(s);
}

static void gives_no_place_to_a_silent_connection(void **state)
{
	(void)state;
	struct http_server *s = start(1);
	int silent, fd;
	dial(s, &silent, 1);
	(void)usleep(20000);
	dial(s, &fd, 1);
	ask(&fd, 1, REQUEST("/"));
	expect_replies(&fd, 1);
	hang_up(&fd, 1);
	ask(&silent, 1, REQUEST("/")); /* its turn has come */
	expect_replies(&silent, 1);
	hang_up(&silent, 1);
	http_stop(s);
}

/* A first request is handled at once; more than can wait for each other are, too. */
static void foresees_what_kept_connections_ask(void **state)
{
	(void)state;
	enum { N = HTTP_FORESEEN_MAX + 6 };
	struct http_server *s = start(2 * N);
	int fds[N];
	atomic_store(&foreseen, 0);
	dial(s, fds, N);
	ask(fds, N, REQUEST("/?kept"));
	expect_replies(fds, N);
	assert_int_equal(atomic_load(&foreseen), 0);
	for (unsigned round = 1; round <= 3; round++) {
		ask(fds, 1, REQUEST("/?kept"));
		expect_replies(fds, 1);
		assert_int_equal(atomic_load(&foreseen), round);
	}
	ask(fds, 1, REQUEST("/slow?kept")); /* so that the others gather */
	ask(fds + 1, N - 1, REQUEST("/?kept"));
	expect_replies(fds, 1);
	expect_replies(fds + 1, N - 1);
	assert_true(atomic_load(&foreseen) > HTTP_FORESEEN_MAX);
	hang_up(fds, N);
	http_stop(s);
}

/* Each has sent half a request, which makes it one that is accepted. */
static void a_newcomer_takes_the_place_of_the_longest_silent(void **state)
{
	(void)state;
	enum { PLACES = 16, CROWD = 5 * PLACES };
	struct http_server *s = start(PLACES);
	int crowd[CROWD], fd;
	char byte;
	dial(s, crowd, CROWD);
	ask(crowd, CROWD, "GET / HT");
	dial(s, &fd, 1);
	ask(&fd, 1, REQUEST("/"));
	expect_replies(&fd, 1);
	assert_true(recv(crowd[0], &byte, 1, 0) <= 0);
	ask(crowd + CROWD - 1, 1, "TP/1.1\r\nHost: x\r\n\r\n"); /* the last may go on */
	expect_replies(crowd + CROWD - 1, 1);
	hang_up(&fd, 1);
	hang_up(crowd, CROWD);
	http_stop(s);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(answers_as_many_at_once_as_fill_its_batches),
	cmocka_unit_test(accepts_again_when_it_was_full),
	cmocka_unit_test(gives_no_place_to_a_silent_connection),
	cmocka_unit_test(a_newcomer_takes_the_place_of_the_longest_silent),
	cmocka_unit_test(foresees_what_kept_connections_ask),
};

RUN_TESTS(tests)
