/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/codec/query.h"
#include "tools/p4pload/engine.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/* ---- a tracker of one thread, which behaves as its mood says ---- */

enum mood {
	MOOD_GOOD,
	MOOD_SELF,      /* lists the asker */
	MOOD_LONELY,    /* lists nobody */
	MOOD_KEEPS,     /* goes on to list who left */
	MOOD_MISCOUNTS, /* one seeder too many */
	MOOD_REFUSE,    /* answers announces with errors */
	MOOD_TWICE,     /* answers everything twice */
	MOOD_SILENT,    /* answers connects only */
	MOOD_STALLS,    /* once, for 300 ms */
	MOOD_HANGS_UP   /* HTTP: closes every connection after its third answer, and says nothing */
};

enum { PEERS_MAX = 256, LINKS_MAX = 64, LIST_MAX = 30 };

struct known {
	uint8_t hash[INFO_HASH_SIZE], address[16];
	uint16_t port;
	bool seeder, gone;
};

struct tracker {
	pthread_t thread;
	int fd;
	uint16_t port;
	enum mood mood;
	bool http, v6;
	atomic_bool stop;
	atomic_uint connects, announces, scrapes, stops, completions;
	unsigned n;
	struct known known[PEERS_MAX];
};

static bool same_swarm(const struct known *k, const uint8_t *hash)
{
	return memcmp(k->hash, hash, INFO_HASH_SIZE) == 0;
}

static struct udp_scrape_row counts(const struct tracker *t, const uint8_t *hash)
{
	struct udp_scrape_row row = { .seeders = t->mood == MOOD_MISCOUNTS };
	for (unsigned i = 0; i < t->n; i++)
		if (same_swarm(&t->known[i], hash) && !t->known[i].gone)
			*(t->known[i].seeder ? &row.seeders : &row.leechers) += 1;
	return row;
}

static struct known *note(struct tracker *t, const struct announce *a, const uint8_t *address)
{
	unsigned i = 0;
	while (i < t->n &&
	       (!same_swarm(&t->known[i], a->info_hash) || t->known[i].port != a->port ||
	        memcmp(t->known[i].address, address, 16) != 0))
		i++;
	assert_true(i < PEERS_MAX);
	t->n += i == t->n;
	struct known *k = &t->known[i];
	memcpy(k->hash, a->info_hash, INFO_HASH_SIZE);
	memcpy(k->address, address, 16);
	k->port = a->port;
	k->seeder = a->left == 0;
	k->gone = a->event == EVENT_STOPPED;
	t->announces++;
	t->stops += a->event == EVENT_STOPPED;
	t->completions += a->event == EVENT_COMPLETED;
	return k;
}

/* Writes the list for `asker`; its size. */
static size_t list(const struct tracker *t, const struct known *asker, uint8_t *out)
{
	const size_t size = t->v6 ? 16 : 4;
	size_t n = 0;
	for (unsigned i = 0; i < t->n && n < LIST_MAX * (size + 2); i++) {
		const struct known *k = &t->known[i];
		const uint16_t port = htons(k->port);
		if (t->mood == MOOD_LONELY || !same_swarm(k, asker->hash) ||
		    (k->gone && t->mood != MOOD_KEEPS) || (k == asker && t->mood != MOOD_SELF))
			continue;
		memcpy(out + n, k->address, size);
		memcpy(out + n + size, &port, 2);
		n += size + 2;
	}
	return n;
}

static void stall_once(struct tracker *t)
{
	static const struct timespec pause = { .tv_nsec = 300000000 };
	if (t->mood != MOOD_STALLS || t->announces < 400)
		return;
	t->mood = MOOD_GOOD;
	(void)nanosleep(&pause, NULL);
}

static size_t answer_udp(struct tracker *t, const uint8_t *p, size_t size, const uint8_t *from,
                         uint8_t out[static UDP_REPLY_MAX])
{
	struct udp_scrape_row rows[SCRAPE_MAX];
	struct udp_head head;
	struct announce a;
	const uint8_t *hashes;
	size_t count;
	if (udp_head_parse(p, size, &head) != ERR_OK)
		return 0;
	const uint64_t id = 1 + ((uint64_t)from[2] << 8 | from[3]);
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
		for (size_t i = 0; i < count; i++)
			rows[i] = counts(t, hashes + i * INFO_HASH_SIZE);
		return udp_scrape_reply(out, UDP_REPLY_MAX, head.transaction, rows, count);
	}
	if (head.action != UDP_ANNOUNCE || udp_announce_parse(p, size, &a) != ERR_OK)
		return 0;
	const struct known *k = note(t, &a, from);
	const struct udp_scrape_row row = counts(t, a.info_hash);
	const struct udp_announce_answer reply = { .transaction = head.transaction,
		                                   .leechers = row.leechers,
		                                   .seeders = row.seeders };
	const size_t n = udp_announce_reply(out, UDP_REPLY_MAX, &reply);
	return n + list(t, k, out + n);
}

static void address_of(const struct tracker *t, const struct sockaddr_in6 *from, uint8_t out[16])
{
	memset(out, 0, 16);
	if (t->v6)
		memcpy(out, &from->sin6_addr, 16);
	else
		memcpy(out, &((const struct sockaddr_in *)from)->sin_addr, 4);
}

static void *serve_udp(void *arg)
{
	struct tracker *t = arg;
	while (!t->stop) {
		uint8_t in[2048], out[UDP_REPLY_MAX], address[16];
		struct sockaddr_in6 from;
		socklen_t len = sizeof(from);
		const ssize_t got =
			recvfrom(t->fd, in, sizeof(in), 0, (struct sockaddr *)&from, &len);
		if (got < 0)
			continue;
		stall_once(t);
		address_of(t, &from, address);
		const size_t n = answer_udp(t, in, (size_t)got, address, out);
		for (int i = 0; n > 0 && i <= (t->mood == MOOD_TWICE); i++)
			(void)sendto(t->fd, out, n, 0, (struct sockaddr *)&from, len);
	}
	return NULL;
}

/* Requests come in one piece; they are small. */
static bool answer_http(struct tracker *t, int fd, unsigned answered)
{
	char in[2048], body[1024], head[128];
	uint8_t peers[600], address[16];
	struct sockaddr_in6 from;
	socklen_t len = sizeof(from);
	struct announce a;
	const ssize_t got = recv(fd, in, sizeof(in) - 1, 0);
	if (got <= 0)
		return false;
	in[got] = '\0';
	const bool close_it = strstr(in, "Connection: close") != NULL;
	const char *q = strchr(in, '?');
	assert_non_null(q);
	assert_int_equal(getpeername(fd, (struct sockaddr *)&from, &len), 0);
	address_of(t, &from, address);
	assert_int_equal(query_announce_parse(q + 1, strcspn(q + 1, " "), &a, NULL), ERR_OK);
	const struct known *k = note(t, &a, address);
	const struct udp_scrape_row row = counts(t, a.info_hash);
	const size_t listed = list(t, k, peers);
	size_t n = (size_t)snprintf(body, sizeof(body),
	                            "d8:completei%ue10:incompletei%ue%s%zu:", row.seeders,
	                            row.leechers, t->v6 ? "6:peers6" : "5:peers", listed);
	memcpy(body + n, peers, listed);
	n += listed;
	body[n++] = 'e';
	const int size =
		snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", n);
	assert_int_equal(send(fd, head, (size_t)size, MSG_NOSIGNAL | MSG_MORE), size);
	assert_int_equal(send(fd, body, n, MSG_NOSIGNAL), n);
	return !close_it && (t->mood != MOOD_HANGS_UP || answered < 2);
}

static void *serve_http(void *arg)
{
	struct tracker *t = arg;
	struct pollfd links[LINKS_MAX] = { { .fd = t->fd, .events = POLLIN } };
	unsigned answered[LINKS_MAX] = { 0 };
	nfds_t n = 1;
	while (!t->stop) {
		(void)poll(links, n, 50);
		for (nfds_t i = n; i-- > 1;) {
			if (links[i].revents == 0 || answer_http(t, links[i].fd, answered[i]++))
				continue;
			(void)close(links[i].fd);
			answered[i] = answered[--n];
			links[i] = links[n];
		}
		if (links[0].revents == 0 || n == LINKS_MAX)
			continue;
		links[n] = (struct pollfd){ .fd = accept(t->fd, NULL, NULL), .events = POLLIN };
		t->connects++;
		answered[n++] = 0;
	}
	while (n > 1)
		(void)close(links[--n].fd);
	return NULL;
}

static void start(struct tracker *t, enum mood mood, bool http, bool v6)
{
	struct sockaddr_in6 at = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	const struct sockaddr_in v4 = { .sin_family = AF_INET,
		                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const struct timeval wait = { .tv_usec = 50000 };
	socklen_t len = v6 ? sizeof(at) : sizeof(v4);
	memset(t, 0, sizeof(*t));
	t->mood = mood;
	t->http = http;
	t->v6 = v6;
	if (!v6)
		memcpy(&at, &v4, sizeof(v4));
	t->fd = socket(v6 ? AF_INET6 : AF_INET, http ? SOCK_STREAM : SOCK_DGRAM, 0);
	assert_true(t->fd >= 0);
	assert_int_equal(setsockopt(t->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)), 0);
	assert_int_equal(bind(t->fd, (struct sockaddr *)&at, len), 0);
	assert_int_equal(getsockname(t->fd, (struct sockaddr *)&at, &len), 0);
	assert_true(!http || listen(t->fd, 64) == 0);
	t->port = ntohs(at.sin6_port); /* where a sockaddr_in has its own */
	assert_int_equal(pthread_create(&t->thread, NULL, http ? serve_http : serve_udp, t), 0);
}

static void stop(struct tracker *t)
{
	t->stop = true;
	assert_int_equal(pthread_join(t->thread, NULL), 0);
	assert_int_equal(close(t->fd), 0);
}

/* ---- the tests ---- */

static struct tally tally;

static enum err load(const struct tracker *t, struct options o, struct fault *fault)
{
	struct population p;
	struct engine *e = NULL;
	o.target = ip_v4(INADDR_LOOPBACK);
	o.from[0] = (struct ip_prefix){ ip_v4(0x7f140000), 16 };
	if (t->v6) {
		assert_int_equal(ip_parse("::1", &o.target), ERR_OK);
		o.from[0] = (struct ip_prefix){ o.target, 128 };
		o.addresses = 1;
	}
	o.n_from = 1;
	o.port = t->port;
	o.seconds = 1;
	o.hashes = 10;
	o.sockets = 2;
	o.timeout = 1;
	o.seed = 1;
	assert_int_equal(population_init(&p, &o, fault), ERR_OK);
	assert_int_equal(engine_new(&p, &e, fault), ERR_OK);
	tally_done(&tally);
	const enum err err = engine_run(e, &tally, fault);
	engine_free(e);
	population_done(&p);
	return err;
}

static uint64_t sent(void)
{
	return tally.sent[UDP_CONNECT] + tally.sent[UDP_ANNOUNCE] + tally.sent[UDP_SCRAPE];
}

static const struct options small = { .warm = 2,
	                              .peers = 100,
	                              .addresses = 20,
	                              .window = 16,
	                              .want = 30,
	                              .seeders = 50,
	                              .mix = { .3, .5, .2 },
	                              .verify = true };

static void books_a_good_tracker_in_a_closed_loop(void **state)
{
	(void)state;
	struct tracker t;
	struct fault fault = { 0 };
	for (int v6 = 0; v6 < 2; v6++) {
		start(&t, MOOD_GOOD, false, v6);
		struct options o = small;
		o.pid = (uint64_t)getpid();
		assert_int_equal(load(&t, o, &fault), ERR_OK);
		stop(&t);

		assert_true(sent() > 200);
		assert_int_equal(tally.answered + tally.lost, sent());
		assert_int_equal(tally.verdicts[REPLY_GOOD], tally.answered);
		assert_int_equal(tally.latency.total, tally.answered);
		assert_in_range(tally.sent[UDP_CONNECT] * 100 / sent(), 25, 35);
		assert_in_range(tally.sent[UDP_SCRAPE] * 100 / sent(), 15, 25);
		assert_true(t.connects >= 100 + tally.sent[UDP_CONNECT]);
		assert_true(t.announces >= 200 + tally.sent[UDP_ANNOUNCE]);
		assert_true(tally.peers > 2 * tally.announced);
		assert_true(tally.cpu_ns > 0 && tally.own_cpu_ns > 0 && tally.rss_end > 0);
		assert_true(tally.ns >= 1000000000 && tally.ns < 10000000000);
		/* All but the last ones, due right after it. */
		assert_in_range(tally.seconds[0].answered + tally.seconds[0].lost, sent() - 16,
		                sent());
	}
}

static void follows_clients_that_come_and_go(void **state)
{
	(void)state;
	struct tracker t;
	struct fault fault = { 0 };
	start(&t, MOOD_GOOD, false, false);
	struct options o = small;
	o.stops = o.completes = 20;
	assert_int_equal(load(&t, o, &fault), ERR_OK);
	stop(&t);
	assert_int_equal(tally.verdicts[REPLY_GOOD], tally.answered);
	assert_in_range(t.stops * 100 / tally.sent[UDP_ANNOUNCE], 12, 22); /* a start follows */
	assert_true(t.completions > 10);
}

static void notices_what_a_bad_tracker_does(void **state)
{
	(void)state;
	static const struct {
		enum mood mood;
		enum verdict verdict;
	} rows[] = { { MOOD_SELF, REPLY_SELF },
		     { MOOD_LONELY, REPLY_EMPTY },
		     { MOOD_KEEPS, REPLY_GONE },
		     { MOOD_MISCOUNTS, REPLY_COUNTS } };
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tracker t;
		struct fault fault = { 0 };
		start(&t, rows[i].mood, false, false);
		struct options o = small;
		o.rate = 1000;
		o.stops = rows[i].mood == MOOD_KEEPS ? 20 : 0;
		assert_int_equal(load(&t, o, &fault), ERR_OK);
		stop(&t);
		assert_true(tally.verdicts[rows[i].verdict] > 50);
		assert_int_equal(tally.verdicts[REPLY_GOOD] + tally.verdicts[rows[i].verdict],
		                 tally.answered);
	}
}

static void an_open_loop_keeps_its_rate(void **state)
{
	(void)state;
	struct tracker t;
	struct fault fault = { 0 };
	start(&t, MOOD_GOOD, false, false);
	struct options o = small;
	o.rate = 500;
	assert_int_equal(load(&t, o, &fault), ERR_OK);
	stop(&t);
	assert_in_range(sent() + tally.unsent, 499, 600);
	assert_int_equal(tally.cpu_ns, 0);
}

static void a_stall_is_felt_by_all_that_it_delays(void **state)
{
	(void)state;
	struct tracker t;
	struct fault fault = { 0 };
	start(&t, MOOD_STALLS, false, false);
	struct options o = small;
	o.rate = 1000;
	o.window = 8; /* so that only eight meet it */
	assert_int_equal(load(&t, o, &fault), ERR_OK);
	stop(&t);
	assert_true(tally.latency.max >= 250000000);
	assert_true(histogram_percentile(&tally.latency, .85) > 10000000);
	assert_true(histogram_percentile(&tally.service, .85) <
	            histogram_percentile(&tally.latency, .85));
}

static void counts_second_answers_as_late(void **state)
{
	(void)state;
	struct tracker t;
	struct fault fault = { 0 };
	start(&t, MOOD_TWICE, false, false);
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
		{ MOOD_SILENT, "refused 0, 0 answers were malformed, 16 lost", 16 },
		{ MOOD_REFUSE, "answered 32, refused 16", 80 },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tracker t;
		struct fault fault = { 0 };
		start(&t, rows[i].mood, false, false);
		struct options o = small;
		o.peers = 16;
		assert_int_equal(load(&t, o, &fault), ERR_AWAY);
		stop(&t);
		assert_string_equal(fault.where, "announce");
		assert_non_null(strstr(fault.text, rows[i].text));
		assert_int_equal(t.connects, rows[i].connects);
	}
}

static void speaks_http_over_kept_and_closed_connections(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		struct tracker t;
		struct fault fault = { 0 };
		struct options o = small;
		o.protocol = i % 2 == 0 ? PROTOCOL_HTTP_KEPT : PROTOCOL_HTTP_CLOSED;
		o.addresses = 10;
		o.stops = o.completes = 10;
		o.mix[UDP_CONNECT] = o.mix[UDP_SCRAPE] = 0;
		o.mix[UDP_ANNOUNCE] = 1;
		start(&t, MOOD_GOOD, true, i >= 2);
		assert_int_equal(load(&t, o, &fault), ERR_OK);
		stop(&t);
		assert_true(tally.answered > 200);
		assert_int_equal(tally.verdicts[REPLY_GOOD], tally.answered);
		assert_int_equal(tally.lost, 0);
		assert_int_equal(tally.reconnects, 0);
		if (o.protocol == PROTOCOL_HTTP_KEPT)
			assert_in_range(t.connects, 10, 16);
		else
			assert_int_equal(t.connects, t.announces);
	}
}

static void connects_anew_when_the_tracker_hangs_up(void **state)
{
	(void)state;
	struct tracker t;
	struct fault fault = { 0 };
	struct options o = small;
	o.protocol = PROTOCOL_HTTP_KEPT;
	o.addresses = 10;
	o.mix[UDP_CONNECT] = o.mix[UDP_SCRAPE] = 0;
	o.mix[UDP_ANNOUNCE] = 1;
	start(&t, MOOD_HANGS_UP, true, false);
	assert_int_equal(load(&t, o, &fault), ERR_OK);
	stop(&t);
	assert_true(tally.reconnects > 10);
	assert_int_equal(tally.lost, 0);
	assert_int_equal(tally.verdicts[REPLY_GOOD], tally.answered);
}

static void never_loads_other_machines(void **state)
{
	(void)state;
	static const struct {
		const char *target, *from, *where;
	} rows[] = { { "192.0.2.1", "192.0.2.1/32", "--target" },
		     { "0.0.0.0", "127.0.0.0/8", "--target" },
		     { "127.0.0.1", "192.0.2.0/24", "--from" },
		     { "2001:db8::1", "::1/128", "--target" },
		     { "::1", "2001:db8::/64", "--from" },
		     { "::", "::1/128", "--target" } };
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct options o = small;
		struct population p;
		struct engine *e = NULL;
		struct fault fault = { 0 };
		o.hashes = o.sockets = o.n_from = 1;
		assert_int_equal(ip_parse(rows[i].target, &o.target), ERR_OK);
		assert_int_equal(ip_prefix_parse(rows[i].from, &o.from[0]), ERR_OK);
		assert_int_equal(population_init(&p, &o, &fault), ERR_OK);
		assert_int_equal(engine_new(&p, &e, &fault), ERR_DENIED);
		assert_string_equal(fault.where, rows[i].where);
		assert_non_null(strstr(fault.text, "never loads others"));
		population_done(&p);
	}
}

static void wants_a_process_that_it_may_look_into(void **state)
{
	(void)state;
	struct options o = small;
	struct population p;
	struct engine *e = NULL;
	struct fault fault = { 0 };
	o.target = ip_v4(0x7f000001);
	o.port = o.hashes = o.sockets = o.n_from = o.addresses = 1;
	assert_int_equal(ip_prefix_parse("127.0.0.1/32", &o.from[0]), ERR_OK);
	assert_int_equal(population_init(&p, &o, &fault), ERR_OK);
	o.pid = INT32_MAX; /* above Linux's largest, 2^22 */
	assert_int_equal(engine_new(&p, &e, &fault), ERR_NOT_FOUND);
	assert_null(e);
	assert_string_equal(fault.where, "--pid");
	assert_non_null(strstr(fault.text, "no process 2147483647"));
	o.pid = (uint64_t)getpid();
	assert_int_equal(engine_new(&p, &e, &fault), ERR_OK);
	engine_free(e);
	population_done(&p);
}

static int forget(void **state)
{
	(void)state;
	tally_done(&tally);
	return 0;
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(a_stall_is_felt_by_all_that_it_delays),
	cmocka_unit_test(an_open_loop_keeps_its_rate),
	cmocka_unit_test(books_a_good_tracker_in_a_closed_loop),
	cmocka_unit_test(connects_anew_when_the_tracker_hangs_up),
	cmocka_unit_test(counts_second_answers_as_late),
	cmocka_unit_test(follows_clients_that_come_and_go),
	cmocka_unit_test(gives_up_on_a_tracker_that_lets_nobody_in),
	cmocka_unit_test(never_loads_other_machines),
	cmocka_unit_test(notices_what_a_bad_tracker_does),
	cmocka_unit_test(wants_a_process_that_it_may_look_into),
	cmocka_unit_test_teardown(speaks_http_over_kept_and_closed_connections, forget),
};

RUN_TESTS(tests)
