/* SPDX-License-Identifier: Apache-2.0 */
#include "server/accounting/sum.h"
#include "server/collector/inside.h"
#include "server/disk/disk.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* "00000000001800000000.bin": a checkpoint by the start of its bin, and a checksum at its end. */
enum { DIGITS = 20, NAME_SIZE = DIGITS + sizeof(".bin") };

static void name_of(int64_t start, char out[static NAME_SIZE])
{
	(void)snprintf(out, NAME_SIZE, "%020llu.bin", (unsigned long long)start);
}

static bool is_checkpoint(const char *name)
{
	return strlen(name) == NAME_SIZE - 1 && strspn(name, "0123456789") == DIGITS &&
	       strcmp(name + DIGITS, ".bin") == 0;
}

/* ---- reading ---- */

static void set_aside(struct collector *c, const char *name, struct fault *fault)
{
	char path[PATH_MAX], aside[PATH_MAX];
	(void)snprintf(path, sizeof(path), "%s/%s", c->dir, name);
	(void)snprintf(aside, sizeof(aside), "%s/%s.damaged", c->dir, name);
	if (rename(path, aside) != 0)
		(void)fault_set(fault, ERR_SYSTEM, path, "it is damaged, and in the way: %s",
		                strerror(errno));
	else
		(void)fault_set(fault, ERR_MALFORMED, path, "it is damaged; it was set aside as %s",
		                aside);
}

static enum err load_one(struct collector *c, const char *name, struct fault *fault)
{
	char *data = NULL;
	size_t size = 0;
	enum err e = disk_read(c->dir, name, &data, &size, fault);
	if (e != ERR_OK)
		return e;
	if (size < SUM_SIZE || !sum_holds(data, size - SUM_SIZE, (uint8_t *)data + size - SUM_SIZE))
		e = ERR_MALFORMED;
	else
		e = book_load(c->book, data, size - SUM_SIZE);
	free(data);
	if (e == ERR_OK || e == ERR_NOMEM)
		return e;
	set_aside(c, name, fault);
	/* What it had may be stored: no second bin of its key. */
	uint64_t start;
	if (text_u64(name, DIGITS, &start) && start <= (uint64_t)c->options.now)
		book_raise_floor(c->book, (int64_t)start + 1);
	return ERR_OK;
}

/* The floor of the book, in digits. */
static const char floor_name[] = "floor";

static enum err load_floor(struct collector *c, struct fault *fault)
{
	char *data = NULL;
	size_t size = 0;
	uint64_t floor;
	enum err e = disk_read(c->dir, floor_name, &data, &size, fault);
	if (e != ERR_OK)
		return e == ERR_NOT_FOUND ? ERR_OK : e;
	if (text_u64(data, size, &floor) && floor <= INT64_MAX / 1000)
		book_raise_floor(c->book, (int64_t)floor);
	else
		set_aside(c, floor_name, fault);
	free(data);
	return ERR_OK;
}

static enum err write_floor(struct collector *c, int64_t floor, struct fault *fault)
{
	char digits[24];
	const int n = snprintf(digits, sizeof(digits), "%lld", (long long)floor);
	return disk_replace(c->dir, floor_name, 0600, digits, (size_t)n, fault);
}

enum err collector_load(struct collector *c, struct fault *fault)
{
	enum err e = load_floor(c, fault);
	DIR *dir = opendir(c->dir);
	if (dir == NULL)
		return fault_set(fault, ERR_SYSTEM, "state_dir", "cannot read %s: %s", c->dir,
		                 strerror(errno));
	for (struct dirent *d; e == ERR_OK && (d = readdir(dir)) != NULL;)
		if (is_checkpoint(d->d_name))
			e = load_one(c, d->d_name, fault);
	(void)closedir(dir);
	return e;
}

/* ---- writing: the lock is held but while the disk is waited for ---- */

static enum err write_page(struct collector *c, const struct book_page *page, struct fault *fault)
{
	pthread_mutex_unlock(&c->lock);
	const enum err e = spool_write(&c->spool, &page->bin, fault);
	pthread_mutex_lock(&c->lock);
	return e;
}

static enum err close_bins(struct collector *c, int64_t now, bool all, struct fault *fault)
{
	struct book_page page;
	enum err e = ERR_OK;
	for (int64_t from = 0; e == ERR_OK; from = page.bin.start + 1) {
		const struct book_ports ports = { .list = c->ports, .n = c->n_ports };
		e = book_due(c->book, from, now, all, &ports, &page);
		if (e == ERR_NOT_FOUND)
			return ERR_OK;
		if (e != ERR_OK)
			return fault_set(fault, e, "", "no memory to close a bin");
		e = page.bin.n_rows > 0 ? write_page(c, &page, fault) : ERR_OK;
		if (e == ERR_OK)
			book_closed(c->book, &page, now);
		accounting_bin_done(&page.bin);
	}
	return e;
}

static enum err write_checkpoint(struct collector *c, struct text *t, int64_t start,
                                 struct fault *fault)
{
	char name[NAME_SIZE];
	uint8_t sum[SUM_SIZE];
	name_of(start, name);
	pthread_mutex_unlock(&c->lock);
	if (!t->bad)
		sum_make(t->bytes, t->size, sum);
	text_add(t, sum, sizeof(sum));
	const enum err e =
		t->bad ? fault_set(fault, ERR_NOMEM, name, "no memory to write the open bin")
		       : disk_replace(c->dir, name, 0600, t->bytes, t->size, fault);
	pthread_mutex_lock(&c->lock);
	return e;
}

static enum err write_checkpoints(struct collector *c, struct fault *fault)
{
	enum err e = ERR_OK;
	int64_t start = -1;
	while (e == ERR_OK) {
		struct text t = { 0 };
		if (!book_save(c->book, start + 1, &t, &start))
			return ERR_OK;
		e = write_checkpoint(c, &t, start, fault);
		if (e != ERR_OK)
			book_unsaved(c->book, start);
		text_done(&t);
	}
	return e;
}

static enum err forget_bins(struct collector *c, int64_t now, struct fault *fault)
{
	struct book_gone gone;
	char name[NAME_SIZE], path[PATH_MAX];
	enum err e = ERR_OK;
	while (book_forget(c->book, now, &gone)) {
		const int64_t floor = book_floor(c->book);
		c->stats.bins_lost += gone.lost;
		name_of(gone.start, name);
		(void)snprintf(path, sizeof(path), "%s/%s", c->dir, name);
		pthread_mutex_unlock(&c->lock);
		/* If it comes back after a crash it is stored again, which changes nothing. */
		const enum err wrote = write_floor(c, floor, fault);
		if (wrote != ERR_OK)
			e = wrote;
		else if (unlink(path) != 0 && errno != ENOENT)
			e = fault_set(fault, ERR_SYSTEM, path, "%s", strerror(errno));
		pthread_mutex_lock(&c->lock);
	}
	return e;
}

static enum err write_all(struct collector *c, int64_t now, bool all, struct fault *fault)
{
	pthread_mutex_lock(&c->lock);
	collector_read_clock(c, now * 1000);
	now = c->now_ms / 1000;
	enum err e = collector_renew_map(c);
	if (e != ERR_OK)
		(void)fault_set(fault, e, "", "no memory for the map's interconnects");
	/* Checkpoints first: after a start many bins may be due, and they must not wait for those. */
	const enum err saved = write_checkpoints(c, e == ERR_OK ? fault : NULL);
	if (e == ERR_OK)
		e = saved;
	if (c->map_number != 0) {
		const enum err closed = close_bins(c, now, all, e == ERR_OK ? fault : NULL);
		e = e == ERR_OK ? closed : e;
	}
	const enum err gone = forget_bins(c, now, e == ERR_OK ? fault : NULL);
	pthread_mutex_unlock(&c->lock);
	return e == ERR_OK ? gone : e;
}

enum err collector_tick(struct collector *c, int64_t now, struct fault *fault)
{
	return write_all(c, now, false, fault);
}

enum err collector_flush(struct collector *c, int64_t now, struct fault *fault)
{
	return write_all(c, now, true, fault);
}
