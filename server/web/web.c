/* SPDX-License-Identifier: Apache-2.0 */
#include "server/web/web.h"

#include <string.h>

extern const struct embed_file web_files[];

const struct embed_file *web_find(const char *path)
{
	const char *name = strcmp(path, "/") == 0 ? "index.html" : path + 1;
	for (const struct embed_file *f = web_files; f->name != NULL; f++)
		if (strcmp(f->name, name) == 0)
			return f;
	return NULL;
}

const char *web_type(const struct embed_file *file)
{
	static const char *const types[][2] = {
		{ ".html", "text/html; charset=utf-8" },
		{ ".js", "text/javascript; charset=utf-8" },
		{ ".css", "text/css; charset=utf-8" },
		{ ".svg", "image/svg+xml" },
	};
	const char *suffix = strrchr(file->name, '.');
	for (size_t i = 0; suffix != NULL && i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(suffix, types[i][0]) == 0)
			return types[i][1];
	return "application/octet-stream";
}
