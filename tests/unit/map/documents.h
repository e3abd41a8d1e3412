/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Documents for the tests of common/map: fixtures from disk, and room to parse them in. */

#include "tests/unit/test.h"

#include "common/map/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct desk {
	struct arena *arena;
	struct faults *faults, *warnings;
};

static inline struct desk desk_new(void)
{
	const struct desk d = { arena_new(4096), faults_new(), faults_new() };
	assert_non_null(d.arena);
	assert_non_null(d.faults);
	assert_non_null(d.warnings);
	return d;
}

static inline void desk_free(struct desk *d)
{
	arena_free(d->arena);
	faults_free(d->faults);
	faults_free(d->warnings);
}

static inline const char *desk_print(const struct desk *d)
{
	static char out[4096];
	size_t n = 0;
	out[0] = '\0';
	for (size_t i = 0; i < d->faults->count && n < sizeof(out) - 512; i++) {
		const struct fault *f = &d->faults->list[i];
		n += (size_t)snprintf(out + n, sizeof(out) - n, "[%s] %s: %s\n", f->kind, f->where,
		                      f->text);
	}
	return out;
}

/* "kind /where" of each fault, with a blank between them. */
static inline const char *desk_list(const struct desk *d)
{
	static char out[4096];
	size_t n = 0;
	out[0] = '\0';
	for (size_t i = 0; i < d->faults->count && n < sizeof(out) - 256; i++)
		n += (size_t)snprintf(out + n, sizeof(out) - n, "%s%s %s", i > 0 ? " " : "",
		                      d->faults->list[i].kind, d->faults->list[i].where);
	return out;
}

/* A file of tests/fixtures/maps; the caller frees it. */
static inline char *fixture(const char *name, size_t *size)
{
	char path[512];
	const char *root = getenv("P4P_SOURCE_ROOT");
	(void)snprintf(path, sizeof(path), "%s/tests/fixtures/maps/%s", root != NULL ? root : ".",
	               name);
	FILE *f = fopen(path, "rb");
	if (f == NULL)
		fail_msg("no fixture %s", path);
	enum { ROOM = 1 << 20 };
	char *text = malloc(ROOM);
	assert_non_null(text);
	*size = fread(text, 1, ROOM, f);
	(void)fclose(f);
	return text;
}

static inline const struct map_topology *topology(struct desk *d, const char *text)
{
	struct map_topology *t = NULL;
	if (map_topology_parse(text, strlen(text), d->arena, &t, d->faults) != ERR_OK)
		fail_msg("%s", desk_print(d));
	return t;
}

static inline const struct map_costs *costs(struct desk *d, const char *text)
{
	struct map_costs *c = NULL;
	if (map_costs_parse(text, strlen(text), d->arena, &c, d->faults) != ERR_OK)
		fail_msg("%s", desk_print(d));
	return c;
}

static inline const struct map_topology *fixture_topology(struct desk *d, const char *name)
{
	size_t size;
	struct map_topology *t = NULL;
	char *text = fixture(name, &size);
	if (map_topology_parse(text, size, d->arena, &t, d->faults) != ERR_OK)
		fail_msg("%s: %s", name, desk_print(d));
	free(text);
	return t;
}

static inline const struct map_costs *fixture_costs(struct desk *d, const char *name)
{
	size_t size;
	struct map_costs *c = NULL;
	char *text = fixture(name, &size);
	if (map_costs_parse(text, size, d->arena, &c, d->faults) != ERR_OK)
		fail_msg("%s: %s", name, desk_print(d));
	free(text);
	return c;
}
