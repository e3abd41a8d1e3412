/* SPDX-License-Identifier: Apache-2.0 */
#include "common/choice/making.h"

#include "common/base/random.h"

#include <string.h>

_Static_assert((int)CHOICE_POOL <= (int)SWARM_DRAW_MAX, "drawn at once");
_Static_assert(2 * 2 * CHOICE_MAX + 3 * CHOICE_SPARE <= CHOICE_POOL && CHOICE_WHOLE <= CHOICE_POOL,
               "pools fit");
_Static_assert((int)MAP_PLACES_MAX <= (int)SWARM_PLACES_MAX, "a map's places are a swarm's");

void choice_note(const struct making *m, uint32_t place, uint32_t count, uint32_t candidates)
{
	struct choice *c = m->c;
	if (m->asker->noted && count > 0)
		c->handed[c->n_handed++] = (struct choice_handed){ .place = place,
			                                           .count = count,
			                                           .candidates = candidates };
}

/* ---- appraisal ---- */

/* Seen from the asker, or by it, whichever way the bytes will go. Its price was sought. */
static void appraise(const struct making *m, struct steer_bucket *group)
{
	const uint32_t place = group->place;
	group->tier = TIER_UNKNOWN;
	if (m->restricted)
		group->uploads = snapshot_uploads(m->asker->map, place);
	if (m->asker->steered) {
		const struct map_price price = tariff_price(&m->tariff, place, group->price);
		group->tier = price.tier;
		group->price = price.price;
	}
	/* The provider's own ASN is no PID of it: it was drawn as elsewhere, and has a price. */
	if (m->pooled && group->tier == TIER_SAME_PROVIDER &&
	    (place < m->around.first || place >= m->around.end))
		group->tier = TIER_SETTLEMENT_FREE;
}

/* ---- groups: candidates of one place ---- */

/* The slot of a place: free, or with the number of what it was found equal to. */
static uint32_t slot_of(uint32_t place)
{
	_Static_assert(CHOICE_SLOTS == 1 << (32 - 22), "the shift leaves a slot's number");
	return place * 0x9e3779b1U >> 22;
}

/* The group of a place; *is_new: it was made, and knows nothing but its place. */
static struct steer_bucket *group_of(struct choice *c, uint32_t place, bool *is_new)
{
	uint32_t i = slot_of(place);
	for (; c->slots[i] != 0; i = (i + 1) % CHOICE_SLOTS) {
		struct steer_bucket *group = &c->groups[c->slots[i] - 1];
		if (group->place == place) {
			*is_new = false;
			return group;
		}
	}
	struct steer_bucket *group = &c->groups[c->n_groups++];
	c->slots[i] = (uint16_t)c->n_groups;
	*group = (struct steer_bucket){ .place = place };
	*is_new = true;
	return group;
}

static void groups_clear(struct choice *c)
{
	c->n_groups = 0;
	memset(c->slots, 0, sizeof(c->slots));
}

/* All candidates into groups. */
static void divide(const struct making *m)
{
	struct choice *c = m->c;
	struct steer_bucket *group = NULL;
	groups_clear(c);
	for (size_t i = 0; i < c->n_candidates; i++) {
		const struct swarm_candidate *one = &c->candidates[i];
		bool is_new = false;
		if (group == NULL ||
		    group->place != one->place) /* neighbours are often of one place */
			group = group_of(c, one->place, &is_new);
		if (is_new && m->asker->steered)
			group->price = tariff_seek(&m->tariff, one->place);
		group->seeds += one->seed;
		group->others += !one->seed;
		c->next[i] = (uint16_t)group->handle;
		group->handle = (uint32_t)i + 1;
	}
	for (size_t i = 0; i < c->n_groups; i++)
		appraise(m, &c->groups[i]);
}

/* `n` of so many that were drawn stand for a part of all. */
static uint32_t stand_for(uint32_t n, uint32_t drawn, uint32_t all)
{
	return (uint32_t)((uint64_t)all * n / drawn);
}

/* Random members of the group, as many as steering takes. `drawn`, `all`: of what it is a part of. */
static void give_some(const struct making *m, const struct steer_bucket *group, uint32_t drawn,
                      uint32_t all)
{
	struct choice *c = m->c;
	struct swarm_candidate *members = c->list + c->n;
	uint32_t n = 0;
	if (group->take == 0)
		return;
	for (uint32_t i = group->handle; i != 0; i = c->next[i - 1])
		if (c->candidates[i - 1].seed || !group->seeds_only)
			members[n++] = c->candidates[i - 1];
	must(group->take <= n);
	for (uint32_t i = 0; i < group->take && group->take < n; i++) {
		const uint32_t j = i + random_below(m->seed, n - i);
		const struct swarm_candidate chosen = members[j];
		members[j] = members[i];
		members[i] = chosen;
	}
	c->n += group->take;
	choice_note(m, group->place, group->take,
	            stand_for(group->seeds + group->others, drawn, all));
}

static void choose_of_all(const struct making *m)
{
	struct choice *c = m->c;
	divide(m);
	(void)steer_share(m->rules, m->asker->mapped, c->groups, c->n_groups, m->want, m->seed);
	for (size_t i = 0; i < c->n_groups; i++)
		give_some(m, &c->groups[i], 1, 1);
}

/* ---- a pool ---- */

static size_t draw(const struct making *m, enum swarm_part part, size_t want,
                   struct swarm_candidate *out)
{
	return swarm_draw(m->visit, &m->c->survey, part, want, m->seed, out);
}

/* The list is what was drawn: of `all` candidates, whose places have about their share of them. */
static void note_all(const struct making *m, uint32_t all)
{
	struct choice *c = m->c;
	struct steer_bucket *group = NULL;
	bool is_new;
	groups_clear(c);
	for (size_t i = 0; i < c->n; i++) {
		if (group == NULL || group->place != c->list[i].place)
			group = group_of(c, c->list[i].place, &is_new);
		group->others++;
	}
	for (size_t i = 0; i < c->n_groups; i++)
		choice_note(m, c->groups[i].place, c->groups[i].others,
		            stand_for(c->groups[i].others, (uint32_t)c->n, all));
}

/* Nothing to choose in the own PID: its prices are equal. */
static void give_own(const struct making *m, struct steer_plan *plan)
{
	struct choice *c = m->c;
	const size_t n = draw(m, SWARM_OWN_PLACE, plan->part[STEER_OWN_PID].uniform, c->list);
	c->n = n;
	choice_note(m, m->asker->place, (uint32_t)n, c->survey.part[SWARM_OWN_PLACE].n);
	plan->part[STEER_OWN_PID].uniform = plan->part[STEER_OWN_PID].pool = 0;
}

/* Twice as many where some may turn out not to upload. */
static uint32_t pool_size(const struct making *m, uint32_t planned)
{
	return m->restricted ? 2 * planned + CHOICE_SPARE : planned;
}

static void choose_of_pool(const struct making *m)
{
	static const enum swarm_part from[] = { [STEER_OWN_PID] = SWARM_OWN_PLACE,
		                                [STEER_OWN_PROVIDER] = SWARM_AROUND,
		                                [STEER_OUTSIDE] = SWARM_ELSEWHERE };
	struct choice *c = m->c;
	const struct steer_rules *rules = m->rules;
	struct steer_plan plan;
	uint32_t there[STEER_PARTS], drawn[STEER_PARTS];
	for (unsigned i = 0; i < STEER_PARTS; i++)
		there[i] = c->survey.part[from[i]].n;
	(void)steer_plan(rules, m->asker->mapped, there, m->want, m->seed, &plan);

	if (!m->restricted)
		give_own(m, &plan);
	for (unsigned i = 0; i < STEER_PARTS; i++) {
		drawn[i] = (uint32_t)draw(m, from[i], pool_size(m, plan.part[i].pool),
		                          c->candidates + c->n_candidates);
		c->n_candidates += drawn[i];
	}
	divide(m);
	(void)steer_pick(rules, m->asker->mapped, &plan, c->groups, c->n_groups, m->seed);
	for (size_t i = 0; i < c->n_groups; i++) {
		const enum steer_part part = steer_part_of(c->groups[i].tier);
		give_some(m, &c->groups[i], drawn[part], there[part]);
	}
}

static void choose(const struct making *m, uint32_t all, bool whole)
{
	struct choice *c = m->c;
	if (!whole && (m->restricted || m->asker->steered)) {
		choose_of_pool(m);
	} else if (whole && (m->restricted || all > m->want)) {
		for (unsigned i = 0; i < SWARM_PARTS; i++)
			c->n_candidates += draw(m, i, CHOICE_POOL, c->candidates + c->n_candidates);
		choose_of_all(m);
	} else {
		for (unsigned i = 0; i < SWARM_PARTS; i++)
			c->n += draw(m, i, m->want, c->list + c->n);
		if (c->n > 0 && m->asker->noted)
			note_all(m, all);
	}
}

static uint32_t surveyed(const struct choice *c)
{
	uint32_t all = 0;
	for (unsigned i = 0; i < SWARM_PARTS; i++)
		all += c->survey.part[i].n;
	return all;
}

/* As many candidates are looked at one by one. */
static size_t whole_max(const struct making *m)
{
	return m->restricted ? CHOICE_WHOLE : m->asker->steered ? 2 * m->want : m->want;
}

void choice_list(struct making *m)
{
	const uint32_t all = surveyed(m->c);
	m->pooled = all > whole_max(m) && (m->restricted || m->asker->steered);
	m->c->everybody = all <= m->want;
	choose(m, all, all <= whole_max(m));
}

size_t choice_make(struct choice *c, const struct swarm_visit *visit,
                   const struct choice_asker *asker, size_t want, uint64_t *seed)
{
	struct making m = {
		.c = c,
		.visit = visit,
		.asker = asker,
		.rules = asker->rules,
		.tariff = { asker->map, asker->place, asker->who->seeding },
		.want = want,
		.restricted = snapshot_restricts_uploads(asker->map),
	};
	m.seed = seed;
	must(want <= CHOICE_MAX);
	c->n = c->n_handed = c->n_candidates = 0;
	c->soon = 0;
	const bool bridge = asker->steered && asker->rules->policy == STEER_BRIDGE;
	/* A swarm of which everybody will be looked at needs no parts. */
	if (bridge ||
	    (asker->steered && swarm_population(visit, asker->who->family) > whole_max(&m)))
		m.around = snapshot_provider_places(asker->map, asker->place);
	if (bridge) {
		choice_bridge(&m);
	} else {
		const struct swarm_places near = { .first = m.around.first, .end = m.around.end };
		swarm_survey(visit, asker->who, near, &c->survey);
		choice_list(&m);
	}
	return c->n;
}
