/* SPDX-License-Identifier: Apache-2.0 */
#include "server/tracker/choose.h"

#include "common/base/random.h"

#include <string.h>

_Static_assert((int)POOL_MAX <= (int)SWARM_DRAW_MAX, "drawn at once");
_Static_assert(2 * 2 * PEERS_MAX + 3 * POOL_SPARE <= POOL_MAX && POOL_WHOLE <= POOL_MAX,
               "pools fit");
_Static_assert((int)MAP_PLACES_MAX <= (int)SWARM_PLACES_MAX, "a map's places are a swarm's");

/* What all the steps share. */
struct choice {
	struct tracker_worker *w;
	const struct swarm_visit *visit;
	const struct asker *asker;
	struct map_tariff tariff;
	size_t want;
	struct map_places around; /* the asker's provider, when it is steered */
	bool restricted;          /* the map says of some places that they shall not upload */
	bool pooled;              /* what is appraised was drawn by parts */
};

/* ---- the list ---- */

static void give(const struct choice *c, const struct swarm_candidate *peers, size_t n)
{
	struct tracker_worker *w = c->w;
	if (w->compact != NULL)
		w->compact = swarm_compact(peers, n, w->compact);
	else
		for (size_t i = 0; i < n; i++)
			swarm_endpoint(c->visit, &peers[i], c->asker->with_ids,
			               &w->peers[w->n_peers + i]);
	w->n_peers += n;
}

/*
 * For accounting: `count` come from a place, which has so many candidates. A place is noted once.
 * Strangers among themselves cross nobody's interconnect.
 */
static void note(const struct choice *c, uint32_t place, uint32_t count, uint32_t candidates)
{
	struct tracker_worker *w = c->w;
	if (w->notes && count > 0 && (place != PLACE_UNKNOWN || c->asker->place != PLACE_UNKNOWN))
		w->handed[w->n_handed++] = (struct accounting_handed){ .place = place,
			                                               .count = count,
			                                               .candidates = candidates };
}

/* The slot of a place in p->slots: free, or with the number of what it was found equal to. */
static uint32_t slot_of(uint32_t place)
{
	_Static_assert(POOL_SLOTS == 1 << (32 - 22), "the shift leaves a slot's number");
	return place * 0x9e3779b1U >> 22;
}

/* ---- appraisal ---- */

/* Seen from the asker, or by it, whichever way the bytes will go. Its price was sought. */
static void appraise(const struct choice *c, struct steer_bucket *group)
{
	const uint32_t place = group->place;
	group->tier = TIER_UNKNOWN;
	if (c->restricted)
		group->uploads = snapshot_uploads(c->w->map.map, place);
	if (c->asker->steered) {
		const struct map_price price = tariff_price(&c->tariff, place, group->price);
		group->tier = price.tier;
		group->price = price.price;
	}
	/* The provider's own ASN is no PID of it: it was drawn as elsewhere, and has a price. */
	if (c->pooled && group->tier == TIER_SAME_PROVIDER &&
	    (place < c->around.first || place >= c->around.end))
		group->tier = TIER_SETTLEMENT_FREE;
}

/* ---- groups: candidates of one place ---- */

/* The group of a place; *is_new: it was made, and knows nothing but its place. */
static struct steer_bucket *group_of(struct pool *p, uint32_t place, bool *is_new)
{
	uint32_t i = slot_of(place);
	for (; p->slots[i] != 0; i = (i + 1) % POOL_SLOTS) {
		struct steer_bucket *group = &p->groups[p->slots[i] - 1];
		if (group->place == place) {
			*is_new = false;
			return group;
		}
	}
	struct steer_bucket *group = &p->groups[p->n_groups++];
	p->slots[i] = (uint16_t)p->n_groups;
	*group = (struct steer_bucket){ .place = place };
	*is_new = true;
	return group;
}

static void groups_clear(struct pool *p)
{
	p->n_groups = 0;
	memset(p->slots, 0, sizeof(p->slots));
}

/* All candidates into groups. */
static void divide(const struct choice *c)
{
	struct pool *p = &c->w->pool;
	struct steer_bucket *group = NULL;
	groups_clear(p);
	for (size_t i = 0; i < p->n; i++) {
		const struct swarm_candidate *one = &p->candidates[i];
		bool is_new = false;
		if (group == NULL ||
		    group->place != one->place) /* neighbours are often of one place */
			group = group_of(p, one->place, &is_new);
		if (is_new && c->asker->steered)
			group->price = tariff_seek(&c->tariff, one->place);
		group->seeds += one->seed;
		group->others += !one->seed;
		p->next[i] = (uint16_t)group->handle;
		group->handle = (uint32_t)i + 1;
	}
	for (size_t i = 0; i < p->n_groups; i++)
		appraise(c, &p->groups[i]);
}

/* The same without a price, all among `others`. */
static void count_places(struct pool *p)
{
	struct steer_bucket *group = NULL;
	bool is_new;
	groups_clear(p);
	for (size_t i = 0; i < p->n; i++) {
		if (group == NULL || group->place != p->candidates[i].place)
			group = group_of(p, p->candidates[i].place, &is_new);
		group->others++;
	}
}

/* `n` of so many that were drawn stand for a part of all. */
static uint32_t stand_for(uint32_t n, uint32_t drawn, uint32_t all)
{
	return (uint32_t)((uint64_t)all * n / drawn);
}

/* Random members of the group, as many as steering takes. `drawn`, `all`: of what it is a part of. */
static void give_some(const struct choice *c, const struct steer_bucket *group, uint32_t drawn,
                      uint32_t all)
{
	struct pool *p = &c->w->pool;
	struct swarm_candidate *members = p->members;
	uint32_t n = 0;
	if (group->take == 0)
		return;
	for (uint32_t i = group->handle; i != 0; i = p->next[i - 1])
		if (p->candidates[i - 1].seed || !group->seeds_only)
			members[n++] = p->candidates[i - 1];
	must(group->take <= n);
	for (uint32_t i = 0; i < group->take && group->take < n; i++) {
		const uint32_t j = i + random_below(&c->w->seed, n - i);
		const struct swarm_candidate chosen = members[j];
		members[j] = members[i];
		members[i] = chosen;
	}
	give(c, members, group->take);
	note(c, group->place, group->take, stand_for(group->seeds + group->others, drawn, all));
}

static void choose_of_all(const struct choice *c)
{
	struct tracker_worker *w = c->w;
	struct pool *p = &w->pool;
	divide(c);
	(void)steer_share(&w->rules.book->settings.rules, c->asker->mapped, p->groups, p->n_groups,
	                  c->want, &w->seed);
	for (size_t i = 0; i < p->n_groups; i++)
		give_some(c, &p->groups[i], 1, 1);
}

/* ---- a pool ---- */

/* The list is what was drawn: of all candidates, whose places have about their share of them. */
static void give_all(const struct choice *c, uint32_t all)
{
	struct pool *p = &c->w->pool;
	if (p->n == 0)
		return;
	give(c, p->candidates, p->n);
	if (!c->w->notes)
		return;
	count_places(p);
	for (size_t i = 0; i < p->n_groups; i++)
		note(c, p->groups[i].place, p->groups[i].others,
		     stand_for(p->groups[i].others, (uint32_t)p->n, all));
}

/* Nothing to choose in the own PID: its prices are equal. */
static void give_own(const struct choice *c, struct steer_plan *plan)
{
	struct pool *p = &c->w->pool;
	const uint32_t there = p->survey.part[SWARM_OWN_PLACE].n;
	const uint32_t take = plan->part[STEER_OWN_PID].uniform;
	p->n = swarm_draw(c->visit, &p->survey, SWARM_OWN_PLACE, take, &c->w->seed, p->candidates);
	give(c, p->candidates, p->n);
	note(c, c->asker->place, (uint32_t)p->n, there);
	plan->part[STEER_OWN_PID].uniform = plan->part[STEER_OWN_PID].pool = 0;
}

/* Twice as many where some may turn out not to upload. */
static uint32_t pool_size(const struct choice *c, uint32_t planned)
{
	return c->restricted ? 2 * planned + POOL_SPARE : planned;
}

static void choose_of_pool(const struct choice *c)
{
	static const enum swarm_part from[] = { [STEER_OWN_PID] = SWARM_OWN_PLACE,
		                                [STEER_OWN_PROVIDER] = SWARM_AROUND,
		                                [STEER_OUTSIDE] = SWARM_ELSEWHERE };
	struct tracker_worker *w = c->w;
	struct pool *p = &w->pool;
	const struct steer_rules *rules = &w->rules.book->settings.rules;
	struct steer_plan plan;
	uint32_t candidates[STEER_PARTS], drawn[STEER_PARTS];
	for (unsigned i = 0; i < STEER_PARTS; i++)
		candidates[i] = p->survey.part[from[i]].n;
	(void)steer_plan(rules, c->asker->mapped, candidates, c->want, &w->seed, &plan);

	if (!c->restricted)
		give_own(c, &plan);
	p->n = 0;
	for (unsigned i = 0; i < STEER_PARTS; i++) {
		drawn[i] = (uint32_t)swarm_draw(c->visit, &p->survey, from[i],
		                                pool_size(c, plan.part[i].pool), &w->seed,
		                                p->candidates + p->n);
		p->n += drawn[i];
	}
	divide(c);
	(void)steer_pick(rules, c->asker->mapped, &plan, p->groups, p->n_groups, &w->seed);
	for (size_t i = 0; i < p->n_groups; i++) {
		const enum steer_part part = steer_part_of(p->groups[i].tier);
		give_some(c, &p->groups[i], drawn[part], candidates[part]);
	}
}

void choose_peers(struct tracker_worker *w, const struct swarm_visit *visit,
                  const struct asker *asker, const struct swarm_asker *who, size_t want)
{
	struct pool *p = &w->pool;
	struct choice c = {
		.w = w,
		.visit = visit,
		.asker = asker,
		.tariff = { w->map.map, asker->place, asker->swarm.seeding },
		.want = want,
		.restricted = snapshot_restricts_uploads(w->map.map),
	};
	/* A swarm of which everybody will be looked at needs no parts. */
	const size_t whole_max = c.restricted ? POOL_WHOLE : asker->steered ? 2 * want : want;
	if (asker->steered && swarm_population(visit, who->family) > whole_max)
		c.around = snapshot_provider_places(w->map.map, asker->place);
	const struct swarm_places near = { .first = c.around.first, .end = c.around.end };
	swarm_survey(visit, who, near, &p->survey);
	uint32_t all = 0;
	for (unsigned i = 0; i < SWARM_PARTS; i++)
		all += p->survey.part[i].n;

	p->n = 0;
	const bool whole = all <= whole_max;
	if (!whole && (c.restricted || asker->steered)) {
		c.pooled = true;
		choose_of_pool(&c);
		return;
	}
	for (unsigned i = 0; i < SWARM_PARTS; i++)
		p->n += swarm_draw(visit, &p->survey, i, whole ? POOL_MAX : want, &w->seed,
		                   p->candidates + p->n);
	if (whole && (c.restricted || all > want))
		choose_of_all(&c);
	else
		give_all(&c, all);
}
