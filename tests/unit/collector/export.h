/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* NetFlow v5 datagrams, as an exporter would make them. */

#include "common/base/cursor.h"

struct export_flow {
	uint32_t from, to; /* IPv4, host order */
	uint16_t in_if, out_if, from_port, to_port;
	uint32_t packets, bytes;
	uint32_t first_ms, last_ms; /* before the export */
};

enum { EXPORT_MAX = 24 + 30 * 48 };

static inline size_t export_v5(uint8_t out[static EXPORT_MAX], const struct export_flow *flows,
                               size_t n, int64_t now, uint32_t sequence, uint16_t sampling)
{
	enum { UPTIME = 100000000 };
	struct writer w = writer_over(out, EXPORT_MAX);
	writer_u16(&w, 5);
	writer_u16(&w, (uint16_t)n);
	writer_u32(&w, UPTIME);
	writer_u32(&w, (uint32_t)now);
	writer_u32(&w, 0);
	writer_u32(&w, sequence);
	writer_u16(&w, 0);
	writer_u16(&w, sampling > 1 ? (uint16_t)(1U << 14 | sampling) : 0);
	for (size_t i = 0; i < n; i++) {
		const struct export_flow *f = &flows[i];
		writer_u32(&w, f->from);
		writer_u32(&w, f->to);
		writer_u32(&w, 0);
		writer_u16(&w, f->in_if);
		writer_u16(&w, f->out_if);
		writer_u32(&w, f->packets);
		writer_u32(&w, f->bytes);
		writer_u32(&w, UPTIME - f->first_ms);
		writer_u32(&w, UPTIME - f->last_ms);
		writer_u16(&w, f->from_port);
		writer_u16(&w, f->to_port);
		writer_u32(&w, 0x00000600); /* padding, flags, TCP, tos */
		writer_u32(&w, 0);
		writer_u32(&w, 0);
	}
	return writer_size(&w);
}
