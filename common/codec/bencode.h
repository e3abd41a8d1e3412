/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Bencode (BEP 3), the writing half, into a struct text.
 *
 * The caller writes dictionary keys in sorted order; bencode_key() must()s that it does.
 */

#include "common/base/text.h"

#include <string.h>

struct bencode {
	struct text *out;
	const char *last_key[8]; /* per nesting level; keys are string literals */
	unsigned depth;
};

void bencode_dict(struct bencode *b);                                  /* opens a dictionary */
void bencode_list(struct bencode *b);                                  /* opens a list */
void bencode_end(struct bencode *b);                                   /* closes either */
void bencode_raw_key(struct bencode *b, const void *key, size_t size); /* caller's order */
void bencode_bytes(struct bencode *b, const void *bytes, size_t size);
void bencode_string(struct bencode *b, const char *s);
void bencode_int(struct bencode *b, int64_t v);

void bencode_key_(struct bencode *b, const char *key, size_t size); /* bencode_key()'s own */

/* A literal: so its size is known where it stands. */
static inline void bencode_key(struct bencode *b, const char *key)
{
	bencode_key_(b, key, strlen(key));
}
