/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/base/text.h"
#include "common/codec/udp_tracker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An announce of 98 bytes, one line for each field of BEP 15. */
static const char golden[] = "0123456789abcdef"                         /* connection */
			     "00000001"                                 /* announce */
			     "cafef00d"                                 /* transaction */
			     "000102030405060708090a0b0c0d0e0f10111213" /* info_hash */
			     "2d7879303130302d000a0d20417f80fffe253d26" /* peer_id */
			     "0000000100000002"                         /* downloaded */
			     "0000000000004000"                         /* left */
			     "8000000000000003"                         /* uploaded */
			     "00000002"                                 /* started */
			     "c0000201"                                 /* ip */
			     "deadbeef"                                 /* key */
			     "00000032"                                 /* num_want */
			     "1ae1";                                    /* port */

enum { PEER_ID_AT = 36, EVENT_AT = 80, KEY_AT = 88, WANT_AT = 92, LEFT_AT = 64 };

static void fill(uint8_t p[static UDP_ANNOUNCE_SIZE])
{
	assert_true(text_unhex(golden, p, UDP_ANNOUNCE_SIZE));
}

static void put_u32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (24 - 8 * i));
}

static void reads_every_field_of_an_announce(void **state)
{
	(void)state;
	uint8_t p[UDP_ANNOUNCE_SIZE];
	struct udp_head head;
	struct announce a;
	memset(&a, 0xa5, sizeof(a));
	fill(p);
	assert_int_equal(udp_head_parse(p, sizeof(p), &head), ERR_OK);
	assert_int_equal(head.connection, 0x0123456789abcdef);
	assert_int_equal(head.action, UDP_ANNOUNCE);
	assert_int_equal(head.transaction, 0xcafef00d);

	assert_int_equal(udp_announce_parse(p, sizeof(p), &a), ERR_OK);
	assert_memory_equal(a.info_hash, p + 16, 20);
	assert_memory_equal(a.peer_id, p + 36, 20);
	assert_int_equal(a.downloaded, 0x100000002);
	assert_int_equal(a.left, 0x4000);
	assert_int_equal(a.uploaded, 0x8000000000000003);
	assert_int_equal(a.event, EVENT_STARTED);
	assert_int_equal(a.key, 0xdeadbeef);
	assert_int_equal(a.want, 50);
	assert_int_equal(a.port, 6881);
	assert_int_equal(a.redundant, 0);
	assert_int_equal(a.claimed.family, IP_NONE);
	assert_false(a.has_ipv4);
	assert_false(a.has_ipv6);
	assert_true(a.compact);
	assert_false(a.no_peer_id);
}

static void refuses_every_shorter_packet(void **state)
{
	(void)state;
	uint8_t p[UDP_ANNOUNCE_SIZE];
	struct udp_head head = { .transaction = 1 };
	struct announce a = { .port = 1 };
	fill(p);
	for (size_t n = 0; n < sizeof(p); n++)
		assert_int_equal(udp_announce_parse(p, n, &a), ERR_TRUNCATED);
	for (size_t n = 0; n < 16; n++)
		assert_int_equal(udp_head_parse(p, n, &head), ERR_TRUNCATED);
	assert_int_equal(a.port, 1);
	assert_int_equal(head.transaction, 1);
}

static void a_connect_needs_the_magic_and_an_announce_does_not(void **state)
{
	(void)state;
	static const struct {
		const char *hex;
		enum err expect;
	} rows[] = {
		{ "00000417271019800000000078e90560", ERR_OK },
		{ "00000417271019810000000078e90560", ERR_MALFORMED },
		{ "00000000000000000000000078e90560", ERR_MALFORMED },
		{ "00000000000000000000000178e90560", ERR_OK },
		{ "0000000000000000ffffffff78e90560", ERR_OK }, /* the caller's to refuse */
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t p[UDP_CONNECT_SIZE];
		struct udp_head head = { 0 };
		assert_true(text_unhex(rows[i].hex, p, sizeof(p)));
		assert_int_equal(udp_head_parse(p, sizeof(p), &head), rows[i].expect);
		assert_int_equal(head.transaction, rows[i].expect == ERR_OK ? 0x78e90560 : 0);
	}
}

static void an_unknown_event_counts_as_none(void **state)
{
	(void)state;
	static const struct {
		uint32_t wire;
		enum peer_event expect;
	} rows[] = {
		{ 0, EVENT_NONE },       { 1, EVENT_COMPLETED },      { 2, EVENT_STARTED },
		{ 3, EVENT_STOPPED },    { 4, EVENT_PAUSED },         { 5, EVENT_NONE },
		{ 0x100, EVENT_NONE },   { 0x80000000U, EVENT_NONE }, { 0xffffffffU, EVENT_NONE },
		{ 0x10001, EVENT_NONE }, { 0x01000000U, EVENT_NONE },
	};
	uint8_t p[UDP_ANNOUNCE_SIZE];
	struct announce a;
	fill(p);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		put_u32(p + EVENT_AT, rows[i].wire);
		assert_int_equal(udp_announce_parse(p, sizeof(p), &a), ERR_OK);
		assert_int_equal(a.event, rows[i].expect);
	}
}

static void numwant_is_signed(void **state)
{
	(void)state;
	static const struct {
		uint32_t wire;
		int32_t expect;
	} rows[] = {
		{ 0, 0 },
		{ 1, 1 },
		{ 200, 200 },
		{ 0x7fffffff, INT32_MAX },
		{ 0xffffffffU, WANT_DEFAULT },
		{ 0xfffffffeU, WANT_DEFAULT },
		{ 0x80000000U, WANT_DEFAULT },
	};
	uint8_t p[UDP_ANNOUNCE_SIZE];
	struct announce a;
	fill(p);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		put_u32(p + WANT_AT, rows[i].wire);
		assert_int_equal(udp_announce_parse(p, sizeof(p), &a), ERR_OK);
		assert_int_equal(a.want, rows[i].expect);
	}
}

static void unknown_left_is_a_leecher_and_key_zero_is_none(void **state)
{
	(void)state;
	uint8_t p[UDP_ANNOUNCE_SIZE];
	struct announce a;
	fill(p);
	memset(p + LEFT_AT, 0xff, 8); /* what the npm client sends before it knows the size */
	put_u32(p + KEY_AT, 0);
	assert_int_equal(udp_announce_parse(p, sizeof(p), &a), ERR_OK);
	assert_true(a.left == UINT64_MAX);
	assert_int_equal(a.key, 0);
}

/* `options` stands behind a golden announce. */
static size_t url_of(const void *options, size_t size, char *out, size_t room)
{
	uint8_t *p = malloc(UDP_ANNOUNCE_SIZE + size); /* exact, for the sanitizers */
	assert_non_null(p);
	fill(p);
	if (size > 0)
		memcpy(p + UDP_ANNOUNCE_SIZE, options, size);
	struct announce a;
	assert_int_equal(udp_announce_parse(p, UDP_ANNOUNCE_SIZE + size, &a), ERR_OK);
	assert_int_equal(a.port, 6881);
	const size_t n = udp_announce_url(p, UDP_ANNOUNCE_SIZE + size, out, room);
	free(p);
	return n;
}

static void joins_url_data_and_skips_other_options(void **state)
{
	(void)state;
#define ROW(bytes, expect)                         \
	{                                          \
		bytes, sizeof(bytes) - 1, (expect) \
	}
	static const struct {
		const char *bytes;
		size_t size;
		const char *expect;
	} rows[] = {
		ROW("", ""),
		ROW("\x02\x10/announce?pk=abc", "/announce?pk=abc"), /* libtorrent: no end */
		ROW("\x02\x02/a\x00", "/a"),
		ROW("\x02\x02/a\x02\x02?b\x00\x02\x01z", "/a?b"),
		ROW("\x01\x01\x02\x02/a", "/a"),
		ROW("\x07\x03xyz\x02\x02/a", "/a"),
		ROW("\xff\x00\x02\x02/a", "/a"),
		ROW("\x02\x00\x02\x02/a", "/a"),
		ROW("\x00\x00", ""), /* BitComet's two bytes behind the port */
		ROW("\x02\x02/a\x02\x05?b", "/a"),
		ROW("\x02\x02/a\x02", "/a"),
		ROW("\x07\xffxyz\x02\x02/a", ""),
		ROW("\x02", ""),
	};
#undef ROW
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char url[64];
		const size_t n = url_of(rows[i].bytes, rows[i].size, url, sizeof(url));
		assert_string_equal(url, rows[i].expect);
		assert_int_equal(n, strlen(rows[i].expect));
	}
}

static void cuts_a_url_to_the_room_there_is(void **state)
{
	(void)state;
	static const char options[] = "\x02\x04/abc\x02\x04?def";
	char url[10] = { 'x' };
	assert_int_equal(url_of(options, 12, url, 0), 0);
	assert_int_equal(url[0], 'x');
	for (size_t room = 1; room <= 9; room++) {
		memset(url, 'x', sizeof(url));
		assert_int_equal(url_of(options, 12, url, room), room - 1);
		assert_int_equal(url[room - 1], '\0');
		assert_memory_equal(url, "/abc?def", room - 1);
		assert_int_equal(url[room], 'x');
	}
}

static void a_packet_shorter_than_an_announce_has_no_url(void **state)
{
	(void)state;
	uint8_t p[UDP_ANNOUNCE_SIZE];
	char url[8];
	fill(p);
	for (size_t n = 0; n <= sizeof(p); n++)
		assert_int_equal(udp_announce_url(p, n, url, sizeof(url)), 0);
}

static void a_scrape_ignores_a_partial_last_hash(void **state)
{
	(void)state;
	static const struct {
		size_t size;
		enum err expect;
		size_t count;
	} rows[] = {
		{ 0, ERR_TRUNCATED, 99 },
		{ 15, ERR_TRUNCATED, 99 },
		{ 16, ERR_TRUNCATED, 99 },
		{ 35, ERR_TRUNCATED, 99 },
		{ 36, ERR_OK, 1 },
		{ 39, ERR_OK, 1 }, /* one and three bytes: opentracker answers two */
		{ 56, ERR_OK, 2 },
		{ 16 + 20 * 74, ERR_OK, 74 },
		{ 16 + 20 * 74 + 19, ERR_OK, 74 },
		{ 16 + 20 * 75, ERR_RANGE, 74 },
		{ 16 + 20 * 80, ERR_RANGE, 74 },
	};
	static const uint8_t p[16 + 20 * 80];
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const uint8_t *hashes = NULL;
		size_t count = 99;
		assert_int_equal(udp_scrape_parse(p, rows[i].size, &hashes, &count),
		                 rows[i].expect);
		assert_int_equal(count, rows[i].count);
		if (rows[i].expect == ERR_TRUNCATED)
			assert_null(hashes);
		else
			assert_ptr_equal(hashes, p + 16);
	}
}

static void expect_hex(const uint8_t *bytes, size_t size, const char *expect)
{
	char hex[2 * 64 + 1];
	assert_in_range(size, 1, 64);
	text_hex(bytes, size, hex);
	assert_string_equal(hex, expect);
}

static void writes_replies_as_bep_15_shows_them(void **state)
{
	(void)state;
	uint8_t out[64];
	static const struct udp_announce_answer answer = {
		.transaction = 0xcafef00d, .interval = 1800, .leechers = 3, .seeders = 258
	};
	static const struct udp_scrape_row rows[] = { { 1, 2, 3 }, { 0xffffffff, 0, 5 } };

	expect_hex(out, udp_connect_reply(out, sizeof(out), 0xdcb35e1b, 0x0102030405060708),
	           "00000000dcb35e1b0102030405060708");
	expect_hex(out, udp_announce_reply(out, sizeof(out), &answer),
	           "00000001cafef00d000007080000000300000102");
	expect_hex(out, udp_scrape_reply(out, sizeof(out), 7, rows, 2),
	           "0000000200000007000000010000000200000003ffffffff0000000000000005");
	expect_hex(out, udp_scrape_reply(out, sizeof(out), 7, NULL, 0), "0000000200000007");
	expect_hex(out, udp_error_reply(out, sizeof(out), 7, "no"), "00000003000000076e6f");
}

static void a_reply_that_does_not_fit_is_not_written(void **state)
{
	(void)state;
	uint8_t out[64];
	static const struct udp_announce_answer answer = { 0 };
	static const struct udp_scrape_row rows[2] = { { 0 } };
	for (size_t room = 0; room < 40; room++) {
		assert_int_equal(udp_connect_reply(out, room, 1, 2), room < 16 ? 0 : 16);
		assert_int_equal(udp_announce_reply(out, room, &answer), room < 20 ? 0 : 20);
		assert_int_equal(udp_scrape_reply(out, room, 1, rows, 2), room < 32 ? 0 : 32);
	}
	assert_int_equal(udp_scrape_reply(out, sizeof(out), 1, rows, SIZE_MAX / 6), 0);
}

static void an_error_text_is_cut_and_has_no_nul(void **state)
{
	(void)state;
	uint8_t out[24];
	for (size_t room = 0; room <= 20; room++) {
		memset(out, 'x', sizeof(out));
		const size_t n = udp_error_reply(out, room, 1, "too late");
		assert_int_equal(n, room < 8 ? 0 : room < 16 ? room : 16);
		if (n > 0)
			assert_memory_equal(out + 8, "too late", n - 8);
		assert_int_equal(out[room], 'x');
	}
}

/* A recorded datagram must be read by the parser of its kind. */
static void replay(const char *kind, const uint8_t *p, size_t size)
{
	struct udp_head head;
	struct announce a;
	if (strstr(kind, "response") != NULL)
		return;
	assert_int_equal(udp_head_parse(p, size, &head), ERR_OK);
	if (strncmp(kind, "connect", 7) == 0) {
		assert_int_equal(head.action, UDP_CONNECT);
		return;
	}
	unsigned event, want, port;
	char id[16];
	assert_int_equal(sscanf(kind, "announce event=%u numwant=%u port=%u peer=%15s", &event,
	                        &want, &port, id),
	                 4);
	assert_int_equal(head.action, UDP_ANNOUNCE);
	assert_int_equal(udp_announce_parse(p, size, &a), ERR_OK);
	assert_int_equal(a.event, event);
	assert_int_equal(a.want, want);
	assert_int_equal(a.port, port);
	assert_memory_equal(a.peer_id, id, strlen(id));
}

static void reads_recorded_datagrams(void **state)
{
	(void)state;
	char line[4096];
	FILE *f = open_recorded("bittorrent/udp-tracker-datagrams.tsv");
	if (f == NULL)
		return;
	unsigned n = 0;
	while (fgets(line, sizeof(line), f) != NULL) {
		uint8_t p[512];
		char *rest = line;
		const char *kind = strsep(&rest, "\t");
		(void)strsep(&rest, "\t");
		const char *octets = strsep(&rest, "\t");
		if (kind[0] == '#' || octets == NULL || rest == NULL)
			continue;
		rest[strcspn(rest, "\r\n")] = '\0';
		const size_t size = strtoul(octets, NULL, 10);
		assert_in_range(size, 1, sizeof(p));
		assert_true(text_unhex(rest, p, size));
		replay(kind, p, size);
		n++;
	}
	(void)fclose(f);
	assert_true(n > 0);
}

static void a_key_that_aria2_draws_anew_each_time_is_none(void **state)
{
	(void)state;
	static const struct {
		const char *id;
		uint64_t expect;
	} rows[] = { { "A2-1-36-0-", 0 }, { "-A2-1360-", 77 }, { "A2", 77 }, { "-TR3000-", 77 } };
	uint8_t p[UDP_ANNOUNCE_SIZE];
	struct announce a;
	fill(p);
	put_u32(p + KEY_AT, 77);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memset(p + PEER_ID_AT, 'x', PEER_ID_SIZE);
		memcpy(p + PEER_ID_AT, rows[i].id, strlen(rows[i].id));
		assert_int_equal(udp_announce_parse(p, sizeof(p), &a), ERR_OK);
		assert_int_equal(a.key, rows[i].expect);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(a_key_that_aria2_draws_anew_each_time_is_none),
	cmocka_unit_test(a_connect_needs_the_magic_and_an_announce_does_not),
	cmocka_unit_test(a_packet_shorter_than_an_announce_has_no_url),
	cmocka_unit_test(a_reply_that_does_not_fit_is_not_written),
	cmocka_unit_test(a_scrape_ignores_a_partial_last_hash),
	cmocka_unit_test(an_error_text_is_cut_and_has_no_nul),
	cmocka_unit_test(an_unknown_event_counts_as_none),
	cmocka_unit_test(cuts_a_url_to_the_room_there_is),
	cmocka_unit_test(joins_url_data_and_skips_other_options),
	cmocka_unit_test(numwant_is_signed),
	cmocka_unit_test(reads_every_field_of_an_announce),
	cmocka_unit_test(reads_recorded_datagrams),
	cmocka_unit_test(refuses_every_shorter_packet),
	cmocka_unit_test(unknown_left_is_a_leecher_and_key_zero_is_none),
	cmocka_unit_test(writes_replies_as_bep_15_shows_them),
};

RUN_TESTS(tests)
