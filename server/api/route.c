/* SPDX-License-Identifier: Apache-2.0 */
#include "server/api/route.h"

#include "common/base/err.h"
#include "common/base/text.h"

#include <string.h>

static bool decode(const char *segment, size_t size, char out[static ROUTE_PART_ROOM])
{
	size_t n = 0;
	for (size_t i = 0; i < size; i++) {
		char c = segment[i];
		if (c == '%') {
			char digits[3] = "";
			memcpy(digits, segment + i + 1, size - i - 1 < 2 ? size - i - 1 : 2);
			if (!text_unhex(digits, &c, 1))
				return false;
			i += 2;
		}
		if (c == '\0' || n == ROUTE_PART_ROOM - 1)
			return false;
		out[n++] = c;
	}
	out[n] = '\0';
	return n > 0;
}

bool route_match(const char *pattern, const char *path, struct route_parts *out)
{
	struct route_parts found = { 0 };
	size_t n = 0;
	while (*pattern != '\0') {
		if (*pattern != '{') {
			if (*pattern++ != *path++)
				return false;
			continue;
		}
		must(n < ROUTE_PARTS_MAX);
		const size_t size = strcspn(path, "/");
		if (!decode(path, size, found.part[n++]))
			return false;
		path += size;
		pattern = strchr(pattern, '}');
		must(pattern != NULL);
		pattern++;
	}
	if (*path != '\0')
		return false;
	*out = found;
	return true;
}
