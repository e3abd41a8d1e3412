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
		struct request r = { UDP_CONNECT, c, c + 5, 0 };
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
		assert_int_equal(a.event, c % 3 == 0 ? EVENT_STARTED : EVENT_NONE);
		assert_int_equal(a.left == 0, p.clients[c].seeder);
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

/* A reply to client 0's announce that lists these clients; UINT32_MAX lists a stranger. */
static size_t list(const struct population *p, const uint32_t *clients, size_t n, uint8_t *out)
{
	const struct udp_announce_answer answer = { .transaction = 9 };
	struct writer w = writer_over(out, 200);
	w.at += udp_announce_reply(out, 200, &answer);
	for (size_t i = 0; i < n; i++) {
		writer_u32(&w, clients[i] == STRANGER ? 1 : population_address(p, clients[i]));
		writer_u16(&w, clients[i] == STRANGER ? 1 : population_port(p, clients[i]));
	}
	return writer_size(&w);
}

static void finds_what_is_wrong_with_a_list(void **state)
{
	(void)state;
	static const struct {
		uint32_t clients[4];
		size_t n;
		enum verdict lists, shape;
	} rows[] = {
		{ { 0 }, 0, REPLY_GOOD, REPLY_GOOD },
		{ { 1, 2, 3 }, 3, REPLY_GOOD, REPLY_GOOD },
		{ { 1, 2, 3 }, 3, REPLY_GOOD, REPLY_GOOD }, /* again: every reply starts anew */
		{ { 1, 2, 1 }, 3, REPLY_DOUBLE, REPLY_GOOD },
		{ { 1, 0, 2 }, 3, REPLY_SELF, REPLY_GOOD },
		{ { 1, STRANGER, 2 }, 3, REPLY_STRANGER, REPLY_GOOD },
		{ { STRANGER, 1, 1 }, 3, REPLY_DOUBLE, REPLY_GOOD },
		{ { 1, 2, 3, 4 }, 4, REPLY_TOO_MANY, REPLY_TOO_MANY },
	};
	struct population p = people();
	const struct request r = { UDP_ANNOUNCE, 0, 9, 0 };
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t bytes[200];
		const size_t n = list(&p, rows[i].clients, rows[i].n, bytes);
		const struct reply reply = packet_check(&p, &r, bytes, n, true);
		assert_int_equal(reply.verdict, rows[i].lists);
		assert_int_equal(reply.peers, rows[i].n);
		assert_int_equal(packet_check(&p, &r, bytes, n, false).verdict, rows[i].shape);
	}
	population_done(&p);
}

static void only_a_whole_answer_to_the_question_is_good(void **state)
{
	(void)state;
	struct population p = people();
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
		{ { UDP_CONNECT, 0, 9, 0 }, connect, n_connect, REPLY_GOOD },
		{ { UDP_CONNECT, 0, 8, 0 }, connect, n_connect, REPLY_MALFORMED },
		{ { UDP_CONNECT, 0, 9, 0 }, connect, n_connect - 1, REPLY_MALFORMED },
		{ { UDP_CONNECT, 0, 9, 0 }, connect, n_connect + 1, REPLY_MALFORMED },
		{ { UDP_CONNECT, 0, 0, 0 }, connect, 0, REPLY_MALFORMED },
		{ { UDP_CONNECT, 0, 9, 0 }, announce, 20, REPLY_MALFORMED },
		{ { UDP_ANNOUNCE, 0, 9, 0 }, announce, 20, REPLY_GOOD },
		{ { UDP_ANNOUNCE, 0, 9, 0 }, announce, 8, REPLY_MALFORMED }, /* opentracker's no */
		{ { UDP_ANNOUNCE, 0, 9, 0 }, announce, 19, REPLY_MALFORMED },
		{ { UDP_ANNOUNCE, 0, 9, 0 }, announce, 23, REPLY_MALFORMED },
		{ { UDP_ANNOUNCE, 0, 9, 0 }, error, n_error, REPLY_REFUSED },
		{ { UDP_ANNOUNCE, 0, 8, 0 }, error, n_error, REPLY_MALFORMED },
		{ { UDP_SCRAPE, 0, 9, 2 }, scrape, n_scrape, REPLY_GOOD },
		{ { UDP_SCRAPE, 0, 9, 1 }, scrape, n_scrape, REPLY_MALFORMED },
		{ { UDP_SCRAPE, 0, 9, 3 }, scrape, n_scrape, REPLY_MALFORMED },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct reply reply =
			packet_check(&p, &rows[i].r, rows[i].bytes, rows[i].size, true);
		assert_int_equal(reply.verdict, rows[i].expect);
		assert_int_equal(reply.connection, i == 0 ? 0xabcdef : 0);
	}
	population_done(&p);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(a_tracker_reads_what_was_written),
	cmocka_unit_test(finds_what_is_wrong_with_a_list),
	cmocka_unit_test(only_a_whole_answer_to_the_question_is_good),
};

RUN_TESTS(tests)
