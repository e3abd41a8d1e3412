/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "server/alarms/round.h"

#include <string.h>

enum { BIN = 300, MOST = 8 };

/* The alarms as they are kept, and what the last round said. */
static struct store_alarm kept[MOST];
static size_t n_kept;
static struct store_alarm_rule setting;
static struct round_end end;
static int64_t now;

static int begin(void **state)
{
	(void)state;
	n_kept = 0;
	now = 1793491200;
	setting = (struct store_alarm_rule){ .rule = "" };
	return 0;
}

static int finish(void **state)
{
	(void)state;
	round_done(&end);
	return 0;
}

static void see(struct sights *s, const char *subject, double value)
{
	struct sight *x = sights_add(s, RULE_SILENCE, "isp-a", subject);
	assert_non_null(x);
	x->value = value;
	(void)snprintf(x->text, sizeof(x->text), "%.0f bins", value);
	s->looked[RULE_SILENCE] = true;
}

/* A round of the next bin; the caller has filled `s`. */
static void play(struct sights *s)
{
	now += BIN;
	const struct round_options o = { .scope = "network",
		                         .at = now,
		                         .now = now + 60,
		                         .bin_seconds = BIN,
		                         .rules = &setting,
		                         .n_rules = 1 };
	round_done(&end);
	assert_int_equal(round_make(&o, s, kept, n_kept, &end), ERR_OK);
	sights_done(s);
	for (size_t i = 0; i < end.n_alarms; i++) {
		size_t k = 0;
		while (k < n_kept && strcmp(kept[k].id, end.alarms[i].id) != 0)
			k++;
		assert_true(k < MOST);
		kept[k] = end.alarms[i];
		n_kept += k == n_kept;
	}
}

static void play_one(const char *subject, double value)
{
	struct sights s = { 0 };
	see(&s, subject, value);
	play(&s);
}

static void what_is_good_leaves_no_trace(void **state)
{
	(void)state;
	play_one("x", 2);
	assert_int_equal(end.n_alarms, 0);
	assert_int_equal(end.n_events, 0);
}

static void what_is_bad_is_kept_and_told_once(void **state)
{
	(void)state;
	play_one("x", 3);
	assert_int_equal(end.n_events, 1);
	assert_string_equal(end.events[0].what, "firing");
	assert_int_equal(end.news[0].news, ALARM_FIRES);
	assert_string_equal(kept[0].rule, "source-silent");
	assert_string_equal(kept[0].provider, "isp-a");
	assert_string_equal(kept[0].subject, "x");
	assert_string_equal(kept[0].scope, "network");
	assert_string_equal(kept[0].text, "3 bins");
	assert_true(kept[0].threshold == 2 && kept[0].life.value == 3);
	play_one("x", 4);
	assert_int_equal(end.n_alarms, 1); /* its value is kept */
	assert_int_equal(end.n_events, 0);
	assert_string_equal(kept[0].text, "4 bins");
	play_one("x", 0);
	assert_int_equal(end.n_events, 0);
	play_one("x", 0); /* two bins without */
	assert_int_equal(end.n_events, 1);
	assert_string_equal(end.events[0].what, "resolved");
	play_one("x", 0);
	assert_int_equal(end.n_alarms, 0);
}

static void each_thing_has_an_alarm_of_its_own(void **state)
{
	(void)state;
	struct sights s = { 0 };
	see(&s, "x", 3);
	see(&s, "y", 0);
	see(&s, "z", 5);
	play(&s);
	assert_int_equal(end.n_events, 2);
	struct sights next = { 0 };
	see(&next, "z", 0);
	see(&next, "y", 7);
	see(&next, "x", 4);
	play(&next);
	assert_int_equal(end.n_events, 1);
	assert_string_equal(end.news[0].alarm.subject, "y");
}

static void what_is_no_longer_seen_is_over_in_the_end(void **state)
{
	(void)state;
	play_one("x", 3);
	for (unsigned i = 0; i < 288; i++) {
		play_one("other", 0);
		assert_int_equal(end.n_events, 0);
	}
	play_one("other", 0);
	assert_int_equal(end.n_events, 1);
	assert_string_equal(end.events[0].what, "resolved");
}

static void who_did_not_look_changes_nothing(void **state)
{
	(void)state;
	play_one("x", 3);
	for (unsigned i = 0; i < 400; i++) {
		struct sights none = { 0 };
		play(&none);
		assert_int_equal(end.n_events, 0);
	}
	assert_int_equal(kept[0].life.state, ALARM_FIRING);
}

static void a_rule_that_is_turned_off_ends_what_it_raised(void **state)
{
	(void)state;
	play_one("x", 3);
	setting = (struct store_alarm_rule){ .rule = "source-silent", .has_enabled = true };
	play_one("x", 3);
	assert_int_equal(end.n_events, 1);
	assert_string_equal(end.events[0].what, "resolved");
	play_one("x", 3);
	play_one("y", 3);
	assert_int_equal(end.n_events, 0);
}

static void a_mute_is_by_the_clock_on_the_wall(void **state)
{
	(void)state;
	play_one("x", 3);
	kept[0].life.told = false;
	kept[0].life.muted_until = now + BIN + 61;
	play_one("x", 3);
	assert_int_equal(end.n_events, 0);
	play_one("x", 3);
	assert_int_equal(end.n_events, 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, finish)

static const struct CMUnitTest tests[] = {
	TEST(what_is_good_leaves_no_trace),
	TEST(what_is_bad_is_kept_and_told_once),
	TEST(each_thing_has_an_alarm_of_its_own),
	TEST(what_is_no_longer_seen_is_over_in_the_end),
	TEST(who_did_not_look_changes_nothing),
	TEST(a_rule_that_is_turned_off_ends_what_it_raised),
	TEST(a_mute_is_by_the_clock_on_the_wall),
};

RUN_TESTS(tests)
