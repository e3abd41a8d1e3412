/* SPDX-License-Identifier: Apache-2.0 */
#include "common/swarm/swarm.h"

#include "common/swarm/store.h"

static void remember_self(struct swarm_visit *v, uint64_t identity, const struct spot *at)
{
	v->self.known = true;
	v->self.identity = identity;
	v->self.side = at->side;
	v->self.bucket = at->bucket;
	v->self.position = at->position;
}

/* A newcomer takes its place in the store's count before it is let in. */
static enum err join(struct swarm_visit *v, const struct swarm_peer *peer, struct spot *at)
{
	struct swarm_store *s = v->store;
	enum err e = ERR_BUSY;
	if (atomic_fetch_add_explicit(&s->peers, 1, memory_order_relaxed) < s->options.max_peers)
		e = crowd_add(v->swarm, peer, false, at);
	if (e != ERR_OK)
		store_lost(s, 1);
	return e;
}

enum err swarm_put(struct swarm_visit *v, const struct swarm_peer *peer, bool completed_now,
                   struct swarm_change *change)
{
	struct swarm *w = v->swarm;
	struct spot at;
	must(w != NULL && peer->addr.family != IP_NONE);
	const bool joined = !crowd_find(w, peer->identity, &at);
	const enum swarm_role before = joined ? SWARM_LEECHER : crowd_role(w, &at);
	const uint32_t expired = joined ? peer->expires : crowd_peer(w, &at)->expires;
	v->self.known = false; /* what follows may move it */
	const enum err e = joined ? join(v, peer, &at) : crowd_update(w, peer, &at);
	if (e != ERR_OK)
		return e;
	remember_self(v, peer->identity, &at);
	w->emptied = 0;

	struct peer *p = crowd_peer(w, &at);
	const bool became_seed = !joined && before != SWARM_SEED && peer->role == SWARM_SEED;
	const bool completed =
		!p->snatched && (became_seed || (completed_now && before == SWARM_LEECHER));
	if (completed) {
		p->snatched = 1;
		if (w->snatches < UINT32_MAX)
			w->snatches++;
	}
	*change = (struct swarm_change){ .joined = joined,
		                         .completed = completed,
		                         .silent = peer->expires > expired ? peer->expires - expired
		                                                           : 0 };
	return ERR_OK;
}

bool swarm_remove(struct swarm_visit *v, uint64_t identity)
{
	struct spot at;
	if (v->swarm == NULL || !crowd_find(v->swarm, identity, &at))
		return false;
	v->self.known = false;
	crowd_remove(v->swarm, &at);
	store_lost(v->store, 1);
	return true;
}

struct swarm_counts swarm_counts(const struct swarm_visit *v)
{
	const struct swarm *w = v->swarm;
	if (w == NULL)
		return (struct swarm_counts){ 0 };
	return (struct swarm_counts){
		.complete = w->count[SWARM_SEED],
		.incomplete = w->count[SWARM_LEECHER] + w->count[SWARM_PARTIAL],
		.downloaders = w->count[SWARM_LEECHER],
		.downloaded = w->snatches,
	};
}

uint64_t swarm_map_number(const struct swarm_visit *v)
{
	return v->swarm != NULL ? v->swarm->map_number : 0;
}

enum err swarm_relocate(struct swarm_visit *v, uint64_t map_number, swarm_place_fn *place_of,
                        void *ctx)
{
	if (v->swarm == NULL)
		return ERR_OK;
	v->self.known = false;
	const enum err e = crowd_rebuild(v->swarm, place_of, ctx);
	if (e == ERR_OK)
		v->swarm->map_number = map_number;
	return e;
}
