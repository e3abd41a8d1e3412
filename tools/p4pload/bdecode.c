/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/p4pload/bdecode.h"

struct bdecode bdecode_over(const void *bytes, size_t size)
{
	return (struct bdecode){ .in = reader_over(bytes, size) };
}

/* Digits up to `stop`, which is taken too; at most 18, so that nothing overflows. */
static uint64_t digits(struct bdecode *d, uint64_t value, char stop)
{
	unsigned n = value > 0;
	for (;;) {
		const uint8_t c = reader_u8(&d->in);
		if (!d->in.bad && c == (uint8_t)stop && n > 0)
			return value;
		if (d->in.bad || c < '0' || c > '9' || ++n > 18) {
			d->bad = true;
			return 0;
		}
		value = 10 * value + (uint64_t)(c - '0');
	}
}

static void string(struct bdecode *d, uint8_t first, const uint8_t **bytes, size_t *size)
{
	uint64_t n = 0;
	if (first > '0' && first <= '9')
		n = digits(d, (uint64_t)(first - '0'), ':');
	else if (first != '0' || reader_u8(&d->in) != ':')
		d->bad = true;
	if (!d->bad && n <= reader_left(&d->in)) {
		*size = (size_t)n;
		*bytes = reader_take(&d->in, *size);
	} else {
		d->bad = true;
	}
}

static void number(struct bdecode *d, int64_t *out)
{
	const bool minus = reader_left(&d->in) > 0 && *d->in.at == '-';
	if (minus)
		(void)reader_u8(&d->in);
	const int64_t v = (int64_t)digits(d, 0, 'e');
	*out = minus ? -v : v;
}

static void open(struct bdecode *d, bool dict)
{
	if (d->depth == BDECODE_DEPTH_MAX)
		d->bad = true;
	else
		d->dict[++d->depth] = dict;
}

static void value(struct bdecode *d, uint8_t first, struct bdecode_item *out)
{
	if (first == 'i') {
		out->kind = BDECODE_NUMBER;
		number(d, &out->number);
	} else if (first == 'l' || first == 'd') {
		out->kind = first == 'l' ? BDECODE_LIST : BDECODE_DICT;
		open(d, first == 'd');
	} else {
		out->kind = BDECODE_STRING;
		string(d, first, &out->bytes, &out->size);
	}
}

bool bdecode_next(struct bdecode *d, struct bdecode_item *out)
{
	while (!d->bad && !d->done) {
		uint8_t c = reader_u8(&d->in);
		struct bdecode_item item = { .depth = d->depth };
		if (d->in.bad) {
			d->bad = true;
			break;
		}
		if (c == 'e' && d->depth > 0) {
			d->done = --d->depth == 0;
			continue;
		}
		if (d->depth > 0 && d->dict[d->depth]) {
			string(d, c, &item.key, &item.key_size);
			c = reader_u8(&d->in);
			if (d->bad || d->in.bad) {
				d->bad = true;
				break;
			}
		}
		value(d, c, &item);
		if (d->bad)
			break;
		d->done = d->depth == 0;
		*out = item;
		return true;
	}
	if (!d->bad && reader_left(&d->in) > 0)
		d->bad = true;
	return false;
}
