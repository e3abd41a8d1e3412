/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/base/cursor.h"
#include "tools/p4pload/packet.h"

#include <string.h>

static const struct options some = { .peers = 40,
	                             .hashes = 1,
	                             .want = 3,
	                             .seeders = 50,
	                             .addresses = 4,
	                             .target = { { 127, 0, 0, 1 }, IP_V4 },
	                             .seed = 1,
	                             .bytes = true,
	                             .from = { { { { 127 }, IP_V4 }, 16 } },
	                             .n_from = 1 };

static struct population people(void)
{
	struct population p;
	assert_int_equal(population_init(&p, &some, NULL), ERR_OK);
	return p;
}

static void a_tracker_reads_what_was_written(void **state)
{
	(void)state;
	struct population p = people();
	uint8_t bytes[REQUEST_MAX];
	struct udp_head head;
	for (uint32_t c = 0; c < p.n_clients; c++) {
		p.clients[c].connection = c + 77;
		p.clients[c].announces = c % 3;
		const struct client *client = &p.clients[c];
		struct request r = { .kind = UDP_CONNECT,
			             .client = c,
			             .transaction = c + 5,
			             .event = (enum peer_event)(c % 4),
			             .seeder = client->born_seeder };
		assert_int_equal(packet_write(&p, &r, bytes), UDP_CONNECT_SIZE);
		assert_int_equal(udp_head_parse(bytes, UDP_CONNECT_SIZE, &head), ERR_OK);

		r.kind = UDP_ANNOUNCE;
		struct announce a;
		assert_int_equal(packet_write(&p, &r, bytes), UDP_ANNOUNCE_SIZE);
		assert_int_equal(udp_head_parse(bytes, UDP_ANNOUNCE_SIZE, &head), ERR_OK);
		assert_int_equal(head.connection, c + 77);
		assert_int_equal(head.transaction, c + 5);
		assert_int_equal(udp_announce_parse(bytes, UDP_ANNOUNCE_SIZE, &a), ERR_OK);
		assert_memory_equal(a.info_hash, p.hashes[0], INFO_HASH_SIZE);
		assert_int_equal(a.port, population_port(&p, c));
		assert_int_equal(a.want, 3);
		assert_int_equal(a.event, c % 4);
		assert_int_equal(a.left == 0, client->born_seeder);
		assert_true(a.key != 0);
		assert_int_equal(a.uploaded, (uint64_t)(c % 3) << 20);

		const uint8_t *hashes;
		size_t count;
		r.kind = UDP_SCRAPE;
		r.count = SCRAPE_COUNT_MAX;
		const size_t n = packet_write(&p, &r, bytes);
		assert_int_equal(udp_scrape_parse(bytes, n, &hashes, &count), ERR_OK);
		assert_int_equal(count, SCRAPE_COUNT_MAX);
	}
	population_done(&p);
}

static void only_a_whole_answer_to_the_question_is_good(void **state)
{
	(void)state;
	static const struct udp_scrape_row counts[2] = { { 0 } };
	static const struct udp_announce_answer answer = { .transaction = 9 };
	uint8_t connect[24], announce[24] = { 0 }, scrape[40] = { 0 }, error[24];
	const size_t n_connect = udp_connect_reply(connect, sizeof(connect), 9, 0xabcdef);
	const size_t n_scrape = udp_scrape_reply(scrape, sizeof(scrape), 9, counts, 2);
	(void)udp_announce_reply(announce, sizeof(announce), &answer);
	const size_t n_error = udp_error_reply(error, sizeof(error), 9, "no");
	struct {
		struct request r;
		const uint8_t *bytes;
		size_t size;
		enum verdict expect;
	} rows[] = {
		{ { .kind = UDP_CONNECT, .transaction = 9 }, connect, n_connect, REPLY_GOOD },
		{ { .kind = UDP_CONNECT, .transaction = 8 }, connect, n_connect, REPLY_MALFORMED },
		{ { .kind = UDP_CONNECT, .transaction = 9 },
		  connect,
		  n_connect - 1,
		  REPLY_MALFORMED },
		{ { .kind = UDP_CONNECT, .transaction = 9 },
		  connect,
		  n_connect + 1,
		  REPLY_MALFORMED },
		{ { .kind = UDP_CONNECT, .transaction = 0 }, connect, 0, REPLY_MALFORMED },
		{ { .kind = UDP_CONNECT, .transaction = 9 }, announce, 20, REPLY_MALFORMED },
		{ { .kind = UDP_ANNOUNCE, .transaction = 9 }, announce, 20, REPLY_GOOD },
		{ { .kind = UDP_ANNOUNCE, .transaction = 9 }, announce, 26, REPLY_GOOD },
		/* opentracker's no */
		{ { .kind = UDP_ANNOUNCE, .transaction = 9 }, announce, 8, REPLY_MALFORMED },
		{ { .kind = UDP_ANNOUNCE, .transaction = 9 }, announce, 19, REPLY_MALFORMED },
		{ { .kind = UDP_ANNOUNCE, .transaction = 9 }, announce, 23, REPLY_MALFORMED },
		{ { .kind = UDP_ANNOUNCE, .transaction = 9 }, error, n_error, REPLY_REFUSED },
		{ { .kind = UDP_ANNOUNCE, .transaction = 8 }, error, n_error, REPLY_MALFORMED },
		{ { .kind = UDP_SCRAPE, .transaction = 9, .count = 2 },
		  scrape,
		  n_scrape,
		  REPLY_GOOD },
		{ { .kind = UDP_SCRAPE, .transaction = 9, .count = 1 },
		  scrape,
		  n_scrape,
		  REPLY_MALFORMED },
		{ { .kind = UDP_SCRAPE, .transaction = 9, .count = 3 },
		  scrape,
		  n_scrape,
		  REPLY_MALFORMED },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct answer a =
			packet_parse(&rows[i].r, IP_V4, rows[i].bytes, rows[i].size);
		assert_int_equal(a.shape, rows[i].expect);
		assert_int_equal(a.connection, i == 0 ? 0xabcdef : 0);
	}
}

static void knows_what_was_counted_and_listed(void **state)
{
	(void)state;
	uint8_t bytes[20 + 36] = { 0 }, scrape[40];
	static const struct udp_scrape_row counts[2] = { { 1, 2, 3 }, { 4, 5, 6 } };
	static const struct udp_announce_answer reply = { .transaction = 9,
		                                          .leechers = 7,
		                                          .seeders = 8 };
	const struct request r = { .kind = UDP_ANNOUNCE, .transaction = 9 };
	(void)udp_announce_reply(bytes, sizeof(bytes), &reply);
	struct answer a = packet_parse(&r, IP_V4, bytes, sizeof(bytes));
	assert_int_equal(a.leechers, 7);
	assert_int_equal(a.seeders, 8);
	assert_int_equal(answer_peers(&a), 6);
	assert_ptr_equal(a.lists[0], bytes + 20);
	a = packet_parse(&r, IP_V6, bytes, sizeof(bytes));
	assert_int_equal(answer_peers(&a), 2);
	assert_ptr_equal(a.lists[1], bytes + 20);

	const struct request s = { .kind = UDP_SCRAPE, .transaction = 9, .count = 2 };
	const size_t n = udp_scrape_reply(scrape, sizeof(scrape), 9, counts, 2);
	a = packet_parse(&s, IP_V4, scrape, n);
	assert_int_equal(a.n_rows, 2);
	assert_memory_equal(a.rows, counts, sizeof(counts));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(a_tracker_reads_what_was_written),
	cmocka_unit_test(knows_what_was_counted_and_listed),
	cmocka_unit_test(only_a_whole_answer_to_the_question_is_good),
};

RUN_TESTS(tests)
