/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Text: a growing buffer for what we write (JSON, CSV, metrics), and strict readers for the
 * numbers that others write.
 *
 * A text that could not grow turns bad and stays bad; ask once, at the end.
 *
 * Ownership: text_done() frees the bytes. Threading: one thread at a time.
 */

#include "common/base/err.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct text {
	char *bytes; /* NUL-terminated once anything was added; NULL before */
	size_t size; /* without the NUL */
	size_t room;
	bool bad; /* out of memory at some point */
};

/* Room for `size` bytes in all, so that adding them allocates no more. */
void text_reserve(struct text *t, size_t size);

void text_add_slowly_(struct text *t, const void *bytes, size_t size); /* text_add()'s own */
char *text_begin_slowly_(struct text *t, size_t most);                 /* text_begin()'s */

/* Inline, because bencode is added a few bytes at a time. */
static inline void text_add(struct text *t, const void *bytes, size_t size)
{
	if (t->bad || size >= t->room - t->size) { /* no room for it and a NUL */
		text_add_slowly_(t, bytes, size);
		return;
	}
	if (size > 0)
		memcpy(t->bytes + t->size, bytes, size);
	t->size += size;
	t->bytes[t->size] = '\0';
}

/*
 * Where the next `most` bytes may be written in place, with room for a NUL behind them; NULL when the text is
 * bad. text_end() says where they ended. Inline, too.
 */
static inline char *text_begin(struct text *t, size_t most)
{
	if (t->bad || most >= t->room - t->size)
		return text_begin_slowly_(t, most);
	return t->bytes + t->size;
}

static inline void text_end(struct text *t, char *end)
{
	t->size = (size_t)(end - t->bytes);
	*end = '\0';
}

void text_put(struct text *t, const char *s);
void text_printf(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void text_vprintf(struct text *t, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));

/* Is it UTF-8 as RFC 3629 has it (shortest form, no surrogate)? */
bool text_is_utf8(const char *s);

/* A JSON string with its quotes; bytes that are no UTF-8 become U+FFFD. */
void text_json_string(struct text *t, const char *s);

/* What others wrote, for a terminal: control characters and bytes that are no UTF-8 become U+FFFD. */
void text_clean(struct text *t, const void *bytes, size_t size);

/* A CSV field (RFC 4180), quoted when it must be. */
void text_csv_field(struct text *t, const char *s);

void text_done(struct text *t);

/* A whole number in decimal and nothing else: no sign, blank, or overflow. Untouched on failure. */
bool text_u64(const char *s, size_t size, uint64_t *out);

/*
 * Seconds since 1970 of "2026-11-21T10:05:00Z", "2026-11-21T11:05:00+01:00" (RFC 3339, without fractions),
 * of a date (midnight UTC), or of a plain number.
 */
bool text_time(const char *s, int64_t *out);

/* The same in milliseconds, with a fraction of a second behind the seconds or without; digits beyond the
 * third are cut off. */
bool text_time_ms(const char *s, int64_t *out);

/* "2026-11-21T10:05:00Z" into `out`. */
void text_time_print(int64_t unix_seconds, char out[static 24]);

/* Lower-case hexadecimal of `size` bytes, with a NUL: needs 2 * size + 1. */
void text_hex(const void *bytes, size_t size, char *out);

/* Exactly 2 * size hexadecimal digits, either case. Untouched on failure. */
bool text_unhex(const char *s, void *out, size_t size);
