/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/flow/sets.h"

enum { REVERSE = 29305 };

/* One record of one template. */
static void send_record(struct bench *b, const struct spec *specs, size_t count,
                        void (*put)(struct bench *))
{
	ipfix_header(b, 0);
	put_template(b, 2, 256, specs, count);
	const size_t at = set_begin(b, 256);
	put(b);
	set_end(b, at);
	assert_ok(b, send_ipfix(b));
}

static void put_biflow(struct bench *b)
{
	address(b, "2001:db8::1");
	address(b, "2001:db8::2");
	u16(b, 5);
	u16(b, 6);
	u16(b, 6881);
	u16(b, 443);
	u8(b, 6);
	u8(b, 0);
	u64(b, 1000);
	u32(b, 10);
	u64(b, 64000);
	u32(b, 50);
	u64(b, (uint64_t)NOW_MS - 5000);
	u64(b, (uint64_t)NOW_MS - 1000);
	u64(b, (uint64_t)NOW_MS - 4900);
}

static void splits_biflows(void **state)
{
	static const struct spec specs[] = {
		{ 27, 16, 0 }, { 28, 16, 0 }, { 10, 2, 0 },       { 14, 2, 0 },
		{ 7, 2, 0 },   { 11, 2, 0 },  { 4, 1, 0 },        { 61, 1, 0 },
		{ 1, 8, 0 },   { 2, 4, 0 },   { 1, 8, REVERSE },  { 2, 4, REVERSE },
		{ 152, 8, 0 }, { 153, 8, 0 }, { 152, 8, REVERSE }
	};
	struct bench b;
	(void)state;
	begin(&b, NULL);
	send_record(&b, specs, COUNT(specs), put_biflow);
	assert_int_equal(b.count, 2);
	const struct flow_record *there = &b.records[0], *back = &b.records[1];
	assert_address(&there->from, "2001:db8::1");
	assert_int_equal(there->bytes, 1000);
	assert_true(there->first_ms == NOW_MS - 5000 && there->last_ms == NOW_MS - 1000);
	assert_false(there->egress);
	assert_address(&back->from, "2001:db8::2");
	assert_address(&back->to, "2001:db8::1");
	assert_int_equal(back->from_port, 443);
	assert_int_equal(back->to_port, 6881);
	assert_int_equal(back->in_if, 6);
	assert_int_equal(back->out_if, 5);
	assert_int_equal(back->bytes, 64000);
	assert_int_equal(back->packets, 50);
	assert_true(back->first_ms == NOW_MS - 4900 && back->last_ms == NOW_MS - 1000);
	assert_true(back->egress); /* entered the other way, so it leaves this way */
	assert_int_equal(b.source.protocol, FLOW_IPFIX);
	end(&b);
}

static void put_varying(struct bench *b)
{
	u8(b, 5);
	writer_bytes(&b->w, "short", 5);
	u32(b, 77);
	u8(b, 255); /* the long form */
	u16(b, 300);
	for (unsigned i = 0; i < 300; i++)
		u8(b, i);
	address(b, "10.0.0.1");
	u8(b, 0);
	u32(b, 78);
	u8(b, 1);
	u8(b, 'x');
	address(b, "10.0.0.2");
}

static void steps_over_what_varies(void **state)
{
	static const struct spec specs[] = {
		{ 82, 65535, 0 }, { 1, 4, 0 }, { 100, 65535, 35632 }, { 8, 4, 0 }
	};
	struct bench b;
	(void)state;
	begin(&b, NULL);
	send_record(&b, specs, COUNT(specs), put_varying);
	assert_int_equal(b.count, 2);
	assert_int_equal(b.records[0].bytes, 77);
	assert_address(&b.records[0].from, "10.0.0.1");
	assert_int_equal(b.records[1].bytes, 78);
	assert_address(&b.records[1].from, "10.0.0.2");

	ipfix_header(&b, 2); /* a string that is longer than its set */
	const size_t at = set_begin(&b, 256);
	u8(&b, 200);
	u64(&b, 1);
	u64(&b, 1);
	set_end(&b, at);
	assert_int_equal(send_ipfix(&b), ERR_MALFORMED);
	assert_string_equal(b.fault.where, "byte 20");
	end(&b);
}

static uint64_t ntp(int64_t ms)
{
	return ((uint64_t)(ms / 1000 + 2208988800) << 32) |
	       (((uint64_t)(ms % 1000) << 32) / 1000 + 1);
}

/* Each way to tell the time, and what it should be. */
struct clock {
	struct spec first, last;
	uint64_t first_value, last_value;
};

static void put_number(struct bench *b, unsigned length, uint64_t v)
{
	if (length == 4)
		u32(b, v);
	else
		u64(b, v);
}

static void reads_every_clock(void **state)
{
	const uint64_t now = (uint64_t)NOW_MS;
	const struct clock clocks[] = {
		{ { 150, 4, 0 }, { 151, 4, 0 }, NOW_S - 60, NOW_S - 2 },
		{ { 152, 8, 0 }, { 153, 8, 0 }, now - 60000, now - 2000 },
		{ { 154, 8, 0 }, { 155, 8, 0 }, ntp(NOW_MS - 60000), ntp(NOW_MS - 2000) },
		{ { 156, 8, 0 }, { 157, 8, 0 }, ntp(NOW_MS - 60000), ntp(NOW_MS - 2000) },
		{ { 158, 4, 0 }, { 159, 4, 0 }, 60000000, 2000000 },
		{ { 22, 4, 0 }, { 21, 4, 0 }, 40000, 98000 }, /* with 160 */
	};
	(void)state;
	for (size_t i = 0; i < COUNT(clocks); i++) {
		struct bench b;
		const struct clock *c = &clocks[i];
		const struct spec specs[] = { { 1, 4, 0 }, c->first, c->last, { 160, 8, 0 } };
		begin(&b, NULL);
		ipfix_header(&b, 0);
		put_template(&b, 2, 256, specs, 4);
		const size_t at = set_begin(&b, 256);
		u32(&b, 9);
		put_number(&b, c->first.length, c->first_value);
		put_number(&b, c->last.length, c->last_value);
		u64(&b, now - 100000);
		set_end(&b, at);
		assert_ok(&b, send_ipfix(&b));
		assert_true(b.records[0].first_ms == NOW_MS - 60000);
		assert_true(b.records[0].last_ms == NOW_MS - 2000);
		end(&b);
	}
}

static void send_times(struct bench *b, unsigned first_id, uint64_t first, uint64_t last)
{
	const struct spec specs[] = { { 1, 4, 0 }, { first_id, 8, 0 }, { first_id + 1, 8, 0 } };
	ipfix_header(b, 0);
	put_template(b, 2, 256, specs, 3);
	const size_t at = set_begin(b, 256);
	u32(b, 9);
	u64(b, first);
	u64(b, last);
	set_end(b, at);
	assert_ok(b, send_ipfix(b));
	assert_int_equal(b->count, 1);
}

static void mends_odd_times(void **state)
{
	const uint64_t now = (uint64_t)NOW_MS;
	struct bench b;
	(void)state;
	begin(&b, NULL);
	send_times(&b, 152, now, now - 1000); /* ends before it begins */
	assert_true(b.records[0].first_ms == NOW_MS - 1000);
	assert_true(b.records[0].last_ms == NOW_MS - 1000);
	send_times(&b, 152, 0, 0); /* not said */
	assert_true(b.records[0].first_ms == NOW_MS && b.records[0].last_ms == NOW_MS);
	send_times(&b, 152, now - 7, UINT64_MAX); /* one is nonsense */
	assert_true(b.records[0].first_ms == NOW_MS - 7 && b.records[0].last_ms == NOW_MS - 7);
	/* NTP's seconds begin again on 2036-02-07 at 06:28:16. */
	send_times(&b, 154, UINT64_C(0xffffffff80000000), UINT64_C(0x0000000180000000));
	assert_true(b.records[0].first_ms == 2085978495500);
	assert_true(b.records[0].last_ms == 2085978497500);
	end(&b);
}

static void learns_when_the_exporter_started(void **state)
{
	static const struct spec flow[] = { { 1, 4, 0 }, { 22, 4, 0 } };
	static const struct spec options[] = { { 149, 4, 0 }, { 160, 8, 0 } };
	struct bench b;
	(void)state;
	begin(&b, NULL);
	for (unsigned i = 0; i < 2; i++) {
		ipfix_header(&b, i);
		put_template(&b, 2, 256, flow, 2);
		const size_t at = set_begin(&b, 256);
		u32(&b, 9);
		u32(&b, 40000);
		set_end(&b, at);
		put_options(&b, true, 257, options, 1, 2);
		const size_t also = set_begin(&b, 257);
		u32(&b, DOMAIN);
		u64(&b, (uint64_t)NOW_MS - 100000);
		set_end(&b, also);
		assert_ok(&b, send_ipfix(&b));
		assert_true(b.records[0].first_ms == (i == 0 ? NOW_MS : NOW_MS - 60000));
	}
	assert_int_equal(flow_decoder_stats(b.d).options, 2);
	end(&b);
}

static void withdraws_templates(void **state)
{
	static const struct spec specs[] = { { 1, 4, 0 } };
	struct bench b;
	(void)state;
	begin(&b, NULL);
	ipfix_header(&b, 0);
	put_template(&b, 2, 256, specs, 1);
	put_template(&b, 2, 257, specs, 1);
	put_template(&b, 2, 258, specs, 1);
	put_template(&b, 2, 257, NULL, 0); /* one */
	assert_ok(&b, send_ipfix(&b));
	assert_int_equal(flow_decoder_stats(b.d).templates, 2);
	assert_int_equal(flow_decoder_stats(b.d).withdrawn, 1);
	ipfix_header(&b, 0);
	put_options(&b, true, 300, (struct spec[]){ { 149, 4, 0 }, { 34, 4, 0 } }, 1, 2);
	put_template(&b, 2, 2, NULL, 0); /* all but those of options */
	assert_ok(&b, send_ipfix(&b));
	assert_int_equal(flow_decoder_stats(b.d).templates, 1);
	ipfix_header(&b, 0);
	put_template(&b, 3, 3, NULL, 0);
	assert_ok(&b, send_ipfix(&b));
	assert_int_equal(flow_decoder_stats(b.d).templates, 0);
	assert_int_equal(flow_decoder_stats(b.d).withdrawn, 4);
	end(&b);
}

static void put_bytes(struct bench *b, unsigned id, unsigned records)
{
	const size_t at = set_begin(b, id);
	for (unsigned i = 0; i < records; i++)
		u32(b, 100);
	set_end(b, at);
}

static void counts_lost_records(void **state)
{
	static const struct spec specs[] = { { 1, 4, 0 } };
	struct bench b;
	(void)state;
	begin(&b, NULL);
	ipfix_header(&b, 10);
	put_template(&b, 2, 256, specs, 1);
	put_bytes(&b, 256, 5);
	assert_ok(&b, send_ipfix(&b));
	ipfix_header(&b, 20); /* 15 to 19 are missing */
	put_bytes(&b, 256, 5);
	assert_ok(&b, send_ipfix(&b));
	b.now_ms += 3000;
	ipfix_header(&b, 25);
	put_bytes(&b, 256, 1);
	put_bytes(&b, 999, 7); /* nobody knows how many that are */
	assert_ok(&b, send_ipfix(&b));
	assert_int_equal(b.lost, 5);
	ipfix_header(&b, 33);
	put_bytes(&b, 256, 1);
	assert_ok(&b, send_ipfix(&b));
	b.now_ms += 3000;
	ipfix_header(&b, 34);
	assert_ok(&b, send_ipfix(&b));
	const struct flow_stats s = flow_decoder_stats(b.d);
	assert_int_equal(s.of[FLOW_IPFIX].lost, 5);
	assert_int_equal(s.before_template, 1);
	end(&b);
}

static void believes_the_length_of_the_message(void **state)
{
	struct bench b;
	(void)state;
	begin(&b, NULL);
	ipfix_header(&b, 0);
	b.bytes[3] = 17; /* a byte more than there is */
	assert_int_equal(send_it(&b), ERR_MALFORMED);
	ipfix_header(&b, 0);
	b.bytes[3] = 15;
	assert_int_equal(send_it(&b), ERR_MALFORMED);
	ipfix_header(&b, 0);
	b.bytes[3] = 16;
	u32(&b, 0xffffffff); /* behind the message */
	assert_ok(&b, send_it(&b));
	end(&b);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(splits_biflows),
	cmocka_unit_test(steps_over_what_varies),
	cmocka_unit_test(reads_every_clock),
	cmocka_unit_test(mends_odd_times),
	cmocka_unit_test(learns_when_the_exporter_started),
	cmocka_unit_test(withdraws_templates),
	cmocka_unit_test(counts_lost_records),
	cmocka_unit_test(believes_the_length_of_the_message),
};

RUN_TESTS(tests)
