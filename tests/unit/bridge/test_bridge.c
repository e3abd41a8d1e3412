/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

/* Its tables are nobody's business but for a walk over them. */
#include "common/bridge/bridge.c"

/*
 * A store beside a trivial model: an array of books with arrays of entries, each with a number of its
 * own (`far`) and the whole second of its end.
 */

enum { SHARDS = 2, SWARMS = 120, PROVIDERS = 4, KEYS = SWARMS * PROVIDERS, NEARS = 6 };
enum { HEAD = 20, ENTRY = 12 }; /* bytes */

struct model_edge {
	uint32_t near, far, end;
};

struct model_book {
	bool there;
	uint32_t born, touched, n;
	struct model_edge edges[BRIDGE_EDGES_MAX];
};

struct world {
	struct bridge_store *store;
	struct model_book *books; /* KEYS */
	uint32_t now, serial, lifetime;
	unsigned keys; /* in use */
	uint64_t seed, refused;
};

static struct bridge_page page_of(const struct world *w, unsigned key)
{
	return (struct bridge_page){ .store = w->store,
		                     .shard = key / PROVIDERS % SHARDS,
		                     .swarm = random_mix(key / PROVIDERS + 1),
		                     .provider = key % PROVIDERS,
		                     .now = w->now };
}

static unsigned key_of_book(const struct bridge_book *b)
{
	for (unsigned i = 0; i < SWARMS; i++)
		if (b->key - random_mix(i + 1) < PROVIDERS)
			return i * PROVIDERS + (unsigned)(b->key - random_mix(i + 1));
	abort(); /* a book of no swarm */
}

/* A tag of all 32 bits, of which a book keeps 27. */
static uint32_t near_of(struct world *w)
{
	return 0xa8000000U + random_below(&w->seed, NEARS);
}

static struct bridge_edge edge_of(const struct model_edge *e)
{
	struct bridge_edge edge = { .near = e->near & 0x7ffffff,
		                    .far = e->far,
		                    .far_place = e->far % (1 << 20) };
	bridge_last(&edge, e->end);
	return edge;
}

/* The next of the seconds that are told apart. */
static uint32_t rounded(uint32_t second)
{
	while (second % 16 != 0)
		second++;
	return second;
}

static bool lives(const struct world *w, const struct model_edge *e)
{
	return (int32_t)(rounded(e->end) - w->now) >= 0;
}

static const struct model_edge *model_edge_of(const struct model_book *m, uint32_t far)
{
	for (uint32_t i = 0; i < m->n; i++)
		if (m->edges[i].far == far)
			return &m->edges[i];
	return NULL;
}

static void model_remove(struct model_book *m, uint32_t far)
{
	for (uint32_t i = 0; i < m->n; i++)
		if (m->edges[i].far == far) {
			m->edges[i] = m->edges[--m->n];
			return;
		}
	fail_msg("no entry %u", far);
}

static uint32_t living(const struct world *w, const struct model_book *m)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < m->n; i++)
		n += lives(w, &m->edges[i]);
	return n;
}

/* Opened: what has ended is gone. */
static void model_touch(const struct world *w, struct model_book *m)
{
	m->touched = w->now;
	for (uint32_t i = m->n; i-- > 0;)
		if (!lives(w, &m->edges[i]))
			m->edges[i] = m->edges[--m->n];
}

/* Every entry is the model's, unchanged, and none that lives is missing. */
static void compare(const struct world *w, const struct bridge_book *b, const struct model_book *m)
{
	uint32_t alive = 0;
	assert_int_equal(b->born, m->born);
	assert_int_equal(b->touched, m->touched);
	for (uint32_t i = 0; i < b->n; i++) {
		const struct model_edge *e = model_edge_of(m, b->edges[i].far);
		if (e == NULL)
			abort(); /* nobody wrote it */
		assert_int_equal(b->edges[i].near, e->near & 0x7ffffff);
		assert_int_equal(b->edges[i].ends, rounded(e->end) / 16 % 4096);
		assert_int_equal(b->edges[i].far_place, e->far % (1 << 20));
		alive += lives(w, e);
	}
	assert_int_equal(alive, living(w, m));
}

/* What holds always. */
static void walk(const struct world *w)
{
	const struct bridge_store *s = w->store;
	struct bridge_totals sum = { 0 };
	bool seen[KEYS] = { false };
	for (unsigned k = 0; k < s->n; k++) {
		const struct bridge_shard *shard = &s->shards[k];
		uint32_t n = 0;
		if (shard->slots == NULL)
			continue;
		sum.bytes += (shard->mask + 1) * sizeof(*shard->slots);
		for (uint32_t i = 0; i <= shard->mask; i++) {
			const struct bridge_book *b = shard->slots[i];
			if (b == NULL)
				continue;
			const unsigned key = key_of_book(b);
			assert_false(seen[key]);
			seen[key] = true;
			assert_true(w->books[key].there);
			assert_int_equal(key / PROVIDERS % SHARDS, k);
			assert_int_equal(slot_of(shard, b->key), i);
			assert_true(b->n <= b->room && b->room <= BRIDGE_EDGES_MAX);
			compare(w, b, &w->books[key]);
			n++;
			sum.entries += b->n;
			sum.bytes += HEAD + b->room * (size_t)ENTRY;
		}
		assert_int_equal(n, shard->n);
		assert_true(4 * n <= 3 * (shard->mask + 1));
		sum.books += n;
	}
	const struct bridge_totals totals = bridge_totals(s);
	assert_int_equal(totals.books, sum.books);
	assert_int_equal(totals.entries, sum.entries);
	assert_int_equal(totals.bytes, sum.bytes);
	assert_int_equal(totals.refused, w->refused);
	assert_true(totals.bytes <= s->max_bytes);
	for (unsigned key = 0; key < KEYS; key++)
		assert_int_equal(seen[key], w->books[key].there);
}

static bool is_there(const struct world *w, unsigned key)
{
	const struct bridge_page page = page_of(w, key);
	const struct bridge_shard *shard = &w->store->shards[page.shard];
	return shard->slots != NULL &&
	       shard->slots[slot_of(shard, page.swarm + page.provider)] != NULL;
}

/* Nobody but an opening makes a book go, and only one that nobody needs. */
static void forget_idle(struct world *w)
{
	for (unsigned key = 0; key < KEYS; key++) {
		struct model_book *m = &w->books[key];
		if (!m->there || is_there(w, key))
			continue;
		assert_true(w->now - m->touched >= BRIDGE_IDLE_SECONDS);
		assert_int_equal(living(w, m), 0);
		m->there = false;
	}
}

static struct bridge_book *find(struct world *w, unsigned key)
{
	const struct bridge_page page = page_of(w, key);
	struct bridge_book *b = bridge_find(&page);
	struct model_book *m = &w->books[key];
	assert_int_equal(b != NULL, m->there);
	if (b == NULL)
		return NULL;
	model_touch(w, m);
	assert_int_equal(b->n, m->n);
	compare(w, b, m);
	return b;
}

static struct bridge_book *open(struct world *w, unsigned key)
{
	struct model_book *m = &w->books[key];
	const struct bridge_page page = page_of(w, key);
	struct bridge_book *b = bridge_open(&page);
	if (b == NULL) {
		assert_false(m->there);
		w->refused++;
	} else if (!m->there) {
		*m = (struct model_book){ .there = true, .born = w->now, .touched = w->now };
	} else {
		model_touch(w, m);
	}
	forget_idle(w);
	if (b == NULL)
		return NULL;
	assert_int_equal(b->n, m->n);
	compare(w, b, m);
	return b;
}

/* An eighth more, and what malloc rounds up to: 16 bytes, eight of which are its own. */
static unsigned wider(unsigned room)
{
	unsigned more = room + room / 8 + 1;
	while ((HEAD + more * ENTRY + 8) % 16 != 0 && (HEAD + more * ENTRY + 8) % 16 + ENTRY <= 16)
		more++;
	return more < BRIDGE_EDGES_MAX ? more : BRIDGE_EDGES_MAX;
}

static bool add_edge(struct world *w, unsigned key, struct bridge_book **b)
{
	struct model_book *m = &w->books[key];
	const struct bridge_page page = page_of(w, key);
	const struct model_edge e = { .near = near_of(w),
		                      .far = w->serial++,
		                      .end = w->now + random_below(&w->seed, w->lifetime) };
	const struct bridge_edge edge = edge_of(&e);
	const unsigned room = (*b)->room, more = wider(room) - room;
	const bool fits = (*b)->n < room || (more > 0 && w->store->bytes + more * (size_t)ENTRY <=
	                                                         w->store->max_bytes);
	const bool added = bridge_add(&page, b, &edge);
	assert_int_equal(added, fits);
	if (added)
		m->edges[m->n++] = e;
	w->refused += !added;
	/* Wherever it stands now, that is where it is found. */
	assert_ptr_equal(bridge_find(&page), *b);
	return added;
}

static void leave(struct world *w, unsigned key, struct bridge_book *b)
{
	struct model_book *m = &w->books[key];
	const struct bridge_page page = page_of(w, key);
	const uint32_t near = near_of(w);
	unsigned n = 0;
	for (uint32_t i = m->n; i-- > 0;)
		if (m->edges[i].near == near) {
			m->edges[i] = m->edges[--m->n];
			n++;
		}
	for (unsigned i = 0; (i = bridge_next(b, i, near)) < b->n; n--)
		bridge_drop(&page, b, i);
	assert_int_equal(n, 0);
}

static void drop(struct world *w, unsigned key, struct bridge_book *b)
{
	const struct bridge_page page = page_of(w, key);
	if (b->n == 0)
		return;
	const unsigned i = random_below(&w->seed, b->n);
	model_remove(&w->books[key], b->edges[i].far);
	bridge_drop(&page, b, i);
}

/* The entries of one near peer, one after the other, are those of the model. */
static void go_through(struct world *w, unsigned key, const struct bridge_book *b)
{
	const struct model_book *m = &w->books[key];
	const uint32_t near = near_of(w);
	uint32_t n = 0;
	for (unsigned i = 0; (i = bridge_next(b, i, near)) < b->n; i++, n++)
		assert_int_equal(b->edges[i].near, near & 0x7ffffff);
	for (uint32_t i = 0; i < m->n; i++)
		n -= m->edges[i].near == near;
	assert_int_equal(n, 0);
}

static void step(struct world *w)
{
	const unsigned key = random_below(&w->seed, w->keys);
	struct bridge_book *b;
	w->now += random_below(&w->seed, 20);
	if (random_below(&w->seed, 500) == 0)
		w->now += random_below(&w->seed, 3 * BRIDGE_IDLE_SECONDS);
	if (random_below(&w->seed, 3000) == 0)
		w->now += random_below(&w->seed, 100000); /* more than ticks tell */
	switch (random_below(&w->seed, 6)) {
	case 0:
		(void)find(w, key);
		break;
	case 1:
		b = find(w, key);
		if (b != NULL)
			leave(w, key, b);
		break;
	case 2:
		b = find(w, key);
		if (b != NULL) {
			go_through(w, key, b);
			drop(w, key, b);
		}
		break;
	default:
		b = open(w, key);
		for (uint32_t k = random_below(&w->seed, 12); b != NULL && k > 0; k--)
			(void)add_edge(w, key, &b);
	}
}

static struct world *world_new(size_t max_bytes, unsigned keys, uint32_t lifetime, uint64_t seed)
{
	struct world *w = calloc(1, sizeof(*w));
	assert_non_null(w);
	*w = (struct world){ .store = bridge_store_new(SHARDS, max_bytes),
		             .books = calloc(KEYS, sizeof(*w->books)),
		             .now = (uint32_t)(0U - 100000), /* the clock may go round */
		             .lifetime = lifetime,
		             .keys = keys,
		             .seed = seed };
	assert_non_null(w->store);
	assert_non_null(w->books);
	return w;
}

static void world_free(struct world *w)
{
	bridge_store_free(w->store);
	free(w->books);
	free(w);
}

static void is_like_the_model(void **state)
{
	(void)state;
	static const struct {
		size_t max_bytes;
		unsigned keys;
		uint32_t lifetime;
		bool refuses;
	} rows[] = {
		{ 1 << 24, KEYS, 3000, false }, /* the tables grow */
		{ 1 << 24, 5, 32000, true },    /* full books */
		{ 30000, KEYS, 3000, true },    /* a full store */
		{ 1500, 40, 100, true },        /* hardly any */
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct world *w = world_new(rows[i].max_bytes, rows[i].keys, rows[i].lifetime, i);
		for (unsigned k = 0; k < 8000; k++) {
			step(w);
			walk(w);
		}
		assert_int_equal(w->refused > 0, rows[i].refuses);
		world_free(w);
	}
}

/* Openings of other books move tables and clear others away, but no book that is in use. */
static void a_pointer_holds_while_others_are_opened(void **state)
{
	(void)state;
	struct world *w = world_new(1 << 24, KEYS, 3000, 1);
	struct bridge_book *b = open(w, 0);
	assert_non_null(b);
	assert_true(add_edge(w, 0, &b));
	w->now += 2 * BRIDGE_IDLE_SECONDS;
	b = find(w, 0);
	const struct bridge_book *const before = b;
	for (unsigned key = 1; key < KEYS; key++) {
		struct bridge_book *other = open(w, key);
		for (unsigned k = 0; k < 20; k++)
			(void)add_edge(w, key, &other);
		assert_int_equal(key_of_book(b), 0);
	}
	assert_ptr_equal(find(w, 0), before);
	walk(w);
	world_free(w);
}

/* A full store has room again when what it has was of no use for an hour. */
static void idle_books_make_room(void **state)
{
	(void)state;
	struct world *w = world_new(8000, KEYS, 100, 1);
	unsigned key = 0;
	while (open(w, key) != NULL)
		key++;
	const unsigned held = key;
	assert_true(held > 20);
	w->now += BRIDGE_IDLE_SECONDS - 1;
	for (unsigned i = 0; i < 100; i++)
		assert_null(open(w, held + i % 8));
	w->now++;
	unsigned opened = 0;
	for (unsigned i = 0; i < held; i++)
		opened += open(w, held + i) != NULL;
	assert_true(opened > held / 2);
	walk(w);
	world_free(w);
}

static void living_entries_keep_an_idle_book(void **state)
{
	(void)state;
	struct world *w = world_new(1 << 20, KEYS, 1, 1);
	struct bridge_book *b = open(w, 0);
	const struct bridge_page page = page_of(w, 0);
	const uint32_t end = rounded(w->now + BRIDGE_IDLE_SECONDS + 100);
	const struct model_edge e = { .far = 7, .end = end };
	const struct bridge_edge edge = edge_of(&e);
	assert_true(bridge_add(&page, &b, &edge));
	w->books[0].edges[w->books[0].n++] = e;
	for (w->now = end - 2; w->now != end + 2; w->now++) {
		for (unsigned i = 0; i < 100; i++)
			(void)open(w, PROVIDERS * 2);
		for (unsigned key = PROVIDERS * 4; key < PROVIDERS * 40; key += PROVIDERS * 2)
			(void)open(w, key + (w->now == end + 1));
		assert_int_equal(is_there(w, 0), w->now != end + 1);
	}
	world_free(w);
}

static void without_memory_nothing_is_remembered(void **state)
{
	(void)state;
	struct world *w = world_new(0, KEYS, 100, 1);
	assert_null(open(w, 0));
	assert_null(find(w, 0));
	walk(w);
	world_free(w);
	bridge_store_free(NULL);
}

/* Workers read their clocks a batch at a time: one may come with the second before. */
static void a_clock_a_little_behind_drops_nothing(void **state)
{
	(void)state;
	struct world *w = world_new(1 << 20, KEYS, 1, 1);
	struct bridge_book *b = open(w, 0);
	assert_true(add_edge(w, 0, &b));
	w->now--;
	b = find(w, 0);
	assert_int_equal(b->n, 1);
	walk(w);
	world_free(w);
}

/* How many entries a book has `later` seconds after one was written that ends `lasts` seconds from then. */
static unsigned left_after(uint32_t now, uint32_t lasts, uint32_t later)
{
	static uint64_t room[BRIDGE_BOOK_BYTES / sizeof(uint64_t)];
	struct bridge_store *s = bridge_store_new(1, 1 << 12);
	struct bridge_page page = { .store = s, .swarm = 1, .now = now };
	struct bridge_book *b = bridge_open(&page);
	const struct bridge_edge edge = edge_of(&(struct model_edge){ .end = now + lasts });
	assert_true(bridge_add(&page, &b, &edge));
	page.now += later;
	const unsigned n = bridge_copy(&page, (struct bridge_book *)room)->n;
	b = bridge_find(&page);
	assert_int_equal(b->n, n);
	bridge_store_free(s);
	return n;
}

/* There at its last second, which may be any of a tick, and gone a tick later. */
static void an_entry_never_ends_before_its_peer(void **state)
{
	(void)state;
	static const uint32_t lasts[] = { 0, 1, 300, 2700, 28800 };
	for (uint32_t now = 100000; now < 100000 + 16; now++) {
		assert_int_equal(left_after(now, BRIDGE_ENDS_MAX, 0), 1);
		assert_int_equal(left_after(now, BRIDGE_ENDS_MAX, BRIDGE_ENDS_MAX), 1);
		assert_int_equal(left_after(now, BRIDGE_ENDS_MAX, BRIDGE_ENDS_MAX + 16), 0);
		for (size_t i = 0; i < sizeof(lasts) / sizeof(*lasts); i++) {
			const uint32_t end = lasts[i], over = rounded(now + end) - now;
			assert_int_equal(left_after(now, end, 0), 1);
			assert_int_equal(left_after(now, end, end), 1);
			assert_int_equal(left_after(now, end, over), 1);
			assert_int_equal(left_after(now, end, over + 1), 0);
			assert_int_equal(left_after(now, end, end + 16), 0);
			assert_int_equal(left_after(now, end, 65536 + end / 2), 0);
		}
	}
}

/* Ticks go round every 18 hours, the clock at 2^32. */
static void entries_outlive_the_clocks_wrap(void **state)
{
	(void)state;
	static const uint32_t wraps[] = { 0, 1 << 16, 5 << 16 };
	for (size_t i = 0; i < sizeof(wraps) / sizeof(*wraps); i++)
		for (uint32_t before = 0; before < 40; before++) {
			const uint32_t now = wraps[i] - before;
			assert_int_equal(left_after(now, 20, 20), 1);
			assert_int_equal(left_after(now, 20, 36), 0);
			assert_int_equal(left_after(now, 28800, 28800), 1);
			assert_int_equal(left_after(now, 28800, 28816), 0);
		}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(an_entry_never_ends_before_its_peer),
	cmocka_unit_test(entries_outlive_the_clocks_wrap),
	cmocka_unit_test(a_clock_a_little_behind_drops_nothing),
	cmocka_unit_test(is_like_the_model),
	cmocka_unit_test(a_pointer_holds_while_others_are_opened),
	cmocka_unit_test(idle_books_make_room),
	cmocka_unit_test(living_entries_keep_an_idle_book),
	cmocka_unit_test(without_memory_nothing_is_remembered),
};

RUN_TESTS(tests)
