/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Datagrams made by hand, and what a decoder made of them. */

#include "common/base/cursor.h"
#include "common/codec/flow/flow.h"

#include "tests/unit/test.h"

#include <string.h>

enum { KEPT_MAX = 64, NOW_S = 1800000000 };
static const int64_t NOW_MS = (int64_t)NOW_S * 1000;

struct bench {
	struct flow_decoder *d;
	struct ip_addr exporter;
	int64_t now_ms;
	uint8_t bytes[4096];
	struct writer w;
	struct fault fault;
	/* What came out; `count` may be more than is kept. */
	struct flow_source source;
	struct flow_record records[KEPT_MAX];
	struct flow_counter counters[KEPT_MAX];
	size_t count, counter_count;
	uint64_t bytes_sum, packets_sum, lost;
	uint64_t octets; /* of all counters, in and out */
};

static inline void keep_record(void *ctx, const struct flow_source *s, const struct flow_record *r)
{
	struct bench *b = ctx;
	b->source = *s;
	if (b->count < KEPT_MAX)
		b->records[b->count] = *r;
	b->count++;
	b->bytes_sum += r->bytes;
	b->packets_sum += r->packets;
}

static inline void keep_counter(void *ctx, const struct flow_source *s,
                                const struct flow_counter *c)
{
	struct bench *b = ctx;
	b->source = *s;
	if (b->counter_count < KEPT_MAX)
		b->counters[b->counter_count] = *c;
	b->counter_count++;
	b->octets += c->in_bytes + c->out_bytes;
}

static inline void keep_gap(void *ctx, const struct flow_source *s, uint64_t lost)
{
	struct bench *b = ctx;
	b->source = *s;
	b->lost += lost;
}

static inline void begin(struct bench *b, const struct flow_limits *limits)
{
	*b = (struct bench){ .d = flow_decoder_new(limits != NULL ? limits
		                                                  : &(struct flow_limits){ 0 }),
		             .exporter = ip_v4(0xc0000201),
		             .now_ms = NOW_MS };
	assert_non_null(b->d);
	b->w = writer_over(b->bytes, sizeof(b->bytes));
}

static inline void end(struct bench *b)
{
	flow_decoder_free(b->d);
}

/* Decodes an exact copy, so that a sanitizer sees the first byte past the end. */
static inline enum err decode(struct bench *b, const void *bytes, size_t size)
{
	const struct flow_sink sink = {
		.ctx = b, .record = keep_record, .counter = keep_counter, .gap = keep_gap
	};
	uint8_t *copy = malloc(size > 0 ? size : 1);
	assert_non_null(copy);
	if (size > 0)
		memcpy(copy, bytes, size);
	b->fault = (struct fault){ 0 };
	const enum err e = flow_decode(b->d, &b->exporter, copy, size, b->now_ms, &sink, &b->fault);
	free(copy);
	return e;
}

/* What was written since the last one; forgets what came out before. */
static inline enum err send_it(struct bench *b)
{
	const size_t size = writer_size(&b->w);
	assert_true(size > 0);
	b->count = b->counter_count = 0;
	b->bytes_sum = b->packets_sum = b->lost = 0;
	b->w = writer_over(b->bytes, sizeof(b->bytes));
	return decode(b, b->bytes, size);
}

static inline void u8(struct bench *b, unsigned v)
{
	writer_u8(&b->w, (uint8_t)v);
}

static inline void u16(struct bench *b, unsigned v)
{
	writer_u16(&b->w, (uint16_t)v);
}

static inline void u32(struct bench *b, uint64_t v)
{
	writer_u32(&b->w, (uint32_t)v);
}

static inline void u64(struct bench *b, uint64_t v)
{
	writer_u64(&b->w, v);
}

static inline struct ip_addr addr(const char *text)
{
	struct ip_addr a;
	assert_int_equal(ip_parse(text, &a), ERR_OK);
	return a;
}

static inline void address(struct bench *b, const char *text)
{
	const struct ip_addr a = addr(text);
	writer_bytes(&b->w, a.bytes, ip_size(&a));
}

static inline void assert_address(const struct ip_addr *a, const char *text)
{
	char printed[IP_TEXT_SIZE] = "none";
	if (a->family != IP_NONE)
		ip_print(a, printed);
	assert_string_equal(printed, text);
}

static inline void assert_ok(struct bench *b, enum err e)
{
	if (e != ERR_OK)
		fail_msg("%s: %s: %s", err_name(e), b->fault.where, b->fault.text);
}
