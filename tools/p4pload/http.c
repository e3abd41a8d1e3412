/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/p4pload/http.h"

#include "common/base/text.h"
#include "common/codec/bdecode.h"
#include "tools/p4pload/packet.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* ---- requests ---- */

struct out {
	char *at, *end;
};

__attribute__((format(printf, 2, 3))) static void put(struct out *o, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	const int n = vsnprintf(o->at, (size_t)(o->end - o->at), format, args);
	va_end(args);
	must(n >= 0 && n < o->end - o->at); /* every part has a limit */
	o->at += n;
}

static void put_escaped(struct out *o, const uint8_t *bytes, size_t size)
{
	static const char hex[] = "0123456789ABCDEF";
	must((size_t)(o->end - o->at) > 3 * size);
	for (size_t i = 0; i < size; i++) {
		*o->at++ = '%';
		*o->at++ = hex[bytes[i] >> 4];
		*o->at++ = hex[bytes[i] & 15];
	}
}

static void put_announce(const struct population *p, const struct request *r, struct out *o)
{
	static const char *const events[] = { [EVENT_NONE] = "",
		                              [EVENT_COMPLETED] = "&event=completed",
		                              [EVENT_STARTED] = "&event=started",
		                              [EVENT_STOPPED] = "&event=stopped",
		                              [EVENT_PAUSED] = "&event=paused" };
	const struct client *c = &p->clients[r->client];
	const struct statement s = packet_statement(p, r);
	put(o, "GET %s?info_hash=", p->options->path != NULL ? p->options->path : "/announce");
	put_escaped(o, p->hashes[c->swarm], INFO_HASH_SIZE);
	put(o, "&peer_id=");
	put_escaped(o, s.peer_id, sizeof(s.peer_id));
	put(o, "&port=%u&uploaded=%" PRIu64 "&downloaded=%" PRIu64 "&left=%" PRIu64 "&compact=1%s",
	    population_port(p, r->client), s.moved, c->born_seeder ? 0 : s.moved, s.left,
	    events[r->event]);
	if (s.key != 0)
		put(o, "&key=%08" PRIx32, s.key);
	if (p->options->want <= INT32_MAX)
		put(o, "&numwant=%" PRIu64, p->options->want);
}

static void put_scrape(const struct population *p, const struct request *r, struct out *o)
{
	const char *path = p->options->path != NULL ? p->options->path : "/announce";
	const char *last = strrchr(path, '/');
	put(o, "GET %.*s/scrape%s", (int)(last - path), path, last + strlen("/announce"));
	for (uint32_t i = 0; i < r->count; i++) {
		put(o, "%cinfo_hash=", i == 0 ? '?' : '&');
		put_escaped(o, p->hashes[(p->clients[r->client].swarm + i) % p->n_hashes],
		            INFO_HASH_SIZE);
	}
}

size_t http_write(const struct population *p, const struct request *r, char *out)
{
	const struct options *options = p->options;
	struct out o = { out, out + HTTP_REQUEST_MAX };
	char text[IP_TEXT_SIZE];
	if (r->kind == UDP_ANNOUNCE)
		put_announce(p, r, &o);
	else
		put_scrape(p, r, &o);
	ip_print(&options->target, text);
	put(&o,
	    options->target.family == IP_V6 ? " HTTP/1.1\r\nHost: [%s]:%u\r\n"
	                                    : " HTTP/1.1\r\nHost: %s:%u\r\n",
	    text, (unsigned)options->port);
	if (options->forwarded) {
		const struct ip_addr a = population_address(p, r->client);
		ip_print(&a, text);
		put(&o, "X-Forwarded-For: %s\r\n", text);
	}
	put(&o, "%s\r\n", options->protocol == PROTOCOL_HTTP_CLOSED ? "Connection: close\r\n" : "");
	return (size_t)(o.at - out);
}

/* ---- responses ---- */

static void parse_field(const char *line, size_t size, struct http_head *h, bool *bad)
{
	static const char length[] = "content-length:", connection[] = "connection:",
			  coding[] = "transfer-encoding:";
	uint64_t v;
	const char *end = line + size;
	while (end > line && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	if (size >= sizeof(length) && strncasecmp(line, length, sizeof(length) - 1) == 0) {
		const char *at = line + sizeof(length) - 1;
		while (at < end && (*at == ' ' || *at == '\t'))
			at++;
		if (!text_u64(at, (size_t)(end - at), &v) || v > HTTP_RESPONSE_MAX)
			*bad = true;
		else
			h->length = (size_t)v;
	} else if (size >= sizeof(coding) && strncasecmp(line, coding, sizeof(coding) - 1) == 0) {
		*bad = true;
	} else if (size >= sizeof(connection) &&
	           strncasecmp(line, connection, sizeof(connection) - 1) == 0) {
		h->close = end - line >= 5 && strncasecmp(end - 5, "close", 5) == 0;
	}
}

enum err http_parse_head(const char *bytes, size_t size, struct http_head *out)
{
	static const char version[] = "HTTP/1.";
	const size_t first = sizeof("HTTP/1.1 200") - 1;
	const char *end = memmem(bytes, size, "\r\n\r\n", 4);
	struct http_head h = { .length = SIZE_MAX };
	uint64_t status;
	bool bad = false;
	if (end == NULL)
		return size >= HTTP_RESPONSE_MAX ? ERR_MALFORMED : ERR_TRUNCATED;
	if ((size_t)(end - bytes) < first || memcmp(bytes, version, sizeof(version) - 1) != 0 ||
	    !text_u64(bytes + 9, 3, &status))
		return ERR_MALFORMED;
	h.status = (unsigned)status;
	h.close = bytes[7] == '0';
	for (const char *line = bytes; line < end;) {
		const char *next = memmem(line, (size_t)(end + 2 - line), "\r\n", 2);
		parse_field(line, (size_t)(next - line), &h, &bad);
		line = next + 2;
	}
	h.body = (size_t)(end + 4 - bytes);
	if (bad || (h.length != SIZE_MAX && h.body + h.length > HTTP_RESPONSE_MAX))
		return ERR_MALFORMED;
	*out = h;
	return ERR_OK;
}

static bool is(const struct bdecode_item *i, const char *key)
{
	return i->key_size == strlen(key) && memcmp(i->key, key, i->key_size) == 0;
}

struct answer http_parse_body(const struct request *r, unsigned status, const void *body,
                              size_t size)
{
	struct answer a = { .shape = REPLY_GOOD };
	struct udp_scrape_row counts = { 0 };
	struct bdecode d = bdecode_over(body, size);
	struct bdecode_item i;
	bool list = false, files = false;
	if (status != 200)
		return (struct answer){ .shape = REPLY_REFUSED };
	while (bdecode_next(&d, &i)) {
		if (i.depth == 1 && is(&i, "failure reason"))
			return (struct answer){ .shape = REPLY_REFUSED };
		if (i.depth == 1 && is(&i, "peers") && i.kind == BDECODE_STRING) {
			a.lists[0] = i.bytes;
			a.sizes[0] = i.size;
			list = true;
		} else if (i.depth == 1 && is(&i, "peers6") && i.kind == BDECODE_STRING) {
			a.lists[1] = i.bytes;
			a.sizes[1] = i.size;
			list = true;
		} else if (i.depth == 1 && is(&i, "files") && i.kind == BDECODE_DICT) {
			files = true;
		} else if (is(&i, "complete") && i.kind == BDECODE_NUMBER) {
			counts.seeders = (uint32_t)i.number;
		} else if (is(&i, "incomplete") && i.kind == BDECODE_NUMBER) {
			counts.leechers = (uint32_t)i.number;
		}
	}
	const bool shaped = r->kind == UDP_ANNOUNCE ? list : files;
	if (d.bad || !shaped || a.sizes[0] % 6 != 0 || a.sizes[1] % 18 != 0)
		return (struct answer){ .shape = REPLY_MALFORMED };
	a.seeders = counts.seeders;
	a.leechers = counts.leechers;
	if (r->kind == UDP_SCRAPE && r->count == 1)
		a.rows[a.n_rows++] = counts;
	return a;
}
