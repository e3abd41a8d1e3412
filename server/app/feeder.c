/* SPDX-License-Identifier: Apache-2.0 */
#include "server/app/feeder.h"

#include "common/base/log.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct feeder {
	struct feeder_options o;
	pthread_t thread;
	atomic_bool stop;
	_Atomic int64_t
		deadline; /* CLOCK_MONOTONIC second after which it stops with a full spool */
	atomic_bool connected;
	bool away; /* said so already */
};

enum { WAIT_MS = 1000, BINS_AT_ONCE = 32 };

static int64_t monotonic_second(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

/* Says once that the database went, and once that it came back. */
static void note_away(struct feeder *f, bool away)
{
	if (away != f->away && away)
		log_line(LOG_WARNING, "PostgreSQL is away. Announces go on with the maps in force; "
		                      "closed bins wait in the spool; uploads get 503.");
	if (away != f->away && !away)
		log_line(LOG_NOTE, "PostgreSQL is back.");
	f->away = away;
}

static enum err follow(struct feeder *f)
{
	bool changed;
	const enum err e = maps_sync(f->o.maps, &changed);
	if (e == ERR_OK)
		f->o.access_changed(f->o.ctx);
	return e;
}

static enum err connect_first(struct feeder *f)
{
	struct fault fault = { 0 };
	const enum err e = store_migrate(f->o.store, &fault);
	if (e != ERR_OK && e != ERR_AWAY)
		log_line(LOG_ERROR, "The database cannot be used. where=%s why=%s", fault.where,
		         fault.text);
	if (e != ERR_OK || follow(f) != ERR_OK)
		return e != ERR_OK ? e : ERR_AWAY;
	atomic_store(&f->connected, true);
	log_line(LOG_NOTE, "PostgreSQL is ready.");
	return ERR_OK;
}

static enum err store_bin(struct feeder *f, const struct accounting_bin *bin)
{
	struct store_bin *rows = calloc(bin->n_rows + 1, sizeof(*rows));
	if (rows == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < bin->n_rows; i++) {
		const struct accounting_row *r = &bin->rows[i];
		rows[i].start = bin->start;
		rows[i].seconds = bin->seconds;
		rows[i].observed_seconds = bin->observed_seconds;
		rows[i].out_bytes = r->out_bytes;
		rows[i].in_bytes = r->in_bytes;
		(void)snprintf(rows[i].provider, sizeof(rows[i].provider), "%s", r->provider);
		(void)snprintf(rows[i].interconnect, sizeof(rows[i].interconnect), "%s",
		               r->interconnect);
	}
	const enum err e = store_bins(f->o.store, f->o.node, STORE_ANNOUNCE, rows, bin->n_rows);
	free(rows);
	return e;
}

/* Carries one bin over. ERR_NOT_FOUND: the spool is empty. */
static enum err feed_one(struct feeder *f)
{
	struct accounting_bin bin;
	struct fault fault = { 0 };
	enum err e = accounting_spool_first(f->o.accounting, &bin, &fault);
	if (e == ERR_MALFORMED) {
		log_line(LOG_WARNING, "A spooled bin is damaged and was set aside. file=%s why=%s",
		         fault.where, fault.text);
		return ERR_OK;
	}
	if (e != ERR_OK)
		return e;
	e = store_bin(f, &bin);
	if (e == ERR_OK) {
		metrics_add(f->o.metrics, METRIC_BIN_ROWS_STORED, bin.n_rows);
		accounting_spool_remove(f->o.accounting, &bin);
	} else {
		metrics_add(f->o.metrics, METRIC_STORE_FAILURES, 1);
	}
	accounting_bin_done(&bin);
	return e;
}

static enum err feed(struct feeder *f)
{
	enum err e = ERR_OK;
	for (unsigned i = 0; i < BINS_AT_ONCE && e == ERR_OK; i++)
		e = feed_one(f);
	return e;
}

static void *feeder_run(void *arg)
{
	struct feeder *f = arg;
	for (;;) {
		bool changed = false;
		enum err e = store_wait(f->o.store, atomic_load(&f->stop) ? 0 : WAIT_MS, &changed);
		if (e == ERR_OK && !atomic_load(&f->connected))
			e = connect_first(f);
		else if (e == ERR_OK && changed)
			e = follow(f);
		note_away(f, e == ERR_AWAY);

		enum err fed = ERR_AWAY;
		if (e == ERR_OK)
			fed = feed(f);
		if (atomic_load(&f->stop) &&
		    (fed != ERR_OK || monotonic_second() >= atomic_load(&f->deadline)))
			return NULL;
	}
}

struct feeder *feeder_start(const struct feeder_options *options)
{
	struct feeder *f = calloc(1, sizeof(*f));
	if (f == NULL)
		return NULL;
	f->o = *options;
	if (pthread_create(&f->thread, NULL, feeder_run, f) != 0) {
		free(f);
		return NULL;
	}
	return f;
}

void feeder_stop(struct feeder *f, unsigned seconds)
{
	if (f == NULL)
		return;
	atomic_store(&f->deadline, monotonic_second() + seconds);
	atomic_store(&f->stop, true);
	store_wake(f->o.store);
	pthread_join(f->thread, NULL);
	free(f);
}

bool feeder_connected(const struct feeder *f)
{
	return f != NULL && atomic_load(&f->connected);
}
