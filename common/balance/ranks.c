/* SPDX-License-Identifier: Apache-2.0 */
#include "common/balance/ranks.h"

#include <stdlib.h>

/* ---- writing ---- */

void ranks_write(const uint64_t *sorted, size_t n, struct text *index, struct text *values)
{
	uint64_t before = 0;
	varint_put(index, n);
	for (size_t b = 0; b < n; b += RANKS_BLOCK) {
		const size_t begin = values->size;
		for (size_t i = b + 1; i < n && i < b + RANKS_BLOCK; i++)
			varint_put(values, sorted[i] - sorted[i - 1]);
		varint_put(index, sorted[b] - before);
		varint_put(index, values->size - begin);
		before = sorted[b];
	}
}

/* ---- reading ---- */

static size_t blocks_of(uint64_t n)
{
	return (size_t)((n + RANKS_BLOCK - 1) / RANKS_BLOCK);
}

static enum err read_blocks(struct ranks *r, struct reader *bytes)
{
	uint64_t first = 0, at = 0;
	for (size_t b = 0; b < r->blocks; b++) {
		r->at[b] = at;
		first += varint_get64(bytes);
		at += varint_get64(bytes) % (1U << 20);
		r->first[b] = first;
	}
	r->at[r->blocks] = at;
	return bytes->bad || reader_left(bytes) != 0 ? ERR_MALFORMED : ERR_OK;
}

enum err ranks_read(struct ranks *out, const void *index, size_t size)
{
	struct reader bytes = reader_over(index, size);
	const uint64_t n = varint_get64(&bytes);
	/* A block takes two bytes at least: no index makes us ask for more than its own size. */
	if (bytes.bad || n / RANKS_BLOCK > size)
		return ERR_MALFORMED;
	struct ranks r = { .n = (size_t)n, .blocks = blocks_of(n) };
	r.first = calloc(r.blocks + 1, sizeof(*r.first));
	r.at = calloc(r.blocks + 1, sizeof(*r.at));
	const enum err e = r.first != NULL && r.at != NULL ? read_blocks(&r, &bytes) : ERR_NOMEM;
	if (e != ERR_OK)
		ranks_done(&r);
	else
		*out = r;
	return e;
}

void ranks_done(struct ranks *r)
{
	free(r->first);
	free(r->at);
	*r = (struct ranks){ 0 };
}

/* ---- finding ---- */

/* How many blocks begin below `value` (or at it). */
static size_t beginning(const struct ranks *r, uint64_t value, bool or_at)
{
	size_t from = 0, to = r->blocks;
	while (from < to) {
		const size_t mid = from + (to - from) / 2;
		if (r->first[mid] < value || (or_at && r->first[mid] == value))
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

/* What is left of the loose values: [0, from) are below the range that is looked at, [to, n) above. */
struct sifted {
	uint64_t *values;
	size_t from, to;
};

/* How many of all are less than `value` (or at it): those come first now. */
static size_t sift(const struct sifted *s, uint64_t value, bool or_at)
{
	size_t at = s->from;
	for (size_t i = s->from; i < s->to; i++) {
		const uint64_t v = s->values[i];
		if (v < value || (or_at && v == value)) {
			s->values[i] = s->values[at];
			s->values[at++] = v;
		}
	}
	return at;
}

/* No more than this many values of the months are less than `value`. */
static uint64_t below_at_most(const struct ranks *lists, size_t n, uint64_t value)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < n; i++) {
		const size_t held = beginning(&lists[i], value, false) * RANKS_BLOCK;
		sum += held < lists[i].n ? held : lists[i].n;
	}
	return sum;
}

/* At least this many are `value` or less. */
static uint64_t up_to_at_least(const struct ranks *lists, size_t n, uint64_t value)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < n; i++) {
		const size_t blocks = beginning(&lists[i], value, true);
		sum += blocks > 0 ? (blocks - 1) * RANKS_BLOCK + 1 : 0;
	}
	return sum;
}

/* The highest value that less than k are surely below of: the wanted one is no less. */
static uint64_t find_low(const struct ranks *lists, size_t n, struct sifted *loose, uint64_t k,
                         uint64_t top)
{
	uint64_t from = 0, to = top;
	while (from < to) {
		const uint64_t mid = from + (to - from) / 2 + 1;
		const size_t below = sift(loose, mid, false);
		if (below + below_at_most(lists, n, mid) < k) {
			from = mid;
			loose->from = below;
		} else {
			to = mid - 1;
			loose->to = below;
		}
	}
	return from;
}

/* The lowest value that k are surely up to: the wanted one is no more. They are up to `top`. */
static uint64_t find_high(const struct ranks *lists, size_t n, struct sifted *loose, uint64_t k,
                          uint64_t low, uint64_t top)
{
	uint64_t from = low, to = top;
	while (from < to) {
		const uint64_t mid = from + (to - from) / 2;
		const size_t up_to = sift(loose, mid, true);
		if (up_to + up_to_at_least(lists, n, mid) >= k) {
			to = mid;
			loose->to = up_to;
		} else {
			from = mid + 1;
			loose->from = up_to;
		}
	}
	return to;
}

/* From here on nothing more is known of any block: its values may be higher than its first. */
static uint64_t highest_known(const struct ranks *lists, size_t n, struct ranks_loose loose)
{
	uint64_t top = 0;
	for (size_t i = 0; i < n; i++)
		if (lists[i].blocks > 0 && lists[i].first[lists[i].blocks - 1] > top)
			top = lists[i].first[lists[i].blocks - 1];
	for (size_t i = 0; i < loose.n; i++)
		top = loose.values[i] > top ? loose.values[i] : top;
	return top;
}

struct ranks_bracket ranks_find(const struct ranks *lists, size_t n, struct ranks_loose loose,
                                uint64_t k, struct ranks_cut *cuts)
{
	struct ranks_bracket b = { 0 };
	struct sifted s = { loose.values, 0, loose.n };
	const uint64_t top = highest_known(lists, n, loose);
	b.low = find_low(lists, n, &s, k, top);
	b.below = s.from;
	s.to = loose.n;
	b.high = loose.n + up_to_at_least(lists, n, top) < k
	                 ? UINT64_MAX
	                 : find_high(lists, n, &s, k, b.low, top);
	for (size_t i = 0; i < n; i++) {
		/* The block before the first that begins at `low` or above may reach into the bracket. */
		const size_t reach = beginning(&lists[i], b.low, false);
		cuts[i].from = reach > 0 ? reach - 1 : 0;
		cuts[i].to = beginning(&lists[i], b.high, true);
		if (cuts[i].to < cuts[i].from)
			cuts[i].to = cuts[i].from;
		b.below += cuts[i].from * RANKS_BLOCK;
	}
	return b;
}

/* ---- cuts ---- */

size_t ranks_cut_count(const struct ranks *r, struct ranks_cut cut)
{
	const size_t end = cut.to * RANKS_BLOCK < r->n ? cut.to * RANKS_BLOCK : r->n;
	return cut.from < cut.to ? end - cut.from * RANKS_BLOCK : 0;
}

size_t ranks_cut_at(const struct ranks *r, struct ranks_cut cut)
{
	return r->at[cut.from];
}

size_t ranks_cut_size(const struct ranks *r, struct ranks_cut cut)
{
	return r->at[cut.to] - r->at[cut.from];
}

enum err ranks_unpack(const struct ranks *r, struct ranks_cut cut, const void *bytes, size_t size,
                      uint64_t *out)
{
	struct reader steps = reader_over(bytes, size);
	for (size_t b = cut.from; b < cut.to; b++) {
		uint64_t value = r->first[b];
		*out++ = value;
		for (size_t i = b * RANKS_BLOCK + 1; i < r->n && i < (b + 1) * RANKS_BLOCK; i++)
			*out++ = value += varint_get64(&steps);
	}
	return steps.bad || reader_left(&steps) != 0 ? ERR_MALFORMED : ERR_OK;
}
