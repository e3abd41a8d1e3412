/* SPDX-License-Identifier: Apache-2.0 */
#include "server/claims/claims.h"

#include "common/base/log.h"
#include "server/claims/vrp_file.h"

#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LOOK_SECONDS = 10, EXPIRY_SECONDS = 600 };

/* A table that some judge by while another takes its place. */
struct held {
	struct vrp_table *table;
	size_t holders; /* under the lock */
};

struct claims {
	struct store *store;
	pthread_t thread;

	pthread_mutex_t lock; /* guards all below */
	pthread_cond_t wake;
	bool stop, again;           /* read the file, changed or not */
	void (*changed)(void *ctx); /* NULL: nobody wants to know yet */
	void *ctx;
	bool due; /* it is to be called */
	struct claims_settings settings;
	char file[PATH_MAX]; /* the settings' */
	struct held *in_use; /* NULL: none */
	bool old_told;       /* that what is in use is too old */
	struct claims_stats stats;
	/* What admins said, as last known. */
	struct store_asn *asns;
	struct store_delegation *delegations;
	size_t n_asns, n_delegations;

	/* The thread's own. */
	struct vrp_mark tried; /* the file that was read last, well or not */
	int64_t expiry; /* of the first VRP in it, unix seconds; 0: nobody says, or it was bad */
	int64_t not_before; /* it is read again for that */
	bool failing;       /* by a fault that may pass, and said so */
};

/* ---- the table in use ---- */

static void let_go_locked(struct held *h)
{
	if (h == NULL || --h->holders > 0)
		return;
	vrp_table_free(h->table);
	free(h);
}

static void let_go(struct claims *c, struct held *h)
{
	pthread_mutex_lock(&c->lock);
	let_go_locked(h);
	pthread_mutex_unlock(&c->lock);
}

/* Takes `table`, NULL for none. */
static enum err use(struct claims *c, struct vrp_table *table, int64_t made)
{
	struct held *h = table != NULL ? calloc(1, sizeof(*h)) : NULL;
	if (table != NULL && h == NULL)
		return ERR_NOMEM;
	const struct vrp_about about =
		table != NULL ? vrp_table_about(table) : (struct vrp_about){ 0 };
	if (h != NULL)
		*h = (struct held){ .table = table, .holders = 1 };
	pthread_mutex_lock(&c->lock);
	let_go_locked(c->in_use);
	c->in_use = h;
	c->old_told = false;
	c->stats.vrps = about.count;
	c->stats.expired = about.expired;
	c->stats.bytes = about.bytes;
	c->stats.made = made;
	pthread_mutex_unlock(&c->lock);
	return ERR_OK;
}

/* ---- the file ---- */

static void tell_refused(struct claims *c, const char *file, const struct fault *fault,
                         const struct claims_stats *s)
{
	if (s->made > 0)
		log_line(
			LOG_ERROR,
			"The VRPs were not read; the old ones stay. file=%s where=\"%s\" why=\"%s\" "
			"age_hours=%" PRId64,
			file, fault->where, fault->text, ((int64_t)time(NULL) - s->made) / 3600);
	else
		log_line(LOG_ERROR,
		         "The VRPs were not read; there are none. file=%s where=\"%s\" why=\"%s\"",
		         file, fault->where, fault->text);
	pthread_mutex_lock(&c->lock);
	c->stats.refused++;
	pthread_mutex_unlock(&c->lock);
}

/* The same file may be read another time. */
static bool may_pass(enum err e)
{
	return e == ERR_NOMEM || e == ERR_SYSTEM;
}

/* ERR_OK: there are new ones. */
static enum err read_file(struct claims *c, const struct claims_settings *s)
{
	const int64_t now = (int64_t)time(NULL);
	const struct claims_stats before = claims_stats(c);
	struct vrp_table *table;
	struct fault fault;
	int64_t made;
	enum err e = vrp_file_read(s->file, now, s->max_age_seconds, &table, &made, &fault);
	if (e == ERR_OK && use(c, table, made) != ERR_OK) {
		vrp_table_free(table);
		e = fault_set(&fault, ERR_NOMEM, s->file, "out of memory");
	}
	const bool told = c->failing;
	c->failing = may_pass(e);
	if (e != ERR_OK) {
		if (!told || !may_pass(e))
			tell_refused(c, s->file, &fault, &before);
		return e;
	}
	pthread_mutex_lock(&c->lock);
	c->stats.read++;
	c->expiry = vrp_table_about(table).first_expiry;
	pthread_mutex_unlock(&c->lock);
	const struct claims_stats after = claims_stats(c);
	log_line(LOG_NOTE,
	         "VRPs read. file=%s vrps=%" PRIu64 " expired=%" PRIu64 " age_hours=%" PRId64,
	         s->file, after.vrps, after.expired, (now - made) / 3600);
	return ERR_OK;
}

/* A validator that died leaves a file that grows old and never changes. */
static void tell_old(struct claims *c, const struct claims_settings *s)
{
	pthread_mutex_lock(&c->lock);
	const int64_t age = (int64_t)time(NULL) - c->stats.made;
	const bool old =
		c->stats.made > 0 && s->max_age_seconds > 0 && age > (int64_t)s->max_age_seconds;
	const bool tell = old && !c->old_told;
	c->old_told = c->old_told || old;
	pthread_mutex_unlock(&c->lock);
	if (tell)
		log_line(LOG_WARNING,
		         "The VRPs in use are too old; does the validator still run? file=%s "
		         "age_hours=%" PRId64,
		         s->file, age / 3600);
}

/* The settings, with a copy of the file's name in `file`; and whether it is to be read again. */
static struct claims_settings settings_now(struct claims *c, char file[static PATH_MAX],
                                           bool *again)
{
	pthread_mutex_lock(&c->lock);
	struct claims_settings s = c->settings;
	memcpy(file, c->file, PATH_MAX);
	*again = c->again;
	c->again = false;
	pthread_mutex_unlock(&c->lock);
	s.file = file;
	return s;
}

/* After a fault that may pass it is as if nobody had looked. */
static enum err read_new(struct claims *c, const struct claims_settings *s,
                         const struct vrp_mark *mark)
{
	const enum err e = read_file(c, s);
	if (e != ERR_OK)
		c->expiry = 0; /* of a file that is no more */
	c->tried = may_pass(e) ? (struct vrp_mark){ 0 } : *mark;
	return e;
}

static enum err read_again(struct claims *c, const struct claims_settings *s, int64_t now)
{
	struct claims_settings any_age = *s; /* it is in use; how old it is, is told below */
	any_age.max_age_seconds = 0;
	const enum err e = read_file(c, &any_age);
	if (!may_pass(e))
		c->not_before = now + EXPIRY_SECONDS;
	if (e != ERR_OK && !may_pass(e))
		c->expiry = 0;
	return e;
}

/* Reads the file if there is reason to. true: the VRPs are others than before. */
static bool look(struct claims *c)
{
	char file[PATH_MAX];
	bool again, changed = false;
	const struct claims_settings s = settings_now(c, file, &again);
	if (file[0] == '\0') {
		const bool had = claims_stats(c).made > 0;
		c->tried = (struct vrp_mark){ 0 };
		return had && use(c, NULL, 0) == ERR_OK;
	}
	const struct vrp_mark mark = vrp_file_mark(file);
	const int64_t now = (int64_t)time(NULL);
	if (again)
		c->failing = false;
	if (again || !vrp_mark_same(&mark, &c->tried))
		changed = read_new(c, &s, &mark) == ERR_OK;
	else if (c->expiry > 0 && now >= c->expiry && now >= c->not_before)
		changed = read_again(c, &s, now) == ERR_OK;
	tell_old(c, &s);
	return changed;
}

/* ---- the thread ---- */

/* false: it is time to end. */
static bool wait(struct claims *c)
{
	struct timespec until;
	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	const int64_t left = c->expiry - (int64_t)time(NULL);
	until.tv_sec += left > 0 && left < LOOK_SECONDS ? left : LOOK_SECONDS;
	pthread_mutex_lock(&c->lock);
	int late = 0;
	while (!c->stop && !c->again && late == 0)
		late = pthread_cond_timedwait(&c->wake, &c->lock, &until);
	const bool go_on = !c->stop;
	pthread_mutex_unlock(&c->lock);
	return go_on;
}

static void tell_changed(struct claims *c, bool now)
{
	pthread_mutex_lock(&c->lock);
	void (*const changed)(void *ctx) = now || c->due ? c->changed : NULL;
	void *const ctx = c->ctx;
	c->due = false;
	pthread_mutex_unlock(&c->lock);
	if (changed != NULL)
		changed(ctx);
}

static void *run(void *ctx)
{
	struct claims *c = ctx;
	while (wait(c))
		tell_changed(c, look(c));
	return NULL;
}

static void free_all(struct claims *c)
{
	let_go_locked(c->in_use);
	free(c->asns);
	free(c->delegations);
	pthread_cond_destroy(&c->wake);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

static void settle(struct claims *c, const struct claims_settings *s)
{
	c->settings = *s;
	(void)snprintf(c->file, sizeof(c->file), "%s", s->file);
	c->settings.file = c->file;
	c->stats.rpki = s->file[0] != '\0';
}

struct claims *claims_start(const struct claims_settings *settings, struct store *store)
{
	pthread_condattr_t monotonic;
	struct claims *c = calloc(1, sizeof(*c));
	if (c == NULL)
		return NULL;
	c->store = store;
	settle(c, settings);
	pthread_mutex_init(&c->lock, NULL);
	(void)pthread_condattr_init(&monotonic);
	(void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&c->wake, &monotonic);
	(void)pthread_condattr_destroy(&monotonic);
	c->again = true;
	(void)look(c);
	if (pthread_create(&c->thread, NULL, run, c) == 0)
		return c;
	free_all(c);
	return NULL;
}

void claims_stop(struct claims *c)
{
	if (c == NULL)
		return;
	pthread_mutex_lock(&c->lock);
	c->stop = true;
	pthread_cond_signal(&c->wake);
	pthread_mutex_unlock(&c->lock);
	(void)pthread_join(c->thread, NULL);
	free_all(c);
}

void claims_watch(struct claims *c, void (*changed)(void *ctx), void *ctx)
{
	pthread_mutex_lock(&c->lock);
	c->changed = changed;
	c->ctx = ctx;
	c->due = true;
	pthread_mutex_unlock(&c->lock);
}

void claims_reload(struct claims *c, const struct claims_settings *settings)
{
	pthread_mutex_lock(&c->lock);
	settle(c, settings);
	c->again = true;
	pthread_cond_signal(&c->wake);
	pthread_mutex_unlock(&c->lock);
}

struct claims_stats claims_stats(struct claims *c)
{
	pthread_mutex_lock(&c->lock);
	const struct claims_stats s = c->stats;
	pthread_mutex_unlock(&c->lock);
	return s;
}

/* ---- what admins said ---- */

static enum err ask_store(struct claims *c)
{
	struct store_asn *asns = NULL;
	struct store_delegation *delegations = NULL;
	size_t n_asns = 0, n_delegations = 0;
	enum err e = store_asns(c->store, NULL, &asns, &n_asns);
	if (e == ERR_OK)
		e = store_delegations(c->store, NULL, &delegations, &n_delegations);
	if (e != ERR_OK) {
		free(asns);
		return e;
	}
	pthread_mutex_lock(&c->lock);
	free(c->asns);
	free(c->delegations);
	c->asns = asns;
	c->n_asns = n_asns;
	c->delegations = delegations;
	c->n_delegations = n_delegations;
	pthread_mutex_unlock(&c->lock);
	return ERR_OK;
}

/* What is known for one provider; the lists are for free(). */
struct known {
	uint32_t *asns, *others;
	struct claims_delegation *delegations;
	struct claims_rights rights;
	struct claims_rules rules;
	struct held *held;
};

static enum err know_locked(struct claims *c, const char *provider, struct known *k)
{
	size_t n = 0, n_others = 0;
	*k = (struct known){ .asns = calloc(c->n_asns + 1, sizeof(*k->asns)),
		             .others = calloc(c->n_asns + 1, sizeof(*k->others)),
		             .delegations = calloc(c->n_delegations + 1, sizeof(*k->delegations)) };
	if (k->asns == NULL || k->others == NULL || k->delegations == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < c->n_asns; i++)
		if (strcmp(c->asns[i].provider, provider) == 0)
			k->asns[n++] = c->asns[i].asn;
		else
			k->others[n_others++] = c->asns[i].asn;
	k->rights = (struct claims_rights){ .asns = k->asns,
		                            .n_asns = n,
		                            .delegations = k->delegations,
		                            .others = k->others,
		                            .n_others = n_others };
	for (size_t i = 0; i < c->n_delegations; i++) {
		const struct store_delegation *d = &c->delegations[i];
		struct claims_delegation *to = &k->delegations[k->rights.n_delegations];
		to->own = strcmp(d->provider, provider) == 0;
		if (ip_prefix_parse(d->prefix, &to->prefix) == ERR_OK)
			k->rights.n_delegations++;
	}
	k->held = c->in_use;
	if (k->held != NULL)
		k->held->holders++;
	k->rules = (struct claims_rules){ .rpki = c->stats.rpki,
		                          .vrps = k->held != NULL ? k->held->table : NULL,
		                          .unknown = c->settings.unknown,
		                          .bound_only = c->settings.bound_only,
		                          .lab = c->settings.lab };
	return ERR_OK;
}

static void known_done(struct claims *c, struct known *k)
{
	let_go(c, k->held);
	free(k->asns);
	free(k->others);
	free(k->delegations);
}

enum err claims_judge(struct claims *c, const char *provider, const struct map_topology *t,
                      enum claims_basis basis, struct faults *faults, struct faults *warnings)
{
	struct known k;
	enum err e = basis == CLAIMS_KNOWN ? ERR_OK : ask_store(c);
	if (e == ERR_AWAY && basis == CLAIMS_SOON) {
		(void)faults_add(warnings, ERR_AWAY, "claims-last-known", "",
		                 "the database is away: what admins bound and delegated is taken "
		                 "as last known");
		e = ERR_OK;
	}
	if (e != ERR_OK)
		return e;
	pthread_mutex_lock(&c->lock);
	e = know_locked(c, provider, &k);
	pthread_mutex_unlock(&c->lock);
	if (e == ERR_OK)
		e = claims_check(t, &k.rules, &k.rights, faults, warnings);
	known_done(c, &k);
	return e;
}
