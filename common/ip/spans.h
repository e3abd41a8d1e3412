/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Prefixes laid out flat: who has which addresses, from the first to the last, where the longest match
 * decides.
 *
 * An address is a number of 128 bits with its first byte on top, in both families: what one of IPv4 has
 * below its 32 is zero, and the numbers of a family end where these 128 bits do.
 *
 * Ownership: spans_done(). Threading: immutable; share freely.
 */

#include "common/ip/lpm.h"

struct ip_number {
	uint64_t hi, lo;
};

/* Span i is starts[i] up to the next start, the last one up to the end; the first starts at 0. */
struct spans {
	struct ip_number *starts;
	uint32_t *values; /* 0: no prefix */
	size_t n;
};

/* Of prefixes of one family, each once, as lpm_sort() leaves them. Neighbours may have the same value.
 * ERR_NOMEM. */
enum err spans_make(const struct lpm_entry *sorted, size_t n, struct spans *out) must_check;
void spans_done(struct spans *s); /* all zero is fine */

static inline struct ip_number ip_number(const struct ip_addr *a)
{
	struct ip_number n = { 0 };
	for (unsigned i = 0; i < 8; i++) {
		n.hi = n.hi << 8 | a->bytes[i];
		n.lo = n.lo << 8 | a->bytes[8 + i];
	}
	return n;
}

static inline bool ip_number_above(struct ip_number a, struct ip_number b)
{
	return a.hi != b.hi ? a.hi > b.hi : a.lo > b.lo;
}
