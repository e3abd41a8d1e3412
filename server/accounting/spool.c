/* SPDX-License-Identifier: Apache-2.0 */
#include "server/accounting/spool.h"

#include "common/balance/quality.h"
#include "common/base/cursor.h"
#include "server/accounting/spool_matrix.h"
#include "server/accounting/sum.h"
#include "server/disk/disk.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	HEAD_SIZE = 8 + 8 + 4 + 4 + 4, /* of the first versions; now there is a byte more */
	ROW_MIN = 1 + 1 + 8 + 8,
	FLOW_MORE = 1 + 4 + 4 + 4 * 8,
	ROW_MAX = ROW_MIN + 2 * 64 + FLOW_MORE,
	ROWS_MAX = 1 << 20,
	TRIAL_MIN = 1 + 1 + 1 + 8 * TIER_COUNT_,
	TRIAL_MORE = 8 + 8 + 4 + 4 + 1 + HISTOGRAM_BUCKETS * (1 + 4),
	SECTION_HEAD = 1 + 4,
	SECTION_MATRIX = 1,
	NAME_SIZE = 20 + sizeof(".bin") /* digits of the start, so that names sort by time */
};

static const uint8_t magic[] = { 'p', '4', 'p', 'b', 'i', 'n', 's', '5' };
/* The fourth version had no sections, the one before no source, that before it no copies and times, the
 * first no trial. */
enum { FIRST_TRIAL = '2', FIRST_TIMES = '3', FIRST_SOURCE = '4', FIRST_SECTIONS = '5' };
enum { PACKETS_MEASURED = 1, P2P_MEASURED = 2 };

static void name_of(int64_t start, char out[static NAME_SIZE])
{
	(void)snprintf(out, NAME_SIZE, "%020llu.bin", (unsigned long long)start);
}

static bool is_bin(const char *name)
{
	return strlen(name) == NAME_SIZE - 1 && strspn(name, "0123456789") == 20 &&
	       strcmp(name + 20, ".bin") == 0;
}

/* The first file by time into `first`; returns how many there are, or -1. */
static long look(const struct spool *s, char first[static NAME_SIZE])
{
	long n = 0;
	DIR *dir = opendir(s->dir);
	if (dir == NULL)
		return -1;
	for (struct dirent *e; (e = readdir(dir)) != NULL;) {
		if (!is_bin(e->d_name))
			continue;
		if (n++ == 0 || strcmp(e->d_name, first) < 0)
			memcpy(first, e->d_name, NAME_SIZE);
	}
	(void)closedir(dir);
	return n;
}

static enum err failed(const struct spool *s, const char *doing, struct fault *fault)
{
	return fault_set(fault, ERR_SYSTEM, "state_dir", "cannot %s %s: %s", doing, s->dir,
	                 strerror(errno));
}

enum err spool_init(struct spool *s, const char *dir, struct fault *fault)
{
	char first[NAME_SIZE];
	*s = (struct spool){ 0 };
	if (asprintf(&s->dir, "%s/spool", dir) < 0)
		return fault_set(fault, ERR_NOMEM, "state_dir", "no memory is left");
	enum err e = disk_folder(s->dir, 0700, fault);
	const long n = e == ERR_OK ? look(s, first) : 0;
	if (n < 0)
		e = failed(s, "read", fault);
	if (e != ERR_OK) {
		free(s->dir);
		s->dir = NULL;
		return e;
	}
	atomic_store(&s->count, (size_t)n);
	pthread_mutex_init(&s->lock, NULL);
	return ERR_OK;
}

void spool_done(struct spool *s)
{
	if (s->dir == NULL)
		return;
	pthread_mutex_destroy(&s->lock);
	free(s->dir);
	s->dir = NULL;
}

/* Of the buckets those that have some. */
static void put_times(struct writer *w, const uint32_t times[static HISTOGRAM_BUCKETS])
{
	unsigned n = 0;
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
		n += times[i] != 0;
	writer_u8(w, (uint8_t)n);
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
		if (times[i] == 0)
			continue;
		writer_u8(w, (uint8_t)i);
		writer_u32(w, times[i]);
	}
}

static void put_row(struct writer *w, enum accounting_source source,
                    const struct accounting_row *row)
{
	spool_put_text(w, row->provider);
	spool_put_text(w, row->interconnect);
	writer_u64(w, row->out_bytes);
	writer_u64(w, row->in_bytes);
	if (source != ACCOUNTING_FLOW)
		return;
	writer_u8(w, (uint8_t)((row->measured_packets ? PACKETS_MEASURED : 0) |
	                       (row->measured_p2p ? P2P_MEASURED : 0)));
	writer_u32(w, row->observed_seconds);
	writer_u32(w, row->quality);
	writer_u64(w, row->out_packets);
	writer_u64(w, row->in_packets);
	writer_u64(w, row->out_p2p_bytes);
	writer_u64(w, row->in_p2p_bytes);
}

/* Its size stands before it, so that a reader may pass over what it does not know. */
static void put_matrix(struct writer *w, const struct accounting_bin *bin)
{
	writer_u8(w, SECTION_MATRIX);
	uint8_t *size = w->at;
	writer_u32(w, 0);
	uint8_t *start = w->at;
	spool_matrix_put(w, bin);
	must(!w->bad);
	struct writer head = writer_over(size, sizeof(uint32_t));
	writer_u32(&head, (uint32_t)(w->at - start));
}

static void put_bin(struct writer *w, const struct accounting_bin *bin)
{
	writer_bytes(w, magic, sizeof(magic));
	writer_u8(w, (uint8_t)bin->source);
	writer_u64(w, (uint64_t)bin->start);
	writer_u32(w, bin->seconds);
	writer_u32(w, bin->observed_seconds);
	writer_u32(w, (uint32_t)bin->n_rows);
	for (size_t i = 0; i < bin->n_rows; i++)
		put_row(w, bin->source, &bin->rows[i]);
	spool_put_text(w, bin->policy);
	writer_u32(w, (uint32_t)bin->n_trial);
	for (size_t i = 0; i < bin->n_trial; i++) {
		const struct accounting_trial_row *row = &bin->trial[i];
		spool_put_text(w, row->provider);
		writer_u8(w, (uint8_t)(row->control | row->flagged << 1));
		writer_u8(w, row->group);
		for (unsigned k = 0; k < TIER_COUNT_; k++)
			writer_u64(w, row->bytes[k]);
		writer_u64(w, row->copies);
		writer_u64(w, row->imported);
		writer_u32(w, row->swarms);
		writer_u32(w, row->unsized);
		put_times(w, row->times);
	}
	if (bin->source == ACCOUNTING_ANNOUNCE)
		put_matrix(w, bin);
}

static void recount(struct spool *s)
{
	char first[NAME_SIZE];
	const long n = look(s, first);
	if (n >= 0)
		atomic_store(&s->count, (size_t)n);
}

enum err spool_write(struct spool *s, const struct accounting_bin *bin, struct fault *fault)
{
	char name[NAME_SIZE];
	const size_t room = HEAD_SIZE + 1 + bin->n_rows * ROW_MAX + 1 + ACCOUNTING_POLICY_MAX + 4 +
	                    bin->n_trial * (TRIAL_MIN + 64 + TRIAL_MORE) + SECTION_HEAD +
	                    spool_matrix_room(bin) + SUM_SIZE;
	must(bin->start >= 0 && bin->n_rows <= ROWS_MAX && bin->n_trial <= ROWS_MAX);
	uint8_t *bytes = malloc(room);
	if (bytes == NULL)
		return fault_set(fault, ERR_NOMEM, s->dir, "no memory is left");
	uint8_t sum[SUM_SIZE];
	struct writer w = writer_over(bytes, room);
	put_bin(&w, bin);
	sum_make(bytes, writer_size(&w), sum);
	writer_bytes(&w, sum, sizeof(sum));
	must(!w.bad);
	name_of(bin->start, name);
	pthread_mutex_lock(&s->lock);
	const enum err e = disk_replace(s->dir, name, 0600, bytes, writer_size(&w), fault);
	recount(s);
	pthread_mutex_unlock(&s->lock);
	free(bytes);
	return e;
}

/* ---- reading ---- */

static bool take_flow(struct reader *r, struct accounting_row *row)
{
	const uint8_t flags = reader_u8(r);
	row->measured_packets = flags & PACKETS_MEASURED;
	row->measured_p2p = flags & P2P_MEASURED;
	row->observed_seconds = reader_u32(r);
	row->quality = reader_u32(r);
	row->out_packets = reader_u64(r);
	row->in_packets = reader_u64(r);
	row->out_p2p_bytes = reader_u64(r);
	row->in_p2p_bytes = reader_u64(r);
	return (flags & ~(PACKETS_MEASURED | P2P_MEASURED)) == 0 && row->quality <= BIN_QUALITY_ALL;
}

static enum err take_rows(struct reader *r, struct accounting_bin *b)
{
	for (size_t i = 0; i < b->n_rows; i++) {
		struct accounting_row *row = &b->rows[i];
		if (!spool_take_text(r, row->provider, sizeof(row->provider)) ||
		    !spool_take_text(r, row->interconnect, sizeof(row->interconnect)))
			return ERR_MALFORMED;
		row->out_bytes = reader_u64(r);
		row->in_bytes = reader_u64(r);
		if (b->source == ACCOUNTING_FLOW && !take_flow(r, row))
			return ERR_MALFORMED;
	}
	return r->bad ? ERR_MALFORMED : ERR_OK;
}

static bool take_times(struct reader *r, uint32_t times[static HISTOGRAM_BUCKETS])
{
	for (unsigned n = reader_u8(r); n > 0; n--) {
		const unsigned bucket = reader_u8(r);
		if (bucket >= HISTOGRAM_BUCKETS)
			return false;
		times[bucket] = reader_u32(r);
	}
	return true;
}

static bool take_trial_row(struct reader *r, uint8_t version, struct accounting_trial_row *row)
{
	if (!spool_take_text(r, row->provider, sizeof(row->provider)))
		return false;
	const uint8_t flags = reader_u8(r);
	row->control = flags & 1;
	row->flagged = flags >> 1 & 1;
	row->group = reader_u8(r);
	for (unsigned k = 0; k < TIER_COUNT_; k++)
		row->bytes[k] = reader_u64(r);
	if (version < FIRST_TIMES)
		return true;
	row->copies = reader_u64(r);
	row->imported = reader_u64(r);
	row->swarms = reader_u32(r);
	row->unsized = reader_u32(r);
	return take_times(r, row->times);
}

static enum err take_trial(struct reader *r, uint8_t version, struct accounting_bin *b)
{
	if (!spool_take_text(r, b->policy, sizeof(b->policy)))
		return ERR_MALFORMED;
	const size_t n = reader_u32(r);
	if (n > reader_left(r) / TRIAL_MIN)
		return ERR_MALFORMED;
	b->trial = calloc(n + 1, sizeof(*b->trial));
	if (b->trial == NULL)
		return ERR_NOMEM;
	for (; b->n_trial < n; b->n_trial++)
		if (!take_trial_row(r, version, &b->trial[b->n_trial]))
			return ERR_MALFORMED;
	return r->bad ? ERR_MALFORMED : ERR_OK;
}

/* A section of another kind is of a later version: the bin's bytes are good without it. */
static enum err take_sections(struct reader *r, struct accounting_bin *b)
{
	enum err e = ERR_OK;
	while (e == ERR_OK && reader_left(r) > 0) {
		const uint8_t kind = reader_u8(r);
		const uint32_t size = reader_u32(r);
		const uint8_t *bytes = reader_take(r, size);
		if (bytes == NULL)
			return ERR_MALFORMED;
		struct reader section = reader_over(bytes, size);
		if (kind == SECTION_MATRIX)
			e = spool_matrix_take(&section, b);
	}
	return e;
}

enum err spool_parse(const void *data, size_t size, struct accounting_bin *out)
{
	const uint8_t *bytes = data;
	if (size < HEAD_SIZE + SUM_SIZE)
		return ERR_TRUNCATED;
	size -= SUM_SIZE;
	const uint8_t version = bytes[sizeof(magic) - 1];
	if (memcmp(bytes, magic, sizeof(magic) - 1) != 0 || version < '1' ||
	    version > magic[sizeof(magic) - 1] || !sum_holds(bytes, size, bytes + size))
		return ERR_MALFORMED;

	struct reader r = reader_over(bytes + sizeof(magic), size - sizeof(magic));
	const uint8_t source = version >= FIRST_SOURCE ? reader_u8(&r) : ACCOUNTING_ANNOUNCE;
	struct accounting_bin b = { .source = source == ACCOUNTING_FLOW ? ACCOUNTING_FLOW
		                                                        : ACCOUNTING_ANNOUNCE,
		                    .start = (int64_t)reader_u64(&r) };
	b.seconds = reader_u32(&r);
	b.observed_seconds = reader_u32(&r);
	b.n_rows = reader_u32(&r);
	if (source > ACCOUNTING_FLOW || b.start < 0 || b.n_rows > reader_left(&r) / ROW_MIN)
		return ERR_MALFORMED;
	b.rows = calloc(b.n_rows > 0 ? b.n_rows : 1, sizeof(*b.rows));
	if (b.rows == NULL)
		return ERR_NOMEM;
	enum err e = take_rows(&r, &b);
	if (e == ERR_OK && version >= FIRST_TRIAL)
		e = take_trial(&r, version, &b);
	if (e == ERR_OK && version >= FIRST_SECTIONS)
		e = take_sections(&r, &b);
	if (e == ERR_OK && reader_left(&r) != 0)
		e = ERR_MALFORMED;
	if (e == ERR_OK)
		*out = b;
	else
		accounting_bin_done(&b);
	return e;
}

static enum err set_aside(struct spool *s, const char *name, const char *why, struct fault *fault)
{
	char path[PATH_MAX], aside[PATH_MAX];
	(void)snprintf(path, sizeof(path), "%s/%s", s->dir, name);
	(void)snprintf(aside, sizeof(aside), "%s/%s.%s", s->dir, name, why);
	if (rename(path, aside) != 0)
		return failed(s, "set a file aside in", fault);
	recount(s);
	(void)fault_set(fault, ERR_MALFORMED, path, "it was set aside as %s", aside);
	return ERR_OK;
}

static enum err set_damaged_aside(struct spool *s, const char *name, struct fault *fault)
{
	const enum err e = set_aside(s, name, "damaged", fault);
	return e == ERR_OK ? ERR_MALFORMED : e;
}

/* Of what the file says: the end of its checksum. Its inode is of no use, a later file may get it again. */
static uint64_t identity(const char *data, size_t size)
{
	uint64_t tail = 0;
	if (size >= sizeof(tail))
		memcpy(&tail, data + size - sizeof(tail), sizeof(tail));
	return tail;
}

/* Is the file of this name still the one that the bin was read from? */
static bool is_same(const struct spool *s, const char *name, const struct accounting_bin *bin)
{
	char *data = NULL;
	size_t size = 0;
	if (disk_read(s->dir, name, &data, &size, NULL) != ERR_OK)
		return false;
	const bool same = identity(data, size) == bin->file;
	free(data);
	return same;
}

static enum err take_first(struct spool *s, struct accounting_bin *out, struct fault *fault)
{
	char name[NAME_SIZE], *data = NULL;
	size_t size = 0;
	const long n = look(s, name);
	if (n <= 0)
		return n == 0 ? ERR_NOT_FOUND : failed(s, "read", fault);
	enum err e = disk_read(s->dir, name, &data, &size, fault);
	if (e != ERR_OK)
		return e;
	e = spool_parse(data, size, out);
	if (e == ERR_OK)
		out->file = identity(data, size);
	free(data);
	return e == ERR_MALFORMED || e == ERR_TRUNCATED ? set_damaged_aside(s, name, fault) : e;
}

enum err spool_first(struct spool *s, struct accounting_bin *out, struct fault *fault)
{
	pthread_mutex_lock(&s->lock);
	const enum err e = take_first(s, out, fault);
	pthread_mutex_unlock(&s->lock);
	return e;
}

void spool_remove(struct spool *s, const struct accounting_bin *bin)
{
	char name[NAME_SIZE], path[PATH_MAX];
	name_of(bin->start, name);
	(void)snprintf(path, sizeof(path), "%s/%s", s->dir, name);
	pthread_mutex_lock(&s->lock);
	if (is_same(s, name, bin))
		(void)unlink(path); /* if it stays it is stored again, which changes nothing */
	recount(s);
	pthread_mutex_unlock(&s->lock);
}

enum err spool_refuse(struct spool *s, const struct accounting_bin *bin, struct fault *fault)
{
	char name[NAME_SIZE];
	enum err e = ERR_OK;
	name_of(bin->start, name);
	pthread_mutex_lock(&s->lock);
	if (is_same(s, name, bin))
		e = set_aside(s, name, "refused", fault);
	pthread_mutex_unlock(&s->lock);
	return e;
}
