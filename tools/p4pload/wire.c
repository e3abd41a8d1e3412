/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/p4pload/wire.h"

#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct socket_address socket_address(const struct ip_addr *a, uint16_t port)
{
	struct socket_address s = { 0 };
	if (a->family == IP_V4) {
		struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(port) };
		memcpy(&v4.sin_addr, a->bytes, sizeof(v4.sin_addr));
		memcpy(&s.at, &v4, sizeof(v4));
		s.size = sizeof(v4);
	} else {
		struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
		memcpy(&v6.sin6_addr, a->bytes, sizeof(v6.sin6_addr));
		memcpy(&s.at, &v6, sizeof(v6));
		s.size = sizeof(v6);
	}
	return s;
}

struct question {
	struct nlmsghdr head;
	struct rtmsg route;
	struct rtattr attribute;
	uint8_t address[16];
};

/*
 * Asks the kernel where packets to `a` go. Whether a socket can be bound to it would prove less: IPv6
 * refuses addresses of a prefix that is local as a whole, and net.ipv4.ip_nonlocal_bind lets all pass.
 */
static bool goes_here(const struct ip_addr *a)
{
	struct question ask = { 0 };
	union {
		struct nlmsghdr head;
		uint8_t bytes[4096];
	} reply;
	const size_t size = ip_size(a);
	ask.head = (struct nlmsghdr){ .nlmsg_len =
		                              (uint32_t)(offsetof(struct question, address) + size),
		                      .nlmsg_type = RTM_GETROUTE,
		                      .nlmsg_flags = NLM_F_REQUEST };
	ask.route.rtm_family = a->family == IP_V4 ? AF_INET : AF_INET6;
	ask.route.rtm_dst_len = (uint8_t)(8 * size);
	ask.attribute =
		(struct rtattr){ .rta_len = (uint16_t)RTA_LENGTH(size), .rta_type = RTA_DST };
	memcpy(ask.address, a->bytes, size);

	const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	ssize_t got = -1;
	if (fd >= 0 && send(fd, &ask, ask.head.nlmsg_len, 0) == (ssize_t)ask.head.nlmsg_len)
		got = recv(fd, &reply, sizeof(reply), 0);
	if (fd >= 0)
		(void)close(fd);
	if (got < (ssize_t)NLMSG_LENGTH(sizeof(struct rtmsg)) ||
	    reply.head.nlmsg_type != RTM_NEWROUTE)
		return false;
	const struct rtmsg *route = NLMSG_DATA(&reply.head);
	return route->rtm_type == RTN_LOCAL;
}

enum err wire_is_local(const struct ip_addr *a, const char *where, struct fault *fault)
{
	char text[IP_TEXT_SIZE];
	if (ip_kind(a) != IP_BOGON && goes_here(a))
		return ERR_OK;
	ip_print(a, text);
	return fault_set(fault, ERR_DENIED, where,
	                 "%s is not an address of this machine; p4pload never loads others, nor "
	                 "speaks for them",
	                 text);
}

void wire_free_bind(int fd, enum ip_family family)
{
	const int on = 1;
	(void)setsockopt(fd, family == IP_V4 ? IPPROTO_IP : IPPROTO_IPV6,
	                 family == IP_V4 ? IP_FREEBIND : IPV6_FREEBIND, &on, sizeof(on));
}
