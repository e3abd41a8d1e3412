/* SPDX-License-Identifier: Apache-2.0 */
#include "common/codec/proxy.h"

#include "common/base/cursor.h"
#include "common/base/text.h"

#include <string.h>

static const char magic_v1[] = "PROXY ";
static const char magic_v2[] = "\r\n\r\n\0\r\nQUIT\n";

enum { MAGIC_V1 = sizeof(magic_v1) - 1, MAGIC_V2 = sizeof(magic_v2) - 1, LINE_MAX_V1 = 107 };

/* The next word of a version 1 line, after exactly one blank; false when there is none. */
static bool next_word(const char **at, const char *end, char *out, size_t room)
{
	const char *word = *at + 1;
	if (*at == end || **at != ' ')
		return false;
	size_t n = 0;
	while (word + n < end && word[n] != ' ')
		n++;
	if (n == 0 || n >= room || memchr(word, '\0', n) != NULL)
		return false;
	memcpy(out, word, n);
	out[n] = '\0';
	*at = word + n;
	return true;
}

static bool take_address(const char **at, const char *end, enum ip_family family,
                         struct ip_addr *out)
{
	char word[IP_TEXT_SIZE];
	/* "::ffff:192.0.2.1" after TCP6 is an IPv4 address of a proxy that hears both families. */
	return next_word(at, end, word, sizeof(word)) && ip_parse(word, out) == ERR_OK &&
	       (strchr(word, ':') != NULL) == (family == IP_V6);
}

static bool take_port(const char **at, const char *end, uint16_t *out)
{
	char word[6];
	uint64_t port;
	if (!next_word(at, end, word, sizeof(word)) || !text_u64(word, strlen(word), &port) ||
	    port > UINT16_MAX)
		return false;
	*out = (uint16_t)port;
	return true;
}

/* "PROXY TCP4 192.0.2.1 198.51.100.1 56324 80", without its line end. */
static enum err parse_line(const char *line, size_t size, struct proxy_header *out)
{
	const char *at = line + MAGIC_V1 - 1, *end = line + size;
	char kind[8];
	struct proxy_header h = { .size = size + 2 };
	struct ip_addr to;
	uint16_t to_port;
	if (!next_word(&at, end, kind, sizeof(kind)))
		return ERR_MALFORMED;
	if (strcmp(kind, "UNKNOWN") == 0) { /* the rest of the line means nothing */
		*out = h;
		return ERR_OK;
	}
	const enum ip_family family = strcmp(kind, "TCP4") == 0   ? IP_V4
	                              : strcmp(kind, "TCP6") == 0 ? IP_V6
	                                                          : IP_NONE;
	if (family == IP_NONE || !take_address(&at, end, family, &h.from) ||
	    !take_address(&at, end, family, &to) || !take_port(&at, end, &h.from_port) ||
	    !take_port(&at, end, &to_port) || at != end)
		return ERR_MALFORMED;
	*out = h;
	return ERR_OK;
}

static enum err parse_v1(const char *bytes, size_t size, struct proxy_header *out)
{
	const size_t seen = size < LINE_MAX_V1 ? size : LINE_MAX_V1;
	const char *end = memchr(bytes, '\n', seen);
	if (end == NULL)
		return seen < LINE_MAX_V1 ? ERR_TRUNCATED : ERR_MALFORMED;
	if (end[-1] != '\r') /* the magic stands before it */
		return ERR_MALFORMED;
	return parse_line(bytes, (size_t)(end - 1 - bytes), out);
}

/* Reads what command and family promise; what follows the addresses (TLVs) is of no use here. */
static enum err parse_v2(const void *bytes, size_t size, struct proxy_header *out)
{
	enum { LOCAL = 0x20, PROXY = 0x21, UNSPEC = 0x00, TCP4 = 0x11, TCP6 = 0x21, UNIX = 0x31 };
	struct reader r = reader_over(bytes, size);
	(void)reader_take(&r, MAGIC_V2);
	const uint8_t command = reader_u8(&r), family = reader_u8(&r);
	const uint16_t length = reader_u16(&r);
	if (r.bad)
		return ERR_TRUNCATED;

	struct proxy_header h = { .size = size - reader_left(&r) + length };
	if (h.size > PROXY_HEADER_MAX || (command != LOCAL && command != PROXY))
		return ERR_MALFORMED;
	const uint8_t *data = reader_take(&r, length);
	if (data == NULL)
		return ERR_TRUNCATED;
	if (command == PROXY && (family == TCP4 || family == TCP6)) {
		struct reader body = reader_over(data, length);
		const size_t address = family == TCP4 ? 4 : 16;
		const uint8_t *from = reader_take(&body, address);
		(void)reader_take(&body, address);
		h.from_port = reader_u16(&body);
		(void)reader_u16(&body);
		if (body.bad)
			return ERR_MALFORMED;
		h.from = ip_from_bytes(from, address);
	} else if (command == PROXY && family != UNSPEC && family != UNIX) {
		return ERR_MALFORMED;
	}
	*out = h;
	return ERR_OK;
}

static bool begins(const void *bytes, size_t size, const char *magic, size_t magic_size)
{
	return size == 0 || memcmp(bytes, magic, size < magic_size ? size : magic_size) == 0;
}

enum err proxy_header_parse(const void *bytes, size_t size, struct proxy_header *out)
{
	if (begins(bytes, size, magic_v2, MAGIC_V2))
		return size < MAGIC_V2 ? ERR_TRUNCATED : parse_v2(bytes, size, out);
	if (begins(bytes, size, magic_v1, MAGIC_V1))
		return size < MAGIC_V1 ? ERR_TRUNCATED : parse_v1(bytes, size, out);
	return ERR_MALFORMED;
}
