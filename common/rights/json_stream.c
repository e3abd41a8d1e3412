/* SPDX-License-Identifier: Apache-2.0 */
#include "common/rights/json_stream.h"

#include <string.h>

enum { DEPTH_MAX = 64, NUMBER_ROOM = 64 };

void json_begin(struct json_stream *s, json_more *more, void *ctx)
{
	s->more = more;
	s->ctx = ctx;
	s->at = s->size = 0;
	s->line = 1;
	s->bad = NULL;
}

void json_fail(struct json_stream *s, const char *bad)
{
	if (s->bad == NULL)
		s->bad = bad;
}

/* ---- bytes ---- */

/* The byte that comes next, or -1. */
static int look(struct json_stream *s)
{
	if (s->at == s->size) {
		s->at = 0;
		s->size = s->bad == NULL ? s->more(s->ctx, s->window, sizeof(s->window)) : 0;
		must(s->size <= sizeof(s->window));
		if (s->size == 0)
			return -1;
	}
	return s->window[s->at];
}

static int take(struct json_stream *s)
{
	const int c = look(s);
	s->at += c >= 0;
	s->line += c == '\n';
	return c;
}

static int look_behind_blanks(struct json_stream *s)
{
	int c;
	while ((c = look(s)) == ' ' || c == '\n' || c == '\t' || c == '\r')
		(void)take(s);
	return c;
}

static bool want(struct json_stream *s, char c, const char *bad)
{
	const int got = look_behind_blanks(s);
	if (s->bad == NULL && got == c) {
		(void)take(s);
		return true;
	}
	json_fail(s, got < 0 ? "ends early" : bad);
	return false;
}

char json_peek(struct json_stream *s)
{
	const int c = look_behind_blanks(s);
	return (char)(c < 0 ? 0 : c);
}

/* ---- strings and numbers ---- */

/* What stands behind a backslash; a character beyond ASCII is '?'. -1: nothing that may. */
static int take_escaped(struct json_stream *s)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const int c = take(s);
	unsigned code = 0;
	if (c != 'u') {
		const char *found = c > 0 ? strchr(from, c) : NULL;
		return found != NULL ? to[found - from] : -1;
	}
	for (size_t i = 0; i < 4; i++) {
		static const char digits[] = "0123456789abcdef";
		const int d = take(s);
		const char *found =
			d > 0 ? strchr(digits, d >= 'A' && d <= 'F' ? d | 0x20 : d) : NULL;
		if (found == NULL)
			return -1;
		code = code << 4 | (unsigned)(found - digits);
	}
	return code > 0 && code < 0x80 ? (int)code : '?';
}

bool json_string(struct json_stream *s, char *out, size_t room)
{
	size_t n = 0;
	if (!want(s, '"', "must be a string"))
		return false;
	for (int c; (c = take(s)) != '"';) {
		const bool escape = c == '\\';
		c = escape ? take_escaped(s) : c;
		if (c < 0 || (c < ' ' && !escape)) {
			json_fail(s, look(s) < 0 ? "ends early" : "must be a string of JSON");
			return false;
		}
		if (n + 1 < room)
			out[n++] = (char)(c < 0x80 ? c : '?');
	}
	if (room > 0)
		out[n] = '\0';
	return true;
}

static bool is_number(const char *t)
{
	static const char digits[] = "0123456789";
	t += *t == '-';
	size_t n = strspn(t, digits);
	if (n == 0 || (n > 1 && *t == '0'))
		return false;
	t += n;
	if (*t == '.') {
		n = strspn(++t, digits);
		t += n;
	}
	if (n > 0 && (*t == 'e' || *t == 'E')) {
		t++;
		t += *t == '+' || *t == '-';
		n = strspn(t, digits);
		t += n;
	}
	return n > 0 && *t == '\0';
}

/* The characters that a number may have, and whether they make one. */
static bool take_number(struct json_stream *s, char out[static NUMBER_ROOM])
{
	size_t n = 0;
	memset(out, 0, NUMBER_ROOM);
	int c = look_behind_blanks(s);
	for (; c > 0 && strchr("+-.0123456789Ee", c) != NULL && n < NUMBER_ROOM - 1; c = look(s))
		out[n++] = (char)take(s);
	if (is_number(out))
		return true;
	json_fail(s, c < 0 ? "ends early" : "must be a number");
	return false;
}

bool json_number(struct json_stream *s, int64_t *out)
{
	char text[NUMBER_ROOM];
	uint64_t n = 0;
	if (s->bad != NULL || !take_number(s, text))
		return false;
	const bool minus = text[0] == '-';
	const char *t = text + minus;
	for (; *t >= '0' && *t <= '9'; t++) {
		if (n > (uint64_t)(INT64_MAX - 9) / 10)
			return false;
		n = 10 * n + (uint64_t)(*t - '0');
	}
	if (*t != '\0')
		return false;
	*out = minus ? -(int64_t)n : (int64_t)n;
	return true;
}

/* ---- arrays and objects ---- */

bool json_enter(struct json_stream *s, char open, struct json_in *in)
{
	*in = (struct json_in){ .close = open == '{' ? '}' : ']' };
	return want(s, open, open == '{' ? "must be an object" : "must be an array");
}

bool json_element(struct json_stream *s, struct json_in *in)
{
	if (s->bad != NULL)
		return false;
	const int c = look_behind_blanks(s);
	if (c == in->close) {
		(void)take(s);
		return false;
	}
	if (in->any && !want(s, ',', "must go on with a comma"))
		return false;
	if (in->any && look_behind_blanks(s) == in->close)
		json_fail(s, "must not end with a comma");
	in->any = true;
	return s->bad == NULL;
}

bool json_member(struct json_stream *s, struct json_in *in, char *key, size_t room)
{
	return json_element(s, in) && json_string(s, key, room) &&
	       want(s, ':', "must have a colon behind its key");
}

static void skip_word(struct json_stream *s)
{
	static const char *const words[] = { "true", "false", "null" };
	char text[8];
	size_t n = 0;
	for (int c; (c = look(s)) >= 'a' && c <= 'z' && n < sizeof(text) - 1;)
		text[n++] = (char)take(s);
	text[n] = '\0';
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(text, words[i]) == 0)
			return;
	json_fail(s, look(s) < 0 ? "ends early" : "must be a value of JSON");
}

/* A value that holds no others, or the beginning of one that does. */
static void skip_one(struct json_stream *s, struct json_in *stack, size_t *depth)
{
	char number[NUMBER_ROOM];
	const int c = look_behind_blanks(s);
	if (c == '{' || c == '[') {
		if (*depth == DEPTH_MAX)
			json_fail(s, "must not nest so deep");
		else
			(void)json_enter(s, (char)c, &stack[(*depth)++]);
	} else if (c == '"') {
		(void)json_string(s, NULL, 0);
	} else if (c == '-' || (c >= '0' && c <= '9')) {
		(void)take_number(s, number);
	} else {
		skip_word(s);
	}
}

void json_skip(struct json_stream *s)
{
	struct json_in stack[DEPTH_MAX];
	size_t depth = 0;
	skip_one(s, stack, &depth);
	while (depth > 0 && s->bad == NULL) {
		struct json_in *in = &stack[depth - 1];
		if (in->close == '}' ? json_member(s, in, NULL, 0) : json_element(s, in))
			skip_one(s, stack, &depth);
		else
			depth--;
	}
}

bool json_end(struct json_stream *s)
{
	if (s->bad == NULL && look_behind_blanks(s) >= 0)
		json_fail(s, "must end behind its object");
	return s->bad == NULL;
}
