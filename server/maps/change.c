/* SPDX-License-Identifier: Apache-2.0 */
/* Uploads, activations and roll backs. */
#include "common/map/check.h"
#include "server/maps/diff.h"
#include "server/maps/impact.h"
#include "server/maps/inside.h"
#include "server/maps/moved.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TRIES = 5 };

/* One document of a change; version 0: a new one. */
struct item {
	bool there;
	const char *body;
	size_t size;
	uint64_t version;
	const char *sha256;
	struct paper paper;
};

/* What is to come into force, one document of each kind at most. */
struct candidate {
	const char *provider, *author, *expected;
	const char *source;
	struct item items[STORE_KINDS];
	struct impact impact; /* once it was found good */
	size_t limit;         /* of a dry run */
	bool draft;
	bool guarded;             /* what trips a guard is refused */
	bool quiet;               /* nor is it a warning */
	bool unapproved;          /* a second person is wanted, and none approved */
	struct store_life lapsed; /* whose approval counts no more; all zero: there was none */
	uint32_t watch_seconds, watch_points;
	uint64_t plan, watch;
	const struct store_plan *later; /* it is planned, and that is all */
	const struct store_back *back;  /* of a roll back */
	const char *reason;
};

static struct map_source source_of(const struct candidate *c)
{
	return (struct map_source){ c->items[STORE_TOPOLOGY].paper.topology,
		                    c->items[STORE_COSTS].paper.costs };
}

/* Of two answers about one document: out of memory, or the first that is no OK. */
static enum err worse(enum err a, enum err b)
{
	return a == ERR_OK || b == ERR_NOMEM ? b : a;
}

/* ---- check ---- */

static const struct map_topology *topology_of(const struct maps *m, const char *name)
{
	const struct provider *p = inside_find(m, name);
	return p != NULL ? p->papers[STORE_TOPOLOGY].topology : NULL;
}

static const struct map_costs *costs_of(const struct maps *m, const char *name)
{
	const struct provider *p = inside_find(m, name);
	return p != NULL ? p->papers[STORE_COSTS].costs : NULL;
}

/* Costs that name what the new topology lacks are ignored; say so. Only of one without a fault:
 * half-read, it lacks more than its author left out. */
static enum err warn_of_stale_costs(const struct maps *m, const char *provider,
                                    const struct map_topology *t, struct faults *warnings)
{
	const struct map_costs *costs = costs_of(m, provider);
	if (costs == NULL)
		return ERR_OK;
	struct faults *stale = faults_new();
	if (stale == NULL)
		return ERR_NOMEM;
	if (map_costs_check(costs, t, stale) != ERR_OK)
		(void)faults_add(warnings, ERR_MALFORMED, "stale-costs", "",
		                 "%zu entries of the costs in force name what this topology lacks "
		                 "and are ignored; upload new costs",
		                 stale->count + stale->more);
	faults_free(stale);
	return ERR_OK;
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

/* `beside`: the topology that comes into force with them; NULL: the one that is. */
static enum err check_costs(const struct maps *m, const char *provider, const struct map_costs *c,
                            const struct map_topology *beside, struct faults *faults)
{
	const struct map_topology *t = beside != NULL ? beside : topology_of(m, provider);
	const struct map_topology *named = c->provider != NULL ? topology_of(m, c->provider) : NULL;
	if (t == NULL)
		return worse(check_name(provider, c->provider, faults), ERR_NOT_FOUND);
	if (named != NULL && strcmp(named->provider, provider) != 0)
		return check_name(provider, c->provider, faults); /* nothing in it is of this one */
	return map_costs_check(c, t, faults);
}

/* Whom the document is for and whom it names: neither is another, even if they differ. */
static enum err check_world(const struct maps *m, const char *provider,
                            const struct map_topology *t, struct faults *faults,
                            struct faults *warnings)
{
	struct map_source *others;
	size_t n, kept = 0;
	if (inside_world(m, provider, NULL, &others, &n) != ERR_OK)
		return ERR_NOMEM;
	for (size_t i = 0; i < n; i++)
		if (strcmp(others[i].topology->provider, provider) != 0)
			others[kept++] = others[i];
	const enum err e = map_world_check(t, others, kept, faults, warnings);
	free(others);
	return e;
}

static enum err check_topology(const struct maps *m, const char *provider,
                               const struct map_topology *t, struct faults *faults,
                               struct faults *warnings)
{
	const struct map_rules rules = { .lab = m->o.lab };
	enum err e = check_name(provider, t->provider, faults);
	e = worse(e, map_topology_check(t, &rules, faults, warnings));
	return worse(e, check_world(m, provider, t, faults, warnings));
}

/* `basis`: how sure it must be of what admins said. */
static enum err check(const struct maps *m, const struct candidate *c, enum claims_basis basis,
                      struct maps_change *change, struct faults *faults)
{
	const struct map_source s = source_of(c);
	enum err e = ERR_OK;
	if (s.topology != NULL)
		e = check_topology(m, c->provider, s.topology, faults, change->warnings);
	if (s.topology != NULL && m->o.claims != NULL)
		e = worse(e, claims_judge(m->o.claims, c->provider, s.topology, basis, faults,
		                          change->warnings));
	if (s.costs != NULL)
		e = worse(e, check_costs(m, c->provider, s.costs, s.topology, faults));
	return e;
}

/* ---- what it changes, and whether it may ---- */

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
	const struct map_source s = source_of(c);
	struct impact_move moves = { 0 };
	struct map_snapshot *snapshot;
	enum err e = ERR_OK;
	change->guard = GUARD_NOTHING;
	if (s.topology != NULL)
		e = diff_topology(topology_of(m, c->provider), s.topology, rows, change, &moves);
	if (s.costs != NULL && e == ERR_OK)
		e = maps_diff_costs(costs_of(m, c->provider), s.costs, rows, change);
	if (e == ERR_OK)
		e = inside_compile(m, c->provider, &s, &snapshot, faults);
	if (e == ERR_OK)
		e = impact_begin(&c->impact, &m->o, c->provider, snapshot, &moves);
	free(moves.list);
	return e;
}

static enum err demand_approval(const struct candidate *c, struct faults *faults)
{
	char lapse[192] = "", what[STORE_STANDING_TEXT];
	if (c->lapsed.approved > 0) {
		store_standing_print(c->lapsed.approver_standing, what);
		(void)snprintf(lapse, sizeof(lapse),
		               "; the approval by %s no longer counts: that token %s",
		               c->lapsed.approver, what);
	}
	return faults_add(faults, ERR_RANGE, "approval", "",
	                  "a draft of %s comes into force after somebody else than its author "
	                  "has approved it%s",
	                  c->provider, lapse);
}

/* What wants the live peers. */
static enum err permit(struct candidate *c, struct maps_change *change, struct faults *faults)
{
	if (c->quiet)
		return ERR_OK;
	enum err e =
		c->items[STORE_TOPOLOGY].there ? impact_count(&c->impact, &change->guard) : ERR_OK;
	if (e != ERR_OK)
		return e;
	if (guard_check(&change->guard, c->guarded ? faults : change->warnings) > 0 && c->guarded)
		e = ERR_RANGE;
	return c->unapproved ? demand_approval(c, faults) : e;
}

/* ---- stored, and in force ---- */

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

static struct store_upload upload_of(const struct maps *m, const struct candidate *c,
                                     enum store_kind kind, const struct store_activation *a)
{
	const struct item *i = &c->items[kind];
	return (struct store_upload){ .provider = c->provider,
		                      .kind = kind,
		                      .body = i->body,
		                      .size = i->size,
		                      .sha256 = i->sha256,
		                      .author = c->author,
		                      .source = c->source,
		                      .expected = c->expected,
		                      .seen = &m->seen,
		                      .draft = c->draft,
		                      .look_after = a->look_after,
		                      .interconnects = a->interconnects,
		                      .n_interconnects = a->n_interconnects };
}

static enum err put_first(struct maps *m, struct candidate *c, enum store_kind kind,
                          const struct store_activation *a)
{
	const struct store_upload u = upload_of(m, c, kind, a);
	return store_upload(m->o.store, &u, &c->items[kind].version);
}

/* Of a roll back, the costs that say as much as none do are new. */
static enum err put_again(struct maps *m, struct candidate *c, struct store_activation *a)
{
	const struct store_upload none = upload_of(m, c, STORE_COSTS, a);
	if (c->items[STORE_COSTS].there && c->items[STORE_COSTS].version == 0)
		a->made = &none;
	for (unsigned k = 0; k < STORE_KINDS; k++) {
		a->version[k] = c->items[k].version;
		a->resumes[k] = c->back != NULL ? c->back->resumes[k] : 0;
		a->from[k] = c->back != NULL ? c->back->from[k] : 0;
	}
	const enum err e = store_activate(m->o.store, a);
	a->made = NULL;
	for (unsigned k = 0; k < STORE_KINDS && e == ERR_OK; k++)
		c->items[k].version = a->version[k];
	return e;
}

/* What the change is looked after by; false: by nothing, or there is nothing to go back to. */
static bool watch_of(const struct maps *m, const struct candidate *c, struct store_map_watch *out)
{
	const struct provider *p = inside_find(m, c->provider);
	bool before = false;
	for (unsigned k = 0; k < STORE_KINDS; k++)
		before |= c->items[k].there &&
		          (k == STORE_COSTS || (p != NULL && p->papers[k].arena != NULL));
	if (!before || c->watch_seconds == 0 || c->draft)
		return false;
	*out = (struct store_map_watch){ .begun = time(NULL), .points = c->watch_points };
	out->until = out->begun + c->watch_seconds;
	(void)snprintf(out->provider, sizeof(out->provider), "%s", c->provider);
	return true;
}

static enum err store_it(struct maps *m, struct candidate *c, struct maps_change *change)
{
	const struct map_topology *t = c->items[STORE_TOPOLOGY].paper.topology;
	const enum store_kind first = t != NULL ? STORE_TOPOLOGY : STORE_COSTS;
	struct store_interconnect *interconnects = NULL;
	struct store_map_watch watch;
	struct store_activation a = { .provider = c->provider,
		                      .author = c->author,
		                      .expected = c->expected,
		                      .seen = &m->seen,
		                      .reason = c->reason,
		                      .plan = c->plan,
		                      .watch = c->watch };
	if (watch_of(m, c, &watch))
		a.look_after = &watch;
	if (t != NULL) {
		if (interconnects_of(t, &interconnects) != ERR_OK)
			return ERR_NOMEM;
		a.interconnects = interconnects;
		a.n_interconnects = t->n_interconnects;
	}
	const enum err e = c->back == NULL && c->items[first].version == 0
	                           ? put_first(m, c, first, &a)
	                           : put_again(m, c, &a);
	free(interconnects);
	change->unchanged = a.unchanged;
	if (e == ERR_OK && a.look_after != NULL && !a.unchanged)
		change->watched_until = watch.until;
	return e;
}

static void keep_item(struct maps *m, const struct candidate *c, enum store_kind kind)
{
	const struct item *i = &c->items[kind];
	struct store_document d = { .about = { .version = i->version, .kind = kind },
		                    .size = i->size };
	(void)snprintf(d.about.provider, sizeof(d.about.provider), "%s", c->provider);
	d.body = malloc(i->size + 1);
	if (d.body == NULL)
		return;
	memcpy(d.body, i->body, i->size);
	d.body[i->size] = '\0';
	inside_keep_copy(m, &d);
	store_document_done(&d);
}

/* From "it is stored" to "it is in force". */
static enum err enforce(struct maps *m, struct candidate *c, struct map_snapshot *snapshot)
{
	enum err e = ERR_OK;
	for (unsigned k = 0; k < STORE_KINDS && e == ERR_OK; k++) {
		struct item *i = &c->items[k];
		if (!i->there)
			continue;
		keep_item(m, c, (enum store_kind)k);
		i->paper.version = i->version;
		e = inside_put(m, c->provider, (enum store_kind)k, &i->paper);
	}
	if (e != ERR_OK) {
		snapshot_free(snapshot);
		return e;
	}
	return inside_publish(m, snapshot);
}

/* ---- a change ---- */

static enum err parse_all(struct candidate *c, struct faults *faults)
{
	enum err e = ERR_OK;
	for (unsigned k = 0; k < STORE_KINDS; k++) {
		struct item *i = &c->items[k];
		if (i->there)
			e = worse(e, inside_parse(i->body, i->size, (enum store_kind)k, &i->paper,
			                          faults));
	}
	return e;
}

/* As far as the difference; the rest of a dry run, which alone wants rows, needs no lock. */
static enum err examine(struct maps *m, struct candidate *c, const struct maps_rows *rows,
                        struct maps_change *change, struct faults *faults)
{
	enum err e = parse_all(c, faults);
	const struct map_source s = source_of(c);
	if (s.topology != NULL || s.costs != NULL)
		e = worse(e, check(m, c, rows != NULL ? CLAIMS_SOON : CLAIMS_NOW, change, faults));
	if (e == ERR_OK && s.topology != NULL && s.costs == NULL)
		e = warn_of_stale_costs(m, c->provider, s.topology, change->warnings);
	return e == ERR_OK ? lay_beside(m, c, rows, change, faults) : e;
}

/* Compiled before it is stored: what does not compile must not come into force. */
static enum err change_locked(struct maps *m, struct candidate *c, struct maps_change *change,
                              struct faults *faults)
{
	enum err e = examine(m, c, NULL, change, faults);
	if (e == ERR_OK)
		e = permit(c, change, faults);
	if (e != ERR_OK)
		return e;
	if (c->later != NULL)
		return store_plan_add(m->o.store, c->later);
	e = store_it(m, c, change);
	return e == ERR_OK && !c->draft && !change->unchanged
	               ? enforce(m, c, impact_take(&c->impact))
	               : e;
}

static void candidate_done(struct candidate *c)
{
	impact_done(&c->impact);
	for (unsigned k = 0; k < STORE_KINDS; k++)
		inside_done(&c->items[k].paper);
}

/* Nothing was ever said of the candidate. */
static void forget(struct candidate *c, struct maps_change *about, struct faults *faults)
{
	struct maps_change fresh = { .warnings = about->warnings };
	memcpy(fresh.sha256, about->sha256, sizeof(fresh.sha256));
	candidate_done(c);
	*about = fresh;
	about->warnings->count = about->warnings->more = 0;
	faults->count = faults->more = 0;
}

static enum err try_to_change(struct maps *m, struct candidate *c, struct maps_change *about,
                              struct faults *faults)
{
	bool synced;
	const enum err e = inside_sync(m, &synced);
	return e == ERR_OK ? change_locked(m, c, about, faults) : e;
}

/* What another daemon puts in force between the check and the transaction may not go together with this. */
static enum err change(struct maps *m, struct candidate *c, struct maps_change *about,
                       struct faults *faults)
{
	pthread_mutex_lock(&m->lock);
	enum err e = try_to_change(m, c, about, faults);
	for (unsigned again = 1; again < TRIES && e == ERR_BUSY; again++) {
		forget(c, about, faults);
		e = try_to_change(m, c, about, faults);
	}
	pthread_mutex_unlock(&m->lock);
	candidate_done(c);
	return e;
}

/* Without the database: against the last maps. */
static enum err dry_run(struct maps *m, struct candidate *c, struct maps_change *about,
                        struct faults *faults)
{
	const struct maps_rows rows = { .json = &about->impact, .limit = c->limit };
	bool synced;
	text_printf(rows.json, "{\"limit\":%zu", c->limit);
	pthread_mutex_lock(&m->lock);
	enum err e = inside_sync(m, &synced);
	if (e == ERR_OK || e == ERR_AWAY)
		e = examine(m, c, &rows, about, faults);
	pthread_mutex_unlock(&m->lock);
	if (e == ERR_OK)
		e = permit(c, about, faults);
	if (e == ERR_OK)
		e = impact_tell(&c->impact, c->limit, time(NULL), rows.json);
	text_put(rows.json, "}");
	candidate_done(c);
	return e == ERR_OK && rows.json->bad ? ERR_NOMEM : e;
}

/* ---- uploads ---- */

static void hash(const char *body, size_t size, char out[static 65])
{
	unsigned char digest[crypto_hash_sha256_BYTES];
	(void)crypto_hash_sha256(digest, (const unsigned char *)body, size);
	text_hex(digest, sizeof(digest), out);
}

enum err maps_upload(struct maps *m, const struct maps_document *d, bool dry,
                     struct maps_change *out, struct faults *faults)
{
	struct store_settings settings = STORE_SETTINGS_DEFAULT;
	const bool express = !dry && !d->draft;
	if (express) {
		const enum err e = store_settings(m->o.store, d->provider, &settings);
		if (e != ERR_OK && e != ERR_NOT_FOUND) /* a name that no provider has */
			return e;
	}
	hash(d->body, d->size, out->sha256);
	struct candidate c = { .provider = d->provider,
		               .author = d->author,
		               .expected = d->expected,
		               .source = d->source,
		               .limit = d->limit,
		               .draft = d->draft,
		               .guarded = express && settings.refuse && !d->force,
		               .unapproved = express && settings.approvals > 0,
		               .watch_seconds = d->watch_seconds,
		               .watch_points = settings.watch_points };
	struct item *i = &c.items[d->kind];
	*i = (struct item){ true, d->body, d->size, 0, out->sha256, { 0 } };
	const enum err e = dry ? dry_run(m, &c, out, faults) : change(m, &c, out, faults);
	out->unchanged = e == ERR_EXISTS;
	out->version = i->version;
	return out->unchanged ? ERR_OK : e;
}

/* ---- old versions ---- */

/* Reads a version into its place. ERR_MALFORMED: there is one of its kind already. */
static enum err load_item(struct maps *m, struct candidate *c, uint64_t version,
                          struct store_document docs[STORE_KINDS], struct faults *faults)
{
	struct store_version v;
	enum err e = store_version(m->o.store, c->provider, version, &v);
	if (e != ERR_OK)
		return e;
	if (c->items[v.kind].there)
		return faults_add(faults, ERR_MALFORMED, "kind", "",
		                  "version %" PRIu64 " is of the same kind as the other; one "
		                  "topology and one costs document go together",
		                  version);
	e = store_document(m->o.store, c->provider, v.kind, version, &docs[v.kind]);
	if (e == ERR_OK)
		c->items[v.kind] =
			(struct item){ true,    docs[v.kind].body,         docs[v.kind].size,
			               version, docs[v.kind].about.sha256, { 0 } };
	return e;
}

static enum err load_items(struct maps *m, struct candidate *c, uint64_t version, uint64_t also,
                           struct store_document docs[STORE_KINDS], struct faults *faults)
{
	const enum err e = load_item(m, c, version, docs, faults);
	return e == ERR_OK && also != 0 ? load_item(m, c, also, docs, faults) : e;
}

/* The hash of what `version` names goes to *out. */
static void name_hash(const struct candidate *c, uint64_t version, struct maps_change *out)
{
	const unsigned kind =
		c->items[STORE_TOPOLOGY].version == version ? STORE_TOPOLOGY : STORE_COSTS;
	(void)snprintf(out->sha256, sizeof(out->sha256), "%s", c->items[kind].sha256);
}

enum err maps_plan(struct maps *m, const struct maps_activation *a, size_t limit,
                   struct maps_change *out, struct faults *faults)
{
	struct store_document docs[STORE_KINDS] = { 0 };
	struct candidate c = { .provider = a->provider, .limit = limit };
	enum err e = load_items(m, &c, a->version, a->also, docs, faults);
	if (e == ERR_OK) {
		name_hash(&c, a->version, out);
		e = dry_run(m, &c, out, faults);
		out->version = a->version;
		out->also = a->also;
	}
	store_document_done(&docs[STORE_TOPOLOGY]);
	store_document_done(&docs[STORE_COSTS]);
	return e;
}

/* What a version that was never in force needs. */
static enum err ask_leave(struct maps *m, struct candidate *c, const struct store_settings *s,
                          bool approved_only)
{
	const bool wanted = s->approvals > 0 || approved_only;
	bool fresh = false;
	for (unsigned k = 0; k < STORE_KINDS; k++) {
		struct store_life *life;
		size_t n;
		if (!c->items[k].there)
			continue;
		const enum err e =
			store_history(m->o.store, c->provider, c->items[k].version, &life, &n);
		if (e != ERR_OK)
			return e;
		const bool new = n == 1 && life->activated == 0;
		fresh |= new;
		if (new &&wanted && !life->approval_counts) {
			c->unapproved = true;
			c->lapsed = *life;
		}
		free(life);
	}
	c->guarded &= fresh;
	c->watch_seconds = fresh ? s->watch_seconds : 0;
	c->watch_points = s->watch_points;
	return ERR_OK;
}

static struct store_plan plan_of(const struct maps_activation *a, uint32_t watch_seconds)
{
	struct store_plan p = { .version = a->version,
		                .also = a->also,
		                .at = a->at,
		                .has_expected = a->expected != NULL,
		                .force = a->force,
		                .watch_seconds = watch_seconds };
	(void)snprintf(p.provider, sizeof(p.provider), "%s", a->provider);
	(void)snprintf(p.author, sizeof(p.author), "%s", a->author);
	(void)snprintf(p.expected, sizeof(p.expected), "%s",
	               a->expected != NULL ? a->expected : "");
	return p;
}

enum err maps_activate(struct maps *m, const struct maps_activation *a, struct maps_change *out,
                       struct faults *faults)
{
	struct store_document docs[STORE_KINDS] = { 0 };
	struct store_settings settings;
	struct store_plan plan;
	struct candidate c = { .provider = a->provider,
		               .author = a->author,
		               .expected = a->expected,
		               .guarded = !a->force,
		               .plan = a->plan };
	enum err e = load_items(m, &c, a->version, a->also, docs, faults);
	if (e == ERR_OK)
		e = store_settings(m->o.store, a->provider, &settings);
	if (e == ERR_OK)
		e = ask_leave(m, &c, &settings, a->approved_only);
	if (e == ERR_OK) {
		if (a->watch_seconds >= 0)
			c.watch_seconds = (uint32_t)a->watch_seconds;
		plan = plan_of(a, c.watch_seconds);
		c.later = a->at != 0 ? &plan : NULL;
		name_hash(&c, a->version, out);
		e = change(m, &c, out, faults);
		out->version = a->version;
		out->also = a->also;
	}
	store_document_done(&docs[STORE_TOPOLOGY]);
	store_document_done(&docs[STORE_COSTS]);
	return e;
}

/* The document that says as much as no costs do. */
struct no_costs {
	char body[128], source[64], sha256[65];
};

static void bring_no_costs(struct candidate *c, struct no_costs *none)
{
	(void)snprintf(none->body, sizeof(none->body),
	               "{\"format\":\"p4p-costs/1\",\"provider\":\"%s\"}\n", c->provider);
	(void)snprintf(none->source, sizeof(none->source), "no costs, as before version %" PRIu64,
	               c->back->from[STORE_COSTS]);
	const size_t size = strlen(none->body);
	hash(none->body, size, none->sha256);
	c->source = none->source;
	c->items[STORE_COSTS] = (struct item){ true, none->body, size, 0, none->sha256, { 0 } };
}

enum err maps_roll_back(struct maps *m, const struct maps_return *r, struct maps_change *out,
                        struct faults *faults)
{
	struct store_document docs[STORE_KINDS] = { 0 };
	struct store_back back;
	struct no_costs none;
	enum err e = store_back(m->o.store, r->provider, r->to, &back);
	if (e != ERR_OK)
		return e;
	struct candidate c = { .provider = r->provider,
		               .author = r->author,
		               .expected = r->expected,
		               .back = &back,
		               .quiet = r->to == 0, /* what moved moves back; that is the point */
		               .reason = r->reason,
		               .watch = r->watch };
	if (back.no_costs) {
		back.resumes[STORE_COSTS] = STORE_RESUMES_NOTHING;
		bring_no_costs(&c, &none);
	}
	for (unsigned k = 0; k < STORE_KINDS && e == ERR_OK; k++)
		if (back.version[k] != 0)
			e = load_item(m, &c, back.version[k], docs, faults);
	if (e == ERR_OK) {
		const struct item *of = c.items;
		const unsigned first = of[STORE_TOPOLOGY].there ? STORE_TOPOLOGY : STORE_COSTS;
		(void)snprintf(out->sha256, sizeof(out->sha256), "%s", of[first].sha256);
		e = change(m, &c, out, faults);
		out->version = of[first].version;
		out->also = first == STORE_TOPOLOGY ? of[STORE_COSTS].version : 0;
	}
	store_document_done(&docs[STORE_TOPOLOGY]);
	store_document_done(&docs[STORE_COSTS]);
	return e;
}
