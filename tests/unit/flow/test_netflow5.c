/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/flow/build.h"

enum { UPTIME = 3600000 };

static void header(struct bench *b, unsigned count, uint32_t sequence, unsigned sampling)
{
	u16(b, 5);
	u16(b, count);
	u32(b, UPTIME);
	u32(b, NOW_S);
	u32(b, 250000000); /* nanoseconds */
	u32(b, sequence);
	u16(b, 0x0102); /* engine */
	u16(b, sampling);
}

static void record(struct bench *b, const char *from, const char *to, uint32_t bytes)
{
	address(b, from);
	address(b, to);
	address(b, "192.0.2.254");
	u16(b, 17);
	u16(b, 65535);
	u32(b, 10); /* packets */
	u32(b, bytes);
	u32(b, UPTIME - 60000);
	u32(b, UPTIME - 1000);
	u16(b, 6881);
	u16(b, 51413);
	u16(b, 0x0018);
	u8(b, 17);
	u8(b, 0);
	u16(b, 64500);
	u16(b, 64501);
	u32(b, 0x18180000);
}

static void reads_every_field(void **state)
{
	struct bench b;
	(void)state;
	begin(&b, NULL);
	header(&b, 2, 0, 0);
	record(&b, "10.1.2.3", "198.51.100.7", 4000000000U);
	record(&b, "10.9.9.9", "203.0.113.1", 40);
	assert_ok(&b, send_it(&b));
	assert_int_equal(b.count, 2);
	const struct flow_record *r = &b.records[0];
	assert_address(&r->from, "10.1.2.3");
	assert_address(&r->to, "198.51.100.7");
	assert_int_equal(r->in_if, 17);
	assert_int_equal(r->out_if, 65535);
	assert_int_equal(r->packets, 10);
	assert_true(r->bytes == 4000000000U);
	assert_true(r->first_ms == NOW_MS + 250 - 60000);
	assert_true(r->sent_ms == NOW_MS + 250);
	assert_true(r->last_ms == NOW_MS + 250 - 1000);
	assert_int_equal(r->from_port, 6881);
	assert_int_equal(r->to_port, 51413);
	assert_int_equal(r->protocol, 17);
	assert_int_equal(r->from_asn, 64500);
	assert_int_equal(r->to_asn, 64501);
	assert_int_equal(r->sampling, 1);
	assert_false(r->egress || r->link_bytes);
	assert_address(&b.records[1].from, "10.9.9.9");
	assert_int_equal(b.source.protocol, FLOW_NETFLOW5);
	assert_int_equal(b.source.domain, 0x0102);
	assert_address(&b.source.exporter, "192.0.2.1");
	end(&b);
}

static void scales_what_was_sampled(void **state)
{
	struct bench b;
	(void)state;
	begin(&b, NULL);
	header(&b, 1, 0, 0x4000 | 1000);
	record(&b, "10.1.2.3", "198.51.100.7", 4000000000U);
	assert_ok(&b, send_it(&b));
	assert_int_equal(b.records[0].sampling, 1000);
	assert_true(b.records[0].bytes == 4000000000000U);
	assert_int_equal(b.records[0].packets, 10000);
	end(&b);

	/* What the header does not say the operator may have. */
	begin(&b, &(struct flow_limits){ .sampling = 7 });
	header(&b, 1, 0, 0);
	record(&b, "10.1.2.3", "198.51.100.7", 100);
	assert_ok(&b, send_it(&b));
	assert_int_equal(b.records[0].bytes, 700);
	end(&b);
}

static void times_survive_the_wrap_of_uptime(void **state)
{
	struct bench b;
	(void)state;
	begin(&b, NULL);
	header(&b, 1, 0, 0);
	record(&b, "10.1.2.3", "198.51.100.7", 1);
	memcpy(b.bytes + 4, "\0\0\x03\xe8", 4);           /* up for one second */
	memcpy(b.bytes + 24 + 24, "\xff\xff\xff\xff", 4); /* first: 1001 ms ago */
	memcpy(b.bytes + 24 + 28, "\0\0\x03\xe9", 4);     /* last: a ms ahead of the header */
	assert_ok(&b, send_it(&b));
	assert_true(b.records[0].first_ms == NOW_MS + 250 - 1001);
	assert_true(b.records[0].last_ms == NOW_MS + 250 + 1);
	end(&b);
}

static void refuses_counts_that_do_not_fit(void **state)
{
	struct bench b;
	(void)state;
	begin(&b, NULL);
	header(&b, 3, 0, 0);
	record(&b, "10.1.2.3", "198.51.100.7", 1);
	record(&b, "10.1.2.3", "198.51.100.7", 1);
	assert_int_equal(send_it(&b), ERR_MALFORMED);
	assert_string_equal(b.fault.where, "byte 2");
	assert_int_equal(b.count, 0);
	header(&b, 0, 0, 0);
	assert_int_equal(send_it(&b), ERR_MALFORMED);
	u16(&b, 5);
	assert_int_equal(send_it(&b), ERR_TRUNCATED);
	u8(&b, 5);
	assert_int_equal(send_it(&b), ERR_NOT_FOUND);
	assert_int_equal(decode(&b, NULL, 0), ERR_NOT_FOUND);
	const struct flow_stats s = flow_decoder_stats(b.d);
	assert_int_equal(s.of[FLOW_NETFLOW5].datagrams, 3);
	assert_int_equal(s.of[FLOW_NETFLOW5].malformed, 3);
	assert_int_equal(s.unknown, 2);
	end(&b);
}

static void counts_lost_flows(void **state)
{
	struct bench b;
	(void)state;
	begin(&b, NULL);
	const uint32_t sequences[] = { UINT32_MAX, 0, 5, 6 }; /* 1, 2, 3 and 4 are missing */
	for (size_t i = 0; i < 4; i++) {
		header(&b, 1, sequences[i], 0);
		record(&b, "10.1.2.3", "198.51.100.7", 1);
		assert_ok(&b, send_it(&b));
		assert_int_equal(b.lost, 0);
	}
	b.now_ms += 2001;
	header(&b, 1, 7, 0);
	record(&b, "10.1.2.3", "198.51.100.7", 1);
	assert_ok(&b, send_it(&b));
	assert_int_equal(b.lost, 4);
	assert_int_equal(flow_decoder_stats(b.d).of[FLOW_NETFLOW5].lost, 4);
	end(&b);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(reads_every_field),
	cmocka_unit_test(scales_what_was_sampled),
	cmocka_unit_test(times_survive_the_wrap_of_uptime),
	cmocka_unit_test(refuses_counts_that_do_not_fit),
	cmocka_unit_test(counts_lost_flows),
};

RUN_TESTS(tests)
