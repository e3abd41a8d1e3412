/* SPDX-License-Identifier: Apache-2.0 */
#include "common/swarm/swarm.h"

#include "common/base/random.h"
#include "common/swarm/crowd.h"

#include <assert.h>
#include <string.h>

/*
 * Every subset of a bucket's candidates is equally likely (Floyd's method: Bentley, "Programming
 * pearls", CACM 30(9), 1987). That makes two things exact that strata would bias: the asker is
 * skipped by renumbering, and a ghost, which is only noticed when it was drawn, is replaced by one
 * more draw.
 */

static bool find_self(const struct swarm_visit *v, uint64_t identity, struct spot *out)
{
	if (v->self.known && v->self.identity == identity) {
		*out = (struct spot){ .side = v->self.side,
			              .bucket = v->self.bucket,
			              .position = v->self.position };
		return true;
	}
	return crowd_find(v->swarm, identity, out);
}

static const struct side *wanted_side(const struct swarm_visit *v, const struct swarm_asker *asker)
{
	return v->swarm != NULL ? v->swarm->sides[side_of(asker->family)] : NULL;
}

size_t swarm_buckets(const struct swarm_visit *v, const struct swarm_asker *asker,
                     struct swarm_bucket *out, size_t room, uint64_t *seed)
{
	const struct side *s = wanted_side(v, asker);
	if (s == NULL || s->n_buckets == 0)
		return 0;
	struct spot self;
	const bool here =
		find_self(v, asker->identity, &self) && self.side == side_of(asker->family);
	uint32_t i = s->n_buckets > room ? random_below(seed, s->n_buckets) : 0;
	size_t n = 0;
	for (uint32_t left = s->n_buckets; left > 0 && n < room; left--, i++) {
		if (i == s->n_buckets)
			i = 0;
		const struct bucket *b = &s->buckets[i];
		uint32_t seeds = asker->seeding ? 0 : b->end[SWARM_SEED];
		uint32_t others =
			b->end[asker->seeding ? SWARM_LEECHER : SWARM_PARTIAL] - b->end[SWARM_SEED];
		if (here && self.bucket == i) {
			const enum swarm_role role = bucket_role(b, self.position);
			if (role == SWARM_SEED)
				seeds -= !asker->seeding;
			else
				others -= role == SWARM_LEECHER || !asker->seeding;
		}
		if (seeds + others > 0 && !b->hidden)
			out[n++] = (struct swarm_bucket){
				.place = b->place, .seeds = seeds, .others = others, .handle = i
			};
	}
	return n;
}

/* A set of small numbers, at most half full. */
enum { SPARE_DRAWS = 4, SET_SLOTS = 2 * SWARM_DRAW_MAX * 2 };
static_assert(SET_SLOTS >= 2 * (SWARM_DRAW_MAX + SPARE_DRAWS), "the set is too small");

struct set {
	uint32_t mask;
	unsigned shift;
	uint32_t slots[SET_SLOTS]; /* value + 1; 0: free */
};

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

/* Where a draw takes from, and whom it skips. */
struct range {
	const struct side *side;
	const struct bucket *bucket;
	uint32_t first, n; /* candidates, the asker not among them */
	uint32_t self;     /* its position; UINT32_MAX: not in this range */
	bool compact;
	uint8_t ghost[18]; /* the asker's endpoint */
};

static struct range range_of(const struct swarm_visit *v, const struct swarm_asker *asker,
                             uint32_t handle, bool seeds_only)
{
	const struct side *s = wanted_side(v, asker);
	must(s != NULL && handle < s->n_buckets);
	const struct bucket *b = &s->buckets[handle];
	const uint32_t first = asker->seeding ? b->end[SWARM_SEED] : 0;
	uint32_t end = seeds_only       ? b->end[SWARM_SEED]
	               : asker->seeding ? b->end[SWARM_LEECHER]
	                                : b->end[SWARM_PARTIAL];
	struct range r = { .side = s,
		           .bucket = b,
		           .first = first,
		           .n = b->hidden ? 0 : end - first,
		           .self = UINT32_MAX,
		           .compact = asker->compact };
	struct spot self;
	if (find_self(v, asker->identity, &self) && self.bucket == handle &&
	    self.side == side_of(asker->family) && self.position >= first && self.position < end) {
		r.self = self.position;
		r.n--;
	}
	if (asker->addr.family == asker->family)
		memcpy(r.ghost, asker->addr.bytes, s->stride - 2);
	r.ghost[s->stride - 2] = (uint8_t)(asker->port >> 8);
	r.ghost[s->stride - 1] = (uint8_t)asker->port;
	return r;
}

/* Candidate `i` of a range, as a position. */
static inline uint32_t position_of(const struct range *r, uint32_t i)
{
	return r->first + i + (r->first + i >= r->self);
}

/* Both sizes known to the compiler: this runs for every peer of every list. */
static inline bool endpoint_copy(const uint8_t *from, const uint8_t *ghost, size_t size,
                                 struct swarm_endpoint *out)
{
	if (memcmp(from, ghost, size + 2) == 0)
		return false;
	memset(out->addr.bytes, 0, sizeof(out->addr.bytes));
	memcpy(out->addr.bytes, from, size);
	out->addr.family = size == 4 ? IP_V4 : IP_V6;
	out->port = (uint16_t)(from[size] << 8 | from[size + 1]);
	return true;
}

/* False when it is a ghost of the asker. */
static inline bool deliver(const struct range *r, uint32_t i, struct swarm_endpoint *out)
{
	const uint32_t position = position_of(r, i);
	const uint8_t *from = endpoint_at(r->side, r->bucket, position);
	if (r->side->stride == 6 ? !endpoint_copy(from, r->ghost, 4, out)
	                         : !endpoint_copy(from, r->ghost, 16, out))
		return false;
	if (!r->compact)
		memcpy(out->peer_id, peer_at(r->side, r->bucket, position)->id, PEER_ID_SIZE);
	return true;
}

/* A random subset, and one more candidate for each ghost in it. */
static size_t draw_some(const struct range *r, size_t count, uint64_t *seed,
                        struct swarm_endpoint *out)
{
	struct set drawn;
	uint32_t picks[SWARM_DRAW_MAX];
	set_init(&drawn, count + SPARE_DRAWS);
	for (uint32_t i = 0; i < count; i++) {
		const uint32_t last = r->n - (uint32_t)count + i;
		picks[i] = random_below(seed, last + 1);
		if (!set_add(&drawn, picks[i])) {
			picks[i] = last;
			(void)set_add(&drawn, last);
		}
		__builtin_prefetch(endpoint_at(r->side, r->bucket, position_of(r, picks[i])));
	}
	size_t n = 0;
	for (uint32_t i = 0; i < count; i++)
		n += deliver(r, picks[i], &out[n]);
	for (size_t used = count, spare = SPARE_DRAWS; n < count && spare > 0 && used < r->n;) {
		const uint32_t pick = random_below(seed, r->n);
		if (!set_add(&drawn, pick))
			continue;
		n += deliver(r, pick, &out[n]);
		used++;
		spare--;
	}
	return n;
}

size_t swarm_draw(const struct swarm_visit *v, const struct swarm_asker *asker, uint32_t handle,
                  size_t count, bool seeds_only, uint64_t *seed, struct swarm_endpoint *out)
{
	if (count == 0 || (seeds_only && asker->seeding))
		return 0;
	const struct range r = range_of(v, asker, handle, seeds_only);
	if (count > SWARM_DRAW_MAX)
		count = SWARM_DRAW_MAX;
	if (count < r.n)
		return draw_some(&r, count, seed, out);
	size_t n = 0;
	for (uint32_t i = 0; i < r.n; i++)
		n += deliver(&r, i, &out[n]);
	return n;
}
