/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Bounds-checked cursors over a packet.
 *
 * A cursor that would step past its end turns bad and stays bad: later reads yield zero,
 * later writes do nothing. So a codec reads a whole packet straight down and asks once, at
 * the end. Integers are big-endian, as on the wire.
 *
 * Ownership: a cursor borrows its buffer. Threading: a cursor belongs to one thread.
 */

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct reader {
	const uint8_t *at;
	const uint8_t *end;
	bool bad;
};

static inline struct reader reader_over(const void *data, size_t size)
{
	const uint8_t *p = data;
	/* Nothing may be NULL, and NULL + 0 is undefined. */
	return (struct reader){ .at = p, .end = size > 0 ? p + size : p };
}

static inline size_t reader_left(const struct reader *r)
{
	return r->bad ? 0 : (size_t)(r->end - r->at);
}

/* The next `n` bytes, still inside the buffer, or NULL. */
static inline const uint8_t *reader_take(struct reader *r, size_t n)
{
	if (r->bad || reader_left(r) < n) {
		r->bad = true;
		return NULL;
	}
	const uint8_t *p = r->at;
	r->at += n;
	return p;
}

/* Copies `n` bytes to `out`, or zeroes it. */
static inline void reader_copy(struct reader *r, void *out, size_t n)
{
	const uint8_t *p = reader_take(r, n);
	if (p != NULL)
		memcpy(out, p, n);
	else
		memset(out, 0, n);
}

static inline uint8_t reader_u8(struct reader *r)
{
	uint8_t v;
	reader_copy(r, &v, sizeof(v));
	return v;
}

static inline uint16_t reader_u16(struct reader *r)
{
	uint16_t v;
	reader_copy(r, &v, sizeof(v));
	return be16toh(v);
}

static inline uint32_t reader_u32(struct reader *r)
{
	uint32_t v;
	reader_copy(r, &v, sizeof(v));
	return be32toh(v);
}

static inline uint64_t reader_u64(struct reader *r)
{
	uint64_t v;
	reader_copy(r, &v, sizeof(v));
	return be64toh(v);
}

/* Writers mirror readers: a write past the end turns the cursor bad and changes nothing. */
struct writer {
	uint8_t *start;
	uint8_t *at;
	uint8_t *end;
	bool bad;
};

static inline struct writer writer_over(void *data, size_t size)
{
	uint8_t *p = data;
	return (struct writer){ .start = p, .at = p, .end = size > 0 ? p + size : p };
}

/* Bytes written so far; 0 once bad, so that a broken packet is never sent. */
static inline size_t writer_size(const struct writer *w)
{
	return w->bad ? 0 : (size_t)(w->at - w->start);
}

static inline size_t writer_room(const struct writer *w)
{
	return w->bad ? 0 : (size_t)(w->end - w->at);
}

static inline void writer_bytes(struct writer *w, const void *data, size_t n)
{
	if (w->bad || writer_room(w) < n) {
		w->bad = true;
		return;
	}
	if (n > 0)
		memcpy(w->at, data, n);
	w->at += n;
}

static inline void writer_u8(struct writer *w, uint8_t v)
{
	writer_bytes(w, &v, sizeof(v));
}

static inline void writer_u16(struct writer *w, uint16_t v)
{
	v = htobe16(v);
	writer_bytes(w, &v, sizeof(v));
}

static inline void writer_u32(struct writer *w, uint32_t v)
{
	v = htobe32(v);
	writer_bytes(w, &v, sizeof(v));
}

static inline void writer_u64(struct writer *w, uint64_t v)
{
	v = htobe64(v);
	writer_bytes(w, &v, sizeof(v));
}
