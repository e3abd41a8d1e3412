/* SPDX-License-Identifier: Apache-2.0 */
/* Both parsers on any bytes; what they accept goes through the checks. */
#include "common/map/check.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new(4096);
	struct faults *faults = faults_new(), *warnings = faults_new();
	struct map_topology *t = NULL;
	struct map_costs *c = NULL;
	must(arena != NULL && faults != NULL && warnings != NULL);

	const enum err parsed = map_topology_parse((const char *)data, size, arena, &t, faults);
	must((parsed == ERR_OK) == (t != NULL) && (t != NULL) == (faults->count == 0));
	if (t != NULL) {
		const struct map_rules rules = { .lab = size % 2 == 0 };
		const enum err err = map_topology_check(t, &rules, faults, warnings);
		must((err == ERR_OK) == (faults->count == 0));
		const struct map_topology empty = { .provider = "another" };
		const struct map_source others[] = { { .topology = t }, { .topology = &empty } };
		must(map_world_check(t, others, 2, faults, warnings) == ERR_OK);
	}
	faults->count = 0;
	if (map_costs_parse((const char *)data, size, arena, &c, faults) == ERR_OK) {
		const struct map_topology empty = { .provider = c->provider };
		const enum err err = map_costs_check(c, &empty, faults);
		must((err == ERR_OK) == (c->n_pid_costs + c->n_interconnect_costs == 0));
	}
	arena_free(arena);
	faults_free(faults);
	faults_free(warnings);
	return 0;
}
