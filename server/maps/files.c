/* SPDX-License-Identifier: Apache-2.0 */
#include "server/maps/files.h"

#include "server/disk/disk.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const kinds[] = { [STORE_TOPOLOGY] = "topology", [STORE_COSTS] = "costs" };

enum { NAME_SIZE = 128 };

static void folder_of(const char *state_dir, char out[static PATH_MAX])
{
	(void)snprintf(out, PATH_MAX, "%s/maps", state_dir);
}

static void name_of(const struct store_version *v, char out[static NAME_SIZE])
{
	(void)snprintf(out, NAME_SIZE, "%s.%s.%" PRIu64 ".json", v->provider, kinds[v->kind],
	               v->version);
}

enum err maps_files_open(const char *state_dir, struct fault *fault)
{
	char folder[PATH_MAX];
	folder_of(state_dir, folder);
	return disk_folder(folder, 0755, fault);
}

/* "isp-a.topology.12.json" -> its parts; a provider's own name may contain dots. */
static bool parse_name(const char *name, struct store_version *out)
{
	struct store_version v = { 0 };
	const char *dot[3] = { NULL }; /* the last three, from the right */
	size_t found = 0;
	for (const char *p = name + strlen(name); p > name && found < 3; p--)
		if (p[-1] == '.')
			dot[found++] = p - 1;
	if (found < 3 || strcmp(dot[0], ".json") != 0 ||
	    !text_u64(dot[1] + 1, (size_t)(dot[0] - dot[1]) - 1, &v.version))
		return false;

	const size_t kind_size = (size_t)(dot[1] - dot[2]) - 1;
	const size_t provider_size = (size_t)(dot[2] - name);
	if (provider_size == 0 || provider_size >= sizeof(v.provider))
		return false;
	memcpy(v.provider, name, provider_size);
	for (unsigned k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		if (strlen(kinds[k]) == kind_size && memcmp(dot[2] + 1, kinds[k], kind_size) == 0) {
			v.kind = (enum store_kind)k;
			*out = v;
			return true;
		}
	}
	return false;
}

/* Removes the copies of one provider and kind but that of `keep`. */
static void remove_others(const char *folder, const char *provider, enum store_kind kind,
                          uint64_t keep)
{
	DIR *dir = opendir(folder);
	if (dir == NULL)
		return;
	for (struct dirent *e; (e = readdir(dir)) != NULL;) {
		struct store_version v;
		if (parse_name(e->d_name, &v) && v.kind == kind && v.version != keep &&
		    strcmp(v.provider, provider) == 0)
			(void)unlinkat(dirfd(dir), e->d_name, 0);
	}
	(void)closedir(dir);
}

enum err maps_files_write(const char *state_dir, const struct store_document *d,
                          struct fault *fault)
{
	char folder[PATH_MAX], name[NAME_SIZE];
	folder_of(state_dir, folder);
	name_of(&d->about, name);
	const enum err e = disk_replace(folder, name, 0644, d->body, d->size, fault);
	if (e == ERR_OK)
		remove_others(folder, d->about.provider, d->about.kind, d->about.version);
	return e;
}

void maps_files_remove(const char *state_dir, const char *provider, enum store_kind kind)
{
	char folder[PATH_MAX];
	folder_of(state_dir, folder);
	remove_others(folder, provider, kind, 0); /* versions count from 1 */
}

static int newest_first(const void *x, const void *y)
{
	const struct store_version *a = x, *b = y;
	const int c = strcmp(a->provider, b->provider);
	if (c != 0)
		return c;
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	return (a->version < b->version) - (a->version > b->version);
}

static enum err list(DIR *dir, struct store_version **out, size_t *count)
{
	struct store_version *all = NULL;
	size_t n = 0, room = 0;
	for (struct dirent *e; (e = readdir(dir)) != NULL;) {
		struct store_version v;
		if (!parse_name(e->d_name, &v))
			continue;
		if (n == room) {
			room = 2 * room + 64;
			struct store_version *more = realloc(all, room * sizeof(*all));
			if (more == NULL) {
				free(all);
				return ERR_NOMEM;
			}
			all = more;
		}
		all[n++] = v;
	}
	if (n > 0)
		qsort(all, n, sizeof(*all), newest_first);
	*out = all;
	*count = n;
	return ERR_OK;
}

enum err maps_files_read(const char *state_dir, maps_files_each *each, void *ctx,
                         struct fault *fault)
{
	char folder[PATH_MAX], name[NAME_SIZE];
	struct store_version *all;
	size_t n;

	folder_of(state_dir, folder);
	DIR *dir = opendir(folder);
	if (dir == NULL)
		return fault_set(fault, ERR_SYSTEM, folder, "%s", strerror(errno));
	enum err e = list(dir, &all, &n);
	if (e != ERR_OK) {
		(void)closedir(dir);
		return fault_set(fault, e, folder, "cannot be listed");
	}
	for (size_t i = 0; i < n && e == ERR_OK; i++) {
		struct store_document d = { .about = all[i] };
		if (i > 0 && all[i].kind == all[i - 1].kind &&
		    strcmp(all[i].provider, all[i - 1].provider) == 0)
			continue; /* an older copy that a crash left behind */
		name_of(&all[i], name);
		e = disk_read(folder, name, &d.body, &d.size, fault);
		if (e == ERR_OK)
			each(ctx, &d);
		free(d.body);
	}
	free(all);
	(void)closedir(dir);
	return e;
}
