/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/choice/six_isps.h"

/* Who has met meets again, and until when: what `bridge` remembers from one announce to the next. */

static void the_same_far_peers_come_again(void **state)
{
	(void)state;
	struct world *w = world();
	struct body first[CHOICE_MAX], again[CHOICE_MAX];
	const struct body me = body(A, 1, false);
	join(w, A, 1, 10, false);
	join(w, B, 1, 50, false);
	join(w, C, 1, 50, false);
	join(w, D, 1, 5, true);
	const size_t n = ask(w, &me, first);
	assert_true(n > 0);
	for (unsigned round = 0; round < ROUNDS; round++) {
		w->now += INTERVAL;
		join(w, A, 1, 10, false);
		join(w, B, 1, 50, false);
		join(w, C, 1, 50, false);
		join(w, D, 1, 5, true);
		const size_t m = ask(w, &me, again);
		assert_true(m >= n);
		for (size_t i = 0; i < n; i++)
			assert_true(has(again, m, &first[i]));
		memcpy(first, again, sizeof(first));
		assert_int_equal(book_of(w, A)->n >= m, true);
	}
	world_free(w);
}

static void both_sides_are_gone_when_somebody_leaves(void **state)
{
	(void)state;
	struct world *w = world();
	struct body far[CHOICE_MAX], others[CHOICE_MAX];
	const struct body me = body(A, 1, false), other = body(A, 2, false);
	join(w, C, 1, 3, true);
	const size_t n = ask(w, &me, far), m = ask(w, &other, others);
	assert_true(n > 0 && m > 0);
	const uint64_t before = bridge_totals(w->bridges).entries;
	stop(w, &me);
	assert_int_equal(bridge_totals(w->bridges).entries, before - 2 * n);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(entries(w, &me, &far[i]), 0);
		assert_int_equal(entries(w, &far[i], &me), 0);
	}
	for (size_t i = 0; i < m; i++) { /* nobody else's */
		assert_int_equal(entries(w, &other, &others[i]), 1);
		assert_int_equal(entries(w, &others[i], &other), 1);
	}
	for (size_t i = 0; i < m; i++)
		stop(w, &others[i]);
	assert_int_equal(entries(w, &other, &others[0]), 0);
	world_free(w);
}

static void a_lost_far_peer_is_replaced(void **state)
{
	(void)state;
	struct world *w = world();
	struct body far[CHOICE_MAX], again[CHOICE_MAX];
	const struct body me = body(A, 1, false);
	join(w, C, 1, 3, true);
	join(w, D, 1, 30, true);
	w->rules.free_percent = w->rules.paid_percent = 200;
	join(w, A, 2, 5, false);
	size_t n = ask(w, &me, far);
	for (unsigned round = 0; round < 20; round++) {
		const struct body lost = far[round % n];
		if (round % 2 == 0)
			vanish(w, &lost);
		else
			stop(w, &lost);
		const size_t m = ask(w, &me, again);
		assert_int_equal(m, n);
		assert_false(has(again, m, &lost));
		for (size_t i = 0; i < n; i++)
			assert_true(i == round % n || has(again, m, &far[i]));
		assert_int_equal(entries(w, &me, &lost), 0);
		assert_int_equal(book_of(w, A)->n, n);
		memcpy(far, again, sizeof(far));
		n = m;
	}
	world_free(w);
}

/* A partial seed still serves whoever leeches; two who want nothing have nothing for each other. */
static void who_wants_no_more_meets_only_leechers(void **state)
{
	(void)state;
	const struct body me = body(A, 1, false), done = body(A, 1, true);
	const struct body others[] = { body(C, 1, false),
		                       { .pid = C, .n = 1, .partial = true },
		                       body(C, 1, true) };
	for (size_t i = 0; i < 3; i++) {
		struct world *w = world();
		struct body far[CHOICE_MAX];
		join(w, C, 1, 1, false);
		assert_int_equal(ask(w, &me, far), 1);
		(void)announce(w, &others[i], 0);
		assert_int_equal(ask(w, &me, far), 1);
		assert_int_equal(ask(w, &done, far), i == 0);
		assert_int_equal(entries(w, &done, &others[i]), i == 0);
		world_free(w);
	}
}

/* A new map in which every place has another number, and then the same map again. */
static void books_outlive_a_map(void **state)
{
	(void)state;
	struct world *w = world();
	struct body far[CHOICE_MAX], again[CHOICE_MAX];
	const struct body me = body(C, 1, false);
	w->rules.free_percent = w->rules.paid_percent = 200;
	join(w, C, 2, 10, false);
	join(w, D, 1, 50, true);
	assert_int_equal(ask(w, &me, far), STEER_CONTACTS);
	const uint32_t born = book_of(w, C)->born;
	w->map_number++; /* the places are where they were */
	w->now += 100;
	assert_int_equal(ask(w, &me, again), STEER_CONTACTS);
	for (size_t i = 0; i < STEER_CONTACTS; i++)
		assert_true(has(again, STEER_CONTACTS, &far[i]));
	snapshot_free(w->map);
	w->map = map_of(isps, 1, ISPS);
	w->map_number++;
	assert_int_equal(ask(w, &me, far), STEER_CONTACTS);
	assert_int_equal(book_of(w, C)->n, STEER_CONTACTS);
	assert_int_equal(book_of(w, C)->born, born);
	stop(w, &me);
	assert_int_equal(book_of(w, C)->n, 0);
	world_free(w);
}

/* A large swarm is moved bit by bit; meanwhile nobody loses whom it has met. */
static void contacts_outlive_the_move_of_a_swarm(void **state)
{
	(void)state;
	struct world *w = world();
	struct body far[CHOICE_MAX], again[CHOICE_MAX];
	const struct body me = body(C, 1, false);
	join(w, C, 2, 2000, false);
	join(w, D, 1, 2000, true);
	w->rules.free_percent = w->rules.paid_percent = 200;
	assert_int_equal(ask(w, &me, far), STEER_CONTACTS);
	w->map_number++; /* the places are where they were */
	(void)announce(w, &(struct body){ .pid = C, .n = 2 }, WANT);
	(void)ask(w, &me, again);
	for (size_t i = 0; i < STEER_CONTACTS; i++)
		assert_int_equal(entries(w, &me, &far[i]), 1);
	w->now += 1;
	for (uint32_t i = 0; i < 2500; i++)
		(void)announce(w, &(struct body){ .pid = C, .n = 2 + i % 2000 }, WANT);
	const size_t n = ask(w, &me, again);
	for (size_t i = 0; i < STEER_CONTACTS; i++)
		assert_true(has(again, n, &far[i]));
	world_free(w);
}

/* A PID moves to the asker's provider, under the number it had: who is there is far no more. */
static void who_comes_home_is_listed_once(void **state)
{
	(void)state;
	struct world *w = world_new(
		(const struct isp[]){ { .pids = 1 }, { .pids = 1 }, { .pids = 1 } }, 3, 1 << 20);
	struct body far[CHOICE_MAX];
	const struct body me = body(A, 1, false);
	join(w, B, 1, 2, true);
	assert_int_equal(ask(w, &me, far), STEER_CONTACTS);
	struct maps *m = calloc(1, sizeof(*m));
	assert_non_null(m);
	for (unsigned i = 0; i < 3; i++)
		describe(m, i, 3, &(struct isp){ .pids = 1 });
	m->pids[0][1] = m->pids[1][0];
	m->pids[0][1].name = pid_names[1];
	m->topologies[0].n_pids = 2;
	m->sources[1] = m->sources[2];
	snapshot_free(w->map);
	assert_int_equal(map_compile(m->sources, 2, &w->map, NULL), ERR_OK);
	free(m);
	w->map_number++;
	assert_int_equal(announce(w, &me, WANT), 2);
	assert_false(same(&w->list[0].body, &w->list[1].body));
	assert_int_equal(book_of(w, A)->n, 0);
	world_free(w);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(the_same_far_peers_come_again),
	cmocka_unit_test(both_sides_are_gone_when_somebody_leaves),
	cmocka_unit_test(a_lost_far_peer_is_replaced),
	cmocka_unit_test(who_wants_no_more_meets_only_leechers),
	cmocka_unit_test(books_outlive_a_map),
	cmocka_unit_test(contacts_outlive_the_move_of_a_swarm),
	cmocka_unit_test(who_comes_home_is_listed_once),
};

RUN_TESTS(tests)
