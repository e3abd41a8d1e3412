/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/flow/frames.h"

static void header(struct bench *b, uint32_t sequence, uint32_t samples)
{
	u32(b, 5);
	u32(b, 1);
	address(b, "10.255.0.1");
	u32(b, 3); /* sub-agent */
	u32(b, sequence);
	u32(b, 123456); /* uptime */
	u32(b, samples);
}

/* A part begins; part_end() writes its length. */
static size_t part_begin(struct bench *b, uint32_t format)
{
	u32(b, format);
	u32(b, 0);
	return writer_size(&b->w);
}

static void part_end(struct bench *b, size_t at)
{
	const uint32_t size = htobe32((uint32_t)(writer_size(&b->w) - at));
	memcpy(b->bytes + at - 4, &size, sizeof(size));
}

struct head {
	uint32_t sequence, source, rate, drops, in, out, records;
};

static size_t sample_begin(struct bench *b, const struct head *h)
{
	const size_t at = part_begin(b, 1);
	u32(b, h->sequence);
	u32(b, h->source);
	u32(b, h->rate);
	u32(b, 0); /* pool */
	u32(b, h->drops);
	u32(b, h->in);
	u32(b, h->out);
	u32(b, h->records);
	return at;
}

static size_t expanded_begin(struct bench *b, uint32_t in_format, uint32_t in, uint32_t out_format,
                             uint32_t out)
{
	const size_t at = part_begin(b, 3);
	u32(b, 1);
	u32(b, 0);
	u32(b, 17);
	u32(b, 10); /* rate */
	u32(b, 0);
	u32(b, 0);
	u32(b, in_format);
	u32(b, in);
	u32(b, out_format);
	u32(b, out);
	u32(b, 1);
	return at;
}

/* A raw header with a TCP packet over Ethernet of `total` bytes by its header, `frame` by the agent. */
static void raw(struct bench *b, unsigned total, uint32_t frame)
{
	const size_t at = part_begin(b, 1);
	u32(b, 1);
	u32(b, frame);
	u32(b, 4); /* stripped */
	u32(b, 14 + 20 + 4);
	ethernet(b, 0x0800);
	ipv4(b, total, 0, 6);
	ports(b);
	u16(b, 0); /* to four bytes */
	part_end(b, at);
}

static void scales_a_packet(void **state)
{
	struct bench b;
	(void)state;
	begin(&b, NULL);
	header(&b, 1, 1);
	const size_t at = sample_begin(&b, &(struct head){ .sequence = 1,
	                                                   .source = 17,
	                                                   .rate = 512,
	                                                   .in = 17,
	                                                   .out = 18,
	                                                   .records = 1 });
	raw(&b, 1000, 1018);
	part_end(&b, at);
	assert_ok(&b, send_it(&b));
	assert_int_equal(b.count, 1);
	const struct flow_record *r = &b.records[0];
	assert_address(&r->from, "10.1.2.3");
	assert_address(&r->to, "198.51.100.7");
	assert_int_equal(r->from_port, 6881);
	assert_int_equal(r->to_port, 443);
	assert_int_equal(r->protocol, 6);
	assert_int_equal(r->in_if, 17);
	assert_int_equal(r->out_if, 18);
	assert_int_equal(r->bytes, 512000);
	assert_int_equal(r->packets, 512);
	assert_int_equal(r->sampling, 512);
	assert_true(r->first_ms == NOW_MS && r->last_ms == NOW_MS);
	assert_false(r->link_bytes || r->egress);
	assert_int_equal(b.source.protocol, FLOW_SFLOW5);
	assert_int_equal(b.source.domain, 3);
	assert_address(&b.source.agent, "10.255.0.1");
	assert_address(&b.source.exporter, "192.0.2.1");
	end(&b);
}

/* By the IP header, but never more than the frame holds, and what the frame holds when it does not say. */
static void measures_a_packet(void **state)
{
	static const struct {
		unsigned total;
		uint32_t frame, bytes;
	} rows[] = { { 1000, 1018, 1000 },
		     { 40, 64, 40 },
		     { 65535, 64, 46 },
		     { 0, 1518, 1500 },
		     { 1000, 0, 1000 } };
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bench b;
		begin(&b, NULL);
		header(&b, 1, 1);
		const size_t at = sample_begin(&b, &(struct head){ .rate = 1, .records = 1 });
		raw(&b, rows[i].total, rows[i].frame);
		part_end(&b, at);
		assert_ok(&b, send_it(&b));
		assert_int_equal(b.records[0].bytes, rows[i].bytes);
		end(&b);
	}
}

static void interfaces_may_be_unknown(void **state)
{
	static const struct {
		uint32_t in, out, in_if, out_if;
		bool egress;
	} rows[] = {
		{ 17, 0x3fffffff, 17, 0, false }, { 0x3fffffff, 18, 0, 18, false },
		{ 18, 17, 18, 17, true },         { 17, 17, 17, 17, false },
		{ 17, 0x40000001, 17, 0, false }, /* discarded */
		{ 17, 0x80000003, 17, 0, false }, /* to three */
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bench b;
		begin(&b, NULL);
		header(&b, 1, 1);
		const size_t at = sample_begin(&b, &(struct head){ .source = 17,
		                                                   .rate = 1,
		                                                   .in = rows[i].in,
		                                                   .out = rows[i].out,
		                                                   .records = 1 });
		raw(&b, 1000, 1018);
		part_end(&b, at);
		assert_ok(&b, send_it(&b));
		assert_int_equal(b.records[0].in_if, rows[i].in_if);
		assert_int_equal(b.records[0].out_if, rows[i].out_if);
		assert_int_equal(b.records[0].egress, rows[i].egress);
		end(&b);
	}
	struct bench b;
	begin(&b, NULL);
	header(&b, 1, 2);
	size_t at = expanded_begin(&b, 0, 29001, 0, 0x3fffffff);
	raw(&b, 1000, 1018);
	part_end(&b, at);
	at = expanded_begin(&b, 2, 2, 0, 1285816721);
	raw(&b, 1000, 1018);
	part_end(&b, at);
	assert_ok(&b, send_it(&b));
	assert_int_equal(b.count, 2);
	assert_int_equal(b.records[0].in_if, 29001);
	assert_int_equal(b.records[0].out_if, 0);
	assert_int_equal(b.records[1].in_if, 0);
	assert_int_equal(b.records[1].out_if, 1285816721);
	assert_int_equal(b.records[1].bytes, 10000);
	end(&b);
}

static void put_fields(struct bench *b, bool six)
{
	const size_t at = part_begin(b, six ? 4 : 3);
	u32(b, 1400);
	u32(b, 17);
	address(b, six ? "2001:db8::1" : "10.1.2.3");
	address(b, six ? "2001:db8::2" : "198.51.100.7");
	u32(b, 6881);
	u32(b, 443);
	u32(b, 0);
	u32(b, 0);
	part_end(b, at);
}

static void put_frame(struct bench *b, uint32_t length)
{
	const size_t at = part_begin(b, 2);
	u32(b, length);
	for (unsigned i = 0; i < 4; i++)
		u32(b, 0);
	u32(b, 0x0806);
	part_end(b, at);
}

static void put_gateway(struct bench *b)
{
	const size_t at = part_begin(b, 1003);
	u32(b, 2);
	address(b, "2001:db8::fe");
	u32(b, 64500); /* own */
	u32(b, 64496); /* of the source */
	u32(b, 64497); /* the peer it came from */
	u32(b, 2);     /* two segments */
	u32(b, 2);
	u32(b, 2);
	u32(b, 64498);
	u32(b, 64499);
	u32(b, 1);
	u32(b, 1);
	u32(b, 4200000001U);
	u32(b, 0); /* communities */
	u32(b, 100);
	part_end(b, at);
}

static void prefers_what_says_most(void **state)
{
	struct bench b;
	(void)state;
	begin(&b, NULL);
	header(&b, 1, 4);
	size_t at = sample_begin(&b, &(struct head){ .sequence = 1, .rate = 2, .records = 4 });
	put_frame(&b, 9000);
	put_gateway(&b);
	put_fields(&b, true);
	const size_t skipped = part_begin(&b, 1001);
	u64(&b, 1);
	u64(&b, 1);
	part_end(&b, skipped);
	part_end(&b, at);
	at = sample_begin(&b, &(struct head){ .sequence = 2, .rate = 2, .records = 2 });
	put_fields(&b, false);
	raw(&b, 1000, 1018);
	part_end(&b, at);
	at = sample_begin(&b, &(struct head){ .sequence = 3, .rate = 2, .records = 1 });
	put_frame(&b, 64);
	part_end(&b, at);
	at = sample_begin(&b, &(struct head){ .sequence = 4, .rate = 2, .records = 1 });
	put_gateway(&b); /* nothing to count */
	part_end(&b, at);
	assert_ok(&b, send_it(&b));
	assert_int_equal(b.count, 3);
	assert_address(&b.records[0].from, "2001:db8::1");
	assert_int_equal(b.records[0].bytes, 2800);
	assert_int_equal(b.records[0].to_port, 443);
	assert_int_equal(b.records[0].from_asn, 64496);
	assert_true(b.records[0].to_asn == 4200000001U);
	assert_int_equal(b.records[1].bytes, 2000);
	assert_int_equal(b.records[1].protocol, 6);
	assert_int_equal(b.records[2].bytes, 128);
	assert_true(b.records[2].link_bytes);
	assert_int_equal(b.records[2].from.family, IP_NONE);
	assert_int_equal(flow_decoder_stats(b.d).other, 1);
	end(&b);
}

static void reads_interface_counters(void **state)
{
	struct bench b;
	(void)state;
	begin(&b, NULL);
	header(&b, 1, 2);
	for (unsigned expanded = 0; expanded < 2; expanded++) {
		const size_t at = part_begin(&b, expanded ? 4 : 2);
		u32(&b, 9); /* sequence */
		u32(&b, expanded ? 0 : 17);
		if (expanded)
			u32(&b, 17);
		u32(&b, 2);
		const size_t other = part_begin(&b, 2);
		u64(&b, 0);
		part_end(&b, other);
		const size_t counters = part_begin(&b, 1);
		u32(&b, 17 + expanded);
		u32(&b, 6);
		u64(&b, 400000000000);
		u32(&b, 1);
		u32(&b, 3);
		u64(&b, UINT64_C(1) << 40);
		u32(&b, 1000);
		u32(&b, 20);
		u32(&b, UINT32_MAX); /* not counted */
		u64(&b, 0);
		u32(&b, 0);
		u64(&b, UINT64_C(1) << 41);
		u32(&b, 3000);
		u32(&b, 1);
		u32(&b, 1);
		u64(&b, 0);
		u32(&b, 0);
		part_end(&b, counters);
		part_end(&b, at);
	}
	assert_ok(&b, send_it(&b));
	assert_int_equal(b.counter_count, 2);
	const struct flow_counter *c = &b.counters[0];
	assert_int_equal(c->ifindex, 17);
	assert_true(c->in_bytes == UINT64_C(1) << 40 && c->out_bytes == UINT64_C(1) << 41);
	assert_int_equal(c->in_packets, 1020);
	assert_int_equal(c->out_packets, 3002);
	assert_true(c->speed_bps == 400000000000);
	assert_int_equal(c->uptime_ms, 123456);
	assert_int_equal(c->sequence, 9);
	assert_true(c->at_ms == NOW_MS);
	assert_int_equal(b.counters[1].ifindex, 18);
	end(&b);
}

static void watches_sources(void **state)
{
	static const struct {
		uint32_t source, sequence, drops;
		uint64_t lost, late, dropped;
	} rows[] = {
		{ 17, 100, 1000, 0, 0, 0 }, /* the first: nothing to compare with */
		{ 18, 5, 0, 0, 0, 0 },      { 17, 101, 1007, 0, 0, 7 }, { 17, 104, 1007, 2, 0, 7 },
		{ 17, 102, 1007, 2, 1, 7 }, { 18, 6, 2, 2, 1, 9 },      { 17, 105, 1010, 2, 1, 12 },
		{ 17, 1, 3, 2, 1, 12 }, /* began again */
		{ 17, 2, 4, 2, 1, 13 },
	};
	struct bench b;
	(void)state;
	begin(&b, NULL);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		header(&b, (uint32_t)i, 1);
		const size_t at = sample_begin(&b, &(struct head){ .sequence = rows[i].sequence,
		                                                   .source = rows[i].source,
		                                                   .drops = rows[i].drops,
		                                                   .rate = 1,
		                                                   .records = 1 });
		raw(&b, 1000, 1018);
		part_end(&b, at);
		assert_ok(&b, send_it(&b));
		const struct flow_stats s = flow_decoder_stats(b.d);
		assert_int_equal(s.samples_lost, rows[i].lost);
		assert_int_equal(s.samples_late, rows[i].late);
		assert_int_equal(s.samples_dropped, rows[i].dropped);
	}
	assert_int_equal(flow_decoder_stats(b.d).of[FLOW_SFLOW5].lost, 0);
	end(&b);
}

static void tells_faults_by_their_place(void **state)
{
	struct bench b;
	(void)state;
	begin(&b, NULL);
	header(&b, 1, 1); /* a sample is promised and none there */
	assert_int_equal(send_it(&b), ERR_TRUNCATED);
	assert_string_equal(b.fault.where, "byte 28");
	header(&b, 2, 1);
	const size_t at = sample_begin(&b, &(struct head){ .rate = 1, .records = 1 });
	u32(&b, 1);
	u32(&b, 100); /* longer than its sample */
	part_end(&b, at);
	assert_int_equal(send_it(&b), ERR_MALFORMED);
	assert_string_equal(b.fault.where, "byte 36");
	header(&b, 3, 1);
	part_end(&b, part_begin(&b, 1)); /* an empty sample */
	assert_int_equal(send_it(&b), ERR_MALFORMED);
	header(&b, 4, 2); /* kinds nobody knows, one of another enterprise */
	part_end(&b, part_begin(&b, 5));
	part_end(&b, part_begin(&b, 8800 << 12 | 1));
	assert_ok(&b, send_it(&b));
	assert_int_equal(flow_decoder_stats(b.d).samples_skipped, 2);
	u32(&b, 5);
	u32(&b, 3); /* an address of no kind */
	for (unsigned i = 0; i < 8; i++)
		u32(&b, 0);
	assert_int_equal(send_it(&b), ERR_TRUNCATED);
	u32(&b, 4); /* version 4 */
	assert_int_equal(send_it(&b), ERR_NOT_FOUND);
	end(&b);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(scales_a_packet),
	cmocka_unit_test(measures_a_packet),
	cmocka_unit_test(interfaces_may_be_unknown),
	cmocka_unit_test(prefers_what_says_most),
	cmocka_unit_test(reads_interface_counters),
	cmocka_unit_test(watches_sources),
	cmocka_unit_test(tells_faults_by_their_place),
};

RUN_TESTS(tests)
