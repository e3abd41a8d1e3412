/* SPDX-License-Identifier: Apache-2.0 */
#include "server/maps/maps.h"

#include "common/base/log.h"
#include "common/map/check.h"
#include "server/maps/diff.h"
#include "server/maps/files.h"
#include "server/maps/impact.h"
#include "server/maps/moved.h"

#include <inttypes.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* One parsed document; all zero: none. */
struct paper {
	struct arena *arena;
	struct map_topology *topology; /* one of the two */
	struct map_costs *costs;
	uint64_t version;
};

struct provider {
	char name[MAP_NAME_MAX + 1];
	struct paper papers[2]; /* by enum store_kind */
};

struct maps {
	struct maps_options o;
	pthread_mutex_t lock; /* guards what is in force; held over a whole change */
	struct provider *providers;
	size_t n, room;
	bool unpublished; /* it has changed, but did not compile, or memory was short */

	pthread_mutex_t stats_lock; /* for a moment only: /metrics must not wait for a compile */
	struct maps_stats stats;
};

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

static void paper_done(struct paper *p)
{
	arena_free(p->arena);
	*p = (struct paper){ 0 };
}

void maps_free(struct maps *m)
{
	if (m == NULL)
		return;
	for (size_t i = 0; i < m->n; i++) {
		paper_done(&m->providers[i].papers[STORE_TOPOLOGY]);
		paper_done(&m->providers[i].papers[STORE_COSTS]);
	}
	free(m->providers);
	pthread_mutex_destroy(&m->stats_lock);
	pthread_mutex_destroy(&m->lock);
	free(m);
}

static struct provider *find(const struct maps *m, const char *name)
{
	for (size_t i = 0; i < m->n; i++)
		if (strcmp(m->providers[i].name, name) == 0)
			return &m->providers[i];
	return NULL;
}

static const struct map_topology *topology_of(const struct maps *m, const char *name)
{
	const struct provider *p = find(m, name);
	return p != NULL ? p->papers[STORE_TOPOLOGY].topology : NULL;
}

/* ---- a document on its way in ---- */

/* ERR_MALFORMED: *out is what was understood, if anything was. */
static enum err parse(const char *body, size_t size, enum store_kind kind, struct paper *out,
                      struct faults *faults)
{
	*out = (struct paper){ .arena = arena_new(65536) };
	if (out->arena == NULL)
		return ERR_NOMEM;
	return kind == STORE_TOPOLOGY
	               ? map_topology_parse(body, size, out->arena, &out->topology, faults)
	               : map_costs_parse(body, size, out->arena, &out->costs, faults);
}

/* The world as it is, or would be with `candidate` in it. free() the list. */
static enum err world(const struct maps *m, const char *name, const struct paper *candidate,
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
		list[n++] = (struct map_source){ .topology = candidate->topology };
	*out = list;
	*count = n;
	return ERR_OK;
}

/* Costs that name what the new topology lacks are ignored; say so. Only of one without a fault:
 * half-read, it lacks more than its author left out. */
static enum err warn_of_stale_costs(const struct maps *m, const char *provider,
                                    const struct paper *p, struct faults *warnings)
{
	const struct provider *old = find(m, provider);
	if (old == NULL || old->papers[STORE_COSTS].costs == NULL)
		return ERR_OK;
	struct faults *stale = faults_new();
	if (stale == NULL)
		return ERR_NOMEM;
	if (map_costs_check(old->papers[STORE_COSTS].costs, p->topology, stale) != ERR_OK)
		(void)faults_add(warnings, ERR_MALFORMED, "stale-costs", "",
		                 "%zu entries of the costs in force name what this topology lacks "
		                 "and are ignored; upload new costs",
		                 stale->count + stale->more);
	faults_free(stale);
	return ERR_OK;
}

/* Of two answers about one document: out of memory, or the first that is no OK. */
static enum err worse(enum err a, enum err b)
{
	return a == ERR_OK || b == ERR_NOMEM ? b : a;
}

/* `named`, in the document, is NULL when it could not be read. */
static enum err check_name(const char *provider, const char *named, struct faults *faults)
{
	if (named == NULL || strcmp(named, provider) == 0)
		return ERR_OK;
	return faults_add(faults, ERR_MALFORMED, "provider", "/provider",
	                  "must be \"%s\", the provider this was uploaded for, not \"%s\"",
	                  provider, named);
}

static enum err check_costs(const struct maps *m, const char *provider, const struct map_costs *c,
                            struct faults *faults)
{
	const struct map_topology *t = topology_of(m, provider);
	const struct map_topology *named = c->provider != NULL ? topology_of(m, c->provider) : NULL;
	if (t == NULL)
		return worse(check_name(provider, c->provider, faults), ERR_NOT_FOUND);
	if (named != NULL && named != t) /* nothing in it is of this provider: no more faults */
		return check_name(provider, c->provider, faults);
	return map_costs_check(c, t, faults);
}

/* Whom the document is for and whom it names: neither is another, even if they differ. */
static enum err check_world(const struct maps *m, const char *provider,
                            const struct map_topology *t, struct faults *faults,
                            struct faults *warnings)
{
	struct map_source *others;
	size_t n, kept = 0;
	if (world(m, provider, NULL, &others, &n) != ERR_OK)
		return ERR_NOMEM;
	for (size_t i = 0; i < n; i++)
		if (strcmp(others[i].topology->provider, provider) != 0)
			others[kept++] = others[i];
	const enum err e = map_world_check(t, others, kept, faults, warnings);
	free(others);
	return e;
}

static enum err check(const struct maps *m, const char *provider, const struct paper *p,
                      struct faults *faults, struct faults *warnings)
{
	const struct map_rules rules = { .lab = m->o.lab };
	if (p->costs != NULL)
		return check_costs(m, provider, p->costs, faults);
	enum err e = check_name(provider, p->topology->provider, faults);
	e = worse(e, map_topology_check(p->topology, &rules, faults, warnings));
	return worse(e, check_world(m, provider, p->topology, faults, warnings));
}

static enum err compile(const struct maps *m, const char *provider, const struct paper *candidate,
                        struct map_snapshot **out, struct faults *faults)
{
	struct map_source *sources;
	size_t n;
	struct fault f = { 0 };
	enum err e = world(m, provider, candidate, &sources, &n);
	if (e != ERR_OK)
		return e;
	e = map_compile(sources, n, out, &f);
	free(sources);
	if (e != ERR_OK && e != ERR_NOMEM && faults != NULL)
		return faults_add(faults, ERR_MALFORMED, f.kind, f.where, "%s", f.text);
	return e;
}

/* Makes `p` the provider's paper in force; takes it. Compiling is the caller's. */
static enum err put(struct maps *m, const char *name, enum store_kind kind, struct paper *p)
{
	struct provider *provider = find(m, name);
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
	paper_done(&provider->papers[kind]);
	provider->papers[kind] = *p;
	*p = (struct paper){ 0 };
	m->unpublished = true;
	return ERR_OK;
}

static enum err publish(struct maps *m, struct map_snapshot *snapshot)
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
		e = parse(d->body, d->size, d->about.kind, &p, faults);
	if (e == ERR_OK && p.topology != NULL)
		e = map_topology_check(p.topology, &(struct map_rules){ .lab = m->o.lab }, faults,
		                       warnings);
	if (e == ERR_OK) {
		p.version = d->about.version;
		e = put(m, d->about.provider, d->about.kind, &p);
	}
	if (e != ERR_OK) {
		const struct fault *f = faults != NULL && faults->count > 0 ? faults->list : NULL;
		log_line(LOG_WARNING,
		         "A stored document no longer passes and is left out. provider=%s "
		         "version=%" PRIu64 " where=%s why=%s",
		         d->about.provider, d->about.version, f != NULL ? f->where : "",
		         f != NULL ? f->text : err_name(e));
	}
	paper_done(&p);
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
		e = compile(m, "", NULL, &snapshot, NULL);
		e = e == ERR_OK ? publish(m, snapshot) : e;
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
			paper_done(&p->papers[k]);
			maps_files_remove(m->o.state_dir, p->name, (enum store_kind)k);
			m->unpublished = changed = true;
		}
	}
	return changed;
}

static void keep_copy(const struct maps *m, const struct store_document *d)
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
	const struct provider *mine = find(m, v->provider);
	struct store_document d;
	if (mine != NULL && mine->papers[v->kind].version == v->version)
		return ERR_OK;
	const enum err e = store_document(m->o.store, v->provider, v->kind, v->version, &d);
	if (e != ERR_OK)
		return e;
	accept_stored(m, &d);
	keep_copy(m, &d);
	store_document_done(&d);
	*changed = true;
	return ERR_OK;
}

/*
 * Documents that do not go together stay unpublished: no error here, or the upload that puts them
 * right would not get through.
 */
static enum err sync_locked(struct maps *m, bool *changed)
{
	struct store_version *list;
	struct map_snapshot *snapshot;
	size_t n;
	enum err e = store_versions(m->o.store, NULL, &list, &n);
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
	*changed =
		compile(m, "", NULL, &snapshot, NULL) == ERR_OK && publish(m, snapshot) == ERR_OK;
	return e;
}

enum err maps_sync(struct maps *m, bool *changed)
{
	*changed = false;
	pthread_mutex_lock(&m->lock);
	enum err e = sync_locked(m, changed);
	if (e == ERR_OK && m->unpublished)
		e = ERR_SYSTEM;
	pthread_mutex_unlock(&m->lock);
	return e;
}

/* ---- uploads and activations ---- */

/* The interconnects of a topology as the store keeps them; free() the list. */
static enum err interconnects_of(const struct map_topology *t, struct store_interconnect **out)
{
	struct store_interconnect *list = calloc(t->n_interconnects + 1, sizeof(*list));
	if (list == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < t->n_interconnects; i++) {
		const struct map_interconnect *x = &t->interconnects[i];
		struct store_interconnect *s = &list[i];
		(void)snprintf(s->provider, sizeof(s->provider), "%s", t->provider);
		(void)snprintf(s->id, sizeof(s->id), "%s", x->id);
		(void)snprintf(s->pid, sizeof(s->pid), "%s", x->pid);
		(void)snprintf(s->relation, sizeof(s->relation), "%s",
		               map_relation_name(x->relation));
		(void)snprintf(s->metro, sizeof(s->metro), "%s", x->metro != NULL ? x->metro : "");
		s->neighbor_asn = x->neighbor_asn;
		s->capacity_mbps = x->capacity_mbps;
		s->in_force = true;
	}
	*out = list;
	return ERR_OK;
}

static void hash(const char *body, size_t size, char out[static 65])
{
	unsigned char digest[crypto_hash_sha256_BYTES];
	(void)crypto_hash_sha256(digest, (const unsigned char *)body, size);
	text_hex(digest, sizeof(digest), out);
}

/* A document that is to come into force: new (version 0), or an old version again. */
struct candidate {
	const char *provider, *body, *author;
	size_t size;
	enum store_kind kind;
	uint64_t version;
	size_t limit; /* of a dry run */
	struct paper paper;
	struct impact impact; /* once it was found good */
};

static enum err store_it(struct maps *m, struct candidate *c, struct maps_change *change)
{
	struct store_interconnect *interconnects = NULL;
	struct store_upload u = { .provider = c->provider,
		                  .kind = c->kind,
		                  .body = c->body,
		                  .size = c->size,
		                  .sha256 = change->sha256,
		                  .author = c->author };
	if (c->paper.topology != NULL) {
		if (interconnects_of(c->paper.topology, &interconnects) != ERR_OK)
			return ERR_NOMEM;
		u.interconnects = interconnects;
		u.n_interconnects = c->paper.topology->n_interconnects;
	}
	enum err e;
	if (c->version == 0)
		e = store_upload(m->o.store, &u, &c->version);
	else
		e = store_activate(m->o.store, &u, c->version);
	free(interconnects);
	change->version = c->version;
	return e;
}

/* From "it is stored" to "it is in force". */
static enum err enforce(struct maps *m, struct candidate *c, struct map_snapshot *snapshot)
{
	struct store_document d = { .about = { .version = c->version, .kind = c->kind },
		                    .size = c->size };
	(void)snprintf(d.about.provider, sizeof(d.about.provider), "%s", c->provider);
	d.body = malloc(c->size + 1);
	if (d.body != NULL) {
		memcpy(d.body, c->body, c->size);
		d.body[c->size] = '\0';
		keep_copy(m, &d);
		store_document_done(&d);
	}
	c->paper.version = c->version;
	const enum err e = put(m, c->provider, c->kind, &c->paper);
	if (e != ERR_OK) {
		snapshot_free(snapshot);
		return e;
	}
	return publish(m, snapshot);
}

/* Names of what changes, for a dry run; the counts always. free() the list of *moves. */
static enum err diff_topology(const struct map_topology *old, const struct map_topology *now,
                              const struct maps_rows *rows, struct maps_change *change,
                              struct impact_move *moves)
{
	struct map_prefix_counts lines;
	struct map_overlap *list;
	size_t n;
	if (map_overlaps(old, now, &list, &n, &lines) != ERR_OK)
		return ERR_NOMEM;
	*moves = (struct impact_move){ .before = old, .now = now, .list = list, .n = n };
	change->prefixes_added = lines.added;
	change->prefixes_removed = lines.removed;
	change->prefixes_moved = lines.moved;
	if (rows != NULL)
		maps_diff_prefixes(old, now, list, n, rows);
	const enum err e = maps_diff_topology(old, now, rows, change);
	change->guard.interconnects_removed = change->interconnects_removed;
	return e == ERR_OK ? maps_moved(old, now, &change->guard.prefixes_moved) : e;
}

/* A good candidate beside what is in force, compiled. impact_done() c->impact, also after a failure. */
static enum err lay_beside(struct maps *m, struct candidate *c, const struct maps_rows *rows,
                           struct maps_change *change, struct faults *faults)
{
	const struct provider *old = find(m, c->provider);
	struct impact_move moves = { 0 };
	struct map_snapshot *snapshot;
	change->guard = GUARD_NOTHING;
	enum err e = c->kind == STORE_TOPOLOGY
	                     ? diff_topology(topology_of(m, c->provider), c->paper.topology, rows,
	                                     change, &moves)
	                     : maps_diff_costs(old != NULL ? old->papers[STORE_COSTS].costs : NULL,
	                                       c->paper.costs, rows, change);
	if (e == ERR_OK)
		e = compile(m, c->provider, &c->paper, &snapshot, faults);
	if (e == ERR_OK)
		e = impact_begin(&c->impact, &m->o, c->provider, snapshot, &moves);
	free(moves.list);
	return e;
}

/* What wants the live peers. */
static enum err guard(struct candidate *c, struct maps_change *change)
{
	const enum err e =
		c->kind == STORE_TOPOLOGY ? impact_count(&c->impact, &change->guard) : ERR_OK;
	if (e == ERR_OK)
		(void)guard_check(&change->guard, change->warnings);
	return e;
}

/* As far as the difference; the rest of a dry run, which alone wants rows, needs no lock. */
static enum err try_locked(struct maps *m, struct candidate *c, const struct maps_rows *rows,
                           struct maps_change *change, struct faults *faults)
{
	enum err e = parse(c->body, c->size, c->kind, &c->paper, faults);
	if (c->paper.topology != NULL || c->paper.costs != NULL)
		e = worse(e, check(m, c->provider, &c->paper, faults, change->warnings));
	if (c->paper.topology != NULL && m->o.claims != NULL)
		e = worse(e, claims_judge(m->o.claims, c->provider, c->paper.topology,
		                          rows != NULL ? CLAIMS_SOON : CLAIMS_NOW, faults,
		                          change->warnings));
	if (e == ERR_OK && c->kind == STORE_TOPOLOGY)
		e = warn_of_stale_costs(m, c->provider, &c->paper, change->warnings);
	return e == ERR_OK ? lay_beside(m, c, rows, change, faults) : e;
}

static enum err change_locked(struct maps *m, struct candidate *c, struct maps_change *change,
                              struct faults *faults)
{
	enum err e = try_locked(m, c, NULL, change, faults);
	if (e == ERR_OK)
		e = guard(c, change);
	if (e != ERR_OK)
		return e;

	/* Compiled before it is stored: what does not compile must not come into force. */
	e = store_it(m, c, change);
	if (e == ERR_OK)
		return enforce(m, c, impact_take(&c->impact));
	change->unchanged = e == ERR_EXISTS;
	return e == ERR_EXISTS ? ERR_OK : e;
}

static void candidate_done(struct candidate *c)
{
	impact_done(&c->impact);
	paper_done(&c->paper);
}

static enum err change(struct maps *m, struct candidate *c, struct maps_change *change,
                       struct faults *faults)
{
	bool synced;
	pthread_mutex_lock(&m->lock);
	enum err e = sync_locked(m, &synced);
	if (e == ERR_OK)
		e = change_locked(m, c, change, faults);
	pthread_mutex_unlock(&m->lock);
	candidate_done(c);
	return e;
}

/* Without the database: against the last maps. */
static enum err dry_run(struct maps *m, struct candidate *c, struct maps_change *change,
                        struct faults *faults)
{
	const struct maps_rows rows = { .json = &change->impact, .limit = c->limit };
	bool synced;
	text_printf(rows.json, "{\"limit\":%zu", c->limit);
	pthread_mutex_lock(&m->lock);
	enum err e = sync_locked(m, &synced);
	if (e == ERR_OK || e == ERR_AWAY)
		e = try_locked(m, c, &rows, change, faults);
	pthread_mutex_unlock(&m->lock);
	if (e == ERR_OK)
		e = guard(c, change);
	if (e == ERR_OK)
		e = impact_tell(&c->impact, c->limit, time(NULL), rows.json);
	text_put(rows.json, "}");
	candidate_done(c);
	return e == ERR_OK && rows.json->bad ? ERR_NOMEM : e;
}

enum err maps_upload(struct maps *m, const struct maps_document *d, bool dry,
                     struct maps_change *about, struct faults *faults)
{
	struct candidate c = { .provider = d->provider,
		               .kind = d->kind,
		               .body = d->body,
		               .size = d->size,
		               .author = d->author,
		               .limit = d->limit };
	hash(d->body, d->size, about->sha256);
	return dry ? dry_run(m, &c, about, faults) : change(m, &c, about, faults);
}

/* A stored version as a candidate; store_document_done() *d. */
static enum err stored(const struct maps *m, const char *provider, uint64_t version,
                       struct candidate *c, struct store_document *d, struct maps_change *about)
{
	struct store_version v;
	enum err e = store_version(m->o.store, provider, version, &v);
	if (e == ERR_OK)
		e = store_document(m->o.store, provider, v.kind, version, d);
	if (e != ERR_OK)
		return e;
	*c = (struct candidate){ .provider = provider,
		                 .kind = v.kind,
		                 .body = d->body,
		                 .size = d->size,
		                 .version = version };
	(void)snprintf(about->sha256, sizeof(about->sha256), "%s", v.sha256);
	return ERR_OK;
}

enum err maps_plan(struct maps *m, const char *provider, uint64_t version, size_t limit,
                   struct maps_change *about, struct faults *faults)
{
	struct candidate c;
	struct store_document d;
	enum err e = stored(m, provider, version, &c, &d, about);
	if (e != ERR_OK)
		return e;
	c.limit = limit;
	e = dry_run(m, &c, about, faults);
	about->version = version;
	store_document_done(&d);
	return e;
}

enum err maps_activate(struct maps *m, const char *provider, uint64_t version, const char *author,
                       struct maps_change *about, struct faults *faults)
{
	struct candidate c;
	struct store_document d;
	enum err e = stored(m, provider, version, &c, &d, about);
	if (e != ERR_OK)
		return e;
	c.author = author;
	e = change(m, &c, about, faults);
	store_document_done(&d);
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
