/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A listener for proxies that speak the PROXY protocol. Private to server/net.
 *
 * One thread accepts, reads the header and nothing behind it, and hands the socket over with the
 * address that the header names. It peeks, and takes the header out of the socket only when it is
 * whole: so the one who gets the socket reads from the client's first byte. Whoever is not a listed
 * proxy, speaks anything else, or is not done within five seconds, is hung up on.
 *
 * Ownership: proxied_stop() ends the thread and frees. `take` gets the socket for good.
 * Threading: `is_proxy` and `take` are called on that thread.
 */

#include "server/net/listen.h"

#include <stdbool.h>

struct proxied_options {
	const char *listen;
	bool (*is_proxy)(void *ctx, const struct ip_addr *addr);
	void *is_proxy_ctx;
	void (*take)(void *ctx, int fd, const struct net_place *from);
	void *take_ctx;
};

struct proxied;

enum err proxied_start(const struct proxied_options *options, struct proxied **out,
                       struct fault *fault) must_check;
void proxied_stop(struct proxied *p); /* NULL is fine */
uint16_t proxied_port(const struct proxied *p);
uint64_t proxied_refused(const struct proxied *p); /* connections hung up on */
