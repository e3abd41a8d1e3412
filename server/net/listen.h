/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Where a listener stands. Private to server/net.
 *
 * Addresses are numbers, never names: a tracker that waits for DNS at start is a tracker that does
 * not start. Pure but for net_open().
 */

#include "common/base/err.h"
#include "common/ip/addr.h"

#include <netinet/in.h>
#include <sys/socket.h>

struct net_place {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} at;
	socklen_t size;
};

/* "[::]:6969" or "127.0.0.1:0". ERR_MALFORMED with a fault that shows both forms. */
enum err net_place_parse(const char *text, struct net_place *out, struct fault *fault) must_check;

/* An address of either family, and a port. */
struct net_place net_place_of(const struct ip_addr *addr, uint16_t port);

uint16_t net_place_port(const struct net_place *p);
bool net_place_any(const struct net_place *p); /* 0.0.0.0 or [::] */
void net_place_print(const struct net_place *p, char out[static IP_TEXT_SIZE + 8]);

/* The address and the port of a peer, IPv4-mapped ones as IPv4. */
struct ip_addr net_peer(const struct sockaddr *from, uint16_t *port);

/*
 * Opens a bound socket of `type` (SOCK_DGRAM or SOCK_STREAM, or'ed with flags); with `share`,
 * others of ours may bind the same port (SO_REUSEPORT). *place becomes what the kernel bound: the
 * port it chose for 0, and 0.0.0.0 for [::] on a machine without IPv6, which is logged.
 */
enum err net_open(struct net_place *place, int type, bool share, int *out,
                  struct fault *fault) must_check;
