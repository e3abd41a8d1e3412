/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/store/opened.h"

#include "server/store/lifecycle.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const struct store_interconnect two[] = {
	{ .id = "a-b-1",
	  .pid = "a-core",
	  .relation = "settlement-free",
	  .metro = "fra",
	  .neighbor_asn = 4200000001U,
	  .capacity_mbps = 10000 },
	{ .id = "a\"\\-t",
	  .pid = "a-core",
	  .relation = "transit",
	  .neighbor_asn = 64510,
	  .capacity_mbps = UINT64_MAX },
};

/* A document whose hash is `c` 64 times. */
static enum err upload(enum store_kind kind, char c, size_t n_interconnects, uint64_t *version)
{
	char body[32], sha256[65];
	(void)snprintf(body, sizeof(body), "{\"caf\xc3\xa9\": '%c'}\n", c);
	memset(sha256, c, 64);
	sha256[64] = '\0';
	const struct store_upload u = { .provider = "isp-a",
		                        .kind = kind,
		                        .body = body,
		                        .size = strlen(body),
		                        .sha256 = sha256,
		                        .author = "alice",
		                        .interconnects = two,
		                        .n_interconnects = n_interconnects };
	return store_upload(s, &u, version);
}

static char in_force(enum store_kind kind, uint64_t *version)
{
	struct store_document d;
	if (store_document(s, "isp-a", kind, 0, &d) != ERR_OK)
		return '\0';
	const char c = d.about.sha256[0];
	assert_true(d.about.in_force && d.about.kind == kind && d.about.size == d.size);
	*version = d.about.version;
	store_document_done(&d);
	return c;
}

static void an_upload_is_in_force_and_comes_back_as_it_was(void **state)
{
	(void)state;
	uint64_t version = 0;
	assert_int_equal(in_force(STORE_TOPOLOGY, &version), '\0');
	assert_int_equal(upload(STORE_TOPOLOGY, 'a', 2, &version), ERR_OK);
	assert_int_equal(version, 1);

	struct store_document d = { 0 };
	assert_int_equal(store_document(s, "isp-a", STORE_TOPOLOGY, 0, &d), ERR_OK);
	assert_string_equal(d.body, "{\"caf\xc3\xa9\": 'a'}\n");
	assert_int_equal(d.size, strlen(d.body));
	assert_string_equal(d.about.provider, "isp-a");
	assert_string_equal(d.about.author, "alice");
	assert_true(d.about.created > 1700000000);
	store_document_done(&d);
	assert_int_equal(store_document(s, "isp-a", STORE_COSTS, 0, &d), ERR_NOT_FOUND);
	assert_int_equal(store_document(s, "isp-a", STORE_COSTS, 1, &d), ERR_NOT_FOUND);
	assert_int_equal(store_document(s, "isp-a", STORE_TOPOLOGY, UINT64_MAX, &d), ERR_NOT_FOUND);
	assert_int_equal(store_document(s, "isp-b' OR '1'='1", STORE_TOPOLOGY, 1, &d),
	                 ERR_NOT_FOUND);
	assert_int_equal(store_document(s, "caf\xe9", STORE_TOPOLOGY, 1, &d), ERR_NOT_FOUND);
	assert_null(d.body);
}

static void the_same_document_again_makes_no_version(void **state)
{
	(void)state;
	uint64_t version = 0;
	assert_int_equal(upload(STORE_TOPOLOGY, 'a', 2, &version), ERR_OK);
	assert_int_equal(upload(STORE_TOPOLOGY, 'a', 2, &version), ERR_EXISTS);
	assert_int_equal(version, 1);
	assert_int_equal(upload(STORE_COSTS, 'a', 0, &version), ERR_OK); /* of the other kind */
	assert_int_equal(version, 2);                                    /* no number was lost */
	assert_int_equal(upload(STORE_TOPOLOGY, 'b', 2, &version), ERR_OK);
	assert_int_equal(upload(STORE_TOPOLOGY, 'a', 2, &version), ERR_OK); /* in force no more */
	assert_int_equal(version, 4);
}

static void rolls_back_and_forward(void **state)
{
	(void)state;
	uint64_t version = 0;
	assert_int_equal(upload(STORE_TOPOLOGY, 'a', 1, &version), ERR_OK);
	assert_int_equal(upload(STORE_COSTS, 'c', 0, &version), ERR_OK);
	assert_int_equal(upload(STORE_TOPOLOGY, 'b', 2, &version), ERR_OK);
	assert_int_equal(in_force(STORE_TOPOLOGY, &version), 'b');

	struct store_activation a = {
		.provider = "isp-a", .author = "bob", .interconnects = two, .n_interconnects = 1
	};
	a.version[STORE_TOPOLOGY] = 2;
	assert_int_equal(store_activate(s, &a), ERR_NOT_FOUND); /* that is costs */
	a.version[STORE_TOPOLOGY] = 9;
	assert_int_equal(store_activate(s, &a), ERR_NOT_FOUND);
	a.version[STORE_TOPOLOGY] = 1;
	assert_int_equal(store_activate(s, &a), ERR_OK);
	assert_int_equal(in_force(STORE_TOPOLOGY, &version), 'a');
	assert_int_equal(in_force(STORE_COSTS, &version), 'c');
	a.version[STORE_TOPOLOGY] = 3;
	assert_int_equal(store_activate(s, &a), ERR_OK);
	assert_int_equal(in_force(STORE_TOPOLOGY, &version), 'b');
	assert_int_equal(version, 3);

	struct store_version v, *list;
	size_t n;
	assert_int_equal(store_version(s, "isp-a", 1, &v), ERR_OK);
	assert_false(v.in_force);
	assert_int_equal(store_version(s, "isp-a", 2, &v), ERR_OK);
	assert_true(v.in_force && v.kind == STORE_COSTS);
	assert_int_equal(store_version(s, "isp-a", 4, &v), ERR_NOT_FOUND);
	assert_int_equal(store_versions(s, "isp-a", &list, &n), ERR_OK);
	assert_int_equal(n, 3);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(list[i].version, 3 - i);
	free(list);
	assert_int_equal(store_versions(s, NULL, &list, &n), ERR_OK);
	assert_int_equal(n, 2);
	assert_true(list[0].in_force && list[1].in_force);
	free(list);
	assert_int_equal(store_versions(s, "isp-z", &list, &n), ERR_OK);
	assert_int_equal(n, 0);
	free(list);
}

static void interconnects_follow_the_topology(void **state)
{
	(void)state;
	uint64_t version = 0;
	struct store_interconnect *list;
	size_t n;
	assert_int_equal(upload(STORE_TOPOLOGY, 'a', 2, &version), ERR_OK);
	assert_int_equal(store_ratio_limit(s, "isp-a", "a-b-1", 1800, "alice"), ERR_OK);
	assert_int_equal(store_ratio_limit(s, "isp-a", "nowhere", 1800, "alice"), ERR_NOT_FOUND);
	assert_int_equal(upload(STORE_TOPOLOGY, 'b', 1, &version), ERR_OK);

	assert_int_equal(store_interconnects(s, NULL, &list, &n), ERR_OK);
	assert_int_equal(n, 2);
	assert_string_equal(list[0].id, "a\"\\-t");
	assert_false(list[0].in_force);
	assert_true(list[0].capacity_mbps == UINT64_MAX);
	assert_string_equal(list[1].id, "a-b-1");
	assert_string_equal(list[1].provider, "isp-a");
	assert_string_equal(list[1].pid, "a-core");
	assert_string_equal(list[1].relation, "settlement-free");
	assert_string_equal(list[1].metro, "fra");
	assert_true(list[1].neighbor_asn == 4200000001U);
	assert_true(list[1].in_force);
	assert_int_equal(list[1].ratio_limit_milli, 1800); /* it outlives an upload */
	free(list);
	assert_int_equal(store_named(s, "isp-a", NULL), ERR_OK);
	assert_int_equal(store_named(s, "isp-z", NULL), ERR_NOT_FOUND);
	assert_int_equal(store_named(s, NULL, "no-such"), ERR_NOT_FOUND);
	assert_int_equal(store_interconnects(s, "isp-b", &list, &n), ERR_OK);
	assert_int_equal(n, 0);
	free(list);
}

static void *upload_many(void *ctx)
{
	const int thread = *(const int *)ctx;
	for (int i = 0; i < 8; i++) {
		uint64_t version;
		if (upload(STORE_TOPOLOGY, "0123456789abcdef"[thread * 8 + i], 2, &version) !=
		    ERR_OK)
			return ctx;
	}
	return NULL;
}

static void uploads_at_the_same_time_get_numbers_without_gaps(void **state)
{
	(void)state;
	int numbers[] = { 0, 1 };
	pthread_t threads[2];
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, upload_many, &numbers[i]), 0);
	for (int i = 0; i < 2; i++) {
		void *failed;
		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
	char found[64];
	db_ask("SELECT min(version) || ' ' || max(version) || ' ' || count(*) FROM map_versions",
	       found, sizeof(found));
	assert_string_equal(found, "1 16 16");
	uint64_t version = 0;
	(void)in_force(STORE_TOPOLOGY, &version);
	assert_int_equal(version, 16); /* the last to commit is the one in force */
}

/* As store_ratio_limit() does: the interconnect's row first, the audit log's end last. */
static void *change_an_interconnect(void *arg)
{
	return strcmp(db_state_of(
			      "BEGIN;"
			      "UPDATE interconnects SET ratio_limit_milli = 1500;"
			      "SELECT pg_sleep(1);"
			      "INSERT INTO audit (author, action, subject) VALUES ('x', 'y', 'z');"
			      "COMMIT"),
	              "") == 0
	               ? NULL
	               : arg;
}

static void sleep_half_a_second(void)
{
	const struct timespec half = { .tv_nsec = 500000000 };
	(void)nanosleep(&half, NULL);
}

static void nobody_waits_with_the_audit_log_in_hand(void **state)
{
	(void)state;
	for (unsigned again = 0; again <= 1; again++) { /* an upload, then an activation */
		pthread_t thread;
		void *failed;
		uint64_t version;
		struct store_activation a = { .provider = "isp-a",
			                      .author = "bob",
			                      .version = { 1 },
			                      .interconnects = two,
			                      .n_interconnects = 2 };
		assert_int_equal(upload(STORE_TOPOLOGY, again ? 'c' : 'a', 2, &version), ERR_OK);
		assert_int_equal(pthread_create(&thread, NULL, change_an_interconnect, &version),
		                 0);
		sleep_half_a_second();
		if (again)
			assert_int_equal(store_activate(s, &a), ERR_OK);
		else
			assert_int_equal(upload(STORE_TOPOLOGY, 'b', 2, &version), ERR_OK);
		assert_int_equal(pthread_join(thread, &failed), 0);
		assert_null(failed);
	}
}

static void a_big_document_survives(void **state)
{
	(void)state;
	enum { SIZE = 20 * 1000 * 1000 };
	char *body = malloc(SIZE + 1), sha256[65];
	assert_non_null(body);
	for (size_t i = 0; i < SIZE; i++)
		body[i] = (char)(' ' + i * 7919 % 90);
	body[SIZE] = '\0';
	memset(sha256, 'f', 64);
	sha256[64] = '\0';
	const struct store_upload u = { .provider = "isp-a",
		                        .kind = STORE_COSTS,
		                        .body = body,
		                        .size = SIZE,
		                        .sha256 = sha256,
		                        .author = "alice" };
	uint64_t version;
	assert_int_equal(store_upload(s, &u, &version), ERR_OK);
	struct store_document d;
	assert_int_equal(store_document(s, "isp-a", STORE_COSTS, version, &d), ERR_OK);
	assert_int_equal(d.size, SIZE);
	assert_memory_equal(d.body, body, SIZE + 1);
	store_document_done(&d);
	free(body);
}

static const struct CMUnitTest tests[] = {
	TEST(an_upload_is_in_force_and_comes_back_as_it_was),
	TEST(the_same_document_again_makes_no_version),
	TEST(rolls_back_and_forward),
	TEST(interconnects_follow_the_topology),
	TEST(uploads_at_the_same_time_get_numbers_without_gaps),
	TEST(nobody_waits_with_the_audit_log_in_hand),
	TEST(a_big_document_survives),
};

RUN_TESTS(tests)
