/* SPDX-License-Identifier: Apache-2.0 */
#include "common/codec/bencode.h"

#include <string.h>

enum { LEVELS = sizeof(((struct bencode *)0)->last_key) / sizeof(const char *) };

enum { DIGITS_MAX = 20 }; /* of UINT64_MAX */

/* Decimal without the printf machinery: a reply with dictionaries has hundreds of numbers. */
static char *put_number(char *out, uint64_t v)
{
	size_t digits = 1;
	for (uint64_t rest = v / 10; rest > 0; rest /= 10)
		digits++;
	for (char *at = out + digits; at > out; v /= 10)
		*--at = (char)('0' + v % 10);
	return out + digits;
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
	char *at = text_begin(b->out, DIGITS_MAX + 1 + size);
	if (at == NULL)
		return;
	at = put_number(at, size);
	*at++ = ':';
	if (size > 0)
		memcpy(at, bytes, size);
	text_end(b->out, at + size);
}

void bencode_string(struct bencode *b, const char *s)
{
	bencode_bytes(b, s, strlen(s));
}

void bencode_int(struct bencode *b, int64_t v)
{
	char *at = text_begin(b->out, DIGITS_MAX + 3);
	if (at == NULL)
		return;
	*at++ = 'i';
	if (v < 0)
		*at++ = '-';
	at = put_number(at, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
	*at++ = 'e';
	text_end(b->out, at);
}
