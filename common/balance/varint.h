/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Whole numbers of any size up to 128 bits in as few bytes as they need: seven bits a byte, the lowest
 * first, the top bit says that more follow (LEB128). For packed figures of our own.
 *
 * Pure.
 */

#include "common/base/cursor.h"
#include "common/base/text.h"

__extension__ typedef unsigned __int128 wide; /* a sum of 64-bit counts */

enum { VARINT_MAX = 19 };

static inline void varint_put(struct text *t, wide n)
{
	uint8_t bytes[VARINT_MAX];
	size_t size = 0;
	for (; n > 0x7f; n >>= 7)
		bytes[size++] = (uint8_t)(n & 0x7f) | 0x80;
	bytes[size++] = (uint8_t)n;
	text_add(t, bytes, size);
}

/* Beyond 64 bits, or at the end of the buffer; `r` as it was before the number. */
static inline wide varint_get_slowly_(struct reader *r)
{
	wide n = 0;
	for (unsigned shift = 0; shift < 7 * VARINT_MAX; shift += 7) {
		const uint8_t byte = reader_u8(r);
		/* The last of 19 bytes has room for two bits. */
		if (shift == 7 * (VARINT_MAX - 1) && byte > 3)
			break;
		n |= (wide)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return n;
	}
	r->bad = true;
	return 0;
}

static inline wide varint_get(struct reader *r)
{
	uint64_t n = 0;
	if (!r->bad && r->end - r->at >= 9) {
		for (unsigned i = 0; i < 9; i++) {
			n |= (uint64_t)(r->at[i] & 0x7f) << (7 * i);
			if (r->at[i] < 0x80) {
				r->at += i + 1;
				return n;
			}
		}
	}
	return varint_get_slowly_(r);
}

/* For what cannot be more than 64 bits; more is bad. */
static inline uint64_t varint_get64(struct reader *r)
{
	const wide n = varint_get(r);
	r->bad |= n > UINT64_MAX;
	return r->bad ? 0 : (uint64_t)n;
}
