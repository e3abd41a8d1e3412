/* SPDX-License-Identifier: Apache-2.0 */
#include "common/swarm/crowd.h"

#include "common/base/random.h"

#include <string.h>

/*
 * Candidates of a range of places are one or two runs of ranks in each class, so a candidate is a
 * number and a draw is drawing numbers. Every subset is equally likely (Floyd's method: Bentley,
 * "Programming pearls", CACM 30(9), 1987). That makes two things exact that strata would bias: the
 * asker is skipped by renumbering, and a ghost, which is only noticed when it was drawn, is replaced
 * by one more draw. Of more than STRATA_FROM candidates strata are drawn from instead: there the
 * difference shows only in pairs of neighbours, and a draw costs a third.
 */
enum { RUNS_MAX = SWARM_RUNS_MAX, NOBODY = -1, STRATA_FROM = 256 };

struct run {
	uint32_t first, n; /* ranks */
};

struct range {
	const struct sequence *sequence;
	struct run runs[RUNS_MAX];
	unsigned n_runs;
	uint32_t n;   /* candidates, the asker not among them */
	int64_t self; /* its number among them, or NOBODY */
	bool same_family, keyed;
	uint64_t tag;
	uint8_t endpoint[ENDPOINT_V6]; /* the asker's, when it is of this family */
};

static uint32_t rank_of(const struct sequence *s, unsigned class, uint32_t place)
{
	if (class == 0 && place == 0)
		return 0;
	return sequence_rank(s, sequence_lower(s, key_of_place(class, place)));
}

/* `self`: rank of the asker, or NOBODY. */
static void run_add(struct range *r, uint32_t first, uint32_t end, int64_t self)
{
	if (first >= end)
		return;
	if (self >= first && self < end)
		r->self = r->n + (self - first);
	r->runs[r->n_runs++] = (struct run){ .first = first, .n = end - first };
	r->n += end - first;
}

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

/* Without candidates as yet. */
static struct range range_for(const struct swarm_visit *v, const struct swarm_asker *asker)
{
	struct range r = { .sequence = &v->swarm->of[is_wide(asker->family)],
		           .self = NOBODY,
		           .same_family = asker->client.addr.family == asker->family,
		           .keyed = asker->client.keyed,
		           .tag = key_of(0, 0, asker->client.identity) };
	if (r.same_family)
		endpoint_write(&asker->client, r.endpoint);
	return r;
}

static struct range range_of(const struct swarm_visit *v, const struct swarm_asker *asker,
                             struct swarm_places within, struct swarm_places except)
{
	const struct sequence *s = &v->swarm->of[is_wide(asker->family)];
	struct range r = range_for(v, asker);
	must(within.end <= SWARM_PLACES_MAX);
	if (s->n == 0 || within.first >= within.end)
		return r;
	if (except.first < within.first)
		except.first = within.first;
	if (except.end > within.end)
		except.end = within.end;
	const int64_t self = rank_of_self(v, asker);
	const unsigned first = asker->seeding ? SWARM_LEECHER : SWARM_SEED;
	const unsigned last = asker->seeding ? SWARM_LEECHER : SWARM_PARTIAL;
	for (unsigned class = first; class <= last; class ++) {
		const uint32_t begin = rank_of(s, class, within.first);
		const uint32_t end = rank_of(s, class, within.end);
		if (begin == end)
			continue;
		if (except.first < except.end) {
			run_add(&r, begin, rank_of(s, class, except.first), self);
			run_add(&r, rank_of(s, class, except.end), end, self);
		} else {
			run_add(&r, begin, end, self);
		}
	}
	r.n -= r.self != NOBODY;
	return r;
}

uint32_t swarm_candidates(const struct swarm_visit *v, const struct swarm_asker *asker,
                          struct swarm_places within)
{
	if (v->swarm == NULL)
		return 0;
	return range_of(v, asker, within, (struct swarm_places){ 0 }).n;
}

/* ---- surveys ---- */

static void survey_add(struct swarm_survey *s, enum swarm_part part, uint32_t first, uint32_t end,
                       int64_t self)
{
	if (first >= end)
		return;
	if (self >= first && self < end)
		s->part[part].self = s->part[part].n + (self - first);
	s->part[part].runs[s->part[part].n_runs].first = first;
	s->part[part].runs[s->part[part].n_runs++].n = end - first;
	s->part[part].n += end - first;
}

/* One class, which has the ranks of `all`. */
static void survey_class(const struct sequence *s, unsigned class, struct run all,
                         struct swarm_places around, int64_t self, struct swarm_survey *out)
{
	const uint32_t begin = all.first, end = all.first + all.n;
	if (around.first >= around.end || begin == end) {
		survey_add(out, SWARM_ELSEWHERE, begin, end, self);
		return;
	}
	const uint32_t own = out->asker.client.place;
	const uint32_t near = rank_of(s, class, around.first);
	const uint32_t far = rank_of(s, class, around.end);
	const uint32_t mine = near < far ? rank_of(s, class, own) : near;
	const uint32_t next = mine < far ? rank_of(s, class, own + 1) : mine;
	survey_add(out, SWARM_ELSEWHERE, begin, near, self);
	survey_add(out, SWARM_AROUND, near, mine, self);
	survey_add(out, SWARM_OWN_PLACE, mine, next, self);
	survey_add(out, SWARM_AROUND, next, far, self);
	survey_add(out, SWARM_ELSEWHERE, far, end, self);
}

void swarm_survey(const struct swarm_visit *v, const struct swarm_asker *asker,
                  struct swarm_places around, struct swarm_survey *out)
{
	out->asker = *asker;
	for (unsigned i = 0; i < SWARM_PARTS; i++) {
		out->part[i].n = out->part[i].n_runs = 0;
		out->part[i].self = NOBODY;
	}
	const struct sequence *s = v->swarm == NULL ? NULL : &v->swarm->of[is_wide(asker->family)];
	if (s == NULL || s->n == 0)
		return;
	const int64_t self = rank_of_self(v, asker);
	const unsigned first = asker->seeding ? SWARM_LEECHER : SWARM_SEED;
	const unsigned last = asker->seeding ? SWARM_LEECHER : SWARM_PARTIAL;
	uint32_t begin = rank_of(s, first, 0);
	for (unsigned class = first; class <= last && begin < s->n; class ++) {
		const uint32_t end = rank_of(s, class, SWARM_PLACES_MAX);
		const struct run all = { .first = begin, .n = end - begin };
		survey_class(s, class, all, around, self, out);
		begin = end;
	}
	for (unsigned i = 0; i < SWARM_PARTS; i++)
		out->part[i].n -= out->part[i].self != NOBODY;
}

/* ---- spots: which sequence, chunk and position, in 32 bits ---- */

enum { POSITION_BITS = 7, CHUNK_BITS = 24, WIDE_SHIFT = POSITION_BITS + CHUNK_BITS };
_Static_assert(BLOCK_MAX == 1 << POSITION_BITS && WIDE_SHIFT == 31, "a spot is 32 bits");

static uint32_t spot_pack(bool wide, struct spot at)
{
	return (uint32_t)wide << WIDE_SHIFT | at.chunk << POSITION_BITS | at.position;
}

static const struct record *spot_record(const struct swarm_visit *v, uint32_t spot, bool *wide)
{
	*wide = spot >> WIDE_SHIFT;
	const struct spot at = { .chunk = spot >> POSITION_BITS & ((1U << CHUNK_BITS) - 1),
		                 .position = spot & (BLOCK_MAX - 1) };
	return sequence_record(&v->swarm->of[*wide], at);
}

/* False when it is a ghost of the asker. */
static bool deliver(const struct range *r, struct spot at, struct swarm_candidate *out)
{
	const struct record *record = sequence_record(r->sequence, at);
	const bool wide = r->sequence->wide;
	if (r->same_family) {
		/* Constant sizes: a comparison of a size that is not known is a call. */
		if (wide ? memcmp(record->endpoint, r->endpoint, ENDPOINT_V6) == 0
		         : memcmp(record->endpoint, r->endpoint, ENDPOINT_V4) == 0)
			return false;
	} else if (r->keyed && (record->key & key_of(0, 0, UINT64_MAX)) == r->tag) {
		return false;
	}
	*out = (struct swarm_candidate){ .place = key_place(record->key),
		                         .spot = spot_pack(wide, at),
		                         .seed = key_class(record->key) == SWARM_SEED };
	return true;
}

static uint32_t rank_of_number(const struct range *r, uint32_t i)
{
	i += i >= r->self && r->self != NOBODY;
	const struct run *run = r->runs;
	for (; i >= run->n; run++)
		i -= run->n;
	return run->first + i;
}

/* Where candidate `i` of a range stands. */
static struct spot spot_of(const struct range *r, uint32_t i)
{
	return sequence_at(r->sequence, rank_of_number(r, i));
}

/* From rank to rank: guesses how many chunks on or back, from where it is. */
struct walk {
	const struct sequence *sequence;
	const struct directory *directory;
	float chunks_each; /* by rank */
	int64_t chunk, rank;
};

static struct walk walk_along(const struct sequence *s)
{
	struct walk w = { .sequence = s };
	if (!s->tall)
		return w;
	w.directory = s->at;
	w.chunks_each = (float)w.directory->n / (float)s->n;
	return w;
}

static struct spot walk_to(struct walk *w, uint32_t rank)
{
	const struct directory *d = w->directory;
	if (d == NULL)
		return (struct spot){ .position = rank };
	int64_t i = w->chunk;
	if (rank >= d->start[i] && rank < d->start[i + 1])
		return (struct spot){ .chunk = (uint32_t)i, .position = rank - d->start[i] };
	i += (int64_t)((float)(rank - w->rank) * w->chunks_each);
	i = i < 0 ? 0 : i >= d->n ? d->n - 1 : i;
	while (d->start[i] > rank)
		i--;
	while (d->start[i + 1] <= rank)
		i++;
	w->chunk = i;
	w->rank = d->start[i];
	return (struct spot){ .chunk = (uint32_t)i, .position = rank - d->start[i] };
}

/* Of the next `n` candidates, how many have ranks that follow each other. */
static uint32_t straight_on(const struct range *r, uint32_t i, uint32_t n)
{
	if (r->n_runs == 1 && r->self == NOBODY)
		return i + n <= r->n ? n : r->n - i;
	const uint32_t first = rank_of_number(r, i);
	uint32_t k = 1;
	while (k < n && i + k < r->n && rank_of_number(r, i + k) == first + k)
		k++;
	return k;
}

/* The spots of `n` ranks from `rank` on. */
static void walk_over(struct walk *w, uint32_t rank, uint32_t n, struct spot *out)
{
	for (uint32_t k = 0; k < n;) {
		struct spot at = walk_to(w, rank + k);
		const uint32_t end =
			w->directory != NULL ? chunk_size(w->directory, at.chunk) : UINT32_MAX;
		for (; k < n && at.position < end; k++, at.position++) {
			out[k] = at;
			__builtin_prefetch(sequence_record(w->sequence, at));
		}
	}
}

/* ---- draws ---- */

/* A set of small numbers, at most half full. */
enum { SPARE_DRAWS = 4, SET_SLOTS = 4 * SWARM_POOL_MAX };

struct set {
	uint32_t mask;
	unsigned shift;
	uint32_t slots[SET_SLOTS]; /* value + 1; 0: free */
};
_Static_assert(SET_SLOTS >= 2 * (SWARM_POOL_MAX + SPARE_DRAWS), "the set is too small");

static void set_init(struct set *set, size_t values)
{
	unsigned bits = 4;
	while ((size_t)1 << bits < 2 * values)
		bits++;
	set->mask = (1U << bits) - 1;
	set->shift = 32 - bits;
	memset(set->slots, 0, sizeof(*set->slots) << bits);
}

/* False when it was there. */
static bool set_add(struct set *set, uint32_t value)
{
	uint32_t i = value * 0x9e3779b1U >> set->shift;
	for (; set->slots[i] != 0; i = (i + 1) & set->mask)
		if (set->slots[i] == value + 1)
			return false;
	set->slots[i] = value + 1;
	return true;
}

/* A random subset, and one more candidate for each ghost in it. */
static size_t draw_some(const struct range *r, size_t count, uint64_t *seed,
                        struct swarm_candidate *out)
{
	struct set drawn;
	struct spot picks[SWARM_POOL_MAX];
	set_init(&drawn, count + SPARE_DRAWS);
	for (uint32_t i = 0; i < count; i++) {
		const uint32_t last = r->n - (uint32_t)count + i;
		uint32_t pick = random_below(seed, last + 1);
		if (!set_add(&drawn, pick)) {
			pick = last;
			(void)set_add(&drawn, last);
		}
		picks[i] = spot_of(r, pick);
		__builtin_prefetch(sequence_record(r->sequence, picks[i]));
	}
	size_t n = 0;
	for (uint32_t i = 0; i < count; i++)
		n += deliver(r, picks[i], &out[n]);
	for (size_t used = count, spare = SPARE_DRAWS; n < count && spare > 0 && used < r->n;) {
		const uint32_t pick = random_below(seed, r->n);
		if (!set_add(&drawn, pick))
			continue;
		n += deliver(r, spot_of(r, pick), &out[n]);
		used++;
		spare--;
	}
	return n;
}

/* One of `r` that is not among the `n` drawn, if a few draws find one. */
static size_t draw_another(const struct range *r, uint64_t *seed, struct swarm_candidate *out,
                           size_t n)
{
	for (unsigned spare = SPARE_DRAWS; spare > 0; spare--) {
		size_t i = 0;
		if (!deliver(r, spot_of(r, random_below(seed, r->n)), &out[n]))
			continue;
		while (out[i].spot != out[n].spot)
			i++;
		if (i == n)
			return n + 1;
	}
	return n;
}

/* Neighbours drawn together: a list has 15 runs at least, so that it stays a mixture. */
static uint32_t run_of(size_t count)
{
	return count < 64 ? 1 : count < 128 ? 4 : 8;
}

/*
 * Of many: runs of neighbours, one from each of equal strata, the first of which begins at a random
 * candidate. So every candidate is equally likely, nobody is drawn twice, and the ranks ascend, which
 * makes it cheap to find them: each is a few chunks behind the one before. In a long list peers whose
 * tags are next to each other come together, and share a cache line.
 */
static size_t draw_strata(const struct range *r, size_t count, uint64_t *seed,
                          struct swarm_candidate *out)
{
	struct spot picks[SWARM_POOL_MAX];
	const uint32_t begin = random_below(seed, r->n), run = run_of(count);
	const uint64_t step = ((uint64_t)r->n << 32) / ((count + run - 1) / run);
	uint64_t low = 0;
	struct walk walk = walk_along(r->sequence);
	for (size_t i = 0; i < count; low += step) {
		const uint32_t room = (uint32_t)(step >> 32) - run + 1;
		uint32_t pick = begin + (uint32_t)(low >> 32) + random_below(seed, room);
		for (const size_t end = i + run < count ? i + run : count; i < end;) {
			pick -= pick >= r->n ? r->n : 0;
			const uint32_t n = straight_on(r, pick, (uint32_t)(end - i));
			walk_over(&walk, rank_of_number(r, pick), n, picks + i);
			i += n;
			pick += n;
		}
	}
	size_t n = 0;
	for (size_t i = 0; i < count; i++)
		n += deliver(r, picks[i], &out[n]);
	return n < count ? draw_another(r, seed, out, n) : n;
}

static size_t draw(const struct range *r, size_t count, uint64_t *seed, struct swarm_candidate *out)
{
	return r->n > STRATA_FROM && r->n / 2 > count ? draw_strata(r, count, seed, out)
	                                              : draw_some(r, count, seed, out);
}

static size_t take_all(const struct range *r, struct swarm_candidate *out)
{
	size_t n = 0;
	int64_t i = 0;
	for (const struct run *run = r->runs; run < r->runs + r->n_runs; run++) {
		struct spot at = sequence_at(r->sequence, run->first);
		for (uint32_t left = run->n; left > 0; left--, i++) {
			if (i != r->self)
				n += deliver(r, at, &out[n]);
			at = sequence_next(r->sequence, at);
		}
	}
	return n;
}

/* NOLINTNEXTLINE(readability-function-size): a struct would only be filled and taken apart */
size_t swarm_pool(const struct swarm_visit *v, const struct swarm_asker *asker,
                  struct swarm_places within, struct swarm_places except, size_t count,
                  uint64_t *seed, struct swarm_candidate *out)
{
	if (v->swarm == NULL || count == 0)
		return 0;
	const struct range r = range_of(v, asker, within, except);
	if (count > SWARM_POOL_MAX)
		count = SWARM_POOL_MAX;
	return count < r.n ? draw(&r, count, seed, out) : take_all(&r, out);
}

size_t swarm_draw(const struct swarm_visit *v, const struct swarm_survey *survey,
                  enum swarm_part part, size_t count, uint64_t *seed, struct swarm_candidate *out)
{
	if (survey->part[part].n == 0 || count == 0)
		return 0;
	struct range r = range_for(v, &survey->asker);
	r.n = survey->part[part].n;
	r.self = survey->part[part].self;
	r.n_runs = survey->part[part].n_runs;
	for (unsigned i = 0; i < r.n_runs; i++)
		r.runs[i] = (struct run){ .first = survey->part[part].runs[i].first,
			                  .n = survey->part[part].runs[i].n };
	if (count > SWARM_POOL_MAX)
		count = SWARM_POOL_MAX;
	return count < r.n ? draw(&r, count, seed, out) : take_all(&r, out);
}

void swarm_endpoint(const struct swarm_visit *v, uint32_t spot, bool with_id,
                    struct swarm_endpoint *out)
{
	bool wide;
	const struct record *r = spot_record(v, spot, &wide);
	const size_t size = wide ? 16 : 4;
	memset(out->addr.bytes, 0, sizeof(out->addr.bytes));
	memcpy(out->addr.bytes, r->endpoint, size);
	out->addr.family = wide ? IP_V6 : IP_V4;
	out->port = (uint16_t)(r->endpoint[size] << 8 | r->endpoint[size + 1]);
	out->has_peer_id = false;
	if (!with_id || (r->key & FLAG_PEER_ID) == 0)
		return;
	const uint8_t *id =
		peer_ids_find(&v->shard->ids, store_id_hash(v->store, v->swarm, wide, r));
	if (id == NULL)
		return;
	memcpy(out->peer_id, id, sizeof(out->peer_id));
	out->has_peer_id = true;
}

uint8_t *swarm_compact(const struct swarm_visit *v, uint32_t spot, uint8_t *at)
{
	bool wide;
	const struct record *r = spot_record(v, spot, &wide);
	if (wide) { /* constant sizes: a copy of a size that is not known is a call */
		memcpy(at, r->endpoint, ENDPOINT_V6);
		return at + ENDPOINT_V6;
	}
	memcpy(at, r->endpoint, ENDPOINT_V4);
	return at + ENDPOINT_V4;
}
