/* SPDX-License-Identifier: Apache-2.0 */
#include "server/accounting/journal.h"

#include "common/balance/histogram.h"
#include "server/accounting/sum.h"
#include "server/disk/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	HEADER_SIZE = 8 + 8 + 4 + SUM_SIZE,
	FRAME_HEAD = 4 + SUM_SIZE,
	FRAME_TARGET = 1 << 16, /* a frame ends once it is that long */
	ITEM_MAX = 256          /* bytes of any item */
};
_Static_assert(PLACE_KEY_MAX + 8 <= ITEM_MAX, "a name fits");

static const uint8_t magic[] = { 'p', '4', 'p', 'j', 'r', 'n', 'l', '4' };
/* The second version had no sizes of contents, the third neither clients nor what was noted. */
enum { FIRST_READ = '2', FIRST_SIZES = '3', FIRST_CLIENTS = '4' };
static const char name[] = "journal";

void journal_init(struct journal *j, const char *state_dir)
{
	*j = (struct journal){ .dir = state_dir, .fd = -1, .broken = true };
}

static void forget_file(struct journal *j)
{
	if (j->fd >= 0)
		(void)close(j->fd);
	j->fd = -1;
	j->broken = true;
}

static void forget_pending(struct journal *j)
{
	text_done(&j->pending);
	j->pending = (struct text){ 0 };
	j->frame = 0;
}

void journal_done(struct journal *j)
{
	forget_file(j);
	forget_pending(j);
}

static uint64_t double_bits(double x)
{
	uint64_t bits;
	_Static_assert(sizeof(bits) == sizeof(x), "IEEE 754");
	memcpy(&bits, &x, sizeof(bits));
	return bits;
}

static uint32_t float_bits(float x)
{
	uint32_t bits;
	_Static_assert(sizeof(bits) == sizeof(x), "IEEE 754");
	memcpy(&bits, &x, sizeof(bits));
	return bits;
}

static void put_row(struct writer *w, const struct tally_row *r)
{
	writer_u64(w, r->swarm);
	writer_u32(w, r->place);
	writer_u64(w, r->up);
	writer_u64(w, r->down);
	writer_u64(w, double_bits(r->credit));
	writer_u32(w, float_bits(r->size));
	writer_u64(w, r->clients);
}

static void put_time(struct writer *w, const struct tally_time *t)
{
	writer_u64(w, t->swarm);
	writer_u32(w, t->place);
	writer_u8(w, (uint8_t)t->bucket);
}

static void put_cell(struct writer *w, const struct tally_cell *c)
{
	writer_u64(w, c->swarm);
	writer_u32(w, c->from);
	writer_u32(w, c->to);
	writer_u32(w, c->candidates);
	writer_u64(w, double_bits((double)c->first));
	writer_u64(w, double_bits((double)c->later));
	writer_u32(w, float_bits(c->noted));
}

static void put_name(struct writer *w, const struct journal_item *item)
{
	const size_t size = strnlen(item->key, PLACE_KEY_MAX - 1);
	writer_u32(w, item->number);
	writer_u8(w, (uint8_t)size);
	writer_bytes(w, item->key, size);
}

/* Writes the head of the open frame; what follows starts a new one. */
static void end_frame(struct journal *j)
{
	if (j->pending.bad || j->pending.size == j->frame)
		return;
	uint8_t *head = (uint8_t *)j->pending.bytes + j->frame;
	const size_t size = j->pending.size - j->frame - FRAME_HEAD;
	struct writer w = writer_over(head, FRAME_HEAD);
	writer_u32(&w, (uint32_t)size);
	sum_make(head + FRAME_HEAD, size, w.at);
	j->frame = j->pending.size;
}

void journal_put(struct journal *j, const struct journal_item *item)
{
	uint8_t bytes[ITEM_MAX];
	struct writer w = writer_over(bytes, sizeof(bytes));
	writer_u8(&w, (uint8_t)item->kind);
	if (item->kind == JOURNAL_NAME)
		put_name(&w, item);
	else if (item->kind == JOURNAL_ROW)
		put_row(&w, &item->row);
	else if (item->kind == JOURNAL_CELL)
		put_cell(&w, &item->cell);
	else if (item->kind == JOURNAL_TIME)
		put_time(&w, &item->time);
	else
		writer_u32(&w, item->number);
	must(!w.bad);

	static const uint8_t head[FRAME_HEAD];
	if (j->pending.size == j->frame)
		text_add(&j->pending, head, sizeof(head));
	text_add(&j->pending, bytes, writer_size(&w));
	if (j->pending.size - j->frame >= FRAME_TARGET)
		end_frame(j);
}

static enum err failed(struct journal *j, const char *doing, struct fault *fault)
{
	return fault_set(fault, ERR_SYSTEM, "state_dir", "cannot %s %s/%s: %s", doing, j->dir, name,
	                 strerror(errno));
}

static enum err append(struct journal *j, struct fault *fault)
{
	for (size_t done = 0; done < j->pending.size;) {
		const ssize_t n = pwrite(j->fd, j->pending.bytes + done, j->pending.size - done,
		                         (off_t)(j->size + done));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			(void)failed(j, "append to", fault);
			(void)!ftruncate(j->fd, (off_t)j->size);
			return ERR_SYSTEM;
		}
		done += (size_t)n;
	}
	j->size += j->pending.size;
	j->pending.size = j->frame = 0;
	return ERR_OK;
}

enum err journal_append(struct journal *j, struct fault *fault)
{
	must(!j->broken);
	end_frame(j);
	const enum err e = j->pending.bad ? fault_set(fault, ERR_NOMEM, "state_dir",
	                                              "no memory for the journal")
	                                  : append(j, fault);
	if (e != ERR_OK) {
		forget_file(j);
		forget_pending(j);
	}
	return e;
}

void journal_begin(struct journal *j, const struct journal_header *h)
{
	uint8_t bytes[HEADER_SIZE];
	struct writer w = writer_over(bytes, sizeof(bytes));
	writer_bytes(&w, magic, sizeof(magic));
	writer_u64(&w, (uint64_t)h->start);
	writer_u32(&w, h->seconds);
	sum_make(bytes, writer_size(&w), w.at);

	forget_file(j);
	j->pending.size = 0;
	text_add(&j->pending, bytes, sizeof(bytes));
	j->frame = j->pending.size;
}

static enum err commit(struct journal *j, struct fault *fault)
{
	char path[PATH_MAX];
	if (j->pending.bad)
		return fault_set(fault, ERR_NOMEM, "state_dir", "no memory for the journal");
	const enum err e =
		disk_replace(j->dir, name, 0600, j->pending.bytes, j->pending.size, fault);
	if (e != ERR_OK)
		return e;
	(void)snprintf(path, sizeof(path), "%s/%s", j->dir, name);
	j->fd = open(path, O_WRONLY | O_CLOEXEC);
	return j->fd >= 0 ? ERR_OK : failed(j, "open", fault);
}

enum err journal_commit(struct journal *j, struct fault *fault)
{
	end_frame(j);
	const enum err e = commit(j, fault);
	j->size = j->first = j->pending.size;
	j->broken = e != ERR_OK;
	forget_pending(j);
	return e;
}

/* ---- reading ---- */

enum err journal_open(struct journal_scan *scan, const void *data, size_t size,
                      struct journal_header *out)
{
	struct journal_scan s = { .file = reader_over(data, size) };
	const uint8_t *head = reader_take(&s.file, HEADER_SIZE);
	if (head == NULL)
		return ERR_TRUNCATED;
	s.version = head[sizeof(magic) - 1];
	if (memcmp(head, magic, sizeof(magic) - 1) != 0 || s.version < FIRST_READ ||
	    s.version > magic[sizeof(magic) - 1] ||
	    !sum_holds(head, HEADER_SIZE - SUM_SIZE, head + HEADER_SIZE - SUM_SIZE))
		return ERR_MALFORMED;
	struct reader r = reader_over(head + sizeof(magic), HEADER_SIZE - sizeof(magic));
	out->start = (int64_t)reader_u64(&r);
	out->seconds = reader_u32(&r);
	*scan = s;
	return ERR_OK;
}

static enum err next_frame(struct journal_scan *scan)
{
	if (reader_left(&scan->file) == 0)
		return ERR_NOT_FOUND;
	struct reader r = scan->file;
	const uint32_t size = reader_u32(&r);
	const uint8_t *sum = reader_take(&r, SUM_SIZE);
	const uint8_t *items = reader_take(&r, size);
	if (items == NULL)
		return ERR_TRUNCATED;
	if (size == 0 || !sum_holds(items, size, sum))
		return ERR_MALFORMED;
	scan->file = r;
	scan->frame = reader_over(items, size);
	return ERR_OK;
}

static double reader_double(struct reader *r)
{
	const uint64_t bits = reader_u64(r);
	double x;
	memcpy(&x, &bits, sizeof(x));
	return x;
}

static float reader_float(struct reader *r)
{
	const uint32_t bits = reader_u32(r);
	float x;
	memcpy(&x, &bits, sizeof(x));
	return x;
}

static bool take_row(struct reader *r, uint8_t version, struct tally_row *row)
{
	row->swarm = reader_u64(r);
	row->place = reader_u32(r);
	row->up = reader_u64(r);
	row->down = reader_u64(r);
	row->credit = reader_double(r);
	row->size = version >= FIRST_SIZES ? reader_float(r) : 0;
	row->clients = version >= FIRST_CLIENTS ? reader_u64(r) : 0;
	return isfinite(row->credit) && isfinite(row->size) && row->size >= 0;
}

static bool take_time(struct reader *r, struct tally_time *t)
{
	t->swarm = reader_u64(r);
	t->place = reader_u32(r);
	t->bucket = reader_u8(r);
	return t->bucket < HISTOGRAM_BUCKETS;
}

static bool take_cell(struct reader *r, uint8_t version, struct tally_cell *cell)
{
	cell->swarm = reader_u64(r);
	cell->from = reader_u32(r);
	cell->to = reader_u32(r);
	cell->candidates = reader_u32(r);
	cell->first = (float)reader_double(r);
	cell->later = (float)reader_double(r);
	cell->noted = version >= FIRST_CLIENTS ? reader_float(r) : cell->first + cell->later;
	return isfinite(cell->first) && isfinite(cell->later) && isfinite(cell->noted);
}

static bool take_name(struct reader *r, struct journal_item *item)
{
	item->number = reader_u32(r);
	const uint8_t size = reader_u8(r);
	if (size >= PLACE_KEY_MAX)
		return false;
	reader_copy(r, item->key, size);
	item->key[size] = '\0';
	return strlen(item->key) == size;
}

enum err journal_next(struct journal_scan *scan, struct journal_item *out)
{
	if (reader_left(&scan->frame) == 0) {
		const enum err e = next_frame(scan);
		if (e != ERR_OK)
			return e;
	}
	struct reader *r = &scan->frame;
	bool good = true;
	const uint8_t kind = reader_u8(r);
	if (kind == JOURNAL_NAME)
		good = take_name(r, out);
	else if (kind == JOURNAL_ROW)
		good = take_row(r, scan->version, &out->row);
	else if (kind == JOURNAL_CELL)
		good = take_cell(r, scan->version, &out->cell);
	else if (kind == JOURNAL_TIME)
		good = take_time(r, &out->time);
	else if (kind == JOURNAL_OBSERVED)
		out->number = reader_u32(r);
	else
		good = false;
	if (!good || r->bad)
		return ERR_MALFORMED;
	out->kind = (enum journal_kind)kind;
	return ERR_OK;
}
