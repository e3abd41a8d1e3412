/* SPDX-License-Identifier: Apache-2.0 */
/* Both parsers on any bytes; what they understand goes through the checks. */
#include "common/map/check.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Alone, and with a world in which only a whole document may stand. */
static void check(const struct map_topology *t, bool whole, bool lab, struct faults *faults)
{
	static const struct ip_prefix private = { { { 10 }, IP_V4 }, 8 };
	struct ip_prefix prefixes[] = { private };
	struct map_pid pids[] = { { .name = "x", .prefixes = prefixes, .n_prefixes = 1 } };
	uint32_t asns[] = { 1 };
	const struct map_topology other = {
		.provider = "another", .asns = asns, .n_asns = 1, .pids = pids, .n_pids = 1
	};
	const struct map_source others[] = { { .topology = &other }, { .topology = t } };
	const struct map_rules rules = { .lab = lab };
	struct faults *warnings = faults_new();
	must(warnings != NULL);
	const size_t before = faults->count + faults->more;
	const enum err err = map_topology_check(t, &rules, faults, warnings);
	must((err == ERR_OK) == (faults->count + faults->more == before));
	const size_t between = faults->count + faults->more;
	const enum err among = map_world_check(t, others, whole ? 2 : 1, faults, warnings);
	must((among == ERR_OK) == (faults->count + faults->more == between));
	faults_free(warnings);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new(4096);
	struct faults *faults = faults_new();
	struct map_topology *t = NULL;
	struct map_costs *c = NULL;
	must(arena != NULL && faults != NULL);

	const enum err parsed = map_topology_parse((const char *)data, size, arena, &t, faults);
	must(parsed != ERR_OK || t != NULL);
	must((parsed == ERR_OK) == (faults->count == 0));
	if (t != NULL)
		check(t, parsed == ERR_OK, size % 2 == 0, faults);
	faults->count = faults->more = 0;
	const enum err costs = map_costs_parse((const char *)data, size, arena, &c, faults);
	must(costs != ERR_OK || c != NULL);
	if (c != NULL) {
		const struct map_topology empty = { .provider = "p" };
		const size_t before = faults->count + faults->more;
		const enum err err = map_costs_check(c, &empty, faults);
		must((err == ERR_OK) == (faults->count + faults->more == before));
		must(costs != ERR_OK || err != ERR_OK ||
		     c->n_pid_costs + c->n_interconnect_costs == 0);
	}
	arena_free(arena);
	faults_free(faults);
	return 0;
}
