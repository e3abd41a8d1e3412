/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/p4psim/study.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static enum err read_scenario(struct study *s, const char *path, struct faults *faults)
{
	const char *text;
	size_t size;
	errno = 0;
	const enum err e = world_read(path, s->arena, &text, &size);
	if (e == ERR_SYSTEM || e == ERR_RANGE)
		return faults_add(faults, e, "file", "", "cannot be read: %s",
		                  e == ERR_RANGE ? "it is too large" : strerror(errno));
	return e == ERR_OK ? scenario_parse(text, size, s->arena, &s->scenario, faults) : e;
}

/* The folder of a file; "" when it is the working folder. */
static enum err folder_of(struct arena *arena, const char *path, const char **out)
{
	const char *slash = strrchr(path, '/');
	const size_t size = slash == NULL ? 0 : slash == path ? 1 : (size_t)(slash - path);
	char *folder = arena_take(arena, size + 1);
	if (folder == NULL)
		return ERR_NOMEM;
	memcpy(folder, path, size);
	*out = folder;
	return ERR_OK;
}

static enum err load(struct study *s, const char *path, const uint64_t *seed, struct faults *faults)
{
	const char *base;
	enum err e = s->arena != NULL ? read_scenario(s, path, faults) : ERR_NOMEM;
	if (e != ERR_OK || (e = folder_of(s->arena, path, &base)) != ERR_OK)
		return e;
	if (seed != NULL)
		s->scenario.seed = *seed;
	const struct world_files files = { .base = base,
		                           .topologies = s->scenario.topologies,
		                           .n_topologies = s->scenario.n_topologies,
		                           .costs = s->scenario.costs,
		                           .n_costs = s->scenario.n_costs };
	e = world_load(&s->world, &files, faults);
	if (e == ERR_OK)
		e = population_draw(&s->population, &s->scenario, s->world.map, faults);
	if (e == ERR_OK)
		e = network_build(&s->network, &s->world, s->population.places,
		                  s->population.n_sites);
	return e;
}

enum err study_load(struct study *s, const char *path, const uint64_t *seed, struct faults *faults)
{
	*s = (struct study){ .arena = arena_new(1 << 16) };
	const enum err e = load(s, path, seed, faults);
	if (e != ERR_OK)
		study_done(s);
	return e;
}

bool study_keep(struct study *s, const char *name)
{
	size_t n = 0;
	for (size_t i = 0; i < s->scenario.n_arms; i++)
		if (strcmp(s->scenario.arms[i].name, name) == 0)
			s->scenario.arms[n++] = s->scenario.arms[i];
	if (n > 0)
		s->scenario.n_arms = n;
	return n > 0;
}

enum err study_run(struct study *s)
{
	const struct sim_input in = { &s->scenario, &s->population, &s->network };
	s->outcomes = calloc(s->scenario.n_arms, sizeof(*s->outcomes));
	if (s->outcomes == NULL)
		return ERR_NOMEM;
	for (; s->n_outcomes < s->scenario.n_arms; s->n_outcomes++) {
		const enum err e =
			sim_run(&in, &s->scenario.arms[s->n_outcomes], &s->outcomes[s->n_outcomes]);
		if (e != ERR_OK)
			return e;
	}
	return ERR_OK;
}

struct report study_report(const struct study *s)
{
	return (struct report){ .scenario = &s->scenario,
		                .network = &s->network,
		                .outcomes = s->outcomes,
		                .n = s->n_outcomes };
}

void study_done(struct study *s)
{
	for (size_t i = 0; i < s->n_outcomes; i++)
		outcome_done(&s->outcomes[i]);
	free(s->outcomes);
	network_done(&s->network);
	population_done(&s->population);
	world_done(&s->world);
	arena_free(s->arena);
	*s = (struct study){ 0 };
}
