/* SPDX-License-Identifier: Apache-2.0 */

/*
 * sFlow version 5 (sflow.org, "sFlow Version 5", July 2004): packet samples and interface counters, in
 * XDR. Samples and records have their length, so that what is not known is stepped over.
 */

#include "common/codec/flow/decoder.h"
#include "common/codec/flow/packet.h"

enum sample { FLOW_SAMPLE = 1, COUNTER_SAMPLE, FLOW_SAMPLE_EXPANDED, COUNTER_SAMPLE_EXPANDED };
enum { RAW_HEADER = 1, ETHERNET_FRAME, IPV4_DATA, IPV6_DATA, GATEWAY = 1003 };
enum { INTERFACE_COUNTERS = 1 };
enum { NO_INTERFACE = 0x3fffffff };

/* What describes a packet best; of the others there is one a sample at most. */
enum best { NOTHING, RAW_FRAME, BARE_FRAME, FIELDS, RAW_PACKET };

struct packet_sample {
	struct flow_record r;
	enum best best;
};

/* An index and what kind it is; the compact form has both in one word. */
struct data_source {
	uint32_t kind, index;
};

static struct data_source read_source(struct reader *r, bool expanded)
{
	const uint32_t first = reader_u32(r);
	if (!expanded)
		return (struct data_source){ .kind = first >> 24, .index = first & 0xffffff };
	return (struct data_source){ .kind = first, .index = reader_u32(r) };
}

/* 0 unless it is one interface: not several, none, or "discarded". */
static uint32_t read_interface(struct reader *r, bool expanded)
{
	const uint32_t first = reader_u32(r);
	const uint32_t format = expanded ? first : first >> 30;
	const uint32_t value = expanded ? reader_u32(r) : first & NO_INTERFACE;
	return format == 0 && value != NO_INTERFACE && value != UINT32_MAX ? value : 0;
}

/* A source's samples are numbered, and it says how many it had to drop. */
static void watch_source(struct flow_datagram *g, struct data_source source, uint32_t sequence,
                         uint32_t drops)
{
	enum { BACK = 64, AHEAD = 1 << 16 };
	const uint64_t key = UINT64_C(1) << 63 | (uint64_t)source.kind << 32 | source.index;
	struct flow_notes *sources = &g->stream->sources;
	const bool known = flow_notes_find(sources, key) != NULL;
	struct flow_note *n = flow_notes_at(sources, key); /* a: next sequence, b: drops */
	if (n == NULL)
		return;
	const uint32_t ahead = sequence - n->a;
	if (known && ahead <= AHEAD)
		g->d->stats.samples_lost += ahead;
	if (known && n->a - sequence - 1 < BACK) { /* overtaken; its drops are old news */
		g->d->stats.samples_late++;
		return;
	}
	if (known && drops - n->b <= INT32_MAX)
		g->d->stats.samples_dropped += drops - n->b;
	n->a = sequence + 1;
	n->b = drops;
}

/* The length an IP header claims is the sender's word; the frame's is the agent's, and may be padded. */
static uint64_t ip_bytes_of(const struct flow_packet *p, uint32_t frame)
{
	const uint32_t room = frame > p->before ? frame - p->before : 0;
	return p->ip_bytes == 0 || (room > 0 && room < p->ip_bytes) ? room : p->ip_bytes;
}

static void read_raw_header(struct reader *r, struct packet_sample *s)
{
	const uint32_t link = reader_u32(r), length = reader_u32(r), stripped = reader_u32(r);
	const uint32_t size = reader_u32(r);
	const uint8_t *bytes = reader_take(r, size);
	const uint32_t frame = length > stripped ? length - stripped : 0;
	struct flow_packet p;
	if (bytes == NULL || s->best >= RAW_PACKET)
		return;
	if (flow_packet_read(reader_over(bytes, size), link, &p)) {
		s->best = RAW_PACKET;
		s->r.from = p.from;
		s->r.to = p.to;
		s->r.from_port = p.from_port;
		s->r.to_port = p.to_port;
		s->r.protocol = p.protocol;
		s->r.bytes = ip_bytes_of(&p, frame);
		s->r.link_bytes = false;
	} else if (s->best < RAW_FRAME) {
		s->best = RAW_FRAME;
		s->r.bytes = frame;
		s->r.link_bytes = true;
	}
}

static void read_ethernet_frame(struct reader *r, struct packet_sample *s)
{
	const uint32_t length = reader_u32(r);
	if (r->bad || s->best >= BARE_FRAME)
		return;
	s->best = BARE_FRAME;
	s->r.bytes = length;
	s->r.link_bytes = true;
}

static void read_fields(struct reader *r, size_t address_size, struct packet_sample *s)
{
	const uint32_t length = reader_u32(r), protocol = reader_u32(r);
	const uint8_t *addresses = reader_take(r, 2 * address_size);
	const uint32_t from_port = reader_u32(r), to_port = reader_u32(r);
	if (r->bad || s->best >= FIELDS)
		return;
	s->best = FIELDS;
	s->r.from = ip_from_bytes(addresses, address_size);
	s->r.to = ip_from_bytes(addresses + address_size, address_size);
	s->r.protocol = (uint8_t)protocol;
	s->r.from_port = (uint16_t)from_port;
	s->r.to_port = (uint16_t)to_port;
	s->r.bytes = length;
	s->r.link_bytes = false;
}

static const uint8_t *read_address(struct reader *r, size_t *size)
{
	const uint32_t kind = reader_u32(r);
	*size = kind == 1 ? 4 : kind == 2 ? 16 : 0;
	if (kind > 2)
		r->bad = true;
	return reader_take(r, *size);
}

/* Where the packet comes from and where it ends, by BGP. */
static void read_gateway(struct reader *r, struct packet_sample *s)
{
	size_t size;
	(void)read_address(r, &size);
	const uint32_t own = reader_u32(r);
	const uint32_t from = reader_u32(r);
	(void)reader_u32(r); /* the peer it came from */
	uint32_t last = own;
	for (uint32_t segments = reader_u32(r); segments > 0 && !r->bad; segments--) {
		(void)reader_u32(r); /* a set or a sequence */
		for (uint32_t n = reader_u32(r); n > 0 && !r->bad; n--)
			last = reader_u32(r);
	}
	if (r->bad)
		return;
	s->r.from_asn = from;
	s->r.to_asn = last;
}

static void read_record(struct reader *r, uint32_t format, struct packet_sample *s)
{
	switch (format) {
	case RAW_HEADER:
		read_raw_header(r, s);
		break;
	case ETHERNET_FRAME:
		read_ethernet_frame(r, s);
		break;
	case IPV4_DATA:
		read_fields(r, 4, s);
		break;
	case IPV6_DATA:
		read_fields(r, 16, s);
		break;
	case GATEWAY:
		read_gateway(r, s);
		break;
	default:
		break;
	}
}

/* The next part that has a format and a length before it: a sample or a record. */
static struct reader next_part(struct reader *r, uint32_t *format)
{
	*format = reader_u32(r);
	const uint32_t length = reader_u32(r);
	const uint8_t *body = reader_take(r, length);
	return body != NULL ? reader_over(body, length) : (struct reader){ .bad = true };
}

static enum err flow_sample(struct flow_datagram *g, struct reader r, bool expanded)
{
	const uint8_t *at = r.at;
	const uint32_t sequence = reader_u32(&r);
	const struct data_source source = read_source(&r, expanded);
	const uint32_t sampling = reader_u32(&r);
	(void)reader_u32(&r); /* the pool: packets that might have been taken */
	const uint32_t drops = reader_u32(&r);
	struct packet_sample s = { .r = { .packets = 1 } };
	s.r.in_if = read_interface(&r, expanded);
	s.r.out_if = read_interface(&r, expanded);
	s.r.first_ms = s.r.last_ms = g->now_ms;
	s.r.egress = source.kind == 0 && source.index > 0 && source.index == s.r.out_if &&
	             source.index != s.r.in_if;
	for (uint32_t records = reader_u32(&r); records > 0; records--) {
		uint32_t format;
		struct reader part = next_part(&r, &format);
		read_record(&part, format, &s);
		if (part.bad)
			return flow_fault(g, ERR_MALFORMED, at, "a record ends behind its sample");
	}
	if (r.bad)
		return flow_fault(g, ERR_MALFORMED, at, "the sample ends early");
	watch_source(g, source, sequence, drops);
	if (s.best == NOTHING || s.r.bytes == 0)
		g->d->stats.other++;
	else
		flow_deliver(
			g, &s.r,
			(struct flow_rate){ .of = sampling > 0 ? sampling : g->d->limits.sampling,
		                            .taken = 1 });
	return ERR_OK;
}

/* Three kinds of packets; the agent says "all ones" of those it does not count. */
static uint64_t read_packets(struct reader *r)
{
	uint64_t sum = 0;
	for (unsigned i = 0; i < 3; i++) {
		const uint32_t n = reader_u32(r);
		sum += n != UINT32_MAX ? n : 0;
	}
	return sum;
}

static struct flow_counter read_counters(struct reader *r)
{
	struct flow_counter c = { .ifindex = reader_u32(r) };
	(void)reader_u32(r); /* type */
	c.speed_bps = reader_u64(r);
	(void)reader_u64(r); /* duplex, state */
	c.in_bytes = reader_u64(r);
	c.in_packets = read_packets(r);
	(void)reader_take(r, 12); /* discards, errors, unknown protocols */
	c.out_bytes = reader_u64(r);
	c.out_packets = read_packets(r);
	return c;
}

static enum err counter_sample(struct flow_datagram *g, struct reader r, bool expanded)
{
	const uint8_t *at = r.at;
	const uint32_t sequence = reader_u32(&r);
	(void)read_source(&r, expanded);
	for (uint32_t records = reader_u32(&r); records > 0; records--) {
		uint32_t format;
		struct reader part = next_part(&r, &format);
		if (!part.bad && format != INTERFACE_COUNTERS)
			continue;
		struct flow_counter c = read_counters(&part);
		if (part.bad)
			return flow_fault(g, ERR_MALFORMED, at, "a record ends behind its sample");
		if (c.in_bytes == UINT64_MAX || c.out_bytes == UINT64_MAX) /* not counted */
			continue;
		c.sequence = sequence;
		c.uptime_ms = g->uptime;
		c.at_ms = g->now_ms;
		g->d->stats.counters++;
		if (g->sink->counter != NULL)
			g->sink->counter(g->sink->ctx, &g->stream->source, &c);
	}
	return r.bad ? flow_fault(g, ERR_MALFORMED, at, "the sample ends early") : ERR_OK;
}

static enum err sample(struct flow_datagram *g)
{
	const uint8_t *at = g->all.at;
	uint32_t format;
	const struct reader body = next_part(&g->all, &format);
	if (body.bad)
		return flow_fault(g, ERR_TRUNCATED, at, "the sample ends behind the datagram");
	switch (format) {
	case FLOW_SAMPLE:
	case FLOW_SAMPLE_EXPANDED:
		return flow_sample(g, body, format == FLOW_SAMPLE_EXPANDED);
	case COUNTER_SAMPLE:
	case COUNTER_SAMPLE_EXPANDED:
		return counter_sample(g, body, format == COUNTER_SAMPLE_EXPANDED);
	default:
		g->d->stats.samples_skipped++;
		return ERR_OK;
	}
}

enum err flow_sflow5(struct flow_datagram *g)
{
	struct reader *r = &g->all;
	size_t size;
	(void)reader_u32(r);
	const uint8_t *address = read_address(r, &size);
	const uint32_t sub_agent = reader_u32(r), sequence = reader_u32(r);
	g->uptime = reader_u32(r);
	const uint32_t samples = reader_u32(r);
	if (r->bad)
		return flow_fault(g, ERR_TRUNCATED, g->start, "ends in the header");
	const struct ip_addr agent = size > 0 ? ip_from_bytes(address, size) : *g->exporter;
	g->stream = flow_stream_of(g, FLOW_SFLOW5, &agent, sub_agent);
	if (g->stream == NULL)
		return ERR_NOMEM;
	enum err e = ERR_OK;
	for (uint32_t i = 0; i < samples && e == ERR_OK; i++)
		e = sample(g);
	flow_heard_sequence(g, FLOW_BY_DATAGRAM, sequence, 1);
	return e;
}
