/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/random.h"
#include "common/map/compiling.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Names first; from them, the ASNs and the zones the places; then addresses to places, and for each
 * provider its distances, its egress and its costs. Everything is linear in the documents but the
 * distances, which are square in the PIDs of one provider.
 */

enum {
	CELLS_MAX = 1 << 28, /* distances of all providers: 1 GiB */
	KEY_SIZE = 2 * MAP_NAME_MAX + 2,
};

static const enum map_tier tier_of[] = {
	[RELATION_CUSTOMER] = TIER_SETTLEMENT_FREE,
	[RELATION_SIBLING] = TIER_SETTLEMENT_FREE,
	[RELATION_SETTLEMENT_FREE] = TIER_SETTLEMENT_FREE,
	[RELATION_PAID_PEERING] = TIER_PAID_PEERING,
	[RELATION_TRANSIT] = TIER_TRANSIT,
};

void *compiling_take(struct compiler *c, size_t n, size_t size)
{
	c->s->arena_bytes += n * size;
	return arena_take(c->s->arena, n * size);
}

const char *compiling_copy(struct compiler *c, const char *text)
{
	const size_t size = strlen(text) + 1;
	char *mine = compiling_take(c, size, 1);
	return mine == NULL ? NULL : memcpy(mine, text, size);
}

static enum err measure(struct compiler *c)
{
	struct map_snapshot *s = c->s;
	uint64_t cells = 0;

	for (size_t i = 0; i < c->n; i++) {
		const struct map_topology *t = c->sources[i].topology;
		if (t->n_pids > MAP_PIDS_MAX || t->n_interconnects > MAP_INTERCONNECTS_MAX)
			return fault_set(c->fault, ERR_RANGE, "",
			                 "%s has more than %d PIDs or %d interconnects",
			                 t->provider, MAP_PIDS_MAX, MAP_INTERCONNECTS_MAX);
		s->n_pids += t->n_pids;
		s->n_interconnects += t->n_interconnects;
		s->n_links += t->n_links;
		cells += (uint64_t)t->n_pids * t->n_pids;
	}
	if (cells > CELLS_MAX)
		return fault_set(c->fault, ERR_RANGE, "/pids",
		                 "the providers' PID pairs are more than %d together", CELLS_MAX);
	s->n_providers = c->n;
	s->providers = compiling_take(c, c->n, sizeof(*s->providers));
	s->pids = compiling_take(c, s->n_pids, sizeof(*s->pids));
	s->edges = compiling_take(c, s->n_interconnects, sizeof(*s->edges));
	s->interconnects = compiling_take(c, s->n_interconnects, sizeof(*s->interconnects));
	s->ends = compiling_take(c, s->n_links, sizeof(*s->ends));
	s->links = compiling_take(c, s->n_links, sizeof(*s->links));
	s->pid_of = table_new(s->n_pids);
	return s->providers == NULL || s->pids == NULL || s->edges == NULL ||
	                       s->interconnects == NULL || s->ends == NULL || s->links == NULL ||
	                       s->pid_of == NULL
	               ? ERR_NOMEM
	               : ERR_OK;
}

static bool make_key(char key[static KEY_SIZE], const char *provider, const char *pid)
{
	return snprintf(key, KEY_SIZE, "%s/%s", provider, pid) < KEY_SIZE;
}

bool compiling_pid(const struct map_snapshot *s, const struct provider *p, const char *name,
                   uint32_t *local)
{
	char key[KEY_SIZE];
	uint32_t place;
	if (!make_key(key, p->name, name) || !table_find(s->pid_of, key, &place) ||
	    place - p->first_pid >= p->n_pids)
		return false;
	*local = place - p->first_pid;
	return true;
}

static uint32_t lasting_kbps(const struct map_pid *pid)
{
	const uint32_t line =
		pid->subscriber_up_kbps > 0 ? pid->subscriber_up_kbps : UPLINK_USUAL_KBPS;
	const uint32_t cap = map_cap_kbps(pid->monthly_upload_gb);
	return cap > 0 && cap < line ? cap : line;
}

static enum err name_pid(struct compiler *c, const struct map_topology *t, size_t i, uint32_t place)
{
	struct pid *pid = &c->s->pids[place - 1];
	char key[KEY_SIZE], where[48];

	(void)snprintf(where, sizeof(where), "/pids/%zu/pid", i);
	if (!make_key(key, t->provider, t->pids[i].name))
		return fault_set(c->fault, ERR_RANGE, where, "a name is longer than %d bytes",
		                 MAP_NAME_MAX);
	*pid = (struct pid){ .key = compiling_copy(c, key),
		             .up_kbps = t->pids[i].subscriber_up_kbps,
		             .down_kbps = t->pids[i].subscriber_down_kbps,
		             .lasting_kbps = lasting_kbps(&t->pids[i]) };
	if (pid->key == NULL)
		return ERR_NOMEM;
	const enum err e = table_add(c->s->pid_of, pid->key, place, NULL);
	return e != ERR_EXISTS ? e
	                       : fault_set(c->fault, ERR_RANGE, where, "%s is there twice", key);
}

static enum err name_interconnect(struct compiler *c, uint32_t provider, size_t i, uint32_t index)
{
	struct map_snapshot *s = c->s;
	const struct provider *p = &s->providers[provider];
	const struct map_interconnect *x = &c->sources[provider].topology->interconnects[i];
	struct edge *edge = &s->edges[index];
	char where[48];

	(void)snprintf(where, sizeof(where), "/interconnects/%zu/pid", i);
	if (!compiling_pid(s, p, x->pid, &edge->local))
		return fault_set(c->fault, ERR_RANGE, where, "%s has no PID %s", p->name, x->pid);
	edge->tier = tier_of[x->relation];
	s->interconnects[index] = (struct map_interconnect_info){
		.provider = p->name,
		.id = compiling_copy(c, x->id),
		.pid = s->pids[p->first_pid + edge->local - 1].key + strlen(p->name) + 1,
		.provider_index = provider,
		.place = p->first_pid + edge->local,
		.neighbor_asn = x->neighbor_asn,
		.relation = x->relation,
		.capacity_mbps = x->capacity_mbps,
	};
	return s->interconnects[index].id == NULL ? ERR_NOMEM : ERR_OK;
}

/* FNV-1a, mixed. */
static uint64_t name_hash(const char *name)
{
	uint64_t h = 0xcbf29ce484222325U;
	for (; *name != '\0'; name++)
		h = (h ^ (unsigned char)*name) * 0x100000001b3U;
	return random_mix(h);
}

static enum err name_all(struct compiler *c)
{
	struct map_snapshot *s = c->s;
	uint32_t place = 1, interconnect = 0, link = 0;
	enum err e = ERR_OK;

	for (uint32_t i = 0; i < c->n && e == ERR_OK; i++) {
		const struct map_topology *t = c->sources[i].topology;
		struct provider *p = &s->providers[i];
		*p = (struct provider){ .name = compiling_copy(c, t->provider),
			                .hash = name_hash(t->provider),
			                .first_pid = place,
			                .n_pids = (uint32_t)t->n_pids,
			                .first_interconnect = interconnect,
			                .first_link = link,
			                .n_links = (uint32_t)t->n_links };
		if (p->name == NULL)
			return ERR_NOMEM;
		link += p->n_links;
		for (size_t k = 0; k < t->n_pids && e == ERR_OK; k++)
			e = name_pid(c, t, k, place++);
		for (size_t k = 0; k < t->n_interconnects && e == ERR_OK; k++)
			e = name_interconnect(c, i, k, interconnect++);
	}
	return e;
}

enum err map_compile(const struct map_source *sources, size_t n, struct map_snapshot **out,
                     struct fault *fault)
{
	static enum err (*const steps[])(struct compiler *) = { measure, name_all, compile_places,
		                                                compile_routes, compile_ports };
	struct compiler c = { .sources = sources, .n = n, .fault = fault };
	enum err e = ERR_OK;

	c.s = calloc(1, sizeof(*c.s));
	if (c.s == NULL)
		return ERR_NOMEM;
	egress_init(&c.s->egress);
	c.s->arena = arena_new(1 << 16);
	c.s->sharers = c.s->arena == NULL ? NULL : compiling_take(&c, 1, sizeof(*c.s->sharers));
	if (c.s->sharers == NULL)
		e = ERR_NOMEM;
	else
		atomic_init(c.s->sharers, 1);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && e == ERR_OK; i++)
		e = steps[i](&c);
	if (e != ERR_OK) {
		snapshot_free(c.s);
		return e;
	}
	*out = c.s;
	return ERR_OK;
}
