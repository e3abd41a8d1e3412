/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Whom proxies say they speak for: X-Forwarded-For, and Forwarded (RFC 7239).
 *
 * Every proxy appends whom it heard, to the line or as a line of its own, so lines are added in the
 * order they came, and the list is read from its end, as far as the speakers are trusted. What is no
 * address (unknown, an obfuscated _name, nonsense) is a hop too, of family IP_NONE: it ends the walk.
 *
 * Pure values.
 */

#include "common/ip/addr.h"

enum { HOPS_MAX = 16 };

struct hops { /* all zero: none */
	struct ip_addr at[HOPS_MAX];
	size_t n; /* of more than HOPS_MAX the last ones are kept */
};

/* "192.0.2.1, [2001:db8::1]:80, 2001:db8::2" */
void hops_add_list(struct hops *hops, const char *line);

/* `for=192.0.2.1;proto=https, For="[2001:db8::1]:4711"`: only for= counts. */
void hops_add_forwarded(struct hops *hops, const char *line);

/* Who asks, where `from` was heard: the last hop that is no proxy of ours, or the first of the proxies. */
struct ip_addr hops_client(const struct hops *hops, struct ip_addr from,
                           const struct ip_prefix *proxies, size_t n_proxies);
