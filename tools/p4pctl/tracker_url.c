/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/p4pctl/tracker_url.h"

#include "common/base/text.h"

#include <string.h>
#include <strings.h>

static const struct {
	const char *name;
	uint16_t port;
} schemes[] = {
	[SCHEME_HTTP] = { "http", 80 }, [SCHEME_HTTPS] = { "https", 443 },
	[SCHEME_UDP] = { "udp", 0 },    [SCHEME_WS] = { "ws", 80 },
	[SCHEME_WSS] = { "wss", 443 },
};

static enum tracker_scheme scheme_of(const char *s, size_t size)
{
	for (unsigned i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (strlen(schemes[i].name) == size && strncasecmp(schemes[i].name, s, size) == 0)
			return (enum tracker_scheme)i;
	return SCHEME_OTHER;
}

/* What follows the host: nothing, or a colon and a port. */
static bool read_port(const char *s, size_t size, uint16_t *out)
{
	uint64_t n;
	if (size == 0)
		return true;
	if (s[0] != ':' || size > 6 || !text_u64(s + 1, size - 1, &n) || n == 0 || n > UINT16_MAX)
		return false;
	*out = (uint16_t)n;
	return true;
}

bool tracker_url_parse(const void *url, size_t size, struct tracker_url *out)
{
	const char *s = url, *end = s + size;
	const char *colon = memmem(s, size, "://", 3);
	if (colon == NULL || colon == s)
		return false;
	struct tracker_url u = { .scheme = scheme_of(s, (size_t)(colon - s)) };
	if (u.scheme != SCHEME_OTHER)
		u.port = schemes[u.scheme].port;

	const char *stop = s = colon + 3; /* the authority ends there */
	while (stop < end && strchr("/?#", *stop) == NULL)
		stop++;
	const char *user = memrchr(s, '@', (size_t)(stop - s));
	s = user != NULL ? user + 1 : s;
	const bool bracket = s < stop && *s == '[';
	u.host = s + bracket;
	const char *after = memchr(s, bracket ? ']' : ':', (size_t)(stop - s));
	if (bracket && after == NULL)
		return false;
	after = after != NULL ? after : stop;
	u.host_size = (size_t)(after - u.host);
	after += bracket;
	if (u.host_size == 0 || !read_port(after, (size_t)(stop - after), &u.port))
		return false;
	*out = u;
	return true;
}

bool tracker_url_same(const struct tracker_url *a, const struct tracker_url *b, bool ports)
{
	return a->host_size == b->host_size && strncasecmp(a->host, b->host, a->host_size) == 0 &&
	       (!ports || a->port == b->port);
}
