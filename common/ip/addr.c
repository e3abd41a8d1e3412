/* SPDX-License-Identifier: Apache-2.0 */
#include "common/ip/addr.h"

#include "common/base/text.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static const uint8_t v4_mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

struct ip_addr ip_v4(uint32_t host_order)
{
	return (struct ip_addr){ .family = IP_V4,
		                 .bytes = { (uint8_t)(host_order >> 24),
		                            (uint8_t)(host_order >> 16), (uint8_t)(host_order >> 8),
		                            (uint8_t)host_order } };
}

struct ip_addr ip_from_bytes(const uint8_t *bytes, size_t size)
{
	struct ip_addr a = { .family = IP_NONE };
	if (size == 4 || (size == 16 && memcmp(bytes, v4_mapped, sizeof(v4_mapped)) == 0)) {
		a.family = IP_V4;
		memcpy(a.bytes, bytes + size - 4, 4);
	} else if (size == 16) {
		a.family = IP_V6;
		memcpy(a.bytes, bytes, 16);
	}
	return a;
}

uint32_t ip_v4_number(const struct ip_addr *a)
{
	return (uint32_t)a->bytes[0] << 24 | (uint32_t)a->bytes[1] << 16 |
	       (uint32_t)a->bytes[2] << 8 | a->bytes[3];
}

bool ip_equal(const struct ip_addr *a, const struct ip_addr *b)
{
	return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

size_t ip_size(const struct ip_addr *a)
{
	return a->family == IP_V4 ? 4 : a->family == IP_V6 ? 16 : 0;
}

enum err ip_parse(const char *text, struct ip_addr *out)
{
	uint8_t bytes[16];
	if (inet_pton(AF_INET, text, bytes) == 1)
		*out = ip_from_bytes(bytes, 4);
	else if (inet_pton(AF_INET6, text, bytes) == 1)
		*out = ip_from_bytes(bytes, 16);
	else
		return ERR_MALFORMED;
	return ERR_OK;
}

void ip_print(const struct ip_addr *a, char out[static IP_TEXT_SIZE])
{
	if (a->family == IP_NONE ||
	    inet_ntop(a->family == IP_V4 ? AF_INET : AF_INET6, a->bytes, out, IP_TEXT_SIZE) == NULL)
		(void)snprintf(out, IP_TEXT_SIZE, "none");
}

static unsigned bits_of(const struct ip_addr *a)
{
	return (unsigned)(8 * ip_size(a));
}

/* Clears what lies beyond `length` and tells whether anything did. */
static bool clear_host_bits(struct ip_addr *a, unsigned length)
{
	bool any = false;
	for (unsigned i = 0; i < ip_size(a); i++) {
		const unsigned keep = length >= 8 * (i + 1) ? 8
		                      : length <= 8 * i     ? 0
		                                            : length - 8 * i;
		const uint8_t mask = (uint8_t)(0xff00U >> keep);
		any = any || (a->bytes[i] & (uint8_t)~mask) != 0;
		a->bytes[i] &= mask;
	}
	return any;
}

enum err ip_prefix_parse(const char *text, struct ip_prefix *out)
{
	char address[IP_TEXT_SIZE];
	uint64_t length;
	struct ip_prefix p;

	const char *slash = strchr(text, '/');
	if (slash == NULL || (size_t)(slash - text) >= sizeof(address))
		return ERR_MALFORMED;
	memcpy(address, text, (size_t)(slash - text));
	address[slash - text] = '\0';
	if (ip_parse(address, &p.addr) != ERR_OK ||
	    !text_u64(slash + 1, strlen(slash + 1), &length))
		return ERR_MALFORMED;
	if (length > bits_of(&p.addr))
		return ERR_RANGE;
	p.length = (uint8_t)length;
	const bool host_bits = clear_host_bits(&p.addr, p.length);
	*out = p;
	return host_bits ? ERR_RANGE : ERR_OK;
}

void ip_prefix_print(const struct ip_prefix *p, char out[static IP_PREFIX_TEXT_SIZE])
{
	char address[IP_TEXT_SIZE];
	ip_print(&p->addr, address);
	(void)snprintf(out, IP_PREFIX_TEXT_SIZE, "%s/%u", address, (unsigned)p->length);
}

bool ip_prefix_has(const struct ip_prefix *p, const struct ip_addr *a)
{
	if (p->addr.family != a->family)
		return false;
	const unsigned whole = p->length / 8U, rest = p->length % 8U;
	if (memcmp(p->addr.bytes, a->bytes, whole) != 0)
		return false;
	return rest == 0 || ((p->addr.bytes[whole] ^ a->bytes[whole]) >> (8 - rest)) == 0;
}

bool ip_prefix_covers(const struct ip_prefix *outer, const struct ip_prefix *inner)
{
	return outer->length <= inner->length && ip_prefix_has(outer, &inner->addr);
}

int ip_prefix_compare(const struct ip_prefix *a, const struct ip_prefix *b)
{
	if (a->addr.family != b->addr.family)
		return a->addr.family < b->addr.family ? -1 : 1;
	const int c = memcmp(a->addr.bytes, b->addr.bytes, sizeof(a->addr.bytes));
	if (c != 0)
		return c;
	return (a->length > b->length) - (a->length < b->length);
}

struct special {
	uint8_t bytes[2]; /* the first 16 bits are enough to tell these apart */
	uint8_t length;
	enum ip_kind kind;
};

static enum ip_kind look_up(const struct special *rows, size_t n, const struct ip_addr *a)
{
	for (size_t i = 0; i < n; i++) {
		struct ip_prefix p = { .addr.family = a->family, .length = rows[i].length };
		memcpy(p.addr.bytes, rows[i].bytes, 2);
		if (ip_prefix_has(&p, a))
			return rows[i].kind;
	}
	return IP_PUBLIC;
}

enum ip_kind ip_kind(const struct ip_addr *a)
{
	static const struct special v4[] = {
		{ { 0 }, 8, IP_BOGON },           { { 10 }, 8, IP_PRIVATE },
		{ { 100, 64 }, 10, IP_PRIVATE },  { { 127 }, 8, IP_LOOPBACK },
		{ { 169, 254 }, 16, IP_BOGON },   { { 172, 16 }, 12, IP_PRIVATE },
		{ { 192, 168 }, 16, IP_PRIVATE }, { { 224 }, 3, IP_BOGON },
	};
	static const struct special v6[] = {
		{ { 0xfc }, 7, IP_PRIVATE },
		{ { 0xfe, 0x80 }, 9, IP_BOGON }, /* link-local and site-local */
		{ { 0xff }, 8, IP_BOGON },
	};
	static const uint8_t v6_loopback[16] = { [15] = 1 };

	if (a->family == IP_V4)
		return look_up(v4, sizeof(v4) / sizeof(v4[0]), a);
	if (a->family != IP_V6)
		return IP_BOGON;
	if (memcmp(a->bytes, v6_loopback, 16) == 0)
		return IP_LOOPBACK;
	if (memcmp(a->bytes, v6_loopback, 12) == 0) /* unspecified and IPv4-compatible */
		return IP_BOGON;
	return look_up(v6, sizeof(v6) / sizeof(v6[0]), a);
}
