/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "server/store/lifecycle.h"

#include "tests/support/db.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

static int64_t now_ms(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static uint64_t upload(struct store *s, char c)
{
	char sha256[65];
	uint64_t version;
	memset(sha256, c, 64);
	sha256[64] = '\0';
	const struct store_upload u = { .provider = "isp-a",
		                        .kind = STORE_COSTS,
		                        .body = "{}",
		                        .size = 2,
		                        .sha256 = sha256,
		                        .author = "alice" };
	assert_int_equal(store_upload(s, &u, &version), ERR_OK);
	return version;
}

static void one_daemon_hears_what_another_changes(void **state)
{
	(void)state;
	const char *conninfo = db_new();
	struct store *here = db_store(conninfo), *there = db_store(conninfo);
	bool changed = false;
	assert_int_equal(store_wait(here, 2000, &changed), ERR_OK);
	assert_true(changed); /* just connected: what went before is unknown */
	assert_int_equal(store_wait(here, 50, &changed), ERR_OK);
	assert_false(changed);

	const uint64_t version = upload(there, 'a');
	assert_int_equal(store_wait(here, 2000, &changed), ERR_OK);
	assert_true(changed);
	(void)upload(there, 'b');
	(void)upload(there, 'c');
	assert_int_equal(store_wait(here, 2000, &changed), ERR_OK);
	assert_true(changed);
	while (changed) /* two at once are one change or two */
		assert_int_equal(store_wait(here, 200, &changed), ERR_OK);
	struct store_activation a = { .provider = "isp-a",
		                      .author = "bob",
		                      .version[STORE_COSTS] = version };
	assert_int_equal(store_activate(there, &a), ERR_OK);
	assert_int_equal(store_wait(here, 2000, &changed), ERR_OK);
	assert_true(changed);
	const struct store_hash hash = { .bytes = { 1 } };
	assert_int_equal(store_access_set(there, STORE_ALLOWED, &hash, true, "bob"), ERR_OK);
	assert_int_equal(store_wait(here, 2000, &changed), ERR_OK);
	assert_true(changed);

	a.version[STORE_COSTS] = 99;
	assert_int_equal(store_activate(there, &a), ERR_NOT_FOUND); /* nothing changed */
	assert_int_equal(store_wait(here, 50, &changed), ERR_OK);
	assert_false(changed);
	store_free(here);
	store_free(there);
}

static void *wake_later(void *ctx)
{
	const struct timespec t = { .tv_nsec = 200000000 };
	(void)nanosleep(&t, NULL);
	store_wake(ctx);
	return NULL;
}

static void a_wake_ends_the_wait(void **state)
{
	(void)state;
	struct store *s = db_store(NULL);
	bool changed;
	assert_int_equal(store_wait(s, 2000, &changed), ERR_OK);
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, wake_later, s), 0);
	const int64_t begin = now_ms();
	assert_int_equal(store_wait(s, 10000, &changed), ERR_OK);
	assert_false(changed);
	assert_in_range(now_ms() - begin, 150, 2000);
	assert_int_equal(pthread_join(thread, NULL), 0);

	store_wake(s); /* a wake before the wait is not lost, and wakes once */
	assert_int_equal(store_wait(s, 10000, &changed), ERR_OK);
	const int64_t again = now_ms();
	assert_int_equal(store_wait(s, 100, &changed), ERR_OK);
	assert_true(now_ms() - again >= 90);
	store_free(s);
}

static void a_reconnect_counts_as_a_change(void **state)
{
	(void)state;
	struct store *s = db_store(NULL);
	bool changed;
	assert_int_equal(store_wait(s, 2000, &changed), ERR_OK);
	assert_int_equal(store_wait(s, 10, &changed), ERR_OK);
	assert_false(changed);

	db_server("stop");
	const int64_t begin = now_ms();
	assert_int_equal(store_wait(s, 300, &changed), ERR_AWAY);
	assert_in_range(now_ms() - begin, 250, 1500);

	db_server("start");
	assert_int_equal(store_wait(s, 5000, &changed), ERR_OK);
	assert_true(changed);
	store_free(s);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(one_daemon_hears_what_another_changes),
	cmocka_unit_test(a_wake_ends_the_wait),
	cmocka_unit_test(a_reconnect_counts_as_a_change),
};

RUN_TESTS(tests)
