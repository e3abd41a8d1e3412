/* SPDX-License-Identifier: Apache-2.0 */
#include "common/swarm/crowd.h"

/*
 * Candidates of a range of places are one run of ranks in each class. All the bounds of all classes
 * are looked for at once, because a search alone waits for memory most of its time.
 */
enum { NOBODY = -1, BOUNDS_OF_PLACES = 4, BOUNDS = BOUNDS_OF_PLACES + 1 };

static int64_t rank_of_self(const struct swarm_visit *v, const struct swarm_asker *asker)
{
	const bool wide = is_wide(asker->family);
	struct spot at = { .chunk = v->self.chunk, .position = v->self.position };
	if (asker->client.addr.family != asker->family)
		return NOBODY;
	if (!v->self.known || v->self.wide != wide || v->self.identity != asker->client.identity) {
		const enum swarm_role likely = asker->seeding ? SWARM_SEED : SWARM_LEECHER;
		if (!crowd_find(v->swarm, &asker->client, likely, &at))
			return NOBODY;
	}
	return sequence_rank(&v->swarm->of[wide], at);
}

/* The records from one spot to another; `self`: rank of the asker, or NOBODY. */
static void add(struct swarm_range *r, const struct sequence *s, const struct spot *from,
                const struct spot *to, int64_t self)
{
	const uint32_t first = sequence_rank(s, *from), end = sequence_rank(s, *to);
	if (first >= end)
		return;
	if (self >= first && self < end)
		r->self = r->n + (self - first);
	r->runs[r->n_runs].first = first;
	r->runs[r->n_runs].chunk = from->chunk;
	r->runs[r->n_runs++].n = end - first;
	r->n += end - first;
}

/* The keys at which the parts of one class begin, and the next class; ascending. */
static unsigned bounds_of(unsigned class, uint32_t own, struct swarm_places around, uint64_t *keys)
{
	unsigned n = 0;
	if (around.first < around.end) {
		keys[n++] = key_of_place(class, around.first);
		keys[n++] = key_of_place(class, own);
		keys[n++] = key_of_place(class, own + 1);
		keys[n++] = key_of_place(class, around.end);
	}
	keys[n++] = key_of_place(class, SWARM_PLACES_MAX);
	return n;
}

/* Classes next to each other; none when `last` is below `first`. */
struct classes {
	unsigned first, last;
};

static struct classes candidates_of(const struct swarm_asker *asker, unsigned top)
{
	return (struct classes){ .first = asker->seeding ? SWARM_LEECHER : SWARM_SEED,
		                 .last = asker->seeds_only ? SWARM_SEED
		                         : asker->seeding  ? SWARM_LEECHER
		                                           : top };
}

/* `at`: where bounds_of() says, of each class from the first on. */
static void count_near(const struct sequence *s, const struct spot *at, unsigned top,
                       struct swarm_strength *out)
{
	uint32_t *count[] = { &out->seeds, &out->leechers, &out->partial };
	for (unsigned class = SWARM_SEED; class <= top; class ++, at += BOUNDS)
		*count[class] =
			sequence_rank(s, at[BOUNDS_OF_PLACES - 1]) - sequence_rank(s, at[0]);
}

void swarm_survey(const struct swarm_visit *v, const struct swarm_asker *asker,
                  struct swarm_places around, struct swarm_survey *out)
{
	static const enum swarm_part parts[BOUNDS] = { SWARM_ELSEWHERE, SWARM_AROUND,
		                                       SWARM_OWN_PLACE, SWARM_AROUND,
		                                       SWARM_ELSEWHERE };
	const uint32_t own = asker->client.place;
	const struct sequence *s = v->swarm == NULL ? NULL : &v->swarm->of[is_wide(asker->family)];
	uint64_t keys[1 + CLASSES * BOUNDS];
	struct spot at[1 + CLASSES * BOUNDS];

	out->asker = *asker;
	for (unsigned i = 0; i < SWARM_PARTS; i++) {
		out->part[i].n = out->part[i].n_runs = 0;
		out->part[i].self = NOBODY;
	}
	out->near = (struct swarm_strength){ 0 };
	if (s == NULL || s->n == 0)
		return;
	must(around.first >= around.end || (around.first <= own && own < around.end));
	const unsigned top = v->swarm->partial == 0 ? SWARM_LEECHER : SWARM_PARTIAL;
	const struct classes wanted = candidates_of(asker, top);
	const struct classes searched =
		asker->counted ? (struct classes){ SWARM_SEED, top } : wanted;
	unsigned n = 1, each = 0;
	keys[0] = key_of_place(searched.first, 0);
	for (unsigned class = searched.first; class <= searched.last; class ++)
		n += each = bounds_of(class, own, around, keys + n);
	sequence_lower_all(s, keys, n, at);

	const int64_t self = rank_of_self(v, asker);
	for (unsigned class = wanted.first; class <= wanted.last; class ++)
		for (unsigned i = 0; i < each; i++) {
			const struct spot *to = at + 1 + (class - searched.first) * each + i;
			add(&out->part[parts[i]], s, to - 1, to, self);
		}
	if (asker->counted && each == BOUNDS)
		count_near(s, at + 1, top, &out->near);
	for (unsigned i = 0; i < SWARM_PARTS; i++)
		out->part[i].n -= out->part[i].self != NOBODY;
}
