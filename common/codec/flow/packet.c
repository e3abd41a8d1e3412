/* SPDX-License-Identifier: Apache-2.0 */
#include "common/codec/flow/packet.h"

enum {
	TYPE_IPV4 = 0x0800,
	TYPE_IPV6 = 0x86dd,
	TYPE_VLAN = 0x8100,
	TYPE_SERVICE_VLAN = 0x88a8,
	TYPE_OLD_VLAN = 0x9100,
	TYPE_MPLS = 0x8847,
	TYPE_MPLS_UPSTREAM = 0x8848,
	TYPE_PPPOE = 0x8864,
	PPP_IPV4 = 0x0021,
	PPP_IPV6 = 0x0057,
};
enum { TAGS_MAX = 4, LABELS_MAX = 16, EXTENSIONS_MAX = 8 };
enum {
	HOP_BY_HOP = 0,
	TCP = 6,
	UDP = 17,
	DCCP = 33,
	ROUTING = 43,
	FRAGMENT = 44,
	AUTHENTICATION = 51,
	DESTINATION = 60,
	SCTP = 132,
	UDP_LITE = 136
};

static void read_ports(struct reader r, struct flow_packet *p)
{
	switch (p->protocol) {
	case TCP:
	case UDP:
	case DCCP:
	case SCTP:
	case UDP_LITE:
		p->from_port = reader_u16(&r);
		p->to_port = reader_u16(&r);
		break;
	default:
		break;
	}
	if (r.bad)
		p->from_port = p->to_port = 0;
}

static bool read_ipv4(struct reader r, struct flow_packet *p)
{
	const uint8_t first = reader_u8(&r);
	(void)reader_u8(&r);
	p->ip_bytes = reader_u16(&r);
	(void)reader_u16(&r);
	const uint16_t fragment = reader_u16(&r) & 0x1fff;
	(void)reader_u8(&r);
	p->protocol = reader_u8(&r);
	(void)reader_u16(&r);
	const uint8_t *addresses = reader_take(&r, 8);
	const size_t head = (size_t)(first & 0xf) * 4;
	if (addresses == NULL || first >> 4 != 4 || head < 20)
		return false;
	p->from = ip_from_bytes(addresses, 4);
	p->to = ip_from_bytes(addresses + 4, 4);
	if (fragment == 0 && reader_take(&r, head - 20) != NULL)
		read_ports(r, p);
	return true;
}

/* Steps over the extension header `next`; false: it is none, or what follows has no ports. */
static bool step_over(struct reader *r, uint8_t *next)
{
	const uint8_t kind = *next;
	if (kind != HOP_BY_HOP && kind != ROUTING && kind != FRAGMENT && kind != AUTHENTICATION &&
	    kind != DESTINATION)
		return false;
	const uint8_t following = reader_u8(r), length = reader_u8(r);
	const uint16_t fragment = reader_u16(r) >> 3;
	const size_t size = kind == FRAGMENT         ? 8U
	                    : kind == AUTHENTICATION ? ((size_t)length + 2) * 4
	                                             : ((size_t)length + 1) * 8;
	(void)reader_take(r, size - 4);
	*next = following;
	if (kind == FRAGMENT && fragment > 0)
		r->bad = true;
	return !r->bad;
}

static bool read_ipv6(struct reader r, struct flow_packet *p)
{
	const uint8_t first = reader_u8(&r);
	(void)reader_take(&r, 3);
	const uint16_t payload = reader_u16(&r);
	p->protocol = reader_u8(&r);
	(void)reader_u8(&r);
	const uint8_t *addresses = reader_take(&r, 32);
	if (addresses == NULL || first >> 4 != 6)
		return false;
	p->ip_bytes = payload > 0 ? payload + 40U : 0;
	p->from = ip_from_bytes(addresses, 16);
	p->to = ip_from_bytes(addresses + 16, 16);
	for (unsigned i = 0; i < EXTENSIONS_MAX && step_over(&r, &p->protocol); i++)
		;
	read_ports(r, p);
	return true;
}

/* What labels stand before does not say what it is, but its first four bits do. */
static uint16_t skip_labels(struct reader *r)
{
	for (unsigned i = 0; i < LABELS_MAX; i++)
		if (reader_u32(r) & 0x100)
			break;
	if (reader_left(r) == 0)
		return 0;
	return *r->at >> 4 == 4 ? TYPE_IPV4 : *r->at >> 4 == 6 ? TYPE_IPV6 : 0;
}

static uint16_t skip_pppoe(struct reader *r)
{
	(void)reader_take(r, 6);
	const uint16_t protocol = reader_u16(r);
	return protocol == PPP_IPV4 ? TYPE_IPV4 : protocol == PPP_IPV6 ? TYPE_IPV6 : 0;
}

static bool is_vlan(uint16_t type)
{
	return type == TYPE_VLAN || type == TYPE_SERVICE_VLAN || type == TYPE_OLD_VLAN;
}

static uint16_t skip_ethernet(struct reader *r)
{
	(void)reader_take(r, 12);
	uint16_t type = reader_u16(r);
	for (unsigned i = 0; i < TAGS_MAX && is_vlan(type); i++) {
		(void)reader_u16(r);
		type = reader_u16(r);
	}
	if (type == TYPE_PPPOE)
		return skip_pppoe(r);
	return type == TYPE_MPLS || type == TYPE_MPLS_UPSTREAM ? skip_labels(r) : type;
}

bool flow_packet_read(struct reader bytes, uint32_t link, struct flow_packet *out)
{
	struct reader r = bytes;
	const uint16_t type = link == FLOW_LINK_ETHERNET ? skip_ethernet(&r)
	                      : link == FLOW_LINK_IPV4   ? TYPE_IPV4
	                      : link == FLOW_LINK_IPV6   ? TYPE_IPV6
	                                                 : 0;
	if (r.bad)
		return false;
	*out = (struct flow_packet){ .before = (uint32_t)(r.at - bytes.at) };
	return type == TYPE_IPV4 ? read_ipv4(r, out) : type == TYPE_IPV6 && read_ipv6(r, out);
}
