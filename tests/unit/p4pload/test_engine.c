/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/codec/udp_tracker.h"
#include "tools/p4pload/engine.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/* A tracker of one thread that behaves as its mood says. */
enum mood {
	MOOD_GOOD,   /* lists nobody */
	MOOD_SELF,   /* lists the asker */
	MOOD_REFUSE, /* answers announces with errors */
	MOOD_TWICE,  /* answers everything twice */
	MOOD_SILENT  /* answers connects only */
};

struct tracker {
	pthread_t thread;
	int fd;
	uint16_t port;
	enum mood mood;
	atomic_bool stop;
	atomic_uint connects, announces, scrapes;
};

static size_t answer(struct tracker *t, const uint8_t *p, size_t size, struct sockaddr_in *from,
                     uint8_t out[static UDP_REPLY_MAX])
{
	static const struct udp_scrape_row rows[UDP_SCRAPE_MAX];
	struct udp_head head;
	struct announce a;
	const uint8_t *hashes;
	size_t count;
	if (udp_head_parse(p, size, &head) != ERR_OK)
		return 0;
	const uint64_t id = 1 + ntohl(from->sin_addr.s_addr);
	if (head.action == UDP_CONNECT) {
		t->connects++;
		return udp_connect_reply(out, UDP_REPLY_MAX, head.transaction, id);
	}
	if (head.connection != id || t->mood == MOOD_REFUSE)
		return udp_error_reply(out, UDP_REPLY_MAX, head.transaction, "no");
	if (t->mood == MOOD_SILENT)
		return 0;
	if (head.action == UDP_SCRAPE && udp_scrape_parse(p, size, &hashes, &count) == ERR_OK) {
		t->scrapes++;
		return udp_scrape_reply(out, UDP_REPLY_MAX, head.transaction, rows, count);
	}
	if (head.action != UDP_ANNOUNCE || udp_announce_parse(p, size, &a) != ERR_OK)
		return 0;
	t->announces++;
	const struct udp_announce_answer reply = { .transaction = head.transaction };
	const size_t n = udp_announce_reply(out, UDP_REPLY_MAX, &reply);
	const uint16_t port = htons(a.port);
	if (t->mood != MOOD_SELF)
		return n;
	memcpy(out + n, &from->sin_addr, 4);
	memcpy(out + n + 4, &port, 2);
	return n + 6;
}

static void *serve(void *arg)
{
	struct tracker *t = arg;
	while (!t->stop) {
		uint8_t in[2048], out[UDP_REPLY_MAX];
		struct sockaddr_in from;
		socklen_t len = sizeof(from);
		const ssize_t got =
			recvfrom(t->fd, in, sizeof(in), 0, (struct sockaddr *)&from, &len);
		if (got < 0)
			continue;
		const size_t n = answer(t, in, (size_t)got, &from, out);
		for (int i = 0; n > 0 && i <= (t->mood == MOOD_TWICE); i++)
			(void)sendto(t->fd, out, n, 0, (struct sockaddr *)&from, len);
	}
	return NULL;
}

static void start(struct tracker *t, enum mood mood)
{
	struct sockaddr_in here = { .sin_family = AF_INET };
	socklen_t len = sizeof(here);
	const struct timeval wait = { .tv_usec = 50000 };
	memset(t, 0, sizeof(*t));
	t->mood = mood;
	here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	t->fd = socket(AF_INET, SOCK_DGRAM, 0);
	assert_true(t->fd >= 0);
	assert_int_equal(setsockopt(t->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)), 0);
	assert_int_equal(bind(t->fd, (struct sockaddr *)&here, sizeof(here)), 0);
	assert_int_equal(getsockname(t->fd, (struct sockaddr *)&here, &len), 0);
	t->port = ntohs(here.sin_port);
	assert_int_equal(pthread_create(&t->thread, NULL, serve, t), 0);
}

static void stop(struct tracker *t)
{
	t->stop = true;
	assert_int_equal(pthread_join(t->thread, NULL), 0);
	assert_int_equal(close(t->fd), 0);
}

static struct tally tally;

static enum err load(const struct tracker *t, struct options o, struct fault *fault)
{
	struct population p;
	struct engine *e = NULL;
	o.target = ip_v4(INADDR_LOOPBACK);
	o.port = t->port;
	o.seconds = 1;
	o.hashes = 10;
	o.sockets = 2;
	o.seed = 1;
	o.from[0] = (struct ip_prefix){ ip_v4(0x7f140000), 16 };
	o.n_from = 1;
	assert_int_equal(population_init(&p, &o, fault), ERR_OK);
	assert_int_equal(engine_new(&p, &e, fault), ERR_OK);
	const enum err err = engine_run(e, &tally, fault);
	engine_free(e);
	population_done(&p);
	return err;
}

static const struct options small = { .warm = 2,
	                              .peers = 100,
	                              .addresses = 20,
	                              .window = 16,
	                              .want = 30,
	                              .mix = { .3, .5, .2 },
	                              .verify = true };

static void books_a_good_tracker_in_a_closed_loop(void **state)
{
	(void)state;
	struct tracker t;
	struct fault fault = { 0 };
	start(&t, MOOD_GOOD);
	struct options o = small;
	o.pid = (uint64_t)getpid();
	assert_int_equal(load(&t, o, &fault), ERR_OK);
	stop(&t);

	const uint64_t sent =
		tally.sent[UDP_CONNECT] + tally.sent[UDP_ANNOUNCE] + tally.sent[UDP_SCRAPE];
	assert_true(sent > 200);
	assert_int_equal(tally.answered + tally.lost, sent);
	assert_int_equal(tally.verdicts[REPLY_GOOD], tally.answered);
	assert_int_equal(tally.latency.total, tally.answered);
	assert_in_range(tally.sent[UDP_CONNECT] * 100 / sent, 25, 35);
	assert_in_range(tally.sent[UDP_SCRAPE] * 100 / sent, 15, 25);
	assert_true(t.connects >= 100 + tally.sent[UDP_CONNECT]);
	assert_true(t.announces >= 200 + tally.sent[UDP_ANNOUNCE]);
	assert_true(tally.cpu_ns > 0);
	assert_true(tally.ns >= 1000000000 && tally.ns < 10000000000);
}

static void an_open_loop_keeps_its_rate(void **state)
{
	(void)state;
	struct tracker t;
	struct fault fault = { 0 };
	start(&t, MOOD_GOOD);
	struct options o = small;
	o.rate = 500;
	assert_int_equal(load(&t, o, &fault), ERR_OK);
	stop(&t);
	const uint64_t sent =
		tally.sent[UDP_CONNECT] + tally.sent[UDP_ANNOUNCE] + tally.sent[UDP_SCRAPE];
	assert_in_range(sent, 500, 600);
	assert_int_equal(tally.cpu_ns, 0);
}

static void notices_a_tracker_that_lists_the_asker(void **state)
{
	(void)state;
	struct tracker t;
	struct fault fault = { 0 };
	start(&t, MOOD_SELF);
	struct options o = small;
	o.rate = 500;
	assert_int_equal(load(&t, o, &fault), ERR_OK);
	stop(&t);
	assert_true(tally.verdicts[REPLY_SELF] > 0);
	assert_int_equal(tally.verdicts[REPLY_SELF], tally.peers);
}

static void counts_second_answers_as_late(void **state)
{
	(void)state;
	struct tracker t;
	struct fault fault = { 0 };
	start(&t, MOOD_TWICE);
	struct options o = small;
	o.rate = 500;
	assert_int_equal(load(&t, o, &fault), ERR_OK);
	stop(&t);
	assert_true(tally.late > 100);
	assert_int_equal(tally.verdicts[REPLY_GOOD], tally.answered);
}

static void gives_up_on_a_tracker_that_lets_nobody_in(void **state)
{
	(void)state;
	static const struct {
		enum mood mood;
		const char *text;
		unsigned connects; /* a refused client connects anew */
	} rows[] = {
		{ MOOD_SILENT, "answered 0, refused 0, 0 answers were malformed, 16 lost", 16 },
		{ MOOD_REFUSE, "answered 16, refused 16", 48 },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tracker t;
		struct fault fault = { 0 };
		start(&t, rows[i].mood);
		struct options o = small;
		o.peers = 16;
		assert_int_equal(load(&t, o, &fault), ERR_AWAY);
		stop(&t);
		assert_string_equal(fault.where, "announce");
		assert_non_null(strstr(fault.text, rows[i].text));
		assert_int_equal(t.connects, rows[i].connects);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(an_open_loop_keeps_its_rate),
	cmocka_unit_test(books_a_good_tracker_in_a_closed_loop),
	cmocka_unit_test(counts_second_answers_as_late),
	cmocka_unit_test(gives_up_on_a_tracker_that_lets_nobody_in),
	cmocka_unit_test(notices_a_tracker_that_lists_the_asker),
};

RUN_TESTS(tests)
