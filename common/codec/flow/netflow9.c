/* SPDX-License-Identifier: Apache-2.0 */

/* NetFlow v9: RFC 3954. Its sequence counts datagrams; its count of records is often wrong, and not used. */

#include "common/codec/flow/sets.h"

enum err flow_netflow9(struct flow_datagram *g)
{
	struct reader *r = &g->all;
	(void)reader_u32(r);
	g->uptime = reader_u32(r);
	g->export_ms = (int64_t)reader_u32(r) * 1000;
	const uint32_t sequence = reader_u32(r), domain = reader_u32(r);
	if (r->bad)
		return flow_fault(g, ERR_TRUNCATED, g->start, "ends in the header");
	g->stream = flow_stream_of(g, FLOW_NETFLOW9, NULL, domain);
	if (g->stream == NULL)
		return ERR_NOMEM;
	const enum err e = flow_sets(g);
	flow_heard_sequence(g, FLOW_BY_DATAGRAM, sequence, 1);
	return e;
}
