/* SPDX-License-Identifier: Apache-2.0 */
#include "common/codec/flow/record.h"

#include "common/codec/flow/sampling.h"

#include <string.h>

enum { VARIABLE = 65535, LONG_FORM = 255 };

/* What one record says. What its template does not have is 0. */
struct said {
	uint64_t number[FLOW_NUMBERS];
	const uint8_t *address[FLOW_VALUES - FLOW_NUMBERS];
};

static bool has(const struct flow_template *t, enum flow_value v)
{
	return t->has & flow_bit(v);
}

/* The number that ends at `end`. The seven bytes before it are always there: a record stands behind
 * the heads of its datagram and its set. */
static uint64_t number_before(const uint8_t *end, uint64_t mask)
{
	uint64_t v;
	memcpy(&v, end - sizeof(v), sizeof(v));
	return be64toh(v) & mask;
}

static void read_fixed(const struct flow_template *t, const uint8_t *record, struct said *s)
{
	unsigned i = 0;
	for (; i < t->numbers; i++)
		s->number[t->op[i].value] = number_before(record + t->op[i].end, t->op[i].mask);
	for (; i < t->ops; i++)
		s->address[t->op[i].value - FLOW_NUMBERS] = record + t->op[i].end - t->op[i].size;
}

/* A length of one byte, or of two behind 255 (RFC 7011, 7). */
static size_t varying_length(struct reader *r)
{
	const uint8_t shortest = reader_u8(r);
	return shortest == LONG_FORM ? reader_u16(r) : shortest;
}

static void read_varying(const struct flow_template *t, struct reader *r, struct said *s)
{
	for (unsigned i = 0; i < t->fields; i++) {
		const struct flow_field *f = &t->layout[i];
		const size_t length = f->length == VARIABLE ? varying_length(r) : f->length;
		const uint8_t *at = reader_take(r, length);
		if (at == NULL)
			return;
		if (f->op == FLOW_VALUES)
			continue;
		const struct flow_op *op = &t->op[f->op];
		if (op->value < FLOW_NUMBERS)
			s->number[op->value] = number_before(at + length, op->mask);
		else
			s->address[op->value - FLOW_NUMBERS] = at;
	}
}

static uint32_t small(const struct said *s, enum flow_value v)
{
	return s->number[v] <= UINT32_MAX ? (uint32_t)s->number[v] : 0;
}

static bool is_zero(const uint8_t *bytes, size_t size)
{
	static const uint8_t zeros[16];
	return memcmp(bytes, zeros, size) == 0;
}

static bool are_zero(const struct flow_template *t, const struct said *s, enum flow_value v)
{
	const uint8_t *const *a = &s->address[v - FLOW_NUMBERS];
	const size_t size = v == FLOW_FROM4 ? 4 : 16;
	return (!has(t, v) || is_zero(a[0], size)) && (!has(t, v + 1) || is_zero(a[1], size));
}

/* Some templates have room for both families, and the other one is zero. */
static bool is_v6(const struct flow_template *t, const struct said *s)
{
	const uint64_t four = flow_bit(FLOW_FROM4) | flow_bit(FLOW_TO4);
	const uint64_t six = flow_bit(FLOW_FROM6) | flow_bit(FLOW_TO6);
	if (!(t->has & six) || !(t->has & four))
		return t->has & six;
	if (s->number[FLOW_VERSION] == 4 || s->number[FLOW_VERSION] == 6)
		return s->number[FLOW_VERSION] == 6;
	return are_zero(t, s, FLOW_FROM4) && !are_zero(t, s, FLOW_FROM6);
}

static void set_address(struct ip_addr *out, const uint8_t *bytes, bool six)
{
	if (bytes == NULL)
		return;
	if (six) {
		*out = ip_from_bytes(bytes, 16);
	} else {
		out->family = IP_V4;
		memcpy(out->bytes, bytes, 4);
	}
}

static void set_addresses(struct flow_record *r, const struct flow_template *t,
                          const struct said *s)
{
	const bool six = is_v6(t, s);
	const uint8_t *const *a = &s->address[six ? FLOW_FROM6 - FLOW_NUMBERS : 0];
	set_address(&r->from, a[0], six);
	set_address(&r->to, a[1], six);
}

enum { UNSAID = -1 };

/* 32 bits of seconds since 1900 or, from 2036 on, since then; 32 of fractions. */
static int64_t from_ntp(uint64_t v)
{
	const int64_t since_1900 = 2208988800, era = INT64_C(1) << 32;
	int64_t seconds = (int64_t)(v >> 32) - since_1900;
	if (seconds < 0)
		seconds += era;
	return seconds * 1000 + (int64_t)((v & UINT32_MAX) * 1000 >> 32);
}

static int64_t from_uptime(const struct flow_datagram *g, const struct flow_template *t,
                           const struct said *s, uint64_t v)
{
	if (v > UINT32_MAX)
		return UNSAID;
	if (g->stream->source.protocol == FLOW_NETFLOW9)
		return flow_since_start(g, (uint32_t)v);
	/* IPFIX has no uptime in its head, but may say when the exporter started. */
	const uint64_t start = has(t, FLOW_START) ? s->number[FLOW_START] : g->stream->start_ms;
	return start > 0 && start < FLOW_TIME_MAX ? (int64_t)(start + v) : UNSAID;
}

static int64_t time_of(const struct flow_datagram *g, const struct flow_template *t,
                       const struct said *s, enum flow_value which)
{
	const uint64_t v = s->number[which];
	switch ((enum flow_unit)t->unit[which]) {
	case FLOW_UNIT_MS:
		return v > 0 && v < FLOW_TIME_MAX ? (int64_t)v : UNSAID;
	case FLOW_UNIT_S:
		return v > 0 && v <= UINT32_MAX ? (int64_t)v * 1000 : UNSAID;
	case FLOW_UNIT_NTP:
		return v > 0 ? from_ntp(v) : UNSAID;
	case FLOW_UNIT_AGO_US:
		return v <= UINT32_MAX ? g->export_ms - (int64_t)(v / 1000) : UNSAID;
	case FLOW_UNIT_UPTIME:
		return from_uptime(g, t, s, v);
	case FLOW_UNIT_NONE:
		break;
	}
	return UNSAID;
}

static void set_times(const struct flow_datagram *g, struct flow_record *r, int64_t first,
                      int64_t last)
{
	r->last_ms = last != UNSAID ? last : first != UNSAID ? first : g->now_ms;
	r->first_ms = first != UNSAID ? first : r->last_ms;
}

static struct flow_record forward(const struct flow_datagram *g, const struct flow_template *t,
                                  const struct said *s)
{
	struct flow_record r = {
		.from_port = (uint16_t)small(s, FLOW_FROM_PORT),
		.to_port = (uint16_t)small(s, FLOW_TO_PORT),
		.protocol = (uint8_t)small(s, FLOW_PROTOCOL),
		.egress = s->number[FLOW_EGRESS] == 1,
		.link_bytes = t->link,
		.in_if = small(s, FLOW_IN_IF),
		.out_if = small(s, FLOW_OUT_IF),
		.bytes = s->number[FLOW_BYTES],
		.packets = s->number[FLOW_PACKETS],
		.from_asn = small(s, FLOW_FROM_ASN),
		.to_asn = small(s, FLOW_TO_ASN),
	};
	set_addresses(&r, t, s);
	set_times(g, &r, time_of(g, t, s, FLOW_FIRST), time_of(g, t, s, FLOW_LAST));
	return r;
}

/* The other direction of a biflow (RFC 5103): what is not said of it is that of `f`, turned round. */
static struct flow_record backward(const struct flow_datagram *g, const struct flow_template *t,
                                   const struct said *s, const struct flow_record *f)
{
	struct flow_record r = {
		.from = f->to,
		.to = f->from,
		.from_port = f->to_port,
		.to_port = f->from_port,
		.protocol = f->protocol,
		.egress = has(t, FLOW_BACK_EGRESS) ? s->number[FLOW_BACK_EGRESS] == 1
		                                   : has(t, FLOW_EGRESS) && !f->egress,
		.link_bytes = t->back_link,
		.in_if = has(t, FLOW_BACK_IN_IF) ? small(s, FLOW_BACK_IN_IF) : f->out_if,
		.out_if = has(t, FLOW_BACK_OUT_IF) ? small(s, FLOW_BACK_OUT_IF) : f->in_if,
		.bytes = s->number[FLOW_BACK_BYTES],
		.packets = s->number[FLOW_BACK_PACKETS],
		.from_asn = f->to_asn,
		.to_asn = f->from_asn,
	};
	const int64_t first = time_of(g, t, s, FLOW_BACK_FIRST);
	const int64_t last = time_of(g, t, s, FLOW_BACK_LAST);
	set_times(g, &r, first != UNSAID ? first : f->first_ms, last != UNSAID ? last : f->last_ms);
	return r;
}

static void count_flow(struct flow_datagram *g, const struct flow_template *t, const struct said *s)
{
	const bool there = s->number[FLOW_BYTES] > 0, back = s->number[FLOW_BACK_BYTES] > 0;
	if (!there && !back) {
		g->d->stats.other++;
		return;
	}
	const struct flow_rate rate = flow_sampling_of(g, t, s->number);
	struct flow_record r = forward(g, t, s);
	struct flow_record b;
	if (back)
		b = backward(g, t, s, &r);
	if (there)
		flow_deliver(g, &r, rate);
	if (back)
		flow_deliver(g, &b, rate);
}

static void learn_options(struct flow_datagram *g, const struct flow_template *t,
                          const struct said *s)
{
	g->d->stats.options++;
	flow_sampling_learn(g, t, s->number);
	if (has(t, FLOW_START))
		g->stream->start_ms = s->number[FLOW_START];
}

static void take(struct flow_datagram *g, const struct flow_template *t, const struct said *s)
{
	if (t->scope == FLOW_SCOPE_NONE)
		count_flow(g, t, s);
	else
		learn_options(g, t, s);
}

enum err flow_records(struct flow_datagram *g, const struct flow_template *t, struct reader set)
{
	struct said s = { 0 }; /* each record sets the same of them */
	/* What is shorter than a record is padding. */
	while (reader_left(&set) >= t->least) {
		const uint8_t *at = set.at;
		if (t->fields == 0)
			read_fixed(t, reader_take(&set, t->least), &s);
		else
			read_varying(t, &set, &s);
		if (set.bad) {
			/* Padding may look like the start of a record that varies. */
			if (flow_only_zeros((struct reader){ .at = at, .end = set.end }))
				break;
			return flow_fault(g, ERR_MALFORMED, at, "the record ends behind its set");
		}
		g->records++;
		take(g, t, &s);
	}
	return ERR_OK;
}
