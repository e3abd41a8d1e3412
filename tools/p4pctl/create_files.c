/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/p4pctl/creating.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum err making_fault(struct making *m, enum err e, const char *path, const char *fmt, ...)
{
	char text[sizeof(m->fault->text)];
	struct text where = { 0 };
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	text_clean(&where, path, strlen(path));
	(void)fault_set(m->fault, e, where.size > 0 ? where.bytes : "", "%s", text);
	text_done(&where);
	return e;
}

/* BEP 3 wants UTF-8; and what a terminal obeys is no name to hand to the world. */
static bool is_clean(const char *name)
{
	struct text clean = { 0 };
	text_clean(&clean, name, strlen(name));
	const bool same = !clean.bad && clean.size == strlen(name) && clean.size > 0 &&
	                  memcmp(clean.bytes, name, clean.size) == 0;
	text_done(&clean);
	return same;
}

static enum err add_file(struct making *m, const char *path, uint64_t size)
{
	if (m->n == m->room) {
		const size_t room = m->room > 0 ? 2 * m->room : 16;
		struct made_file *files = realloc(m->files, room * sizeof(*files));
		if (files == NULL)
			return making_fault(m, ERR_NOMEM, path, "out of memory");
		m->files = files;
		m->room = room;
	}
	m->files[m->n] = (struct made_file){ .path = strdup(path), .size = size };
	if (m->files[m->n].path == NULL)
		return making_fault(m, ERR_NOMEM, path, "out of memory");
	m->n++;
	m->size += size;
	return ERR_OK;
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static enum err add_entry(struct making *m, const FTSENT *e)
{
	const size_t root = strlen(m->root);
	const char *below = e->fts_level > 0 ? e->fts_path + root + 1 : strrchr(m->root, '/') + 1;
	switch (e->fts_info) {
	case FTS_DP:
		return ERR_OK;
	case FTS_D:
		m->folder |= e->fts_level == 0;
		break;
	case FTS_F:
		break;
	case FTS_SL:
	case FTS_SLNONE:
		return making_fault(
			m, ERR_DENIED, e->fts_path,
			"is a symbolic link, which may lead out of the folder; share what it "
			"points to, or leave it out");
	case FTS_DC:
	case FTS_DNR:
	case FTS_ERR:
	case FTS_NS:
		return making_fault(m, ERR_SYSTEM, e->fts_path, "%s", strerror(e->fts_errno));
	default:
		return making_fault(m, ERR_DENIED, e->fts_path, "is neither a file nor a folder");
	}
	if (!is_clean(e->fts_name[0] != '/' ? e->fts_name : below))
		return making_fault(m, ERR_MALFORMED, e->fts_path,
		                    "must have a name in UTF-8 without control characters");
	return e->fts_info == FTS_F ? add_file(m, below, (uint64_t)e->fts_statp->st_size) : ERR_OK;
}

enum err making_list(struct making *m)
{
	m->root = realpath(m->c->path, NULL);
	if (m->root == NULL)
		return making_fault(m, ERR_SYSTEM, m->c->path, "%s", strerror(errno));
	if (strcmp(m->root, "/") == 0)
		return making_fault(m, ERR_DENIED, m->root,
		                    "has no name that a torrent could have");
	char *const roots[] = { m->root, NULL };
	FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
	if (walk == NULL)
		return making_fault(m, ERR_SYSTEM, m->root, "%s", strerror(errno));
	enum err e = ERR_OK;
	for (const FTSENT *entry; e == ERR_OK && (entry = fts_read(walk)) != NULL;)
		e = add_entry(m, entry);
	(void)fts_close(walk);
	if (e == ERR_OK && m->size == 0)
		e = making_fault(m, ERR_MALFORMED, m->root, "has no bytes to share");
	return e;
}

/* As many bytes as there are up to `size`; -1: errno tells. */
static ssize_t read_full(int fd, uint8_t *out, size_t size)
{
	size_t got = 0;
	while (got < size) {
		const ssize_t n = read(fd, out + got, size - got);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -1 : (ssize_t)got;
		got += (size_t)n;
	}
	return (ssize_t)got;
}

enum err making_read(struct making *m, struct made_file *f, making_block *take)
{
	uint8_t block[MERKLE_BLOCK];
	struct text path = { 0 };
	text_printf(&path, m->folder ? "%s/%s" : "%s", m->root, f->path);
	if (path.bad)
		return making_fault(m, ERR_NOMEM, f->path, "out of memory");
	enum err e = ERR_OK;
	uint64_t sum = 0;
	ssize_t n = -1;
	const int fd = open(path.bytes, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	while (fd >= 0 && (n = read_full(fd, block, sizeof(block))) > 0) {
		sum += (uint64_t)n;
		if (sum > f->size)
			break;
		take(m, f, block, (size_t)n);
		if ((size_t)n < sizeof(block)) /* the last, whatever comes behind it now */
			break;
	}
	if (n < 0)
		e = making_fault(m, ERR_SYSTEM, path.bytes, "%s", strerror(errno));
	else if (sum != f->size)
		e = making_fault(m, ERR_BUSY, path.bytes, "changed while it was read; try again");
	if (fd >= 0)
		(void)close(fd);
	text_done(&path);
	return e;
}
