/* SPDX-License-Identifier: Apache-2.0 */
#include "common/choice/making.h"

#include "common/steer/lean.h"

/*
 * The list of an asker under `bridge`: peers of its own provider, and behind them the far ones that it
 * has met, or meets now.
 */
enum {
	FAR_MAX = 8,        /* far peers in one list, but for the seed of an island */
	SEEDS_SEEN = 8,     /* looked at for a new contact */
	SEEDS_SIFTED = 256, /* where all of those shall not upload */
	OTHERS_SEEN = 12,
	SEED_WEIGHT = 16, /* a seed serves as well as that many leechers with its uplink */
	UPLINK_MAX = STEER_LINE_KBPS_MAX / 1000, /* Mbit/s */
	OWN_TAKERS = 2 /* what a peer gives at home counts as so many takers */
};

struct bridging {
	struct making *m;
	struct bridge_page page;  /* of the asker's provider */
	struct bridge_book *book; /* NULL: none */
	uint32_t tag;
	bool wide, island, wants_seed, starved;
	struct map_leans leans; /* of the asker's provider */
	struct swarm_range elsewhere;
	struct steer_standing standing;
	struct steer_contacts allowed; /* new ones, where no interconnect leans */
	size_t room;                   /* for far peers, in the list */
	size_t n, n_met;               /* far peers; those known from before come first */
	uint32_t unseen; /* known from before, and perhaps under way to the places of a new map */
	struct swarm_candidate far[FAR_MAX + 1];
};

/* How many peers are in a place. */
static uint32_t population_of(const struct making *m, uint32_t place)
{
	struct swarm_asker there = *m->asker->who;
	struct swarm_survey survey;
	there.client.place = place;
	there.counted = true;
	swarm_survey(m->visit, &there, (struct swarm_places){ place, place + 1 }, &survey);
	return survey.near.seeds + survey.near.leechers + survey.near.partial;
}

/* In a rehearsal a copy: number 0 for the book that is read all along, 1 for others. */
static struct bridge_book *look(const struct bridging *b, const struct bridge_page *page,
                                unsigned number)
{
	struct bridge_book *room = b->m->asker->dry[number];
	return room != NULL ? bridge_copy(page, room) : bridge_find(page);
}

static bool is_dry(const struct bridging *b)
{
	return b->m->asker->dry[0] != NULL;
}

/* Of the provider of a place; strangers have none. */
static struct bridge_page page_of(const struct choice_asker *asker, uint32_t place)
{
	struct bridge_page page = asker->page;
	const uint32_t provider = snapshot_place(asker->map, place).provider;
	if (provider != NO_PROVIDER)
		page.provider = snapshot_provider_hash(asker->map, provider);
	else
		page.store = NULL;
	return page;
}

/* ---- who met before ---- */

static bool is_far(const struct bridging *b, const struct swarm_candidate *one)
{
	for (size_t i = 0; i < b->n; i++)
		if (b->far[i].record == one->record)
			return true;
	return false;
}

static void drop(const struct bridging *b, unsigned i)
{
	struct bridge_book *book = b->book;
	if (is_dry(b))
		book->edges[i] = book->edges[--book->n];
	else
		bridge_drop(&b->page, book, i);
}

/* As a new map may have made somebody who was far. */
static bool is_near(const struct making *m, uint32_t place)
{
	return place >= m->around.first && place < m->around.end;
}

/* Brings the asker's entries up to date. Those whose far end is gone, or is of no use to it, go. */
static void meet_again(struct bridging *b)
{
	const struct choice_asker *asker = b->m->asker;
	struct bridge_book *book = b->book;
	if (book == NULL)
		return;
	for (unsigned i = 0; (i = bridge_next(book, i, b->tag)) < book->n;) {
		struct bridge_edge *e = &book->edges[i];
		struct swarm_candidate one;
		if (e->wide != b->wide) {
			i++;
			continue;
		}
		const bool found =
			swarm_find(b->m->visit, asker->who->family, e->far_place, e->far, &one);
		if (!found && swarm_is_moving(b->m->visit)) {
			bridge_last(e, asker->ends);
			b->unseen++;
			i++;
			continue;
		}
		if (!found || is_near(b->m, one.place) ||
		    (asker->who->seeding && (one.seed || one.partial))) {
			drop(b, i);
			continue;
		}
		if (is_dry(b)) /* as it was by its last announce */
			b->starved |= e->starved;
		e->starved = b->starved;
		bridge_last(e, asker->ends);
		e->pulls = !asker->who->seeding;
		e->far_seed = one.seed;
		if (b->n < FAR_MAX && !is_far(b, &one))
			b->far[b->n++] = one;
		i++;
	}
	b->n_met = b->n;
}

/* ---- who shall meet ---- */

/* Seeds, for a leecher. */
static void survey_seeds(const struct bridging *b, struct swarm_survey *out)
{
	const struct making *m = b->m;
	struct swarm_asker who = *m->asker->who;
	who.seeds_only = true;
	swarm_survey(m->visit, &who, (struct swarm_places){ m->around.first, m->around.end }, out);
}

/* Keeps up to SEEDS_SEEN in places with such uploads. */
static size_t sift(const struct bridging *b, struct swarm_candidate *all, size_t n,
                   enum map_uploads uploads)
{
	size_t kept = 0;
	for (size_t i = 0; i < n && kept < SEEDS_SEEN; i++)
		if (snapshot_uploads(b->m->asker->map, all[i].place) == uploads)
			all[kept++] = all[i];
	return kept;
}

/* A few of a part, in places with such uploads. Looks at many only where the first few are not. */
static size_t draw_seeds(const struct bridging *b, const struct swarm_survey *seeds,
                         enum swarm_part part, enum map_uploads uploads,
                         struct swarm_candidate *out)
{
	const struct making *m = b->m;
	const size_t n = swarm_draw(m->visit, seeds, part, SEEDS_SEEN, m->seed, out);
	const size_t kept = sift(b, out, n, uploads);
	if (kept > 0 || seeds->part[part].n <= SEEDS_SEEN)
		return kept;
	return sift(b, out, swarm_draw(m->visit, seeds, part, SEEDS_SIFTED, m->seed, out), uploads);
}

/* How many take from this peer already; where its provider has met as many as can be kept, all of them. */
static uint32_t takers(const struct bridging *b, const struct swarm_candidate *one)
{
	const struct bridge_page page = page_of(b->m->asker, one->place);
	const struct bridge_book *book = look(b, &page, 1);
	const uint32_t tag = swarm_tag(one);
	uint32_t n = 0;
	if (book == NULL)
		return 0;
	for (unsigned i = 0; (i = bridge_next(book, i, tag)) < book->n; i++)
		n++;
	return book->n < BRIDGE_EDGES_MAX ? n : BRIDGE_EDGES_MAX;
}

/* What a byte between the asker and a place costs, in its way; two leechers send both ways. */
static struct map_price price_of(const struct making *m, uint32_t place, bool sends)
{
	const struct map_tariff t = { m->asker->map, m->asker->place, sends };
	return tariff_price(&t, place, tariff_seek(&t, place));
}

/* Are more bytes between the asker and a place welcome, in its way (lean.h)? */
static int32_t gain_of(const struct bridging *b, uint32_t place)
{
	const struct choice_asker *asker = b->m->asker;
	if (b->leans.least == 0 && b->leans.most == 0)
		return 0;
	return steer_gain(snapshot_lean(asker->map, asker->place, place), asker->who->seeding);
}

/* How many more it may meet in a place, by the way that this is reached. */
static uint32_t allowed_at(const struct bridging *b, uint32_t place, enum map_tier tier)
{
	if (tier >= TIER_PAID_PEERING)
		return b->allowed.paid;
	const int32_t gain = gain_of(b, place);
	return gain == 0 ? b->allowed.free
	                 : steer_lean_contacts(b->m->rules, &b->standing, gain, b->allowed.free);
}

/* The most that it may meet anywhere. */
static uint32_t most_allowed(const struct bridging *b)
{
	const int32_t gain = b->standing.seeding ? -b->leans.least : b->leans.most;
	const uint32_t most = steer_lean_contacts(b->m->rules, &b->standing, gain, b->allowed.free);
	return most > b->allowed.paid ? most : b->allowed.paid;
}

/* What a byte costs, for what the peer can give; *tier: how it is reached. */
static double cost_of(const struct bridging *b, const struct swarm_candidate *one,
                      enum map_tier *tier)
{
	const struct making *m = b->m;
	const bool seeding = m->asker->who->seeding;
	const int32_t gain = gain_of(b, one->place);
	const struct map_price main = price_of(m, one->place, seeding);
	double price = main.price, worth = one->seed ? SEED_WEIGHT : 1;
	if (seeding || one->seed) {
		worth *= steer_lean_worth(gain);
	} else {
		const double back = price_of(m, one->place, true).price;
		price = gain == 0 ? price + back : 2 * (price < back ? price : back);
	}
	double uplink = snapshot_place(m->asker->map, one->place).lasting_kbps / 1000.0;
	uplink = uplink < UPLINK_MAX ? uplink : UPLINK_MAX;
	*tier = main.tier;
	return (price + 1) / (uplink * worth);
}

/* The edge is written into both books. Without room there it is handed out all the same. */
static void remember(struct bridging *b, const struct swarm_candidate *one)
{
	const struct choice_asker *asker = b->m->asker;
	const bool seeding = asker->who->seeding;
	struct bridge_edge here = { .near = b->tag & BRIDGE_NEAR,
		                    .far = swarm_tag(one),
		                    .far_place = one->place & (MAP_PLACES_MAX - 1),
		                    .wide = b->wide,
		                    .pulls = !seeding,
		                    .far_seed = one->seed,
		                    .asked = true,
		                    .starved = b->starved };
	struct bridge_edge there = { .near = here.far & BRIDGE_NEAR,
		                     .far = b->tag,
		                     .far_place = asker->place & (MAP_PLACES_MAX - 1),
		                     .wide = b->wide,
		                     .pulls = !one->seed,
		                     .far_seed = seeding };
	bridge_last(&here, asker->ends);
	bridge_last(&there, asker->ends);
	if (is_dry(b))
		return;
	if (b->book == NULL)
		b->book = bridge_open(&b->page);
	if (b->book != NULL)
		(void)bridge_add(&b->page, &b->book, &here);
	const struct bridge_page page = page_of(asker, one->place);
	struct bridge_book *book = bridge_open(&page);
	if (book != NULL)
		(void)bridge_add(&page, &book, &there);
}

/* The best of those looked at, if the contacts allowed there are not used up; for an island one is. */
static bool meet_one(struct bridging *b, const struct swarm_candidate *seen, size_t n, bool island)
{
	const struct swarm_candidate *best = NULL;
	double least = 0;
	for (size_t i = 0; i < n; i++) {
		enum map_tier tier;
		const enum map_uploads uploads = snapshot_uploads(b->m->asker->map, seen[i].place);
		if (is_far(b, &seen[i]) || uploads == UPLOADS_NEVER ||
		    (uploads == UPLOADS_AVOID && !island))
			continue;
		const double cost = cost_of(b, &seen[i], &tier);
		const uint32_t room = island ? 1 : allowed_at(b, seen[i].place, tier);
		if (b->n - b->n_met >= room || (best != NULL && cost * OWN_TAKERS >= least))
			continue;
		const double burden = cost * (OWN_TAKERS + takers(b, &seen[i]));
		if (best == NULL || burden < least) {
			best = &seen[i];
			least = burden;
		}
	}
	if (best == NULL)
		return false;
	remember(b, best);
	b->far[b->n++] = *best;
	return true;
}

/* For an island one that should rather not upload, if there is no other. */
static size_t draw_far_seeds(const struct bridging *b, struct swarm_candidate *out)
{
	struct swarm_survey seeds;
	if (b->m->asker->who->seeding)
		return 0;
	survey_seeds(b, &seeds);
	const size_t n = draw_seeds(b, &seeds, SWARM_ELSEWHERE, UPLOADS_NORMAL, out);
	if (n > 0 || !b->island)
		return n;
	return draw_seeds(b, &seeds, SWARM_ELSEWHERE, UPLOADS_AVOID, out);
}

/* An island meets a seed, whatever its budget; then comes the budget. */
static void meet(struct bridging *b)
{
	struct making *m = b->m;
	const uint32_t most = most_allowed(b);
	struct swarm_candidate *seen = m->c->candidates;
	if ((most == 0 && !b->island) || b->n >= b->room)
		return;
	size_t n = draw_far_seeds(b, seen);
	const bool seed_first = b->island || b->wants_seed;
	uint32_t met = seed_first && meet_one(b, seen, n, b->island);
	m->c->rescued = b->island && met > 0;
	if (met >= most)
		return;
	m->c->survey.part[SWARM_ELSEWHERE] = b->elsewhere;
	n += swarm_draw(m->visit, &m->c->survey, SWARM_ELSEWHERE, OTHERS_SEEN, m->seed, seen + n);
	while (met < most && b->n < b->room && b->n < FAR_MAX && meet_one(b, seen, n, false))
		met++;
}

/* ---- the list ---- */

/* Since somebody of the asker's provider first came; another worker's clock may be a little ahead. */
static uint32_t age_of(const struct bridging *b)
{
	const int32_t age = b->book != NULL ? (int32_t)(b->page.now - b->book->born) : 0;
	return age > 0 ? (uint32_t)age : 0;
}

/* A seed that should not upload feeds nobody. */
static bool is_fed_at_home(const struct bridging *b)
{
	const struct choice_asker *asker = b->m->asker;
	struct swarm_survey seeds;
	if (!b->m->restricted || asker->who->seeding)
		return true;
	survey_seeds(b, &seeds);
	return (seeds.part[SWARM_OWN_PLACE].n > 0 &&
	        snapshot_uploads(asker->map, asker->place) == UPLOADS_NORMAL) ||
	       draw_seeds(b, &seeds, SWARM_AROUND, UPLOADS_NORMAL, b->m->c->candidates) > 0;
}

static struct steer_standing standing_of(const struct bridging *b)
{
	const struct choice_asker *asker = b->m->asker;
	const struct swarm_strength *near = &b->m->c->survey.near;
	struct steer_standing s = { .seeding = asker->who->seeding,
		                    .known = asker->known,
		                    .starved = b->starved,
		                    .lot = b->tag,
		                    .seeds = near->seeds > 0 && is_fed_at_home(b) ? near->seeds : 0,
		                    .leechers = near->leechers,
		                    .age = age_of(b),
		                    .own = (uint32_t)b->n + b->unseen };
	for (unsigned i = 0; b->book != NULL && i < b->book->n; i++) {
		const struct bridge_edge *e = &b->book->edges[i];
		s.contacts += s.seeding ? !e->pulls : e->pulls;
		s.seed_contacts += e->far_seed && e->wide == b->wide;
	}
	return s;
}

/* A list in the other family is beside one in its own: who serves the asker there serves it. Returns how
 * many it has there. */
static uint32_t add_own_family(const struct bridging *b, struct steer_standing *s)
{
	const struct making *m = b->m;
	struct swarm_asker who = *m->asker->who;
	struct swarm_survey own;
	if (who.family == who.client.addr.family)
		return 0;
	who.family = who.client.addr.family;
	who.counted = true;
	swarm_survey(m->visit, &who, (struct swarm_places){ m->around.first, m->around.end }, &own);
	s->seeds += own.near.seeds;
	s->leechers += own.near.leechers;
	const uint32_t all = own.near.seeds + own.near.leechers + own.near.partial;
	return all > 0 ? all - 1 : 0; /* but itself */
}

/* How many of the first `n` far peers are in a place. */
static uint32_t far_in(const struct bridging *b, size_t n, uint32_t place)
{
	uint32_t here = 0;
	for (size_t i = 0; i < n; i++)
		here += b->far[i].place == place;
	return here;
}

static void append_far(struct bridging *b)
{
	struct choice *c = b->m->c;
	const size_t n = b->n < b->room ? b->n : b->room;
	for (size_t i = 0; i < n; i++) {
		const uint32_t place = b->far[i].place;
		c->list[c->n++] = b->far[i];
		if (!b->m->asker->noted || far_in(b, i, place) > 0)
			continue;
		choice_note(b->m, place, far_in(b, n, place), population_of(b->m, place));
		c->handed[c->n_handed - 1].same = true;
	}
}

/* Peers of the own provider, up to `want`, as p4p shares out what has no outside. */
static void list_near(struct making *m, size_t want)
{
	struct steer_rules at_home = *m->rules;
	struct swarm_survey *survey = &m->c->survey;
	at_home.intra_provider_percent = 100;
	m->rules = &at_home;
	m->want = want;
	survey->part[SWARM_ELSEWHERE].n = survey->part[SWARM_ELSEWHERE].n_runs = 0;
	choice_list(m);
	m->rules = m->asker->rules;
}

/* How many of its provider a list could have. */
static uint32_t near_of(const struct choice *c, size_t want)
{
	const uint32_t n = c->survey.part[SWARM_OWN_PLACE].n + c->survey.part[SWARM_AROUND].n;
	return n < want ? n : (uint32_t)want;
}

/* Kept free for those it has met and may meet; no more than half of the list. */
static size_t room_for_far(const struct bridging *b, size_t want)
{
	size_t more = most_allowed(b);
	more = b->n + (more > b->island ? more : b->island);
	more = more < b->elsewhere.n ? more : b->elsewhere.n;
	return more < want / 2 ? more : want / 2;
}

void choice_prefetch(const struct choice_asker *asker)
{
	const struct bridge_page page = page_of(asker, asker->place);
	bridge_prefetch(&page, 0);
}

static bool is_starved(const struct choice_asker *asker)
{
	const uint32_t line = snapshot_place(asker->map, asker->place).lasting_kbps;
	return steer_is_starved(asker->received, asker->seconds, line);
}

void choice_bridge(struct making *m)
{
	const struct choice_asker *asker = m->asker;
	const struct swarm_places around = { m->around.first, m->around.end };
	struct swarm_asker who = *asker->who;
	struct bridging b = { .m = m,
		              .page = page_of(asker, asker->place),
		              .tag = swarm_tag_of(who.client.identity),
		              .wide = who.family == IP_V6,
		              .starved = is_starved(asker),
		              .leans = snapshot_leans(asker->map, asker->place) };
	const size_t want = m->want < m->rules->list_length ? m->want : m->rules->list_length;
	who.counted = true;
	bridge_prefetch(&b.page, 1);
	swarm_survey(m->visit, &who, around, &m->c->survey);
	b.book = look(&b, &b.page, 0);
	if (is_dry(&b) && !asker->known && asker->who->client.port != 0)
		*(asker->who->seeding ? &m->c->survey.near.seeds : &m->c->survey.near.leechers) +=
			1;
	meet_again(&b);

	b.standing = standing_of(&b);
	const uint32_t beside = add_own_family(&b, &b.standing);
	b.elsewhere = m->c->survey.part[SWARM_ELSEWHERE];
	b.island = steer_is_island(&b.standing);
	b.wants_seed = steer_wants_seed(&b.standing);
	b.standing.near = beside + near_of(m->c, want);
	b.allowed = steer_contacts(m->rules, &b.standing);
	list_near(m, want - room_for_far(&b, want));

	b.standing.near = beside + (uint32_t)m->c->n;
	b.room = want - m->c->n < FAR_MAX + 1 ? want - m->c->n : FAR_MAX + 1;
	m->c->n_near = m->c->n;
	m->c->n_met = b.n_met < b.room ? b.n_met : b.room;
	m->c->standing = b.standing;
	m->c->rescued = false;
	b.allowed = steer_contacts(m->rules, &b.standing);
	if (b.elsewhere.n > 0)
		meet(&b);
	append_far(&b);
	/* Without a book there is nobody to meet, or no memory to say how long it has been so. */
	const bool booked = b.book != NULL || (is_dry(&b) && b.n > 0);
	m->c->soon = booked ? steer_soon(&b.standing, b.elsewhere.n) : 0;
}

/* Takes the edge between two peers out of the book of one. */
static void part(const struct bridge_page *page, uint32_t near, uint32_t far)
{
	struct bridge_book *book = bridge_find(page);
	for (unsigned i = 0; book != NULL && (i = bridge_next(book, i, near)) < book->n;)
		if (book->edges[i].far == far)
			bridge_drop(page, book, i);
		else
			i++;
}

void choice_leave(const struct choice_asker *asker)
{
	const struct bridge_page page = page_of(asker, asker->place);
	const uint32_t tag = swarm_tag_of(asker->who->client.identity);
	struct bridge_book *book = bridge_find(&page);
	for (unsigned i = 0; book != NULL && (i = bridge_next(book, i, tag)) < book->n;) {
		const struct bridge_edge edge = book->edges[i];
		const struct bridge_page other = page_of(asker, edge.far_place);
		if (other.provider != page.provider) /* a new map may have moved it here */
			part(&other, edge.far, tag);
		bridge_drop(&page, book, i);
	}
}
