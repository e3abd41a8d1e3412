/* SPDX-License-Identifier: Apache-2.0 */
#include "server/claims/vrp_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static struct vrp_mark mark_of(const struct stat *s)
{
	return (struct vrp_mark){ .device = s->st_dev,
		                  .inode = s->st_ino,
		                  .size = (uint64_t)s->st_size,
		                  .changed = s->st_mtim };
}

struct vrp_mark vrp_file_mark(const char *path)
{
	struct stat s;
	return stat(path, &s) == 0 ? mark_of(&s) : (struct vrp_mark){ 0 };
}

bool vrp_mark_same(const struct vrp_mark *a, const struct vrp_mark *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
	       a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec;
}

static size_t more(void *ctx, void *out, size_t room)
{
	return fread(out, 1, room, ctx);
}

static enum err system_fault(struct fault *fault, const char *path)
{
	return fault_set(fault, ERR_SYSTEM, path, "cannot be read: %s", strerror(errno));
}

static enum err is_fresh(const char *path, const struct vrp_about *about, int64_t made, int64_t now,
                         uint64_t max_age, struct fault *fault)
{
	const int64_t age = now - made;
	if (about->valid > 0 && about->valid <= now)
		return fault_set(fault, ERR_RANGE, path,
		                 "was valid until %" PRId64 " hours ago, by its metadata",
		                 (now - about->valid) / 3600);
	if (max_age > 0 && age > (int64_t)max_age)
		return fault_set(fault, ERR_RANGE, path,
		                 "is %" PRId64 " hours old; rpki_max_age_hours is %" PRIu64,
		                 age / 3600, max_age / 3600);
	return ERR_OK;
}

static enum err read_open(FILE *f, const char *path, int64_t now, struct vrp_table **out,
                          struct fault *fault)
{
	struct faults *faults = faults_new();
	enum err e = faults == NULL ? ERR_NOMEM : vrp_read(more, f, now, out, faults);
	if (ferror(f)) { /* what was read ended early because of that */
		if (e == ERR_OK)
			vrp_table_free(*out);
		e = system_fault(fault, path);
	} else if (e == ERR_MALFORMED) {
		const size_t others = faults->count + faults->more - 1;
		*fault = faults->list[0];
		if (others > 0) {
			const size_t n = strlen(fault->text);
			(void)snprintf(fault->text + n, sizeof(fault->text) - n,
			               " (and %zu more faults)", others);
		}
	} else if (e != ERR_OK) {
		e = fault_set(fault, e, path, "out of memory");
	}
	faults_free(faults);
	return e;
}

enum err vrp_file_read(const char *path, int64_t now, uint64_t max_age, struct vrp_table **out,
                       int64_t *made, struct fault *fault)
{
	struct vrp_table *t = NULL;
	struct stat s;
	FILE *f = fopen(path, "re");
	if (f == NULL || fstat(fileno(f), &s) != 0) {
		const enum err e = system_fault(fault, path);
		if (f != NULL)
			(void)fclose(f);
		return e;
	}
	enum err e = read_open(f, path, now, &t, fault);
	(void)fclose(f);
	if (e != ERR_OK)
		return e;
	const struct vrp_about about = vrp_table_about(t);
	const int64_t when = about.made > 0 ? about.made : s.st_mtim.tv_sec;
	e = is_fresh(path, &about, when, now, max_age, fault);
	if (e != ERR_OK) {
		vrp_table_free(t);
		return e;
	}
	*out = t;
	*made = when;
	return ERR_OK;
}
