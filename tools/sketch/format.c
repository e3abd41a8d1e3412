/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sketch/format.h"

#include <string.h>

static const struct {
	const char *name;
	sketch_read *read;
} formats[] = {
	{ "alto", sketch_alto },       { "asrel", sketch_asrel },
	{ "csv", sketch_csv },         { "geofeed", sketch_geofeed },
	{ "graphml", sketch_graphml }, { "ietf", sketch_ietf },
	{ "mrt", sketch_mrt },         { "peeringdb", sketch_peeringdb },
	{ "pfx2as", sketch_pfx2as },   { "sndlib", sketch_sndlib },
};

sketch_read *sketch_format(const char *name)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (strcmp(formats[i].name, name) == 0)
			return formats[i].read;
	return NULL;
}

char *sketch_text(struct sketch *s, const struct sketch_source *source, uint32_t number)
{
	static const char mark[] = "\xef\xbb\xbf";
	if (memchr(source->text, '\0', source->size) != NULL) {
		sketch_fault(s, (struct sketch_origin){ number, 0 }, "encoding",
		             "must be text, and has NUL bytes; is it compressed, or UTF-16?");
		return NULL;
	}
	return source->text + (strncmp(source->text, mark, 3) == 0 ? 3 : 0);
}

char *sketch_next_line(char **at, const char *end, uint32_t *line)
{
	char *start = *at;
	if (start >= end)
		return NULL;
	char *stop = memchr(start, '\n', (size_t)(end - start));
	*at = stop != NULL ? stop + 1 : start + (end - start);
	if (stop == NULL)
		stop = *at;
	if (stop > start && stop[-1] == '\r')
		stop--;
	*stop = '\0';
	++*line;
	return start;
}

size_t sketch_split(char *line, char separator, char **fields, size_t max)
{
	const char stops[] = { separator, (char)(separator == ' ' ? '\t' : separator), '\0' };
	size_t n = 0;
	for (char *at = line; at != NULL; n++) {
		if (separator == ' ')
			at += strspn(at, stops);
		if (separator == ' ' && *at == '\0')
			break;
		if (n < max)
			fields[n] = at;
		at += strcspn(at, stops);
		if (*at == '\0')
			at = NULL;
		else
			*at++ = '\0';
	}
	return n;
}

bool sketch_read_prefix(struct sketch *s, struct sketch_origin at, const char *text,
                        struct ip_prefix *out)
{
	char meant[IP_PREFIX_TEXT_SIZE];
	struct ip_prefix p = { 0 };
	const enum err e = ip_prefix_parse(text, &p);
	if (e == ERR_OK) {
		*out = p;
		return true;
	}
	if (e == ERR_RANGE && p.addr.family != IP_NONE) {
		ip_prefix_print(&p, meant);
		sketch_fault(s, at, "host-bits", "\"%.60s\" has host bits set; did you mean %s?",
		             text, meant);
	} else {
		sketch_fault(
			s, at, "prefix",
			"must have a prefix, such as 192.0.2.0/24 or 2001:db8::/32, not \"%.60s\"",
			text);
	}
	return false;
}

bool sketch_read_asn(struct sketch *s, struct sketch_origin at, const char *text, uint32_t *out)
{
	uint64_t asn;
	if (text_u64(text, strlen(text), &asn) && asn <= UINT32_MAX) {
		*out = (uint32_t)asn;
		return true;
	}
	sketch_fault(s, at, "asn", "must have an ASN, such as 64500, not \"%.40s\"", text);
	return false;
}
