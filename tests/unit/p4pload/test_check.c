/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/base/cursor.h"
#include "tools/p4pload/check.h"

#include <string.h>

/* One swarm of 40; client 0 asks. */
static const struct options some = { .peers = 40,
	                             .hashes = 1,
	                             .want = 3,
	                             .seeders = 50,
	                             .addresses = 4,
	                             .seed = 1,
	                             .target = { { 127, 0, 0, 1 }, IP_V4 },
	                             .from = { { { { 127 }, IP_V4 }, 16 } },
	                             .n_from = 1 };

static struct population people(void)
{
	struct population p;
	assert_int_equal(population_init(&p, &some, NULL), ERR_OK);
	p.swarms[0] = (struct swarm){ .seeders = 19, .leechers = 21 };
	return p;
}

/* A list of these clients; STRANGER is somebody else. */
static struct answer answer(const struct population *p, const uint32_t *clients, size_t n,
                            uint8_t *bytes)
{
	struct writer w = writer_over(bytes, 200);
	for (size_t i = 0; i < n; i++) {
		const struct ip_addr a =
			clients[i] == STRANGER ? ip_v4(1) : population_address(p, clients[i]);
		writer_bytes(&w, a.bytes, 4);
		writer_u16(&w, clients[i] == STRANGER ? 1 : population_port(p, clients[i]));
	}
	return (struct answer){
		.seeders = 19, .leechers = 21, .lists = { bytes }, .sizes = { writer_size(&w) }
	};
}

static void finds_what_is_wrong_with_a_list(void **state)
{
	(void)state;
	static const struct {
		uint32_t clients[4];
		size_t n;
		enum verdict lists, shape;
	} rows[] = {
		{ { 1, 2, 3 }, 3, REPLY_GOOD, REPLY_GOOD },
		{ { 1, 2, 3 }, 3, REPLY_GOOD, REPLY_GOOD }, /* again: every reply starts anew */
		{ { 1, 2, 1 }, 3, REPLY_DOUBLE, REPLY_GOOD },
		{ { 1, 0, 2 }, 3, REPLY_SELF, REPLY_GOOD },
		{ { 1, STRANGER, 2 }, 3, REPLY_STRANGER, REPLY_GOOD },
		{ { STRANGER, 1, 1 }, 3, REPLY_DOUBLE, REPLY_GOOD }, /* the worse of two */
		{ { 7, 1 }, 2, REPLY_GONE, REPLY_GOOD },
		{ { 8, 1 }, 2, REPLY_GOOD, REPLY_GOOD }, /* left when the question was out */
		{ { 1, 2, 3, 4 }, 4, REPLY_TOO_MANY, REPLY_TOO_MANY },
		{ { 0 }, 0, REPLY_EMPTY, REPLY_GOOD },
	};
	struct population p = people();
	const struct request r = { .kind = UDP_ANNOUNCE, .transaction = 9, .sent = 100 };
	p.clients[7].gone = 99;
	p.clients[8].gone = 101;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t bytes[200];
		const struct answer a = answer(&p, rows[i].clients, rows[i].n, bytes);
		assert_int_equal(check_answer(&p, &r, &a, true), rows[i].lists);
		assert_int_equal(answer_peers(&a), rows[i].n);
		assert_int_equal(check_answer(&p, &r, &a, false), rows[i].shape);
	}
	p.clients[2].swarm = 1; /* as if there were one */
	uint8_t bytes[200];
	const struct answer a = answer(&p, (uint32_t[]){ 1, 2 }, 2, bytes);
	assert_int_equal(check_answer(&p, &r, &a, true), REPLY_STRANGER);
	population_done(&p);
}

static void counts_may_be_off_by_the_changes_under_way(void **state)
{
	(void)state;
	static const struct {
		uint32_t sent, mark, seeders, leechers;
		bool unsure;
		enum verdict expect;
	} rows[] = {
		{ 5, 5, 19, 21, false, REPLY_GOOD },   { 5, 5, 20, 21, false, REPLY_COUNTS },
		{ 5, 5, 19, 20, false, REPLY_COUNTS }, { 6, 5, 20, 20, false, REPLY_GOOD },
		{ 6, 5, 21, 21, false, REPLY_COUNTS }, { 5, 5, 0, 0, true, REPLY_GOOD },
	};
	struct population p = people();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t bytes[200];
		struct answer a = answer(&p, (uint32_t[]){ 1 }, 1, bytes);
		struct request r = { .kind = UDP_ANNOUNCE, .mark = rows[i].mark };
		p.swarms[0].sent = rows[i].sent;
		p.swarms[0].unsure = rows[i].unsure;
		a.seeders = rows[i].seeders;
		a.leechers = rows[i].leechers;
		assert_int_equal(check_answer(&p, &r, &a, true), rows[i].expect);
		assert_int_equal(check_answer(&p, &r, &a, false), REPLY_GOOD);

		r.kind = UDP_SCRAPE;
		a.n_rows = 1;
		a.rows[0] = (struct udp_scrape_row){ rows[i].seeders, 0, rows[i].leechers };
		assert_int_equal(check_answer(&p, &r, &a, true), rows[i].expect);
	}
	population_done(&p);
}

static void an_empty_list_is_right_when_nobody_can_help(void **state)
{
	(void)state;
	static const struct {
		uint32_t seeders, leechers;
		bool seeder;
		enum verdict expect;
	} rows[] = { { 1, 0, true, REPLY_GOOD },   { 5, 0, true, REPLY_GOOD },
		     { 5, 1, true, REPLY_EMPTY },  { 0, 1, false, REPLY_GOOD },
		     { 1, 1, false, REPLY_EMPTY }, { 0, 2, false, REPLY_EMPTY } };
	struct population p = people();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct request r = { .kind = UDP_ANNOUNCE, .seeder = rows[i].seeder };
		const struct answer a = { .seeders = rows[i].seeders,
			                  .leechers = rows[i].leechers };
		p.swarms[0].seeders = rows[i].seeders;
		p.swarms[0].leechers = rows[i].leechers;
		assert_int_equal(check_answer(&p, &r, &a, true), rows[i].expect);
		r.event = EVENT_STOPPED; /* who leaves needs nobody */
		assert_int_equal(check_answer(&p, &r, &a, true), REPLY_GOOD);
	}
	population_done(&p);
}

static void a_bad_shape_is_the_verdict(void **state)
{
	(void)state;
	struct population p = people();
	const struct request r = { .kind = UDP_ANNOUNCE };
	for (enum verdict v = REPLY_REFUSED; v <= REPLY_MALFORMED; v++) {
		const struct answer a = { .shape = v };
		assert_int_equal(check_answer(&p, &r, &a, true), v);
	}
	for (unsigned v = 0; v < REPLY_KINDS_; v++)
		assert_non_null(verdict_name(v));
	population_done(&p);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(a_bad_shape_is_the_verdict),
	cmocka_unit_test(an_empty_list_is_right_when_nobody_can_help),
	cmocka_unit_test(counts_may_be_off_by_the_changes_under_way),
	cmocka_unit_test(finds_what_is_wrong_with_a_list),
};

RUN_TESTS(tests)
