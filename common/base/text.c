/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static bool grow(struct text *t, size_t more)
{
	if (t->bad || more > SIZE_MAX / 4 || t->size > SIZE_MAX / 4) {
		t->bad = true;
		return false;
	}
	const size_t need = t->size + more + 1;
	if (need <= t->room)
		return true;
	const size_t room = need > 2 * t->room ? need + 128 : 2 * t->room;
	char *bytes = realloc(t->bytes, room);
	if (bytes == NULL) {
		t->bad = true;
		return false;
	}
	t->bytes = bytes;
	t->room = room;
	return true;
}

void text_reserve(struct text *t, size_t size)
{
	if (size > t->size)
		(void)grow(t, size - t->size);
}

void text_add_slowly_(struct text *t, const void *bytes, size_t size)
{
	if (!grow(t, size))
		return;
	if (size > 0)
		memcpy(t->bytes + t->size, bytes, size);
	t->size += size;
	t->bytes[t->size] = '\0';
}

char *text_begin_slowly_(struct text *t, size_t most)
{
	return grow(t, most) ? t->bytes + t->size : NULL;
}

void text_put(struct text *t, const char *s)
{
	text_add(t, s, strlen(s));
}

void text_vprintf(struct text *t, const char *fmt, va_list ap)
{
	va_list again;
	va_copy(again, ap);
	const int n = vsnprintf(NULL, 0, fmt, ap);
	if (n < 0)
		t->bad = true;
	else if (grow(t, (size_t)n)) {
		(void)vsnprintf(t->bytes + t->size, (size_t)n + 1, fmt, again);
		t->size += (size_t)n;
	}
	va_end(again);
}

void text_printf(struct text *t, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	text_vprintf(t, fmt, ap);
	va_end(ap);
}

/* Length of the UTF-8 sequence at `s`, 0 when it is none (RFC 3629: shortest form, no surrogate). */
static size_t utf8_length(const unsigned char *s, size_t left)
{
	if (s[0] < 0x80)
		return 1;
	const size_t n = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
	if (s[0] < 0xc2 || s[0] > 0xf4 || left < n)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

bool text_is_utf8(const char *s)
{
	size_t left = strlen(s);
	while (left > 0) {
		const size_t n = utf8_length((const unsigned char *)s, left);
		if (n == 0)
			return false;
		s += n;
		left -= n;
	}
	return true;
}

/* C0, DEL and C1 (U+0080 to U+009F): what a terminal obeys. */
static bool is_control(const unsigned char *s, size_t n)
{
	return (n == 1 && (s[0] < 0x20 || s[0] == 0x7f)) || (n == 2 && s[0] == 0xc2 && s[1] < 0xa0);
}

void text_clean(struct text *t, const void *bytes, size_t size)
{
	const unsigned char *p = bytes;
	while (size > 0) {
		const size_t n = utf8_length(p, size), step = n > 0 ? n : 1;
		if (n == 0 || is_control(p, n))
			text_put(t, "\xef\xbf\xbd");
		else
			text_add(t, p, n);
		p += step;
		size -= step;
	}
}

static void json_char(struct text *t, const unsigned char *s, size_t n)
{
	if (n == 1 && (*s == '"' || *s == '\\'))
		text_printf(t, "\\%c", *s);
	else if (n == 1 && *s == '\n')
		text_put(t, "\\n");
	else if (n == 1 && *s < 0x20)
		text_printf(t, "\\u%04x", *s);
	else
		text_add(t, s, n);
}

void text_json_string(struct text *t, const char *s)
{
	const unsigned char *p = (const unsigned char *)s;
	text_put(t, "\"");
	size_t left = strlen(s);
	while (left > 0) {
		const size_t n = utf8_length(p, left), step = n > 0 ? n : 1;
		if (n == 0)
			text_put(t, "\xef\xbf\xbd");
		else
			json_char(t, p, n);
		p += step;
		left -= step;
	}
	text_put(t, "\"");
}

void text_csv_field(struct text *t, const char *s)
{
	if (strpbrk(s, ",\"\r\n") == NULL) {
		text_put(t, s);
		return;
	}
	text_put(t, "\"");
	for (; *s != '\0'; s++)
		text_add(t, *s == '"' ? "\"\"" : s, *s == '"' ? 2 : 1);
	text_put(t, "\"");
}

void text_done(struct text *t)
{
	free(t->bytes);
	*t = (struct text){ 0 };
}

bool text_u64(const char *s, size_t size, uint64_t *out)
{
	uint64_t v = 0;
	if (size == 0)
		return false;
	for (size_t i = 0; i < size; i++) {
		if (s[i] < '0' || s[i] > '9')
			return false;
		const unsigned digit = (unsigned)(s[i] - '0');
		if (v > UINT64_MAX / 10 || v * 10 > UINT64_MAX - digit)
			return false;
		v = v * 10 + digit;
	}
	*out = v;
	return true;
}

/* "Z", or how far the clock is ahead of UTC: "+01:00"; in seconds. */
static bool read_offset(const char *s, int *out)
{
	uint64_t hours, minutes;
	*out = 0;
	if (strcmp(s, "Z") == 0)
		return true;
	if (strlen(s) != 6 || (s[0] != '+' && s[0] != '-') || s[3] != ':' ||
	    !text_u64(s + 1, 2, &hours) || !text_u64(s + 4, 2, &minutes) || hours > 23 ||
	    minutes > 59)
		return false;
	*out = (int)(hours * 60 + minutes) * (s[0] == '-' ? -60 : 60);
	return true;
}

bool text_time(const char *s, int64_t *out)
{
	uint64_t n;
	if (text_u64(s, strlen(s), &n) && n <= INT32_MAX * (uint64_t)100) {
		*out = (int64_t)n;
		return true;
	}
	struct tm tm = { 0 }, back;
	int offset = 0;
	const char *end = strptime(s, "%Y-%m-%d", &tm);
	if (end != NULL && *end == 'T') {
		end = strptime(end, "T%H:%M:%S", &tm);
		if (end == NULL || !read_offset(end, &offset))
			return false;
	} else if (end == NULL || *end != '\0') {
		return false;
	}
	const int day = tm.tm_mday;
	const time_t t = timegm(&tm);
	/* What is no day of its month would be one of the next. */
	if (gmtime_r(&t, &back) == NULL || back.tm_mday != day)
		return false;
	*out = (int64_t)t - offset;
	return true;
}

bool text_time_ms(const char *s, int64_t *out)
{
	char whole[64];
	const char *dot = strchr(s, '.');
	int64_t seconds, ms = 0;
	if (dot == NULL) {
		if (!text_time(s, &seconds))
			return false;
	} else {
		const size_t digits = strspn(dot + 1, "0123456789");
		const size_t before = (size_t)(dot - s), after = strlen(dot + 1) - digits;
		if (digits == 0 || before == 0 || dot[1 + digits] == ':' ||
		    before + after >= sizeof(whole))
			return false;
		memcpy(whole, s, before);
		memcpy(whole + before, dot + 1 + digits, after + 1);
		if (!text_time(whole, &seconds))
			return false;
		for (size_t i = 0; i < 3; i++)
			ms = ms * 10 + (i < digits ? dot[1 + i] - '0' : 0);
	}
	*out = seconds * 1000 + ms;
	return true;
}

void text_time_print(int64_t unix_seconds, char out[static 24])
{
	const time_t t = (time_t)unix_seconds;
	struct tm tm;
	if (gmtime_r(&t, &tm) == NULL || strftime(out, 24, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		(void)snprintf(out, 24, "%" PRId64, unix_seconds);
}

void text_hex(const void *bytes, size_t size, char *out)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *p = bytes;
	for (size_t i = 0; i < size; i++) {
		*out++ = digits[p[i] >> 4];
		*out++ = digits[p[i] & 15];
	}
	*out = '\0';
}

static int nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool text_unhex(const char *s, void *out, size_t size)
{
	if (strlen(s) != 2 * size)
		return false;
	for (size_t i = 0; i < 2 * size; i++)
		if (nibble(s[i]) < 0)
			return false;
	unsigned char *p = out;
	for (size_t i = 0; i < size; i++)
		p[i] = (unsigned char)((unsigned)nibble(s[2 * i]) << 4 |
		                       (unsigned)nibble(s[2 * i + 1]));
	return true;
}
