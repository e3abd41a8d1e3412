/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * How requests travel: UDP sockets, or HTTP connections.
 *
 * A wire divides the clients into classes, by number: each class has a socket, or an address, of its
 * own. It takes requests from the engine and hands it the answers.
 */

#include "tools/p4pload/engine.h"

#include <sys/socket.h>

struct wire {
	uint32_t classes;
	/* Takes in what came and, when `sending`, sends what is due; true when anything moved. */
	bool (*exchange)(struct wire *w, bool sending);
	void (*rest)(struct wire *w, uint64_t ns);      /* until something comes, or for `ns` */
	void (*give_up)(struct wire *w, uint32_t slot); /* the engine waits no longer */
	void (*free)(struct wire *w);
};

/* ERR_SYSTEM, ERR_NOMEM. Both borrow `p` and `e`. */
enum err wire_udp_new(struct engine *e, struct population *p, struct wire **out,
                      struct fault *fault) must_check;
enum err wire_http_new(struct engine *e, struct population *p, struct wire **out,
                       struct fault *fault) must_check;

/* A socket address of the target's family, for a target or a source (port 0). */
struct socket_address {
	struct sockaddr_storage at;
	socklen_t size;
};
struct socket_address socket_address(const struct ip_addr *a, uint16_t port);

/* ERR_DENIED, naming the option `where`: the address is not of this machine. */
enum err wire_is_local(const struct ip_addr *a, const char *where, struct fault *fault) must_check;

/* Lets a socket speak for any address of a local prefix, which IPv6 refuses without. */
void wire_free_bind(int fd, enum ip_family family);
