/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/choice/world.h"

/*
 * A swarm over hours: clients of several providers come, announce at the interval, complete, stop, or
 * die without a word and are swept away; the map changes twice. What must hold, of the clients of one
 * address family:
 *
 *   no islands   of a provider that has leechers and no seed that uploads, while one is anywhere that may,
 *                some leecher has a contact that is a seed. When that is lost, it is mended at the next
 *                announce of who had it: within one interval. If that one stops before, at the next
 *                announce of any other: within two. If it dies without a word, its contacts count until
 *                its time is over, and those that others made to it before it was swept away until theirs
 *                is: within one interval after that, at most two lifetimes. And a new map forgets who met,
 *                and swarms are relocated bit by bit: one interval more
 *   budgets      no announce makes more contacts than the rules say for what is there: counted here once
 *                more, from the clients and the books. (Others may make contacts to a provider without
 *                end; a book has at most BRIDGE_EDGES_MAX)
 *   memory       never more than was given
 *
 * Dead is who was swept away: nobody knows earlier.
 */

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED
#endif
#ifdef SANITIZED
enum { EVENTS = 300000 };
#else
enum { EVENTS = 1000000 };
#endif

enum { ISPS = 8, PEOPLE = 400, STEP = 100, TAGS = 4096, FAR_MAX = 8, FAMILIES = 2 };
_Static_assert(INTERVAL % STEP == 0, "all announce in an interval of steps");

enum state { OUT, LIVE, SILENT };

struct person {
	enum state state;
	struct body body;
	uint32_t last, next; /* announce */
	int follower;        /* of the same tag slot, or -1 */
};

struct replay {
	struct world *w;
	struct isp isps[ISPS];
	unsigned first; /* provider of the map */
	struct person people[PEOPLE];
	int by_tag[TAGS];
	uint32_t serial, changed;      /* when the map was */
	uint32_t fine[ISPS][FAMILIES]; /* when it was no island, last */
	uint32_t held[ISPS][FAMILIES]; /* or its book said so */
	uint32_t dead[ISPS][FAMILIES]; /* because of somebody dead */
	bool island[ISPS][FAMILIES];
	struct swarm_sweep sweep;
	uint64_t seed;
	uint32_t activity; /* percent of clients to whom something happens in a step */
	bool hasty;        /* clients come back as soon as they are told */
	uint64_t events, mended;
	uint32_t longest; /* island */
};

static bool percent(struct replay *r, uint32_t n)
{
	return random_below(&r->seed, 1000) < 10 * n;
}

static uint32_t tag_of(const struct person *p)
{
	return swarm_tag_of(identity_of(&p->body));
}

static void remember(struct replay *r, int i)
{
	int *at = &r->by_tag[tag_of(&r->people[i]) % TAGS];
	r->people[i].follower = *at;
	*at = i;
}

static void forget(struct replay *r, int i)
{
	int *at = &r->by_tag[tag_of(&r->people[i]) % TAGS];
	while (*at != i)
		at = &r->people[*at].follower;
	*at = r->people[i].follower;
}

/* Of those that the tracker has, by as much of a tag as a book keeps of near ones; NULL: nobody. */
static const struct person *find_person(const struct replay *r, uint32_t tag)
{
	int i = r->by_tag[tag % TAGS];
	while (i >= 0 &&
	       (((tag_of(&r->people[i]) ^ tag) & BRIDGE_NEAR) != 0 || r->people[i].state == OUT))
		i = r->people[i].follower;
	return i < 0 ? NULL : &r->people[i];
}

/* ---- what one announce may do ---- */

struct before {
	unsigned n;
	uint32_t far[BRIDGE_EDGES_MAX];
};

static void note_before(struct replay *r, const struct person *p, struct before *out)
{
	const struct bridge_book *book = book_of(r->w, p->body.pid);
	const uint32_t tag = tag_of(p);
	out->n = 0;
	if (book != NULL)
		for (unsigned i = 0; (i = bridge_next(book, i, tag)) < book->n; i++)
			out->far[out->n++] = book->edges[i].far;
}

static bool was_there(const struct before *b, uint32_t far)
{
	for (unsigned i = 0; i < b->n; i++)
		if (b->far[i] == far)
			return true;
	return false;
}

static uint32_t beyond(uint32_t limit, uint32_t used)
{
	return limit > used ? limit - used : 0;
}

static uint32_t larger(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

/* The rules of common/steer/steer.h, in other words. */
static uint32_t limit(const struct replay *r, const struct person *p, bool settled,
                      uint32_t contacts, uint32_t own, bool reached)
{
	const struct steer_rules *rules = &r->w->rules;
	const unsigned provider = provider_of(p->body.pid);
	uint32_t seeds = 0, leechers = 0, budget, each = STEER_CONTACTS;
	for (unsigned i = 0; i < PEOPLE; i++) {
		const struct person *o = &r->people[i];
		if (o->state == OUT || provider_of(o->body.pid) != provider ||
		    o->body.wide != p->body.wide)
			continue;
		seeds += o->body.seed && r->isps[provider].uploads == UPLOADS_NORMAL;
		leechers += !o->body.seed;
	}
	const struct bridge_book *book = book_of(r->w, p->body.pid);
	const bool starved =
		r->w->choice.standing.starved && r->w->now - book->born >= STEER_PATIENCE;
	const uint32_t percents = larger(rules->free_percent, rules->paid_percent);
	budget = (leechers * percents * (starved && seeds == 0 ? 2 : 1) + 99) / 100;
	budget = budget < STEER_CONTACTS_MAX ? larger(budget, STEER_SAFETY) : STEER_CONTACTS_MAX;
	if (seeds > 0 && !starved) {
		budget = STEER_SAFETY;
		each = 1;
	} else if (seeds == 0 && starved) {
		each *= 2;
	}
	if (p->body.seed)
		budget = 0;
	budget = beyond(budget, contacts);
	each = beyond(each, own);
	const uint32_t near = (uint32_t)(r->w->n - count_far(r->w, provider));
	const uint32_t health = beyond(settled ? STEER_HEALTH : STEER_CONTACTS, near + own);
	const bool island = !p->body.seed && seeds == 0 && !reached;
	return larger(budget < each ? budget : each, larger(health, island));
}

/* Of two who met when there was no room in one of their books, and met again. */
static bool is_again(const struct bridge_book *book, unsigned i)
{
	for (unsigned k = 0; k < i; k++)
		if (book->edges[k].near == book->edges[i].near &&
		    book->edges[k].far == book->edges[i].far)
			return true;
	return false;
}

static void check_budget(struct replay *r, const struct person *p, bool known,
                         const struct before *before)
{
	const struct bridge_book *book = book_of(r->w, p->body.pid);
	const uint32_t tag = tag_of(p);
	uint32_t made = 0, contacts = 0, own = 0;
	bool reached = false;
	if (book == NULL)
		return;
	assert_true(book->n <= BRIDGE_EDGES_MAX);
	const bool settled = known || r->w->now - book->born >= STEER_SOON;
	for (unsigned i = 0; i < book->n; i++) {
		const struct bridge_edge *e = &book->edges[i];
		if (e->near == (tag & BRIDGE_NEAR) && !was_there(before, e->far)) {
			made += !is_again(book, i);
			continue;
		}
		own += e->near == (tag & BRIDGE_NEAR) && !is_again(book, i);
		contacts += e->pulls;
		reached |= e->far_seed && e->wide == p->body.wide;
	}
	assert_true(made <= limit(r, p, settled, contacts, own < FAR_MAX ? own : FAR_MAX, reached));
}

static void speak(struct replay *r, int i)
{
	struct person *p = &r->people[i];
	struct before before = { 0 };
	const bool known = p->state != OUT;
	const bool mapped = provider_of(p->body.pid) >= r->first;
	r->events++;
	if (p->state == OUT)
		remember(r, i);
	p->state = LIVE;
	p->last = r->w->now;
	if (mapped)
		note_before(r, p, &before);
	r->w->seconds = percent(r, 80) ? 0 : STEER_PATIENCE; /* nothing received: it starves */
	(void)announce(r->w, &p->body, 50);
	const uint32_t soon = r->hasty ? (r->w->choice.soon + STEP - 1) / STEP * STEP : 0;
	p->next = r->w->now + (soon > 0 && soon < INTERVAL ? soon : INTERVAL);
	if (mapped && r->w->now >= r->changed + INTERVAL)
		check_budget(r, p, known, &before);
}

/* ---- what happens ---- */

static void come(struct replay *r, int i)
{
	struct person *p = &r->people[i];
	if (p->body.n == 0 || percent(r, 70)) {
		const unsigned isp = random_below(&r->seed, percent(r, 50) ? 3 : ISPS);
		p->body = (struct body){ .pid = PIDS_EACH * isp +
			                        random_below(&r->seed, r->isps[isp].pids),
			                 .n = ++r->serial,
			                 .wide = percent(r, 20) };
	}
	p->body.seed = percent(r, 4);
	speak(r, i);
}

static void go(struct replay *r, int i)
{
	forget(r, i);
	r->people[i].state = OUT;
}

static void happen(struct replay *r, int i)
{
	struct person *p = &r->people[i];
	r->events++;
	if (p->state == OUT) {
		come(r, i);
	} else if (p->state == LIVE && percent(r, p->body.seed ? 45 : 20)) {
		stop(r->w, &p->body);
		go(r, i);
	} else if (p->state == LIVE && percent(r, p->body.seed ? 45 : 20)) {
		p->state = SILENT;
	} else if (p->state == LIVE && !p->body.seed && percent(r, 8)) {
		p->body.seed = true;
		speak(r, i);
	} else if (p->state == SILENT && percent(r, 10)) {
		speak(r, i); /* it was only away */
	}
}

static void expire(struct replay *r)
{
	const uint64_t end = r->sweep.shards + 2;
	while (r->sweep.shards < end)
		(void)swarm_sweep(r->w->store, &r->sweep, r->w->now);
	for (int i = 0; i < PEOPLE; i++)
		if (r->people[i].state == SILENT && r->people[i].last + TIMEOUT < r->w->now)
			go(r, i);
}

static void change_map(struct replay *r, unsigned first)
{
	snapshot_free(r->w->map);
	r->w->map = map_of(r->isps, first, ISPS);
	r->w->map_number++;
	r->first = first;
	r->changed = r->w->now;
	for (unsigned i = 0; i < ISPS; i++)
		for (unsigned wide = 0; wide < FAMILIES; wide++)
			r->fine[i][wide] = r->held[i][wide] = r->dead[i][wide] =
				r->w->now + INTERVAL;
}

/* ---- islands ---- */

/* Leechers of its own and no seed, and a seed elsewhere that may be used. */
static bool depends(const struct replay *r, unsigned isp, bool wide)
{
	bool leeches = false, usable = false;
	for (unsigned i = 0; i < PEOPLE; i++) {
		const struct person *p = &r->people[i];
		const unsigned other = provider_of(p->body.pid);
		if (p->state == OUT || p->body.wide != wide)
			continue;
		if (other == isp && p->body.seed && r->isps[isp].uploads == UPLOADS_NORMAL)
			return false;
		leeches |= other == isp && p->state == LIVE && !p->body.seed;
		usable |= other != isp && p->body.seed &&
		          (other < r->first || r->isps[other].uploads != UPLOADS_NEVER);
	}
	return leeches && usable;
}

/* What a book says of seeds, and what is true. */
struct claims {
	bool true_ones, lost, of_dead;
};

static struct claims claims_of(struct replay *r, unsigned isp, bool wide)
{
	const struct bridge_book *book = book_of(r->w, PIDS_EACH * isp);
	struct claims c = { 0 };
	for (unsigned i = 0; book != NULL && i < book->n; i++) {
		const struct bridge_edge *e = &book->edges[i];
		const struct person *near = find_person(r, e->near), *far = find_person(r, e->far);
		if (!e->far_seed || e->wide != wide)
			continue;
		if (near == NULL || near->state == SILENT)
			c.of_dead = true;
		else if (far == NULL || !far->body.seed || near->body.seed)
			c.lost = true;
		else
			c.true_ones = true;
	}
	return c;
}

static void check_island(struct replay *r, unsigned isp, bool wide)
{
	const uint32_t now = r->w->now;
	uint32_t *fine = &r->fine[isp][wide], *held = &r->held[isp][wide],
		 *dead = &r->dead[isp][wide];
	const bool depending = depends(r, isp, wide);
	const struct claims c = depending ? claims_of(r, isp, wide) : (struct claims){ 0 };
	if (!depending || c.true_ones) {
		r->mended += r->island[isp][wide] && depending;
		r->island[isp][wide] = false;
		*fine = *held = *dead = larger(*fine, now);
		return;
	}
	r->island[isp][wide] = true;
	if (c.lost || c.of_dead)
		*held = larger(*held, now);
	if (c.of_dead)
		*dead = larger(*dead, now);
	const uint32_t since = beyond(now, *fine);
	r->longest = larger(r->longest, since);
	if (beyond(now, *held) > INTERVAL || beyond(now, *dead) > 2 * INTERVAL ||
	    since > 2 * (INTERVAL + TIMEOUT))
		fail_msg("provider %u is an island (IPv%c) for %u seconds at %u", isp,
		         wide ? '6' : '4', since, now);
}

static void check_islands(struct replay *r)
{
	for (unsigned isp = r->first; isp < ISPS; isp++)
		for (unsigned wide = 0; wide < FAMILIES; wide++)
			check_island(r, isp, wide);
}

/* ---- the replay ---- */

static void describe_isps(struct replay *r)
{
	for (unsigned i = 0; i < ISPS; i++) {
		r->isps[i].pids = 1 + random_below(&r->seed, PIDS_EACH);
		r->isps[i].up_kbps = 500U << random_below(&r->seed, 8);
	}
	for (unsigned i = 0; i < ISPS; i++)
		for (unsigned k = 0; k < i; k++)
			if (percent(r, 30)) {
				r->isps[i].friends |= 1U << k;
				r->isps[k].friends |= 1U << i;
			}
	r->isps[ISPS - 1].uploads = UPLOADS_NEVER;
	r->isps[ISPS - 2].uploads = UPLOADS_AVOID;
}

static struct replay *replay_new(uint64_t seed, size_t max_bytes)
{
	struct replay *r = calloc(1, sizeof(*r));
	assert_non_null(r);
	r->seed = random_mix(seed + 1);
	describe_isps(r);
	r->w = world_new(r->isps, ISPS, max_bytes);
	r->w->seed = r->seed + 1;
	r->w->rules.free_percent = random_below(&r->seed, 120);
	r->w->rules.paid_percent = random_below(&r->seed, r->w->rules.free_percent + 1);
	r->w->now = 1000000 * (uint32_t)seed / STEP * STEP;
	r->hasty = seed % 2 == 1;
	r->activity = 1 + random_below(&r->seed, 6);
	memset(r->by_tag, -1, sizeof(r->by_tag));
	change_map(r, 0);
	return r;
}

static void step(struct replay *r, bool islands)
{
	r->w->now += STEP;
	expire(r);
	for (int i = 0; i < PEOPLE; i++)
		if (percent(r, r->activity))
			happen(r, i);
	for (int i = 0; i < PEOPLE; i++)
		if (r->people[i].state == LIVE && r->people[i].next <= r->w->now)
			speak(r, i);
	if (islands)
		check_islands(r);
}

static void replay_free(struct replay *r)
{
	world_free(r->w);
	free(r);
}

static void no_provider_stays_an_island(void **state)
{
	(void)state;
	enum { REPLAYS = 20 };
	uint64_t mended = 0, refused = 0;
	uint32_t longest = 0;
	for (uint64_t seed = 0; seed < REPLAYS; seed++) {
		struct replay *r = replay_new(seed, 1 << 24);
		while (r->events < EVENTS / REPLAYS) {
			const uint64_t third = r->events * 3 * REPLAYS / EVENTS;
			if (third + 1 > r->w->map_number - 1)
				change_map(r, third % 2);
			step(r, true);
		}
		refused += bridge_totals(r->w->bridges).refused;
		mended += r->mended;
		longest = larger(longest, r->longest);
		replay_free(r);
	}
	print_message("# %lu mended, the longest after %u s; %lu entries for full books\n",
	              (unsigned long)mended, longest, (unsigned long)refused);
	assert_true(mended > EVENTS / 1000);
}

static void memory_is_never_exceeded(void **state)
{
	(void)state;
	for (size_t max_bytes = 100; max_bytes < 6000; max_bytes *= 3) {
		struct replay *r = replay_new(max_bytes, max_bytes);
		while (r->events < 20000) {
			step(r, false);
			assert_true(bridge_totals(r->w->bridges).bytes <= max_bytes);
		}
		assert_true(bridge_totals(r->w->bridges).refused > 0);
		replay_free(r);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(no_provider_stays_an_island),
	cmocka_unit_test(memory_is_never_exceeded),
};

RUN_TESTS(tests)
