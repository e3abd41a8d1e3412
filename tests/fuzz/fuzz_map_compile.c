/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Documents that merely parsed, compiled: NUL-separated topologies, each followed by its costs or
 * not. What compiles must answer about any place and pair.
 */
#include "common/map/snapshot.h"

#include <stdint.h>
#include <string.h>

enum { SOURCES_MAX = 4, PLACES_MAX = 48 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t parse(const char *data, size_t size, struct arena *arena, struct faults *faults,
                    struct map_source sources[SOURCES_MAX])
{
	size_t n = 0;
	for (const char *end = data + size; data < end;) {
		const char *nul = memchr(data, '\0', (size_t)(end - data));
		const size_t length = (size_t)((nul == NULL ? end : nul) - data);
		struct map_topology *t = NULL;
		struct map_costs *c = NULL;
		if (n < SOURCES_MAX &&
		    map_topology_parse(data, length, arena, &t, faults) == ERR_OK)
			sources[n++] = (struct map_source){ .topology = t };
		else if (n > 0 && map_costs_parse(data, length, arena, &c, faults) == ERR_OK)
			sources[n - 1].costs = c;
		data = nul == NULL ? end : nul + 1;
	}
	return n;
}

static void ask(const struct map_snapshot *s)
{
	const size_t all = snapshot_counts(s).places;
	const uint32_t n = all < PLACES_MAX ? (uint32_t)all : PLACES_MAX;
	for (uint32_t from = 0; from < n; from++) {
		char key[PLACE_KEY_MAX];
		snapshot_place_key(s, from, key);
		must(snapshot_place_find(s, key) == from);
		const struct map_place place = snapshot_place(s, from);
		for (uint32_t to = 0; to < n; to++) {
			const struct map_pair pair = snapshot_pair(s, from, to);
			must(pair.out == NO_INTERCONNECT ||
			     snapshot_interconnect(s, pair.out).provider_index == place.provider);
			must(pair.in == NO_INTERCONNECT ||
			     snapshot_interconnect(s, pair.in).provider_index ==
			             snapshot_place(s, to).provider);
			must((pair.tier == TIER_SAME_PID) ==
			     (from == to && place.provider != NO_PROVIDER));
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct map_source sources[SOURCES_MAX] = { 0 };
	struct map_snapshot *s = NULL;
	struct fault fault = { 0 };
	struct arena *arena = arena_new(4096);
	struct faults *faults = faults_new();
	must(arena != NULL && faults != NULL);

	const size_t n = parse((const char *)data, size, arena, faults, sources);
	const enum err e = map_compile(sources, n, &s, &fault);
	arena_free(arena); /* the snapshot needs no document */
	faults_free(faults);
	must((e == ERR_OK) == (s != NULL));
	must(e == ERR_OK || (e == ERR_RANGE && fault.text[0] != '\0'));
	if (s != NULL)
		ask(s);
	snapshot_free(s);
	return 0;
}
