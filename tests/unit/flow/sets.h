/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Sets of NetFlow v9 and IPFIX, made by hand. */

#include "tests/unit/flow/build.h"

enum { DOMAIN = 7, UPTIME = 3600000 };

static inline void v9_header(struct bench *b, uint32_t sequence)
{
	u16(b, 9);
	u16(b, 1); /* nobody believes it */
	u32(b, UPTIME);
	u32(b, NOW_S);
	u32(b, sequence);
	u32(b, DOMAIN);
}

/* The length is set when it is sent. */
static inline void ipfix_header(struct bench *b, uint32_t sequence)
{
	u16(b, 10);
	u16(b, 0);
	u32(b, NOW_S);
	u32(b, sequence);
	u32(b, DOMAIN);
}

static inline enum err send_ipfix(struct bench *b)
{
	const size_t size = writer_size(&b->w);
	b->bytes[2] = (uint8_t)(size >> 8);
	b->bytes[3] = (uint8_t)size;
	return send_it(b);
}

/* A set begins; set_end() writes its length. */
static inline size_t set_begin(struct bench *b, unsigned id)
{
	const size_t at = writer_size(&b->w);
	u16(b, id);
	u16(b, 0);
	return at;
}

static inline void set_end(struct bench *b, size_t at)
{
	const size_t size = writer_size(&b->w) - at;
	b->bytes[at + 2] = (uint8_t)(size >> 8);
	b->bytes[at + 3] = (uint8_t)size;
}

/* A field of a definition; `enterprise` 0 is IANA's. */
struct spec {
	unsigned id, length;
	uint32_t enterprise;
};

static inline void put_spec(struct bench *b, struct spec s)
{
	u16(b, s.enterprise > 0 ? s.id | 0x8000 : s.id);
	u16(b, s.length);
	if (s.enterprise > 0)
		u32(b, s.enterprise);
}

/* A set of one template. */
static inline void put_template(struct bench *b, unsigned set, unsigned id,
                                const struct spec *specs, size_t count)
{
	const size_t at = set_begin(b, set);
	u16(b, id);
	u16(b, (unsigned)count);
	for (size_t i = 0; i < count; i++)
		put_spec(b, specs[i]);
	set_end(b, at);
}

/* A set of one options template, the first `scopes` of the fields being scopes. */
static inline void put_options(struct bench *b, bool ipfix, unsigned id, const struct spec *specs,
                               size_t scopes, size_t count)
{
	const size_t at = set_begin(b, ipfix ? 3 : 1);
	u16(b, id);
	u16(b, (unsigned)(ipfix ? count : 4 * scopes));
	u16(b, (unsigned)(ipfix ? scopes : 4 * (count - scopes)));
	for (size_t i = 0; i < count; i++)
		put_spec(b, specs[i]);
	set_end(b, at);
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
