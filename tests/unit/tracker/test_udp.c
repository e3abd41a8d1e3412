/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/tracker/house.h"

static void says_nothing_without_a_connection_id_of_ours(void **state)
{
	(void)state;
	struct house *h = house_new(&usual);
	const struct say s = { .ip = "192.0.2.1", .port = 1, .left = 1 };
	const uint64_t mine = udp_connect(h, "192.0.2.1"), foreign = udp_connect(h, "192.0.2.2");
	const uint64_t bad[] = { 0, 0x41727101980, foreign, mine ^ 1 };
	uint8_t p[UDP_ANNOUNCE_SIZE];
	for (size_t i = 0; i < 4; i++) {
		(void)udp_announce_packet(&s, bad[i], p);
		assert_int_equal(udp_from(h, 0, s.ip, p, sizeof(p)).size, 0);
		p[11] = UDP_SCRAPE;
		assert_int_equal(udp_from(h, 0, s.ip, p, sizeof(p)).size, 0);
	}
	assert_int_equal(counted(h, METRIC_UDP_BAD_CONNECTION), 8);

	(void)udp_announce_packet(&s, mine, p);
	h->now += usual.connection_seconds;
	assert_int_equal(udp_from(h, 1, s.ip, p, sizeof(p)).size, 20); /* any worker */
	h->now++;
	assert_int_equal(udp_from(h, 0, s.ip, p, sizeof(p)).size, 0);
	house_free(h);
}

static void says_nothing_to_what_is_no_request(void **state)
{
	(void)state;
	struct house *h = house_new(&usual);
	const uint64_t id = udp_connect(h, "192.0.2.1");
	uint8_t p[UDP_CONNECT_SIZE] = { 0 };
	for (size_t n = 0; n < sizeof(p); n++)
		assert_int_equal(udp_from(h, 0, "192.0.2.1", p, n).size, 0);
	assert_int_equal(udp_from(h, 0, "192.0.2.1", p, sizeof(p)).size, 0); /* no magic */
	struct writer w = writer_over(p, sizeof(p));
	writer_u64(&w, id);
	writer_u32(&w, UDP_ERROR);
	assert_int_equal(udp_from(h, 0, "192.0.2.1", p, sizeof(p)).size, 0);
	assert_int_equal(counted(h, METRIC_UDP_MALFORMED), sizeof(p) + 2);
	house_free(h);
}

/* Checks an error reply and that it is no longer than what asked for it. */
static void expect_error(const struct datagram *d, size_t request, const char *text)
{
	struct reader r = reader_over(d->bytes, d->size);
	assert_true(d->size > 8 && d->size <= request);
	assert_int_equal(reader_u32(&r), UDP_ERROR);
	assert_int_equal(reader_u32(&r), 4711);
	const size_t n = reader_left(&r);
	assert_memory_equal(reader_take(&r, n), text, n);
}

static void errors_are_text_and_never_longer_than_the_request(void **state)
{
	(void)state;
	static const uint8_t listed[1][INFO_HASH_SIZE] = { { 1 } };
	struct house *h = house_new(&usual);
	const struct say s = { .ip = "192.0.2.1", .port = 1, .left = 1, .hash = 2 };
	const uint64_t id = udp_connect(h, s.ip);
	uint8_t p[UDP_ANNOUNCE_SIZE];

	house_list(h, listed, 1);
	(void)udp_announce_packet(&s, id, p);
	struct datagram d = udp_from(h, 0, s.ip, p, sizeof(p));
	expect_error(&d, sizeof(p), "this tracker does not serve this torrent");
	assert_int_equal(d.size, 8 + strlen("this tracker does not serve this torrent"));
	assert_int_equal(counted(h, METRIC_UDP_ANNOUNCE_REFUSED), 1);

	d = udp_from(h, 0, s.ip, p, sizeof(p) - 1);
	expect_error(&d, sizeof(p) - 1, "announce too short");
	d = udp_from(h, 0, s.ip, p, 17);
	expect_error(&d, 17, "announce too short");
	assert_int_equal(counted(h, METRIC_UDP_ANNOUNCE_MALFORMED), 2);

	p[11] = UDP_SCRAPE;
	d = udp_from(h, 0, s.ip, p, 16 + 19);
	expect_error(&d, 16 + 19, "scrape without an info_hash");
	house_free(h);
}

static void scrapes_in_order_with_zeros_for_the_unknown(void **state)
{
	(void)state;
	struct house *h = house_new(&usual);
	(void)udp_announce(h, &(struct say){ .ip = "192.0.2.1", .port = 1, .hash = 1 });
	(void)udp_announce(h, &(struct say){ .ip = "192.0.2.2", .port = 1, .left = 9, .hash = 1 });
	(void)udp_announce(h, &(struct say){ .ip = "192.0.2.3",
	                                     .port = 1,
	                                     .left = 9,
	                                     .event = EVENT_PAUSED,
	                                     .hash = 1 });
	(void)udp_announce(
		h,
		&(struct say){ .ip = "192.0.2.2", .port = 1, .event = EVENT_COMPLETED, .hash = 1 });
	uint8_t p[16 + 3 * INFO_HASH_SIZE + 5] = { 0 };
	struct writer w = writer_over(p, sizeof(p));
	writer_u64(&w, udp_connect(h, "192.0.2.9"));
	writer_u32(&w, UDP_SCRAPE);
	writer_u32(&w, 5);
	p[16] = 7;                      /* unknown */
	p[16 + INFO_HASH_SIZE] = 1;     /* ours */
	p[16 + 2 * INFO_HASH_SIZE] = 7; /* and again, then five bytes of a fourth */
	const struct datagram d = udp_from(h, 0, "192.0.2.9", p, sizeof(p));
	static const uint32_t expected[] = { UDP_SCRAPE, 5, 0, 0, 0, 2, 1, 1, 0, 0, 0 };
	struct reader r = reader_over(d.bytes, d.size);
	assert_int_equal(d.size, sizeof(expected));
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		assert_int_equal(reader_u32(&r), expected[i]);
	assert_int_equal(counted(h, METRIC_UDP_SCRAPES), 1);
	house_free(h);
}

static void scrapes_74_at_once_and_ignores_more(void **state)
{
	(void)state;
	struct house *h = house_new(&usual);
	uint8_t p[NET_DATAGRAM_MAX] = { 0 };
	struct writer w = writer_over(p, sizeof(p));
	writer_u64(&w, udp_connect(h, "192.0.2.9"));
	writer_u32(&w, UDP_SCRAPE);
	assert_int_equal(udp_from(h, 0, "192.0.2.9", p, 16 + 74 * 20).size, 8 + 74 * 12);
	house_free(h);
}

static void replies_stay_below_1200_bytes_with_the_stride_of_the_family(void **state)
{
	(void)state;
	static const struct {
		const char *crowd, *asker;
		size_t most, size;
	} rows[] = {
		{ "192.0.2.", "192.0.2.250", (1200 - 20) / 6, 6 },
		{ "2001:db8::", "2001:db8::ffff", (1200 - 20) / 18, 18 },
	};
	struct tracker_settings s = usual;
	s.max_peers = 1000;
	for (size_t i = 0; i < 2; i++) {
		struct house *h = house_new(&s);
		udp_crowd(h, rows[i].crowd, 220, 9);
		/* Peers of the other family take no room. */
		(void)udp_announce(
			h,
			&(struct say){ .ip = rows[1 - i].asker, .port = 1, .left = 1, .hash = 1 });
		const struct heard heard = udp_announce(
			h,
			&(struct say){ .ip = rows[i].asker, .port = 1, .want = 1000, .hash = 1 });
		assert_int_equal(heard.n, rows[i].most);
		assert_int_equal(heard.leechers, 221);
		for (size_t k = 0; k < heard.n; k++)
			assert_int_equal(ip_size(&heard.addr[k]) + 2, rows[i].size);
		house_free(h);
	}
}

static void answers_a_whole_batch(void **state)
{
	(void)state;
	struct house *h = house_new(&usual);
	const uint64_t id = udp_connect(h, "192.0.2.1");
	uint8_t in[3][UDP_ANNOUNCE_SIZE], out[3][NET_DATAGRAM_MAX];
	struct net_datagram batch[3];
	for (unsigned i = 0; i < 3; i++) {
		const struct say s = {
			.port = (uint16_t)(1 + i), .left = 1, .want = 50, .hash = 1
		};
		batch[i] = (struct net_datagram){
			.in = in[i],
			.in_size = udp_announce_packet(&s, i == 1 ? 0 : id, in[i]),
			.from = address("192.0.2.1"),
			.from_port = 9999,
			.out = out[i],
			.out_size = 99, /* of an earlier batch */
		};
	}
	tracker_udp(h->tracker, 0, h->now * 1000, batch, 3);
	assert_int_equal(batch[0].out_size, 20);
	assert_int_equal(batch[1].out_size, 0);
	assert_int_equal(batch[2].out_size, 26); /* the first one's peer */
	house_free(h);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(says_nothing_without_a_connection_id_of_ours),
	cmocka_unit_test(says_nothing_to_what_is_no_request),
	cmocka_unit_test(errors_are_text_and_never_longer_than_the_request),
	cmocka_unit_test(scrapes_in_order_with_zeros_for_the_unknown),
	cmocka_unit_test(scrapes_74_at_once_and_ignores_more),
	cmocka_unit_test(replies_stay_below_1200_bytes_with_the_stride_of_the_family),
	cmocka_unit_test(answers_a_whole_batch),
};

RUN_TESTS(tests)
