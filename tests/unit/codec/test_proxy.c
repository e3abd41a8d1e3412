/* SPDX-License-Identifier: Apache-2.0 */
#include "common/codec/proxy.h"

#include "tests/unit/test.h"

#include <string.h>

#define MAGIC "\r\n\r\n\0\r\nQUIT\n"

struct row {
	const char *what, *bytes;
	size_t size;
	const char *from; /* "": nobody */
	uint16_t port;
};

#define ROW(what, literal, from, port)                         \
	{                                                      \
		what, literal, sizeof(literal) - 1, from, port \
	}

static const struct row good[] = {
	ROW("v1, IPv4", "PROXY TCP4 192.0.2.1 198.51.100.1 56324 80\r\n", "192.0.2.1", 56324),
	ROW("v1, IPv6", "PROXY TCP6 2001:db8::1 2001:db8::2 1 65535\r\n", "2001:db8::1", 1),
	ROW("v1, IPv4 of a proxy with IPv6",
	    "PROXY TCP6 ::ffff:192.0.2.1 ::ffff:192.0.2.2 4 443\r\n", "192.0.2.1", 4),
	ROW("v1, unknown", "PROXY UNKNOWN\r\n", "", 0),
	ROW("v1, unknown with more", "PROXY UNKNOWN ffff:f...f:ffff what ever 1\r\n", "", 0),
	ROW("v2, IPv4", MAGIC "\x21\x11\0\x0c\xc0\0\x02\x01\xc6\x33\x64\x01\xdc\x04\0\x50",
	    "192.0.2.1", 56324),
	ROW("v2, IPv6",
	    MAGIC "\x21\x21\0\x24\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"
	          "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02\0\x07\0\x50",
	    "2001:db8::1", 7),
	ROW("v2, with a TLV",
	    MAGIC "\x21\x11\0\x10\xc0\0\x02\x01\xc6\x33\x64\x01\xdc\x04\0\x50\x04\0\x01\x2a",
	    "192.0.2.1", 56324),
	ROW("v2, LOCAL", MAGIC "\x20\0\0\0", "", 0),
	ROW("v2, LOCAL with addresses to skip",
	    MAGIC "\x20\x11\0\x0c\xc0\0\x02\x01\xc6\x33\x64\x01\xdc\x04\0\x50", "", 0),
	ROW("v2, UNSPEC",
	    MAGIC "\x21\0\0\x03"
	          "abc",
	    "", 0),
};

static void expect(const struct row *r, const struct proxy_header *h, enum err e)
{
	char from[IP_TEXT_SIZE] = "";
	if (h->from.family != IP_NONE)
		ip_print(&h->from, from);
	if (e != ERR_OK || h->size != r->size || strcmp(from, r->from) != 0 ||
	    h->from_port != r->port)
		fail_msg("%s: %s, %zu bytes of %zu, from %s port %u", r->what, err_name(e), h->size,
		         r->size, from, h->from_port);
}

static void reads_both_versions(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct proxy_header h = { 0 };
		const enum err e = proxy_header_parse(good[i].bytes, good[i].size, &h);
		expect(&good[i], &h, e);
	}
}

static void leaves_what_the_client_said(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		char bytes[256];
		struct proxy_header h = { 0 };
		memcpy(bytes, good[i].bytes, good[i].size);
		memcpy(bytes + good[i].size, "GET / HTTP/1.1\r\n", 16);
		const enum err e = proxy_header_parse(bytes, good[i].size + 16, &h);
		expect(&good[i], &h, e);
	}
}

static void waits_for_the_rest_of_a_header(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		for (size_t n = 0; n < good[i].size; n++) {
			struct proxy_header h = { .from_port = 77 };
			const enum err e = proxy_header_parse(good[i].bytes, n, &h);
			if (e != ERR_TRUNCATED || h.from_port != 77)
				fail_msg("%s, %zu bytes: %s", good[i].what, n, err_name(e));
		}
}

static void refuses_what_never_becomes_a_header(void **state)
{
	(void)state;
	static const struct row rows[] = {
		ROW("a client without a proxy", "GET / HTTP/1.1\r\n", "", 0),
		ROW("its first byte", "G", "", 0),
		ROW("a wrong magic", "\r\n\r\n\0\r\nQUIT\r", "", 0),
		ROW("lower case", "proxy TCP4", "", 0),
		ROW("no carriage return", "PROXY TCP4 192.0.2.1 198.51.100.1 5 80\n", "", 0),
		ROW("two blanks", "PROXY TCP4  192.0.2.1 198.51.100.1 5 80\r\n", "", 0),
		ROW("a blank at the end", "PROXY TCP4 192.0.2.1 198.51.100.1 5 80 \r\n", "", 0),
		ROW("another family", "PROXY TCP5 192.0.2.1 198.51.100.1 5 80\r\n", "", 0),
		ROW("UDP", "PROXY UDP4 192.0.2.1 198.51.100.1 5 80\r\n", "", 0),
		ROW("no kind", "PROXY \r\n", "", 0),
		ROW("IPv6 after TCP4", "PROXY TCP4 2001:db8::1 198.51.100.1 5 80\r\n", "", 0),
		ROW("IPv4 after TCP6", "PROXY TCP6 192.0.2.1 198.51.100.1 5 80\r\n", "", 0),
		ROW("no address", "PROXY TCP4 example.org 198.51.100.1 5 80\r\n", "", 0),
		ROW("a large port", "PROXY TCP4 192.0.2.1 198.51.100.1 65536 80\r\n", "", 0),
		ROW("no port", "PROXY TCP4 192.0.2.1 198.51.100.1 5\r\n", "", 0),
		ROW("a sign", "PROXY TCP4 192.0.2.1 198.51.100.1 +5 80\r\n", "", 0),
		ROW("a NUL", "PROXY TCP4 192.0.2.1\0 198.51.100.1 5 80\r\n", "", 0),
		ROW("a long line",
		    "PROXY UNKNOWN 0000000000000000000000000000000000000000000000"
		    "00000000000000000000000000000000000000000000000",
		    "", 0),
		ROW("version 1 of 2", MAGIC "\x11\x11\0\x0c", "", 0),
		ROW("another command", MAGIC "\x22\x11\0\x0c", "", 0),
		ROW("UDP in version 2",
		    MAGIC "\x21\x12\0\x0c\xc0\0\x02\x01\xc6\x33\x64\x01\xdc\x04\0\x50", "", 0),
		ROW("short addresses",
		    MAGIC "\x21\x11\0\x0b\xc0\0\x02\x01\xc6\x33\x64\x01\xdc\x04\0", "", 0),
		ROW("too long", MAGIC "\x21\x11\x07\xf1", "", 0),
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct proxy_header h = { .from_port = 77 };
		const enum err e = proxy_header_parse(rows[i].bytes, rows[i].size, &h);
		if (e != ERR_MALFORMED || h.from_port != 77)
			fail_msg("%s: %s", rows[i].what, err_name(e));
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(reads_both_versions),
	cmocka_unit_test(leaves_what_the_client_said),
	cmocka_unit_test(waits_for_the_rest_of_a_header),
	cmocka_unit_test(refuses_what_never_becomes_a_header),
};

RUN_TESTS(tests)
