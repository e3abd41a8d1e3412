/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/p4psim/studies.h"

#include "tools/p4psim/office.h"

#include <math.h>

static const char crowd[] =
	"\"content\": {\"kib\": 4096, \"piece_kib\": 64},"
	"\"delays\": {\"us_per_weight\": 1000, \"interconnect_ms\": 7},"
	"\"peers\": ["
	" {\"pids\": {\"isp-a/a1\": 20},"
	"  \"access\": [{\"up_mbps\": 2, \"down_mbps\": 8, \"delay_ms\": 3}]},"
	" {\"pids\": {\"isp-a/a2\": 20, \"isp-b/b1\": 20, \"isp-b/b2\": 20, \"isp-c/c1\": 20},"
	"  \"access\": [{\"up_mbps\": 2, \"down_mbps\": 8, \"delay_ms\": 4}]}],"
	"\"seeds\": [{\"pids\": {\"isp-b/b1\": 1}, \"access\": [{\"up_mbps\": 10, \"down_mbps\": 10}]}],"
	"\"policies\": [{\"policy\": \"localised\", \"numwant\": 30},"
	" {\"policy\": \"native\", \"numwant\": 30},"
	" {\"name\": \"of 40\", \"policy\": \"localised\", \"numwant\": 30, \"measured\": 40},"
	" {\"name\": \"not\", \"policy\": \"localised\", \"numwant\": 30,"
	"  \"control_percent\": 100}]";

static struct localise localise_of(const struct study *s)
{
	return (struct localise){ &s->scenario, &s->population, &s->network };
}

/* The first peer in a PID, a seed or not. */
static uint32_t somebody(const struct study *s, const char *pid, bool seed)
{
	char key[PLACE_KEY_MAX];
	(void)snprintf(key, sizeof(key), "pid:%s", pid);
	const uint32_t place = snapshot_place_find(s->world.map, key);
	for (uint32_t i = 0; i < s->population.n; i++)
		if (s->population.people[i].seed == seed &&
		    s->population.places[s->population.people[i].site] == place)
			return i;
	fail_msg("nobody in %s", pid);
	return 0;
}

/* Inside A two links of weight 1, between A and B two more, and the interconnect in both books. */
static void a_delay_is_that_of_lines_links_and_interconnects(void **state)
{
	(void)state;
	struct study s;
	load_text(&s, crowd, NULL);
	const struct localise l = localise_of(&s);
	const uint32_t a1 = somebody(&s, "isp-a/a1", false), a2 = somebody(&s, "isp-a/a2", false);
	const uint32_t b2 = somebody(&s, "isp-b/b2", false), seed = somebody(&s, "isp-b/b1", true);
	assert_true(fabs(localise_delay(&l, a1, a1) - 2 * (3 + 3)) < 1e-9);
	assert_true(fabs(localise_delay(&l, a1, a2) - 2 * (3 + 4 + 2)) < 1e-9);
	assert_true(fabs(localise_delay(&l, a1, b2) - 2 * (3 + 4 + 2 + 14)) < 1e-9);
	assert_true(fabs(localise_delay(&l, b2, a1) - localise_delay(&l, a1, b2)) < 1e-9);
	assert_true(fabs(localise_delay(&l, seed, b2) - 2 * (SCENARIO_DELAY_MS + 4 + 2)) < 1e-9);
	study_done(&s);
}

static struct office_list ask(struct office *o, uint32_t peer, uint32_t want)
{
	struct office_list out;
	const struct office_ask ask = {
		.peer = peer, .want = want, .whole = o->population->people[peer].seed, .now = 1
	};
	assert_int_equal(office_announce(o, &ask, &out), ERR_OK);
	return out;
}

/* Everybody is there. */
static void open_full(struct office *o, const struct study *s, size_t arm)
{
	assert_int_equal(
		office_open(o, &s->scenario, &s->scenario.arms[arm], &s->population, &s->network),
		ERR_OK);
	for (uint32_t i = 0; i < s->population.n; i++)
		(void)ask(o, i, 0);
}

static struct office_list list_of(const struct study *s, size_t arm, uint32_t peer)
{
	struct office o;
	open_full(&o, s, arm);
	const struct office_list out = ask(&o, peer, s->scenario.arms[arm].numwant);
	office_close(&o);
	return out;
}

static size_t count_in(const struct study *s, const struct office_list *list, const char *pid)
{
	const uint32_t site = s->population.people[somebody(s, pid, false)].site;
	size_t n = 0;
	for (size_t i = 0; i < list->n; i++)
		n += s->population.people[list->peers[i]].site == site;
	return n;
}

/* Nineteen in its own PID, then eleven of the next one, and nobody from farther away. */
static void a_list_has_the_nearest(void **state)
{
	(void)state;
	struct study s;
	load_text(&s, crowd, NULL);
	const struct localise l = localise_of(&s);
	const uint32_t asker = somebody(&s, "isp-a/a1", false);
	const struct office_list list = list_of(&s, 0, asker);
	assert_int_equal(list.n, 30);
	assert_int_equal(count_in(&s, &list, "isp-a/a1"), 19);
	assert_int_equal(count_in(&s, &list, "isp-a/a2"), 11);
	for (size_t i = 1; i < list.n; i++)
		assert_true(localise_delay(&l, asker, list.peers[i - 1]) <=
		            localise_delay(&l, asker, list.peers[i]));
	study_done(&s);
}

/* Of 40 of 100, about eight are of its PID, and some of the list from another provider. */
static void who_was_not_measured_is_not_near(void **state)
{
	(void)state;
	struct study s;
	load_text(&s, crowd, NULL);
	const struct localise l = localise_of(&s);
	const uint32_t asker = somebody(&s, "isp-a/a1", false);
	const struct office_list list = list_of(&s, 2, asker);
	assert_int_equal(list.n, 30);
	assert_in_range(count_in(&s, &list, "isp-a/a1"), 1, 15);
	assert_true(localise_delay(&l, asker, list.peers[29]) > 2 * (3 + 4 + 2 + 13));
	study_done(&s);
}

static bool has(const struct office_list *list, uint32_t peer)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->peers[i] == peer)
			return true;
	return false;
}

/* Of those who are equally near others come the next time; and the same ones in the same run again. */
static void equals_are_drawn_by_lot(void **state)
{
	(void)state;
	struct office_list lists[2][2];
	size_t others = 0;
	for (size_t i = 0; i < 2; i++) {
		struct study s;
		struct office o;
		load_text(&s, crowd, NULL);
		open_full(&o, &s, 0);
		for (size_t k = 0; k < 2; k++)
			lists[i][k] = ask(&o, somebody(&s, "isp-a/a1", false), 30);
		office_close(&o);
		study_done(&s);
	}
	for (size_t i = 0; i < 30; i++) {
		assert_int_equal(lists[0][0].peers[i], lists[1][0].peers[i]);
		assert_int_equal(lists[0][1].peers[i], lists[1][1].peers[i]);
		others += !has(&lists[0][0], lists[0][1].peers[i]);
	}
	assert_in_range(others, 1, 9); /* of the eleven from A's other PID */
}

static double share_at_home(const struct study *s, size_t arm)
{
	double tiers[TIER_COUNT_], sum = 0;
	outcome_tiers(&s->outcomes[arm], &s->network, tiers);
	for (size_t i = 0; i < TIER_COUNT_; i++)
		sum += tiers[i];
	return (tiers[TIER_SAME_PID] + tiers[TIER_SAME_PROVIDER]) / sum;
}

static void a_run_keeps_bytes_near_but_for_the_control_group(void **state)
{
	(void)state;
	struct study s;
	load_text(&s, crowd, NULL);
	assert_int_equal(study_run(&s), ERR_OK);
	for (size_t arm = 0; arm < s.n_outcomes; arm++) {
		struct outcome_times t;
		assert_int_equal(outcome_times(&s.outcomes[arm], &s.network, UINT32_MAX, &t),
		                 ERR_OK);
		assert_int_equal(t.n, 100);
	}
	assert_true(share_at_home(&s, 0) > share_at_home(&s, 2) + .1);
	assert_true(share_at_home(&s, 2) > share_at_home(&s, 1) + .05);
	assert_true(share_at_home(&s, 3) < share_at_home(&s, 1) + .05);
	study_done(&s);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(a_delay_is_that_of_lines_links_and_interconnects),
	cmocka_unit_test(a_list_has_the_nearest),
	cmocka_unit_test(who_was_not_measured_is_not_near),
	cmocka_unit_test(equals_are_drawn_by_lot),
	cmocka_unit_test(a_run_keeps_bytes_near_but_for_the_control_group),
};

RUN_TESTS(tests)
