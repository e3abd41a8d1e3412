/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Scenarios of tests/sim, and others over its three ISPs. */

#include "tests/unit/test.h"

#include "tools/p4psim/study.h"

#include <string.h>
#include <unistd.h>

static inline void source_path(const char *name, char out[static 512])
{
	const char *root = getenv("P4P_SOURCE_ROOT");
	(void)snprintf(out, 512, "%s/tests/sim/%s", root != NULL ? root : ".", name);
}

static inline const char *print_faults(const struct faults *f)
{
	static char out[4096];
	size_t n = 0;
	out[0] = '\0';
	for (size_t i = 0; i < f->count && n < sizeof(out) - 512; i++)
		n += (size_t)snprintf(out + n, sizeof(out) - n, "%s: %s\n", f->list[i].where,
		                      f->list[i].text);
	return out;
}

/* A scenario of these members beside its format and topologies; what study_load() says of it. */
static inline enum err try_text(struct study *s, const char *members, const uint64_t *seed,
                                struct faults *faults)
{
	char path[] = "/tmp/p4psim-XXXXXX", maps[512];
	const int fd = mkstemp(path);
	assert_true(fd >= 0);
	FILE *f = fdopen(fd, "w");
	assert_non_null(f);
	source_path("three-isps", maps);
	(void)fprintf(f,
	              "{\"format\": \"p4psim-scenario/1\", \"topologies\": ["
	              "\"%s/isp-a.topology.json\", \"%s/isp-b.topology.json\", "
	              "\"%s/isp-c.topology.json\"], %s}",
	              maps, maps, maps, members);
	assert_int_equal(fclose(f), 0);
	const enum err e = study_load(s, path, seed, faults);
	assert_int_equal(unlink(path), 0);
	return e;
}

static inline void load_text(struct study *s, const char *members, const uint64_t *seed)
{
	struct faults *faults = faults_new();
	if (try_text(s, members, seed, faults) != ERR_OK)
		fail_msg("%s", print_faults(faults));
	faults_free(faults);
}

static inline void load_file(struct study *s, const char *name, const uint64_t *seed)
{
	char path[512];
	struct faults *faults = faults_new();
	source_path(name, path);
	if (study_load(s, path, seed, faults) != ERR_OK)
		fail_msg("%s: %s", path, print_faults(faults));
	faults_free(faults);
}
