/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/tracker/house.h"

#include <sodium.h>

/* An announce from `from`; the size of the answer. */
static size_t announce_from(struct house *h, const char *from, uint64_t id)
{
	uint8_t p[UDP_ANNOUNCE_SIZE];
	const struct say s = { .port = 1, .left = 1, .hash = 1 };
	(void)udp_announce_packet(&s, id, p);
	return udp_from(h, 0, from, p, sizeof(p)).size;
}

static size_t connect_from(struct house *h, const char *from)
{
	static const uint8_t p[UDP_CONNECT_SIZE] = { 0, 0, 4, 0x17, 0x27, 0x10, 0x19, 0x80 };
	return udp_from(h, 0, from, p, sizeof(p)).size;
}

static void silence_above_the_limits_until_time_has_passed(void **state)
{
	(void)state;
	struct tracker_settings s = usual;
	s.announces = (struct limits_rates){ limits_pace(3), limits_pace(5) };
	s.connects = (struct limits_rates){ limits_pace(4), 0 };
	struct house *h = house_new(&s);
	struct flood floods[4];
	const uint64_t one = udp_connect(h, "192.0.2.1"), two = udp_connect(h, "192.0.2.2");
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(announce_from(h, "192.0.2.1", one) > 0, i < 3);
		assert_int_equal(announce_from(h, "192.0.2.2", two) > 0, i < 2);
		assert_int_equal(connect_from(h, "192.0.2.1") > 0, i < 3); /* and one before */
	}
	assert_int_equal(counted(h, METRIC_ANNOUNCES_OVER_ADDRESS), 2 + 2);
	assert_int_equal(counted(h, METRIC_ANNOUNCES_OVER_PREFIX), 1);
	assert_int_equal(counted(h, METRIC_CONNECTS_OVER_ADDRESS), 2);
	assert_int_equal(tracker_floods(h->tracker, (uint32_t)h->now, floods, 4), 4);
	h->now += 20;
	assert_true(announce_from(h, "192.0.2.1", one) > 0);
	assert_true(connect_from(h, "192.0.2.1") > 0);
	house_free(h);
}

static void limits_change_while_it_runs(void **state)
{
	(void)state;
	struct tracker_settings s = usual;
	s.announces.address_us = limits_pace(1);
	struct house *h = house_new(&s);
	const uint64_t id = udp_connect(h, "192.0.2.1");
	assert_true(announce_from(h, "192.0.2.1", id) > 0);
	assert_int_equal(announce_from(h, "192.0.2.1", id), 0);
	s.announces.address_us = 0;
	assert_int_equal(tracker_reload(h->tracker, &s), ERR_OK);
	assert_true(announce_from(h, "192.0.2.1", id) > 0);
	house_free(h);
}

/* A row's address announces twice where one a minute is allowed. */
static void proxies_and_a_lab_are_exempt(void **state)
{
	(void)state;
	static const struct {
		const char *from;
		bool lab, exempt;
	} rows[] = {
		{ "192.0.2.1", true, false }, { "192.0.2.1", false, false },
		{ "127.0.0.1", true, true },  { "127.0.0.1", false, false },
		{ "10.9.8.7", true, true },   { "10.9.8.7", false, false },
		{ "100.64.0.1", true, true }, { "fd00::1", true, true },
		{ "::1", true, true },        { "::1", false, false },
		{ "fe80::1", true, false },   { "203.0.113.5", false, true },
	};
	struct ip_prefix proxy;
	assert_int_equal(ip_prefix_parse("203.0.113.0/24", &proxy), ERR_OK);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tracker_settings s = usual;
		s.announces.address_us = limits_pace(1);
		s.lab = rows[i].lab;
		s.proxies = &proxy;
		s.n_proxies = 1;
		struct house *h = house_new(&s);
		const uint64_t id = udp_connect(h, rows[i].from);
		assert_true(announce_from(h, rows[i].from, id) > 0);
		if ((announce_from(h, rows[i].from, id) > 0) != rows[i].exempt)
			fail_msg("%s %d", rows[i].from, rows[i].lab);
		house_free(h);
	}
}

static void old_connection_ids_are_counted_and_never_held_against_anybody(void **state)
{
	(void)state;
	struct tracker_settings s = usual;
	s.announces.address_us = limits_pace(1);
	struct house *h = house_new(&s);
	const uint64_t old = udp_connect(h, "192.0.2.1");
	struct flood floods[4];
	h->now += 1000;
	for (unsigned i = 0; i < 50; i++)
		assert_int_equal(announce_from(h, "192.0.2.1", old), 0);
	assert_int_equal(counted(h, METRIC_UDP_BAD_CONNECTION), 50);
	assert_int_equal(tracker_floods(h->tracker, (uint32_t)h->now, floods, 4), 0);
	assert_true(announce_from(h, "192.0.2.1", udp_connect(h, "192.0.2.1")) > 0);
	house_free(h);
}

static void an_operator_may_let_connection_ids_live_longer(void **state)
{
	(void)state;
	struct tracker_settings s = usual;
	struct house *h = house_new(&s);
	const uint64_t id = udp_connect(h, "192.0.2.1");
	h->now += 3600;
	assert_int_equal(announce_from(h, "192.0.2.1", id), 0);
	s.connection_seconds = 3600;
	assert_int_equal(tracker_reload(h->tracker, &s), ERR_OK);
	assert_true(announce_from(h, "192.0.2.1", id) > 0);
	house_free(h);
}

static void says_shortly_why_it_refuses(void **state)
{
	(void)state;
	static const uint8_t allowed[2][INFO_HASH_SIZE] = { { 1 }, { 2 } },
			     denied[] = { [0] = 2, [19] = 0 };
	const struct client_prefix client = { "\x07", 1 };
	static const struct {
		uint8_t hash, peer;
		const char *text;
		enum metrics_counter counter;
	} rows[] = {
		{ 1, 0, NULL, 0 },
		{ 2, 0, "this torrent is not allowed here", METRIC_DENIED_TORRENT },
		{ 3, 0, "this tracker does not serve this torrent", METRIC_DENIED_UNLISTED },
		{ 1, 7, "this client is not allowed here", METRIC_DENIED_CLIENT },
	};
	struct house *h = house_new(&usual);
	const struct tracker_access access = { .allowed = allowed,
		                               .n_allowed = 2,
		                               .denied = denied,
		                               .n_denied = 1,
		                               .clients = &client,
		                               .n_clients = 1 };
	assert_int_equal(tracker_access(h->tracker, &access), ERR_OK);
	const uint64_t id = udp_connect(h, "192.0.2.1");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t p[UDP_ANNOUNCE_SIZE];
		const struct say s = { .port = 1, .hash = rows[i].hash, .peer = rows[i].peer };
		(void)udp_announce_packet(&s, id, p);
		const struct datagram d = udp_from(h, 0, "192.0.2.1", p, sizeof(p));
		assert_int_equal(d.bytes[3], rows[i].text == NULL ? UDP_ANNOUNCE : UDP_ERROR);
		if (rows[i].text == NULL)
			continue;
		assert_int_equal(d.size, 8 + strlen(rows[i].text));
		assert_memory_equal(d.bytes + 8, rows[i].text, strlen(rows[i].text));
		assert_int_equal(counted(h, rows[i].counter), 1);
	}
	house_free(h);
}

static void a_proxy_is_never_handed_out_wherever_it_stands(void **state)
{
	(void)state;
	struct ip_prefix proxies[2];
	assert_int_equal(ip_prefix_parse("10.1.0.0/24", &proxies[0]), ERR_OK); /* in the map */
	assert_int_equal(ip_prefix_parse("192.0.2.0/24", &proxies[1]), ERR_OK);
	struct tracker_settings s = usual;
	s.proxies = proxies;
	s.n_proxies = 2;
	struct house *h = house_new(&s);
	house_publish(h, true);
	static const char *const peers[] = { "10.1.0.1", "192.0.2.1", "10.1.1.1", "198.51.100.1" };
	for (size_t i = 0; i < 4; i++)
		(void)udp_announce(
			h, &(struct say){ .ip = peers[i], .port = 1, .left = 1, .hash = 1 });
	const struct heard heard = udp_announce(
		h, &(struct say){ .ip = "10.1.2.2", .port = 1, .left = 1, .want = 50, .hash = 1 });
	assert_int_equal(heard.leechers, 5);
	for (size_t i = 0; i < heard.n; i++) {
		assert_false(ip_prefix_has(&proxies[0], &heard.addr[i]));
		assert_false(ip_prefix_has(&proxies[1], &heard.addr[i]));
	}
	assert_true(heard.n > 0);
	assert_int_equal(counted(h, METRIC_PEERS_BOGON), 2);
	house_free(h);
}

#define PASSKEY "0123456789abcdef0123456789abcdef"

/* An announce with BEP 41 options behind it; the action of the answer. */
static unsigned announce_url(struct house *h, const char *options, size_t size, uint8_t client)
{
	uint8_t p[UDP_ANNOUNCE_SIZE + 128];
	const struct say s = { .port = client, .left = 1, .hash = 1, .peer = client };
	(void)udp_announce_packet(&s, udp_connect(h, "192.0.2.1"), p);
	memcpy(p + UDP_ANNOUNCE_SIZE, options, size);
	return udp_from(h, 0, "192.0.2.1", p, UDP_ANNOUNCE_SIZE + size).bytes[3];
}

#define ANNOUNCE_URL(h, options, client) announce_url(h, options, sizeof(options) - 1, client)

static void a_passkey_comes_as_url_data(void **state)
{
	(void)state;
	struct tracker_settings s = usual;
	struct tracker_passkey key = { .max_peers = 1 };
	struct tracker_passkey_use use;
	(void)crypto_generichash(key.hash, sizeof(key.hash), (const uint8_t *)PASSKEY, 32, NULL, 0);
	for (unsigned mode = TRACKER_PASSKEYS_OFF; mode <= TRACKER_PASSKEYS_REQUIRED; mode++) {
		s.passkeys = (enum tracker_passkeys)mode;
		struct house *h = house_new(&s);
		const bool off = mode == TRACKER_PASSKEYS_OFF;
		const bool required = mode == TRACKER_PASSKEYS_REQUIRED;
		assert_int_equal(tracker_passkeys(h->tracker, &key, 1), ERR_OK);
		assert_int_equal(ANNOUNCE_URL(h, "", 9), required ? UDP_ERROR : UDP_ANNOUNCE);
		assert_int_equal(ANNOUNCE_URL(h, "\x02\x09/announce", 9),
		                 required ? UDP_ERROR : UDP_ANNOUNCE);
		/* Unknown options are stepped over, pieces joined, and the query is no path. */
		assert_int_equal(ANNOUNCE_URL(h,
		                              "\x01\x07\x02zz\x02\x0b/0123456789\x01"
		                              "\x02\x24"
		                              "abcdef0123456789abcdef/announce?pk=1",
		                              1),
		                 UDP_ANNOUNCE);
		assert_int_equal(ANNOUNCE_URL(h, "\x02\x2a/announce/" PASSKEY, 1), UDP_ANNOUNCE);
		assert_int_equal(ANNOUNCE_URL(h, "\x02\x2a/announce/" PASSKEY, 2),
		                 off ? UDP_ANNOUNCE : UDP_ERROR); /* a second peer */
		assert_int_equal(ANNOUNCE_URL(h, "\x02\x1a/fedcba9876543210/announce", 1),
		                 off ? UDP_ANNOUNCE : UDP_ERROR);
		assert_int_equal(counted(h, METRIC_DENIED_PASSKEY), !off);
		assert_int_equal(counted(h, METRIC_DENIED_PASSKEY_PEERS), !off);
		assert_int_equal(counted(h, METRIC_DENIED_NO_PASSKEY), required ? 2 : 0);
		assert_int_equal(tracker_passkey_use(h->tracker, key.hash, &use), ERR_OK);
		assert_int_equal(use.announces, off ? 0 : 2);
		assert_int_equal(use.refused, off ? 0 : 1);
		house_free(h);
	}
}

static void a_udp_scrape_has_no_passkey(void **state)
{
	(void)state;
	struct tracker_settings s = usual;
	uint8_t p[36];
	for (unsigned mode = TRACKER_PASSKEYS_OFF; mode <= TRACKER_PASSKEYS_REQUIRED; mode++) {
		s.passkeys = (enum tracker_passkeys)mode;
		struct house *h = house_new(&s);
		struct writer w = writer_over(p, sizeof(p));
		writer_u64(&w, udp_connect(h, "192.0.2.1"));
		writer_u32(&w, UDP_SCRAPE);
		const struct datagram d = udp_from(h, 0, "192.0.2.1", p, sizeof(p));
		assert_int_equal(d.bytes[3],
		                 mode == TRACKER_PASSKEYS_REQUIRED ? UDP_ERROR : UDP_SCRAPE);
		assert_true(d.size <= sizeof(p)); /* no amplification */
		house_free(h);
	}
}

/* By the hash that its announces are noted with. */
static void tells_accounting_which_torrents_are_private(void **state)
{
	(void)state;
	static const uint8_t privates[2][INFO_HASH_SIZE] = { { 5 }, { 6 } };
	struct house *h = house_new(&usual);
	const struct tracker_access access = { .open = true,
		                               .privates = privates,
		                               .n_privates = 2 };
	assert_int_equal(tracker_access(h->tracker, &access), ERR_OK);
	assert_int_equal(account_n_privates, 2);
	for (uint8_t i = 0; i < 2; i++) {
		(void)udp_announce(h, &(struct say){ .ip = "192.0.2.1", .port = 1, .hash = 5 + i });
		assert_int_equal(account_book[0].swarm, account_privates[i]);
	}
	house_free(h);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(a_passkey_comes_as_url_data),
	cmocka_unit_test(a_udp_scrape_has_no_passkey),
	cmocka_unit_test(a_proxy_is_never_handed_out_wherever_it_stands),
	cmocka_unit_test(silence_above_the_limits_until_time_has_passed),
	cmocka_unit_test(limits_change_while_it_runs),
	cmocka_unit_test(proxies_and_a_lab_are_exempt),
	cmocka_unit_test(old_connection_ids_are_counted_and_never_held_against_anybody),
	cmocka_unit_test(an_operator_may_let_connection_ids_live_longer),
	cmocka_unit_test(tells_accounting_which_torrents_are_private),
	cmocka_unit_test(says_shortly_why_it_refuses),
};

RUN_TESTS(tests)
