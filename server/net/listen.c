/* SPDX-License-Identifier: Apache-2.0 */
#include "server/net/listen.h"

#include "common/base/log.h"
#include "common/base/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct net_place net_place_of(const struct ip_addr *addr, uint16_t port)
{
	struct net_place p = { 0 };
	if (addr->family == IP_V4) {
		p.at.v4.sin_family = AF_INET;
		p.at.v4.sin_port = htons(port);
		memcpy(&p.at.v4.sin_addr, addr->bytes, 4);
		p.size = sizeof(p.at.v4);
	} else {
		p.at.v6.sin6_family = AF_INET6;
		p.at.v6.sin6_port = htons(port);
		memcpy(&p.at.v6.sin6_addr, addr->bytes, 16);
		p.size = sizeof(p.at.v6);
	}
	return p;
}

enum err net_place_parse(const char *text, struct net_place *out, struct fault *fault)
{
	char host[IP_TEXT_SIZE + 2];
	struct ip_addr addr;
	uint64_t port;

	const char *colon = strrchr(text, ':');
	if (colon == NULL || (size_t)(colon - text) >= sizeof(host))
		goto out;
	memcpy(host, text, (size_t)(colon - text));
	host[colon - text] = '\0';

	char *name = host;
	const size_t n = strlen(host);
	if (n >= 2 && host[0] == '[' && host[n - 1] == ']') {
		host[n - 1] = '\0';
		name = host + 1;
	} else if (strchr(host, ':') != NULL) { /* "::1:80" has two readings */
		goto out;
	}
	if (ip_parse(name, &addr) == ERR_OK && text_u64(colon + 1, strlen(colon + 1), &port) &&
	    port <= UINT16_MAX) {
		*out = net_place_of(&addr, (uint16_t)port);
		return ERR_OK;
	}
out:
	return fault_set(fault, ERR_MALFORMED, text,
	                 "a listener is an address and a port, like [::]:6969 or 127.0.0.1:6969");
}

uint16_t net_place_port(const struct net_place *p)
{
	return ntohs(p->at.any.sa_family == AF_INET ? p->at.v4.sin_port : p->at.v6.sin6_port);
}

struct ip_addr net_peer(const struct sockaddr *from, uint16_t *port)
{
	struct net_place p = { 0 };
	if (from->sa_family == AF_INET) {
		memcpy(&p.at.v4, from, sizeof(p.at.v4));
		*port = ntohs(p.at.v4.sin_port);
		return ip_from_bytes((const uint8_t *)&p.at.v4.sin_addr, 4);
	}
	memcpy(&p.at.v6, from, sizeof(p.at.v6));
	*port = ntohs(p.at.v6.sin6_port);
	return ip_from_bytes(p.at.v6.sin6_addr.s6_addr, 16);
}

void net_place_print(const struct net_place *p, char out[static IP_TEXT_SIZE + 8])
{
	char host[IP_TEXT_SIZE];
	uint16_t port;
	const struct ip_addr a = net_peer(&p->at.any, &port);
	ip_print(&a, host);
	(void)snprintf(out, IP_TEXT_SIZE + 8, a.family == IP_V6 ? "[%s]:%u" : "%s:%u", host,
	               (unsigned)port);
}

static int open_once(const struct net_place *p, int type, bool share)
{
	const int on = 1, off = 0;
	const int fd = socket(p->at.any.sa_family, type | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if ((p->at.any.sa_family == AF_INET6 &&
	     setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) != 0) ||
	    ((type & SOCK_STREAM) != 0 &&
	     setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0) ||
	    (share && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) != 0) ||
	    bind(fd, &p->at.any, p->size) != 0) {
		const int why = errno;
		(void)close(fd);
		errno = why;
		return -1;
	}
	return fd;
}

bool net_place_any(const struct net_place *p)
{
	return p->at.any.sa_family == AF_INET6 ? IN6_IS_ADDR_UNSPECIFIED(&p->at.v6.sin6_addr)
	                                       : p->at.v4.sin_addr.s_addr == htonl(INADDR_ANY);
}

enum err net_open(struct net_place *place, int type, bool share, int *out, struct fault *fault)
{
	char name[IP_TEXT_SIZE + 8];
	struct net_place bound = *place;
	net_place_print(place, name);

	int fd = open_once(&bound, type, share);
	if (fd < 0 && place->at.any.sa_family == AF_INET6 && net_place_any(place) &&
	    (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL)) {
		const struct ip_addr any = ip_v4(0);
		bound = net_place_of(&any, net_place_port(place));
		fd = open_once(&bound, type, share);
		if (fd >= 0)
			log_line(LOG_WARNING, "no IPv6 here; listening on IPv4 only listen=%s",
			         name);
	}
	if (fd < 0)
		return fault_set(fault, ERR_SYSTEM, name, "cannot listen on this address: %s",
		                 strerror(errno));
	if (getsockname(fd, &bound.at.any, &bound.size) != 0) {
		const int why = errno;
		(void)close(fd);
		return fault_set(fault, ERR_SYSTEM, name, "getsockname: %s", strerror(why));
	}
	*place = bound;
	*out = fd;
	return ERR_OK;
}
