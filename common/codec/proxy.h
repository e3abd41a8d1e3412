/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The PROXY protocol, versions 1 and 2 (HAProxy's doc/proxy-protocol.txt): a header before the first
 * byte of the client, in which a proxy says whom it speaks for. It is believed from listed proxies
 * only, which the caller checks.
 *
 * Pure: bytes in, a struct out.
 */

#include "common/ip/addr.h"

/* Version 1 has 107 bytes at the most; a longer header of version 2 than this is refused. */
enum { PROXY_HEADER_MAX = 2048 };

struct proxy_header {
	size_t size;         /* of the header; what the client said begins behind it */
	struct ip_addr from; /* IP_NONE: nobody it could name (LOCAL, UNKNOWN); the proxy itself */
	uint16_t from_port;
};

/*
 * Reads the header at the start of `bytes`. ERR_TRUNCATED: what is there may become one, wait for
 * more. ERR_MALFORMED: it never will. *out is untouched then.
 */
enum err proxy_header_parse(const void *bytes, size_t size, struct proxy_header *out) must_check;
