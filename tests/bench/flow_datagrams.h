/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Datagrams as exporters send them, for benches; the records are those of softflowd, 50 bytes each. */

#include "common/base/cursor.h"
#include "common/base/err.h"
#include "common/base/random.h"

#include <stdio.h>
#include <stdlib.h>

enum { DATAGRAMS = 256, DATAGRAM_MAX = 2048, TEMPLATE_ID = 1024 };

/* What is sent: `version` 5 is sFlow when `sflow` is set. */
struct workload {
	const char *name;
	unsigned version, records;
	bool templates; /* in each datagram; else in the first only */
	bool sflow;
};

static const struct workload workloads[] = {
	{ .name = "netflow5", .version = 5, .records = 30 },
	{ .name = "netflow9", .version = 9, .records = 27 },
	{ .name = "netflow9-templates", .version = 9, .records = 27, .templates = true },
	{ .name = "netflow9-softflowd", .version = 9, .records = 2, .templates = true },
	{ .name = "ipfix", .version = 10, .records = 27 },
	{ .name = "ipfix-templates", .version = 10, .records = 27, .templates = true },
	{ .name = "ipfix-softflowd", .version = 10, .records = 2, .templates = true },
	{ .name = "sflow5", .version = 5, .records = 7, .sflow = true },
};
enum { WORKLOADS = sizeof(workloads) / sizeof(workloads[0]) };

struct datagrams {
	const struct workload *w;
	size_t sizes[DATAGRAMS + 1];
	uint8_t bytes[DATAGRAMS + 1][DATAGRAM_MAX]; /* the first has but templates */
	uint32_t sequence;
};

/* Addresses first; v4 or v6. */
static inline void put_definition(struct writer *w, uint16_t id, bool six, bool icmp)
{
	static const uint16_t fields[][2] = { { 152, 8 }, { 153, 8 }, { 1, 4 },  { 2, 4 },
		                              { 10, 4 },  { 14, 4 },  { 7, 2 },  { 11, 2 },
		                              { 4, 1 },   { 6, 1 },   { 60, 1 }, { 5, 1 },
		                              { 136, 1 }, { 61, 1 } };
	enum { FIELDS = sizeof(fields) / sizeof(fields[0]) };
	writer_u16(w, id);
	writer_u16(w, FIELDS + 2);
	for (unsigned i = 0; i < 2; i++) {
		writer_u16(w, (uint16_t)(six ? 27 + i : i == 0 ? 8 : 12));
		writer_u16(w, six ? 16 : 4);
	}
	for (unsigned i = 0; i < FIELDS; i++) {
		/* An ICMP flow has its type where others have their ports. */
		writer_u16(w, icmp && fields[i][0] == 11 ? 32 : fields[i][0]);
		writer_u16(w, fields[i][1]);
	}
}

static inline void set_size(uint8_t *at, const struct writer *w)
{
	const uint16_t size = htobe16((uint16_t)(w->at - at));
	memcpy(at + 2, &size, sizeof(size));
}

static inline void put_templates(struct writer *w, unsigned version)
{
	uint8_t *at = w->at;
	writer_u16(w, version == 10 ? 2 : 0);
	writer_u16(w, 0);
	put_definition(w, TEMPLATE_ID, false, false);
	put_definition(w, TEMPLATE_ID + 1, false, true);
	put_definition(w, 2 * TEMPLATE_ID, true, false);
	put_definition(w, 2 * TEMPLATE_ID + 1, true, true);
	set_size(at, w);
}

static inline void put_flow(struct writer *w, uint64_t *seed)
{
	writer_u32(w, 0x0a000000 + random_below(seed, 1 << 24));
	writer_u32(w, 0xc6336400 + random_below(seed, 256));
	writer_u64(w, 1800000000000 + random_below(seed, 10000));
	writer_u64(w, 1800000010000 + random_below(seed, 10000));
	writer_u32(w, 40 + random_below(seed, 1 << 20));
	writer_u32(w, 1 + random_below(seed, 1000));
	writer_u32(w, 17);
	writer_u32(w, 18);
	writer_u16(w, (uint16_t)random_below(seed, 65536));
	writer_u16(w, 443);
	writer_u8(w, 6);
	writer_u8(w, 0x18);
	writer_u8(w, 4);
	writer_u8(w, 0);
	writer_u8(w, 3);
	writer_u8(w, 0);
}

static inline void put_flow5(struct writer *w, uint64_t *seed)
{
	writer_u32(w, 0x0a000000 + random_below(seed, 1 << 24));
	writer_u32(w, 0xc6336400 + random_below(seed, 256));
	writer_u32(w, 0);
	writer_u32(w, 17 << 16 | 18);
	writer_u32(w, 1 + random_below(seed, 1000));
	writer_u32(w, 40 + random_below(seed, 1 << 20));
	writer_u32(w, 3500000);
	writer_u32(w, 3590000);
	writer_u32(w, 443);
	writer_u32(w, 0x00180600);
	writer_u32(w, 0);
	writer_u32(w, 0);
}

/* A packet over Ethernet, its first 128 bytes, and the VLANs it came from and went to. */
static inline void put_sample(struct writer *w, uint32_t sequence, uint64_t *seed)
{
	static const uint32_t head[] = { 17, 1000,     1000000, 0,    17, 18, 2,
		                         1,  16 + 128, 1,       1518, 4,  128 };
	writer_u32(w, 1);
	writer_u32(w, 8 * 4 + 8 + 16 + 128 + 8 + 16);
	writer_u32(w, sequence);
	for (unsigned i = 0; i < sizeof(head) / sizeof(head[0]); i++)
		writer_u32(w, head[i]);
	uint8_t *frame = w->at;
	for (unsigned i = 0; i < 128; i++)
		writer_u8(w, 0);
	struct writer f = writer_over(frame, 128);
	writer_u64(&f, random_next(seed));
	writer_u32(&f, 0);
	writer_u16(&f, 0x0800);
	writer_u32(&f, 0x450005dc);
	writer_u32(&f, 0);
	writer_u32(&f, 0x40060000);
	writer_u32(&f, 0x0a000000 + random_below(seed, 1 << 24));
	writer_u32(&f, 0xc6336407);
	writer_u32(&f, 443 << 16 | 50000);
	writer_u32(w, 1001);
	writer_u32(w, 16);
	writer_u64(w, 0);
	writer_u64(w, 0);
}

static inline void put_head(struct writer *w, const struct workload *l)
{
	const bool five = l->version == 5;
	if (l->sflow) {
		writer_u64(w, UINT64_C(5) << 32 | 1);
		writer_u64(w, UINT64_C(0x0aff0001) << 32);
		writer_u64(w, 3600000); /* the sequence, set when it is sent, and uptime */
		writer_u32(w, l->records);
		return;
	}
	writer_u16(w, (uint16_t)l->version);
	writer_u16(w, (uint16_t)l->records);
	if (l->version != 10)
		writer_u32(w, 3600000);
	writer_u32(w, 1800000020);
	if (five)
		writer_u32(w, 0);
	writer_u64(w, 0);
}

static inline size_t make_datagram(uint8_t *bytes, const struct workload *l, bool templates,
                                   unsigned records, uint64_t *seed)
{
	struct writer w = writer_over(bytes, DATAGRAM_MAX);
	put_head(&w, l);
	if (templates)
		put_templates(&w, l->version);
	uint8_t *set = w.at;
	if (l->version != 5 && records > 0) {
		writer_u16(&w, TEMPLATE_ID);
		writer_u16(&w, 0);
	}
	for (unsigned i = 0; i < records; i++)
		if (l->sflow)
			put_sample(&w, i, seed);
		else if (l->version == 5)
			put_flow5(&w, seed);
		else
			put_flow(&w, seed);
	if (l->version != 5 && records > 0)
		set_size(set, &w);
	if (l->version == 10)
		set_size(bytes, &w);
	must(!w.bad);
	return writer_size(&w);
}

/* The caller frees it. The first datagram has the templates, if the protocol has any. */
static inline struct datagrams *datagrams_new(const struct workload *l)
{
	struct datagrams *g = calloc(1, sizeof(*g));
	uint64_t seed = 7;
	must(g != NULL);
	g->w = l;
	const bool defined = l->version != 5;
	g->sizes[0] = defined ? make_datagram(g->bytes[0], l, true, 0, &seed) : 0;
	for (unsigned i = 1; i <= DATAGRAMS; i++)
		g->sizes[i] = make_datagram(g->bytes[i], l, l->templates, l->records, &seed);
	return g;
}

/* Numbers datagram `i` as the next one its exporter sends. */
static inline void datagram_number(struct datagrams *g, unsigned i)
{
	const unsigned version = g->w->version;
	const size_t at = version == 10 ? 8 : version == 9 ? 12 : 16;
	const uint32_t sequence = htobe32(g->sequence);
	memcpy(g->bytes[i] + at, &sequence, sizeof(sequence));
	if (version == 9 || g->w->sflow)
		g->sequence++;
	else
		g->sequence += i > 0 ? g->w->records : 0;
}
