/* SPDX-License-Identifier: Apache-2.0 */
#include "common/codec/forwarded.h"

#include "common/base/text.h"

#include <string.h>
#include <strings.h>

static void add(struct hops *hops, const struct ip_addr *hop)
{
	if (hops->n == HOPS_MAX) {
		memmove(hops->at, hops->at + 1, sizeof(hops->at) - sizeof(hops->at[0]));
		hops->n--;
	}
	hops->at[hops->n++] = *hop;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '.' || c == '_' || c == '-';
}

/* What may stand behind an address: nothing, or ':' and a number or an obfuscated "_name". */
static bool is_port(const char *s, size_t size)
{
	uint64_t port;
	if (size == 0)
		return true;
	if (size < 2 || s[0] != ':')
		return false;
	if (s[1] != '_')
		return size <= sizeof(":65535") - 1 && text_u64(s + 1, size - 1, &port) &&
		       port <= UINT16_MAX;
	for (size_t i = 2; i < size; i++)
		if (!is_name_char(s[i]))
			return false;
	return size > 2;
}

/*
 * "192.0.2.1", "192.0.2.1:80", "[2001:db8::1]" or "[2001:db8::1]:80", as RFC 7239 has them, and the
 * bare "2001:db8::1" of X-Forwarded-For.
 */
static struct ip_addr node(const char *s, size_t size)
{
	const struct ip_addr none = { .family = IP_NONE };
	struct ip_addr addr;
	char text[IP_TEXT_SIZE];
	const char *stop = s + size, *end = stop, *port = stop;
	const bool bracket = size > 0 && *s == '[';
	if (bracket) {
		s++;
		end = memchr(s, ']', size - 1);
		if (end == NULL)
			return none;
		port = end + 1;
	} else {
		const char *colon = memchr(s, ':', size);
		if (colon != NULL && memchr(colon + 1, ':', (size_t)(stop - colon - 1)) == NULL)
			end = port = colon;
	}
	const size_t n = (size_t)(end - s);
	if (n == 0 || n >= sizeof(text) || !is_port(port, (size_t)(stop - port)))
		return none;
	memcpy(text, s, n);
	text[n] = '\0';
	if ((bracket && strchr(text, ':') == NULL) || ip_parse(text, &addr) != ERR_OK)
		return none;
	return addr;
}

void hops_add_list(struct hops *hops, const char *line)
{
	for (;;) {
		line += strspn(line, " \t");
		size_t size = strcspn(line, ",");
		const char *next = line + size;
		while (size > 0 && is_blank(line[size - 1]))
			size--;
		const struct ip_addr hop = node(line, size);
		add(hops, &hop);
		if (*next == '\0')
			return;
		line = next + 1;
	}
}

/* One `name=value`; both end where the next ';' or ',' stands. */
struct pair {
	const char *name;
	size_t name_size;
	char value[64]; /* a longer one is no address */
	size_t value_size;
	bool bad;
};

static void keep(struct pair *p, char c)
{
	if (p->value_size < sizeof(p->value))
		p->value[p->value_size++] = c;
	else
		p->bad = true;
}

/* A quoted string (RFC 9110, section 5.6.4), behind its first quote. */
static const char *take_quoted(struct pair *p, const char *s)
{
	while (*s != '\0' && *s != '"') {
		if (*s == '\\' && s[1] != '\0')
			s++;
		keep(p, *s++);
	}
	if (*s == '\0') {
		p->bad = true;
		return s;
	}
	return s + 1;
}

/* Steps over a pair, to the ';' or ',' behind it or to the end. */
static const char *take_pair(struct pair *p, const char *s)
{
	*p = (struct pair){ .name = s + strspn(s, " \t") };
	p->name_size = strcspn(p->name, "=;, \t");
	s = p->name + p->name_size;
	if (*s == '=') {
		s++;
		if (*s == '"')
			s = take_quoted(p, s + 1);
		else
			while (*s != '\0' && *s != ';' && *s != ',' && !is_blank(*s))
				keep(p, *s++);
	}
	s += strspn(s, " \t");
	const size_t rest = strcspn(s, ";,");
	p->bad = p->bad || rest > 0;
	return s + rest;
}

void hops_add_forwarded(struct hops *hops, const char *line)
{
	for (;;) {
		struct ip_addr hop = { .family = IP_NONE };
		unsigned seen = 0;
		bool bad = false;
		struct pair p;
		for (;;) {
			line = take_pair(&p, line);
			bad = bad || p.bad;
			if (p.name_size == 3 && strncasecmp(p.name, "for", 3) == 0) {
				hop = node(p.value, p.value_size);
				seen++;
			}
			if (*line != ';')
				break;
			line++;
		}
		if (bad || seen > 1)
			hop = (struct ip_addr){ .family = IP_NONE };
		add(hops, &hop);
		if (*line == '\0')
			return;
		line++;
	}
}

static bool is_one(const struct ip_prefix *proxies, size_t n, const struct ip_addr *addr)
{
	for (size_t i = 0; i < n; i++)
		if (ip_prefix_has(&proxies[i], addr))
			return true;
	return false;
}

/* What stands before the last stranger is what that stranger says. */
struct ip_addr hops_client(const struct hops *hops, struct ip_addr from,
                           const struct ip_prefix *proxies, size_t n_proxies)
{
	for (size_t i = hops->n; i > 0 && is_one(proxies, n_proxies, &from); i--) {
		if (hops->at[i - 1].family == IP_NONE)
			break;
		from = hops->at[i - 1];
	}
	return from;
}
