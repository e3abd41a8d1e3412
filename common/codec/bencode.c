/* SPDX-License-Identifier: Apache-2.0 */
#include "common/codec/bencode.h"

#include <string.h>

enum { LEVELS = sizeof(((struct bencode *)0)->last_key) / sizeof(const char *) };

/* Decimal without the printf machinery: a reply with dictionaries has hundreds of numbers. */
static void put_number(struct text *out, uint64_t v)
{
	char digits[20]; /* of UINT64_MAX */
	char *at = digits + sizeof(digits);
	do {
		*--at = (char)('0' + v % 10);
		v /= 10;
	} while (v > 0);
	text_add(out, at, (size_t)(digits + sizeof(digits) - at));
}

static void open_level(struct bencode *b, const char *mark)
{
	must(b->depth < LEVELS);
	b->last_key[b->depth++] = NULL;
	text_add(b->out, mark, 1);
}

void bencode_dict(struct bencode *b)
{
	open_level(b, "d");
}

void bencode_list(struct bencode *b)
{
	open_level(b, "l");
}

void bencode_end(struct bencode *b)
{
	must(b->depth > 0);
	b->depth--;
	text_add(b->out, "e", 1);
}

void bencode_key_(struct bencode *b, const char *key, size_t size)
{
	must(b->depth > 0);
	const char **last = &b->last_key[b->depth - 1];
	must(*last == NULL || strcmp(*last, key) < 0);
	*last = key;
	bencode_bytes(b, key, size);
}

void bencode_raw_key(struct bencode *b, const void *key, size_t size)
{
	must(b->depth > 0);
	bencode_bytes(b, key, size);
}

void bencode_bytes(struct bencode *b, const void *bytes, size_t size)
{
	put_number(b->out, size);
	text_add(b->out, ":", 1);
	text_add(b->out, bytes, size);
}

void bencode_string(struct bencode *b, const char *s)
{
	bencode_bytes(b, s, strlen(s));
}

void bencode_int(struct bencode *b, int64_t v)
{
	text_add(b->out, v < 0 ? "i-" : "i", v < 0 ? 2 : 1);
	put_number(b->out, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
	text_add(b->out, "e", 1);
}
