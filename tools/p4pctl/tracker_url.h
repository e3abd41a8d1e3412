/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The parts of an announce URL that say which tracker it is of: the host, and its port. Scheme, passkey and
 * the rest of the path are its matter. Untrusted bytes.
 *
 * Ownership: a URL points into the caller's bytes.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tracker_scheme { SCHEME_HTTP, SCHEME_HTTPS, SCHEME_UDP, SCHEME_WS, SCHEME_WSS, SCHEME_OTHER };

struct tracker_url {
	enum tracker_scheme scheme;
	const char *host; /* without the brackets of IPv6 */
	size_t host_size;
	uint16_t port; /* that of the scheme when none is named; 0: it has none */
};

/* false: no URL with a host, or a port that is none. */
bool tracker_url_parse(const void *url, size_t size, struct tracker_url *out);

/* Whether both are of one host, and with `ports` of one port, too. */
bool tracker_url_same(const struct tracker_url *a, const struct tracker_url *b, bool ports);
