/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/p4psim/scenario.h"

#include "common/map/reading.h"

#include <string.h>

enum { FILES_MAX = 1000, GROUPS_MAX = 1000, PIDS_MAX = 4096, ACCESS_MAX = 100 };

static void read_files(struct reading *r, struct value *v, const char ***out, size_t *n)
{
	const size_t count = read_array(r, v, FILES_MAX);
	const char **files = reading_take(r, count, sizeof(*files));
	for (size_t i = 0; files != NULL && i < count; i++) {
		const struct value item = value_item(v, i);
		const char *name = value_string(&item);
		if (name == NULL || *name == '\0') {
			reading_fault(r, &item, ERR_MALFORMED, "type",
			              "must be the name of a file");
			continue;
		}
		char *copy = reading_take(r, strlen(name) + 1, 1);
		if (copy != NULL)
			files[(*n)++] = memcpy(copy, name, strlen(name) + 1);
	}
	*out = files;
}

static void read_content(struct reading *r, const struct value *v, struct scenario *s)
{
	static const struct member table[] = {
		{ "kib", REQUIRED }, { "piece_kib", 0 }, { "swarms", 0 }, { "zipf", 0 }
	};
	struct value m[COUNT(table)];
	uint64_t kib = 0;
	uint32_t piece_kib = 256;
	if (!read_object(r, v, table, COUNT(table), m))
		return;
	read_whole(r, &m[0], 1, 1ULL << 40, &kib);
	read_u32(r, &m[1], 16, 65536, &piece_kib);
	read_u32(r, &m[2], 1, SCENARIO_SWARMS_MAX, &s->swarms);
	read_real(r, &m[3], 0, 5, &s->zipf);
	s->content_bytes = kib << 10;
	s->piece_bytes = piece_kib << 10;
	if ((s->content_bytes - 1) / s->piece_bytes >= SCENARIO_PIECES_MAX)
		reading_fault(r, &m[0], ERR_RANGE, "range", "must be at most %d pieces of %u KiB",
		              SCENARIO_PIECES_MAX, piece_kib);
}

static void read_client(struct reading *r, const struct value *v, struct scenario *s)
{
	static const struct member table[] = {
		{ "upload_slots", 0 },  { "max_connections", 0 },  { "announce_seconds", 0 },
		{ "retry_seconds", 0 }, { "overhead_percent", 0 }, { "min_announce_seconds", 0 }
	};
	struct value m[COUNT(table)];
	if (!read_object(r, v, table, COUNT(table), m))
		return;
	read_u32(r, &m[0], 1, 1000, &s->upload_slots);
	read_u32(r, &m[1], 1, SCENARIO_CONNECTIONS_MAX, &s->max_connections);
	read_u32(r, &m[2], 30, 14400, &s->announce_seconds);
	read_u32(r, &m[3], 1, 14400, &s->retry_seconds);
	read_u32(r, &m[4], 0, 100, &s->overhead_percent);
	read_u32(r, &m[5], 1, 14400, &s->min_announce_seconds);
}

static void read_delays(struct reading *r, const struct value *v, struct scenario *s)
{
	static const struct member table[] = { { "us_per_weight", 0 }, { "interconnect_ms", 0 } };
	struct value m[COUNT(table)];
	if (!read_object(r, v, table, COUNT(table), m))
		return;
	read_real(r, &m[0], 0, 1e6, &s->us_per_weight);
	read_real(r, &m[1], 0, 10000, &s->interconnect_ms);
}

static void read_pids(struct reading *r, const struct value *v, bool seed, struct scenario_group *g)
{
	size_t n = read_entries(r, v);
	struct value entry;
	if (n == 0 || n > PIDS_MAX) {
		if (v->json != NULL && value_is_object(v))
			reading_fault(r, v, ERR_RANGE, "count", "must have 1 to %d PIDs, not %zu",
			              PIDS_MAX, n);
		return;
	}
	g->pids = reading_take(r, n, sizeof(*g->pids));
	for (void *it = NULL; g->pids != NULL && value_next(v, &it, &entry);) {
		struct scenario_count *c = &g->pids[g->n_pids++];
		char *copy = reading_take(r, strlen(entry.key) + 1, 1);
		if (copy != NULL)
			c->pid = memcpy(copy, entry.key, strlen(entry.key) + 1);
		read_u32(r, &entry, 0, seed ? 1000 : SCENARIO_PEERS_MAX, &c->n);
	}
}

static void read_access(struct reading *r, struct value *v, struct scenario_group *g)
{
	static const struct member table[] = { { "up_mbps", REQUIRED },
		                               { "down_mbps", REQUIRED },
		                               { "weight", 0 },
		                               { "delay_ms", 0 } };
	const size_t n = read_array(r, v, ACCESS_MAX);
	g->access = reading_take(r, n, sizeof(*g->access));
	for (size_t i = 0; g->access != NULL && i < n; i++) {
		const struct value item = value_item(v, i);
		struct value m[COUNT(table)];
		struct scenario_access *a = &g->access[g->n_access++];
		a->weight = 1;
		a->delay_ms = SCENARIO_DELAY_MS;
		if (!read_object(r, &item, table, COUNT(table), m))
			continue;
		read_kbps(r, &m[0], &a->up_kbps);
		read_kbps(r, &m[1], &a->down_kbps);
		read_u32(r, &m[2], 1, 1000000, &a->weight);
		read_real(r, &m[3], 0, 10000, &a->delay_ms);
	}
}

static void read_arrive(struct reading *r, const struct value *v, struct scenario_group *g)
{
	static const char *const patterns[] = { "at-once", "uniform", "poisson", "flash" };
	static const struct member table[] = { { "pattern", REQUIRED },
		                               { "seconds", 0 },
		                               { "after", 0 } };
	struct value m[COUNT(table)];
	if (!read_object(r, v, table, COUNT(table), m))
		return;
	read_word(r, &m[0], patterns, COUNT(patterns), &g->arrive);
	read_u32(r, &m[1], 0, SCENARIO_SECONDS_MAX, &g->arrive_seconds);
	read_u32(r, &m[2], 0, SCENARIO_SECONDS_MAX, &g->arrive_after);
	if (g->arrive != ARRIVE_AT_ONCE && m[1].json == NULL)
		reading_fault(r, v, ERR_MALFORMED, "missing", "'seconds' is missing");
}

static void read_group(struct reading *r, const struct value *v, bool seed,
                       struct scenario_group *g)
{
	static const struct member table[] = {
		{ "pids", REQUIRED | NOT_EMPTY }, { "access", NOT_EMPTY }, { "arrive", 0 },
		{ "stay_seconds", NULLABLE },     { "abort_percent", 0 },  { "abort_seconds", 0 },
		{ "unreachable_percent", 0 }
	};
	struct value m[COUNT(table)];
	*g = (struct scenario_group){ .seed = seed,
		                      .stay_seconds = UINT32_MAX,
		                      .abort_seconds = 600 };
	if (!read_object(r, v, table, COUNT(table), m))
		return;
	read_pids(r, &m[0], seed, g);
	read_access(r, &m[1], g);
	read_arrive(r, &m[2], g);
	read_u32(r, &m[3], 0, SCENARIO_SECONDS_MAX, &g->stay_seconds);
	read_u32(r, &m[4], 0, 100, &g->abort_percent);
	read_u32(r, &m[5], 1, SCENARIO_SECONDS_MAX, &g->abort_seconds);
	read_u32(r, &m[6], 0, 100, &g->unreachable_percent);
}

static void read_groups(struct reading *r, struct value *peers, struct value *seeds,
                        struct scenario *s)
{
	const size_t n = read_array(r, peers, GROUPS_MAX), more = read_array(r, seeds, GROUPS_MAX);
	s->groups = reading_take(r, n + more, sizeof(*s->groups));
	for (size_t i = 0; s->groups != NULL && i < n + more; i++) {
		const struct value item = i < n ? value_item(peers, i) : value_item(seeds, i - n);
		read_group(r, &item, i >= n, &s->groups[s->n_groups++]);
	}
}

static void read_policy(struct reading *r, const struct value *v, struct scenario_arm *a)
{
	const char *words[SCENARIO_POLICIES] = { [SCENARIO_LOCALISED] = "localised" };
	unsigned policy = STEER_NATIVE;
	for (unsigned i = 0; i < STEER_POLICIES; i++)
		words[i] = steer_policy_names[i];
	read_word(r, v, words, SCENARIO_POLICIES, &policy);
	a->localised = policy == SCENARIO_LOCALISED;
	a->rules.policy = a->localised ? STEER_NATIVE : policy;
	a->name = a->policy = words[policy];
}

static void read_arm(struct reading *r, const struct value *v, struct scenario_arm *a)
{
	static const struct member table[] = { { "name", 0 },
		                               { "policy", REQUIRED },
		                               { "numwant", 0 },
		                               { "control_percent", 0 },
		                               { "intra_pid_percent", 0 },
		                               { "intra_provider_percent", 0 },
		                               { "overload_percent", 0 },
		                               { "list_length", 0 },
		                               { "free_percent", 0 },
		                               { "paid_percent", 0 },
		                               { "prices", 0 },
		                               { "measured", 0 } };
	static const char *const prices[] = { "static", "live" };
	struct value m[COUNT(table)];
	*a = (struct scenario_arm){ .numwant = 50,
		                    .measured = SCENARIO_MEASURED_MAX,
		                    .rules = steer_rules_usual };
	if (!read_object(r, v, table, COUNT(table), m))
		return;
	read_policy(r, &m[1], a);
	read_note(r, &m[0], &a->name);
	read_u32(r, &m[2], 1, 200, &a->numwant);
	read_u32(r, &m[3], 0, 100, &a->control_percent);
	read_u32(r, &m[4], 0, 100, &a->rules.intra_pid_percent);
	read_u32(r, &m[5], 0, 100, &a->rules.intra_provider_percent);
	read_u32(r, &m[6], 0, 10000, &a->rules.overload_percent);
	read_u32(r, &m[7], 2, 200, &a->rules.list_length);
	read_u32(r, &m[8], 0, 1000, &a->rules.free_percent);
	read_u32(r, &m[9], 0, 1000, &a->rules.paid_percent);
	read_word(r, &m[10], prices, COUNT(prices), &a->prices);
	read_u32(r, &m[11], 1, SCENARIO_MEASURED_MAX, &a->measured);
	if (a->rules.intra_provider_percent < a->rules.intra_pid_percent)
		reading_fault(r, &m[5], ERR_RANGE, "range",
		              "must be at least 'intra_pid_percent', %u",
		              a->rules.intra_pid_percent);
}

static void read_arms(struct reading *r, struct value *v, struct scenario *s)
{
	const size_t n = read_array(r, v, SCENARIO_ARMS_MAX);
	s->arms = reading_take(r, n, sizeof(*s->arms));
	for (size_t i = 0; s->arms != NULL && i < n; i++) {
		const struct value item = value_item(v, i);
		read_arm(r, &item, &s->arms[s->n_arms++]);
	}
}

static void read_top(struct reading *r, const struct value *top, struct scenario *s)
{
	static const struct member table[] = {
		{ "format", REQUIRED },
		{ "note", 0 },
		{ "seed", 0 },
		{ "topologies", REQUIRED | NOT_EMPTY },
		{ "costs", 0 },
		{ "content", REQUIRED },
		{ "client", 0 },
		{ "peers", REQUIRED | NOT_EMPTY },
		{ "seeds", REQUIRED | NOT_EMPTY },
		{ "policies", REQUIRED | NOT_EMPTY },
		{ "max_seconds", 0 },
		{ "bin_seconds", 0 },
		{ "ratio_limit", 0 },
		{ "delays", 0 },
	};
	struct value m[COUNT(table)];
	double limit = 2;
	if (!read_object(r, top, table, COUNT(table), m))
		return;
	if (!read_format(r, top, "p4psim-scenario/1", "p4p-topology/1"))
		return;
	read_whole(r, &m[2], 0, 1ULL << 53, &s->seed);
	read_files(r, &m[3], &s->topologies, &s->n_topologies);
	read_files(r, &m[4], &s->costs, &s->n_costs);
	read_content(r, &m[5], s);
	read_client(r, &m[6], s);
	read_groups(r, &m[7], &m[8], s);
	read_arms(r, &m[9], s);
	read_u32(r, &m[10], 1, SCENARIO_SECONDS_MAX, &s->max_seconds);
	read_u32(r, &m[11], 1, SCENARIO_SECONDS_MAX, &s->bin_seconds);
	read_real(r, &m[12], 1, 1000, &limit);
	read_delays(r, &m[13], s);
	s->ratio_limit_milli = (uint64_t)(limit * 1000 + .5);
}

enum err scenario_parse(const char *json, size_t size, struct arena *arena, struct scenario *out,
                        struct faults *faults)
{
	struct reading r = { .arena = arena, .faults = faults };
	struct value top = { 0 };
	struct scenario s = { .seed = 1,
		              .swarms = 1,
		              .upload_slots = 5,
		              .max_connections = 100,
		              .announce_seconds = 1800,
		              .retry_seconds = 60,
		              .min_announce_seconds = 30,
		              .us_per_weight = 5, /* light in a kilometre of fibre */
		              .interconnect_ms = 5,
		              .max_seconds = 86400,
		              .bin_seconds = 300 };
	enum err e = reading_load(json, size, faults, &top.json);
	r.bad = e != ERR_OK;
	if (top.json != NULL) {
		if (!value_is_object(&top))
			reading_fault(&r, &top, ERR_MALFORMED, "type", "must be an object");
		else
			read_top(&r, &top, &s);
		reading_drop(top.json);
		e = e == ERR_OK ? reading_verdict(&r) : e;
	}
	if (e == ERR_OK)
		*out = s;
	return e;
}
