/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/p4psim/world.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum err world_read(const char *path, struct arena *arena, const char **out, size_t *size)
{
	struct stat st;
	FILE *f = fopen(path, "rbe");
	enum err e = ERR_SYSTEM;
	if (f == NULL)
		return e;
	if (fstat(fileno(f), &st) == 0 && S_ISREG(st.st_mode)) {
		const size_t room = (size_t)st.st_size;
		char *text = room <= MAP_BYTES_MAX ? arena_take(arena, room + 1) : NULL;
		if (text == NULL) {
			e = room <= MAP_BYTES_MAX ? ERR_NOMEM : ERR_RANGE;
		} else if (fread(text, 1, room, f) == room) {
			*out = text;
			*size = room;
			e = ERR_OK;
		}
	} else {
		errno = errno != 0 ? errno : EISDIR;
	}
	(void)fclose(f);
	return e;
}

/* What was found in one file goes to all faults, with the file before its place. */
static void gather(struct faults *all, const char *file, const struct faults *found)
{
	for (size_t i = 0; i < found->count; i++) {
		char where[sizeof(found->list[i].where)];
		(void)snprintf(where, sizeof(where), "%.60s:%.98s", file, found->list[i].where);
		(void)faults_add(all, found->list[i].code, found->list[i].kind, where, "%s",
		                 found->list[i].text);
	}
	all->more += found->more;
}

struct loading {
	struct world *w;
	const struct world_files *files;
	struct faults *faults; /* of all */
	struct faults *found;  /* in this file */
	bool bad;
};

static enum err load(struct loading *l, const char *file, const char **text, size_t *size)
{
	char path[4096];
	const char *base = file[0] == '/' ? "" : l->files->base;
	const int n = snprintf(path, sizeof(path), "%s%s%s", base, *base != '\0' ? "/" : "", file);
	errno = 0;
	const enum err e =
		n < (int)sizeof(path) ? world_read(path, l->w->arena, text, size) : ERR_RANGE;
	if (e == ERR_OK || e == ERR_NOMEM)
		return e;
	l->bad = true;
	return faults_add(l->faults, e, "file", file, "cannot be read: %s",
	                  e == ERR_RANGE ? "it is too large, or its name is too long"
	                                 : strerror(errno));
}

static enum err load_topology(struct loading *l, const char *file, struct map_source *out)
{
	static const struct map_rules lab = { .lab = true };
	struct map_topology *t = NULL;
	struct faults *ignored = faults_new();
	const char *text = NULL;
	size_t size = 0;
	enum err e = ignored != NULL ? load(l, file, &text, &size) : ERR_NOMEM;
	if (e == ERR_OK) {
		l->found->count = l->found->more = 0;
		e = map_topology_parse(text, size, l->w->arena, &t, l->found);
		if (e == ERR_OK)
			e = map_topology_check(t, &lab, l->found, ignored);
		l->bad = l->bad || e != ERR_OK;
		gather(l->faults, file, l->found);
	}
	faults_free(ignored);
	*out = (struct map_source){ .topology = t };
	return e == ERR_NOMEM ? e : ERR_OK;
}

static struct map_source *source_of(struct world *w, const char *provider)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->sources[i].topology != NULL && w->sources[i].topology->provider != NULL &&
		    strcmp(w->sources[i].topology->provider, provider) == 0)
			return &w->sources[i];
	return NULL;
}

static enum err load_costs(struct loading *l, const char *file)
{
	struct map_costs *c = NULL;
	const char *text = NULL;
	size_t size = 0;
	enum err e = load(l, file, &text, &size);
	if (e != ERR_OK)
		return e == ERR_NOMEM ? e : ERR_OK;
	l->found->count = l->found->more = 0;
	e = map_costs_parse(text, size, l->w->arena, &c, l->found);
	struct map_source *source = e == ERR_OK ? source_of(l->w, c->provider) : NULL;
	if (e == ERR_OK && source == NULL)
		e = faults_add(l->found, ERR_MALFORMED, "provider", "/provider",
		               "no topology of the scenario is of '%s'", c->provider);
	else if (e == ERR_OK)
		e = map_costs_check(c, source->topology, l->found);
	if (e == ERR_OK && source != NULL)
		source->costs = c;
	l->bad = l->bad || e != ERR_OK;
	gather(l->faults, file, l->found);
	return e == ERR_NOMEM ? e : ERR_OK;
}

enum err world_compile(struct world *w, struct faults *faults)
{
	struct fault fault = { 0 };
	for (size_t i = 0; i < w->n; i++)
		for (size_t k = 0; k < i; k++)
			if (strcmp(w->sources[k].topology->provider,
			           w->sources[i].topology->provider) == 0)
				return faults_add(faults, ERR_MALFORMED, "taken", "/topologies",
				                  "two of them are of the provider '%s'",
				                  w->sources[i].topology->provider);
	const enum err e = map_compile(w->sources, w->n, &w->map, &fault);
	if (e == ERR_RANGE)
		(void)faults_add(faults, e, "range", fault.where, "%s", fault.text);
	return e;
}

static enum err load_all(struct loading *l)
{
	struct world *w = l->w;
	for (size_t i = 0; i < l->files->n_topologies; i++) {
		if (load_topology(l, l->files->topologies[i], &w->sources[i]) == ERR_NOMEM)
			return ERR_NOMEM;
		w->n++;
	}
	for (size_t i = 0; i < l->files->n_costs; i++)
		if (load_costs(l, l->files->costs[i]) == ERR_NOMEM)
			return ERR_NOMEM;
	return l->bad ? ERR_MALFORMED : world_compile(w, l->faults);
}

enum err world_load(struct world *w, const struct world_files *files, struct faults *faults)
{
	*w = (struct world){ .arena = arena_new(1 << 16) };
	struct loading l = { w, files, faults, faults_new(), false };
	enum err e = ERR_NOMEM;
	if (w->arena != NULL && l.found != NULL) {
		w->sources = arena_take(w->arena, files->n_topologies * sizeof(*w->sources));
		if (w->sources != NULL)
			e = load_all(&l);
	}
	faults_free(l.found);
	if (e != ERR_OK)
		world_done(w);
	return e;
}

void world_done(struct world *w)
{
	snapshot_free(w->map);
	arena_free(w->arena);
	*w = (struct world){ 0 };
}
