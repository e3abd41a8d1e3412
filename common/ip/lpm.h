/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Longest-prefix match: address -> number. Built once, then immutable.
 *
 * IPv4 is DIR-24-8 (Gupta, Lin, McKeown, "Routing lookups in hardware at memory access speeds",
 * INFOCOM 1998): one or two dependent loads. IPv6 is sorted ranges behind a direct index over the
 * leading bits. Untouched pages of the first-level table cost no memory.
 *
 * Ownership: lpm_free(). Threading: immutable; share freely.
 */

#include "common/ip/addr.h"

struct lpm_entry {
	struct ip_prefix prefix;
	uint32_t value; /* 1 .. LPM_VALUE_MAX */
};

enum { LPM_VALUE_MAX = 0x3fffffff };

struct lpm;

/* Stable, in the order of ip_prefix_compare(), in linear time. ERR_NOMEM: nothing changed. */
enum err lpm_sort(struct lpm_entry *entries, size_t n) must_check;

/*
 * Sorts `entries` in place. Equal prefixes: the last one given wins. ERR_NOMEM; ERR_RANGE: a value
 * is 0 or too large, or a prefix has no family, too many bits or host bits.
 */
enum err lpm_build(struct lpm_entry *entries, size_t n, struct lpm **out) must_check;
void lpm_free(struct lpm *t); /* NULL is fine */

uint32_t lpm_find(const struct lpm *t, const struct ip_addr *a); /* 0: no match */
/* Starts to bring nearer what lpm_find() will look at first; a hint, never waits. */
void lpm_prefetch(const struct lpm *t, const struct ip_addr *a);
size_t lpm_bytes(const struct lpm *t); /* reserved, touched or not */
