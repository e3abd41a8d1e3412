/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/flow/sets.h"

/* Flow records of 1000 bytes and 10 packets, with what else the template asks for. */
static void put_flow(struct bench *b, unsigned id, const uint64_t *more, size_t count)
{
	const size_t at = set_begin(b, id);
	u32(b, 1000);
	u32(b, 10);
	for (size_t i = 0; i < count; i++)
		u32(b, more[i]);
	set_end(b, at);
}

static void expect(const struct bench *b, uint32_t sampling, uint64_t bytes, uint64_t packets)
{
	assert_int_equal(b->count, 1);
	assert_int_equal(b->records[0].sampling, sampling);
	assert_int_equal(b->records[0].bytes, bytes);
	assert_int_equal(b->records[0].packets, packets);
}

static void is_said_in_the_record(void **state)
{
	static const struct {
		struct spec first, second;
		uint64_t values[2];
		uint32_t sampling;
		uint64_t bytes, packets;
	} rows[] = {
		{ { 34, 4, 0 }, { 35, 4, 0 }, { 64, 1 }, 64, 64000, 640 },
		{ { 50, 4, 0 }, { 49, 4, 0 }, { 64, 2 }, 64, 64000, 640 },
		{ { 305, 4, 0 }, { 306, 4, 0 }, { 1, 49 }, 50, 50000, 500 },
		{ { 305, 4, 0 }, { 306, 4, 0 }, { 2, 3 }, 3, 2500, 25 },
		{ { 305, 4, 0 }, { 306, 4, 0 }, { 3, 4 }, 2, 2333, 23 },
		{ { 309, 4, 0 }, { 310, 4, 0 }, { 10, 1000 }, 100, 100000, 1000 },
		{ { 34, 4, 0 }, { 35, 4, 0 }, { 0, 0 }, 1, 1000, 10 },
		{ { 309, 4, 0 }, { 310, 4, 0 }, { 10, 1 }, 1, 1000, 10 }, /* nonsense */
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct bench b;
		begin(&b, NULL);
		v9_header(&b, 0);
		put_template(
			&b, 0, 256,
			(struct spec[]){ { 1, 4, 0 }, { 2, 4, 0 }, rows[i].first, rows[i].second },
			4);
		put_flow(&b, 256, rows[i].values, 2);
		assert_ok(&b, send_it(&b));
		expect(&b, rows[i].sampling, rows[i].bytes, rows[i].packets);
		end(&b);
	}
}

/* An options record of three numbers. */
static void put_option(struct bench *b, unsigned id, uint64_t scope, uint64_t first,
                       uint64_t second)
{
	const size_t at = set_begin(b, id);
	u32(b, scope);
	u32(b, first);
	u32(b, second);
	set_end(b, at);
}

/* Options come once and before; each record is asked for with sampler and interface. */
static void is_learnt_by_scope(void **state)
{
	static const struct spec flow[] = { { 1, 4, 0 }, { 2, 4, 0 }, { 48, 4, 0 }, { 10, 4, 0 } };
	struct bench b;
	(void)state;
	begin(&b, NULL);
	v9_header(&b, 0);
	put_template(&b, 0, 256, flow, 4);
	put_options(&b, false, 300, (struct spec[]){ { 1, 4, 0 }, { 34, 4, 0 }, { 35, 4, 0 } }, 1,
	            3);
	put_options(&b, false, 301, (struct spec[]){ { 2, 4, 0 }, { 34, 4, 0 }, { 35, 4, 0 } }, 1,
	            3);
	put_options(&b, false, 302, (struct spec[]){ { 1, 4, 0 }, { 48, 4, 0 }, { 50, 4, 0 } }, 1,
	            3);
	put_options(&b, false, 303, (struct spec[]){ { 5, 4, 0 }, { 34, 4, 0 }, { 35, 4, 0 } }, 1,
	            3);
	put_option(&b, 300, 0, 1000, 1); /* the system */
	put_option(&b, 301, 17, 200, 1); /* interface 17 */
	put_option(&b, 302, 0, 3, 30);   /* sampler 3 */
	put_option(&b, 303, 256, 7, 1);  /* a template: of nobody we know */
	assert_ok(&b, send_it(&b));
	assert_int_equal(flow_decoder_stats(b.d).options, 4);
	const struct {
		uint64_t sampler, interface;
		uint32_t sampling;
	} rows[] = { { 3, 17, 30 }, { 0, 17, 200 }, { 0, 18, 1000 }, { 4, 18, 1000 } };
	for (size_t i = 0; i < COUNT(rows); i++) {
		v9_header(&b, 1);
		put_flow(&b, 256, (uint64_t[]){ rows[i].sampler, rows[i].interface }, 2);
		assert_ok(&b, send_it(&b));
		expect(&b, rows[i].sampling, 1000 * rows[i].sampling, 10 * rows[i].sampling);
	}
	/* Another domain has said nothing. */
	v9_header(&b, 0);
	b.bytes[19] = DOMAIN + 1;
	put_template(&b, 0, 256, flow, 4);
	put_flow(&b, 256, (uint64_t[]){ 3, 17 }, 2);
	assert_ok(&b, send_it(&b));
	expect(&b, 1, 1000, 10);
	end(&b);
}

/* As softflowd does: a selector in the options, and none in the records. */
static void the_only_selector_counts_for_all(void **state)
{
	static const struct spec flow[] = { { 1, 4, 0 }, { 2, 4, 0 } };
	static const struct spec options[] = { { 302, 4, 0 }, { 305, 4, 0 }, { 306, 4, 0 } };
	struct bench b;
	(void)state;
	begin(&b, NULL);
	ipfix_header(&b, 0);
	put_template(&b, 2, 256, flow, 2);
	put_options(&b, true, 300, options, 1, 3);
	put_option(&b, 300, 1, 1, 49);
	put_option(&b, 300, 1, 1, 49); /* said again */
	put_flow(&b, 256, NULL, 0);
	assert_ok(&b, send_ipfix(&b));
	expect(&b, 50, 50000, 500);
	ipfix_header(&b, 3); /* of two, which? */
	put_option(&b, 300, 2, 1, 99);
	put_flow(&b, 256, NULL, 0);
	assert_ok(&b, send_ipfix(&b));
	expect(&b, 1, 1000, 10);
	end(&b);
}

static void the_operator_may_know(void **state)
{
	struct bench b;
	(void)state;
	begin(&b, &(struct flow_limits){ .sampling = 500 });
	v9_header(&b, 0);
	put_template(&b, 0, 256, (struct spec[]){ { 1, 4, 0 }, { 2, 4, 0 } }, 2);
	put_flow(&b, 256, NULL, 0);
	assert_ok(&b, send_it(&b));
	expect(&b, 500, 500000, 5000);
	end(&b);
}

static void saturates(void **state)
{
	struct bench b;
	(void)state;
	begin(&b, NULL);
	v9_header(&b, 0);
	put_template(&b, 0, 256, (struct spec[]){ { 1, 8, 0 }, { 34, 4, 0 } }, 2);
	const size_t at = set_begin(&b, 256);
	u64(&b, UINT64_MAX / 7);
	u32(&b, 7);
	u64(&b, UINT64_MAX / 7 + 1);
	u32(&b, 7);
	set_end(&b, at);
	assert_ok(&b, send_it(&b));
	assert_true(b.records[0].bytes == UINT64_MAX / 7 * 7);
	assert_true(b.records[1].bytes == UINT64_MAX);
	end(&b);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(is_said_in_the_record),
	cmocka_unit_test(is_learnt_by_scope),
	cmocka_unit_test(the_only_selector_counts_for_all),
	cmocka_unit_test(the_operator_may_know),
	cmocka_unit_test(saturates),
};

RUN_TESTS(tests)
