/* SPDX-License-Identifier: Apache-2.0 */

/*
 * How long an operator waits for what a map of a million prefixes would change (issue 6): the same
 * provider before and after, a tenth of the prefixes in another PID. Parsed, checked alone and among
 * others, compared; then compiled, which a dry run does as well. Exits 1 when the first three take more
 * CPU time than the bar: all of them run on one thread, and a busy machine's wall clock tells of others.
 */

#include "common/base/random.h"
#include "common/base/text.h"
#include "common/map/overlap.h"
#include "common/map/snapshot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PIDS = 1000, V4 = 800000, V6 = 200000, BAR_MS = 3000 };

static double ms_of(clockid_t clock)
{
	struct timespec now;
	(void)clock_gettime(clock, &now);
	return 1e3 * (double)now.tv_sec + 1e-6 * (double)now.tv_nsec;
}

/* CPU time since the last call. */
static double lap(void)
{
	static double last;
	const double now = ms_of(CLOCK_PROCESS_CPUTIME_ID), ms = now - last;
	last = now;
	return ms;
}

/* A /24 each from 1.0.0.0 on but for loopback, private ones by the option lab; of IPv6 a /48 each. */
static void put_prefix(struct text *t, uint32_t i)
{
	if (i < V4) {
		const uint32_t at = (1U << 16) + i + (i >= 126U << 16 ? 1U << 16 : 0);
		text_printf(t, "\"%u.%u.%u.0/24\"", at >> 16, at >> 8 & 255, at & 255);
	} else {
		const uint32_t at = i - V4;
		text_printf(t, "\"2a00:%x:%x::/48\"", at >> 12, at & 4095);
	}
}

/* PIDs take turns in stretches of 100; `moved`: every tenth stretch is the next PID's. */
static void put_topology(struct text *t, bool moved)
{
	text_put(t, "{\"format\":\"p4p-topology/1\",\"provider\":\"isp-a\",\"asns\":[64500],"
	            "\"pids\":[");
	for (uint32_t p = 0; p < PIDS; p++) {
		bool first = true;
		text_printf(t, "%s{\"pid\":\"pid-%u\",\"prefixes\":[", p > 0 ? "," : "", p);
		for (uint32_t s = 0; s < (V4 + V6) / 100; s++) {
			if ((s + (moved && s % 10 == 0)) % PIDS != p)
				continue;
			for (uint32_t i = 100 * s; i < 100 * (s + 1); i++) {
				text_put(t, first ? "" : ",");
				put_prefix(t, i);
				first = false;
			}
		}
		text_put(t, "]}");
	}
	text_put(t, "],\"links\":[");
	for (uint32_t p = 1; p < PIDS; p++)
		text_printf(t, "%s{\"id\":\"l-%u\",\"a\":\"pid-%u\",\"b\":\"pid-%u\"}",
		            p > 1 ? "," : "", p, p / 2, p);
	text_put(t, "],\"interconnects\":[{\"id\":\"t\",\"pid\":\"pid-0\",\"neighbor_asn\":64510,"
	            "\"relation\":\"transit\",\"reach\":\"any\"}]}");
}

static struct map_topology *parse(const struct text *t, struct arena *arena, struct faults *faults)
{
	struct map_topology *out = NULL;
	if (map_topology_parse(t->bytes, t->size, arena, &out, faults) == ERR_OK)
		return out;
	printf("not parsed: %s %s\n", faults->list[0].where, faults->list[0].text);
	exit(1);
}

int main(void)
{
	struct text before = { 0 }, after = { 0 };
	struct arena *arena = arena_new(1 << 20);
	struct faults *faults = faults_new(), *warnings = faults_new();
	const struct map_rules lab = { .lab = true };
	must(arena != NULL && faults != NULL && warnings != NULL);
	put_topology(&before, false);
	put_topology(&after, true);
	must(!before.bad && !after.bad);
	const struct map_topology *old = parse(&before, arena, faults);

	const double start = ms_of(CLOCK_MONOTONIC);
	(void)lap();
	const struct map_topology *now = parse(&after, arena, faults);
	const double parsed = lap();
	enum err e = map_topology_check(now, &lab, faults, warnings);
	if (e == ERR_OK)
		e = map_world_check(now, NULL, 0, faults, warnings);
	const double checked = lap();
	struct map_overlap *list = NULL;
	struct map_prefix_counts counts;
	size_t n = 0;
	if (e == ERR_OK)
		e = map_overlaps(old, now, &list, &n, &counts);
	const double compared = lap(), waited = ms_of(CLOCK_MONOTONIC) - start;
	const double all = parsed + checked + compared;
	if (e != ERR_OK) {
		printf("failed: %s\n", faults->count > 0 ? faults->list[0].text : err_name(e));
		return 1;
	}
	struct map_snapshot *snapshot;
	const struct map_source source = { .topology = now };
	must(map_compile(&source, 1, &snapshot, NULL) == ERR_OK);
	const double compiled = lap();

	printf("%d prefixes in %d PIDs, %.1f MB: parsed %.0f ms, checked %.0f, compared %.0f (%zu "
	       "moved, %zu pairs of PIDs): %.0f ms of CPU together (bar %d; %.0f by the "
	       "clock); compiled %.0f\n",
	       V4 + V6, PIDS, (double)after.size / 1e6, parsed, checked, compared, counts.moved, n,
	       all, BAR_MS, waited, compiled);
	snapshot_free(snapshot);
	free(list);
	faults_free(faults);
	faults_free(warnings);
	arena_free(arena);
	text_done(&before);
	text_done(&after);
	return all <= BAR_MS && counts.moved == (V4 + V6) / 10 ? 0 : 1;
}
