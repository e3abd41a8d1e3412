/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Addresses and prefixes.
 *
 * An IPv4-mapped IPv6 address (::ffff:a.b.c.d, what a dual-stack socket reports) is IPv4 here, so
 * that one client is one address whichever socket heard it.
 *
 * Pure values; share freely.
 */

#include "common/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ip_family { IP_NONE = 0, IP_V4 = 4, IP_V6 = 6 };

struct ip_addr {
	uint8_t bytes[16]; /* network order; IPv4 uses the first four, the rest is zero */
	uint8_t family;    /* enum ip_family */
};

struct ip_prefix {
	struct ip_addr addr; /* host bits are zero */
	uint8_t length;      /* 0..32 or 0..128 */
};

enum { IP_TEXT_SIZE = 46, IP_PREFIX_TEXT_SIZE = 50 };

struct ip_addr ip_v4(uint32_t host_order);
struct ip_addr ip_from_bytes(const uint8_t *bytes, size_t size); /* 4 or 16; else IP_NONE */
uint32_t ip_v4_number(const struct ip_addr *a);                  /* host order; IPv4 only */
bool ip_equal(const struct ip_addr *a, const struct ip_addr *b);
size_t ip_size(const struct ip_addr *a); /* bytes on the wire: 4, 16 or 0 */

/* Textual forms of inet_pton(3); IPv6 is printed as RFC 5952 wants it. ERR_MALFORMED. */
enum err ip_parse(const char *text, struct ip_addr *out) must_check;
void ip_print(const struct ip_addr *a, char out[static IP_TEXT_SIZE]);

/*
 * "10.1.0.0/16". ERR_MALFORMED: not a prefix; ERR_RANGE: the length is too long, or host bits are
 * set (then *out holds the prefix that was meant, for the error message).
 */
enum err ip_prefix_parse(const char *text, struct ip_prefix *out) must_check;
void ip_prefix_print(const struct ip_prefix *p, char out[static IP_PREFIX_TEXT_SIZE]);
bool ip_prefix_has(const struct ip_prefix *p, const struct ip_addr *a);
bool ip_prefix_covers(const struct ip_prefix *outer, const struct ip_prefix *inner);

/* By family, then address, then length: what covers stands right before what it covers. */
int ip_prefix_compare(const struct ip_prefix *a, const struct ip_prefix *b);

/* What the Internet may see of an address (IANA special-purpose registries, RFC 6890). */
enum ip_kind {
	IP_PUBLIC,
	IP_PRIVATE,  /* RFC 1918, RFC 6598, fc00::/7 */
	IP_LOOPBACK, /* 127/8, ::1 */
	IP_BOGON     /* 0/8, multicast, link-local, reserved, unspecified */
};
enum ip_kind ip_kind(const struct ip_addr *a);
