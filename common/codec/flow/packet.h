/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The first bytes of a packet, as sFlow copies them: who sends to whom, and how long it is. */

#include "common/base/cursor.h"
#include "common/ip/addr.h"

/* What the bytes begin with; numbers of sFlow's header_protocol. */
enum { FLOW_LINK_ETHERNET = 1, FLOW_LINK_IPV4 = 11, FLOW_LINK_IPV6 = 12 };

struct flow_packet {
	struct ip_addr from, to;
	uint16_t from_port, to_port; /* 0: cut off, a later fragment, or the protocol has none */
	uint8_t protocol;
	uint32_t
		ip_bytes; /* as the header says; 0: it does not (jumbograms, segmentation offload) */
	uint32_t before;  /* bytes before the IP header */
};

/* Through VLAN tags, PPPoE and MPLS labels. False: no IP header, or not all of it is there. */
bool flow_packet_read(struct reader bytes, uint32_t link, struct flow_packet *out);
