/* SPDX-License-Identifier: Apache-2.0 */

/* The elements we read, by IANA's numbers, which NetFlow v9 shares up to 127. */

#include "common/codec/flow/template.h"

enum { REVERSE = 29305, ELEMENTS = 354 }; /* RFC 5103 */

struct entry {
	uint8_t value, rank, unit;
	bool used, link;
};

#define FEEDS(v, r)                                     \
	{                                               \
		.value = (v), .rank = (r), .used = true \
	}
#define TELLS(v, r, u)                                               \
	{                                                            \
		.value = (v), .rank = (r), .unit = (u), .used = true \
	}

static const struct entry elements[ELEMENTS] = {
	/* A delta is best, then what a firewall counts of its initiator, a total, and what left. */
	[1] = FEEDS(FLOW_BYTES, 0),
	[231] = FEEDS(FLOW_BYTES, 1),
	[85] = FEEDS(FLOW_BYTES, 2),
	[23] = FEEDS(FLOW_BYTES, 3),
	[352] = { .value = FLOW_BYTES, .rank = 4, .used = true, .link = true },
	[353] = { .value = FLOW_BYTES, .rank = 5, .used = true, .link = true },
	[2] = FEEDS(FLOW_PACKETS, 0),
	[298] = FEEDS(FLOW_PACKETS, 1),
	[86] = FEEDS(FLOW_PACKETS, 2),
	[24] = FEEDS(FLOW_PACKETS, 3),
	[232] = FEEDS(FLOW_BACK_BYTES, 6),
	[299] = FEEDS(FLOW_BACK_PACKETS, 6),
	/* Of times, the finest that needs no other clock. */
	[152] = TELLS(FLOW_FIRST, 0, FLOW_UNIT_MS),
	[153] = TELLS(FLOW_LAST, 0, FLOW_UNIT_MS),
	[154] = TELLS(FLOW_FIRST, 1, FLOW_UNIT_NTP),
	[155] = TELLS(FLOW_LAST, 1, FLOW_UNIT_NTP),
	[156] = TELLS(FLOW_FIRST, 1, FLOW_UNIT_NTP),
	[157] = TELLS(FLOW_LAST, 1, FLOW_UNIT_NTP),
	[150] = TELLS(FLOW_FIRST, 2, FLOW_UNIT_S),
	[151] = TELLS(FLOW_LAST, 2, FLOW_UNIT_S),
	[158] = TELLS(FLOW_FIRST, 3, FLOW_UNIT_AGO_US),
	[159] = TELLS(FLOW_LAST, 3, FLOW_UNIT_AGO_US),
	[22] = TELLS(FLOW_FIRST, 4, FLOW_UNIT_UPTIME),
	[21] = TELLS(FLOW_LAST, 4, FLOW_UNIT_UPTIME),
	[323] = TELLS(FLOW_LAST, 5, FLOW_UNIT_MS),
	[324] = TELLS(FLOW_LAST, 6, FLOW_UNIT_NTP),
	[325] = TELLS(FLOW_LAST, 6, FLOW_UNIT_NTP),
	[322] = TELLS(FLOW_LAST, 7, FLOW_UNIT_S),
	[160] = TELLS(FLOW_START, 0, FLOW_UNIT_MS),
	[10] = FEEDS(FLOW_IN_IF, 0),
	[252] = FEEDS(FLOW_IN_IF, 1),
	[14] = FEEDS(FLOW_OUT_IF, 0),
	[253] = FEEDS(FLOW_OUT_IF, 1),
	[61] = FEEDS(FLOW_EGRESS, 0),
	[7] = FEEDS(FLOW_FROM_PORT, 0),
	[180] = FEEDS(FLOW_FROM_PORT, 1),
	[182] = FEEDS(FLOW_FROM_PORT, 1),
	[11] = FEEDS(FLOW_TO_PORT, 0),
	[181] = FEEDS(FLOW_TO_PORT, 1),
	[183] = FEEDS(FLOW_TO_PORT, 1),
	[16] = FEEDS(FLOW_FROM_ASN, 0),
	[17] = FEEDS(FLOW_TO_ASN, 0),
	[4] = FEEDS(FLOW_PROTOCOL, 0),
	[60] = FEEDS(FLOW_VERSION, 0),
	[8] = FEEDS(FLOW_FROM4, 0),
	[12] = FEEDS(FLOW_TO4, 0),
	[27] = FEEDS(FLOW_FROM6, 0),
	[28] = FEEDS(FLOW_TO6, 0),
	/* 48 is the old name of 302, and 34 and 50 are of the same time. */
	[302] = FEEDS(FLOW_SELECTOR, 0),
	[48] = FEEDS(FLOW_SELECTOR, 1),
	[34] = FEEDS(FLOW_INTERVAL, 0),
	[50] = FEEDS(FLOW_INTERVAL, 1),
	[305] = FEEDS(FLOW_CONSECUTIVE, 0),
	[306] = FEEDS(FLOW_SPACE, 0),
	[309] = FEEDS(FLOW_SIZE, 0),
	[310] = FEEDS(FLOW_POPULATION, 0),
};

/* The value of the other direction; FLOW_VALUES: it is the same in both, or of no use. */
static uint8_t reverse_of(uint8_t value)
{
	switch (value) {
	case FLOW_BYTES:
		return FLOW_BACK_BYTES;
	case FLOW_PACKETS:
		return FLOW_BACK_PACKETS;
	case FLOW_FIRST:
		return FLOW_BACK_FIRST;
	case FLOW_LAST:
		return FLOW_BACK_LAST;
	case FLOW_IN_IF:
		return FLOW_BACK_IN_IF;
	case FLOW_OUT_IF:
		return FLOW_BACK_OUT_IF;
	case FLOW_EGRESS:
		return FLOW_BACK_EGRESS;
	default:
		return FLOW_VALUES;
	}
}

struct flow_element flow_element_of(const struct flow_spec *s, bool ipfix)
{
	const struct flow_element none = { .value = FLOW_VALUES };
	/* Scopes of v9 have numbers of their own (RFC 3954, 6.1): 2 is an interface. */
	if (s->scope && !ipfix)
		return s->id == 2 ? (struct flow_element){ .value = FLOW_IN_IF } : none;
	if ((s->enterprise != 0 && s->enterprise != REVERSE) || s->id >= ELEMENTS ||
	    !elements[s->id].used)
		return none;
	const struct entry *e = &elements[s->id];
	return (struct flow_element){ .value = s->enterprise != 0 ? reverse_of(e->value) : e->value,
		                      .rank = e->rank,
		                      .unit = e->unit,
		                      .link = e->link };
}
