/* SPDX-License-Identifier: Apache-2.0 */
#include "common/codec/flow/packet.h"

#include "tests/unit/flow/frames.h"

/* Reads what was written so far; begins anew. */
static bool read_it(struct bench *b, uint32_t link, struct flow_packet *p)
{
	const size_t size = writer_size(&b->w);
	uint8_t *copy = malloc(size > 0 ? size : 1);
	assert_non_null(copy);
	memcpy(copy, b->bytes, size);
	const bool ip = flow_packet_read(reader_over(copy, size), link, p);
	free(copy);
	b->w = writer_over(b->bytes, sizeof(b->bytes));
	return ip;
}

static void expect(struct bench *b, uint32_t link, uint32_t before, uint32_t bytes,
                   unsigned from_port)
{
	struct flow_packet p;
	assert_true(read_it(b, link, &p));
	const bool six = p.from.family == IP_V6;
	assert_address(&p.from, six ? "2001:db8::1" : "10.1.2.3");
	assert_address(&p.to, six ? "2001:db8::2" : "198.51.100.7");
	assert_int_equal(p.before, before);
	assert_int_equal(p.ip_bytes, bytes);
	assert_int_equal(p.from_port, from_port);
	assert_int_equal(p.to_port, from_port > 0 ? 443 : 0);
}

static void reads_through_what_is_around(void **state)
{
	struct bench b;
	(void)state;
	begin(&b, NULL);
	ethernet(&b, 0x0800);
	ipv4(&b, 1500, 0, 6);
	ports(&b);
	expect(&b, FLOW_LINK_ETHERNET, 14, 1500, 6881);

	ethernet(&b, 0x88a8); /* two tags */
	u32(&b, 0x00058100);
	u32(&b, 0x000686dd);
	ipv6(&b, 1200, 17);
	ports(&b);
	expect(&b, FLOW_LINK_ETHERNET, 22, 1240, 6881);

	ethernet(&b, 0x8847); /* two labels */
	u32(&b, 0x00010040);
	u32(&b, 0x00020140);
	ipv4(&b, 900, 0, 17);
	ports(&b);
	expect(&b, FLOW_LINK_ETHERNET, 22, 900, 6881);

	ethernet(&b, 0x8864); /* PPPoE */
	u16(&b, 0x1100);
	u32(&b, 0x00010386);
	u16(&b, 0x0021);
	ipv4(&b, 900, 0, 17);
	ports(&b);
	expect(&b, FLOW_LINK_ETHERNET, 22, 900, 6881);

	ipv4(&b, 40, 0, 6);
	ports(&b);
	expect(&b, FLOW_LINK_IPV4, 0, 40, 6881);
	ipv6(&b, 0, 6); /* a length that does not fit says nothing */
	ports(&b);
	expect(&b, FLOW_LINK_IPV6, 0, 0, 6881);
	end(&b);
}

static void ports_are_those_of_the_first_fragment(void **state)
{
	struct bench b;
	(void)state;
	begin(&b, NULL);
	ipv4(&b, 1500, 0x2000, 17); /* the first of several */
	ports(&b);
	expect(&b, FLOW_LINK_IPV4, 0, 1500, 6881);
	ipv4(&b, 1500, 185, 17);
	ports(&b);
	expect(&b, FLOW_LINK_IPV4, 0, 1500, 0);
	ipv4(&b, 84, 0, 1); /* ICMP has none */
	ports(&b);
	expect(&b, FLOW_LINK_IPV4, 0, 84, 0);
	ipv4(&b, 1500, 0, 17);
	u16(&b, 6881); /* cut off */
	expect(&b, FLOW_LINK_IPV4, 0, 1500, 0);

	ipv6(&b, 1400, 0); /* hop by hop, destination, first fragment */
	u64(&b, UINT64_C(60) << 56);
	u64(&b, UINT64_C(44) << 56 | UINT64_C(1) << 48);
	u64(&b, 0);
	u64(&b, UINT64_C(17) << 56 | 0x00010000);
	ports(&b);
	expect(&b, FLOW_LINK_IPV6, 0, 1440, 6881);
	ipv6(&b, 1400, 44); /* a later fragment */
	u64(&b, UINT64_C(17) << 56 | UINT64_C(8) << 32);
	ports(&b);
	expect(&b, FLOW_LINK_IPV6, 0, 1440, 0);
	end(&b);
}

static void tells_what_is_no_ip(void **state)
{
	struct bench b;
	struct flow_packet p;
	(void)state;
	begin(&b, NULL);
	ethernet(&b, 0x0806);
	ipv4(&b, 1500, 0, 6);
	assert_false(read_it(&b, FLOW_LINK_ETHERNET, &p));
	ipv4(&b, 1500, 0, 6);
	assert_false(read_it(&b, FLOW_LINK_IPV6, &p));
	ipv4(&b, 1500, 0, 6);
	assert_false(read_it(&b, 7, &p));
	assert_false(read_it(&b, FLOW_LINK_ETHERNET, &p));
	ethernet(&b, 0x0800);
	u64(&b, 0x4500000000000000);
	assert_false(read_it(&b, FLOW_LINK_ETHERNET, &p)); /* half a header */
	ethernet(&b, 0x0800);
	u8(&b, 0x44); /* shorter than it may be */
	for (unsigned i = 0; i < 30; i++)
		u8(&b, 0);
	assert_false(read_it(&b, FLOW_LINK_ETHERNET, &p));
	end(&b);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(reads_through_what_is_around),
	cmocka_unit_test(ports_are_those_of_the_first_fragment),
	cmocka_unit_test(tells_what_is_no_ip),
};

RUN_TESTS(tests)
