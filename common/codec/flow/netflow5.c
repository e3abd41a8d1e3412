/* SPDX-License-Identifier: Apache-2.0 */

/* NetFlow v5: a header of 24 bytes and up to 30 records of 48; IPv4 only. As Cisco documents it. */

#include "common/codec/flow/decoder.h"

enum { RECORD_SIZE = 48 };

/* The exporter's sampling interval; nobody says 1, most say 0 when they do not sample. */
static struct flow_rate rate_of(const struct flow_datagram *g, uint16_t sampling)
{
	/* The two bits above are the mode; exporters leave them 0 and sample all the same. */
	const uint32_t interval = sampling & 0x3fff;
	return (struct flow_rate){ .of = interval > 0 ? interval : g->d->limits.sampling,
		                   .taken = 1 };
}

static void read_record(struct flow_datagram *g, struct flow_rate rate)
{
	struct reader *r = &g->all;
	struct flow_record f = { .from = ip_v4(reader_u32(r)) };
	f.to = ip_v4(reader_u32(r));
	(void)reader_u32(r); /* next hop */
	f.in_if = reader_u16(r);
	f.out_if = reader_u16(r);
	f.packets = reader_u32(r);
	f.bytes = reader_u32(r);
	f.first_ms = flow_since_start(g, reader_u32(r));
	f.last_ms = flow_since_start(g, reader_u32(r));
	f.from_port = reader_u16(r);
	f.to_port = reader_u16(r);
	(void)reader_u16(r); /* padding, TCP flags */
	f.protocol = reader_u8(r);
	(void)reader_u8(r); /* type of service */
	f.from_asn = reader_u16(r);
	f.to_asn = reader_u16(r);
	(void)reader_u32(r); /* prefix lengths, padding */
	flow_deliver(g, &f, rate);
}

enum err flow_netflow5(struct flow_datagram *g)
{
	struct reader *r = &g->all;
	(void)reader_u16(r);
	const uint16_t count = reader_u16(r);
	g->uptime = reader_u32(r);
	const int64_t seconds = reader_u32(r);
	const uint32_t nanoseconds = reader_u32(r);
	const uint32_t sequence = reader_u32(r), engine = reader_u16(r);
	const struct flow_rate rate = rate_of(g, reader_u16(r));
	if (r->bad)
		return flow_fault(g, ERR_TRUNCATED, g->start, "ends in the header");
	if (count == 0 || reader_left(r) / RECORD_SIZE < count)
		return flow_fault(g, ERR_MALFORMED, g->start + 2,
		                  "the count of records does not fit the length");
	g->export_ms = seconds * 1000 + nanoseconds / 1000000 % 1000;
	g->stream = flow_stream_of(g, FLOW_NETFLOW5, NULL, engine);
	if (g->stream == NULL)
		return ERR_NOMEM;
	for (unsigned i = 0; i < count; i++)
		read_record(g, rate);
	flow_heard_sequence(g, FLOW_BY_RECORD, sequence, count);
	return ERR_OK;
}
