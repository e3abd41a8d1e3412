/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A day of one interconnect and source, packed: its bins with all nodes summed, a dozen bytes each
 * instead of a hundred in a table. What a page says is exactly what the bins say.
 *
 * A byte for the version, then for each bin in the order of time: a byte of quality flags (6 bits) and
 * of what was measured (packets, peer-to-peer), the seconds between the end of the bin before (or the
 * page's beginning) and this one, bytes out and in, packets, peer-to-peer bytes; numbers as in varint.h.
 *
 * Pure. Bytes that are no page make page_next() say so; no more is read than there is.
 */

#include "common/balance/varint.h"

#include <stdbool.h>

/* One bin, nodes summed. */
struct bin_total {
	int64_t start;
	unsigned quality;  /* of any node */
	bool packets, p2p; /* measured by every node that saw the bin; otherwise the sums are 0 */
	wide out, in;
	wide out_packets, in_packets;
	wide out_p2p, in_p2p;
};

struct page_writer {
	struct text *out; /* borrowed; appended to */
	int64_t seconds;
	int64_t end; /* of what was written */
};
struct page_writer page_begin(struct text *out, int64_t first, uint32_t seconds);
/* Bins come in the order of time and do not overlap. */
void page_add(struct page_writer *p, const struct bin_total *bin);

struct page_reader {
	struct reader bytes;
	int64_t seconds, end;
};
struct page_reader page_open(const void *bytes, size_t size, int64_t first, uint32_t seconds);
/* false: the end, or not a page: then p->bytes.bad. */
bool page_next(struct page_reader *p, struct bin_total *out);
