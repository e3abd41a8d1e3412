/* SPDX-License-Identifier: Apache-2.0 */
#include "server/accounting/accounting.h"

#include "common/base/random.h"
#include "server/accounting/close.h"
#include "server/accounting/ledger_file.h"
#include "server/accounting/spool.h"
#include "server/accounting/trial.h"
#include "server/disk/disk.h"

#include <stdlib.h>
#include <string.h>

enum {
	GAP_MAX = 60,       /* seconds between ticks that are still taken for one watch */
	EXPIRE_PARTS = 600, /* ticks to sweep the whole ledger */
	FIRSTS_ROOM =
		1 << 18,   /* 2 MB: of a tracker to which more come in 12 days, a share is timed */
	TEND_EVERY = 60,   /* ticks from one look at all of them, 0.2 ms, to the next */
	WAITING_MAX = 288, /* closed bins in memory while the disk is full: a day */
	MATRICES_MAX = 12, /* of them with their matrix, which is large: the last hour's */
	JOURNAL_PART = 1 << 18, /* bytes in memory before a second is over */
	JOURNAL_SLACK = 1 << 26 /* bytes beyond two checkpoints that make another one worthwhile */
};

/* 23 MB from the start, so that a tracker which fills does not grow for it; 70 MB at most. */
static const struct bin_room bin_room = { .first = { 1 << 15, 1 << 19, 1 << 12 },
	                                  .most = { 1 << 20, 1 << 19, 1 << 19 } };

/* The last map's places as names of the open bin. */
struct place_names {
	uint64_t number; /* of the map's publication */
	uint32_t *names; /* by place; UINT32_MAX: not asked for yet */
	size_t n;
};

struct accounting {
	struct accounting_options options;
	struct ledger *ledger;
	struct firsts *firsts;
	bool fresh; /* no process was here before */
	struct accounting_slot *slots;
	unsigned n_slots;
	struct metrics_slot *metrics;
	struct map_lease lease; /* the map in force */
	char *state_dir;
	struct bin bin;
	bool settled; /* the open bin is booked, but memory was short for the next one */
	struct place_names places;
	struct trial trial;
	struct journal journal;
	struct spool spool;
	struct accounting_bin waiting[WAITING_MAX];
	size_t n_waiting;
	int64_t last; /* the clock never reads less than this */
	unsigned expired;
	/* For accounting_stats(). */
	_Atomic uint64_t open_start, backwards;
	_Atomic size_t swarms, waiting_count;
};

static int64_t bin_floor(int64_t now, uint32_t seconds)
{
	return now - now % seconds;
}

static int64_t bin_end(const struct bin *b)
{
	return b->start + b->seconds;
}

/* ---- start ---- */

static enum err replay_items(struct accounting *a, struct journal_scan *scan)
{
	struct journal_item item;
	enum err e;
	while ((e = journal_next(scan, &item)) == ERR_OK) {
		e = bin_add(&a->bin, &item);
		if (e != ERR_OK && e != ERR_BUSY)
			break;
	}
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* ERR_NOT_FOUND: there was none, and no bin is open. */
static enum err replay(struct accounting *a, struct fault *fault)
{
	char *data = NULL;
	size_t size = 0;
	struct journal_scan scan;
	struct journal_header h;
	enum err e = disk_read(a->state_dir, "journal", &data, &size, fault);
	a->fresh = e == ERR_NOT_FOUND;
	if (e != ERR_OK)
		return e;
	e = journal_open(&scan, data, size, &h);
	if (e == ERR_OK && (h.seconds == 0 || h.start < 0 || h.start % h.seconds != 0))
		e = ERR_MALFORMED;
	if (e != ERR_OK) {
		free(data);
		(void)fault_set(fault, e, "journal", "this is no journal of p4pd; starting anew");
		return ERR_NOT_FOUND;
	}
	e = bin_open(&a->bin, h.start, h.seconds, &bin_room);
	if (e == ERR_OK && (e = replay_items(a, &scan)) != ERR_OK && e != ERR_NOMEM) {
		(void)fault_set(fault, e, "journal",
		                "the journal is damaged; what came before the damage is kept");
		e = ERR_OK;
	}
	free(data);
	return e;
}

static enum err open_first_bin(struct accounting *a, struct fault *fault)
{
	const uint32_t seconds = a->options.bin_seconds;
	enum err e = replay(a, fault);
	if (e == ERR_NOT_FOUND)
		e = bin_open(&a->bin, bin_floor(a->options.now, seconds), seconds, &bin_room);
	if (e != ERR_OK)
		return e;
	a->last = a->options.now > a->bin.start ? a->options.now : a->bin.start;
	atomic_store(&a->open_start, (uint64_t)a->bin.start);
	return ERR_OK;
}

static enum err make_slots(struct accounting *a)
{
	a->slots = calloc(a->options.slots, sizeof(*a->slots));
	if (a->slots == NULL)
		return ERR_NOMEM;
	for (unsigned i = 0; i < a->options.slots; i++) {
		struct accounting_slot *s = &a->slots[a->n_slots++];
		s->ledger = a->ledger;
		s->firsts = a->firsts;
		s->metrics = metrics_slot(a->options.metrics, i);
		s->seed = random_mix((uint64_t)a->options.now + i);
		s->max_bytes = (uint64_t)a->options.max_peer_mbps * 1000000 / 8;
		s->no_lines = a->options.no_lines;
		const enum err e = slot_init(s);
		if (e != ERR_OK)
			return e;
	}
	return ERR_OK;
}

static enum err take_ledger(struct accounting *a, struct fault *fault)
{
	a->ledger = ledger_new(a->options.ledger_max, a->fresh ? 0 : a->options.now);
	a->firsts = firsts_new(FIRSTS_ROOM);
	if (a->ledger == NULL || a->firsts == NULL)
		return ERR_NOMEM;
	const enum err e = ledger_file_take(a->ledger, a->state_dir, a->options.now, fault);
	return e == ERR_NOT_FOUND || e == ERR_MALFORMED ? ERR_OK : e;
}

static enum err start(struct accounting *a, struct fault *fault)
{
	enum err e = disk_folder(a->state_dir, 0700, fault);
	if (e == ERR_OK)
		e = spool_init(&a->spool, a->state_dir, fault);
	if (e == ERR_OK)
		e = open_first_bin(a, fault);
	if (e == ERR_OK)
		e = take_ledger(a, fault);
	if (e == ERR_OK)
		e = make_slots(a);
	return e;
}

enum err accounting_new(const struct accounting_options *options, struct accounting **out,
                        struct fault *fault)
{
	must(options->slots > 0 && options->bin_seconds > 0 && options->now >= 0);
	if (fault != NULL)
		fault->code = ERR_OK;
	struct accounting *a = calloc(1, sizeof(*a));
	if (a == NULL)
		return ERR_NOMEM;
	a->options = *options;
	a->metrics = metrics_slot(options->metrics, options->slots);
	a->state_dir = strdup(options->state_dir);
	journal_init(&a->journal, a->state_dir);
	trial_init(&a->trial);
	const enum err e = a->state_dir != NULL ? start(a, fault) : ERR_NOMEM;
	if (e != ERR_OK) {
		accounting_free(a);
		return e == ERR_NOMEM ? fault_set(fault, e, "", "no memory is left") : e;
	}
	*out = a;
	return ERR_OK;
}

void accounting_free(struct accounting *a)
{
	if (a == NULL)
		return;
	for (unsigned i = 0; i < a->n_slots; i++)
		slot_done(&a->slots[i]);
	for (size_t i = 0; i < a->n_waiting; i++)
		accounting_bin_done(&a->waiting[i]);
	map_end(&a->lease);
	ledger_free(a->ledger);
	firsts_free(a->firsts);
	journal_done(&a->journal);
	trial_done(&a->trial);
	spool_done(&a->spool);
	bin_done(&a->bin);
	free(a->places.names);
	free(a->slots);
	free(a->state_dir);
	free(a);
}

struct accounting_slot *accounting_slot(struct accounting *a, unsigned i)
{
	must(i < a->n_slots);
	return &a->slots[i];
}

void accounting_trial(struct accounting *a, unsigned control_percent, const char *policy)
{
	trial_set(&a->trial, control_percent, policy);
}

enum err accounting_private(struct accounting *a, const uint64_t *swarms, size_t n)
{
	return trial_private(&a->trial, swarms, n);
}

/* ---- draining ---- */

/* Into the open bin and, unless a checkpoint is due anyway, the journal. */
static enum err enter(struct accounting *a, const struct journal_item *item)
{
	const enum err e = bin_add(&a->bin, item);
	if (e == ERR_OK && !a->journal.broken) {
		journal_put(&a->journal, item);
		/* A failure makes a checkpoint due, which says why if it fails as well. */
		if (a->journal.pending.size >= JOURNAL_PART)
			(void)!journal_append(&a->journal, NULL);
	}
	if (e == ERR_BUSY)
		metrics_add(a->metrics, METRIC_ACCOUNTING_BIN_FULL, 1);
	return e;
}

static void forget_places(struct accounting *a)
{
	free(a->places.names);
	a->places = (struct place_names){ 0 };
}

static enum err know_map(struct accounting *a, const struct map_lease *lease)
{
	struct place_names *p = &a->places;
	if (p->names != NULL && p->number == lease->number)
		return ERR_OK;
	forget_places(a);
	const size_t n = lease->map != NULL ? snapshot_counts(lease->map).places : 1;
	p->names = malloc(n * sizeof(*p->names));
	if (p->names == NULL)
		return ERR_NOMEM;
	memset(p->names, 0xff, n * sizeof(*p->names));
	p->names[PLACE_UNKNOWN] = 0;
	p->n = n;
	p->number = lease->number;
	return ERR_OK;
}

/* A place of the map as a name of the bin; a new one is written down first. */
static uint32_t name_of(struct accounting *a, const struct map_lease *lease, uint32_t place)
{
	must(place < a->places.n);
	uint32_t *known = &a->places.names[place];
	if (*known != UINT32_MAX)
		return *known;
	struct journal_item item = { .kind = JOURNAL_NAME };
	const size_t before = names_count(a->bin.names);
	snapshot_place_key(lease->map, place, item.key);
	if (names_put(a->bin.names, item.key, &item.number) != ERR_OK)
		return 0; /* unknown: its bytes count, but nowhere */
	if (names_count(a->bin.names) > before && !a->journal.broken)
		journal_put(&a->journal, &item);
	return *known = item.number;
}

static void absorb(struct accounting *a, const struct slot_tally *t)
{
	struct journal_item item = { .kind = JOURNAL_ROW };
	for (size_t i = 0; i < t->tally.n_rows; i++) {
		item.row = t->tally.rows[i];
		item.row.place = name_of(a, &t->lease, item.row.place);
		(void)enter(a, &item);
	}
	item.kind = JOURNAL_CELL;
	for (size_t i = 0; i < t->tally.n_cells; i++) {
		item.cell = t->tally.cells[i];
		item.cell.from = name_of(a, &t->lease, item.cell.from);
		item.cell.to = name_of(a, &t->lease, item.cell.to);
		(void)enter(a, &item);
	}
	item.kind = JOURNAL_TIME;
	for (size_t i = 0; i < t->tally.n_times; i++) {
		item.time = t->tally.times[i];
		item.time.place = name_of(a, &t->lease, item.time.place);
		(void)enter(a, &item);
	}
}

static enum err drain(struct accounting *a, struct fault *fault)
{
	enum err e = ERR_OK;
	for (unsigned i = 0; i < a->n_slots; i++) {
		struct slot_tally *sealed[SLOT_TALLIES];
		const size_t n = slot_seal(&a->slots[i], sealed);
		for (size_t k = 0; k < n; k++) {
			const enum err known = know_map(a, &sealed[k]->lease);
			if (known == ERR_OK)
				absorb(a, sealed[k]);
			else
				e = fault_set(fault, known, "", "no memory to count announces");
			slot_release(&a->slots[i], sealed[k]);
		}
	}
	return e;
}

/* The part of [from, to) that lies in the open bin was watched. */
static void observe(struct accounting *a, int64_t from, int64_t to)
{
	if (from < a->bin.start)
		from = a->bin.start;
	if (to > bin_end(&a->bin))
		to = bin_end(&a->bin);
	if (to <= from)
		return;
	const struct journal_item item = { .kind = JOURNAL_OBSERVED,
		                           .number = (uint32_t)(to - from) };
	(void)enter(a, &item);
}

/* ---- closing ---- */

static bool says_nothing(const struct accounting_bin *b)
{
	uint64_t bytes = 0;
	for (size_t i = 0; i < b->n_rows; i++)
		bytes |= b->rows[i].out_bytes | b->rows[i].in_bytes;
	return b->n_rows == 0 || (b->observed_seconds == 0 && bytes == 0);
}

static void forget_matrix(struct accounting_bin *b)
{
	free(b->cells);
	free(b->swarms);
	b->cells = NULL;
	b->swarms = NULL;
	b->n_cells = b->n_swarms = 0;
}

static void wait_for_disk(struct accounting *a, const struct accounting_bin *b)
{
	if (a->n_waiting == WAITING_MAX) {
		accounting_bin_done(&a->waiting[0]);
		memmove(a->waiting, a->waiting + 1, --a->n_waiting * sizeof(*a->waiting));
	}
	if (a->n_waiting >= MATRICES_MAX)
		forget_matrix(&a->waiting[a->n_waiting - MATRICES_MAX]);
	a->waiting[a->n_waiting++] = *b;
	metrics_add(a->metrics, METRIC_BINS_CLOSED, 1);
}

static enum err write_waiting(struct accounting *a, struct fault *fault)
{
	while (a->n_waiting > 0) {
		const enum err e = spool_write(&a->spool, &a->waiting[0], fault);
		if (e != ERR_OK)
			return e;
		accounting_bin_done(&a->waiting[0]);
		memmove(a->waiting, a->waiting + 1, --a->n_waiting * sizeof(*a->waiting));
	}
	return ERR_OK;
}

/* The bin after the open one: the next, or after a leap of the clock the one that `from` is in. */
static enum err open_next(struct accounting *a, int64_t from)
{
	struct bin next;
	const uint32_t seconds = a->options.bin_seconds;
	const int64_t end = bin_end(&a->bin);
	enum err e =
		bin_open(&next, bin_floor(from > end ? from : end, seconds), seconds, &bin_room);
	if (e != ERR_OK)
		return e;
	e = bin_carry(&a->bin, &next);
	if (e != ERR_OK && e != ERR_BUSY) {
		bin_done(&next);
		return e;
	}
	bin_done(&a->bin);
	a->bin = next;
	a->settled = false;
	a->journal.broken = true; /* it tells of the bin before */
	forget_places(a);
	atomic_store(&a->swarms, next.swarms);
	return ERR_OK;
}

static enum err close_open_bin(struct accounting *a, int64_t from, struct fault *fault)
{
	struct accounting_bin made;
	enum err e = a->settled ? ERR_OK : close_settle(&a->bin, a->lease.map, &a->trial, &made);
	if (e == ERR_OK && !a->settled) {
		a->settled = true;
		if (says_nothing(&made))
			accounting_bin_done(&made);
		else
			wait_for_disk(a, &made);
	}
	if (e == ERR_OK)
		e = open_next(a, from);
	return e == ERR_OK ? e : fault_set(fault, e, "", "no memory to close a bin");
}

static enum err close_what_is_over(struct accounting *a, int64_t from, int64_t now,
                                   struct fault *fault)
{
	enum err e = ERR_OK;
	observe(a, from, now);
	while (e == ERR_OK && now >= bin_end(&a->bin) && a->lease.map != NULL) {
		e = close_open_bin(a, from, fault);
		if (e == ERR_OK)
			observe(a, from, now);
	}
	return e;
}

static enum err checkpoint(struct accounting *a, struct fault *fault)
{
	const struct journal_header h = { .start = a->bin.start, .seconds = a->bin.seconds };
	journal_begin(&a->journal, &h);
	bin_save(&a->bin, &a->journal);
	return journal_commit(&a->journal, fault);
}

static enum err write_journal(struct accounting *a, struct fault *fault)
{
	const struct journal *j = &a->journal;
	if (j->broken || j->size > 2 * j->first + JOURNAL_SLACK)
		return checkpoint(a, fault);
	return journal_append(&a->journal, fault);
}

/* The clock, which only goes forward; *from: since when this thread has been watching. */
static int64_t read_clock(struct accounting *a, int64_t now, int64_t *from)
{
	/* Times across a step of the clock would be wrong. */
	if (now < a->last || now - a->last > GAP_MAX)
		firsts_clear(a->firsts);
	if (now < a->last) {
		atomic_fetch_add(&a->backwards, 1);
		now = a->last;
	}
	*from = now - a->last > GAP_MAX ? now - 1 : a->last;
	a->last = now;
	return now;
}

/* Last, so that who sees a bin closed finds it in the spool, or has missed it there. */
static void tell(struct accounting *a)
{
	const int64_t start = a->n_waiting > 0 ? a->waiting[0].start : a->bin.start;
	atomic_store(&a->waiting_count, a->n_waiting);
	atomic_store(&a->open_start, (uint64_t)start);
}

enum err accounting_tick(struct accounting *a, int64_t now, struct fault *fault)
{
	int64_t from;
	now = read_clock(a, now, &from);
	(void)map_renew(a->options.office, &a->lease);
	enum err e = drain(a, fault);
	const enum err closed = close_what_is_over(a, from, now, fault);
	/* A closed bin must be on disk before the journal forgets it. */
	enum err written = write_waiting(a, fault);
	if (written == ERR_OK)
		written = write_journal(a, fault);
	tell(a);
	if (a->expired % TEND_EVERY == 0)
		metrics_add(a->metrics, METRIC_FIRSTS_DROPPED, firsts_tend(a->firsts, now));
	ledger_expire(a->ledger, a->expired++ % EXPIRE_PARTS, EXPIRE_PARTS, now);
	if (e == ERR_OK)
		e = closed;
	return e == ERR_OK ? written : e;
}

static enum err write_open_bin(struct accounting *a, struct fault *fault)
{
	struct accounting_bin made;
	enum err e = close_books(&a->bin, a->lease.map, &a->trial, &made);
	if (e != ERR_OK)
		return fault_set(fault, e, "", "no memory to close a bin");
	if (!says_nothing(&made))
		e = spool_write(&a->spool, &made, fault);
	accounting_bin_done(&made);
	return e;
}

enum err accounting_flush(struct accounting *a, int64_t now, struct fault *fault)
{
	enum err e = accounting_tick(a, now, fault);
	if (e == ERR_OK)
		e = write_open_bin(a, fault);
	/* Whatever became of the bin: its bytes were taken, and must not be taken again. */
	const enum err kept = ledger_file_save(a->ledger, a->state_dir, e == ERR_OK ? fault : NULL);
	return e == ERR_OK ? kept : e;
}

/* ---- the spool ---- */

void accounting_bin_done(struct accounting_bin *b)
{
	free(b->rows);
	free(b->trial);
	free(b->cells);
	free(b->swarms);
	*b = (struct accounting_bin){ 0 };
}

struct spool *accounting_spool(struct accounting *a)
{
	return &a->spool;
}

struct accounting_stats accounting_stats(struct accounting *a)
{
	return (struct accounting_stats){ .open_start = atomic_load(&a->open_start),
		                          .spooled = atomic_load(&a->spool.count),
		                          .waiting = atomic_load(&a->waiting_count),
		                          .ledger = ledger_count(a->ledger),
		                          .swarms = atomic_load(&a->swarms),
		                          .backwards = atomic_load(&a->backwards) };
}
