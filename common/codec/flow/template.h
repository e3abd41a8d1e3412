/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A template of NetFlow v9 or IPFIX, compiled: where in a record the few values stand that we use.
 *
 * Which element feeds a value is settled here, once: a record may have its bytes as a delta, a total or
 * with their layer-2 headers, and the best of those in the template is the one that is read.
 */

#include "common/base/cursor.h"
#include "common/base/err.h"

#include <stdbool.h>
#include <stdint.h>

/* What is read of a record. A BACK_ value is of the other direction (RFC 5103). */
enum flow_value {
	FLOW_BYTES,
	FLOW_PACKETS,
	FLOW_BACK_BYTES,
	FLOW_BACK_PACKETS,
	FLOW_FIRST,
	FLOW_LAST,
	FLOW_BACK_FIRST,
	FLOW_BACK_LAST,
	FLOW_IN_IF,
	FLOW_OUT_IF,
	FLOW_BACK_IN_IF,
	FLOW_BACK_OUT_IF,
	FLOW_EGRESS,
	FLOW_BACK_EGRESS,
	FLOW_FROM_PORT,
	FLOW_TO_PORT,
	FLOW_FROM_ASN,
	FLOW_TO_ASN,
	FLOW_PROTOCOL,
	FLOW_VERSION,
	FLOW_START,    /* of the exporter, unix ms */
	FLOW_SELECTOR, /* which of its samplers chose the packets */
	FLOW_INTERVAL, /* one of so many */
	FLOW_CONSECUTIVE,
	FLOW_SPACE, /* so many are taken, then so many are not */
	FLOW_SIZE,
	FLOW_POPULATION, /* so many are taken of so many */
	FLOW_NUMBERS,
	/* Addresses are not numbers. */
	FLOW_FROM4 = FLOW_NUMBERS,
	FLOW_TO4,
	FLOW_FROM6,
	FLOW_TO6,
	FLOW_VALUES
};

static inline uint64_t flow_bit(enum flow_value v)
{
	return (uint64_t)1 << v;
}

/* How an element tells the time. */
enum flow_unit {
	FLOW_UNIT_NONE,
	FLOW_UNIT_MS,     /* unix */
	FLOW_UNIT_NTP,    /* 32.32 bits since 1900 */
	FLOW_UNIT_S,      /* unix */
	FLOW_UNIT_AGO_US, /* before the header's time */
	FLOW_UNIT_UPTIME  /* ms since the exporter started */
};

/* What an options record is about. */
enum flow_scope {
	FLOW_SCOPE_NONE, /* it is a flow record */
	FLOW_SCOPE_DOMAIN,
	FLOW_SCOPE_INTERFACE,
	FLOW_SCOPE_OTHER
};

struct flow_template {
	struct flow_template *next; /* in its bucket */
	int64_t used_ms;
	uint64_t has;   /* flow_bit() of each value */
	uint32_t least; /* bytes of a record; of its fixed part when it varies */
	uint16_t id;
	uint16_t fields; /* in `layout`; 0: all records are alike */
	uint16_t definition_size;
	uint8_t scope;             /* enum flow_scope */
	uint8_t unit[FLOW_VALUES]; /* enum flow_unit of the times */
	bool link, back_link;      /* bytes of that direction count layer 2 */
	uint8_t numbers, ops;      /* ops that read numbers come first */
	struct flow_op {
		uint64_t mask; /* of the eight bytes that end with the value */
		uint16_t end;  /* where it ends in a record; of no use when it varies */
		uint8_t value, size;
	} op[FLOW_VALUES];
	struct flow_field {
		uint16_t length; /* 65535: the record says */
		uint16_t op;     /* that reads it, or FLOW_VALUES */
	} * layout;
	uint8_t *definition; /* as it came, to tell whether the next one is the same */
};

/*
 * The definition at `r`, which begins with its id; `options` tells of which kind. ERR_TRUNCATED: it ends
 * early. ERR_RANGE: too long, without fields or useless, but *r stands behind it and *id is set.
 */
enum err flow_template_read(struct reader *r, bool ipfix, bool options, uint32_t fields_max,
                            uint16_t *id, struct flow_template **out) must_check;
void flow_template_free(struct flow_template *t);

/* One field of a definition. */
struct flow_spec {
	uint32_t enterprise;
	uint16_t id, length;
	bool scope;
};

/* The value an element feeds, FLOW_VALUES for none; its rank among those that feed the same one, least is
 * best; and its unit, when it is a time. */
struct flow_element {
	uint8_t value, rank, unit;
	bool link;
};
struct flow_element flow_element_of(const struct flow_spec *s, bool ipfix);
