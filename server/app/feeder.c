/* SPDX-License-Identifier: Apache-2.0 */
#include "server/app/feeder.h"

#include "common/base/log.h"
#include "server/app/keeper.h"
#include "server/app/minder.h"
#include "server/app/reading_feed.h"
#include "server/disk/disk.h"
#include "server/report/calibration.h"
#include "server/report/statements.h"
#include "server/store/audit.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* A spool, and what was tried with its oldest bin. */
struct feeding {
	struct spool *spool; /* NULL: none */
	unsigned tries;      /* that failed */
	int64_t not_before;  /* CLOCK_MONOTONIC millisecond of the next one */
};

/* The work of the thread, and the thread's alone but for the atomics. */
struct feeder {
	struct feeder_options o;
	struct keeper keeper;
	struct minder minder;
	pthread_t thread;
	atomic_bool stop;
	_Atomic int64_t
		deadline; /* CLOCK_MONOTONIC millisecond after which it stops with a full spool */
	atomic_bool connected, access_due;
	atomic_bool away; /* said so already */
	bool migrated;
	char node[STORE_NODE_SIZE]; /* that bins are written under; set once migrated */
	struct store_step step;     /* counted in the state folder, too */
	bool behind;                /* the store may have what is not in force here */
	enum err said;              /* of the last failure that was no absence */
	struct feeding spools[FEEDER_SPOOLS];
	struct reading_feed readings;
	int64_t calibrate_at;  /* the same of the next look at flows */
	int64_t tidy_at;       /* CLOCK_MONOTONIC millisecond of the matrix' next roll-up */
	int64_t audit_at;      /* the same of the next line about the audit log */
	int64_t statements_at; /* the same of the next look for some */
};

enum { DAY = 86400, MATRIX_BINS_DAYS = 2, MATRIX_HOURS = 4, TIDY_MS = 600000 };
enum { STATEMENTS_MS = 600000, CALIBRATE_MS = 3600000 };
enum { WAIT_MS = 1000, BINS_AT_ONCE = 32, BIN_TRIES = 10, FEEDER_NICE = 10 };

static int64_t monotonic_ms(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
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

/* Says once why the database is there and yet of no use. */
static void note_failure(struct feeder *f, enum err e, const struct fault *fault)
{
	if (e != f->said && e != ERR_OK && e != ERR_AWAY)
		log_line(LOG_ERROR, "The database cannot be used. where=%s why=%s", fault->where,
		         fault->text);
	f->said = e;
}

static enum err follow(struct feeder *f, struct fault *fault)
{
	bool changed;
	const enum err e = maps_sync(f->o.maps, &changed);
	if (e != ERR_OK)
		return fault_set(fault, e, "maps",
		                 "they do not go together, or memory is short; the old stay");
	return f->o.access_changed(f->o.ctx);
}

/* ---- how often the state folder's node began to store, in digits ---- */

static const char step_name[] = "steps";

/* When it is lost or damaged, the folder counts as one that was put back. */
static void read_step(struct feeder *f)
{
	char *digits = NULL;
	size_t size = 0;
	if (disk_read(f->o.state_dir, step_name, &digits, &size, NULL) == ERR_OK &&
	    !text_u64(digits, size, &f->step.counted))
		f->step.counted = 0;
	free(digits);
}

static enum err write_step(const struct feeder *f, uint64_t step)
{
	char digits[24];
	const int n = snprintf(digits, sizeof(digits), "%" PRIu64, step);
	return disk_replace(f->o.state_dir, step_name, 0600, digits, (size_t)n, NULL);
}

/*
 * Before bins are stored: first in the folder, so that it is never behind by itself. A full disk is no
 * reason to keep bins back.
 */
static enum err count_step(struct feeder *f)
{
	const uint64_t step = f->step.counted + 1;
	const int64_t kept = f->step.kept;
	if (write_step(f, step) != ERR_OK)
		return ERR_OK;
	f->step.counted = step;
	const enum err e =
		store_life_step(f->o.store, f->o.node, f->o.life, step, time(NULL), &f->step);
	if (e != ERR_OK || f->step.counted == step)
		return e;
	if (f->step.kept != kept)
		log_line(LOG_WARNING,
		         "The state folder is older than what it has stored. Bins until now "
		         "are replaced by nothing smaller. state_dir=%s",
		         f->o.state_dir);
	return write_step(f, f->step.counted) == ERR_OK ? ERR_OK : ERR_BUSY;
}

/* Is what is stored of a bin more than this, from an older state folder? */
static enum err is_older(struct feeder *f, const struct accounting_bin *bin, bool *older)
{
	uint64_t bytes = 0;
	*older = false;
	if (bin->start >= f->step.kept)
		return ERR_OK;
	for (size_t i = 0; i < bin->n_rows; i++)
		if (__builtin_add_overflow(bytes, bin->rows[i].out_bytes, &bytes) ||
		    __builtin_add_overflow(bytes, bin->rows[i].in_bytes, &bytes))
			bytes = UINT64_MAX;
	return store_holds(f->o.store, f->node,
	                   bin->source == ACCOUNTING_FLOW ? STORE_FLOW : STORE_ANNOUNCE, bin->start,
	                   bytes, older);
}

static enum err begin(struct feeder *f, struct fault *fault)
{
	enum err e = store_migrate(f->o.store, fault);
	if (e != ERR_OK)
		return e;
	read_step(f);
	e = store_life(f->o.store, f->o.node, f->o.life, f->node);
	return e == ERR_OK ? ERR_OK : fault_set(fault, e, "node", "no name to write bins under");
}

/*
 * Until it has succeeded, it is tried again every second. After an absence the migrations are looked
 * at again: what comes back may be another database.
 */
static enum err catch_up(struct feeder *f)
{
	struct fault fault = { 0 };
	enum err e = f->migrated ? ERR_OK : begin(f, &fault);
	f->migrated = e == ERR_OK;
	if (e == ERR_OK) {
		e = follow(f, &fault);
		f->migrated = e != ERR_AWAY;
		f->behind = e != ERR_OK;
	}
	note_failure(f, e, &fault);
	if (e == ERR_OK && !atomic_exchange(&f->connected, true))
		log_line(LOG_NOTE, "PostgreSQL is ready.");
	return e;
}

static enum err store_bin(struct feeder *f, const struct accounting_bin *bin)
{
	const bool flow = bin->source == ACCOUNTING_FLOW;
	struct store_bin *rows = calloc(bin->n_rows + 1, sizeof(*rows));
	if (rows == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < bin->n_rows; i++) {
		const struct accounting_row *r = &bin->rows[i];
		rows[i] = (struct store_bin){
			.start = bin->start,
			.seconds = bin->seconds,
			.observed_seconds = flow ? r->observed_seconds : bin->observed_seconds,
			.out_bytes = r->out_bytes,
			.in_bytes = r->in_bytes,
			.measured_packets = r->measured_packets,
			.out_packets = r->out_packets,
			.in_packets = r->in_packets,
			.measured_p2p = r->measured_p2p,
			.out_p2p_bytes = r->out_p2p_bytes,
			.in_p2p_bytes = r->in_p2p_bytes,
			.quality = r->quality,
		};
		memcpy(rows[i].provider, r->provider, sizeof(rows[i].provider));
		memcpy(rows[i].interconnect, r->interconnect, sizeof(rows[i].interconnect));
	}
	const enum err e = store_bins(f->o.store, f->node, flow ? STORE_FLOW : STORE_ANNOUNCE, rows,
	                              bin->n_rows);
	free(rows);
	return e;
}

_Static_assert((int)STORE_TIERS == (int)TIER_COUNT_, "one column for each tier");
_Static_assert((int)STORE_TIMES == (int)HISTOGRAM_BUCKETS, "the same buckets");

/* A transaction of its own: after a failure between the two, both are stored again. */
static enum err store_trial(struct feeder *f, const struct accounting_bin *bin)
{
	struct store_steering *rows = calloc(bin->n_trial + 1, sizeof(*rows));
	if (rows == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < bin->n_trial; i++) {
		const struct accounting_trial_row *r = &bin->trial[i];
		rows[i].control = r->control;
		rows[i].flagged = r->flagged;
		rows[i].group = r->group;
		rows[i].copies = r->copies;
		rows[i].imported = r->imported;
		rows[i].swarms = r->swarms;
		rows[i].unsized = r->unsized;
		for (unsigned k = 0; k < HISTOGRAM_BUCKETS; k++)
			rows[i].times[k] = r->times[k];
		memcpy(rows[i].bytes, r->bytes, sizeof(rows[i].bytes));
		memcpy(rows[i].provider, r->provider, sizeof(rows[i].provider));
		memcpy(rows[i].policy, bin->policy, sizeof(rows[i].policy));
	}
	const struct store_steering_bin all = {
		.start = bin->start, .seconds = bin->seconds, .rows = rows, .n = bin->n_trial
	};
	const enum err e = store_steering_put(f->o.store, f->node, &all);
	free(rows);
	return e;
}

/*
 * A bin that the database refused. What is wrong may be put right (a lost privilege, say), so it is
 * tried again, ever more seldom; but it must not hold up those behind it for ever. ERR_BUSY: wait.
 */
static enum err refused(struct feeder *f, struct feeding *from, const struct accounting_bin *bin,
                        enum err why)
{
	struct fault fault = { 0 };
	enum err e = ERR_BUSY;
	const int64_t pause = (int64_t)f->o.retry_ms
	                      << (from->tries < BIN_TRIES ? from->tries : BIN_TRIES);
	from->tries++;
	if (why == ERR_RANGE || from->tries >= BIN_TRIES)
		e = spool_refuse(from->spool, bin, &fault);
	if (e == ERR_OK) {
		from->tries = 0;
		metrics_add(f->o.metrics, METRIC_BINS_REFUSED, 1);
		log_line(LOG_ERROR,
		         "The database refuses a closed bin. Rename its file back to try again. "
		         "start=%" PRId64 " error=%s file=%s why=%s",
		         bin->start, err_name(why), fault.where, fault.text);
		return ERR_OK;
	}
	if (e != ERR_BUSY)
		log_line(LOG_ERROR, "A closed bin cannot be set aside. where=%s why=%s",
		         fault.where, fault.text);
	from->not_before = monotonic_ms() + pause;
	return ERR_BUSY;
}

static enum err settle(struct feeder *f, struct feeding *from, const struct accounting_bin *bin,
                       enum err e)
{
	if (e == ERR_OK) {
		from->tries = 0;
		metrics_add(f->o.metrics, METRIC_BIN_ROWS_STORED, bin->n_rows);
		spool_remove(from->spool, bin);
		return ERR_OK;
	}
	metrics_add(f->o.metrics, METRIC_STORE_FAILURES, 1);
	return e == ERR_AWAY || e == ERR_NOMEM ? e : refused(f, from, bin, e);
}

static enum err store_all(struct feeder *f, const struct accounting_bin *bin)
{
	bool older;
	enum err e = is_older(f, bin, &older);
	if (e != ERR_OK || older)
		return e;
	e = store_bin(f, bin);
	if (e == ERR_OK && bin->source == ACCOUNTING_ANNOUNCE)
		e = store_trial(f, bin);
	if (e == ERR_OK && bin->source == ACCOUNTING_ANNOUNCE)
		e = matrix_feed(f->o.store, f->node, &f->o.swarm_names, bin);
	return e;
}

/* Carries one bin over. ERR_NOT_FOUND: the spool is empty. */
static enum err feed_one(struct feeder *f, struct feeding *from)
{
	struct accounting_bin bin;
	struct fault fault = { 0 };
	enum err e = spool_first(from->spool, &bin, &fault);
	if (e == ERR_MALFORMED) {
		metrics_add(f->o.metrics, METRIC_BINS_DAMAGED, 1);
		log_line(LOG_WARNING, "A spooled bin is damaged. file=%s why=%s", fault.where,
		         fault.text);
		return ERR_OK;
	}
	if (e != ERR_OK)
		return e;
	e = store_all(f, &bin);
	e = settle(f, from, &bin, e);
	accounting_bin_done(&bin);
	return e;
}

static enum err feed_from(struct feeder *f, struct feeding *from)
{
	enum err e = monotonic_ms() < from->not_before ? ERR_BUSY : ERR_OK;
	if (e == ERR_OK && atomic_load(&from->spool->count) > 0) {
		e = count_step(f);
		/* It does not know the node: it is an older copy of the database, put back. */
		if (e == ERR_NOT_FOUND) {
			f->migrated = false;
			f->behind = true;
			e = ERR_BUSY;
		}
	}
	for (unsigned i = 0; i < BINS_AT_ONCE && e == ERR_OK; i++)
		e = feed_one(f, from);
	return e;
}

/* What agents said of their interfaces. ERR_NOT_FOUND: there is none, or it is too soon to try again. */
static enum err feed_readings(struct feeder *f)
{
	struct collector_reading said[COLLECTOR_READINGS];
	struct store_reading rows[COLLECTOR_READINGS] = { 0 };
	const struct store_readings_rules rules = { .node = STORE_SAMPLES_NODE,
		                                    .bin_seconds = f->o.bin_seconds,
		                                    .late_seconds = f->o.late_reading_seconds,
		                                    .now = time(NULL),
		                                    .found = COLLECTOR_PORT };
	uint64_t upto;
	const size_t n =
		f->o.collector != NULL ? collector_readings(f->o.collector, said, &upto) : 0;
	if (n == 0)
		return ERR_NOT_FOUND;
	for (size_t i = 0; i < n; i++) {
		memcpy(rows[i].provider, said[i].provider, sizeof(rows[i].provider));
		memcpy(rows[i].interconnect, said[i].interconnect, sizeof(rows[i].interconnect));
		memcpy(rows[i].port, said[i].port, sizeof(rows[i].port));
		rows[i].reading = said[i].reading;
	}
	const enum err e = reading_feed(&f->readings, rows, n, &rules);
	if (e != ERR_OK)
		return e == ERR_BUSY ? ERR_NOT_FOUND : e;
	collector_readings_done(f->o.collector, upto);
	return ERR_OK;
}

/*
 * ERR_NOT_FOUND: all spools are empty. ERR_OK: something was carried over. A bin that is refused holds up
 * those of its own spool only.
 */
static enum err feed(struct feeder *f)
{
	enum err all = ERR_NOT_FOUND;
	for (unsigned i = 0; i < FEEDER_SPOOLS && all != ERR_AWAY; i++) {
		const enum err e =
			f->spools[i].spool != NULL ? feed_from(f, &f->spools[i]) : ERR_NOT_FOUND;
		if (e == ERR_AWAY || e == ERR_OK || all == ERR_NOT_FOUND)
			all = e;
	}
	return all == ERR_NOT_FOUND ? feed_readings(f) : all;
}

static void note_store(struct feeder *f, enum err e)
{
	if (e != ERR_OK && e != ERR_AWAY)
		metrics_add(f->o.metrics, METRIC_STORE_FAILURES, 1);
}

/* Bins of the matrix become hours after two days. So many hours at once that nothing waits for it long. */
static void see_to_matrix(struct feeder *f)
{
	const int64_t now = time(NULL), keep = (int64_t)f->o.matrix_days * DAY;
	uint64_t hours = 0;
	if (monotonic_ms() < f->tidy_at)
		return;
	const enum err e = store_matrix_tidy(f->o.store, now - MATRIX_BINS_DAYS * DAY,
	                                     now > keep ? now - keep : 0, MATRIX_HOURS, &hours);
	if (e != ERR_OK && e != ERR_AWAY)
		metrics_add(f->o.metrics, METRIC_STORE_FAILURES, 1);
	f->tidy_at = monotonic_ms() + (hours < MATRIX_HOURS ? TIDY_MS : WAIT_MS);
}

/* What ended is frozen in the morning after (04:00 UTC); whoever of several daemons comes first does it. */
static void see_to_statements(struct feeder *f)
{
	size_t made;
	if (f->o.report.bin_seconds == 0 || monotonic_ms() < f->statements_at)
		return;
	f->statements_at = monotonic_ms() + STATEMENTS_MS;
	const enum err e = statements_due(f->o.store, &f->o.report, time(NULL), &made);
	if (made > 0)
		log_line(LOG_NOTE, "Periods of contracts were frozen. statements=%zu", made);
	note_store(f, e);
}

/* Once the spool is empty, so that the bins are there. */
static void see_to_bins(struct feeder *f)
{
	const int64_t now = time(NULL);
	if (f->o.pricing != NULL)
		note_store(f, pricing_work(f->o.pricing, now));
	if (!atomic_load(&f->stop))
		note_store(f, keeper_work(&f->keeper, now));
}

/* Once an hour: days have to be over, and their late bins are few. */
static void see_to_calibration(struct feeder *f)
{
	if (f->o.report.bin_seconds == 0 || monotonic_ms() < f->calibrate_at)
		return;
	const enum err e = report_calibrate(f->o.store, f->o.report.bin_seconds, time(NULL));
	if (e != ERR_OK && e != ERR_AWAY)
		metrics_add(f->o.metrics, METRIC_STORE_FAILURES, 1);
	f->calibrate_at = monotonic_ms() + CALIBRATE_MS;
}

/* The log is kept elsewhere: a head in it shows what was taken from the database's end. */
static void see_to_audit(struct feeder *f)
{
	struct store_head head;
	if (monotonic_ms() < f->audit_at || store_audit_head(f->o.store, &head) != ERR_OK)
		return;
	log_line(LOG_NOTE, "The audit log's head. number=%" PRIu64 " chain=%s", head.number,
	         head.chain);
	f->audit_at = monotonic_ms() + DAY * INT64_C(1000);
}

static void *feeder_run(void *arg)
{
	struct feeder *f = arg;
	/* Announces go first: maps of other daemons are compiled here. */
	(void)setpriority(PRIO_PROCESS, (id_t)gettid(), FEEDER_NICE);
	for (;;) {
		bool changed = false;
		enum err e = store_wait(f->o.store, atomic_load(&f->stop) ? 0 : WAIT_MS, &changed);
		f->behind = f->behind || changed;
		maps_tidy(f->o.maps);
		if (e == ERR_OK && f->behind)
			e = catch_up(f);
		if (atomic_exchange(&f->access_due, false) &&
		    f->o.access_changed(f->o.ctx) != ERR_OK)
			f->behind = true;
		/* Maps that cannot be put in force are no reason to keep bins back. */
		const enum err fed = e == ERR_AWAY || !f->migrated ? ERR_AWAY : feed(f);
		note_away(f, e == ERR_AWAY || (e == ERR_OK && fed == ERR_AWAY));
		if (e == ERR_OK && f->migrated && !atomic_load(&f->stop))
			note_store(f, minder_work(&f->minder, time(NULL)));
		if (fed == ERR_NOT_FOUND)
			see_to_bins(f);
		if (fed == ERR_NOT_FOUND && !atomic_load(&f->stop)) {
			see_to_matrix(f);
			see_to_statements(f);
			see_to_calibration(f);
			see_to_audit(f);
		}
		if (atomic_load(&f->stop) &&
		    (fed != ERR_OK || monotonic_ms() >= atomic_load(&f->deadline)))
			return NULL;
	}
}

struct feeder *feeder_start(const struct feeder_options *options)
{
	struct feeder *f = calloc(1, sizeof(*f));
	if (f == NULL)
		return NULL;
	f->o = *options;
	f->minder = (struct minder){ .store = options->store,
		                     .maps = options->maps,
		                     .metrics = options->tracked };
	f->readings = (struct reading_feed){ .store = options->store,
		                             .metrics = options->metrics,
		                             .retry_ms = options->retry_ms };
	f->keeper = (struct keeper){ .store = options->store, .keep = options->keep };
	for (unsigned i = 0; i < FEEDER_SPOOLS; i++)
		f->spools[i].spool = options->spools[i];
	f->behind = true;
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
	atomic_store(&f->deadline, monotonic_ms() + seconds * 1000L);
	atomic_store(&f->stop, true);
	store_wake(f->o.store);
	pthread_join(f->thread, NULL);
	minder_done(&f->minder);
	free(f);
}

void feeder_access(struct feeder *f)
{
	atomic_store(&f->access_due, true);
	store_wake(f->o.store);
}

bool feeder_away(const struct feeder *f)
{
	return atomic_load(&f->away);
}

bool feeder_connected(const struct feeder *f)
{
	return f != NULL && atomic_load(&f->connected);
}
