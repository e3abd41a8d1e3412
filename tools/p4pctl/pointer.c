/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/p4pctl/pointer.h"

#include "common/base/text.h"

#include <string.h>

struct scan {
	const char *at, *end;
};

static char peek(const struct scan *s)
{
	if (s->at == s->end)
		return '\0';
	return *s->at;
}

static bool is_one_of(char c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
}

static void skip_blanks(struct scan *s)
{
	while (s->at < s->end && is_one_of(*s->at, " \t\r\n"))
		s->at++;
}

static void skip_string(struct scan *s)
{
	for (s->at++; s->at < s->end && *s->at != '"'; s->at++)
		if (*s->at == '\\' && s->at + 1 < s->end)
			s->at++;
	if (s->at < s->end)
		s->at++;
}

static void skip_value(struct scan *s)
{
	size_t depth = 0;
	while (s->at < s->end) {
		const char c = *s->at;
		if (depth == 0 && is_one_of(c, ",]}"))
			return;
		if (c == '"')
			skip_string(s);
		else
			s->at++;
		if (is_one_of(c, "{["))
			depth++;
		else if (is_one_of(c, "}]"))
			depth--;
		if (depth == 0 && is_one_of(peek(s), ",]} \t\r\n"))
			return;
	}
}

/* Is the string at [key, end) what the pointer's next token says, with ~1 for / and ~0 for ~? */
static bool is_token(const char *key, const char *end, const char *token, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		char c = token[i];
		if (c == '~' && i + 1 < size)
			c = token[++i] == '1' ? '/' : '~';
		if (key == end || *key++ != c)
			return false;
	}
	return key == end;
}

/* Moves from the value at `s` to its member or element; false, and `s` unmoved, when there is none. */
static bool step(struct scan *s, const char *token, size_t size)
{
	struct scan in = *s;
	const bool object = peek(&in) == '{';
	uint64_t wanted = 0;
	if (!object && (peek(&in) != '[' || !text_u64(token, size, &wanted)))
		return false;
	for (uint64_t i = 0; in.at < in.end; i++) {
		in.at++; /* the bracket or the comma */
		skip_blanks(&in);
		bool found = !object && i == wanted;
		if (object) {
			const char *key = in.at;
			if (peek(&in) != '"')
				return false;
			skip_string(&in);
			if (in.at - key < 2)
				return false; /* cut off */
			found = is_token(key + 1, in.at - 1, token, size);
			skip_blanks(&in);
			in.at += peek(&in) == ':';
			skip_blanks(&in);
		}
		if (found && peek(&in) != ']') {
			*s = in;
			return true;
		}
		skip_value(&in);
		skip_blanks(&in);
		if (peek(&in) != ',')
			return false;
	}
	return false;
}

size_t pointer_line(const char *text, size_t size, const char *pointer)
{
	struct scan s = { .at = text, .end = text + size };
	size_t line = 1;
	skip_blanks(&s);
	while (*pointer == '/') {
		const size_t n = strcspn(++pointer, "/");
		if (!step(&s, pointer, n))
			break;
		pointer += n;
	}
	for (const char *p = text; p < s.at; p++)
		line += *p == '\n';
	return line;
}
