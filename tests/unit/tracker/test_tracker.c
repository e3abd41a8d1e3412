/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/tracker/house.h"

#include <pthread.h>
#include <sched.h>

static void new_settings_hold_from_the_next_batch_on(void **state)
{
	(void)state;
	struct tracker_settings s = usual;
	struct house *h = house_new(&s);
	const struct say ask = { .ip = "192.0.2.200", .port = 1, .left = 9, .want = 50, .hash = 1 };
	udp_crowd(h, "192.0.2.", 20, 9);
	assert_int_equal(udp_announce(h, &ask).n, 20);
	s.max_peers = 3;
	s.interval = 77;
	assert_int_equal(tracker_reload(h->tracker, &s), ERR_OK);
	const struct heard heard = udp_announce(h, &ask);
	assert_int_equal(heard.n, 3);
	assert_int_equal(heard.interval, 77);
	house_free(h);
}

static void times_one_announce_of_each_batch(void **state)
{
	(void)state;
	struct house *h = house_new(&usual);
	struct tracker_worker *w = &h->tracker->workers[0];
	const struct announce a = { .info_hash = { 1 }, .port = 1, .left = 9 };
	const struct ask ask = { .announce = &a, .from = address("192.0.2.1"), .room = 50 };
	struct answer answer;
	struct text page = { 0 };
	for (unsigned batch = 0; batch < 3; batch++) {
		worker_begin(w, h->now * 1000);
		for (unsigned i = 0; i < 5; i++)
			tracker_announce(w, &ask, &answer);
		worker_end(w);
	}
	metrics_write(h->metrics, &page);
	assert_non_null(strstr(page.bytes, "p4pd_announce_seconds_count 3\n"));
	text_done(&page);
	house_free(h);
}

enum { CHANGES = 100, SWARMS = 5 };

struct client {
	struct house *house;
	pthread_t thread;
	unsigned worker;
	atomic_bool *stop;
	atomic_uint asked;
	unsigned unanswered;
};

static void *announce_much(void *arg)
{
	struct client *c = arg;
	const struct ip_addr from = ip_v4(0x0a010001U + (c->worker << 16));
	for (unsigned i = 0; !atomic_load(c->stop); i++) {
		const struct say s = { .port = (uint16_t)(1 + i % 50),
			               .left = i % 3,
			               .event = i % 11 == 0 ? EVENT_STOPPED : EVENT_NONE,
			               .want = 10,
			               .hash = (uint8_t)(i % SWARMS) };
		uint8_t in[UDP_ANNOUNCE_SIZE], out[NET_DATAGRAM_MAX];
		struct net_datagram d = {
			.in = in, .in_size = sizeof(in), .from = from, .from_port = 1, .out = out
		};
		(void)udp_announce_packet(
			&s, connection_id(c->house->tracker->connection_key, &from, 1000), in);
		tracker_udp(c->house->tracker, c->worker, 1000 * 1000, &d, 1);
		c->unanswered += d.out_size == 0;
		atomic_fetch_add(&c->asked, 1);
	}
	return NULL;
}

/* What TSAN shall watch: two workers, and everything that may change meanwhile. */
static void workers_go_on_while_maps_and_rules_change(void **state)
{
	(void)state;
	struct house *h = house_new(&usual);
	struct client clients[UDP_WORKERS];
	const uint8_t listed[2][INFO_HASH_SIZE] = { { 1 }, { 3 } };
	struct tracker_settings s = usual;
	struct swarm_sweep sweep = { 0 };
	atomic_bool stop = false;
	for (unsigned i = 0; i < UDP_WORKERS; i++) {
		clients[i] = (struct client){ .house = h, .worker = i, .stop = &stop };
		assert_int_equal(
			pthread_create(&clients[i].thread, NULL, announce_much, &clients[i]), 0);
	}
	for (unsigned i = 0; i < CHANGES; i++) {
		const unsigned before = atomic_load(&clients[i % UDP_WORKERS].asked);
		while (atomic_load(&clients[i % UDP_WORKERS].asked) < before + 20)
			(void)sched_yield();
		house_publish(h, i % 2 == 0);
		s.rules.policy = i % 3 == 0 ? STEER_NATIVE : STEER_P4P;
		assert_int_equal(tracker_reload(h->tracker, &s), ERR_OK);
		const struct tracker_access access = { .open = i % 2 == 0,
			                               .allowed = listed,
			                               .n_allowed = 2 };
		assert_int_equal(tracker_access(h->tracker, &access), ERR_OK);
		(void)swarm_sweep(h->swarms, &sweep, 1000);
	}
	uint64_t asked = 0;
	atomic_store(&stop, true);
	for (unsigned i = 0; i < UDP_WORKERS; i++) {
		pthread_join(clients[i].thread, NULL);
		assert_int_equal(clients[i].unanswered, 0);
		asked += atomic_load(&clients[i].asked);
	}
	assert_int_equal(counted(h, METRIC_UDP_ANNOUNCE_NATIVE) +
	                         counted(h, METRIC_UDP_ANNOUNCE_P4P) +
	                         counted(h, METRIC_UDP_ANNOUNCE_REFUSED),
	                 asked);
	house_free(h);
	tracker_free(NULL);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(new_settings_hold_from_the_next_batch_on),
	cmocka_unit_test(times_one_announce_of_each_batch),
	cmocka_unit_test(workers_go_on_while_maps_and_rules_change),
};

RUN_TESTS(tests)
