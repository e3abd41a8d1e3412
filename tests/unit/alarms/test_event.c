/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "server/alarms/event.h"

#include <string.h>

static struct store_alarm an_alarm(void)
{
	struct store_alarm a = {
		.rule = "ratio-breach",
		.provider = "isp-a",
		.subject = "x\"1",
		.life = { .state = ALARM_FIRING, .since = 1793491200, .value = 120.5 },
		.threshold = 100,
		.text = "a \"text\"\n"
	};
	event_alarm_id(a.rule, a.provider, a.subject, a.id);
	return a;
}

static void an_alarm_has_one_name_everywhere(void **state)
{
	(void)state;
	char a[STORE_ALARM_ID], b[STORE_ALARM_ID];
	event_alarm_id("rule", "ab", "c", a);
	event_alarm_id("rule", "ab", "c", b);
	assert_string_equal(a, b);
	assert_int_equal(strspn(a, "0123456789abcdef"), STORE_ALARM_ID - 1);
	event_alarm_id("rule", "a", "bc", b);
	assert_string_not_equal(a, b);
}

static void an_event_has_a_uuid_of_its_own(void **state)
{
	(void)state;
	char a[STORE_EVENT_ID], b[STORE_EVENT_ID];
	event_new_id(a);
	event_new_id(b);
	assert_string_not_equal(a, b);
	assert_int_equal(strlen(a), 36);
	assert_true(a[8] == '-' && a[13] == '-' && a[14] == '4' && a[18] == '-' && a[23] == '-');
	assert_non_null(strchr("89ab", a[19]));
}

/* openssl dgst -sha256 -hmac */
static void the_signature_is_that_of_openssl(void **state)
{
	(void)state;
	char signature[EVENT_SIGNATURE];
	event_sign("a secret of thirty-two bytes ....", 1793491200, "{\"a\":1}\n", signature);
	assert_string_equal(signature,
	                    "6f1970edd176a06150a9ddb7ec4f6bce59b74d42c0077902f23c934f3f3c9771");
}

static void machines_are_told_all(void **state)
{
	(void)state;
	const struct store_alarm a = an_alarm();
	struct store_alarm_event e;
	struct text want = { 0 };
	assert_int_equal(event_make(&a, ALARM_FIRES, 1793491500, &e), ERR_OK);
	assert_string_equal(e.what, "firing");
	assert_string_equal(e.alarm, a.id);
	assert_string_equal(e.provider, "isp-a");
	assert_int_equal(e.severity, SEVERITY_CRITICAL);
	text_printf(&want,
	            "{\"format\":\"p4p-alarm/1\",\"event\":\"%s\",\"what\":\"firing\","
	            "\"at\":\"2026-11-01T00:05:00Z\",\"alarm\":{\"value\":120.5,\"threshold\":100,"
	            "\"unit\":\"percent of the limit\",\"id\":\"%s\",\"rule\":\"ratio-breach\","
	            "\"severity\":\"critical\",\"provider\":\"isp-a\",\"subject\":\"x\\\"1\","
	            "\"state\":\"firing\",\"since\":\"2026-11-01T00:00:00Z\","
	            "\"text\":\"a \\\"text\\\"\\n\"}}\n",
	            e.id, a.id);
	assert_string_equal(e.body, want.bytes);
	text_done(&want);
	free(e.body);
	assert_int_equal(event_make(&a, ALARM_ENDED, 1793491500, &e), ERR_OK);
	assert_string_equal(e.what, "resolved");
	free(e.body);
}

static void a_test_is_about_no_alarm(void **state)
{
	(void)state;
	struct store_alarm_event e;
	assert_int_equal(event_test("ann", 1793491200, &e), ERR_OK);
	assert_string_equal(e.what, "test");
	assert_string_equal(e.author, "ann");
	assert_non_null(strstr(e.body, "\"alarm\":null}\n"));
	free(e.body);
}

static void people_are_told_in_one_line(void **state)
{
	(void)state;
	const struct store_alarm a = an_alarm();
	struct text line = { 0 };
	event_line(&a, ALARM_ENDED, &line);
	assert_non_null(strstr(line.bytes, " what=resolved rule=ratio-breach severity=critical "));
	assert_non_null(strstr(line.bytes, " value=120.5 threshold=100 "));
	assert_null(strchr(line.bytes, '\n'));
	text_done(&line);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(an_alarm_has_one_name_everywhere),
	cmocka_unit_test(an_event_has_a_uuid_of_its_own),
	cmocka_unit_test(the_signature_is_that_of_openssl),
	cmocka_unit_test(machines_are_told_all),
	cmocka_unit_test(a_test_is_about_no_alarm),
	cmocka_unit_test(people_are_told_in_one_line),
};

RUN_TESTS(tests)
