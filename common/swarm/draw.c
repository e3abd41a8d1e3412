/* SPDX-License-Identifier: Apache-2.0 */
#include "common/swarm/crowd.h"

#include "common/base/random.h"

#include <string.h>

/*
 * A candidate is a number in its part of a survey, and a draw is drawing numbers. Of up to STRATA_FROM
 * every subset is equally likely (Floyd's method: Bentley, "Programming pearls", CACM 30(9), 1987),
 * which makes exact that the asker is skipped by renumbering. Of more, strata are drawn from: there
 * the difference shows only in pairs of neighbours, and a draw costs a third.
 *
 * First all that is drawn is found, as stretches of records that stand next to each other, and asked
 * for from memory; then it is read.
 */
enum { STRATA_FROM = 256, SPARE_DRAWS = 16, CACHE_LINE = 64 };

struct stretch {
	const struct record *first;
	uint32_t n;
};

struct draw {
	const struct swarm_range *range;
	const struct sequence *sequence;
	const struct directory *directory; /* NULL: the sequence is a block */
	uint32_t run, chunk;               /* in which the last record was found */
	float chunks_each;                 /* by rank */
	size_t n;
	struct stretch *stretches; /* SWARM_DRAW_MAX */

	bool wide, same_family, keyed;
	uint64_t tag;
	uint8_t endpoint[ENDPOINT_V6]; /* the asker's, when it is of this family */
};

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* ---- from numbers to records ---- */

/* The rank of a candidate, and how many candidates there are from it on without a gap. */
static uint32_t rank_of(struct draw *d, uint32_t number, uint32_t *straight)
{
	const struct swarm_range *r = d->range;
	uint32_t i = number, most = UINT32_MAX, run = 0;
	if (r->self >= 0 && number < r->self)
		most = (uint32_t)r->self - number;
	else if (r->self >= 0)
		i++;
	for (; i >= r->runs[run].n; run++)
		i -= r->runs[run].n;
	if (run != d->run) {
		d->run = run;
		d->chunk = r->runs[run].chunk;
	}
	*straight = least(most, r->runs[run].n - i);
	return r->runs[run].first + i;
}

static uint32_t clamp(int64_t n, uint32_t most)
{
	return n < 0 ? 0 : n < most ? (uint32_t)n : most;
}

/*
 * The chunk of a rank. Guesses how many chunks on or back that is, for they are about equally full: nearly
 * always right within half a window. That is looked through without a branch (the number of steps is
 * constant, so compilers vectorise it), for where a walk from the guess ends no processor can predict.
 */
static uint32_t chunk_with(const struct draw *d, uint32_t rank)
{
	enum { WINDOW = 16 };
	const struct directory *dir = d->directory;
	const uint32_t *start = dir->start;
	const int64_t off = (int64_t)rank - start[d->chunk];
	const int64_t guess = d->chunk + (int64_t)((float)off * d->chunks_each);
	uint32_t i = clamp(guess, dir->n - 1);
	if (dir->n >= WINDOW) {
		uint32_t n = 0;
		i = clamp(guess - WINDOW / 2, dir->n - WINDOW);
		for (unsigned k = 0; k < WINDOW; k++)
			n += (int32_t)start[i + k] <= (int32_t)rank; /* SSE2 compares signed ones */
		i += n > 0 ? n - 1 : 0;
	}
	while (start[i] > rank)
		i--;
	while (start[i + 1] <= rank)
		i++;
	return i;
}

/* The record of a rank, and how many its chunk has from there on. */
static const struct record *seek(struct draw *d, uint32_t rank, uint32_t *left)
{
	const struct directory *dir = d->directory;
	if (dir == NULL) {
		*left = d->sequence->n - rank;
		return record_at(d->sequence->at, d->wide, rank);
	}
	const uint32_t *start = dir->start;
	if (rank < start[d->chunk] || rank >= start[d->chunk + 1])
		d->chunk = chunk_with(d, rank);
	*left = start[d->chunk + 1] - rank;
	return record_at(dir->chunks[d->chunk], d->wide, rank - start[d->chunk]);
}

static void fetch(const struct record *first, uint32_t n, bool wide)
{
	const char *from = (const char *)first, *end = from + ((size_t)n << record_shift(wide));
	for (const char *p = from; p < end; p += CACHE_LINE)
		__builtin_prefetch(p);
	__builtin_prefetch(end - 1);
}

/* Finds the `n` candidates from a number on; behind the last comes the first. */
static void find_stretch(struct draw *d, uint32_t number, uint32_t n)
{
	while (n > 0) {
		uint32_t straight, left;
		number -= number >= d->range->n ? d->range->n : 0;
		uint32_t rank = rank_of(d, number, &straight);
		straight = least(straight, n);
		number += straight;
		n -= straight;
		for (; straight > 0; straight -= left, rank += left) {
			const struct record *first = seek(d, rank, &left);
			left = least(left, straight);
			fetch(first, left, d->wide);
			d->stretches[d->n++] = (struct stretch){ first, left };
		}
	}
}

/* One candidate: what most draws from small swarms are, so the way is short. */
static void find_one(struct draw *d, uint32_t number)
{
	uint32_t straight, left;
	const struct record *r = seek(d, rank_of(d, number, &straight), &left);
	__builtin_prefetch(r);
	d->stretches[d->n++] = (struct stretch){ r, 1 };
}

/* ---- from records to candidates ---- */

/* The asker itself, by another identity. */
static bool is_ghost(const struct draw *d, const struct record *r)
{
	if (!d->same_family)
		return d->keyed && (r->key & key_of(0, 0, UINT64_MAX)) == d->tag;
	return endpoint_equal(r->endpoint, d->endpoint, d->wide);
}

/* What was found from stretch `from` on, without ghosts. */
static size_t read_out(const struct draw *d, size_t from, struct swarm_candidate *out)
{
	const size_t size = (size_t)1 << record_shift(d->wide);
	size_t n = 0;
	for (size_t i = from; i < d->n; i++) {
		const char *at = (const char *)d->stretches[i].first;
		for (uint32_t k = d->stretches[i].n; k > 0; k--, at += size) {
			const struct record *r = (const void *)at;
			out[n] = candidate_of(r, d->wide);
			n += !is_ghost(d, r);
		}
	}
	return n;
}

/* ---- draws ---- */

/* Floyd's method is for ranges of up to STRATA_FROM, and for those of which a half or more is drawn. */
enum { SUBSET_MAX = 2 * SWARM_DRAW_MAX + 1, WORD_BITS = 64 };
_Static_assert((int)STRATA_FROM <= (int)SUBSET_MAX, "a number is a bit");

/* False when it was there. */
static bool set_add(uint64_t *set, uint32_t value)
{
	uint64_t *word = &set[value / WORD_BITS];
	const uint64_t bit = UINT64_C(1) << value % WORD_BITS, was = *word;
	*word = was | bit;
	return (was & bit) == 0;
}

static void find_subset(struct draw *d, uint32_t count, uint64_t *seed)
{
	uint64_t drawn[SUBSET_MAX / WORD_BITS + 1];
	must(d->range->n <= SUBSET_MAX);
	memset(drawn, 0, (d->range->n / WORD_BITS + 1) * sizeof(*drawn));
	for (uint32_t last = d->range->n - count; last < d->range->n; last++) {
		uint32_t pick = random_below(seed, last + 1);
		if (!set_add(drawn, pick)) {
			pick = last;
			(void)set_add(drawn, last);
		}
		find_one(d, pick);
	}
}

/* Neighbours drawn together: of a list 15 runs at least, so that it stays a mixture. */
static uint32_t run_of(uint32_t count)
{
	return count < 30 ? 1 : count < 60 ? 2 : count < 120 ? 4 : 8;
}

/*
 * Of many: runs of neighbours, one from each of equal strata, the first of which begins at a random
 * candidate. So every candidate is equally likely, nobody is drawn twice, and the ranks ascend, which
 * makes it cheap to find them: each is a few chunks behind the one before. In a long list peers whose
 * tags are next to each other come together, and share a cache line.
 */
static void find_strata(struct draw *d, uint32_t count, uint64_t *seed)
{
	const uint32_t begin = random_below(seed, d->range->n), run = run_of(count);
	const uint64_t step = ((uint64_t)d->range->n << 32) / ((count + run - 1) / run);
	const uint32_t room = (uint32_t)(step >> 32) - run + 1;
	uint64_t low = 0;
	for (uint32_t found = 0; found < count; found += run, low += step)
		find_stretch(d, begin + (uint32_t)(low >> 32) + random_below(seed, room),
		             least(run, count - found));
}

/* Instead of a ghost one that is not among the `n` drawn, if a few draws find one. */
static size_t draw_spare(struct draw *d, uint64_t *seed, struct swarm_candidate *out, size_t n,
                         size_t count)
{
	for (unsigned spare = SPARE_DRAWS; n < count && spare > 0; spare--) {
		size_t i = 0;
		d->n = 0;
		find_one(d, random_below(seed, d->range->n));
		if (read_out(d, 0, &out[n]) == 0)
			continue;
		while (out[i].record != out[n].record)
			i++;
		n += i == n;
	}
	return n;
}

size_t swarm_draw(const struct swarm_visit *v, const struct swarm_survey *survey,
                  enum swarm_part part, size_t want, uint64_t *seed, struct swarm_candidate *out)
{
	const struct swarm_range *r = &survey->part[part];
	const struct swarm_asker *asker = &survey->asker;
	const uint32_t count = least(r->n, want < SWARM_DRAW_MAX ? (uint32_t)want : SWARM_DRAW_MAX);
	if (count == 0)
		return 0;
	struct stretch stretches[SWARM_DRAW_MAX];
	struct draw d = { .range = r,
		          .sequence = &v->swarm->of[is_wide(asker->family)],
		          .run = SWARM_RUNS_MAX,
		          .stretches = stretches,
		          .wide = is_wide(asker->family),
		          .same_family = asker->client.addr.family == asker->family,
		          .keyed = asker->client.keyed,
		          .tag = key_of(0, 0, asker->client.identity) };
	if (d.sequence->tall) {
		d.directory = d.sequence->at;
		d.chunks_each = (float)d.directory->n / (float)d.sequence->n;
	}
	if (d.same_family)
		endpoint_write(&asker->client, d.endpoint);

	if (count == r->n)
		find_stretch(&d, 0, count);
	else if (r->n > STRATA_FROM && r->n / 2 > count)
		find_strata(&d, count, seed);
	else
		find_subset(&d, count, seed);
	const size_t n = read_out(&d, 0, out);
	return count < r->n ? draw_spare(&d, seed, out, n, count) : n;
}

/* ---- what is handed out ---- */

void swarm_endpoint(const struct swarm_visit *v, const struct swarm_candidate *c, bool with_id,
                    struct swarm_endpoint *out)
{
	const struct record *r = c->record;
	const size_t size = c->wide ? 16 : 4;
	memset(out->addr.bytes, 0, sizeof(out->addr.bytes));
	memcpy(out->addr.bytes, r->endpoint, size);
	out->addr.family = c->wide ? IP_V6 : IP_V4;
	out->port = (uint16_t)(r->endpoint[size] << 8 | r->endpoint[size + 1]);
	out->has_peer_id = false;
	if (!with_id || (r->key & FLAG_PEER_ID) == 0)
		return;
	const uint8_t *id =
		peer_ids_find(&v->shard->ids, store_id_hash(v->store, v->swarm, c->wide, r));
	if (id == NULL)
		return;
	memcpy(out->peer_id, id, sizeof(out->peer_id));
	out->has_peer_id = true;
}

uint8_t *swarm_compact(const struct swarm_candidate *c, size_t n, uint8_t *at)
{
	for (size_t i = 0; i < n; i++) /* constant sizes: else each copy is a call */
		if (c[i].wide) {
			memcpy(at, c[i].record->endpoint, ENDPOINT_V6);
			at += ENDPOINT_V6;
		} else {
			memcpy(at, c[i].record->endpoint, ENDPOINT_V4);
			at += ENDPOINT_V4;
		}
	return at;
}
