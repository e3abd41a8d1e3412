/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What accounting costs an announce, and what it weighs.
 *
 * One worker notes announces as fast as it can, in batches of 64, and a drain comes after every
 * `per_second` of them, as a second would bring it; 20 of 200 PIDs are handed out with each reply.
 * Clients are met in a random order. "fill" is everybody's first announce; then every announce says
 * that nothing moved, or that some bytes did. `quiet` is a second of a tracker with a million peers;
 * `storm` is a wire full of announces; `close` has a swarm's clients all over the map, and then closes the
 * bin. CPU time of the worker alone; the drain's beside it.
 * One JSON object for each line.
 */

#include "server/accounting/accounting.h"
#include "tests/bench/measure.h"
#include "tests/unit/accounting/folder.h"
#include "tests/unit/accounting/world.h"

#include <malloc.h>

enum { PROVIDERS = 4, PIDS = 50, HANDED = 20, BATCH = 64, START = 1800000000, BIN = 300 };

struct workload {
	const char *name;
	uint32_t clients, swarms, per_second, seconds;
	bool bytes, close;
};

struct bench {
	const struct workload *w;
	struct map_office *office;
	struct metrics *metrics;
	struct map_lease lease;
	struct accounting *a;
	uint32_t places[PROVIDERS * PIDS];
	uint64_t seed, moved;
	int64_t now;
	double noted, drained; /* seconds of CPU */
	uint64_t announces;
};

static void begin(struct bench *b)
{
	b->office = map_office_new(snapshot_free);
	b->metrics = metrics_new(2);
	must(map_publish(b->office, world_new(PROVIDERS, PIDS)) == ERR_OK);
	(void)map_renew(b->office, &b->lease);
	for (unsigned i = 0; i < PROVIDERS * PIDS; i++)
		b->places[i] = world_place(b->lease.map, i / PIDS, i % PIDS);
	b->now = START;
	const struct accounting_options options = { .slots = 1,
		                                    .bin_seconds = BIN,
		                                    .max_peer_mbps = 10000,
		                                    .state_dir = folder,
		                                    .ledger_max = 10000000,
		                                    .office = b->office,
		                                    .metrics = b->metrics,
		                                    .now = START };
	must(accounting_new(&options, &b->a, NULL) == ERR_OK);
}

static void end(struct bench *b)
{
	accounting_free(b->a);
	map_end(&b->lease);
	map_office_free(b->office);
	metrics_free(b->metrics);
}

struct visitor {
	struct announce announce;
	struct accounting_announce note;
	struct accounting_handed handed[HANDED];
};

static void come(struct bench *b, struct visitor *v, uint32_t i, bool fill)
{
	const uint32_t place = (uint32_t)(b->w->close ? random_mix(i) : i) % (PROVIDERS * PIDS);
	v->announce = (struct announce){ .left = 1000000000,
		                         .downloaded = fill ? 0 : b->moved,
		                         .event = fill ? EVENT_STARTED : EVENT_NONE };
	v->note = (struct accounting_announce){ .announce = &v->announce,
		                                .client = random_mix(i + 1),
		                                .swarm = random_mix(i % b->w->swarms + 1),
		                                .known = !fill,
		                                .silent = 1800,
		                                .place = b->places[place],
		                                .now = b->now };
	for (uint32_t k = 0; k < HANDED; k++)
		v->handed[k] = (struct accounting_handed){
			.place = b->places[(place + 7 * k) % (PROVIDERS * PIDS)],
			.count = 1 + k % 4,
			.candidates = 20
		};
}

static void batch(struct bench *b, uint32_t first, bool fill)
{
	static struct visitor visitors[BATCH];
	struct accounting_slot *s = accounting_slot(b->a, 0);
	for (uint32_t i = 0; i < BATCH; i++)
		come(b, &visitors[i],
		     fill ? (first + i) % b->w->clients : random_below(&b->seed, b->w->clients),
		     fill);
	const double began = cpu_seconds();
	accounting_enter(s, &b->lease);
	for (uint32_t i = 0; i < BATCH; i++) {
		accounting_note(s, &visitors[i].note);
		accounting_handed(s, visitors[i].handed, HANDED);
	}
	accounting_leave(s);
	b->noted += cpu_seconds() - began;
	b->announces += BATCH;
}

static void second(struct bench *b, uint32_t announces, uint32_t first, bool fill)
{
	for (uint32_t i = 0; i < announces; i += BATCH)
		batch(b, first + i, fill);
	const double began = cpu_seconds();
	must(accounting_tick(b->a, ++b->now, NULL) == ERR_OK);
	b->drained += cpu_seconds() - began;
}

static void print(const struct bench *b, const char *phase, uint32_t seconds, size_t resident)
{
	printf("{\"workload\": \"%s\", \"phase\": \"%s\", \"announces\": %lu, \"ns\": %.0f, "
	       "\"drain_ms\": %.1f, \"resident_growth_per_client\": %.1f, \"dropped\": %lu, "
	       "\"ledger\": %zu}\n",
	       b->w->name, phase, (unsigned long)b->announces,
	       b->noted * 1e9 / (double)b->announces, b->drained * 1e3 / seconds,
	       (double)resident / b->w->clients,
	       (unsigned long)metrics_sum(b->metrics, METRIC_ACCOUNTING_FULL),
	       accounting_stats(b->a).ledger);
	(void)fflush(stdout);
}

static void close_bin(struct bench *b)
{
	const double began = cpu_seconds();
	b->now = START + BIN;
	must(accounting_tick(b->a, b->now, NULL) == ERR_OK);
	printf("{\"workload\": \"%s\", \"phase\": \"close\", \"close_ms\": %.1f}\n", b->w->name,
	       (cpu_seconds() - began) * 1e3);
}

static void run(const struct workload *w)
{
	struct bench b = { .w = w, .seed = 1 };
	uint32_t seconds = 0;
	must(folder_make(NULL) == 0);
	(void)malloc_trim(0);
	const size_t bare = resident_bytes();
	begin(&b);
	const size_t before = resident_bytes();
	printf("{\"workload\": \"%s\", \"phase\": \"start\", \"resident_mb\": %.1f}\n", w->name,
	       (double)(before - bare) * 1e-6);
	for (uint32_t i = 0; i < w->clients; i += w->per_second, seconds++)
		second(&b, w->per_second, i, true);
	const size_t filled = resident_bytes();
	print(&b, "fill", seconds, filled > before ? filled - before : 0);
	b.noted = b.drained = 0;
	b.announces = 0;
	for (uint32_t i = 0; i < w->seconds; i++) {
		b.moved += w->bytes ? 1000000 : 0;
		second(&b, w->per_second, 0, false);
	}
	const size_t used = resident_bytes();
	print(&b, "then", w->seconds, used > before ? used - before : 0);
	if (w->close)
		close_bin(&b);
	end(&b);
	must(folder_remove(NULL) == 0);
}

/* With an argument: only the workloads of that name. */
int main(int argc, char **argv)
{
	static const struct workload workloads[] = {
		{ "quiet", 200000, 1000, 640, 100, true, false },
		{ "storm", 200000, 1, 128000, 20, false, false },
		{ "storm", 1000000, 100000, 128000, 20, false, false },
		{ "storm_bytes", 1000000, 100000, 128000, 20, true, false },
		{ "close", 1000000, 100000, 128000, 20, true, true },
	};
	for (size_t w = 0; w < sizeof(workloads) / sizeof(*workloads); w++)
		if (argc < 2 || strcmp(argv[1], workloads[w].name) == 0)
			run(&workloads[w]);
	return EXIT_SUCCESS;
}
