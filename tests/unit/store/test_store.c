/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/base/embed.h"
#include "tests/support/db.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

extern const struct embed_file schema_files[]; /* generated from schema/ */

static int64_t now_ms(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void without_a_database_every_call_is_away(void **state)
{
	(void)state;
	const struct store_options options = { .conninfo = "",
		                               .connections = 1,
		                               .timeout_seconds = 1 };
	struct store *s = store_new(&options);
	struct fault fault;
	struct store_version *versions = NULL;
	size_t n = 42;
	bool changed = true;
	assert_int_equal(store_migrate(s, &fault), ERR_AWAY);
	assert_false(store_is_up(s));
	assert_int_equal(store_versions(s, NULL, &versions, &n), ERR_AWAY);
	assert_null(versions);
	assert_int_equal(n, 42);
	assert_int_equal(store_wait(s, 10, &changed), ERR_AWAY);
	assert_true(changed);
	store_free(s);
	store_free(NULL);
}

static void before_the_migrations_every_call_is_away(void **state)
{
	(void)state;
	const struct store_options options = { .conninfo = db_new(),
		                               .connections = 1,
		                               .timeout_seconds = 5 };
	struct store *s = store_new(&options);
	const struct store_upload u = { .provider = "isp-a",
		                        .kind = STORE_COSTS,
		                        .body = "{}",
		                        .size = 2,
		                        .sha256 = "",
		                        .author = "alice" };
	const struct store_bin bin = { .start = 1800000000, .seconds = 300 };
	struct store_version *versions;
	struct store_hash *hashes;
	uint64_t version;
	size_t n;
	assert_int_equal(store_upload(s, &u, &version), ERR_AWAY);
	assert_int_equal(store_versions(s, NULL, &versions, &n), ERR_AWAY);
	assert_int_equal(store_access_list(s, STORE_ALLOWED, &hashes, &n), ERR_AWAY);
	assert_int_equal(store_bins(s, "test", STORE_ANNOUNCE, &bin, 1), ERR_AWAY);
	store_free(s);
}

static void *migrate(void *ctx)
{
	struct fault fault;
	return (void *)(intptr_t)store_migrate(ctx, &fault);
}

static void daemons_that_start_together_migrate_once(void **state)
{
	(void)state;
	const struct store_options options = { .conninfo = db_new(),
		                               .connections = 2,
		                               .timeout_seconds = 5 };
	enum { DAEMONS = 4 };
	struct store *s[DAEMONS];
	pthread_t threads[DAEMONS];
	for (int i = 0; i < DAEMONS; i++) {
		s[i] = store_new(&options);
		assert_int_equal(pthread_create(&threads[i], NULL, migrate, s[i]), 0);
	}
	for (int i = 0; i < DAEMONS; i++) {
		void *e;
		assert_int_equal(pthread_join(threads[i], &e), 0);
		assert_int_equal((int)(intptr_t)e, ERR_OK);
		store_free(s[i]);
	}
	size_t ours = 0;
	while (schema_files[ours].name != NULL)
		ours++;
	char there[16], expected[16];
	db_ask("SELECT count(*) FROM migrations", there, sizeof(there));
	(void)snprintf(expected, sizeof(expected), "%zu", ours);
	assert_string_equal(there, expected);
}

static void refuses_a_database_it_does_not_understand(void **state)
{
	(void)state;
	struct store *s = db_store(NULL);
	struct fault fault;
	assert_int_equal(store_migrate(s, &fault), ERR_OK); /* again: nothing to do */

	assert_string_equal(db_state_of("INSERT INTO migrations VALUES (9999, '9999_x.sql', 'x')"),
	                    "");
	assert_int_equal(store_migrate(s, &fault), ERR_RANGE);
	assert_string_equal(fault.where, "9999_x.sql");
	assert_non_null(strstr(fault.text, "newer than this program"));

	assert_string_equal(db_state_of("DELETE FROM migrations WHERE number = 9999"), "");
	assert_string_equal(db_state_of("UPDATE migrations SET sha256 = 'x' WHERE number = 2"), "");
	assert_int_equal(store_migrate(s, &fault), ERR_EXISTS);
	assert_string_equal(fault.where, "0002_access.sql");
	assert_non_null(strstr(fault.text, "must not change"));
	store_free(s);
}

static void a_database_that_restarts_is_away_and_comes_back(void **state)
{
	(void)state;
	struct store *s = db_store(NULL);
	struct store_token *tokens;
	size_t n;
	assert_true(store_is_up(s));

	db_server("stop");
	int64_t begin = now_ms();
	assert_int_equal(store_tokens(s, &tokens, &n), ERR_AWAY);
	assert_int_equal(store_tokens(s, &tokens, &n), ERR_AWAY);
	assert_false(store_is_up(s));
	assert_true(now_ms() - begin < 500);

	db_server("start");
	assert_true(store_is_up(s)); /* at once: a refusal is no reason to hold back */
	assert_int_equal(store_tokens(s, &tokens, &n), ERR_OK);
	free(tokens);

	/* An idle connection that the server closed is replaced without the caller noticing. */
	db_server("stop");
	db_server("start");
	assert_int_equal(store_tokens(s, &tokens, &n), ERR_OK);
	free(tokens);
	store_free(s);
}

static void a_frozen_database_costs_no_more_than_the_time_out(void **state)
{
	(void)state;
	struct store *s = db_store_hasty(2);
	struct store_token *tokens;
	size_t n;

	db_server("pause");
	int64_t begin = now_ms();
	assert_false(store_is_up(s));
	assert_in_range(now_ms() - begin, 900, 1500);
	begin = now_ms();
	assert_int_equal(store_tokens(s, &tokens, &n), ERR_AWAY);
	assert_true(now_ms() - begin < 3500);
	/* What just failed to connect for two seconds is not tried again for as long. */
	begin = now_ms();
	assert_int_equal(store_tokens(s, &tokens, &n), ERR_AWAY);
	assert_true(now_ms() - begin < 100);

	db_server("resume");
	begin = now_ms();
	while (!store_is_up(s))
		assert_true(now_ms() - begin < 5000);
	assert_int_equal(store_tokens(s, &tokens, &n), ERR_OK);
	free(tokens);
	store_free(s);
}

static void *ask_once(void *ctx)
{
	struct store_token *tokens;
	size_t n;
	return (void *)(intptr_t)store_tokens(ctx, &tokens, &n);
}

static void the_end_comes_for_those_who_wait_already(void **state)
{
	(void)state;
	const struct store_options options = { .conninfo = db_new(),
		                               .connections = 2,
		                               .timeout_seconds = 20 };
	struct store *s = store_new(&options);
	struct fault fault;
	struct store_token *tokens;
	size_t n;
	assert_int_equal(store_migrate(s, &fault), ERR_OK);

	db_server("pause");
	enum { THREADS = 4 }; /* two wait for the server, two for a connection */
	pthread_t threads[THREADS];
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, ask_once, s), 0);
	(void)nanosleep(&(struct timespec){ .tv_nsec = 200000000 }, NULL);
	const int64_t begin = now_ms();
	store_end(s, 1);
	for (int i = 0; i < THREADS; i++) {
		void *e;
		assert_int_equal(pthread_join(threads[i], &e), 0);
		assert_int_equal((intptr_t)e, ERR_AWAY);
	}
	assert_in_range(now_ms() - begin, 900, 2000);
	assert_int_equal(store_tokens(s, &tokens, &n), ERR_AWAY); /* at once */
	assert_true(now_ms() - begin < 2000);

	db_server("resume");
	store_end(s, 10);
	while (!store_is_up(s))
		assert_true(now_ms() - begin < 8000);
	store_free(s);
}

static int thaw(void **state)
{
	(void)state;
	db_server("resume"); /* whatever happened: the next test needs it */
	return 0;
}

static void *ask_often(void *ctx)
{
	for (int i = 0; i < 50; i++) {
		struct store_token *tokens;
		size_t n;
		if (store_tokens(ctx, &tokens, &n) != ERR_OK)
			return ctx;
		free(tokens);
	}
	return NULL;
}

static void more_threads_than_connections_take_turns(void **state)
{
	(void)state;
	struct store *s = db_store(NULL);
	pthread_t threads[8];
	for (int i = 0; i < 8; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, ask_often, s), 0);
	for (int i = 0; i < 8; i++) {
		void *failed;
		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
	char count[16];
	db_ask("SELECT count(*) <= 3 FROM pg_stat_activity WHERE application_name = 'p4pd' "
	       "AND datname = current_database()",
	       count, sizeof(count));
	assert_string_equal(count, "t");
	store_free(s);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(without_a_database_every_call_is_away),
	cmocka_unit_test(before_the_migrations_every_call_is_away),
	cmocka_unit_test(daemons_that_start_together_migrate_once),
	cmocka_unit_test(refuses_a_database_it_does_not_understand),
	cmocka_unit_test(a_database_that_restarts_is_away_and_comes_back),
	cmocka_unit_test_teardown(a_frozen_database_costs_no_more_than_the_time_out, thaw),
	cmocka_unit_test_teardown(the_end_comes_for_those_who_wait_already, thaw),
	cmocka_unit_test(more_threads_than_connections_take_turns),
};

RUN_TESTS(tests)
