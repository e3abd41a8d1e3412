/* SPDX-License-Identifier: Apache-2.0 */
#include "common/ip/lpm.h"

#include "common/ip/spans.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/*
 * Both tables are painted in sorted order, where a prefix stands before all that it covers: so a
 * more specific prefix simply paints over the less specific one, and memory is walked forwards.
 */

enum {
	FIRST_BITS = 24,
	FIRST_BYTES = 4 << FIRST_BITS,
	BLOCK_SIZE = 256,
	INDEX_BITS_MIN = 8,
	INDEX_BITS_MAX = 20
};

#define IN_BLOCK 0x80000000U /* the rest of the word is the number of a block */

struct lpm {
	uint32_t *first; /* by the leading 24 bits: a value, or IN_BLOCK */
	uint32_t (*blocks)[BLOCK_SIZE];
	size_t n_blocks;

	struct spans v6;
	uint32_t *index; /* [k]: how many spans start below k << (128 - index_bits) */
	unsigned index_bits;
};

/* Byte `i` of the sort key, most significant first. */
enum { KEY_SIZE = 18 };
static uint8_t key_byte(const struct lpm_entry *e, unsigned i)
{
	return i == 0    ? e->prefix.addr.family
	       : i <= 16 ? e->prefix.addr.bytes[i - 1]
	                 : e->prefix.length;
}

/* Least significant byte first; a byte that all keys share costs only its counting. */
enum err lpm_sort(struct lpm_entry *entries, size_t n)
{
	if (n < 2)
		return ERR_OK;
	struct lpm_entry *other = malloc(n * sizeof(*other));
	if (other == NULL)
		return ERR_NOMEM;

	struct lpm_entry *from = entries, *to = other;
	for (unsigned byte = KEY_SIZE; byte-- > 0;) {
		size_t at[256] = { 0 };
		for (size_t i = 0; i < n; i++)
			at[key_byte(&from[i], byte)]++;
		if (at[key_byte(&from[0], byte)] == n)
			continue;
		for (size_t b = 0, sum = 0; b < 256; b++) {
			const size_t count = at[b];
			at[b] = sum;
			sum += count;
		}
		for (size_t i = 0; i < n; i++)
			to[at[key_byte(&from[i], byte)]++] = from[i];
		struct lpm_entry *swap = from;
		from = to;
		to = swap;
	}
	if (from != entries)
		memcpy(entries, from, n * sizeof(*entries));
	free(other);
	return ERR_OK;
}

static bool acceptable(const struct lpm_entry *e)
{
	const struct ip_prefix *p = &e->prefix;
	const size_t size = ip_size(&p->addr);
	if (e->value == 0 || e->value > LPM_VALUE_MAX || size == 0 || p->length > 8 * size)
		return false;
	for (size_t i = p->length / 8; i < sizeof(p->addr.bytes); i++) {
		const unsigned host = i == p->length / 8 ? 0xffU >> p->length % 8 : 0xffU;
		if ((p->addr.bytes[i] & host) != 0)
			return false;
	}
	return true;
}

/* Of equal prefixes, now neighbours, keeps the last. Returns how many remain. */
static size_t drop_overruled(struct lpm_entry *e, size_t n)
{
	size_t kept = 0;
	for (size_t i = 0; i < n; i++)
		if (i + 1 == n || ip_prefix_compare(&e[i].prefix, &e[i + 1].prefix) != 0)
			e[kept++] = e[i];
	return kept;
}

/* ---- IPv4 ---- */

static size_t count_blocks(const struct lpm_entry *e, size_t n)
{
	size_t blocks = 0;
	uint64_t last = UINT64_MAX;
	for (size_t i = 0; i < n; i++) {
		const uint32_t slot = ip_v4_number(&e[i].prefix.addr) >> 8;
		if (e[i].prefix.length > FIRST_BITS && slot != last) {
			blocks++;
			last = slot;
		}
	}
	return blocks;
}

static void paint(uint32_t *words, size_t count, uint32_t value)
{
	for (size_t i = 0; i < count; i++)
		words[i] = value;
}

static void paint_v4(struct lpm *t, const struct lpm_entry *e)
{
	const uint32_t number = ip_v4_number(&e->prefix.addr);
	uint32_t *slot = &t->first[number >> 8];

	if (e->prefix.length <= FIRST_BITS) {
		paint(slot, (size_t)1 << (FIRST_BITS - e->prefix.length), e->value);
		return;
	}
	if ((*slot & IN_BLOCK) == 0) {
		paint(t->blocks[t->n_blocks], BLOCK_SIZE, *slot);
		*slot = IN_BLOCK | (uint32_t)t->n_blocks++;
	}
	paint(&t->blocks[*slot & ~IN_BLOCK][number % BLOCK_SIZE],
	      (size_t)1 << (32 - e->prefix.length), e->value);
}

static enum err build_v4(struct lpm *t, const struct lpm_entry *e, size_t n)
{
	/* Not of the heap: an allocator that fills what it hands out would touch every page. */
	t->first = mmap(NULL, FIRST_BYTES, PROT_READ | PROT_WRITE,
	                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (t->first == MAP_FAILED)
		t->first = NULL;
	t->blocks = malloc((count_blocks(e, n) + 1) * sizeof(*t->blocks));
	if (t->first == NULL || t->blocks == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < n; i++)
		paint_v4(t, &e[i]);
	return ERR_OK;
}

/* ---- IPv6 ---- */

static enum err build_index(struct lpm *t)
{
	t->index_bits = INDEX_BITS_MIN;
	while (t->index_bits < INDEX_BITS_MAX && (size_t)1 << t->index_bits < t->v6.n)
		t->index_bits++;
	const size_t slots = (size_t)1 << t->index_bits;
	t->index = malloc((slots + 1) * sizeof(*t->index));
	if (t->index == NULL)
		return ERR_NOMEM;
	size_t below = 0;
	for (size_t k = 0; k <= slots; k++) {
		while (below < t->v6.n && t->v6.starts[below].hi >> (64 - t->index_bits) < k)
			below++;
		t->index[k] = (uint32_t)below;
	}
	return ERR_OK;
}

static enum err build_v6(struct lpm *t, const struct lpm_entry *e, size_t n)
{
	const enum err err = spans_make(e, n, &t->v6);
	return err == ERR_OK ? build_index(t) : err;
}

/* ---- both ---- */

enum err lpm_build(struct lpm_entry *entries, size_t n, struct lpm **out)
{
	for (size_t i = 0; i < n; i++)
		if (!acceptable(&entries[i]))
			return ERR_RANGE;
	if (n > UINT32_MAX / 4)
		return ERR_RANGE;
	struct lpm *t = calloc(1, sizeof(*t));
	if (t == NULL)
		return ERR_NOMEM;

	enum err e = lpm_sort(entries, n);
	if (e == ERR_OK) {
		n = drop_overruled(entries, n);
		size_t n_v4 = 0;
		while (n_v4 < n && entries[n_v4].prefix.addr.family == IP_V4)
			n_v4++;
		e = build_v4(t, entries, n_v4);
		if (e == ERR_OK)
			e = build_v6(t, n_v4 > 0 ? entries + n_v4 : entries, n - n_v4);
	}
	if (e != ERR_OK) {
		lpm_free(t);
		return e;
	}
	*out = t;
	return ERR_OK;
}

void lpm_free(struct lpm *t)
{
	if (t == NULL)
		return;
	if (t->first != NULL)
		(void)munmap(t->first, FIRST_BYTES);
	free(t->blocks);
	spans_done(&t->v6);
	free(t->index);
	free(t);
}

static uint32_t find_v6(const struct lpm *t, struct ip_number n)
{
	const size_t k = n.hi >> (64 - t->index_bits);
	size_t low = t->index[k], high = t->index[k + 1]; /* the first start above n is in here */
	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		if (ip_number_above(t->v6.starts[middle], n))
			high = middle;
		else
			low = middle + 1;
	}
	return t->v6.values[low - 1];
}

uint32_t lpm_find(const struct lpm *t, const struct ip_addr *a)
{
	if (a->family == IP_V4) {
		const uint32_t number = ip_v4_number(a), word = t->first[number >> 8];
		return (word & IN_BLOCK) == 0 ? word
		                              : t->blocks[word & ~IN_BLOCK][number % BLOCK_SIZE];
	}
	return a->family == IP_V6 ? find_v6(t, ip_number(a)) : 0;
}

void lpm_prefetch(const struct lpm *t, const struct ip_addr *a)
{
	if (a->family == IP_V4)
		__builtin_prefetch(&t->first[ip_v4_number(a) >> 8]);
	else if (a->family == IP_V6)
		__builtin_prefetch(&t->index[ip_number(a).hi >> (64 - t->index_bits)]);
}

size_t lpm_bytes(const struct lpm *t)
{
	return sizeof(*t) + FIRST_BYTES + t->n_blocks * sizeof(*t->blocks) +
	       t->v6.n * (sizeof(*t->v6.starts) + sizeof(*t->v6.values)) +
	       (((size_t)1 << t->index_bits) + 1) * sizeof(*t->index);
}
