/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The providers of a scenario: their documents, read, checked and compiled as the server does it.
 *
 * Ownership: world_done(). The documents and the map live as long as the world. Threading: immutable
 * once loaded.
 */

#include "common/map/snapshot.h"

struct world {
	struct arena *arena;
	struct map_source *sources;
	size_t n;
	struct map_snapshot *map;
};

/* Files, relative to the folder `base` unless they begin with a slash. */
struct world_files {
	const char *base;
	const char *const *topologies;
	size_t n_topologies;
	const char *const *costs;
	size_t n_costs;
};

/* ERR_MALFORMED, ERR_RANGE, ERR_SYSTEM (a file cannot be read): see `faults`, each with "FILE:/pointer".
 * ERR_NOMEM. */
enum err world_load(struct world *w, const struct world_files *files,
                    struct faults *faults) must_check;
void world_done(struct world *w);

/* Documents in memory; what world_load() ends with. */
enum err world_compile(struct world *w, struct faults *faults) must_check;

/* A whole file, NUL-terminated, into the arena. ERR_SYSTEM, ERR_RANGE (too large), ERR_NOMEM. */
enum err world_read(const char *path, struct arena *arena, const char **out,
                    size_t *size) must_check;
