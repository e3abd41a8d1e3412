/* SPDX-License-Identifier: Apache-2.0 */
#include "server/collector/book.h"

#include "server/collector/book_bin.h"
#include "server/collector/prorate.h"

#include <stdlib.h>
#include <string.h>

enum { SECOND = 1000 };

struct book *book_new(const struct book_options *options)
{
	must(options->bin_seconds > 0);
	struct book *b = calloc(1, sizeof(*b));
	if (b != NULL)
		b->options = *options;
	return b;
}

void book_free(struct book *b)
{
	if (b == NULL)
		return;
	for (size_t i = 0; i < b->n; i++)
		flow_bin_free(b->bins[i]);
	free(b->bins);
	free(b->heard);
	free(b);
}

size_t book_count(const struct book *b)
{
	return b->n;
}

/* ---- finding a bin ---- */

static int compare(const struct flow_bin *b, int64_t start, uint32_t seconds)
{
	if (b->start != start)
		return b->start < start ? -1 : 1;
	return (b->seconds > seconds) - (b->seconds < seconds);
}

/* Where it is, or would have to be. */
static size_t position(const struct book *b, int64_t start, uint32_t seconds)
{
	size_t low = 0, high = b->n;
	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		if (compare(b->bins[middle], start, seconds) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

enum err book_insert(struct book *b, struct flow_bin *bin)
{
	const size_t at = position(b, bin->start, bin->seconds);
	if (at < b->n && compare(b->bins[at], bin->start, bin->seconds) == 0)
		return ERR_EXISTS;
	if (b->n == b->room) {
		const size_t room = b->room > 0 ? b->room * 2 : 16;
		struct flow_bin **more = realloc(b->bins, room * sizeof(*more));
		if (more == NULL)
			return ERR_NOMEM;
		b->bins = more;
		b->room = room;
	}
	memmove(b->bins + at + 1, b->bins + at, (b->n - at) * sizeof(*b->bins));
	b->bins[at] = bin;
	b->n++;
	return ERR_OK;
}

/* NULL: not there. */
static struct flow_bin *find(struct book *b, int64_t start)
{
	const uint32_t seconds = b->options.bin_seconds;
	if (b->last != NULL && compare(b->last, start, seconds) == 0)
		return b->last;
	const size_t at = position(b, start, seconds);
	if (at < b->n && compare(b->bins[at], start, seconds) == 0)
		return b->last = b->bins[at];
	return NULL;
}

/* The bin of this start, made when it is missing. NULL: no memory, or it is below the floor. */
static struct flow_bin *bin_at(struct book *b, int64_t start)
{
	const uint32_t seconds = b->options.bin_seconds;
	struct flow_bin *found = find(b, start);
	if (found != NULL || start < b->floor)
		return found;
	struct flow_bin *made = flow_bin_new(start, seconds);
	if (made == NULL || book_insert(b, made) != ERR_OK) {
		flow_bin_free(made);
		return NULL;
	}
	return b->last = made;
}

static int64_t floor_to(int64_t t, int64_t step)
{
	return t - t % step;
}

/* Where the first bin above the floor starts. */
static int64_t first_start(const struct book *b)
{
	return floor_to(b->floor + b->options.bin_seconds - 1, b->options.bin_seconds);
}

int64_t book_floor(const struct book *b)
{
	return b->floor;
}

void book_raise_floor(struct book *b, int64_t floor)
{
	if (floor > b->floor)
		b->floor = floor;
}

static void touch(struct flow_bin *bin, int64_t now)
{
	if (bin->changes++ == bin->written)
		bin->changed = now;
	bin->saved = false;
	bin->late = bin->late || bin->closed;
}

/* The oldest bin that flows are still taken for. */
static int64_t oldest(const struct book *b, int64_t now)
{
	const int64_t t = now - (int64_t)b->options.late_seconds;
	return floor_to(t > 0 ? t : 0, b->options.bin_seconds);
}

/* ---- booking ---- */

static uint64_t sum(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

struct part {
	int64_t start; /* of the bin */
	uint64_t bytes, packets;
};

/* Was its bin forgotten? Where it counts instead, while the clock is before the floor: *start. */
static bool is_gone(struct book *b, int64_t *start, int64_t now)
{
	if (*start >= b->floor || find(b, *start) != NULL)
		return false;
	*start = first_start(b);
	return now >= *start;
}

static bool add_part(struct book *b, const struct booking *f, const struct part *p, int64_t now)
{
	const struct cell_key key = { .exporter = f->exporter,
		                      .in_if = f->in_if,
		                      .out_if = f->out_if,
		                      .out = f->out,
		                      .in = f->in,
		                      .egress = f->egress };
	struct flow_bin *bin = bin_at(b, p->start);
	struct cell *c = bin != NULL ? flow_bin_cell(bin, &key) : NULL;
	if (c == NULL)
		return false;
	c->bytes = sum(c->bytes, p->bytes);
	c->packets = sum(c->packets, p->packets);
	if (f->p2p == BOOKING_P2P)
		c->p2p_bytes = sum(c->p2p_bytes, p->bytes);
	c->flags |= (f->sampled ? CELL_SAMPLED : 0U) | (f->packets == 0 ? CELL_NO_PACKETS : 0U) |
	            (f->p2p == BOOKING_P2P_UNKNOWN ? CELL_NO_P2P : 0U);
	touch(bin, now);
	return true;
}

/* The flow's time as it is taken: nothing ends after now. */
static bool settle_time(struct booking *f, int64_t now_ms)
{
	if (f->first_ms > f->last_ms)
		f->first_ms = f->last_ms;
	if (f->last_ms > now_ms + BOOK_SKEW * SECOND) {
		f->first_ms = f->last_ms = now_ms;
		return true;
	}
	if (f->last_ms > now_ms)
		f->last_ms = now_ms;
	if (f->first_ms > f->last_ms)
		f->first_ms = f->last_ms;
	return false;
}

static void spread(struct book *b, const struct booking *f, int64_t now_ms, struct book_result *r)
{
	const int64_t step = (int64_t)b->options.bin_seconds * SECOND;
	const uint64_t duration = (uint64_t)(f->last_ms - f->first_ms);
	const int64_t limit = oldest(b, now_ms / SECOND) * SECOND;
	int64_t at = f->first_ms;
	if (at < limit && f->last_ms >= limit)
		at = limit;
	uint64_t bytes = prorate_due(f->bytes, (uint64_t)(at - f->first_ms), duration);
	uint64_t packets = prorate_due(f->packets, (uint64_t)(at - f->first_ms), duration);
	if (at == f->first_ms) /* also of no duration: then all is still due */
		bytes = packets = 0;
	r->too_old = bytes;
	for (bool done = false; !done;) {
		const int64_t end = floor_to(at, step) + step;
		done = f->last_ms <= end;
		const uint64_t elapsed = (uint64_t)((done ? f->last_ms : end) - f->first_ms);
		const uint64_t to = prorate_due(f->bytes, elapsed, duration);
		const uint64_t packets_to = prorate_due(f->packets, elapsed, duration);
		struct part p = { .start = (end - step) / SECOND,
			          .bytes = to - bytes,
			          .packets = packets_to - packets };
		if (is_gone(b, &p.start, now_ms / SECOND))
			r->too_old += p.bytes;
		else if (add_part(b, f, &p, now_ms / SECOND))
			r->booked += p.bytes;
		else
			r->full += p.bytes;
		bytes = to;
		packets = packets_to;
		at = end;
	}
}

struct book_result book_add(struct book *b, const struct booking *f, int64_t now_ms)
{
	struct booking taken = *f;
	struct book_result r = { .future = settle_time(&taken, now_ms) };
	if (taken.last_ms < oldest(b, now_ms / SECOND) * SECOND)
		r.too_old = f->bytes;
	else
		spread(b, &taken, now_ms, &r);
	return r;
}

/* ---- watching ---- */

static bool know_exporter(struct book *b, uint32_t exporter)
{
	if (exporter < b->n_heard)
		return true;
	int64_t *more = realloc(b->heard, (exporter + 1) * sizeof(*more));
	if (more == NULL)
		return false;
	memset(more + b->n_heard, 0, (exporter + 1 - b->n_heard) * sizeof(*more));
	b->heard = more;
	b->n_heard = exporter + 1;
	return true;
}

/* The seconds from `from` to before `to` were watched. */
static void watched(struct book *b, uint32_t exporter, int64_t from, int64_t to)
{
	const int64_t step = b->options.bin_seconds, limit = oldest(b, to - 1);
	for (from = from > limit ? from : limit; from < to;) {
		const int64_t end = floor_to(from, step) + step;
		const int64_t until = end < to ? end : to;
		struct flow_bin *bin = bin_at(b, end - step);
		struct watch *w = bin != NULL ? flow_bin_watch(bin, exporter) : NULL;
		if (w != NULL) {
			/* A second comes again after a kill in it, or when the clock is put back. */
			const uint32_t left = bin->seconds - w->observed;
			w->observed += until - from < left ? (uint32_t)(until - from) : left;
			touch(bin, to - 1);
		}
		from = until;
	}
}

void book_heard(struct book *b, uint32_t exporter, int64_t now)
{
	if (!know_exporter(b, exporter))
		return;
	const int64_t last = b->heard[exporter];
	if (now == last)
		return;
	const bool on = last != 0 && now > last && now - last <= BOOK_SILENCE;
	watched(b, exporter, on ? last + 1 : now, now + 1);
	b->heard[exporter] = now;
}

void book_gap(struct book *b, uint32_t exporter, int64_t now)
{
	struct flow_bin *bin = bin_at(b, floor_to(now, b->options.bin_seconds));
	struct watch *w = bin != NULL ? flow_bin_watch(bin, exporter) : NULL;
	if (w == NULL || w->gaps)
		return;
	w->gaps = true;
	touch(bin, now);
}

/* ---- closing ---- */

/* No flow will find it any more: of another length of bins. */
static bool is_foreign(const struct book *b, const struct flow_bin *bin)
{
	return bin->seconds != b->options.bin_seconds;
}

static bool is_due(const struct book *b, const struct flow_bin *bin, int64_t now)
{
	const int64_t grace = b->options.grace_seconds;
	if (bin->changes == bin->written)
		return false;
	if (!bin->closed)
		return now >= bin_end(bin) + grace || is_foreign(b, bin);
	return now >= bin->changed + grace || now < bin->changed; /* the clock was put back */
}

enum err book_due(const struct book *b, int64_t from, int64_t now, bool all,
                  const struct book_ports *ports, struct book_page *page)
{
	for (size_t i = position(b, from, 0); i < b->n; i++) {
		const struct flow_bin *bin = b->bins[i];
		if (!is_due(b, bin, now) && !(all && bin->changes != bin->written))
			continue;
		page->changes = bin->changes;
		const struct settle_with with = { .edges = b->options.edges,
			                          .ports = ports,
			                          .measures_p2p = b->options.measures_p2p };
		return flow_bin_settle(bin, &with, &page->bin);
	}
	return ERR_NOT_FOUND;
}

void book_closed(struct book *b, const struct book_page *page, int64_t now)
{
	const size_t at = position(b, page->bin.start, page->bin.seconds);
	must(at < b->n && compare(b->bins[at], page->bin.start, page->bin.seconds) == 0);
	struct flow_bin *bin = b->bins[at];
	bin->written = page->changes;
	bin->changed = now;
	if (bin->closed || now < bin_end(bin))
		return;
	bin->closed = true;
	bin->saved = false; /* a change after a restart is late, too */
}

static void drop_bin(struct book *b, size_t at)
{
	if (b->last == b->bins[at])
		b->last = NULL;
	flow_bin_free(b->bins[at]);
	memmove(b->bins + at, b->bins + at + 1, (--b->n - at) * sizeof(*b->bins));
}

bool book_forget(struct book *b, int64_t now, struct book_gone *gone)
{
	for (size_t i = 0; i < b->n; i++) {
		const struct flow_bin *bin = b->bins[i];
		const bool written = bin->changes == bin->written;
		const bool over = bin_end(bin) <= oldest(b, now) || is_foreign(b, bin);
		if (!(over && written) && b->n <= BOOK_BINS_MAX)
			continue;
		*gone = (struct book_gone){ .start = bin->start, .lost = !written };
		/* Of a bin of another length only what is over: flows go on in those of ours. */
		book_raise_floor(b, bin_end(bin) < now ? bin_end(bin) : now);
		drop_bin(b, i);
		return true;
	}
	return false;
}
