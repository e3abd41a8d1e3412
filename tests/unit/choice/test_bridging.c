/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/choice/six_isps.h"

static void a_list_is_as_long_as_the_rules_say(void **state)
{
	(void)state;
	struct world *w = world();
	struct body far[CHOICE_MAX];
	join(w, A, 1, 100, false);
	join(w, A2, 1, 100, false);
	join(w, C, 1, 100, false);
	join(w, C, 500, 2, true);
	for (uint32_t i = 1; i <= 40; i++) {
		const struct body me = body(A, i, false);
		(void)ask(w, &me, far);
		assert_in_range(w->n, 18, 20); /* two places are kept for contacts */
	}
	w->rules.list_length = 10;
	for (size_t want = 0; want <= 30; want++) {
		const struct body me = body(A, 50 + (uint32_t)want, false);
		const size_t n = announce(w, &me, want);
		assert_true(n <= want && n <= 10);
		assert_true(n + 2 >= (want < 10 ? want : 10));
		assert_int_equal(w->choice.n, n);
	}
	/* Nobody elsewhere: nothing is kept. */
	w->rules.list_length = 20;
	w->now += TIMEOUT + 1;
	struct swarm_sweep cursor = { 0 };
	while (cursor.shards < 2)
		(void)swarm_sweep(w->store, &cursor, w->now);
	join(w, A, 1, 100, false);
	assert_int_equal(announce(w, &(struct body){ .pid = A, .n = 1 }, WANT), 20);
	world_free(w);
}

/* What is not handed out has not met. */
static void a_short_list_makes_no_contacts_that_do_not_fit(void **state)
{
	(void)state;
	for (size_t want = 0; want <= 8; want++) {
		struct world *w = world();
		const struct body me = body(A, 1, false);
		join(w, A, 1, 3, false);
		join(w, C, 1, 10, true);
		(void)announce(w, &me, want);
		const struct bridge_book *book = book_of(w, A);
		assert_int_equal(book == NULL ? 0 : book->n, count_far(w, 0));
		world_free(w);
	}
}

static void an_edge_is_in_both_books(void **state)
{
	(void)state;
	struct world *w = world();
	struct body far[CHOICE_MAX], back[CHOICE_MAX];
	const struct body me = body(A, 1, false);
	join(w, C, 1, 20, false);
	join(w, D, 1, 3, true);
	const size_t n = ask(w, &me, far);
	assert_int_equal(n, STEER_CONTACTS);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(entries(w, &me, &far[i]), 1);
		assert_int_equal(entries(w, &far[i], &me), 1);
	}
	const struct bridge_edge *e = &book_of(w, A)->edges[0];
	assert_true(e->pulls && e->asked && e->far_seed && !e->wide);
	assert_int_equal(e->ends, bridge_tick(w->now + TIMEOUT));
	const struct bridge_edge *there = &book_of(w, far[0].pid)->edges[0];
	assert_true(!there->pulls && !there->asked && !there->far_seed);
	/* The other one gets the asker when it announces. */
	for (size_t i = 0; i < n; i++) {
		const size_t m = ask(w, &far[i], back);
		assert_true(has(back, m, &me));
	}
	world_free(w);
}

static void seeds_are_the_best_contacts(void **state)
{
	(void)state;
	struct world *w = world();
	struct body far[CHOICE_MAX];
	join(w, C, 1, 200, false);
	join(w, C, 1000, 4, true);
	for (uint32_t i = 0; i < ROUNDS; i++) {
		const struct body me = body(A, 1, false);
		const size_t n = ask(w, &me, far);
		assert_int_equal(n, STEER_CONTACTS);
		assert_true(far[0].seed && far[1].seed);
		stop(w, &me);
	}
	world_free(w);
}

static void a_friend_comes_before_transit(void **state)
{
	(void)state;
	static const struct isp last_is_friend[] = { { .pids = 1, .friends = 1 << 3 },
		                                     { .pids = 1 },
		                                     { .pids = 1 },
		                                     { .pids = 1, .friends = 1 } };
	struct world *w = world_new(last_is_friend, 4, 1 << 20);
	struct body far[CHOICE_MAX];
	join(w, B, 1, 2, true);
	join(w, C, 1, 2, true);
	join(w, D, 1, 2, true);
	const struct body me = body(A, 1, false);
	assert_int_equal(ask(w, &me, far), STEER_CONTACTS);
	assert_int_equal(far[0].pid, D);
	assert_int_equal(far[1].pid, D);
	/* None beyond what may be paid for. */
	w->rules.paid_percent = 0;
	stop(w, &me);
	vanish(w, &(struct body){ .pid = D, .n = 1, .seed = true });
	vanish(w, &(struct body){ .pid = D, .n = 2, .seed = true });
	join(w, A, 1, 20, false);
	for (uint32_t i = 1; i <= 20; i++)
		(void)announce(w, &(struct body){ .pid = A, .n = i }, WANT);
	assert_int_equal(book_of(w, A)->n, STEER_SAFETY);
	world_free(w);
}

/* Of one that has met as many leechers as a list has room for. */
static void an_island_with_full_lists_gets_a_seed(void **state)
{
	(void)state;
	for (uint32_t near = 1; near < 40; near += 19) {
		struct world *w = world();
		struct body far[CHOICE_MAX];
		const struct body me = body(A, 1, false);
		unsigned seeds = 0;
		join(w, A, 1, near, false);
		join(w, B, 1, 40, false);
		for (unsigned i = 0; i < 12; i++)
			(void)ask(w, &me, far);
		assert_true(book_of(w, A)->n >= 2);
		join(w, D, 1, 1, true);
		const size_t n = ask(w, &me, far);
		for (size_t i = 0; i < n; i++)
			seeds += far[i].pid == D;
		assert_int_equal(seeds, 1);
		world_free(w);
	}
}

/* A seed is needed, and leechers that cost less are all around. */
static void an_island_gets_a_seed_however_dear(void **state)
{
	(void)state;
	static const struct isp fast_and_slow[] = { { .pids = 1, .friends = 1 << 1 },
		                                    { .pids = 1, .friends = 1, .up_kbps = 64000 },
		                                    { .pids = 1 },
		                                    { .pids = 1, .up_kbps = 500 } };
	struct world *w = world_new(fast_and_slow, 4, 1 << 20);
	join(w, B, 1, 100, false);
	join(w, D, 1, 1, true);
	join(w, A, 1, 5, false);
	for (uint32_t i = 1; i <= 5; i++) {
		unsigned seeds = 0;
		(void)announce(w, &(struct body){ .pid = A, .n = i }, WANT);
		const struct bridge_book *book = book_of(w, A);
		for (unsigned k = 0; k < book->n; k++)
			seeds += book->edges[k].far_seed;
		assert_true(seeds > 0);
	}
	world_free(w);
}

/* Leechers of three providers ask again and again: nobody's book grows for want of a seed. */
static void a_swarm_without_seeds_keeps_its_budget(void **state)
{
	(void)state;
	enum { EACH = 60, AGAIN = 8 };
	static const unsigned pids[] = { A, B, C };
	struct world *w = world();
	for (unsigned p = 0; p < 3; p++)
		join(w, pids[p], 1, EACH, false);
	for (unsigned round = 0; round < AGAIN; round++)
		for (uint32_t i = 1; i <= EACH; i++)
			for (unsigned p = 0; p < 3; p++) {
				const struct body one = body(pids[p], i, false);
				(void)announce(w, &one, WANT);
			}
	/* Its own and what others met of it: those budgets, too. */
	for (unsigned p = 0; p < 3; p++)
		assert_in_range(book_of(w, pids[p])->n, STEER_SAFETY, 3 * STEER_CONTACTS_MAX);
	assert_int_equal(bridge_totals(w->bridges).refused, 0);
	world_free(w);
}

static void who_shall_not_upload_is_no_contact(void **state)
{
	(void)state;
	struct world *w = world();
	struct body far[CHOICE_MAX];
	join(w, E, 1, 3, true);
	join(w, E, 50, 20, false);
	join(w, F, 50, 20, false);
	for (uint32_t i = 1; i < ROUNDS; i++) {
		const struct body me = body(A, i, false);
		assert_int_equal(ask(w, &me, far), 0);
	}
	join(w, D, 1, 1, true);
	const struct body me = body(A, 1, false);
	assert_int_equal(ask(w, &me, far), 1);
	assert_int_equal(far[0].pid, D);
	/* They get peers themselves. */
	const struct body there = body(E, 50, false);
	const size_t n = ask(w, &there, far);
	assert_true(n > 0);
	for (size_t i = 0; i < n; i++)
		assert_true(far[i].pid == D || far[i].pid == A);
	world_free(w);
}

/* F rather not, and nobody else has everything; but for islands it is no contact, and E never. */
static void an_island_gets_a_seed_that_avoids_uploads_when_there_is_no_other(void **state)
{
	(void)state;
	struct world *w = world();
	struct body far[CHOICE_MAX];
	join(w, E, 1, 300, true);
	join(w, F, 1, 3, true);
	size_t n = 0;
	for (uint32_t i = 1; i < ROUNDS; i++)
		n += ask(w, &(struct body){ .pid = A, .n = i }, far);
	assert_int_equal(n, 1);
	assert_int_equal(far_of(w, 0, far), 0);
	join(w, D, 1, 1, true);
	n = ask(w, &(struct body){ .pid = C, .n = 1 }, far);
	assert_true(n > 0);
	assert_int_equal(far[0].pid, D);
	for (size_t i = 1; i < n; i++)
		assert_int_equal(far[i].pid, A);
	world_free(w);
}

/* F has a seed, but it should not upload: F's leechers live by what comes from elsewhere. */
static void a_seed_that_should_not_upload_feeds_nobody_at_home(void **state)
{
	(void)state;
	static const unsigned pids[] = { E, F, A };
	for (size_t k = 0; k < 3; k++) {
		struct world *w = world();
		struct body far[CHOICE_MAX];
		size_t n = 0;
		join(w, pids[k], 500, 1, true);
		join(w, D, 1, 50, false);
		join(w, D, 500, 1, true);
		join(w, pids[k], 1, 30, false);
		for (uint32_t i = 1; i <= 30; i++)
			n += ask(w, &(struct body){ .pid = pids[k], .n = i }, far);
		if (pids[k] == A)
			assert_int_equal(n, STEER_SAFETY);
		else
			assert_true(n > 3 * STEER_SAFETY);
		world_free(w);
	}
}

static void takers_spread_over_the_seeds(void **state)
{
	(void)state;
	enum { SEEDS = 4, TAKERS = 20 };
	struct world *w = world();
	struct body far[CHOICE_MAX];
	unsigned takers[SEEDS] = { 0 };
	w->rules.free_percent = w->rules.paid_percent = 200; /* everybody is drawn */
	join(w, C, 0, SEEDS, true);
	for (uint32_t i = 1; i <= TAKERS; i++) {
		const struct body me = body(A, i, false);
		const size_t n = ask(w, &me, far);
		assert_int_equal(n, STEER_CONTACTS);
		for (size_t k = 0; k < n; k++)
			takers[far[k].n]++;
	}
	for (unsigned i = 0; i < SEEDS; i++)
		assert_int_equal(takers[i], TAKERS * STEER_CONTACTS / SEEDS);
	world_free(w);
}

static void native_without_a_map_or_a_provider(void **state)
{
	(void)state;
	struct world *w = world();
	const struct body stranger = { .pid = 100, .n = 1 };
	join(w, A, 1, 40, false);
	join(w, B, 1, 40, false);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(announce(w, &stranger, WANT), WANT);
		assert_true(count_far(w, 0) > 0 && count_far(w, 0) < WANT);
		stop(w, &stranger); /* no book to leave */
		snapshot_free(w->map);
		w->map = NULL;
		w->map_number++;
	}
	assert_int_equal(bridge_totals(w->bridges).books, 0);
	world_free(w);
}

static void without_a_store_contacts_are_made_all_the_same(void **state)
{
	(void)state;
	struct world *w = world();
	struct bridge_store *kept = w->bridges;
	struct body far[CHOICE_MAX];
	const struct body me = body(A, 1, false);
	w->bridges = NULL;
	join(w, A, 1, 10, false);
	join(w, C, 1, 10, false);
	join(w, D, 1, 5, true);
	assert_int_equal(ask(w, &me, far), STEER_CONTACTS);
	assert_int_equal(w->n, 11);
	stop(w, &me);
	w->bridges = kept;
	world_free(w);
}

/* A store that has no room is one that remembers nothing. */
static void a_full_store_costs_nobody_its_contacts(void **state)
{
	(void)state;
	struct world *w = world_new(isps, ISPS, 150); /* the table, and no book */
	struct body far[CHOICE_MAX];
	join(w, C, 1, 10, false);
	join(w, D, 1, 5, true);
	for (uint32_t i = 1; i < 10; i++) {
		const struct body me = body(A, i, false);
		assert_true(ask(w, &me, far) > 0);
	}
	assert_true(bridge_totals(w->bridges).bytes <= 150);
	assert_true(bridge_totals(w->bridges).refused > 0);
	world_free(w);
}

/* Its seed serves it; what it has met it keeps, and those that come meet but STEER_SAFETY. */
static void a_seed_at_home_ends_the_budget(void **state)
{
	(void)state;
	struct world *w = world();
	struct body far[CHOICE_MAX];
	w->rules.free_percent = w->rules.paid_percent = 200;
	join(w, C, 1, 10, true);
	for (uint32_t i = 1; i <= 20; i++) {
		const struct body me = body(A, i, false);
		assert_int_equal(ask(w, &me, far), STEER_CONTACTS);
	}
	const unsigned before = book_of(w, A)->n;
	assert_int_equal(before, 20 * STEER_CONTACTS);
	join(w, A2, 1, 1, true);
	for (uint32_t i = 21; i <= 40; i++) {
		const struct body me = body(A, i, false);
		assert_int_equal(ask(w, &me, far), 0);
	}
	assert_int_equal(book_of(w, A)->n, before);
	for (uint32_t i = 1; i <= 20; i++)
		stop(w, &(struct body){ .pid = A, .n = i });
	for (uint32_t i = 21; i <= 40; i++) {
		const struct body me = body(A, i, false);
		(void)ask(w, &me, far);
	}
	assert_int_equal(book_of(w, A)->n, STEER_SAFETY);
	world_free(w);
}

/* Asked again, it would still get what it got when it announced last. */
static size_t question(struct world *w, const struct body *b)
{
	static uint64_t room[2][BRIDGE_BOOK_BYTES / sizeof(uint64_t)];
	struct swarm_visit v = world_enter(w);
	const struct swarm_asker who = { .client = client_of(w, b), .family = IP_V4 };
	struct choice_asker asker = asker_of(w, &v, &who);
	asker.known = true;
	asker.dry[0] = (struct bridge_book *)room[0];
	asker.dry[1] = (struct bridge_book *)room[1];
	(void)choice_make(&w->choice, &v, &asker, WANT, &w->seed);
	swarm_leave(&v);
	return w->choice.n - w->choice.n_near;
}

/* Its seed at home does not serve it, or its contacts bring nothing. */
static void the_starved_meet_more(void **state)
{
	(void)state;
	const struct body me = body(A, 30, false);
	for (unsigned seeds = 0; seeds < 2; seeds++) {
		const size_t usual = seeds > 0 ? 1 : STEER_CONTACTS;
		const size_t more = seeds > 0 ? STEER_CONTACTS : 2 * STEER_CONTACTS;
		struct world *w = world();
		struct body far[CHOICE_MAX];
		join(w, A2, 1, seeds, true);
		join(w, A, 1, 29, false);
		join(w, C, 1, 10, true);
		(void)ask(w, &me, far); /* its provider's first */
		w->now += STEER_PATIENCE;
		w->seconds = STEER_PATIENCE;
		w->received = UPLINK_USUAL_KBPS * 1000ULL / 8 * STEER_PATIENCE / STEER_STARVED;
		assert_int_equal(ask(w, &me, far), usual);
		assert_false(w->choice.standing.starved);
		w->received--;
		for (unsigned i = 0; i < 2; i++) {
			assert_int_equal(ask(w, &me, far), more);
			assert_true(w->choice.standing.starved);
		}
		assert_int_equal(question(w, &me), more);
		assert_true(w->choice.standing.starved);
		w->received++;
		assert_int_equal(ask(w, &me, far), more); /* whom it has met it keeps */
		assert_false(w->choice.standing.starved);
		(void)question(w, &me);
		assert_false(w->choice.standing.starved);
		world_free(w);
	}
}

static void ipv6_peers_meet_ipv6_peers(void **state)
{
	(void)state;
	struct world *w = world();
	struct body far[CHOICE_MAX];
	w->rules.free_percent = w->rules.paid_percent = 200;
	join(w, A, 2, 5, false);
	join(w, C, 1, 10, true);
	struct swarm_visit v = world_enter(w);
	for (uint32_t i = 2; i < 7; i++)
		(void)put(w, &v, &(struct body){ .pid = A, .n = i, .wide = true });
	for (uint32_t i = 0; i < 10; i++)
		(void)put(w, &v, &(struct body){ .pid = D, .n = i, .wide = true, .seed = true });
	swarm_leave(&v);
	const struct body six = { .pid = A, .n = 1, .wide = true }, four = { .pid = A, .n = 1 };
	for (unsigned round = 0; round < 3; round++) {
		assert_int_equal(ask(w, &six, far), STEER_CONTACTS);
		for (unsigned i = 0; i < STEER_CONTACTS; i++) {
			assert_true(far[i].wide && far[i].pid == D);
			assert_int_equal(entries(w, &six, &far[i]), 1);
			assert_int_equal(entries(w, &far[i], &six), 1);
		}
	}
	/* The provider's contacts are those of both families. */
	assert_int_equal(ask(w, &four, far), STEER_CONTACTS);
	assert_false(far[0].wide);
	assert_false(far[1].wide);
	assert_int_equal(book_of(w, A)->n, 2 * STEER_CONTACTS);
	stop(w, &six);
	assert_int_equal(book_of(w, A)->n, STEER_CONTACTS);
	world_free(w);
}

/* They cannot hand on what they have to those of the other family. */
static void ipv6_peers_do_not_save_an_island_of_ipv4(void **state)
{
	(void)state;
	struct world *w = world();
	struct body far[CHOICE_MAX];
	const struct body six = { .pid = A, .n = 1, .wide = true };
	struct swarm_visit v = world_enter(w);
	for (uint32_t i = 0; i < 10; i++)
		(void)put(w, &v, &(struct body){ .pid = D, .n = i, .wide = true, .seed = true });
	swarm_leave(&v);
	assert_int_equal(ask(w, &six, far), STEER_CONTACTS);
	w->rules.free_percent = w->rules.paid_percent = 0;
	join(w, A, 1, 10, false);
	join(w, C, 1, 10, true);
	assert_int_equal(ask(w, &(struct body){ .pid = A, .n = 1 }, far), 1);
	assert_int_equal(far[0].pid, C);
	world_free(w);
}

/* Each place once, as it is in the answer; far ones are the same each time. */
static void check_handed(struct world *w, const struct body *me)
{
	const struct choice *c = &w->choice;
	uint32_t sum = 0;
	for (size_t i = 0; i < c->n_handed; i++) {
		const struct choice_handed *h = &c->handed[i];
		uint32_t n = 0, far = 0;
		for (size_t k = 0; k < i; k++)
			assert_int_not_equal(c->handed[k].place, h->place);
		for (size_t k = 0; k < w->n; k++)
			if (w->list[k].place == h->place) {
				n++;
				far += provider_of(w->list[k].body.pid) != provider_of(me->pid);
				assert_false(same(&w->list[k].body, me));
			}
		assert_int_equal(h->count, n);
		assert_int_equal(h->same, far > 0);
		assert_true(h->candidates >= h->count);
		sum += n;
	}
	assert_int_equal(sum, w->n);
}

static void each_place_is_noted_once(void **state)
{
	(void)state;
	static const struct {
		uint32_t near, far;
	} rows[] = { { 3, 3 }, { 15, 15 }, { 200, 100 } };
	for (size_t r = 0; r < sizeof(rows) / sizeof(*rows); r++) {
		struct world *w = world();
		join(w, A, 1, rows[r].near, false);
		join(w, A2, 1, rows[r].near, false);
		join(w, B, 1, rows[r].far, false);
		join(w, C, 1, rows[r].far, false);
		join(w, C, 1000, 3, true);
		for (uint32_t i = 1; i <= 20; i++) {
			struct body old[CHOICE_MAX] = { { 0 } };
			const struct body me = body(A, i, false);
			const size_t n = ask(w, &me, old);
			check_handed(w, &me);
			for (size_t k = 0; k < w->choice.n_handed; k++)
				if (w->choice.handed[k].place == client_of(w, &old[0]).place &&
				    n > 0)
					assert_int_equal(w->choice.handed[k].candidates,
					                 rows[r].far + (old[0].pid == C ? 3 : 0));
			(void)announce(w, &me, WANT);
			check_handed(w, &me);
		}
		world_free(w);
	}
}

/* A friend's fast leechers are cheaper; the seed is far and slow. */
static void a_provider_is_not_fed_by_leechers_alone(void **state)
{
	(void)state;
	enum { EACH = 40 };
	static const struct isp fast_and_slow[] = { { .pids = 1, .friends = 1 << 1 },
		                                    { .pids = 1, .friends = 1, .up_kbps = 64000 },
		                                    { .pids = 1 },
		                                    { .pids = 1, .up_kbps = 500 } };
	struct world *w = world_new(fast_and_slow, 4, 1 << 20);
	unsigned seeds = 0;
	w->rules.free_percent = w->rules.paid_percent = 100;
	join(w, B, 1, 100, false);
	join(w, D, 1, EACH, true);
	join(w, A, 1, EACH, false);
	for (uint32_t i = 1; i <= EACH; i++)
		(void)announce(w, &(struct body){ .pid = A, .n = i }, WANT);
	const struct bridge_book *book = book_of(w, A);
	for (unsigned k = 0; k < book->n; k++)
		seeds += book->edges[k].far_seed;
	assert_in_range(seeds, book->n / STEER_SEEDED, book->n / STEER_SEEDED + 1);
	world_free(w);
}

/* With a seed at home there is little to meet, and more of the own provider than fit. */
static void no_slot_stays_empty(void **state)
{
	(void)state;
	struct world *w = world();
	join(w, A, 1, 30, false);
	join(w, A2, 1, 2, true);
	join(w, B, 1, 30, false);
	for (size_t want = 1; want <= 30; want++) {
		const struct body one = body(A, (uint32_t)want, false);
		const size_t most = want < w->rules.list_length ? want : w->rules.list_length;
		assert_int_equal(announce(w, &one, want), most);
	}
	world_free(w);
}

/* The provider with the only seed has met as many as can be kept: islands get it all the same. */
static void a_full_book_elsewhere_leaves_no_island(void **state)
{
	(void)state;
	struct world *w = world();
	struct body far[CHOICE_MAX];
	join(w, C, 1, 1, true);
	struct swarm_visit v = world_enter(w);
	const struct swarm_client c = client_of(w, &(struct body){ .pid = C });
	struct bridge_page page = asker_of(w, &v, &(struct swarm_asker){ .client = c }).page;
	page.provider = snapshot_provider_hash(w->map, snapshot_place(w->map, c.place).provider);
	struct bridge_book *book = bridge_open(&page);
	struct bridge_edge edge = { .near = 7 };
	bridge_last(&edge, w->now + TIMEOUT);
	while (book->n < BRIDGE_EDGES_MAX)
		assert_true(bridge_add(&page, &book, &edge));
	swarm_leave(&v);
	const struct body me = body(A, 1, false);
	assert_int_equal(ask(w, &me, far), 1);
	assert_int_equal(far[0].pid, C);
	assert_int_equal(entries(w, &me, &far[0]), 1);
	/* Others serve as well, and are kept. */
	join(w, D, 1, 3, true);
	const struct body other = body(A2, 1, false);
	const size_t n = ask(w, &other, far);
	assert_true(n > 0);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(far[i].pid, D);
	world_free(w);
}

/* Whoever cannot meet anybody need not ask again before its time. */
static void nobody_to_meet_is_nothing_to_hurry_for(void **state)
{
	(void)state;
	struct world *w = world();
	const struct body me = body(A, 1, false);
	join(w, E, 1, 3, false);
	(void)announce(w, &me, WANT);
	assert_int_equal(w->choice.soon, 0);
	join(w, C, 1, 1, false);
	(void)announce(w, &me, WANT);
	assert_int_equal(w->choice.soon, STEER_SOON);
	w->now--; /* another worker's second */
	(void)announce(w, &me, WANT);
	assert_int_equal(w->choice.soon, STEER_SOON);
	world_free(w);
}

/* A list in IPv6 for a client that has all it needs in IPv4: its provider is no island, nor is it alone. */
static void the_other_family_finds_a_home(void **state)
{
	(void)state;
	struct world *w = world();
	join(w, A, 1, 40, false);
	join(w, A, 50, 6, true); /* as many as make sure of it */
	struct swarm_visit v = world_enter(w);
	for (uint32_t i = 0; i < 30; i++)
		(void)put(w, &v, &(struct body){ .pid = C, .n = i, .wide = true, .seed = i < 5 });
	const struct body me = body(A, 1, false);
	struct swarm_asker who = { .client = client_of(w, &me), .family = IP_V6 };
	who.client.identity = identity_of(&(struct body){ .pid = A, .n = 1, .wide = true });
	struct choice_asker asker = asker_of(w, &v, &who);
	asker.known = true;
	assert_int_equal(choice_make(&w->choice, &v, &asker, 7, &w->seed), 1);
	assert_int_equal(w->choice.soon, 0);
	swarm_leave(&v);
	world_free(w);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(a_full_book_elsewhere_leaves_no_island),
	cmocka_unit_test(nobody_to_meet_is_nothing_to_hurry_for),
	cmocka_unit_test(the_other_family_finds_a_home),
	cmocka_unit_test(a_list_is_as_long_as_the_rules_say),
	cmocka_unit_test(a_short_list_makes_no_contacts_that_do_not_fit),
	cmocka_unit_test(an_edge_is_in_both_books),
	cmocka_unit_test(seeds_are_the_best_contacts),
	cmocka_unit_test(a_friend_comes_before_transit),
	cmocka_unit_test(an_island_with_full_lists_gets_a_seed),
	cmocka_unit_test(an_island_gets_a_seed_however_dear),
	cmocka_unit_test(a_swarm_without_seeds_keeps_its_budget),
	cmocka_unit_test(who_shall_not_upload_is_no_contact),
	cmocka_unit_test(an_island_gets_a_seed_that_avoids_uploads_when_there_is_no_other),
	cmocka_unit_test(a_seed_that_should_not_upload_feeds_nobody_at_home),
	cmocka_unit_test(takers_spread_over_the_seeds),
	cmocka_unit_test(native_without_a_map_or_a_provider),
	cmocka_unit_test(without_a_store_contacts_are_made_all_the_same),
	cmocka_unit_test(a_full_store_costs_nobody_its_contacts),
	cmocka_unit_test(a_seed_at_home_ends_the_budget),
	cmocka_unit_test(the_starved_meet_more),
	cmocka_unit_test(ipv6_peers_meet_ipv6_peers),
	cmocka_unit_test(ipv6_peers_do_not_save_an_island_of_ipv4),
	cmocka_unit_test(each_place_is_noted_once),
	cmocka_unit_test(a_provider_is_not_fed_by_leechers_alone),
	cmocka_unit_test(no_slot_stays_empty),
};

RUN_TESTS(tests)
