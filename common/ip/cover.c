/* SPDX-License-Identifier: Apache-2.0 */
#include "common/ip/cover.h"

#include <stdlib.h>

struct cover {
	struct lpm_entry *entries;
	uint32_t *around;
	uint64_t *keys; /* IPv4: the whole prefix; IPv6: the first half of its address */
	size_t n, n_v4; /* IPv4 comes first */
};

static uint64_t key_of(const struct ip_prefix *p)
{
	uint64_t key = 0;
	if (p->addr.family == IP_V4)
		return (uint64_t)ip_v4_number(&p->addr) << 8 | p->length;
	for (size_t i = 0; i < 8; i++)
		key = key << 8 | p->addr.bytes[i];
	return key;
}

static bool is_behind(const struct cover *c, size_t i, const struct ip_prefix *p, uint64_t key)
{
	if (c->keys[i] != key)
		return c->keys[i] > key;
	return p->addr.family != IP_V4 && ip_prefix_compare(&c->entries[i].prefix, p) > 0;
}

uint32_t cover_behind(const struct cover *c, const struct ip_prefix *p)
{
	const uint64_t key = key_of(p);
	size_t low = p->addr.family == IP_V4 ? 0 : c->n_v4;
	size_t high = p->addr.family == IP_V4 ? c->n_v4 : c->n;
	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		if (is_behind(c, middle, p, key))
			high = middle;
		else
			low = middle + 1;
	}
	return (uint32_t)low;
}

/* From entry `i` outwards, the first that covers `p`. */
static uint32_t outwards(const struct cover *c, uint32_t i, const struct ip_prefix *p)
{
	while (i != COVER_NONE && !ip_prefix_covers(&c->entries[i].prefix, p))
		i = c->around[i];
	return i;
}

uint32_t cover_find(const struct cover *c, const struct ip_prefix *p)
{
	const uint32_t behind = cover_behind(c, p);
	return behind == 0 ? COVER_NONE : outwards(c, behind - 1, p);
}

enum err cover_build(struct lpm_entry *entries, size_t n, struct cover **out)
{
	must(n < COVER_NONE);
	struct cover *c = calloc(1, sizeof(*c));
	if (c != NULL) {
		c->around = malloc((n + 1) * sizeof(*c->around));
		c->keys = malloc((n + 1) * sizeof(*c->keys));
	}
	if (c == NULL || c->around == NULL || c->keys == NULL || lpm_sort(entries, n) != ERR_OK) {
		cover_free(c);
		return ERR_NOMEM;
	}
	c->entries = entries;
	c->n = n;
	for (size_t i = 0; i < n; i++) {
		c->n_v4 += entries[i].prefix.addr.family == IP_V4;
		c->keys[i] = key_of(&entries[i].prefix);
		c->around[i] =
			i == 0 ? COVER_NONE : outwards(c, (uint32_t)i - 1, &entries[i].prefix);
	}
	*out = c;
	return ERR_OK;
}

void cover_free(struct cover *c)
{
	if (c == NULL)
		return;
	free(c->entries);
	free(c->around);
	free(c->keys);
	free(c);
}

size_t cover_count(const struct cover *c)
{
	return c->n;
}

const struct lpm_entry *cover_at(const struct cover *c, uint32_t i)
{
	must(i < c->n);
	return &c->entries[i];
}

size_t cover_bytes(const struct cover *c)
{
	return sizeof(*c) + c->n * (sizeof(*c->entries) + sizeof(*c->around) + sizeof(*c->keys));
}

uint32_t cover_around(const struct cover *c, uint32_t i)
{
	must(i < c->n);
	return c->around[i];
}
