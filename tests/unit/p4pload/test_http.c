/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/codec/query.h"
#include "tools/p4pload/http.h"

#include <stdio.h>
#include <string.h>

static struct options some = { .peers = 40,
	                       .hashes = 3,
	                       .want = 30,
	                       .addresses = 4,
	                       .seed = 1,
	                       .bytes = true,
	                       .port = 6969,
	                       .protocol = PROTOCOL_HTTP_KEPT,
	                       .target = { { 127, 0, 0, 1 }, IP_V4 },
	                       .from = { { { { 127 }, IP_V4 }, 16 } },
	                       .n_from = 1 };

/* The query of a request line, NUL-terminated. */
static char *query(char *request)
{
	char *q = strchr(request, '?');
	assert_non_null(q);
	char *end = strstr(q, " HTTP/1.1\r\n");
	assert_non_null(end);
	*end = '\0';
	return q + 1;
}

static void a_tracker_reads_what_was_written(void **state)
{
	(void)state;
	char text[HTTP_REQUEST_MAX + 1];
	struct population p;
	struct announce a;
	struct scrape s;
	assert_int_equal(population_init(&p, &some, NULL), ERR_OK);
	p.clients[7].announces = 2;
	struct request r = {
		.kind = UDP_ANNOUNCE, .client = 7, .event = EVENT_COMPLETED, .seeder = true
	};
	text[http_write(&p, &r, text)] = '\0';
	assert_memory_equal(text, "GET /announce?", 14);
	assert_non_null(strstr(text, "\r\nHost: 127.0.0.1:6969\r\n\r\n"));
	const char *q = query(text);
	assert_int_equal(query_announce_parse(q, strlen(q), &a, NULL), ERR_OK);
	assert_memory_equal(a.info_hash, p.hashes[p.clients[7].swarm], INFO_HASH_SIZE);
	assert_int_equal(a.port, population_port(&p, 7));
	assert_int_equal(a.uploaded, 2 << 20);
	assert_int_equal(a.left, 0);
	assert_int_equal(a.want, 30);
	assert_int_equal(a.event, EVENT_COMPLETED);
	assert_true(a.compact && a.key != 0);

	r.kind = UDP_SCRAPE;
	r.count = 3;
	text[http_write(&p, &r, text)] = '\0';
	assert_memory_equal(text, "GET /scrape?", 12);
	q = query(text);
	assert_int_equal(query_scrape_parse(q, strlen(q), &s, NULL), ERR_OK);
	assert_int_equal(s.count, 3);
	population_done(&p);
}

static void says_what_the_options_say(void **state)
{
	(void)state;
	char text[HTTP_REQUEST_MAX + 1];
	struct population p;
	struct options o = some;
	o.path = "/secret/announce";
	o.forwarded = o.no_keys = true;
	o.protocol = PROTOCOL_HTTP_CLOSED;
	assert_int_equal(ip_parse("fd00::1", &o.target), ERR_OK);
	assert_int_equal(ip_prefix_parse("fd00::/64", &o.from[0]), ERR_OK);
	assert_int_equal(population_init(&p, &o, NULL), ERR_OK);
	struct request r = { .kind = UDP_ANNOUNCE };
	text[http_write(&p, &r, text)] = '\0';
	assert_memory_equal(text, "GET /secret/announce?", 21);
	assert_null(strstr(text, "&key="));
	assert_non_null(strstr(text, "\r\nHost: [fd00::1]:6969\r\nX-Forwarded-For: fd00::1\r\n"
	                             "Connection: close\r\n\r\n"));
	r.kind = UDP_SCRAPE;
	r.count = SCRAPE_COUNT_MAX;
	text[http_write(&p, &r, text)] = '\0';
	assert_memory_equal(text, "GET /secret/scrape?", 19);
	population_done(&p);
}

static void reads_heads(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		enum err expect;
		struct http_head head;
	} rows[] = {
		{ "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
		  ERR_OK,
		  { 200, 38, 5, false } },
		{ "HTTP/1.1 200 OK\r\ncontent-LENGTH:5 \r\nConnection: Close\r\n\r\n",
		  ERR_OK,
		  { 200, 57, 5, true } },
		{ "HTTP/1.0 503 No\r\n\r\n", ERR_OK, { 503, 19, SIZE_MAX, true } },
		{ "HTTP/1.1 200\r\nConnection: keep-alive\r\n\r\n",
		  ERR_OK,
		  { 200, 40, SIZE_MAX, false } },
		{ "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n",
		  ERR_OK,
		  { 200, 43, SIZE_MAX, false } },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\n",
		  ERR_MALFORMED,
		  { 0 } },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", ERR_TRUNCATED, { 0 } },
		{ "", ERR_TRUNCATED, { 0 } },
		{ "HTTP/2 200 OK\r\n\r\n", ERR_MALFORMED, { 0 } },
		{ "HTTP/1.1 2x0 OK\r\n\r\n", ERR_MALFORMED, { 0 } },
		{ "HTTP\r\n\r\n", ERR_MALFORMED, { 0 } },
		{ "\r\n\r\n", ERR_MALFORMED, { 0 } },
		{ "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", ERR_MALFORMED, { 0 } },
		{ "HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\n", ERR_MALFORMED, { 0 } },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 32760\r\n\r\n", ERR_MALFORMED, { 0 } },
		{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", ERR_MALFORMED, { 0 } },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct http_head h = { 0 };
		assert_int_equal(http_parse_head(rows[i].text, strlen(rows[i].text), &h),
		                 rows[i].expect);
		assert_int_equal(h.status, rows[i].head.status);
		assert_int_equal(h.body, rows[i].head.body);
		assert_true(h.length == rows[i].head.length);
		assert_int_equal(h.close, rows[i].head.close);
	}
}

static void reads_bodies(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		enum udp_action kind;
		unsigned status;
		enum verdict expect;
		uint32_t peers, seeders, leechers, rows;
	} rows[] = {
		{ "d8:completei3e10:incompletei4e5:peers12:abcdefghijkle", UDP_ANNOUNCE, 200,
		  REPLY_GOOD, 2, 3, 4, 0 },
		{ "d5:peers6:abcdef6:peers618:abcdefghijklmnopqre", UDP_ANNOUNCE, 200, REPLY_GOOD,
		  2, 0, 0, 0 },
		{ "d6:peers60:e", UDP_ANNOUNCE, 200, REPLY_GOOD, 0, 0, 0, 0 },
		{ "d5:peers0:e", UDP_ANNOUNCE, 500, REPLY_REFUSED, 0, 0, 0, 0 },
		{ "d14:failure reason2:noe", UDP_ANNOUNCE, 200, REPLY_REFUSED, 0, 0, 0, 0 },
		{ "d5:peers7:abcdefge", UDP_ANNOUNCE, 200, REPLY_MALFORMED, 0, 0, 0, 0 },
		{ "d6:peers66:abcdefe", UDP_ANNOUNCE, 200, REPLY_MALFORMED, 0, 0, 0, 0 },
		{ "d5:peersle", UDP_ANNOUNCE, 200, REPLY_MALFORMED, 0, 0, 0, 0 },
		{ "d8:completei3ee", UDP_ANNOUNCE, 200, REPLY_MALFORMED, 0, 0, 0, 0 },
		{ "d5:peers6:abcdef", UDP_ANNOUNCE, 200, REPLY_MALFORMED, 0, 0, 0, 0 },
		{ "", UDP_ANNOUNCE, 200, REPLY_MALFORMED, 0, 0, 0, 0 },
		{ "d5:filesd2:hhd8:completei5e10:downloadedi1e10:incompletei6eeee", UDP_SCRAPE, 200,
		  REPLY_GOOD, 0, 5, 6, 1 },
		{ "d5:peers0:e", UDP_SCRAPE, 200, REPLY_MALFORMED, 0, 0, 0, 0 },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct request r = { .kind = rows[i].kind, .count = 1 };
		const struct answer a =
			http_parse_body(&r, rows[i].status, rows[i].text, strlen(rows[i].text));
		assert_int_equal(a.shape, rows[i].expect);
		assert_int_equal(answer_peers(&a), rows[i].peers);
		assert_int_equal(a.seeders, rows[i].seeders);
		assert_int_equal(a.leechers, rows[i].leechers);
		assert_int_equal(a.n_rows, rows[i].rows);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(a_tracker_reads_what_was_written),
	cmocka_unit_test(reads_bodies),
	cmocka_unit_test(reads_heads),
	cmocka_unit_test(says_what_the_options_say),
};

RUN_TESTS(tests)
