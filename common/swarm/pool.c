/* SPDX-License-Identifier: Apache-2.0 */
#include "common/swarm/crowd.h"

#include "common/base/random.h"

#include <string.h>

/*
 * Candidates of a range of places are one or two runs of ranks in each class, so a candidate is a
 * number and a draw is drawing numbers. Every subset is equally likely (Floyd's method: Bentley,
 * "Programming pearls", CACM 30(9), 1987). That makes two things exact that strata would bias: the
 * asker is skipped by renumbering, and a ghost, which is only noticed when it was drawn, is replaced
 * by one more draw.
 */
enum { RUNS_MAX = 6, NOBODY = -1 };

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

static struct range range_of(const struct swarm_visit *v, const struct swarm_asker *asker,
                             struct swarm_places within, struct swarm_places except)
{
	const struct sequence *s = &v->swarm->of[is_wide(asker->family)];
	struct range r = { .sequence = s,
		           .self = NOBODY,
		           .same_family = asker->client.addr.family == asker->family,
		           .keyed = asker->client.keyed,
		           .tag = key_of(0, 0, asker->client.identity) };
	must(within.end <= SWARM_PLACES_MAX);
	if (s->n == 0 || within.first >= within.end)
		return r;
	if (except.first < within.first)
		except.first = within.first;
	if (except.end > within.end)
		except.end = within.end;
	if (r.same_family)
		endpoint_write(&asker->client, r.endpoint);
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
		if (memcmp(record->endpoint, r->endpoint, wide ? ENDPOINT_V6 : ENDPOINT_V4) == 0)
			return false;
	} else if (r->keyed && (record->key & key_of(0, 0, UINT64_MAX)) == r->tag) {
		return false;
	}
	*out = (struct swarm_candidate){ .place = key_place(record->key),
		                         .spot = spot_pack(wide, at),
		                         .seed = key_class(record->key) == SWARM_SEED };
	return true;
}

/* Where candidate `i` of a range stands. */
static struct spot spot_of(const struct range *r, uint32_t i)
{
	i += i >= r->self && r->self != NOBODY;
	const struct run *run = r->runs;
	for (; i >= run->n; run++)
		i -= run->n;
	return sequence_at(r->sequence, run->first + i);
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

size_t swarm_pool(const struct swarm_visit *v, const struct swarm_asker *asker,
                  struct swarm_places within, struct swarm_places except, size_t count,
                  uint64_t *seed, struct swarm_candidate *out)
{
	if (v->swarm == NULL || count == 0)
		return 0;
	const struct range r = range_of(v, asker, within, except);
	if (count > SWARM_POOL_MAX)
		count = SWARM_POOL_MAX;
	return count < r.n ? draw_some(&r, count, seed, out) : take_all(&r, out);
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
