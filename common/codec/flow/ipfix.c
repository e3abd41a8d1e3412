/* SPDX-License-Identifier: Apache-2.0 */

/* IPFIX: RFC 7011. Its sequence counts the data records sent before. */

#include "common/codec/flow/sets.h"

enum { HEAD = 16 };

enum err flow_ipfix(struct flow_datagram *g)
{
	struct reader *r = &g->all;
	(void)reader_u16(r);
	const uint16_t length = reader_u16(r);
	g->export_ms = (int64_t)reader_u32(r) * 1000;
	const uint32_t sequence = reader_u32(r), domain = reader_u32(r);
	if (r->bad)
		return flow_fault(g, ERR_TRUNCATED, g->start, "ends in the header");
	if (length < HEAD || (size_t)length - HEAD > reader_left(r))
		return flow_fault(g, ERR_MALFORMED, g->start + 2,
		                  "the length is not that of the datagram");
	r->end = g->start + length;
	g->stream = flow_stream_of(g, FLOW_IPFIX, NULL, domain);
	if (g->stream == NULL)
		return ERR_NOMEM;
	const enum err e = flow_sets(g);
	flow_heard_sequence(g, FLOW_BY_RECORD, sequence, g->records);
	if (e != ERR_OK || g->uncounted)
		flow_sequence_forget(&g->stream->sequence);
	return e;
}
