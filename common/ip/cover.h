/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Which prefixes of a set cover a given one: all of them, the nearest first; and which lie inside it.
 *
 * Sorted, what covers a prefix stands before it, and either right before it or around what does. So
 * every entry keeps the nearest one around it, and all that cover a prefix are found by one bisection
 * and a walk outwards. The bisection runs over eight bytes an entry. Equal prefixes all stay, in the
 * order in which they were given: the later is the nearer.
 *
 * Ownership: cover_free(). Threading: immutable once built; share freely.
 */

#include "common/ip/lpm.h"

#define COVER_NONE UINT32_MAX

struct cover;

/* Takes `entries`, of malloc(), when it succeeds; any value will do. ERR_NOMEM: nothing was taken. */
enum err cover_build(struct lpm_entry *entries, size_t n, struct cover **out) must_check;
void cover_free(struct cover *c); /* NULL is fine */

size_t cover_count(const struct cover *c);
const struct lpm_entry *cover_at(const struct cover *c, uint32_t i); /* in order */
size_t cover_bytes(const struct cover *c);

/* The nearest entry that covers `p`, or is it; COVER_NONE. */
uint32_t cover_find(const struct cover *c, const struct ip_prefix *p);
/* The next one outwards from entry `i`, or COVER_NONE. */
uint32_t cover_around(const struct cover *c, uint32_t i);
/* The first entry behind `p` and what equals it: what lies inside `p` begins there, and has no gap. */
uint32_t cover_behind(const struct cover *c, const struct ip_prefix *p);
