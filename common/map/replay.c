/* SPDX-License-Identifier: Apache-2.0 */
#include "common/map/replay.h"

#include "common/base/random.h"

#include <stdlib.h>
#include <string.h>

#define COST_BYTES 1e9

__extension__ typedef unsigned __int128 wide;

/* A part of a place of before: what of it is in a place after. */
struct part {
	uint32_t before, after;
	uint64_t peers, addresses;
	uint64_t share; /* once sealed: the one of both that counts */
};

struct replay {
	const struct map_snapshot *before, *after;
	uint32_t provider_before, provider_after;
	struct part *parts;
	size_t n, room;
	uint32_t *index; /* number in parts, + 1; 0: free */
	size_t mask;
	bool sealed;
	uint32_t *
		first; /* once sealed: of the parts of a place of before, which are sorted; then n */
	uint32_t *renamed; /* by place of before: of that name after, NOT_YET, or NOWHERE */
	uint32_t *edges;   /* by interconnect of before: of that name after, or NO_INTERCONNECT */
	size_t n_places;
};

#define NOT_YET UINT32_MAX
#define NOWHERE (UINT32_MAX - 1)
enum { FIRST_ROOM = 256 };

/* ---- names ---- */

static uint32_t provider_of(const struct map_snapshot *s, const char *name)
{
	const size_t n = s != NULL ? snapshot_counts(s).providers : 0;
	for (uint32_t i = 0; i < n; i++)
		if (strcmp(snapshot_provider_name(s, i), name) == 0)
			return i;
	return NO_PROVIDER;
}

/* The place of the same name; NOWHERE: there is none any more. */
static uint32_t renamed(struct replay *r, uint32_t place)
{
	char key[PLACE_KEY_MAX];
	if (place == PLACE_UNKNOWN)
		return PLACE_UNKNOWN;
	if (r->renamed[place] != NOT_YET)
		return r->renamed[place];
	snapshot_place_key(r->before, place, key);
	const uint32_t found = snapshot_place_find(r->after, key);
	r->renamed[place] = found != PLACE_UNKNOWN ? found : NOWHERE;
	return r->renamed[place];
}

static void match_interconnects(struct replay *r)
{
	const size_t n = r->before != NULL ? snapshot_counts(r->before).interconnects : 0;
	for (uint32_t i = 0; i < n; i++) {
		const struct map_interconnect_info x = snapshot_interconnect(r->before, i);
		r->edges[i] = x.provider_index == r->provider_before
		                      ? snapshot_interconnect_find(r->after, x.provider, x.id)
		                      : NO_INTERCONNECT;
	}
}

struct replay *replay_new(const struct map_snapshot *before, const struct map_snapshot *after,
                          const char *provider)
{
	struct replay *r = calloc(1, sizeof(*r));
	if (r == NULL)
		return NULL;
	r->before = before;
	r->after = after;
	r->provider_before = provider_of(before, provider);
	r->provider_after = provider_of(after, provider);
	r->n_places = before != NULL ? snapshot_counts(before).places : 1;
	r->renamed = malloc(r->n_places * sizeof(*r->renamed));
	r->first = malloc((r->n_places + 1) * sizeof(*r->first));
	r->edges = calloc(before != NULL ? snapshot_counts(before).interconnects + 1 : 1,
	                  sizeof(*r->edges));
	if (r->renamed == NULL || r->first == NULL || r->edges == NULL) {
		replay_free(r);
		return NULL;
	}
	memset(r->renamed, 0xff, r->n_places * sizeof(*r->renamed));
	match_interconnects(r);
	return r;
}

void replay_free(struct replay *r)
{
	if (r == NULL)
		return;
	free(r->parts);
	free(r->index);
	free(r->first);
	free(r->renamed);
	free(r->edges);
	free(r);
}

/* ---- who is where ---- */

static size_t slot_of(const struct replay *r, uint32_t before, uint32_t after)
{
	size_t at = random_mix((uint64_t)before << 32 | after) & r->mask;
	while (r->index[at] != 0 && (r->parts[r->index[at] - 1].before != before ||
	                             r->parts[r->index[at] - 1].after != after))
		at = (at + 1) & r->mask;
	return at;
}

static enum err grow(struct replay *r)
{
	const size_t room = r->room > 0 ? 2 * r->room : FIRST_ROOM;
	struct part *parts = realloc(r->parts, room * sizeof(*parts));
	uint32_t *index = parts != NULL ? calloc(2 * room, sizeof(*index)) : NULL;
	r->parts = parts != NULL ? parts : r->parts;
	if (index == NULL)
		return ERR_NOMEM;
	free(r->index);
	r->index = index;
	r->mask = 2 * room - 1;
	r->room = room;
	for (size_t i = 0; i < r->n; i++)
		r->index[slot_of(r, r->parts[i].before, r->parts[i].after)] = (uint32_t)i + 1;
	return ERR_OK;
}

/* NULL when out of memory. */
static struct part *part_of(struct replay *r, uint32_t before, uint32_t after)
{
	must(before < r->n_places && !r->sealed);
	if (r->n == r->room && grow(r) != ERR_OK)
		return NULL;
	const size_t slot = slot_of(r, before, after);
	if (r->index[slot] == 0) {
		r->parts[r->n++] = (struct part){ .before = before, .after = after };
		r->index[slot] = (uint32_t)r->n;
	}
	return &r->parts[r->index[slot] - 1];
}

enum err replay_peers(struct replay *r, uint32_t before, uint32_t after, uint64_t peers)
{
	struct part *p = part_of(r, before, after);
	if (p == NULL)
		return ERR_NOMEM;
	p->peers += peers;
	return ERR_OK;
}

enum err replay_addresses(struct replay *r, uint32_t before, uint32_t after, uint64_t addresses)
{
	struct part *p = part_of(r, before, after);
	if (p == NULL)
		return ERR_NOMEM;
	p->addresses += addresses;
	return ERR_OK;
}

static bool is_anybodys_pid(const struct map_snapshot *s, uint32_t place)
{
	return snapshot_place(s, place).provider != NO_PROVIDER;
}

struct replay_live replay_live(struct replay *r)
{
	struct replay_live live = { 0 };
	for (size_t i = 0; i < r->n; i++) {
		const struct part *p = &r->parts[i];
		const uint32_t was = snapshot_owner(r->before, p->before);
		const uint32_t is = snapshot_owner(r->after, p->after);
		if ((was == NO_PROVIDER || was != r->provider_before) &&
		    (is == NO_PROVIDER || is != r->provider_after))
			continue;
		live.peers += p->peers;
		live.moved += renamed(r, p->before) != p->after ? p->peers : 0;
		live.default_before += is_anybodys_pid(r->before, p->before) ? 0 : p->peers;
		live.default_after += is_anybodys_pid(r->after, p->after) ? 0 : p->peers;
	}
	return live;
}

/* ---- parts of places ---- */

static int by_share(const void *a, const void *b)
{
	const struct part *x = a, *y = b;
	if (x->before != y->before)
		return x->before < y->before ? -1 : 1;
	if (x->peers != y->peers)
		return x->peers > y->peers ? -1 : 1;
	if (x->addresses != y->addresses)
		return x->addresses > y->addresses ? -1 : 1;
	return (x->after > y->after) - (x->after < y->after);
}

/* Peers count where there are any, else addresses. */
static void seal(struct replay *r)
{
	size_t i = 0;
	if (r->n > 0)
		qsort(r->parts, r->n, sizeof(*r->parts), by_share);
	r->sealed = true;
	for (uint32_t place = 0; place < r->n_places; place++) {
		r->first[place] = (uint32_t)i;
		const bool lived = i < r->n && r->parts[i].before == place && r->parts[i].peers > 0;
		for (; i < r->n && r->parts[i].before == place; i++)
			r->parts[i].share = lived ? r->parts[i].peers : r->parts[i].addresses;
	}
	r->first[r->n_places] = (uint32_t)r->n;
}

/* Into which places a place goes, the largest part first. */
struct shares {
	const struct part *list;
	size_t n;
	wide sum;
	struct part alone; /* of a place that nothing was said of */
};

static void shares_of(struct replay *r, uint32_t place, size_t most, struct shares *out)
{
	const size_t n = r->first[place + 1] - r->first[place];
	const struct part *list = n > 0 ? &r->parts[r->first[place]] : NULL;
	out->list = list;
	out->n = 0;
	out->sum = 0;
	while (out->n < n && out->n < most && list[out->n].share > 0)
		out->sum += list[out->n++].share;
	if (out->n > 0)
		return;
	const uint32_t same = renamed(r, place);
	out->alone = (struct part){ .before = place,
		                    .after = same != NOWHERE ? same : PLACE_UNKNOWN,
		                    .share = 1 };
	out->list = &out->alone;
	out->n = 1;
	out->sum = 1;
}

/* How many parts of a place may count, so that all pairs are no more than REPLAY_PAIRS_MAX. */
static size_t parts_allowed(struct replay *r, const struct replay_cell *cells, size_t n)
{
	struct shares from, to;
	for (size_t most = MAP_PLACES_MAX; most > 1; most /= 4) {
		uint64_t pairs = 0;
		for (size_t i = 0; i < n && pairs <= REPLAY_PAIRS_MAX; i++) {
			if (!cells[i].placed)
				continue;
			shares_of(r, cells[i].from, most, &from);
			shares_of(r, cells[i].to, most, &to);
			pairs += (uint64_t)from.n * to.n;
		}
		if (pairs <= REPLAY_PAIRS_MAX)
			return most;
	}
	return 1;
}

/* ---- books ---- */

/* Where bytes of a pair go in one map's book. */
struct entry {
	enum { ENTRY_LEFT, ENTRY_LOCAL, ENTRY_OUT, ENTRY_IN } kind;
	uint32_t interconnect;
};

static struct entry entry_of(const struct map_snapshot *s, uint32_t provider, uint32_t from,
                             uint32_t to)
{
	const uint32_t p = snapshot_place(s, from).provider, q = snapshot_place(s, to).provider;
	const bool sends = p != NO_PROVIDER && p == provider;
	const bool gets = q != NO_PROVIDER && q == provider;
	if (!sends && !gets)
		return (struct entry){ ENTRY_LEFT, NO_INTERCONNECT };
	if (sends && gets)
		return (struct entry){ ENTRY_LOCAL, NO_INTERCONNECT };
	/* An address of its own ASN that is in no PID is still at home. */
	if (snapshot_owner(s, sends ? to : from) == provider)
		return (struct entry){ ENTRY_LOCAL, NO_INTERCONNECT };
	const struct map_pair pair = snapshot_pair(s, from, to);
	return sends ? (struct entry){ ENTRY_OUT, pair.out } : (struct entry){ ENTRY_IN, pair.in };
}

static void book(struct replay_book *b, struct entry e, uint64_t bytes)
{
	struct replay_crossing *x =
		e.interconnect != NO_INTERCONNECT ? &b->crossings[e.interconnect] : &b->unknown;
	switch (e.kind) {
	case ENTRY_LEFT:
		b->left += bytes;
		return;
	case ENTRY_LOCAL:
		b->local += bytes;
		return;
	case ENTRY_OUT:
		b->all.out += bytes;
		x->out += bytes;
		return;
	case ENTRY_IN:
		b->all.in += bytes;
		x->in += bytes;
		return;
	}
	must(false);
}

static enum err book_new(struct replay_book *b, const struct map_snapshot *s)
{
	*b = (struct replay_book){ .n = s != NULL ? snapshot_counts(s).interconnects : 0 };
	b->crossings = calloc(b->n + 1, sizeof(*b->crossings));
	return b->crossings == NULL ? ERR_NOMEM : ERR_OK;
}

static void sum_cost(struct replay_book *b, const struct map_snapshot *s)
{
	for (uint32_t i = 0; i < b->n; i++) {
		const struct map_crossing cost = snapshot_cost(s, i);
		b->cost += (double)b->crossings[i].out / COST_BYTES * cost.out +
		           (double)b->crossings[i].in / COST_BYTES * cost.in;
	}
}

void replay_outcome_done(struct replay_outcome *o)
{
	free(o->before.crossings);
	free(o->after.crossings);
	*o = (struct replay_outcome){ 0 };
}

/* What part k of `bytes` is when the parts before it come to `below`; they add up to `bytes`. */
static uint64_t portion(uint64_t bytes, wide below, uint64_t part, wide sum)
{
	return (uint64_t)(bytes * (below + part) / sum - bytes * below / sum);
}

static uint32_t edge_after(const struct replay *r, uint32_t interconnect)
{
	return interconnect != NO_INTERCONNECT ? r->edges[interconnect] : NO_INTERCONNECT;
}

/* One part of the sender's bytes, to all parts of the receiver's place. */
/* NOLINTNEXTLINE(readability-function-size): a pair, its share, and where it is booked */
static void run_part(struct replay *r, const struct replay_cell *c, const struct shares *to,
                     const struct part *from, struct entry was, uint64_t bytes,
                     struct replay_outcome *out)
{
	wide below = 0;
	for (size_t k = 0; k < to->n; k++) {
		const struct part *part = &to->list[k];
		const uint64_t share = portion(bytes, below, part->share, to->sum);
		below += part->share;
		if (share == 0)
			continue;
		const struct entry is =
			entry_of(r->after, r->provider_after, from->after, part->after);
		book(&out->after, is, share);
		if (renamed(r, c->from) != from->after || renamed(r, c->to) != part->after ||
		    is.kind != was.kind || edge_after(r, was.interconnect) != is.interconnect)
			out->changed += share;
	}
}

static void run_placed(struct replay *r, const struct replay_cell *c, size_t most,
                       struct replay_outcome *out)
{
	struct shares from, to;
	wide below = 0;
	const struct entry was = entry_of(r->before, r->provider_before, c->from, c->to);
	book(&out->before, was, c->bytes);
	shares_of(r, c->from, most, &from);
	shares_of(r, c->to, most, &to);
	for (size_t k = 0; k < from.n; k++) {
		const struct part *part = &from.list[k];
		run_part(r, c, &to, part, was, portion(c->bytes, below, part->share, from.sum),
		         out);
		below += part->share;
	}
}

static void run_unplaced(const struct replay *r, const struct replay_cell *c,
                         struct replay_outcome *out)
{
	struct entry e = { c->direction == REPLAY_INSIDE ? ENTRY_LOCAL
		           : c->direction == REPLAY_OUT  ? ENTRY_OUT
		                                         : ENTRY_IN,
		           c->interconnect };
	book(&out->before, e, c->bytes);
	e.interconnect = edge_after(r, c->interconnect);
	book(&out->after, e, c->bytes);
	out->unplaced += c->bytes;
	if (c->interconnect != NO_INTERCONNECT && e.interconnect == NO_INTERCONNECT)
		out->changed += c->bytes;
}

enum err replay_run(struct replay *r, const struct replay_cell *cells, size_t n,
                    struct replay_outcome *out)
{
	struct replay_outcome o = { 0 };
	if (book_new(&o.before, r->before) != ERR_OK || book_new(&o.after, r->after) != ERR_OK) {
		replay_outcome_done(&o);
		return ERR_NOMEM;
	}
	seal(r);
	const size_t most = parts_allowed(r, cells, n);
	for (size_t i = 0; i < n; i++) {
		o.bytes += cells[i].bytes;
		if (cells[i].placed)
			run_placed(r, &cells[i], most, &o);
		else
			run_unplaced(r, &cells[i], &o);
	}
	sum_cost(&o.before, r->before);
	sum_cost(&o.after, r->after);
	*out = o;
	return ERR_OK;
}
