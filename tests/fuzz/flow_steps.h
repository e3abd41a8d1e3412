/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Datagrams of flow exports in a row, since a template in one is what another is read by, and what must
 * hold of whatever comes out.
 *
 * A step is a byte (two bits: which of four exporters; six: minutes since the last step), a length of two
 * bytes, and the datagram. The corpus of the fuzz target `flow` is made of such rows.
 */

#include "common/base/cursor.h"
#include "common/codec/flow/flow.h"

#include <stdlib.h>

struct flow_step {
	const uint8_t *bytes;
	size_t size;
	unsigned exporter, minutes;
};

/* The next step; the last one may be cut short. False at the end. */
static inline bool flow_step_next(struct reader *r, struct flow_step *s)
{
	const uint8_t head = reader_u8(r);
	const size_t size = reader_u16(r), left = reader_left(r);
	*s = (struct flow_step){ .size = size < left ? size : left,
		                 .exporter = head & 3,
		                 .minutes = head >> 2 };
	s->bytes = reader_take(r, s->size);
	return !r->bad;
}

static inline void flow_check_record(void *ctx, const struct flow_source *s,
                                     const struct flow_record *r)
{
	uint64_t *count = ctx;
	must(s->protocol < FLOW_PROTOCOLS);
	must(ip_size(&r->from) > 0 || r->from.family == IP_NONE);
	must(ip_size(&r->to) > 0 || r->to.family == IP_NONE);
	must(r->bytes > 0 || s->protocol == FLOW_NETFLOW5);
	must(r->sampling >= 1 && r->first_ms <= r->last_ms);
	++*count;
}

static inline void flow_check_counter(void *ctx, const struct flow_source *s,
                                      const struct flow_counter *c)
{
	uint64_t *count = ctx;
	must(s->protocol == FLOW_SFLOW5);
	must(c->in_bytes != UINT64_MAX && c->out_bytes != UINT64_MAX);
	++*count;
}

static inline void flow_check_gap(void *ctx, const struct flow_source *s, uint64_t lost)
{
	uint64_t *count = ctx;
	must(s->protocol < FLOW_PROTOCOLS && lost > 0);
	++*count;
}

/* Decodes a copy of just its size, so that a sanitizer sees the first byte past the end. */
static inline enum err flow_try(struct flow_decoder *d, const struct flow_step *s, int64_t now_ms,
                                uint64_t *count)
{
	const struct flow_sink sink = { .ctx = count,
		                        .record = flow_check_record,
		                        .counter = flow_check_counter,
		                        .gap = flow_check_gap };
	const struct ip_addr from = ip_v4(0xc0000200 + s->exporter);
	struct fault f = { .code = ERR_OK };
	uint8_t *copy = malloc(s->size > 0 ? s->size : 1);
	must(copy != NULL);
	if (s->size > 0)
		memcpy(copy, s->bytes, s->size);
	const enum err e = flow_decode(d, &from, copy, s->size, now_ms, &sink, &f);
	must(e == f.code && (e == ERR_OK || f.where[0] != '\0'));
	free(copy);
	return e;
}

static inline void flow_check_stats(const struct flow_decoder *d, const struct flow_limits *l)
{
	const struct flow_stats s = flow_decoder_stats(d);
	must(s.exporters <= l->exporters && s.domains <= s.exporters * l->domains);
	must(s.templates <= s.exporters * l->templates);
	must(s.learnt >= s.templates + s.withdrawn + s.expired + s.evicted);
}
