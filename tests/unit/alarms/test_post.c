/* SPDX-License-Identifier: Apache-2.0 */
/* What is posted, and to whom, is for tests/system/test_alarms.py. */
#include "tests/unit/test.h"

#include "server/alarms/post.h"

static void only_the_web_is_told(void **state)
{
	(void)state;
	static const char *const good[] = { "http://a", "https://a.example:8443/x?y=z",
		                            "http://[::1]:8080/" };
	static const char *const bad[] = { "",          "a",       "/a",         "ftp://a/",
		                           "file:///a", "http://", "gopher://a", "http://a:x/" };
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(post_is_url(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(post_is_url(bad[i]));
}

static void pauses_double_up_to_an_hour(void **state)
{
	(void)state;
	uint64_t all = 0;
	assert_int_equal(post_pause(1), 1);
	assert_int_equal(post_pause(2), 2);
	assert_int_equal(post_pause(12), 2048);
	assert_int_equal(post_pause(13), 3600);
	assert_int_equal(post_pause(UINT64_MAX), 3600);
	for (uint64_t i = 1; i < POST_TRIES_MAX; i++)
		all += post_pause(i);
	assert_in_range(all, 11 * 3600, 13 * 3600); /* half a day */
}

static void who_is_not_there_is_away(void **state)
{
	(void)state;
	const atomic_bool stop = false;
	const struct post p = { .url = "http://127.0.0.1:1/",
		                .secret = "secret",
		                .event = "e",
		                .body = "{}",
		                .now = 1,
		                .stop = &stop };
	char why[POST_WHY] = "";
	assert_int_equal(post_start(), ERR_OK);
	assert_int_equal(post_send(&p, why), ERR_AWAY);
	assert_true(why[0] != '\0');
	post_end();
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(only_the_web_is_told),
	cmocka_unit_test(pauses_double_up_to_an_hour),
	cmocka_unit_test(who_is_not_there_is_away),
};

RUN_TESTS(tests)
