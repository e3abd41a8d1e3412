/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/csv.h"

#include <string.h>

bool csv_begin(struct csv *c, char *text, size_t size, char separator)
{
	static const char mark[] = "\xef\xbb\xbf";
	*c = (struct csv){ .at = text, .end = text + size, .separator = separator, .line = 1 };
	if (size >= 3 && memcmp(text, mark, 3) == 0)
		c->at += 3;
	return memchr(text, '\0', size) == NULL;
}

size_t csv_rows_max(const struct csv *c)
{
	size_t lines = 1;
	for (const char *s = c->at; s < c->end; s++) /* never past the NUL at the end */
		lines += *s == '\n' || (*s == '\r' && s[1] != '\n');
	return lines;
}

/* The field at `at`, unquoted in place; returns its end in the text. NULL: the quotes do not close. */
static char *read_field(struct csv *c, char *at, char **end)
{
	char *to = at;
	bool quoted = false;
	for (; at < c->end; at++) {
		if (*at == '"' && quoted && at + 1 < c->end && at[1] == '"')
			*to++ = *at++;
		else if (*at == '"')
			quoted = !quoted;
		else if (!quoted && (*at == c->separator || *at == '\n' || *at == '\r'))
			break;
		else
			*to++ = *at;
		c->line += quoted && *at == '\n';
	}
	*end = to;
	return quoted ? NULL : at;
}

bool csv_row(struct csv *c)
{
	c->n = 0;
	for (;;) {
		char *start = c->at, *end;
		char *at = read_field(c, start, &end);
		if (at == NULL || c->n == CSV_FIELDS_MAX)
			return false;
		const char stop = *at; /* at the end: the NUL of the copy */
		c->field[c->n++] = start;
		c->at = at < c->end ? at + 1 : at;
		if (stop == '\r' && c->at < c->end && *c->at == '\n')
			c->at++;
		*end = '\0';
		if (stop != c->separator || stop == '\0')
			break;
	}
	c->line++;
	return true;
}
