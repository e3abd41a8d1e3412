/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Wrong tokens, counted by address (an IPv6 /64) and prefix (an IPv4 /24, an IPv6 /48), minute by minute.
 *
 * Only wrong tokens are counted and refused: a right one works from everywhere and at all times, so that
 * nobody can lock out another who shares an address, a proxy or a prefix with them. Tokens cannot be
 * guessed (32 random bytes); what this is for is that whoever tries is slowed down and seen.
 *
 * A table of fixed size: of four in a row the one with the fewest goes for a newcomer, so that a flood
 * from many addresses makes it forgetful, and its prefixes stay.
 *
 * Threading: any thread.
 */

#include "common/ip/addr.h"

enum { FAILURES_PER_ADDRESS = 10, FAILURES_PER_PREFIX = 100, FAILURES_WINDOW = 60 /* seconds */ };

struct failures;

struct failures *failures_new(uint64_t secret); /* NULL when out of memory */
void failures_free(struct failures *f);         /* NULL is fine */

struct failures_verdict {
	uint32_t wait_seconds; /* 0: within the limits */
	bool tell;             /* it is the first beyond them in this minute: worth a line */
	bool prefix;           /* whose limit: the prefix's */
	struct ip_prefix of;   /* an address whole, or the prefix */
};

/* One wrong token more. `now` in seconds of a clock that does not jump. */
struct failures_verdict failures_note(struct failures *f, const struct ip_addr *from, int64_t now);
