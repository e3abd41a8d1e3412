/* SPDX-License-Identifier: Apache-2.0 */
#include "common/codec/bdecode.h"

static const char cut_short[] = "it ends too early";

struct bdecode bdecode_over(const void *bytes, size_t size)
{
	return (struct bdecode){ .in = reader_over(bytes, size), .at = bytes };
}

static void turn_bad(struct bdecode *d, const char *why)
{
	if (d->bad == NULL)
		d->bad = d->in.bad ? cut_short : why;
}

/* Digits up to `stop`, which is taken too; at most 18, so that nothing overflows. */
static uint64_t digits(struct bdecode *d, uint8_t first, char stop)
{
	uint64_t value = 0;
	unsigned n = 0;
	for (uint8_t c = first; d->bad == NULL; c = reader_u8(&d->in)) {
		if (!d->in.bad && c == (uint8_t)stop && n > 0)
			return value;
		if (d->in.bad || c < '0' || c > '9') {
			turn_bad(d, "a number is decimal digits and its end");
			break; /* before another byte is read, which may not be there */
		}
		if (++n > 18)
			turn_bad(d, "a number has at most 18 digits");
		value = 10 * value + (uint64_t)(c - '0');
	}
	return 0;
}

static void string(struct bdecode *d, uint8_t first, const uint8_t **bytes, size_t *size)
{
	uint64_t n = 0;
	if (first > '0' && first <= '9')
		n = digits(d, first, ':');
	else if (first != '0' || reader_u8(&d->in) != ':')
		turn_bad(
			d,
			"here begins an integer (i), a list (l), a dictionary (d) or a string (its "
			"length and a colon)");
	if (d->bad == NULL && n > reader_left(&d->in))
		turn_bad(d, "a string is longer than what is left");
	if (d->bad != NULL)
		return;
	*size = (size_t)n;
	*bytes = reader_take(&d->in, *size);
}

static int64_t number(struct bdecode *d)
{
	uint8_t c = reader_u8(&d->in);
	const bool minus = c == '-';
	if (minus)
		c = reader_u8(&d->in);
	const uint8_t *second = d->in.at;
	const int64_t v = (int64_t)digits(d, c, 'e');
	if (d->bad == NULL && d->strict && c == '0' && (minus || d->in.at != second + 1))
		turn_bad(d, "an integer has no leading zero, and zero no sign");
	return minus ? -v : v;
}

static void open(struct bdecode *d, bool dict)
{
	if (d->depth == BDECODE_DEPTH_MAX)
		turn_bad(d, "at most 100 lists and dictionaries stand in each other");
	else
		d->levels[++d->depth] = (struct bdecode_level){ .dict = dict };
}

static void value(struct bdecode *d, struct bdecode_item *out)
{
	d->at = out->from = d->in.at;
	const uint8_t first = reader_u8(&d->in);
	if (d->in.bad) {
		turn_bad(d, cut_short);
	} else if (first == 'i') {
		out->kind = BDECODE_NUMBER;
		out->number = number(d);
	} else if (first == 'l' || first == 'd') {
		out->kind = first == 'l' ? BDECODE_LIST : BDECODE_DICT;
		open(d, first == 'd');
	} else {
		out->kind = BDECODE_STRING;
		string(d, first, &out->bytes, &out->size);
	}
}

/* Whether `next` stands after the level's key, as BEP 3 wants: raw bytes, none twice. */
static bool ascends(const struct bdecode_level *level, const uint8_t *next, size_t size)
{
	const size_t shorter = size < level->key_size ? size : level->key_size;
	const int c = shorter > 0 ? memcmp(level->key, next, shorter) : 0;
	return level->key == NULL || c < 0 || (c == 0 && level->key_size < size);
}

static void key(struct bdecode *d, struct bdecode_level *level)
{
	const uint8_t *bytes = NULL;
	size_t size = 0;
	string(d, reader_u8(&d->in), &bytes, &size);
	if (d->bad == NULL && d->strict && !ascends(level, bytes, size))
		turn_bad(d, "the keys of a dictionary are sorted, and none is there twice");
	level->key = bytes;
	level->key_size = size;
}

/* One token: true when an item begins with it, false when one ends with it or the walk turned bad. */
static bool step(struct bdecode *d, struct bdecode_item *out)
{
	struct bdecode_item item = { .depth = d->depth };
	struct bdecode_level *level = &d->levels[d->depth];
	d->at = d->in.at;
	if (d->depth > 0 && reader_left(&d->in) > 0 && *d->in.at == 'e') {
		(void)reader_u8(&d->in);
		d->done = --d->depth == 0;
		return false;
	}
	level->count++;
	if (level->dict)
		key(d, level);
	if (d->bad == NULL)
		value(d, &item);
	if (d->bad != NULL)
		return false;
	item.key = level->key;
	item.key_size = level->key_size;
	d->done = d->depth == 0;
	*out = item;
	return true;
}

bool bdecode_next(struct bdecode *d, struct bdecode_item *out)
{
	while (d->bad == NULL && !d->done)
		if (step(d, out))
			return true;
	if (d->bad == NULL && reader_left(&d->in) > 0) {
		d->at = d->in.at;
		turn_bad(d, "nothing follows the outermost item");
	}
	return false;
}

bool bdecode_within(struct bdecode *d, unsigned depth, struct bdecode_item *out)
{
	while (d->bad == NULL && d->depth >= depth)
		if (step(d, out))
			return true;
	return false;
}

bool bdecode_child(struct bdecode *d, unsigned depth, struct bdecode_item *out)
{
	struct bdecode_item item;
	while (bdecode_within(d, depth, &item)) {
		if (item.depth == depth) {
			*out = item;
			return true;
		}
	}
	return false;
}

void bdecode_path(const struct bdecode *d, unsigned depth, struct text *out)
{
	for (unsigned i = 1; i <= depth; i++) {
		const struct bdecode_level *level = &d->levels[i];
		const uint8_t *rest = level->key;
		if (level->dict && rest == NULL)
			return; /* no key could be read */
		text_put(out, "/");
		if (!level->dict)
			text_printf(out, "%zu", level->count - (level->count > 0));
		for (size_t left = level->key_size; left > 0;) { /* RFC 6901 escapes two of them */
			size_t n = 0;
			while (n < left && rest[n] != '/' && rest[n] != '~')
				n++;
			text_clean(out, rest, n);
			if (n < left)
				text_put(out, rest[n++] == '/' ? "~1" : "~0");
			rest += n;
			left -= n;
		}
	}
}
