/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * JSON of any size, read through a window of 64 kB: for files of half a million small objects, of
 * which nothing need be kept. The reader asks for what it expects; what it does not want is skipped.
 *
 *	json_enter(s, '{', &in);
 *	while (json_member(s, &in, key, sizeof(key)))
 *		if (strcmp(key, "asn") == 0)
 *			json_number(s, &asn);
 *		else
 *			json_skip(s);
 *
 * The first thing that is no JSON, or not what was expected, sticks: `bad` says what would be right,
 * and every later step does nothing and returns false.
 *
 * Ownership: none; a stream borrows its source. Threading: belongs to one thread.
 */

#include "common/base/err.h"

#include <stdbool.h>
#include <stdint.h>

/* The next bytes into `out`, at most `room`; how many, 0 at the end. */
typedef size_t json_more(void *ctx, void *out, size_t room);

struct json_stream {
	json_more *more;
	void *ctx;
	size_t at, size; /* of `window` */
	size_t line;
	const char *bad; /* "must be a string"; NULL: all is well so far */
	uint8_t window[65536];
};

/* Where in an array or object we are. */
struct json_in {
	char close;
	bool any; /* members so far */
};

void json_begin(struct json_stream *s, json_more *more, void *ctx);

/* The first byte of the next value, '}' or ']'; 0 at the end. */
char json_peek(struct json_stream *s);

bool json_enter(struct json_stream *s, char open, struct json_in *in);
/* The next member of an object and its key, cut off to `room`; false behind the last one. */
bool json_member(struct json_stream *s, struct json_in *in, char *key, size_t room);
bool json_element(struct json_stream *s, struct json_in *in); /* of an array */

/* A string with a NUL; one that does not fit is cut off, and characters beyond ASCII become '?'. */
bool json_string(struct json_stream *s, char *out, size_t room);
/* A whole number. false with !s->bad: it is there, but not whole or beyond 63 bits. */
bool json_number(struct json_stream *s, int64_t *out);
void json_skip(struct json_stream *s); /* a whole value */
bool json_end(struct json_stream *s);  /* nothing but blanks follows */

void json_fail(struct json_stream *s, const char *bad);
