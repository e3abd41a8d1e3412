/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/tracker/house.h"

static struct heard say(struct house *h, struct say s)
{
	s.hash = 1;
	return udp_announce(h, &s);
}

static void expect_counts(const struct heard *heard, uint32_t seeders, uint32_t leechers)
{
	assert_int_equal(heard->seeders, seeders);
	assert_int_equal(heard->leechers, leechers);
}

static void introduces_peers_but_nobody_to_itself(void **state)
{
	(void)state;
	struct house *h = house_new(&usual);
	const struct say first = { .ip = "192.0.2.1", .port = 11, .left = 9, .want = -1 };
	struct heard heard = say(h, first);
	expect_counts(&heard, 0, 1);
	assert_int_equal(heard.n, 0);
	heard = say(h, (struct say){ .ip = "192.0.2.2", .port = 22, .left = 9, .want = -1 });
	expect_counts(&heard, 0, 2);
	assert_int_equal(heard.n, 1);
	assert_int_equal(heard.port[0], 11);
	assert_int_equal(ip_v4_number(&heard.addr[0]), 0xc0000201);
	heard = say(h, first);
	assert_int_equal(heard.n, 1);
	assert_int_equal(heard.port[0], 22);
	assert_int_equal(counted(h, METRIC_PEERS_HANDED_OUT), 2);
	house_free(h);
}

static void seeds_and_partial_seeds_get_leechers_only(void **state)
{
	(void)state;
	static const struct {
		uint64_t left;
		enum peer_event event;
		size_t gets;
	} rows
		[] = {
			{ 0, EVENT_NONE, 1 },          { 0, EVENT_PAUSED, 1 },
			{ 5, EVENT_PAUSED, 1 },        { 5, EVENT_NONE, 3 },
			{ 5, EVENT_COMPLETED, 3 }, /* it says so, but bytes are missing */
			{ UINT64_MAX, EVENT_NONE, 3 },
		};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct house *h = house_new(&usual);
		(void)say(h, (struct say){ .ip = "192.0.2.1", .port = 1 });
		(void)say(h,
		          (struct say){
				  .ip = "192.0.2.2", .port = 2, .left = 7, .event = EVENT_PAUSED });
		(void)say(h, (struct say){ .ip = "192.0.2.3", .port = 3, .left = 7 });
		const struct heard heard = say(h, (struct say){ .ip = "192.0.2.4",
		                                                .port = 4,
		                                                .left = rows[i].left,
		                                                .event = rows[i].event,
		                                                .want = -1 });
		assert_int_equal(heard.n, rows[i].gets);
		if (heard.n == 1)
			assert_int_equal(heard.port[0], 3);
		house_free(h);
	}
}

static void gives_as_many_as_asked_and_allowed(void **state)
{
	(void)state;
	static const struct {
		int32_t want;
		size_t gets;
	} rows[] = {
		{ 0, 0 }, { 1, 1 }, { 7, 7 }, { -1, 5 }, { -100, 5 }, { 1000, 12 }, { 12, 12 }
	};
	struct tracker_settings s = usual;
	s.max_peers = 12;
	s.default_peers = 5;
	struct house *h = house_new(&s);
	udp_crowd(h, "192.0.2.", 40, 9);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct heard heard = say(
			h, (struct say){ .ip = "192.0.2.100", .left = 1, .want = rows[i].want });
		assert_int_equal(heard.n, rows[i].gets);
	}
	house_free(h);
}

static void forgets_who_stops_even_a_stranger(void **state)
{
	(void)state;
	struct house *h = house_new(&usual);
	struct heard heard = say(h, (struct say){ .ip = "192.0.2.1",
	                                          .port = 1,
	                                          .left = 9,
	                                          .event = EVENT_STOPPED,
	                                          .want = 9 });
	expect_counts(&heard, 0, 0);
	assert_int_equal(swarm_totals(h->swarms).swarms, 0);

	udp_crowd(h, "192.0.2.", 3, 9);
	heard = say(h, (struct say){
			       .ip = "192.0.2.200", .port = 1, .event = EVENT_STOPPED, .want = 9 });
	expect_counts(&heard, 0, 3);
	heard = say(
		h,
		(struct say){ .ip = "192.0.2.1", .port = 1001, .event = EVENT_STOPPED, .want = 9 });
	expect_counts(&heard, 0, 2);
	assert_int_equal(heard.n, 0);
	house_free(h);
}

static void keeps_port_0_and_hands_it_to_nobody(void **state)
{
	(void)state;
	struct house *h = house_new(&usual);
	(void)say(h, (struct say){ .ip = "192.0.2.1", .port = 0, .left = 9 });
	const struct heard heard =
		say(h, (struct say){ .ip = "192.0.2.2", .port = 2, .left = 9, .want = -1 });
	expect_counts(&heard, 0, 2);
	assert_int_equal(heard.n, 0);
	house_free(h);
}

static void counts_a_snatch_once(void **state)
{
	(void)state;
	struct house *h = house_new(&usual);
	(void)say(h, (struct say){ .ip = "192.0.2.1", .port = 1, .left = 9 });
	(void)say(h, (struct say){
			     .ip = "192.0.2.1", .port = 1, .left = 1, .event = EVENT_COMPLETED });
	assert_int_equal(counted(h, METRIC_SNATCHES), 0); /* not whole: no snatch */
	for (unsigned i = 0; i < 3; i++)
		(void)say(h,
		          (struct say){ .ip = "192.0.2.1", .port = 1, .event = EVENT_COMPLETED });
	assert_int_equal(counted(h, METRIC_SNATCHES), 1);
	(void)say(h, (struct say){ .ip = "192.0.2.2", .port = 1 }); /* complete from the start */
	assert_int_equal(counted(h, METRIC_SNATCHES), 1);
	house_free(h);
}

static void knows_a_client_by_its_key_else_by_its_address(void **state)
{
	(void)state;
	static const struct {
		const char *what;
		struct say first, second;
		uint32_t peers;
	} rows[] = {
		{ "same key and peer id, new address",
		  { .ip = "192.0.2.1", .port = 1, .key = 7, .peer = 1 },
		  { .ip = "192.0.2.2", .port = 2, .key = 7, .peer = 1 },
		  1 },
		{ "another key",
		  { .ip = "192.0.2.1", .port = 1, .key = 7, .peer = 1 },
		  { .ip = "192.0.2.1", .port = 2, .key = 8, .peer = 1 },
		  2 },
		{ "another peer id",
		  { .ip = "192.0.2.1", .port = 1, .key = 7, .peer = 1 },
		  { .ip = "192.0.2.1", .port = 2, .key = 7, .peer = 2 },
		  2 },
		{ "no key, same address and port, new peer id",
		  { .ip = "192.0.2.1", .port = 1, .peer = 1 },
		  { .ip = "192.0.2.1", .port = 1, .peer = 2 },
		  1 },
		{ "no key, another port",
		  { .ip = "192.0.2.1", .port = 1, .peer = 1 },
		  { .ip = "192.0.2.1", .port = 2, .peer = 1 },
		  2 },
		{ "no key, another address",
		  { .ip = "192.0.2.1", .port = 1, .peer = 1 },
		  { .ip = "192.0.2.2", .port = 1, .peer = 1 },
		  2 },
		{ "both families of one client",
		  { .ip = "192.0.2.1", .port = 1, .key = 7, .peer = 1 },
		  { .ip = "2001:db8::1", .port = 1, .key = 7, .peer = 1 },
		  2 },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct house *h = house_new(&usual);
		(void)say(h, rows[i].first);
		const struct heard heard = say(h, rows[i].second);
		if (heard.seeders != rows[i].peers)
			fail_msg("%s: %u peers", rows[i].what, heard.seeders);
		house_free(h);
	}
}

static void forgets_peers_after_their_time(void **state)
{
	(void)state;
	struct house *h = house_new(&usual);
	(void)say(h, (struct say){ .ip = "192.0.2.1", .port = 1, .left = 9 });
	h->now += usual.peer_timeout - 1;
	struct swarm_sweep sweep = { 0 };
	while (sweep.shards < 4)
		assert_int_equal(swarm_sweep(h->swarms, &sweep, (uint32_t)h->now), 0);
	h->now += 2;
	size_t gone = 0;
	while (sweep.shards < 8)
		gone += swarm_sweep(h->swarms, &sweep, (uint32_t)h->now);
	assert_int_equal(gone, 1);
	house_free(h);
}

static void spreads_long_intervals_a_little(void **state)
{
	(void)state;
	static const struct {
		uint32_t interval, least, most;
	} rows[] = { { 30, 30, 30 }, { 299, 299, 299 }, { 1800, 1620, 1980 } };
	for (size_t i = 0; i < 3; i++) {
		struct tracker_settings s = usual;
		s.interval = rows[i].interval;
		struct house *h = house_new(&s);
		uint32_t least = UINT32_MAX, most = 0;
		for (unsigned k = 0; k < 500; k++) {
			const uint32_t got =
				say(h, (struct say){ .ip = "192.0.2.1", .port = 1 }).interval;
			least = got < least ? got : least;
			most = got > most ? got : most;
		}
		assert_in_range(least, rows[i].least, rows[i].least + rows[i].interval / 50);
		assert_in_range(most, rows[i].most - rows[i].interval / 50, rows[i].most);
		house_free(h);
	}
}

/* Of a provider without a seed, in a second: each at its own moment, and never before 30 s are over. */
static void a_crowd_that_came_together_is_asked_back_apart(void **state)
{
	(void)state;
	enum { CROWD = 40, LEAST = 30, MOST = 45 };
	struct tracker_settings s = usual;
	s.rules = steer_rules_usual;
	struct house *h = house_new(&s);
	unsigned at[MOST + 1] = { 0 }, moments = 0;
	house_publish(h, true);
	udp_crowd(h, "10.3.0.", 3, 9);
	for (uint16_t i = 0; i < CROWD; i++) {
		const struct say ask = {
			.ip = "10.1.1.1", .port = (uint16_t)(i + 1), .left = 9, .want = 50
		};
		const uint32_t first = say(h, ask).interval;
		assert_in_range(first, LEAST, MOST);
		assert_int_equal(say(h, ask).interval, first);
		at[first]++;
	}
	for (unsigned i = LEAST; i <= MOST; i++) {
		moments += at[i] > 0;
		assert_in_range(at[i], 0, CROWD / 4);
	}
	assert_in_range(moments, 8, MOST - LEAST + 1);
	/* A shorter interval of the operator's stays. */
	s.interval = 31;
	assert_int_equal(tracker_reload(h->tracker, &s), ERR_OK);
	for (uint16_t i = 0; i < CROWD; i++) {
		const struct say ask = {
			.ip = "10.1.1.1", .port = (uint16_t)(i + 1), .left = 9, .want = 50
		};
		assert_in_range(say(h, ask).interval, 30, 31);
	}
	house_free(h);
}

static void never_hands_out_bogons_unless_a_map_or_the_lab_says_so(void **state)
{
	(void)state;
	static const struct {
		const char *ip;
		bool lab, mapped, offered;
	} rows[] = {
		{ "127.0.0.1", false, true, false }, { "192.168.1.1", false, true, false },
		{ "10.1.0.1", false, false, false }, { "10.1.0.1", false, true, true },
		{ "127.0.0.1", true, false, true },  { "192.0.2.1", false, false, true },
		{ "10.1.0.1", true, false, true },   { "224.0.0.1", true, false, false },
		{ "0.0.0.0", true, false, false },   { "169.254.1.1", true, true, false },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tracker_settings s = usual;
		s.lab = rows[i].lab;
		struct house *h = house_new(&s);
		if (rows[i].mapped)
			house_publish(h, true);
		(void)say(h, (struct say){ .ip = rows[i].ip, .port = 1, .left = 9 });
		const struct heard heard =
			say(h, (struct say){ .ip = "192.0.2.9", .port = 9, .left = 9, .want = -1 });
		expect_counts(&heard, 0, 2); /* counted in any case */
		if (heard.n != rows[i].offered)
			fail_msg("%s row %zu", rows[i].ip, i);
		assert_int_equal(counted(h, METRIC_PEERS_BOGON), !rows[i].offered);
		house_free(h);
	}
}

static void full_stores_still_give_peers(void **state)
{
	(void)state;
	struct house *h = house_new(&usual);
	for (unsigned i = 0; i < 4050; i++) {
		char ip[IP_TEXT_SIZE];
		(void)snprintf(ip, sizeof(ip), "192.0.%u.%u", i / 250, i % 250);
		const struct heard heard =
			say(h, (struct say){ .ip = ip, .port = 1, .left = 9, .want = 5 });
		assert_int_equal(heard.n, i < 5 ? i : 5);
	}
	assert_int_equal(counted(h, METRIC_PEERS_REFUSED), 0);
	assert_int_equal(counted(h, METRIC_PEERS_EVICTED_STORE), 50);
	assert_int_equal(swarm_totals(h->swarms).leechers, 4000);
	house_free(h);
}

/* `each` peers in one torrent after the other, until one is refused or there are 1,000 torrents. */
static const char *fill(struct house *h, struct announce *a, uint16_t each)
{
	struct tracker_worker *w = &h->tracker->workers[0];
	const struct ask ask = { .announce = a, .from = address("192.0.2.1"), .room = 50 };
	struct answer answer = { .refusal = NULL };
	worker_begin(w, h->now * 1000);
	for (unsigned i = 0; i < 1000 && answer.refusal == NULL; i++) {
		memcpy(a->info_hash, &i, sizeof(i));
		for (a->port = 1; a->port <= each && answer.refusal == NULL; a->port++)
			tracker_announce(w, &ask, &answer);
	}
	worker_end(w);
	return answer.refusal;
}

static void a_full_house_lets_small_torrents_go(void **state)
{
	(void)state;
	struct house *h = house_new(&usual);
	struct announce a = { .left = 9, .want = WANT_DEFAULT };
	assert_null(fill(h, &a, 1));
	const uint64_t here = swarm_totals(h->swarms).swarms;
	assert_in_range(here, 350, 400);
	assert_int_equal(counted(h, METRIC_PEERS_EVICTED_STORE), 1000 - here);
	house_free(h);
}

static void a_full_house_refuses_new_torrents_but_no_goodbye(void **state)
{
	(void)state;
	struct house *h = house_new(&usual);
	struct tracker_worker *w = &h->tracker->workers[0];
	struct announce a = { .left = 9, .want = WANT_DEFAULT };
	const struct ask ask = { .announce = &a, .from = address("192.0.2.1"), .room = 50 };
	struct answer answer;
	assert_non_null(fill(h, &a, 9));
	assert_int_equal(counted(h, METRIC_PEERS_EVICTED_STORE), 0);
	worker_begin(w, h->now * 1000);
	tracker_announce(w, &ask, &answer);
	assert_non_null(answer.refusal);
	assert_int_equal(answer.interval, usual.interval);
	a.event = EVENT_STOPPED;
	tracker_announce(w, &ask, &answer);
	assert_null(answer.refusal);
	worker_end(w);
	house_free(h);
}

/* ---- steering ---- */

static void steers_by_the_map_under_p4p_and_not_under_native(void **state)
{
	(void)state;
	struct tracker_settings s = usual;
	struct house *h = house_new(&s);
	house_publish(h, true);
	udp_crowd(h, "10.1.0.", 40, 9);
	udp_crowd(h, "10.2.0.", 40, 9);
	udp_crowd(h, "10.3.0.", 40, 9);
	udp_crowd(h, "10.9.0.", 40, 9); /* uploads: never */
	const struct say ask = { .ip = "10.1.1.1", .port = 1, .left = 9, .want = 10 };
	struct heard heard = say(h, ask);
	assert_int_equal(heard.n, 10);
	assert_int_equal(heard_under(&heard, "10.1.0.0/16"), 7);
	assert_int_equal(heard_under(&heard, "10.2.0.0/16"), 1);
	assert_int_equal(heard_under(&heard, "10.3.0.0/16"), 2);
	assert_int_equal(counted(h, METRIC_UDP_ANNOUNCE_P4P), 161);

	heard = say(h, (struct say){ .ip = "192.0.2.1", .port = 1, .left = 9, .want = 10 });
	assert_int_equal(heard.n, 10);
	assert_int_equal(counted(h, METRIC_UDP_ANNOUNCE_NATIVE), 1); /* no map knows this one */

	s.rules.policy = STEER_NATIVE;
	assert_int_equal(tracker_reload(h->tracker, &s), ERR_OK);
	size_t own = 0;
	for (unsigned i = 0; i < 100; i++) {
		heard = say(h, ask);
		assert_int_equal(heard.n, 10);
		assert_int_equal(heard_under(&heard, "10.9.0.0/16"), 0);
		own += heard_under(&heard, "10.1.0.0/16");
	}
	assert_in_range(own, 250, 420); /* a third of 1000 */
	assert_int_equal(counted(h, METRIC_UDP_ANNOUNCE_NATIVE), 101);
	house_free(h);
}

/* The same swarms, asked for by a provider's client: native lists exactly where the lot says so. */
static void leaves_the_control_group_to_native_lists(void **state)
{
	(void)state;
	enum { SWARMS = 40 };
	struct tracker_settings s = usual;
	s.control_percent = 50;
	struct house *h = house_new(&s);
	house_publish(h, true);
	unsigned before = 0, controlled = 0;
	for (uint8_t i = 1; i <= SWARMS; i++) {
		const struct say ask = {
			.ip = "10.1.1.1", .port = 1, .left = 9, .want = 10, .hash = i
		};
		(void)udp_announce(h, &ask);
		const unsigned native = (unsigned)counted(h, METRIC_UDP_ANNOUNCE_NATIVE);
		controlled += native > before;
		(void)udp_announce(h, &ask); /* asking again changes nothing */
		assert_int_equal(counted(h, METRIC_UDP_ANNOUNCE_NATIVE),
		                 native + (native > before));
		before = (unsigned)counted(h, METRIC_UDP_ANNOUNCE_NATIVE);
	}
	assert_in_range(controlled, 8, 32);
	s.control_percent = 0;
	assert_int_equal(tracker_reload(h->tracker, &s), ERR_OK);
	for (uint8_t i = 1; i <= SWARMS; i++)
		(void)udp_announce(h, &(struct say){ .ip = "10.1.1.1", .port = 1, .hash = i });
	assert_int_equal(counted(h, METRIC_UDP_ANNOUNCE_NATIVE), before);
	house_free(h);
}

/* p4p would give 7 of 10 from the own PID, which holds an eighth of the peers. */
static void a_control_list_is_uniform(void **state)
{
	(void)state;
	struct tracker_settings s = usual;
	s.control_percent = 100;
	struct house *h = house_new(&s);
	house_publish(h, true);
	udp_crowd(h, "10.1.0.", 20, 9);
	udp_crowd(h, "10.2.0.", 40, 9);
	udp_crowd(h, "10.3.0.", 100, 9);
	udp_crowd(h, "10.9.0.", 9, 9); /* uploads: never, in control groups too */
	size_t own = 0;
	for (unsigned i = 0; i < 100; i++) {
		const struct heard heard =
			say(h, (struct say){ .ip = "10.1.1.1", .left = 9, .want = 10 });
		assert_int_equal(heard.n, 10);
		assert_int_equal(heard_under(&heard, "10.9.0.0/16"), 0);
		own += heard_under(&heard, "10.1.0.0/16");
	}
	assert_in_range(own, 75, 180);
	house_free(h);
}

static bool has_heard(const struct heard *heard, const struct ip_addr *one)
{
	for (size_t i = 0; i < heard->n; i++)
		if (memcmp(&heard->addr[i], one, sizeof(*one)) == 0)
			return true;
	return false;
}

/* With its key and another provider's address: whom it had met from the first one is no contact of that. */
static void who_changes_its_provider_takes_no_contacts_along(void **state)
{
	(void)state;
	struct tracker_settings s = usual;
	s.rules = steer_rules_usual;
	struct house *h = house_new(&s);
	house_publish(h, true);
	udp_crowd(h, "10.3.0.", 40, 9); /* isp-b */
	struct say me = { .ip = "10.1.1.1", .port = 1, .left = 9, .want = 50, .key = 5 };
	const struct heard met = say(h, me);
	assert_true(heard_under(&met, "10.3.0.0/16") > 0);
	const uint64_t both = bridge_totals(h->bridges).entries;
	assert_int_equal(both, 2 * heard_under(&met, "10.3.0.0/16"));
	me.ip = "10.2.1.1"; /* elsewhere in isp-a */
	const struct heard again = say(h, me);
	for (size_t i = 0; i < met.n; i++)
		assert_true(has_heard(&again, &met.addr[i]));
	me.ip = "10.3.9.9";
	(void)say(h, me);
	assert_int_equal(bridge_totals(h->bridges).entries, 0);
	house_free(h);
}

/* Accounting is asked before the list is made. */
static void who_gets_nothing_from_those_it_met_meets_more(void **state)
{
	(void)state;
	struct tracker_settings s = usual;
	s.rules = steer_rules_usual;
	struct house *h = house_new(&s);
	house_publish(h, true);
	udp_crowd(h, "10.1.0.", 20, 9);
	udp_crowd(h, "10.3.0.", 40, 9);
	const struct say me = { .ip = "10.1.1.1", .port = 1, .left = 9, .want = 50, .key = 5 };
	(void)say(h, me);
	h->now += STEER_PATIENCE;
	account_book[0].progress =
		(struct accounting_progress){ .received = 1 << 30, .seconds = STEER_PATIENCE };
	struct heard heard = say(h, me);
	assert_int_equal(heard_under(&heard, "10.3.0.0/16"), STEER_CONTACTS);
	account_book[0].progress.received = 0;
	heard = say(h, me);
	assert_int_equal(heard_under(&heard, "10.3.0.0/16"), 2 * STEER_CONTACTS);
	house_free(h);
}

/* And nobody is left to count as met, neither here nor there. */
static void who_stops_elsewhere_leaves_no_contacts_behind(void **state)
{
	(void)state;
	static const char *const last_seen[] = { "10.1.1.1", "10.2.1.1", "10.3.9.9",
		                                 "198.51.100.9" };
	for (size_t i = 0; i < sizeof(last_seen) / sizeof(last_seen[0]); i++) {
		struct tracker_settings s = usual;
		s.rules = steer_rules_usual;
		struct house *h = house_new(&s);
		house_publish(h, true);
		udp_crowd(h, "10.3.0.", 40, 9);
		struct say me = { .ip = "10.1.1.1", .port = 1, .left = 9, .want = 50, .key = 5 };
		(void)say(h, me);
		assert_true(bridge_totals(h->bridges).entries > 0);
		me.ip = last_seen[i];
		me.event = EVENT_STOPPED;
		(void)say(h, me);
		assert_int_equal(bridge_totals(h->bridges).entries, 0);
		house_free(h);
	}
}

/* Bytes from 64801 and to 64802 are cheap: a leecher downloads, a seed uploads. */
static void prices_the_way_the_bytes_will_go(void **state)
{
	(void)state;
	struct house *h = house_new(&usual);
	house_publish(h, true);
	udp_crowd(h, "198.51.100.", 40, 9);
	udp_crowd(h, "203.0.113.", 40, 9);
	struct heard heard =
		say(h, (struct say){ .ip = "10.1.1.1", .port = 1, .left = 9, .want = 20 });
	assert_int_equal(heard.n, 20);
	assert_true(heard_under(&heard, "198.51.100.0/24") >= 18);
	heard = say(h, (struct say){ .ip = "10.1.1.2", .port = 1, .left = 0, .want = 20 });
	assert_int_equal(heard.n, 20);
	assert_true(heard_under(&heard, "203.0.113.0/24") >= 18);
	house_free(h);
}

static void a_new_map_moves_the_swarm(void **state)
{
	(void)state;
	struct house *h = house_new(&usual);
	const struct say ask = { .ip = "10.1.1.1", .port = 1, .left = 9, .want = 10 };
	udp_crowd(h, "10.2.0.", 40, 9); /* before the first map */
	udp_crowd(h, "10.1.0.", 40, 9);
	house_publish(h, false); /* without a-west */
	struct heard heard = say(h, ask);
	assert_int_equal(heard_under(&heard, "10.1.0.0/16"), 7);
	assert_int_equal(account_book[0].n_handed, 2);
	house_publish(h, true);
	heard = say(h, ask);
	/* a-east 7, a-west 1, and the two places for the outside come back to both */
	assert_int_equal(heard.n, 10);
	assert_int_equal(account_book[0].n_handed, 2);
	for (unsigned i = 0; i < 2; i++)
		assert_int_not_equal(account_book[0].handed[i].place, PLACE_UNKNOWN);
	house_free(h);
}

/* A worker in the middle of a batch meets a swarm that another has moved to a newer map. */
static void a_worker_with_an_old_map_takes_the_new_one(void **state)
{
	(void)state;
	struct house *h = house_new(&usual);
	struct tracker_worker *late = &h->tracker->workers[1];
	const struct announce a = { .info_hash = { 1 }, .left = 9, .want = 10, .port = 5 };
	const struct ask ask = { .announce = &a, .from = address("10.1.1.1"), .room = 50 };
	struct answer answer;

	house_publish(h, false);
	udp_crowd(h, "10.2.0.", 20, 9);
	worker_begin(late, h->now * 1000);
	const uint64_t old = late->map.number;
	house_publish(h, true);
	(void)say(h, (struct say){ .ip = "10.2.1.1", .port = 1, .left = 9 });
	tracker_announce(late, &ask, &answer);
	assert_null(answer.refusal);
	assert_true(late->map.number > old);
	assert_int_equal(account_book[1].n_handed, 1);
	assert_int_equal(account_book[1].handed[0].place,
	                 snapshot_place_find(late->map.map, "pid:isp-a/a-west"));
	worker_end(late);
	house_free(h);
}

/* ---- accounting ---- */

static void notes_every_announce_and_the_pairs_it_handed_out(void **state)
{
	(void)state;
	struct house *h = house_new(&usual);
	struct accounting_slot *book = &account_book[0];
	house_publish(h, true);
	udp_crowd(h, "10.1.0.", 3, 9);
	udp_crowd(h, "10.2.0.", 4, 9);
	const struct heard heard =
		say(h, (struct say){ .ip = "10.1.1.1", .port = 1, .left = 9, .want = 50 });
	assert_int_equal(heard.n, 7);
	assert_int_equal(book->n_notes, 8);
	assert_int_equal(book->announce.uploaded, 6000);
	assert_int_equal(book->announce.downloaded, 5000);
	assert_int_equal(book->up_kbps, 20000);
	assert_int_equal(book->n_handed, 2);
	assert_int_equal(book->handed[0].count + book->handed[1].count, 7);
	assert_int_equal(book->handed[0].candidates + book->handed[1].candidates, 7);
	assert_false(book->inside);

	(void)say(h, (struct say){ .ip = "10.1.1.1", .port = 1, .event = EVENT_STOPPED });
	assert_int_equal(book->n_notes, 9); /* its last bytes count */
	assert_int_equal(book->n_handed, 0);
	house_free(h);
}

/* The ledger is keyed by what the store knows a client by, but for the family: it moved its bytes once. */
static void tells_accounting_who_came_back(void **state)
{
	(void)state;
	struct house *h = house_new(&usual);
	struct accounting_slot *book = &account_book[0];
	house_publish(h, true);
	struct say s = { .ip = "10.1.1.1", .port = 1, .left = 9, .key = 5, .event = EVENT_STARTED };
	(void)udp_announce(h, &s);
	const uint64_t client = book->client, swarm = book->swarm;
	assert_false(book->known);
	h->now += 77;
	s.event = EVENT_NONE;
	s.port = 2;
	(void)udp_announce(h, &s);
	assert_true(book->known);
	assert_int_equal(book->silent, 77);
	assert_int_equal(book->client, client);
	assert_int_equal(book->swarm, swarm);
	s.hash = 3;
	(void)udp_announce(h, &s);
	assert_false(book->known);
	assert_int_equal(book->client, client);
	assert_int_not_equal(book->swarm, swarm);
	s.hash = 0;
	s.key = 6;
	(void)udp_announce(h, &s);
	assert_false(book->known);
	assert_int_not_equal(book->client, client);
	s.event = EVENT_STOPPED;
	(void)udp_announce(h, &s);
	assert_true(book->known);
	(void)udp_announce(h, &s);
	assert_false(book->known);
	house_free(h);
}

static void strangers_among_themselves_are_no_pair(void **state)
{
	(void)state;
	struct house *h = house_new(&usual);
	struct accounting_slot *book = &account_book[0];
	house_publish(h, true);
	udp_crowd(h, "192.0.2.", 3, 9);
	(void)say(h, (struct say){ .ip = "192.0.2.9", .port = 1, .left = 9, .want = 50 });
	assert_int_equal(book->n_handed, 0);
	assert_int_equal(book->n_notes, 4);
	(void)say(h, (struct say){ .ip = "10.1.1.1", .port = 1, .left = 9, .want = 50 });
	assert_int_equal(book->n_handed, 1);
	assert_int_equal(book->handed[0].place, PLACE_UNKNOWN);
	assert_int_equal(book->handed[0].count, 4);
	house_free(h);
}

static void refused_announces_are_not_accounted(void **state)
{
	(void)state;
	static const uint8_t listed[1][INFO_HASH_SIZE] = { { 2 } };
	struct house *h = house_new(&usual);
	uint8_t p[UDP_ANNOUNCE_SIZE];
	const struct say s = { .ip = "192.0.2.1", .port = 1, .hash = 1 };
	house_list(h, listed, 1);
	(void)udp_announce_packet(&s, udp_connect(h, s.ip), p);
	assert_true(udp_from(h, 0, s.ip, p, sizeof(p)).size > 0);
	assert_int_equal(account_book[0].n_notes, 0);
	assert_int_equal(swarm_totals(h->swarms).swarms, 0);
	house_free(h);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(introduces_peers_but_nobody_to_itself),
	cmocka_unit_test(seeds_and_partial_seeds_get_leechers_only),
	cmocka_unit_test(gives_as_many_as_asked_and_allowed),
	cmocka_unit_test(forgets_who_stops_even_a_stranger),
	cmocka_unit_test(keeps_port_0_and_hands_it_to_nobody),
	cmocka_unit_test(counts_a_snatch_once),
	cmocka_unit_test(knows_a_client_by_its_key_else_by_its_address),
	cmocka_unit_test(forgets_peers_after_their_time),
	cmocka_unit_test(spreads_long_intervals_a_little),
	cmocka_unit_test(a_crowd_that_came_together_is_asked_back_apart),
	cmocka_unit_test(never_hands_out_bogons_unless_a_map_or_the_lab_says_so),
	cmocka_unit_test(full_stores_still_give_peers),
	cmocka_unit_test(a_full_house_lets_small_torrents_go),
	cmocka_unit_test(a_full_house_refuses_new_torrents_but_no_goodbye),
	cmocka_unit_test(steers_by_the_map_under_p4p_and_not_under_native),
	cmocka_unit_test(leaves_the_control_group_to_native_lists),
	cmocka_unit_test(a_control_list_is_uniform),
	cmocka_unit_test(who_changes_its_provider_takes_no_contacts_along),
	cmocka_unit_test(who_gets_nothing_from_those_it_met_meets_more),
	cmocka_unit_test(who_stops_elsewhere_leaves_no_contacts_behind),
	cmocka_unit_test(prices_the_way_the_bytes_will_go),
	cmocka_unit_test(a_new_map_moves_the_swarm),
	cmocka_unit_test(a_worker_with_an_old_map_takes_the_new_one),
	cmocka_unit_test(notes_every_announce_and_the_pairs_it_handed_out),
	cmocka_unit_test(tells_accounting_who_came_back),
	cmocka_unit_test(strangers_among_themselves_are_no_pair),
	cmocka_unit_test(refused_announces_are_not_accounted),
};

RUN_TESTS(tests)
