/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/store/opened.h"

#include "server/store/alarms.h"

#include <string.h>

#define ID    "0123456789ab"
#define OTHER "ba9876543210"
#define EVENT "00000000-0000-4000-8000-00000000000"

static const char *const NETWORK = "network";

static struct store_alarm an_alarm(const char *id, const char *provider)
{
	struct store_alarm a = { .rule = "ratio-warn",
		                 .life = { .state = ALARM_FIRING,
		                           .since = 1000,
		                           .value = 91.25,
		                           .seen = 1300,
		                           .easing = true,
		                           .good_since = 1200,
		                           .raises = 2,
		                           .flap_from = 700,
		                           .told = true },
		                 .threshold = 85,
		                 .text = "a \"quoted\" text\\" };
	(void)snprintf(a.id, sizeof(a.id), "%s", id);
	(void)snprintf(a.scope, sizeof(a.scope), "%s", NETWORK);
	(void)snprintf(a.provider, sizeof(a.provider), "%s", provider);
	(void)snprintf(a.subject, sizeof(a.subject), "x-%s", id);
	return a;
}

static enum err keep(const struct store_alarm *alarm, int64_t at)
{
	const struct store_alarm_round round = {
		.scope = NETWORK, .at = at, .alarms = alarm, .n_alarms = 1
	};
	return store_alarm_end(s, &round);
}

static size_t read_alarms(const struct store_alarm_filter *filter, struct store_alarm *first)
{
	struct store_alarm *list;
	size_t n;
	assert_int_equal(store_alarms(s, filter, &list, &n), ERR_OK);
	if (n > 0)
		*first = list[0];
	free(list);
	return n;
}

static struct store_alarm the_alarm(void)
{
	const struct store_alarm_filter all = { .state = "" };
	struct store_alarm a;
	assert_int_equal(read_alarms(&all, &a), 1);
	return a;
}

static void what_was_kept_comes_back(void **state)
{
	(void)state;
	const struct store_alarm a = an_alarm(ID, "isp-a");
	assert_int_equal(keep(&a, 0), ERR_OK);
	const struct store_alarm b = the_alarm();
	assert_string_equal(b.id, ID);
	assert_string_equal(b.scope, NETWORK);
	assert_string_equal(b.rule, "ratio-warn");
	assert_string_equal(b.provider, "isp-a");
	assert_string_equal(b.subject, "x-" ID);
	assert_string_equal(b.text, a.text);
	assert_true(b.threshold == 85 && b.life.value == 91.25);
	assert_int_equal(b.life.state, ALARM_FIRING);
	assert_int_equal(b.life.since, 1000);
	assert_int_equal(b.life.seen, 1300);
	assert_int_equal(b.life.good_since, 1200);
	assert_int_equal(b.life.raises, 2);
	assert_int_equal(b.life.flap_from, 700);
	assert_true(b.life.easing && b.life.told);
}

static void a_filter_leaves_the_others_out(void **state)
{
	(void)state;
	struct store_alarm a = an_alarm(ID, "isp-a"), b = an_alarm(OTHER, "isp-b"), first;
	b.life.state = ALARM_CLEAR;
	assert_int_equal(keep(&a, 0), ERR_OK);
	assert_int_equal(keep(&b, 0), ERR_OK);
	const struct store_alarm_filter some = { 0 }, all = { .state = "" };
	const struct store_alarm_filter clear = { .state = "clear" };
	const struct store_alarm_filter theirs = { .provider = "isp-b", .state = "" };
	const struct store_alarm_filter elsewhere = { .scope = "node x", .state = "" };
	assert_int_equal(read_alarms(&some, &first), 1);
	assert_string_equal(first.id, ID);
	assert_int_equal(read_alarms(&all, &first), 2);
	assert_string_equal(first.id, ID); /* firing first */
	assert_int_equal(read_alarms(&clear, &first), 1);
	assert_string_equal(first.id, OTHER);
	assert_int_equal(read_alarms(&theirs, &first), 1);
	assert_string_equal(first.id, OTHER);
	assert_int_equal(read_alarms(&elsewhere, &first), 0);
}

static void of_several_daemons_one_has_the_round(void **state)
{
	(void)state;
	const struct store_alarm a = an_alarm(ID, "isp-a");
	const struct store_alarm_filter all = { .state = "" };
	struct store_alarm none;
	assert_int_equal(store_alarm_begin(s, NETWORK, "n1", 3000), ERR_OK);
	assert_int_equal(store_alarm_begin(s, NETWORK, "n2", 3000), ERR_EXISTS);
	assert_int_equal(store_alarm_begin(s, NETWORK, "n2", 2700), ERR_EXISTS);
	assert_int_equal(store_alarm_begin(s, "node n2", "n2", 2700), ERR_OK);
	assert_int_equal(store_alarm_begin(s, NETWORK, "n2", 3300), ERR_OK);
	assert_int_equal(keep(&a, 3000), ERR_EXISTS); /* n1 was too slow */
	assert_int_equal(read_alarms(&all, &none), 0);
	assert_int_equal(keep(&a, 3300), ERR_OK);
	assert_int_equal(read_alarms(&all, &none), 1);
}

static void a_clock_far_ahead_does_not_stop_the_others(void **state)
{
	(void)state;
	assert_int_equal(store_alarm_begin(s, NETWORK, "n1", 900000), ERR_OK);
	assert_int_equal(store_alarm_begin(s, NETWORK, "n2", 896400), ERR_EXISTS);
	assert_int_equal(store_alarm_begin(s, NETWORK, "n2", 896399), ERR_OK);
}

/* ---- people ---- */

static struct store_alarm_change change(const char *provider, int digit)
{
	static char event[STORE_EVENT_ID];
	(void)snprintf(event, sizeof(event), "%s%d", EVENT, digit);
	return (struct store_alarm_change){
		.id = ID, .provider = provider, .author = "ann", .event = event, .now = 5000
	};
}

static void acknowledged_until_it_is_raised_anew(void **state)
{
	(void)state;
	struct store_alarm a = an_alarm(ID, "isp-a");
	const struct store_alarm_change theirs = change("isp-b", 1);
	assert_int_equal(store_alarm_acknowledge(s, &theirs), ERR_NOT_FOUND);
	assert_int_equal(keep(&a, 0), ERR_OK);
	assert_int_equal(store_alarm_acknowledge(s, &theirs), ERR_NOT_FOUND);
	const struct store_alarm_change ours = change("isp-a", 1);
	assert_int_equal(store_alarm_acknowledge(s, &ours), ERR_OK);
	a.life.value = 99;
	a.life.state = ALARM_RESOLVED;
	assert_int_equal(keep(&a, 0), ERR_OK);
	struct store_alarm now = the_alarm();
	assert_int_equal(now.life.acknowledged_at, 5000);
	assert_string_equal(now.acknowledged_by, "ann");
	const struct store_alarm_change late = change(NULL, 2);
	assert_int_equal(store_alarm_acknowledge(s, &late), ERR_NOT_FOUND); /* it no longer fires */
	a.life.state = ALARM_FIRING;
	a.life.raises++;
	assert_int_equal(keep(&a, 0), ERR_OK);
	now = the_alarm();
	assert_int_equal(now.life.acknowledged_at, 0);
	assert_string_equal(now.acknowledged_by, "");
}

static void a_round_leaves_a_mute_alone(void **state)
{
	(void)state;
	const struct store_alarm a = an_alarm(ID, "isp-a");
	const struct store_alarm_change c = change(NULL, 1);
	assert_int_equal(store_alarm_mute(s, &c, 9000), ERR_NOT_FOUND);
	assert_int_equal(keep(&a, 0), ERR_OK);
	assert_int_equal(store_alarm_mute(s, &c, 9000), ERR_OK);
	assert_int_equal(keep(&a, 0), ERR_OK);
	const struct store_alarm now = the_alarm();
	assert_int_equal(now.life.muted_until, 9000);
	assert_string_equal(now.muted_by, "ann");

	struct store_alarm_event *list;
	size_t n;
	assert_int_equal(store_alarm_events(s, ID, "isp-a", 10, &list, &n), ERR_OK);
	assert_int_equal(n, 1);
	assert_string_equal(list[0].what, "muted");
	assert_string_equal(list[0].author, "ann");
	store_alarm_events_done(list, n);
	assert_int_equal(store_alarm_events(s, ID, "isp-b", 10, &list, &n), ERR_NOT_FOUND);
	assert_int_equal(store_alarm_events(s, OTHER, NULL, 10, &list, &n), ERR_NOT_FOUND);
}

static void the_old_are_forgotten(void **state)
{
	(void)state;
	struct store_alarm a = an_alarm(ID, "isp-a"), b = an_alarm(OTHER, "isp-a");
	b.life.state = ALARM_RESOLVED;
	a.life.told = b.life.told = false;
	assert_int_equal(keep(&a, 0), ERR_OK);
	assert_int_equal(keep(&b, 0), ERR_OK);
	assert_int_equal(store_alarm_forget(s, 1300), ERR_OK);
	const struct store_alarm_filter all = { .state = "" };
	assert_int_equal(read_alarms(&all, &a), 2);
	assert_int_equal(store_alarm_forget(s, 1301), ERR_OK);
	assert_string_equal(the_alarm().id, ID); /* it fires */
}

/* ---- rules ---- */

static void a_rule_without_settings_goes(void **state)
{
	(void)state;
	struct store_alarm_rule r = {
		.rule = "ratio-warn", .provider = "isp-a", .has_threshold = true, .threshold = 77.5
	};
	struct store_alarm_rule *list;
	size_t n;
	assert_int_equal(store_alarm_rule_put(s, &r, "ann"), ERR_OK);
	assert_int_equal(store_alarm_rules(s, &list, &n), ERR_OK);
	assert_int_equal(n, 1);
	assert_string_equal(list[0].rule, "ratio-warn");
	assert_string_equal(list[0].provider, "isp-a");
	assert_true(list[0].has_threshold && list[0].threshold == 77.5);
	assert_false(list[0].has_enabled || list[0].has_for);
	free(list);
	r = (struct store_alarm_rule){ .rule = "ratio-warn",
		                       .provider = "isp-a",
		                       .has_enabled = true,
		                       .has_for = true,
		                       .for_bins = 9 };
	assert_int_equal(store_alarm_rule_put(s, &r, "ann"), ERR_OK);
	assert_int_equal(store_alarm_rules(s, &list, &n), ERR_OK);
	assert_int_equal(n, 1);
	assert_true(list[0].has_enabled && !list[0].enabled && !list[0].has_threshold);
	assert_true(list[0].has_for && list[0].for_bins == 9);
	free(list);
	r.has_enabled = r.has_for = false;
	assert_int_equal(store_alarm_rule_put(s, &r, "ann"), ERR_OK);
	assert_int_equal(store_alarm_rules(s, &list, &n), ERR_OK);
	assert_int_equal(n, 0);
	free(list);
}

static const struct CMUnitTest tests[] = {
	TEST(what_was_kept_comes_back),
	TEST(a_filter_leaves_the_others_out),
	TEST(of_several_daemons_one_has_the_round),
	TEST(a_clock_far_ahead_does_not_stop_the_others),
	TEST(acknowledged_until_it_is_raised_anew),
	TEST(a_round_leaves_a_mute_alone),
	TEST(the_old_are_forgotten),
	TEST(a_rule_without_settings_goes),
};

RUN_TESTS(tests)
