/* SPDX-License-Identifier: Apache-2.0 */

/* What a handler may ask of its request. */
#include "server/net/http.h"

#include <microhttpd.h>
#include <string.h>
#include <strings.h>

struct wanted {
	const char *name;
	http_see_header *see;
	void *ctx;
	size_t count;
};

static enum MHD_Result compare(void *ctx, enum MHD_ValueKind kind, const char *key,
                               const char *value)
{
	(void)kind;
	struct wanted *w = ctx;
	if (strcasecmp(key, w->name) == 0) {
		w->see(w->ctx, value != NULL ? value : "");
		w->count++;
	}
	return MHD_YES;
}

size_t http_each_header(const struct http_request *r, const char *name, http_see_header *see,
                        void *ctx)
{
	struct wanted w = { .name = name, .see = see, .ctx = ctx };
	(void)MHD_get_connection_values(r->connection_, MHD_HEADER_KIND, compare, &w);
	return w.count;
}

static void keep_last(void *ctx, const char *value)
{
	const char **last = ctx;
	*last = value;
}

const char *http_header(const struct http_request *r, const char *name)
{
	const char *last = NULL;
	(void)http_each_header(r, name, keep_last, &last);
	return last;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	const int letter = (c | 0x20) - 'a';
	return letter >= 0 && letter < 6 ? letter + 10 : -1;
}

/* RFC 3986: '+' is a plus. */
static bool unescape(const char *s, size_t size, char *out, size_t room)
{
	size_t n = 0;
	for (size_t i = 0; i < size; i++, n++) {
		if (n + 1 >= room)
			return false;
		out[n] = s[i];
		if (s[i] != '%')
			continue;
		const int high = i + 2 < size ? hex_digit(s[i + 1]) : -1;
		const int low = high >= 0 ? hex_digit(s[i + 2]) : -1;
		if (low < 0 || (high | low) == 0) /* %00 would hide what follows it */
			return false;
		out[n] = (char)(high << 4 | low);
		i += 2;
	}
	out[n] = '\0';
	return true;
}

/* Where its value begins, and how long that is; NULL: it is not there. */
static const char *parameter(const char *query, const char *name, size_t *value_size)
{
	const size_t name_size = strlen(name);
	for (const char *p = query; *p != '\0';) {
		const size_t size = strcspn(p, "&");
		if (size >= name_size && memcmp(p, name, name_size) == 0 &&
		    (size == name_size || p[name_size] == '=')) {
			const size_t skip = name_size + (size > name_size);
			*value_size = size - skip;
			return p + skip;
		}
		p += size + (p[size] == '&');
	}
	return NULL;
}

bool http_parameter(const struct http_request *r, const char *name, char *out, size_t room)
{
	size_t size;
	const char *value = parameter(r->query, name, &size);
	return value != NULL && unescape(value, size, out, room);
}

bool http_has_parameter(const struct http_request *r, const char *name)
{
	size_t size;
	return parameter(r->query, name, &size) != NULL;
}

void http_reply_header(struct http_reply *reply, const char *name, const char *value)
{
	must(reply->n_headers < HTTP_HEADERS_MAX);
	const size_t size = strlen(value);
	must(size < sizeof(reply->headers[0].value));
	reply->headers[reply->n_headers].name = name;
	memcpy(reply->headers[reply->n_headers].value, value, size + 1);
	reply->n_headers++;
}
