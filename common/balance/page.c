/* SPDX-License-Identifier: Apache-2.0 */
#include "common/balance/page.h"

#include "common/balance/quality.h"

enum { VERSION = 1, PACKETS = 64, P2P = 128 };

_Static_assert((int)BIN_QUALITY_ALL < (int)PACKETS, "the flags of a bin share one byte");

struct page_writer page_begin(struct text *out, int64_t first, uint32_t seconds)
{
	text_add(out, &(const uint8_t){ VERSION }, 1);
	return (struct page_writer){ .out = out, .seconds = seconds, .end = first };
}

void page_add(struct page_writer *p, const struct bin_total *bin)
{
	must(bin->start >= p->end && bin->quality <= BIN_QUALITY_ALL);
	const uint8_t head =
		(uint8_t)(bin->quality | (bin->packets ? PACKETS : 0) | (bin->p2p ? P2P : 0));
	text_add(p->out, &head, 1);
	varint_put(p->out, (wide)(bin->start - p->end));
	varint_put(p->out, bin->out);
	varint_put(p->out, bin->in);
	if (bin->packets) {
		varint_put(p->out, bin->out_packets);
		varint_put(p->out, bin->in_packets);
	}
	if (bin->p2p) {
		varint_put(p->out, bin->out_p2p);
		varint_put(p->out, bin->in_p2p);
	}
	p->end = bin->start + p->seconds;
}

struct page_reader page_open(const void *bytes, size_t size, int64_t first, uint32_t seconds)
{
	struct page_reader p = { .bytes = reader_over(bytes, size),
		                 .seconds = seconds,
		                 .end = first };
	p.bytes.bad = reader_u8(&p.bytes) != VERSION;
	return p;
}

bool page_next(struct page_reader *p, struct bin_total *out)
{
	struct reader *r = &p->bytes;
	if (reader_left(r) == 0)
		return false;
	const uint8_t head = reader_u8(r);
	const uint64_t gap = varint_get64(r);
	*out = (struct bin_total){ .quality = head & BIN_QUALITY_ALL,
		                   .packets = (head & PACKETS) != 0,
		                   .p2p = (head & P2P) != 0 };
	out->out = varint_get(r);
	out->in = varint_get(r);
	if (out->packets) {
		out->out_packets = varint_get(r);
		out->in_packets = varint_get(r);
	}
	if (out->p2p) {
		out->out_p2p = varint_get(r);
		out->in_p2p = varint_get(r);
	}
	r->bad |= gap > INT32_MAX;
	if (r->bad)
		return false;
	out->start = p->end + (int64_t)gap;
	p->end = out->start + p->seconds;
	return true;
}
