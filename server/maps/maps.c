/* SPDX-License-Identifier: Apache-2.0 */
#include "server/maps/maps.h"

#include "common/base/log.h"
#include "common/map/check.h"
#include "server/maps/files.h"
#include "server/maps/inside.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum err maps_new(const struct maps_options *options, struct maps **out, struct fault *fault)
{
	if (sodium_init() < 0)
		return fault_set(fault, ERR_SYSTEM, "libsodium", "cannot be initialised");
	const enum err e = maps_files_open(options->state_dir, fault);
	if (e != ERR_OK)
		return e;
	struct maps *m = calloc(1, sizeof(*m));
	if (m == NULL)
		return fault_set(fault, ERR_NOMEM, "maps", "out of memory");
	m->o = *options;
	pthread_mutex_init(&m->lock, NULL);
	pthread_mutex_init(&m->stats_lock, NULL);
	*out = m;
	return ERR_OK;
}

void inside_done(struct paper *p)
{
	arena_free(p->arena);
	*p = (struct paper){ 0 };
}

void maps_free(struct maps *m)
{
	if (m == NULL)
		return;
	for (size_t i = 0; i < m->n; i++) {
		inside_done(&m->providers[i].papers[STORE_TOPOLOGY]);
		inside_done(&m->providers[i].papers[STORE_COSTS]);
	}
	free(m->providers);
	pthread_mutex_destroy(&m->stats_lock);
	pthread_mutex_destroy(&m->lock);
	free(m);
}

struct provider *inside_find(const struct maps *m, const char *name)
{
	for (size_t i = 0; i < m->n; i++)
		if (strcmp(m->providers[i].name, name) == 0)
			return &m->providers[i];
	return NULL;
}

/* ---- a document on its way in ---- */

enum err inside_parse(const char *body, size_t size, enum store_kind kind, struct paper *out,
                      struct faults *faults)
{
	*out = (struct paper){ .arena = arena_new(65536) };
	if (out->arena == NULL)
		return ERR_NOMEM;
	return kind == STORE_TOPOLOGY
	               ? map_topology_parse(body, size, out->arena, &out->topology, faults)
	               : map_costs_parse(body, size, out->arena, &out->costs, faults);
}

enum err inside_world(const struct maps *m, const char *name, const struct map_source *candidate,
                      struct map_source **out, size_t *count)
{
	struct map_source *list = calloc(m->n + 1, sizeof(*list));
	size_t n = 0;
	bool placed = candidate == NULL;
	if (list == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < m->n; i++) {
		const struct provider *p = &m->providers[i];
		struct map_source s = { p->papers[STORE_TOPOLOGY].topology,
			                p->papers[STORE_COSTS].costs };
		if (candidate != NULL && strcmp(p->name, name) == 0) {
			s.topology = candidate->topology != NULL ? candidate->topology : s.topology;
			s.costs = candidate->costs != NULL ? candidate->costs : s.costs;
			placed = true;
		}
		if (s.topology != NULL)
			list[n++] = s;
	}
	if (!placed && candidate->topology != NULL)
		list[n++] = *candidate;
	*out = list;
	*count = n;
	return ERR_OK;
}

enum err inside_compile(const struct maps *m, const char *provider,
                        const struct map_source *candidate, struct map_snapshot **out,
                        struct faults *faults)
{
	struct map_source *sources;
	size_t n;
	struct fault f = { 0 };
	enum err e = inside_world(m, provider, candidate, &sources, &n);
	if (e != ERR_OK)
		return e;
	e = map_compile(sources, n, out, &f);
	free(sources);
	if (e != ERR_OK && e != ERR_NOMEM && faults != NULL)
		return faults_add(faults, ERR_MALFORMED, f.kind, f.where, "%s", f.text);
	return e;
}

enum err inside_put(struct maps *m, const char *name, enum store_kind kind, struct paper *p)
{
	struct provider *provider = inside_find(m, name);
	if (provider == NULL && m->n == m->room) {
		const size_t room = 2 * m->room + 16;
		struct provider *more = realloc(m->providers, room * sizeof(*more));
		if (more == NULL)
			return ERR_NOMEM;
		m->providers = more;
		m->room = room;
	}
	if (provider == NULL) {
		provider = &m->providers[m->n++];
		*provider = (struct provider){ 0 };
		(void)snprintf(provider->name, sizeof(provider->name), "%s", name);
	}
	inside_done(&provider->papers[kind]);
	provider->papers[kind] = *p;
	*p = (struct paper){ 0 };
	m->unpublished = true;
	return ERR_OK;
}

enum err inside_publish(struct maps *m, struct map_snapshot *snapshot)
{
	const enum err e = map_publish(m->o.office, snapshot);
	if (e != ERR_OK) {
		snapshot_free(snapshot);
		return e;
	}
	m->unpublished = false;
	pthread_mutex_lock(&m->stats_lock);
	m->stats.publications++;
	m->stats.published_at = time(NULL);
	m->stats.providers = m->n;
	m->stats.loaded = true;
	pthread_mutex_unlock(&m->stats_lock);
	return ERR_OK;
}

/* ---- from the state folder and from the store ---- */

/* Takes one document that was accepted before; one that no longer passes is left out, aloud. */
static void accept_stored(struct maps *m, const struct store_document *d)
{
	struct paper p = { 0 };
	struct faults *faults = faults_new(), *warnings = faults_new();
	enum err e = faults == NULL || warnings == NULL ? ERR_NOMEM : ERR_OK;
	if (e == ERR_OK)
		e = inside_parse(d->body, d->size, d->about.kind, &p, faults);
	if (e == ERR_OK && p.topology != NULL)
		e = map_topology_check(p.topology, &(struct map_rules){ .lab = m->o.lab }, faults,
		                       warnings);
	if (e == ERR_OK) {
		p.version = d->about.version;
		e = inside_put(m, d->about.provider, d->about.kind, &p);
	}
	if (e != ERR_OK) {
		const struct fault *f = faults != NULL && faults->count > 0 ? faults->list : NULL;
		log_line(LOG_WARNING,
		         "A stored document no longer passes and is left out. provider=%s "
		         "version=%" PRIu64 " where=%s why=%s",
		         d->about.provider, d->about.version, f != NULL ? f->where : "",
		         f != NULL ? f->text : err_name(e));
	}
	inside_done(&p);
	faults_free(faults);
	faults_free(warnings);
}

static void each_file(void *ctx, const struct store_document *d)
{
	accept_stored(ctx, d);
}

enum err maps_load(struct maps *m, struct fault *fault)
{
	struct map_snapshot *snapshot;
	pthread_mutex_lock(&m->lock);
	enum err e = maps_files_read(m->o.state_dir, each_file, m, fault);
	if (e == ERR_OK && m->n > 0) {
		e = inside_compile(m, "", NULL, &snapshot, NULL);
		e = e == ERR_OK ? inside_publish(m, snapshot) : e;
		if (e != ERR_OK)
			(void)fault_set(fault, e, m->o.state_dir, "the maps do not compile");
	}
	pthread_mutex_unlock(&m->lock);
	return e;
}

static const struct store_version *listed(const struct store_version *list, size_t n,
                                          const char *provider, enum store_kind kind)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].kind == kind && strcmp(list[i].provider, provider) == 0)
			return &list[i];
	return NULL;
}

/* What we have in force and the store has not. */
static bool drop_unlisted(struct maps *m, const struct store_version *list, size_t n)
{
	bool changed = false;
	for (size_t i = 0; i < m->n; i++) {
		for (unsigned k = 0; k < 2; k++) {
			struct provider *p = &m->providers[i];
			if (p->papers[k].arena == NULL ||
			    listed(list, n, p->name, (enum store_kind)k) != NULL)
				continue;
			inside_done(&p->papers[k]);
			maps_files_remove(m->o.state_dir, p->name, (enum store_kind)k);
			m->unpublished = changed = true;
		}
	}
	return changed;
}

void inside_keep_copy(const struct maps *m, const struct store_document *d)
{
	struct fault f;
	if (maps_files_write(m->o.state_dir, d, &f) != ERR_OK)
		log_line(LOG_WARNING,
		         "The copy of a map could not be written; a start without PostgreSQL will "
		         "use an older one. file=%s why=%s",
		         f.where, f.text);
}

static enum err fetch_newer(struct maps *m, const struct store_version *v, bool *changed)
{
	const struct provider *mine = inside_find(m, v->provider);
	struct store_document d;
	if (mine != NULL && mine->papers[v->kind].version == v->version)
		return ERR_OK;
	const enum err e = store_document(m->o.store, v->provider, v->kind, v->version, &d);
	if (e != ERR_OK)
		return e;
	accept_stored(m, &d);
	inside_keep_copy(m, &d);
	store_document_done(&d);
	*changed = true;
	return ERR_OK;
}

enum err inside_sync(struct maps *m, bool *changed)
{
	struct store_version *list;
	struct map_snapshot *snapshot;
	size_t n;
	enum err e = store_newest_activation(m->o.store, &m->seen);
	if (e == ERR_OK)
		e = store_versions(m->o.store, NULL, &list, &n);
	if (e != ERR_OK)
		return e;
	bool any = drop_unlisted(m, list, n);
	for (size_t i = 0; i < n && e == ERR_OK; i++)
		e = fetch_newer(m, &list[i], &any);
	free(list);
	pthread_mutex_lock(&m->stats_lock);
	m->stats.loaded = m->stats.loaded || e == ERR_OK;
	pthread_mutex_unlock(&m->stats_lock);
	if (!any && !m->unpublished)
		return e;

	/* What did arrive is put in force even when the database went away half-way. */
	*changed = inside_compile(m, "", NULL, &snapshot, NULL) == ERR_OK &&
	           inside_publish(m, snapshot) == ERR_OK;
	return e;
}

enum err maps_sync(struct maps *m, bool *changed)
{
	*changed = false;
	pthread_mutex_lock(&m->lock);
	enum err e = inside_sync(m, changed);
	if (e == ERR_OK && m->unpublished)
		e = ERR_SYSTEM;
	pthread_mutex_unlock(&m->lock);
	return e;
}

void maps_each(struct maps *m,
               void (*each)(void *ctx, const char *provider, const struct map_topology *t),
               void *ctx)
{
	pthread_mutex_lock(&m->lock);
	for (size_t i = 0; i < m->n; i++)
		if (m->providers[i].papers[STORE_TOPOLOGY].topology != NULL)
			each(ctx, m->providers[i].name,
			     m->providers[i].papers[STORE_TOPOLOGY].topology);
	pthread_mutex_unlock(&m->lock);
}

void maps_tidy(struct maps *m)
{
	map_reap(m->o.office);
}

struct maps_stats maps_stats(struct maps *m)
{
	pthread_mutex_lock(&m->stats_lock);
	const struct maps_stats stats = m->stats;
	pthread_mutex_unlock(&m->stats_lock);
	return stats;
}
