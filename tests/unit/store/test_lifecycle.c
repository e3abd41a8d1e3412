/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/store/opened.h"

#include "server/store/lifecycle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char sha_of[65];

/* A document whose hash is `c` 64 times; returns its version, or 0 and `refused` says why. */
static enum err refused;
static uint64_t put(enum store_kind kind, char c, bool draft, const char *expected)
{
	uint64_t version = 0;
	memset(sha_of, c, 64);
	sha_of[64] = '\0';
	const struct store_upload u = { .provider = "isp-a",
		                        .kind = kind,
		                        .body = "{}",
		                        .size = 2,
		                        .sha256 = sha_of,
		                        .author = "alice",
		                        .source = draft ? "map.json, commit 1234" : NULL,
		                        .expected = expected,
		                        .draft = draft };
	refused = store_upload(s, &u, &version);
	return version;
}

static enum err activate(uint64_t topology, uint64_t costs, const char *expected)
{
	struct store_activation a = { .provider = "isp-a",
		                      .author = "bob",
		                      .version = { topology, costs },
		                      .expected = expected };
	return store_activate(s, &a);
}

static enum err roll_back(uint64_t to)
{
	struct store_back back;
	const enum err e = store_back(s, "isp-a", to, &back);
	if (e != ERR_OK)
		return e;
	struct store_activation a = { .provider = "isp-a", .author = "bob", .reason = "at night" };
	memcpy(a.version, back.version, sizeof(a.version));
	memcpy(a.resumes, back.resumes, sizeof(a.resumes));
	return store_activate(s, &a);
}

/* "draft, in force": the states of all versions, oldest first. */
static const char *states(void)
{
	static char all[256];
	struct store_life *list;
	size_t n, used = 0;
	assert_int_equal(store_history(s, "isp-a", 0, &list, &n), ERR_OK);
	all[0] = '\0';
	for (size_t i = n; i-- > 0;)
		used += (size_t)snprintf(all + used, sizeof(all) - used, "%s%s",
		                         store_state_name(list[i].state), i > 0 ? ", " : "");
	free(list);
	return all;
}

static struct store_life life_of(uint64_t version)
{
	struct store_life *list;
	size_t n;
	assert_int_equal(store_history(s, "isp-a", version, &list, &n), ERR_OK);
	assert_int_equal(n, 1);
	const struct store_life life = list[0];
	free(list);
	return life;
}

static void a_draft_is_kept_and_not_in_force(void **state)
{
	(void)state;
	assert_int_equal(put(STORE_TOPOLOGY, 'a', true, NULL), 1);
	assert_int_equal(refused, ERR_OK);
	assert_string_equal(states(), "draft");
	assert_string_equal(life_of(1).source, "map.json, commit 1234");
	assert_int_equal(put(STORE_TOPOLOGY, 'a', true, NULL), 1); /* the same again */
	assert_int_equal(put(STORE_TOPOLOGY, 'b', true, NULL), 2); /* no number was lost */
	assert_int_equal(activate(1, 0, NULL), ERR_OK);
	assert_string_equal(states(), "in force, draft");
	assert_int_equal(activate(2, 0, NULL), ERR_OK);
	assert_string_equal(states(), "superseded, in force");
	assert_int_equal(put(STORE_TOPOLOGY, 'b', true, NULL), 2);
	assert_int_equal(refused, ERR_EXISTS); /* in force already */
}

static void what_must_be_in_force_is_checked(void **state)
{
	(void)state;
	char two[140];
	assert_int_equal(put(STORE_TOPOLOGY, 'a', false, "7"), 0);
	assert_int_equal(refused, ERR_DENIED);
	assert_int_equal(put(STORE_TOPOLOGY, 'a', false, "0"), 1); /* nothing is */
	assert_int_equal(put(STORE_TOPOLOGY, 'b', true, NULL), 2);
	assert_int_equal(put(STORE_COSTS, 'c', true, NULL), 3);
	assert_int_equal(activate(2, 0, sha_of), ERR_DENIED); /* the drafted costs' */
	memset(sha_of, 'a', 64);
	assert_int_equal(activate(2, 3, sha_of), ERR_DENIED); /* of costs nothing is in force */
	assert_string_equal(states(), "in force, draft, draft");
	(void)snprintf(two, sizeof(two), "%s 0", sha_of);
	assert_int_equal(activate(2, 3, two), ERR_OK);
	assert_int_equal(activate(1, 0, "1"), ERR_DENIED);
	assert_int_equal(activate(1, 0, "2"), ERR_OK);
	assert_int_equal(activate(2, 0, "*"), ERR_OK);
}

static void a_second_person_approves(void **state)
{
	(void)state;
	const struct store_token carol = { .name = "carol",
		                           .role = STORE_APPROVER,
		                           .provider = "isp-a" };
	static const uint8_t hash[32] = { 1 };
	uint64_t id;
	assert_int_equal(store_token_add(s, &carol, hash, "admin", &id), ERR_OK);
	assert_int_equal(put(STORE_TOPOLOGY, 'a', true, NULL), 1);
	assert_int_equal(store_approve(s, "isp-a", 9, "carol"), ERR_NOT_FOUND);
	assert_int_equal(store_approve(s, "isp-a", 1, "alice"), ERR_DENIED);
	assert_string_equal(states(), "draft");
	assert_int_equal(store_approve(s, "isp-a", 1, "carol"), ERR_OK);
	assert_int_equal(store_approve(s, "isp-a", 1, "carol"), ERR_OK);
	assert_string_equal(states(), "approved");
	assert_string_equal(life_of(1).approver, "carol");
}

static void a_roll_back_goes_back_step_by_step(void **state)
{
	(void)state;
	assert_int_equal(roll_back(0), ERR_NOT_FOUND);
	assert_int_equal(put(STORE_TOPOLOGY, 'a', false, NULL), 1);
	assert_int_equal(roll_back(0), ERR_NOT_FOUND);
	assert_int_equal(put(STORE_COSTS, 'c', false, NULL), 2);
	assert_int_equal(put(STORE_TOPOLOGY, 'b', true, NULL), 3);
	assert_int_equal(put(STORE_COSTS, 'd', true, NULL), 4);
	assert_int_equal(activate(3, 4, NULL), ERR_OK);
	assert_int_equal(put(STORE_TOPOLOGY, 'e', false, NULL), 5);

	assert_int_equal(roll_back(0), ERR_OK);
	assert_string_equal(states(), "superseded, superseded, in force, in force, rolled back");
	assert_string_equal(life_of(5).undone, "at night");
	assert_int_equal(roll_back(1), ERR_OK); /* the topology alone */
	assert_string_equal(states(), "in force, superseded, rolled back, in force, rolled back");
	assert_int_equal(roll_back(0), ERR_NOT_FOUND); /* there was nothing before the first */
	assert_int_equal(roll_back(9), ERR_NOT_FOUND);
}

static void what_came_together_goes_back_together(void **state)
{
	(void)state;
	assert_int_equal(put(STORE_TOPOLOGY, 'a', false, NULL), 1);
	assert_int_equal(put(STORE_COSTS, 'c', false, NULL), 2);
	assert_int_equal(put(STORE_TOPOLOGY, 'b', true, NULL), 3);
	assert_int_equal(put(STORE_COSTS, 'd', true, NULL), 4);
	assert_int_equal(activate(3, 4, NULL), ERR_OK);
	assert_int_equal(roll_back(0), ERR_OK);
	assert_string_equal(states(), "in force, in force, rolled back, rolled back");
}

static void first_costs_go_back_to_none_and_a_first_topology_does_not(void **state)
{
	(void)state;
	struct store_back back;
	assert_int_equal(put(STORE_TOPOLOGY, 'a', false, NULL), 1);
	assert_int_equal(put(STORE_COSTS, 'c', true, NULL), 2);
	assert_int_equal(put(STORE_TOPOLOGY, 'b', true, NULL), 3);
	assert_int_equal(activate(3, 2, NULL), ERR_OK);
	assert_int_equal(store_back(s, "isp-a", 0, &back), ERR_OK);
	assert_true(back.no_costs && back.version[STORE_TOPOLOGY] == 1);
	assert_int_equal(back.from[STORE_COSTS], 2);

	assert_int_equal(put(STORE_COSTS, 'e', true, NULL), 4); /* what says as much as none */
	struct store_activation a = { .provider = "isp-a",
		                      .author = "bob",
		                      .version = { 1, 4 },
		                      .resumes = { back.resumes[0], STORE_RESUMES_NOTHING },
		                      .from = { 3, 2 } };
	assert_int_equal(store_activate(s, &a), ERR_OK);
	assert_string_equal(states(), "in force, rolled back, rolled back, in force");
	assert_int_equal(store_back(s, "isp-a", 0, &back), ERR_NOT_FOUND); /* nothing was before */
	assert_int_equal(put(STORE_COSTS, 'f', false, NULL), 5);
	assert_int_equal(store_back(s, "isp-a", 0, &back), ERR_OK);
	assert_true(!back.no_costs && back.version[STORE_COSTS] == 4);
	assert_int_equal(store_back(s, "isp-a", 2, &back), ERR_OK); /* forward again */
	assert_int_equal(back.version[STORE_COSTS], 2);
}

static size_t watches(void)
{
	struct store_map_watch *list;
	size_t n;
	assert_int_equal(store_map_watches(s, &list, &n), ERR_OK);
	free(list);
	return n;
}

static void what_is_in_force_already_is_no_change(void **state)
{
	(void)state;
	const struct store_map_watch look = {
		.provider = "isp-a", .begun = 100, .until = 200, .points = 5
	};
	assert_int_equal(put(STORE_TOPOLOGY, 'a', false, NULL), 1);
	assert_int_equal(put(STORE_TOPOLOGY, 'b', true, NULL), 2);
	struct store_activation a = {
		.provider = "isp-a", .author = "bob", .version = { 2, 0 }, .look_after = &look
	};
	assert_int_equal(store_activate(s, &a), ERR_OK);
	assert_false(a.unchanged);
	a.look_after = NULL;
	assert_int_equal(store_activate(s, &a), ERR_OK); /* no answer came the first time */
	assert_true(a.unchanged);
	assert_int_equal(watches(), 1); /* goes on */
	assert_int_equal(roll_back(0), ERR_OK);
	assert_string_equal(states(), "in force, rolled back");
	assert_int_equal(roll_back(1), ERR_OK);
	assert_int_equal(roll_back(0), ERR_NOT_FOUND);
}

/* As earlier releases wrote it. */
static void a_version_put_in_force_twice_is_left_by_one_roll_back(void **state)
{
	(void)state;
	assert_int_equal(put(STORE_TOPOLOGY, 'a', false, NULL), 1);
	assert_int_equal(put(STORE_TOPOLOGY, 'b', false, NULL), 2);
	char number[24];
	db_ask("INSERT INTO activations (provider, version, kind, author) "
	       "VALUES ('isp-a', 2, 'topology', 'bob') RETURNING number",
	       number, sizeof(number));
	assert_int_equal(roll_back(0), ERR_OK);
	assert_string_equal(states(), "in force, rolled back");
}

static void a_roll_back_never_takes_a_newer_change_with_it(void **state)
{
	(void)state;
	struct store_back back;
	assert_int_equal(put(STORE_TOPOLOGY, 'a', false, NULL), 1);
	assert_int_equal(put(STORE_TOPOLOGY, 'b', false, NULL), 2);
	assert_int_equal(store_back(s, "isp-a", 0, &back), ERR_OK);
	assert_int_equal(put(STORE_TOPOLOGY, 'c', false, NULL), 3); /* while it was checked */
	struct store_activation a = { .provider = "isp-a", .author = "bob" };
	memcpy(a.version, back.version, sizeof(a.version));
	memcpy(a.resumes, back.resumes, sizeof(a.resumes));
	memcpy(a.from, back.from, sizeof(a.from));
	assert_int_equal(store_activate(s, &a), ERR_DENIED);
	assert_string_equal(states(), "superseded, superseded, in force");
}

static void a_plan_of_two_is_cancelled_by_either(void **state)
{
	(void)state;
	assert_int_equal(put(STORE_TOPOLOGY, 'a', true, NULL), 1);
	assert_int_equal(put(STORE_COSTS, 'c', true, NULL), 2);
	struct store_plan p = {
		.provider = "isp-a", .author = "alice", .version = 1, .also = 2, .at = 10
	};
	assert_int_equal(store_plan_add(s, &p), ERR_OK);
	assert_string_equal(states(), "scheduled, scheduled");
	p = (struct store_plan){ .provider = "isp-a", .author = "alice", .version = 2, .at = 11 };
	assert_int_equal(store_plan_add(s, &p), ERR_OK);
	assert_int_equal(store_plan_cancel(s, "isp-a", 2, "bob"), ERR_OK); /* its own first */
	assert_string_equal(life_of(1).plan_state, "waiting");
	assert_int_equal(store_plan_cancel(s, "isp-a", 2, "bob"), ERR_OK);
	assert_string_equal(states(), "draft, draft");
	assert_int_equal(store_plan_cancel(s, "isp-a", 2, "bob"), ERR_NOT_FOUND);
}

static void what_comes_into_force_early_does_not_come_again(void **state)
{
	(void)state;
	assert_int_equal(put(STORE_TOPOLOGY, 'a', false, NULL), 1);
	assert_int_equal(put(STORE_TOPOLOGY, 'b', true, NULL), 2);
	assert_int_equal(put(STORE_COSTS, 'c', true, NULL), 3);
	struct store_plan p = { .provider = "isp-a", .author = "alice", .version = 2, .at = 10 };
	assert_int_equal(store_plan_add(s, &p), ERR_OK);
	p = (struct store_plan){ .provider = "isp-a", .author = "alice", .version = 3, .at = 11 };
	assert_int_equal(store_plan_add(s, &p), ERR_OK);
	assert_int_equal(activate(2, 0, NULL), ERR_OK);
	assert_string_equal(life_of(2).plan_state, "cancelled");
	assert_string_equal(life_of(2).plan_reason, "in force before its time");
	assert_int_equal(roll_back(0), ERR_OK);
	assert_int_equal(store_plan_due(s, 99, &p), ERR_OK);
	assert_int_equal(p.version, 3); /* another's waits on */
}

static void of_several_daemons_one_carries_out_a_plan(void **state)
{
	(void)state;
	assert_int_equal(put(STORE_TOPOLOGY, 'a', true, NULL), 1);
	struct store_plan p = { .provider = "isp-a",
		                .author = "alice",
		                .version = 1,
		                .at = 5000,
		                .watch_seconds = 60 };
	assert_int_equal(store_plan_add(s, &p), ERR_OK);
	assert_int_equal(store_plan_add(s, &p), ERR_EXISTS);
	assert_string_equal(states(), "scheduled");
	assert_int_equal(store_plan_due(s, 4999, &p), ERR_NOT_FOUND);
	assert_int_equal(store_plan_due(s, 5000, &p), ERR_OK);
	assert_int_equal(p.watch_seconds, 60);
	struct store_activation a = {
		.provider = "isp-a", .author = "alice", .version = { 1, 0 }, .plan = p.number
	};
	assert_int_equal(store_activate(s, &a), ERR_OK);
	assert_int_equal(store_activate(s, &a), ERR_EXISTS);
	assert_int_equal(store_plan_fail(s, &p, "too late"), ERR_OK); /* and changes nothing */
	assert_string_equal(life_of(1).plan_state, "done");

	assert_int_equal(put(STORE_TOPOLOGY, 'b', true, NULL), 2);
	p.version = 2;
	p.has_expected = true;
	(void)snprintf(p.expected, sizeof(p.expected), "2");
	assert_int_equal(store_plan_add(s, &p), ERR_DENIED);
	(void)snprintf(p.expected, sizeof(p.expected), "1");
	assert_int_equal(store_plan_add(s, &p), ERR_OK);
	assert_int_equal(store_plan_cancel(s, "isp-a", 2, "bob"), ERR_OK);
	assert_int_equal(store_plan_cancel(s, "isp-a", 2, "bob"), ERR_NOT_FOUND);
	assert_int_equal(store_plan_due(s, 9999, &p), ERR_NOT_FOUND);
	assert_string_equal(states(), "in force, draft");
}

static void one_trouble(const char *provider, uint64_t count, const char *text)
{
	struct store_map_trouble *list;
	size_t n;
	assert_int_equal(store_map_troubles(s, 0, &list, &n), ERR_OK);
	assert_int_equal(n, 1);
	assert_string_equal(list[0].provider, provider);
	assert_int_equal(list[0].count, count);
	assert_string_equal(list[0].text, text);
	free(list);
}

static void what_failed_by_itself_is_told_until_somebody_sees_to_it(void **state)
{
	(void)state;
	assert_int_equal(put(STORE_TOPOLOGY, 'a', false, NULL), 1);
	assert_int_equal(put(STORE_TOPOLOGY, 'b', true, NULL), 2);
	struct store_plan p = { .provider = "isp-a", .author = "alice", .version = 2, .at = 10 };
	assert_int_equal(store_plan_add(s, &p), ERR_OK);
	assert_int_equal(store_plan_due(s, 10, &p), ERR_OK);
	assert_int_equal(store_plan_fail(s, &p, "no such PID"), ERR_OK);
	assert_string_equal(life_of(2).plan_reason, "no such PID");
	one_trouble("isp-a", 1, "planned activation of version 2 failed: no such PID");
	assert_int_equal(activate(2, 0, NULL), ERR_OK);
	one_trouble("isp-a", 0, "");
}

static void a_watch_ends_with_the_next_change_or_is_rolled_back_once(void **state)
{
	(void)state;
	const struct store_map_watch look = {
		.provider = "isp-a", .begun = 100, .until = 200, .points = 5
	};
	struct store_map_watch *list;
	size_t n;
	assert_int_equal(put(STORE_TOPOLOGY, 'a', false, NULL), 1);
	assert_int_equal(put(STORE_TOPOLOGY, 'b', true, NULL), 2);
	struct store_activation a = {
		.provider = "isp-a", .author = "bob", .version = { 2, 0 }, .look_after = &look
	};
	assert_int_equal(store_activate(s, &a), ERR_OK);
	assert_int_equal(store_map_watches(s, &list, &n), ERR_OK);
	assert_int_equal(n, 1);
	assert_int_equal(list[0].version, 2);
	assert_int_equal(list[0].former, 1);
	assert_int_equal(life_of(2).watched_until, 200);
	assert_string_equal(life_of(2).watch_state, "watching");

	struct store_back back;
	assert_int_equal(store_back(s, "isp-a", 0, &back), ERR_OK);
	struct store_activation undo = { .provider = "isp-a",
		                         .author = "p4pd",
		                         .version = { 1, 0 },
		                         .resumes = { back.resumes[0], 0 },
		                         .reason = "an alarm",
		                         .watch = list[0].number };
	free(list);
	assert_int_equal(store_activate(s, &undo), ERR_OK);
	assert_int_equal(store_activate(s, &undo), ERR_EXISTS); /* another daemon's try */
	assert_string_equal(life_of(2).watch_state, "breached");
	assert_string_equal(states(), "in force, rolled back");
	one_trouble("isp-a", 1, "version 2 was rolled back: an alarm");

	assert_int_equal(store_activate(s, &a), ERR_OK);
	assert_int_equal(put(STORE_TOPOLOGY, 'c', false, NULL), 3);
	assert_int_equal(store_map_watches(s, &list, &n), ERR_OK);
	assert_int_equal(n, 0);
	free(list);
	assert_string_equal(life_of(2).watch_state, "ended");
}

static void settings_have_defaults_and_versions(void **state)
{
	(void)state;
	struct store_settings now;
	assert_int_equal(store_settings(s, "isp-a", &now), ERR_OK);
	assert_true(now.version == 0 && now.approvals == 0 && !now.refuse);
	assert_true(now.watch_seconds == 1800 && now.watch_points == 5);
	struct store_settings want = { 0, 1, true, 60, 7 };
	assert_int_equal(store_settings_put(s, "isp-a", &want, "1", false, "alice"), ERR_DENIED);
	assert_int_equal(store_settings_put(s, "isp-a", &want, "0", false, "alice"), ERR_OK);
	assert_int_equal(want.version, 1);
	assert_int_equal(store_settings_put(s, "isp-a", &want, "0", false, "bob"), ERR_DENIED);
	assert_int_equal(store_settings(s, "isp-a", &now), ERR_OK);
	assert_true(now.version == 1 && now.approvals == 1 && now.refuse);
	assert_true(now.watch_seconds == 60 && now.watch_points == 7);
	want.approvals = 0;
	assert_int_equal(store_settings_put(s, "isp-a", &want, NULL, false, "bob"), ERR_RANGE);
	assert_int_equal(store_settings(s, "isp-a", &now), ERR_OK);
	assert_true(now.version == 1 && now.approvals == 1);
	assert_int_equal(store_settings_put(s, "isp-a", &want, NULL, true, "admin"), ERR_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_draft_is_kept_and_not_in_force),
		TEST(what_must_be_in_force_is_checked),
		TEST(a_second_person_approves),
		TEST(a_roll_back_goes_back_step_by_step),
		TEST(what_came_together_goes_back_together),
		TEST(first_costs_go_back_to_none_and_a_first_topology_does_not),
		TEST(what_is_in_force_already_is_no_change),
		TEST(a_version_put_in_force_twice_is_left_by_one_roll_back),
		TEST(a_roll_back_never_takes_a_newer_change_with_it),
		TEST(a_plan_of_two_is_cancelled_by_either),
		TEST(what_comes_into_force_early_does_not_come_again),
		TEST(of_several_daemons_one_carries_out_a_plan),
		TEST(what_failed_by_itself_is_told_until_somebody_sees_to_it),
		TEST(a_watch_ends_with_the_next_change_or_is_rolled_back_once),
		TEST(settings_have_defaults_and_versions),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
