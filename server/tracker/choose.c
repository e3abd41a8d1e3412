/* SPDX-License-Identifier: Apache-2.0 */
#include "server/tracker/choose.h"

#include "common/base/random.h"

#include <string.h>

_Static_assert(3 * (PEERS_MAX + POOL_SPARE) <= POOL_MAX && POOL_WHOLE <= POOL_MAX, "pools fit");
_Static_assert((int)POOL_MAX <= (int)SWARM_POOL_MAX, "drawn at once");
_Static_assert((int)MAP_PLACES_MAX <= (int)SWARM_PLACES_MAX, "a map's places are a swarm's");

static const struct swarm_places everywhere = { .end = SWARM_PLACES_MAX }, nowhere = { 0 };

/* Adds candidates to w->pool. */
static void fill(struct tracker_worker *w, const struct swarm_visit *visit,
                 const struct swarm_asker *who, struct swarm_places within,
                 struct swarm_places except, size_t count)
{
	struct pool *p = &w->pool;
	p->n += swarm_pool(visit, who, within, except, count, &w->seed, p->candidates + p->n);
}

static void gather(struct tracker_worker *w, const struct swarm_visit *visit,
                   const struct asker *asker, const struct swarm_asker *who, size_t want)
{
	const size_t part = want + POOL_SPARE;
	w->pool.n = 0;
	w->pool.whole = swarm_candidates(visit, who, everywhere) <= POOL_WHOLE;
	if (w->pool.whole || !asker->steered) {
		fill(w, visit, who, everywhere, nowhere, w->pool.whole ? POOL_WHOLE : part);
		return;
	}
	const struct map_places own = snapshot_provider_places(w->map.map, asker->place);
	const struct swarm_places pid = { .first = asker->place, .end = asker->place + 1 };
	const struct swarm_places provider = { .first = own.first, .end = own.end };
	fill(w, visit, who, pid, nowhere, want);
	fill(w, visit, who, provider, pid, part);
	fill(w, visit, who, everywhere, provider, part);
}

/* The group as steering sees it: from the asker, or to it, whichever way the bytes will go. */
static struct steer_bucket appraise(const struct tracker_worker *w, const struct asker *asker,
                                    uint32_t place)
{
	struct steer_bucket s = { .place = place,
		                  .tier = TIER_UNKNOWN,
		                  .uploads = snapshot_uploads(w->map.map, place) };
	if (asker->steered) {
		const struct map_tariff tariff = { .map = w->map.map,
			                           .place = asker->place,
			                           .sends = asker->swarm.seeding };
		const struct map_price price = tariff_price(&tariff, place);
		s.tier = price.tier;
		s.price = price.price;
	}
	return s;
}

/* The group of a place, made when it is new. */
static struct steer_bucket *group_of(struct tracker_worker *w, const struct asker *asker,
                                     uint32_t place)
{
	struct pool *p = &w->pool;
	uint32_t i = place * 0x9e3779b1U >> 21;
	_Static_assert(POOL_SLOTS == 1 << (32 - 21), "the shift leaves a slot's number");
	for (; p->slots[i] != 0; i = (i + 1) % POOL_SLOTS) {
		struct steer_bucket *group = &p->groups[p->slots[i] - 1];
		if (group->place == place)
			return group;
	}
	struct steer_bucket *group = &p->groups[p->n_groups++];
	p->slots[i] = (uint16_t)p->n_groups;
	*group = appraise(w, asker, place);
	return group;
}

static void divide(struct tracker_worker *w, const struct asker *asker)
{
	struct pool *p = &w->pool;
	p->n_groups = 0;
	memset(p->slots, 0, sizeof(p->slots));
	for (size_t i = 0; i < p->n; i++) {
		const struct swarm_candidate *c = &p->candidates[i];
		struct steer_bucket *group = group_of(w, asker, c->place);
		group->seeds += c->seed;
		group->others += !c->seed;
		p->next[i] = (uint16_t)group->handle;
		group->handle = (uint32_t)i + 1;
	}
}

/* Random members of the group, as many as steering takes. */
static void hand_out(struct tracker_worker *w, const struct swarm_visit *visit,
                     const struct steer_bucket *group, bool with_ids)
{
	struct pool *p = &w->pool;
	size_t n = 0;
	for (uint32_t i = group->handle; i != 0; i = p->next[i - 1])
		if (p->candidates[i - 1].seed || !group->seeds_only)
			p->members[n++] = (uint16_t)(i - 1);
	must(group->take <= n);
	for (size_t i = 0; i < group->take; i++) {
		const size_t j = i + random_below(&w->seed, (uint32_t)(n - i));
		const uint16_t chosen = p->members[j];
		p->members[j] = p->members[i];
		swarm_endpoint(visit, p->candidates[chosen].spot, with_ids,
		               &w->peers[w->n_peers++]);
	}
}

/* For accounting. Strangers among themselves cross nobody's interconnect. */
static void note(struct tracker_worker *w, const struct swarm_visit *visit,
                 const struct asker *asker, const struct swarm_asker *who,
                 const struct steer_bucket *group)
{
	const struct swarm_places place = { .first = group->place, .end = group->place + 1 };
	if (asker->place == PLACE_UNKNOWN && group->place == PLACE_UNKNOWN)
		return;
	w->handed[w->n_handed++] = (struct accounting_handed){
		.place = group->place,
		.count = group->take,
		.candidates = w->pool.whole ? group->seeds + group->others
		                            : swarm_candidates(visit, who, place),
	};
}

void choose_peers(struct tracker_worker *w, const struct swarm_visit *visit,
                  const struct asker *asker, const struct swarm_asker *who, size_t want)
{
	struct pool *p = &w->pool;
	gather(w, visit, asker, who, want);
	divide(w, asker);
	(void)steer_share(&w->rules.book->settings.rules, asker->mapped, p->groups, p->n_groups,
	                  want, &w->seed);
	for (size_t i = 0; i < p->n_groups; i++) {
		const struct steer_bucket *g = &p->groups[i];
		if (g->take == 0)
			continue;
		hand_out(w, visit, g, asker->with_ids);
		note(w, visit, asker, who, g);
	}
}
