/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/random.h"
#include "tools/sketch/sketch.h"

#include <stdio.h>
#include <string.h>

/* The letters under the accents of U+00C0 to U+017F (Latin-1 and Latin Extended-A); '-': no letter. */
static const char folded[] = "aaaaaaaceeeeiiiidnooooo-ouuuuyts"
			     "aaaaaaaceeeeiiiidnooooo-ouuuuyty"
			     "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiiijjkkklllllll"
			     "lllnnnnnnnnnoooooooorrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";
_Static_assert(sizeof(folded) == 0x180 - 0xc0 + 1, "a letter each");

/* The code point at *at, which moves on; what is no UTF-8 is taken byte by byte. */
static uint32_t next_point(const char **at)
{
	const unsigned char *s = (const unsigned char *)*at;
	const unsigned more = s[0] >= 0xf0 ? 3 : s[0] >= 0xe0 ? 2 : s[0] >= 0xc0 ? 1 : 0;
	uint32_t point = more == 0 ? s[0] : s[0] & (0x3fU >> more);
	for (unsigned i = 1; i <= more; i++) {
		if ((s[i] & 0xc0) != 0x80) {
			++*at;
			return s[0];
		}
		point = point << 6 | (s[i] & 0x3fU);
	}
	*at += 1 + more;
	return point;
}

static void put_point(uint32_t point, char out[static 12])
{
	const bool is_mark = point >= 0x300 && point < 0x370; /* an accent that combines */
	const bool is_sign = point < 0xc0 || (point >= 0x2000 && point < 0x2070);
	char c = '\0';
	if (point < 0x80)
		c = (char)point;
	else if (point >= 0xc0 && point <= 0x17f)
		c = folded[point - 0xc0];
	if (c >= 'A' && c <= 'Z')
		c = (char)(c - 'A' + 'a');
	if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || is_mark)
		(void)snprintf(out, 12, "%.1s", is_mark ? "" : &c);
	else
		(void)snprintf(out, 12, is_sign || c == '-' ? "-" : "u%04x", (unsigned)point);
}

static uint32_t hash(const char *s)
{
	uint64_t h = 0xcbf29ce484222325U;
	for (; *s != '\0'; s++)
		h = (h ^ (unsigned char)*s) * 0x100000001b3U;
	return (uint32_t)random_mix(h);
}

void sketch_name(const char *text, char out[static MAP_NAME_MAX + 1])
{
	char piece[12];
	size_t n = 0;
	bool whole = true;
	for (const char *at = text; *at != '\0' && whole;) {
		put_point(next_point(&at), piece);
		const size_t size = strlen(piece);
		if (piece[0] == '-' && (n == 0 || out[n - 1] == '-'))
			continue;
		whole = n + size <= MAP_NAME_MAX;
		if (!whole)
			break;
		memcpy(out + n, piece, size);
		n += size;
	}
	while (n > 0 && out[n - 1] == '-')
		n--;
	if (!whole) {
		n = n > MAP_NAME_MAX - 9 ? MAP_NAME_MAX - 9 : n;
		n += (size_t)snprintf(out + n, 10, "-%08x", (unsigned)hash(text));
	}
	if (n == 0)
		out[n++] = 'x';
	out[n] = '\0';
}
