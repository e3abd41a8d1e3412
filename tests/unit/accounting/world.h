/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A small world: providers "isp0", "isp1", ... each with PIDs "p0", "p1", ... in one piece and one
 * settlement-free interconnect "to-isp1" towards each other provider.
 */
#include "common/base/text.h"
#include "common/map/document.h"
#include "common/map/publish.h"
#include "common/map/snapshot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORLD_MAX = 8 };

static inline void world_write(struct text *t, unsigned p, unsigned providers, unsigned pids)
{
	text_printf(t, "{\"format\":\"p4p-topology/1\",\"provider\":\"isp%u\",\"asns\":[%u],", p,
	            64500 + p);
	text_put(t, "\"pids\":[");
	for (unsigned i = 0; i < pids; i++)
		text_printf(t, "%s{\"pid\":\"p%u\",\"prefixes\":[\"10.%u.%u.0/24\"]}", i ? "," : "",
		            i, p, i);
	text_put(t, "],\"links\":[");
	for (unsigned i = 1; i < pids; i++)
		text_printf(t, "%s{\"id\":\"l%u\",\"a\":\"p0\",\"b\":\"p%u\",\"weight\":1}",
		            i > 1 ? "," : "", i, i);
	text_put(t, "],\"interconnects\":[");
	for (unsigned q = 0, n = 0; q < providers; q++)
		if (q != p)
			text_printf(t,
			            "%s{\"id\":\"to-isp%u\",\"pid\":\"p0\",\"neighbor_asn\":%u,"
			            "\"relation\":\"settlement-free\",\"capacity_mbps\":1000,"
			            "\"reach\":\"neighbor\"}",
			            n++ ? "," : "", q, 64500 + q);
	text_put(t, "]}");
}

static inline struct map_snapshot *world_new(unsigned providers, unsigned pids)
{
	struct map_topology *topologies[WORLD_MAX];
	struct map_source sources[WORLD_MAX];
	struct map_snapshot *map = NULL;
	struct fault fault;
	struct arena *arena = arena_new(1 << 16);
	struct faults *faults = faults_new();
	must(arena != NULL && faults != NULL && providers <= WORLD_MAX);
	for (unsigned p = 0; p < providers; p++) {
		struct text t = { 0 };
		world_write(&t, p, providers, pids);
		const enum err e =
			map_topology_parse(t.bytes, t.size, arena, &topologies[p], faults);
		if (e != ERR_OK)
			printf("# %s %s\n", faults->list[0].where, faults->list[0].text);
		must(e == ERR_OK);
		sources[p] = (struct map_source){ .topology = topologies[p] };
		text_done(&t);
	}
	must(map_compile(sources, providers, &map, &fault) == ERR_OK);
	faults_free(faults);
	arena_free(arena);
	return map;
}

static inline uint32_t world_place(const struct map_snapshot *w, unsigned p, unsigned pid)
{
	char key[PLACE_KEY_MAX];
	(void)snprintf(key, sizeof(key), "pid:isp%u/p%u", p, pid);
	const uint32_t place = snapshot_place_find(w, key);
	must(place != PLACE_UNKNOWN);
	return place;
}
