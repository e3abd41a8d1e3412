/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/store/opened.h"

#include "server/store/alarms.h"

#include <stdlib.h>
#include <string.h>

#define EVENT "00000000-0000-4000-8000-00000000000"

static void hook(const char *name, const char *provider, unsigned severity)
{
	struct store_webhook h = { .url = "https://example.net/x", .min_severity = severity };
	bool created;
	(void)snprintf(h.name, sizeof(h.name), "%s", name);
	(void)snprintf(h.secret, sizeof(h.secret), "secret of %s", name);
	(void)snprintf(h.provider, sizeof(h.provider), "%s", provider);
	assert_int_equal(store_webhook_put(s, &h, "ann", &created), ERR_OK);
	assert_true(created);
}

static struct store_webhook the_hook(void)
{
	struct store_webhook *list;
	size_t n;
	assert_int_equal(store_webhooks(s, &list, &n), ERR_OK);
	assert_int_equal(n, 1);
	const struct store_webhook h = list[0];
	free(list);
	return h;
}

static struct store_alarm_event an_event(int digit, const char *provider, unsigned severity)
{
	static char body[] = "{\"a\":\"\\u00fc\"}\n";
	struct store_alarm_event e = { .alarm = "0123456789ab",
		                       .what = "firing",
		                       .at = 1000,
		                       .severity = severity,
		                       .body = body };
	(void)snprintf(e.id, sizeof(e.id), "%s%d", EVENT, digit);
	(void)snprintf(e.provider, sizeof(e.provider), "%s", provider);
	return e;
}

static void tell(int digit, const char *provider, unsigned severity)
{
	const struct store_alarm_event e = an_event(digit, provider, severity);
	const struct store_alarm_round round = { .events = &e, .n_events = 1 };
	assert_int_equal(store_alarm_end(s, &round), ERR_OK);
}

static bool take(int64_t now, struct store_delivery *d)
{
	const enum err e = store_delivery_take(s, now, now + 60, d);
	if (e == ERR_OK)
		free(d->body);
	else
		assert_int_equal(e, ERR_NOT_FOUND);
	return e == ERR_OK;
}

static void an_event_goes_to_those_who_want_it(void **state)
{
	(void)state;
	struct store_delivery d;
	hook("all", "", 0);
	hook("grave", "", 2);
	hook("ours", "isp-a", 0);
	hook("theirs", "isp-b", 0);
	tell(1, "isp-a", 1);
	tell(1, "isp-a", 1); /* as after a crash: known already */
	assert_true(take(10, &d));
	assert_string_equal(d.webhook, "all");
	assert_string_equal(d.event, EVENT "1");
	assert_string_equal(d.url, "https://example.net/x");
	assert_string_equal(d.secret, "secret of all");
	assert_true(take(10, &d));
	assert_string_equal(d.webhook, "ours");
	assert_false(take(10, &d));
}

static void the_daemons_own_go_to_who_sees_all(void **state)
{
	(void)state;
	struct store_delivery d;
	hook("ours", "isp-a", 0);
	hook("z", "", 0);
	tell(1, "", 1);
	assert_true(take(10, &d));
	assert_string_equal(d.webhook, "z");
	assert_false(take(10, &d));
}

static void a_body_comes_byte_for_byte_and_none_is_not_sent(void **state)
{
	(void)state;
	struct store_delivery d;
	char none[] = "";
	struct store_alarm_event quiet = an_event(1, "", 0), loud = an_event(2, "", 0);
	quiet.body = none;
	const struct store_alarm_event both[] = { quiet, loud };
	const struct store_alarm_round round = { .events = both, .n_events = 2 };
	hook("z", "", 0);
	assert_int_equal(store_alarm_end(s, &round), ERR_OK);
	assert_int_equal(store_delivery_take(s, 10, 70, &d), ERR_OK);
	assert_string_equal(d.event, loud.id);
	assert_string_equal(d.body, loud.body);
	free(d.body);
}

static void a_webhook_has_one_delivery_at_a_time_and_in_order(void **state)
{
	(void)state;
	struct store_delivery d, next;
	hook("z", "", 0);
	tell(1, "", 0);
	tell(2, "", 0);
	assert_int_equal(the_hook().waiting, 2);
	assert_true(take(10, &d));
	assert_string_equal(d.event, EVENT "1");
	assert_false(take(69, &next));
	assert_true(take(70, &next)); /* whoever took it is dead */
	assert_int_equal(next.number, d.number);
	assert_int_equal(store_delivery_done(s, &d, 71), ERR_OK);
	assert_int_equal(the_hook().delivered, 71);
	assert_int_equal(the_hook().waiting, 1);
	assert_true(take(72, &next));
	assert_string_equal(next.event, EVENT "2");
}

static void what_fails_is_tried_later_and_given_up(void **state)
{
	(void)state;
	struct store_delivery d;
	hook("z", "", 0);
	tell(1, "", 0);
	tell(2, "", 0);
	assert_true(take(10, &d));
	assert_int_equal(store_delivery_failed(s, &d, 20, "HTTP 500", false), ERR_OK);
	assert_int_equal(the_hook().failures, 1);
	assert_string_equal(the_hook().last_error, "HTTP 500");
	assert_false(take(19, &d));
	assert_true(take(20, &d));
	assert_string_equal(d.event, EVENT "1");
	assert_int_equal(d.tries, 1);
	assert_int_equal(store_delivery_failed(s, &d, 30, "HTTP 500", true), ERR_OK);
	assert_int_equal(the_hook().failures, 2);
	assert_true(take(30, &d));
	assert_string_equal(d.event, EVENT "2");
	assert_int_equal(d.tries, 0);
	assert_int_equal(store_delivery_done(s, &d, 31), ERR_OK);
	assert_int_equal(the_hook().failures, 0);
	assert_string_equal(the_hook().last_error, "");
}

static void a_secret_stays_until_there_is_another(void **state)
{
	(void)state;
	struct store_webhook h = { .name = "z", .url = "http://a/", .min_severity = 1 };
	bool created = true;
	assert_int_equal(store_webhook_put(s, &h, "ann", &created), ERR_NOT_FOUND);
	hook("z", "isp-a", 0);
	assert_int_equal(store_webhook_put(s, &h, "ann", &created), ERR_OK);
	assert_false(created);
	assert_string_equal(the_hook().secret, "secret of z");
	assert_string_equal(the_hook().url, "http://a/");
	assert_string_equal(the_hook().provider, "");
	assert_int_equal(the_hook().min_severity, 1);
	(void)snprintf(h.secret, sizeof(h.secret), "another");
	assert_int_equal(store_webhook_put(s, &h, "ann", &created), ERR_OK);
	assert_string_equal(the_hook().secret, "another");
}

static void what_was_for_a_removed_one_goes_with_it(void **state)
{
	(void)state;
	struct store_delivery d;
	hook("z", "", 0);
	tell(1, "", 0);
	assert_int_equal(store_webhook_remove(s, "z", "ann"), ERR_OK);
	assert_int_equal(store_webhook_remove(s, "z", "ann"), ERR_NOT_FOUND);
	hook("z", "", 0);
	assert_false(take(10, &d));
}

static void a_test_is_for_one_alone_and_at_once(void **state)
{
	(void)state;
	struct store_delivery d;
	const struct store_alarm_event e = an_event(5, "", 0);
	assert_int_equal(store_webhook_test(s, "z", &e), ERR_NOT_FOUND);
	hook("other", "", 0);
	hook("z", "isp-a", 2);
	tell(1, "isp-a", 2);
	for (unsigned i = 0; i < 2; i++) {
		assert_true(take(10, &d));
		assert_int_equal(store_delivery_failed(s, &d, 900, "away", true), ERR_OK);
	}
	assert_int_equal(store_webhook_test(s, "z", &e), ERR_OK);
	assert_true(take(10, &d));
	assert_string_equal(d.webhook, "z");
	assert_string_equal(d.event, e.id);
	assert_false(take(69, &d));
}

static const struct CMUnitTest tests[] = {
	TEST(an_event_goes_to_those_who_want_it),
	TEST(the_daemons_own_go_to_who_sees_all),
	TEST(a_body_comes_byte_for_byte_and_none_is_not_sent),
	TEST(a_webhook_has_one_delivery_at_a_time_and_in_order),
	TEST(what_fails_is_tried_later_and_given_up),
	TEST(a_secret_stays_until_there_is_another),
	TEST(what_was_for_a_removed_one_goes_with_it),
	TEST(a_test_is_for_one_alone_and_at_once),
};

RUN_TESTS(tests)
