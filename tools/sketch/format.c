/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sketch/format.h"

#include <string.h>

static const struct {
	const char *name;
	sketch_read *read;
} formats[] = {
	{ "geofeed", sketch_geofeed },
};

sketch_read *sketch_format(const char *name)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (strcmp(formats[i].name, name) == 0)
			return formats[i].read;
	return NULL;
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
