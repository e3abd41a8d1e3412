/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/flow/sets.h"

static const struct spec v4_flow[] = { { 8, 4, 0 },  { 12, 4, 0 }, { 10, 2, 0 }, { 14, 4, 0 },
	                               { 2, 4, 0 },  { 1, 8, 0 },  { 22, 4, 0 }, { 21, 4, 0 },
	                               { 7, 2, 0 },  { 11, 2, 0 }, { 4, 1, 0 },  { 5, 1, 0 },
	                               { 61, 1, 0 }, { 16, 2, 0 }, { 17, 4, 0 }, { 60, 1, 0 },
	                               { 999, 3, 0 } };

static void put_v4(struct bench *b, uint64_t bytes)
{
	address(b, "10.1.2.3");
	address(b, "198.51.100.7");
	u16(b, 17);
	u32(b, 70000);
	u32(b, 12);
	u64(b, bytes);
	u32(b, UPTIME - 30000);
	u32(b, UPTIME - 500);
	u16(b, 6881);
	u16(b, 51413);
	u8(b, 6);
	u8(b, 0);
	u8(b, 1);
	u16(b, 64500);
	u32(b, 4200000001U);
	u8(b, 4);
	u8(b, 0xaa);
	u16(b, 0xaaaa);
}

static void reads_every_field(void **state)
{
	struct bench b;
	(void)state;
	begin(&b, NULL);
	v9_header(&b, 1);
	put_template(&b, 0, 300, v4_flow, COUNT(v4_flow));
	const size_t at = set_begin(&b, 300);
	put_v4(&b, 6000000000U);
	put_v4(&b, 40);
	u16(&b, 0); /* padding */
	set_end(&b, at);
	assert_ok(&b, send_it(&b));
	assert_int_equal(b.count, 2);
	const struct flow_record *r = &b.records[0];
	assert_address(&r->from, "10.1.2.3");
	assert_address(&r->to, "198.51.100.7");
	assert_int_equal(r->in_if, 17);
	assert_int_equal(r->out_if, 70000);
	assert_int_equal(r->packets, 12);
	assert_true(r->bytes == 6000000000U);
	assert_true(r->first_ms == NOW_MS - 30000);
	assert_true(r->last_ms == NOW_MS - 500);
	assert_int_equal(r->from_port, 6881);
	assert_int_equal(r->to_port, 51413);
	assert_int_equal(r->protocol, 6);
	assert_true(r->egress);
	assert_false(r->link_bytes);
	assert_int_equal(r->from_asn, 64500);
	assert_true(r->to_asn == 4200000001U);
	assert_int_equal(b.records[1].bytes, 40);
	assert_int_equal(b.source.domain, DOMAIN);
	assert_int_equal(b.source.protocol, FLOW_NETFLOW9);
	end(&b);
}

static void takes_the_bytes_that_are_there(void **state)
{
	static const struct {
		struct spec first, second;
		uint64_t bytes;
		bool link;
	} rows[] = {
		{ { 85, 4, 0 }, { 1, 4, 0 }, 2, false },
		{ { 1, 4, 0 }, { 85, 4, 0 }, 1, false },
		{ { 23, 4, 0 }, { 85, 4, 0 }, 2, false },
		{ { 23, 4, 0 }, { 352, 4, 0 }, 1, false },
		{ { 352, 4, 0 }, { 353, 4, 0 }, 1, true },
		{ { 352, 4, 0 }, { 1, 4, 0 }, 2, false },
		{ { 1, 4, 0 }, { 352, 4, 0 }, 1, false },
		{ { 99, 4, 0 }, { 1, 3, 0 }, 2, false },
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct bench b;
		begin(&b, NULL);
		v9_header(&b, 1);
		put_template(&b, 0, 256, (struct spec[]){ rows[i].first, rows[i].second }, 2);
		const size_t at = set_begin(&b, 256);
		u32(&b, 1);
		if (rows[i].second.length == 3) {
			u8(&b, 0);
			u16(&b, 2);
		} else {
			u32(&b, 2);
		}
		set_end(&b, at);
		assert_ok(&b, send_it(&b));
		assert_int_equal(b.count, 1);
		assert_int_equal(b.records[0].bytes, rows[i].bytes);
		assert_int_equal(b.records[0].link_bytes, rows[i].link);
		assert_int_equal(b.records[0].from.family, IP_NONE);
		end(&b);
	}
}

/* A firewall counts what the initiator and what the responder sent. */
static void turns_what_the_responder_sent(void **state)
{
	static const struct spec asa[] = { { 8, 4, 0 },  { 12, 4, 0 },  { 10, 2, 0 },
		                           { 14, 2, 0 }, { 231, 4, 0 }, { 232, 4, 0 } };
	struct bench b;
	(void)state;
	begin(&b, NULL);
	v9_header(&b, 1);
	put_template(&b, 0, 256, asa, COUNT(asa));
	const size_t at = set_begin(&b, 256);
	address(&b, "10.1.2.3");
	address(&b, "198.51.100.7");
	u16(&b, 3);
	u16(&b, 4);
	u32(&b, 100);
	u32(&b, 9000);
	set_end(&b, at);
	assert_ok(&b, send_it(&b));
	assert_int_equal(b.count, 2);
	assert_int_equal(b.records[0].bytes, 100);
	assert_int_equal(b.records[1].bytes, 9000);
	assert_address(&b.records[1].from, "198.51.100.7");
	assert_address(&b.records[1].to, "10.1.2.3");
	assert_int_equal(b.records[1].in_if, 4);
	assert_int_equal(b.records[1].out_if, 3);
	end(&b);
}

/* softflowd says "egress" of one half of all flows of its only interface. */
static void a_side_takes_two_interfaces(void **state)
{
	static const struct {
		unsigned in_if, out_if;
		bool egress;
	} rows[] = { { 7, 7, false }, { 0, 0, false }, { 0, 7, true }, { 7, 8, true } };
	static const struct spec specs[] = {
		{ 1, 4, 0 }, { 61, 1, 0 }, { 10, 2, 0 }, { 14, 2, 0 }
	};
	struct bench b;
	(void)state;
	begin(&b, NULL);
	v9_header(&b, 1);
	put_template(&b, 0, 256, specs, COUNT(specs));
	const size_t at = set_begin(&b, 256);
	for (size_t i = 0; i < COUNT(rows); i++) {
		u32(&b, 100);
		u8(&b, 1);
		u16(&b, rows[i].in_if);
		u16(&b, rows[i].out_if);
	}
	set_end(&b, at);
	assert_ok(&b, send_it(&b));
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(b.records[i].egress, rows[i].egress);
	end(&b);
}

static void chooses_the_family(void **state)
{
	static const struct spec both[] = { { 8, 4, 0 },   { 12, 4, 0 }, { 27, 16, 0 },
		                            { 28, 16, 0 }, { 1, 4, 0 },  { 60, 1, 0 } };
	struct bench b;
	(void)state;
	for (unsigned version = 0; version <= 6; version += 2) {
		begin(&b, NULL);
		v9_header(&b, 1);
		put_template(&b, 0, 256, both, version == 2 ? 5 : 6);
		const size_t at = set_begin(&b, 256);
		address(&b, version == 4 ? "10.1.2.3" : "0.0.0.0");
		address(&b, version == 4 ? "10.1.2.4" : "0.0.0.0");
		address(&b, "2001:db8::1");
		address(&b, "2001:db8::2");
		u32(&b, 1500);
		if (version != 2)
			u8(&b, version);
		set_end(&b, at);
		assert_ok(&b, send_it(&b));
		assert_int_equal(b.count, 1);
		assert_address(&b.records[0].from, version == 4 ? "10.1.2.3" : "2001:db8::1");
		assert_address(&b.records[0].to, version == 4 ? "10.1.2.4" : "2001:db8::2");
		end(&b);
	}
}

static void knows_no_enterprise_bit(void **state)
{
	/* nProbe's 57590 and a string of H3C that says its length itself. */
	static const struct spec fields[] = { { 57590, 2, 0 }, { 33000, 65535, 0 }, { 1, 4, 0 } };
	struct bench b;
	(void)state;
	begin(&b, NULL);
	v9_header(&b, 1);
	put_template(&b, 0, 256, fields, COUNT(fields));
	const size_t at = set_begin(&b, 256);
	u16(&b, 1);
	u8(&b, 3);
	writer_bytes(&b.w, "abc", 3);
	u32(&b, 1500);
	set_end(&b, at);
	assert_ok(&b, send_it(&b));
	assert_int_equal(b.count, 1);
	assert_int_equal(b.records[0].bytes, 1500);
	end(&b);
}

static void tells_faults_by_their_place(void **state)
{
	struct bench b;
	(void)state;
	begin(&b, NULL);
	v9_header(&b, 1);
	u16(&b, 256);
	u16(&b, 3);
	assert_int_equal(send_it(&b), ERR_MALFORMED);
	assert_string_equal(b.fault.where, "byte 20");
	v9_header(&b, 2);
	u16(&b, 256);
	u16(&b, 5);
	assert_int_equal(send_it(&b), ERR_TRUNCATED);
	v9_header(&b, 3);
	u16(&b, 0);
	u16(&b, 12);
	u16(&b, 256);
	u16(&b, 2); /* two fields, one is there */
	u32(&b, 0x00010004);
	assert_int_equal(send_it(&b), ERR_TRUNCATED);
	assert_string_equal(b.fault.where, "byte 24");
	v9_header(&b, 4); /* zeros up to the end are padding */
	u64(&b, 0);
	u64(&b, 0);
	assert_ok(&b, send_it(&b));
	u32(&b, 0x00090001);
	assert_int_equal(send_it(&b), ERR_TRUNCATED);
	assert_int_equal(flow_decoder_stats(b.d).of[FLOW_NETFLOW9].malformed, 4);
	end(&b);
}

static void counts_lost_datagrams(void **state)
{
	struct bench b;
	(void)state;
	begin(&b, NULL);
	for (uint32_t i = 0; i < 10; i++) {
		if (i == 3 || i == 4)
			continue;
		v9_header(&b, i);
		assert_ok(&b, send_it(&b));
		b.now_ms += 1000;
	}
	assert_int_equal(flow_decoder_stats(b.d).of[FLOW_NETFLOW9].lost, 2);
	end(&b);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(reads_every_field),
	cmocka_unit_test(takes_the_bytes_that_are_there),
	cmocka_unit_test(turns_what_the_responder_sent),
	cmocka_unit_test(a_side_takes_two_interfaces),
	cmocka_unit_test(chooses_the_family),
	cmocka_unit_test(knows_no_enterprise_bit),
	cmocka_unit_test(tells_faults_by_their_place),
	cmocka_unit_test(counts_lost_datagrams),
};

RUN_TESTS(tests)
