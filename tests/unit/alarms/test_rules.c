/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "server/alarms/rules.h"

#include <string.h>

static void every_rule_is_found_by_its_name(void **state)
{
	(void)state;
	enum rule_id found;
	for (unsigned i = 0; i < RULES; i++) {
		const struct rule *r = rule_of((enum rule_id)i);
		assert_true(rule_find(r->name, &found));
		assert_int_equal(found, i);
		assert_true(strlen(r->name) < sizeof(((struct store_alarm *)0)->rule));
		assert_true(r->for_bins > 0 && r->clear_bins > 0 && r->every > 0);
	}
	assert_false(rule_find("ratio", &found));
}

static void severities_have_names(void **state)
{
	(void)state;
	enum alarm_severity s;
	assert_true(severity_read("critical", &s));
	assert_int_equal(s, SEVERITY_CRITICAL);
	assert_string_equal(severity_name(s), "critical");
	assert_false(severity_read("grave", &s));
}

static void what_is_said_of_one_provider_wins(void **state)
{
	(void)state;
	const struct store_alarm_rule list[] = {
		{ .rule = "ratio-warn",
		  .provider = "isp-a",
		  .has_threshold = true,
		  .threshold = 70 },
		{ .rule = "ratio-warn",
		  .has_threshold = true,
		  .threshold = 60,
		  .has_enabled = true },
		{ .rule = "ratio-breach", .has_for = true, .for_bins = 3 },
	};
	const struct rule_setting a = rule_setting(RULE_RATIO_WARN, "isp-a", list, 3);
	const struct rule_setting b = rule_setting(RULE_RATIO_WARN, "isp-b", list, 3);
	const struct rule_setting c = rule_setting(RULE_RATIO_BREACH, "isp-a", list, 3);
	const struct rule_setting d = rule_setting(RULE_SILENCE, "isp-a", list, 3);
	assert_true(a.threshold == 70 && !a.enabled && a.for_bins == 12);
	assert_true(b.threshold == 60 && !b.enabled && b.for_bins == 12);
	assert_true(c.threshold == 100 && c.enabled && c.for_bins == 3);
	assert_true(d.threshold == 2 && d.enabled && d.for_bins == 1);
}

static void bins_become_seconds_of_which_the_first_counts(void **state)
{
	(void)state;
	const struct rule_setting s = { true, 80, 3 };
	const struct alarm_rule warn = rule_life(RULE_RATIO_WARN, &s, 300);
	const struct alarm_rule steering = rule_life(RULE_STEERING, &s, 300);
	assert_true(warn.raise == 80 && warn.clear == 76);
	assert_int_equal(warn.raise_after, 600);
	assert_int_equal(warn.clear_after, 3300);
	assert_int_equal(steering.raise_after, 2 * 86400); /* it is looked at once a day */
	assert_true(steering.forget_after > 86400);        /* and not forgotten in between */
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(every_rule_is_found_by_its_name),
	cmocka_unit_test(severities_have_names),
	cmocka_unit_test(what_is_said_of_one_provider_wins),
	cmocka_unit_test(bins_become_seconds_of_which_the_first_counts),
};

RUN_TESTS(tests)
