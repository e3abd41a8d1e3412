/* SPDX-License-Identifier: Apache-2.0 */
#include "server/store/audit.h"
#include "tests/unit/store/opened.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AS_SUPERUSER(sql)                                                             \
	assert_string_equal(db_state_of("ALTER TABLE audit DISABLE TRIGGER USER;" sql \
	                                ";ALTER TABLE audit ENABLE TRIGGER USER"),    \
	                    "")

/* Rows 1 to 5; the odd ones are isp-a's, the even ones everybody's. */
static void do_five_things(void)
{
	char name[8];
	uint8_t hash[32] = { 0 };
	uint64_t id;
	for (unsigned i = 1; i <= 5; i++) {
		struct store_token t = { .role = i % 2 == 1 ? STORE_VIEWER : STORE_ADMIN };
		(void)snprintf(name, sizeof(name), "t\xc3\xa9%u", i); /* bytes are not letters */
		memcpy(t.name, name, sizeof(name));
		memcpy(t.provider, "isp-a", i % 2 == 1 ? 6 : 0);
		hash[0] = (uint8_t)i;
		assert_int_equal(store_token_add(s, &t, hash, "admin", &id), ERR_OK);
	}
}

static struct store_audit_check verify(const struct store_head *noted)
{
	struct store_audit_check check;
	assert_int_equal(store_audit_verify(s, noted, &check), ERR_OK);
	return check;
}

static void a_chain_fits_and_numbers_have_no_gaps(void **state)
{
	(void)state;
	struct store_head head;
	struct store_audit_check check = verify(NULL);
	assert_int_equal(check.rows, 0);
	assert_int_equal(check.broken, 0);
	assert_int_equal(strspn(check.head.chain, "0"), 64);
	do_five_things();
	assert_int_equal(store_token_remove(s, "nobody", "admin"), ERR_NOT_FOUND); /* no row */
	assert_int_equal(store_token_remove(s,
	                                    "t\xc3\xa9"
	                                    "5",
	                                    "admin"),
	                 ERR_OK);
	check = verify(NULL);
	assert_int_equal(check.rows, 6);
	assert_int_equal(check.head.number, 6);
	assert_int_equal(check.broken, 0);
	assert_int_equal(store_audit_head(s, &head), ERR_OK);
	assert_int_equal(head.number, 6);
	assert_string_equal(head.chain, check.head.chain);
	assert_int_equal(verify(&head).broken, 0);
}

static void an_altered_row_is_named(void **state)
{
	(void)state;
	static const char *const alterations[] = {
		"author = 'nobody'",
		"action = action || '2'",
		"subject = 'x'",
		"provider = NULL",
		"at = at + interval '1 microsecond'",
		"chain = sha256('')",
		"author = author || ',', action = action", /* fields keep their borders */
	};
	for (size_t i = 0; i < sizeof(alterations) / sizeof(alterations[0]); i++) {
		char sql[256];
		do_five_things();
		(void)snprintf(sql, sizeof(sql),
		               "ALTER TABLE audit DISABLE TRIGGER USER; UPDATE audit SET %s "
		               "WHERE number = 3",
		               alterations[i]);
		assert_string_equal(db_state_of(sql), "");
		assert_int_equal(verify(NULL).broken, 3);
		assert_int_equal(verify(NULL).rows, 2);
		AS_SUPERUSER("DELETE FROM audit; DELETE FROM tokens");
	}
}

static void a_row_taken_from_the_middle_is_missed(void **state)
{
	(void)state;
	do_five_things();
	AS_SUPERUSER("DELETE FROM audit WHERE number = 3");
	assert_int_equal(verify(NULL).broken, 4);
	assert_non_null(strstr(verify(NULL).why, "missing"));
	AS_SUPERUSER("UPDATE audit SET number = number - 1 WHERE number > 3");
	assert_int_equal(verify(NULL).broken, 3);
}

/* Whoever can write the whole table can make another chain: a noted head tells. */
static void a_noted_head_finds_what_the_chain_cannot(void **state)
{
	(void)state;
	struct store_head head;
	do_five_things();
	assert_int_equal(store_audit_head(s, &head), ERR_OK);
	AS_SUPERUSER("DELETE FROM audit WHERE number = 5");
	assert_int_equal(verify(NULL).broken, 0);
	assert_int_equal(verify(&head).broken, 5);
	assert_non_null(strstr(verify(&head).why, "missing"));

	/* Another row 5, well chained. */
	assert_string_equal(db_state_of("INSERT INTO audit (author, action, subject) "
	                                "VALUES ('admin', 'token-add', 'something else')"),
	                    "");
	assert_int_equal(verify(NULL).broken, 0);
	assert_int_equal(verify(NULL).rows, 5);
	assert_int_equal(verify(&head).broken, 5);
	assert_non_null(strstr(verify(&head).why, "anew"));
}

/* The end made anew, well chained, by whoever can write the table and leaves out the noted number. */
static void a_noted_head_is_not_stepped_over(void **state)
{
	(void)state;
	struct store_head head;
	do_five_things();
	assert_int_equal(store_audit_head(s, &head), ERR_OK);
	AS_SUPERUSER("DELETE FROM audit WHERE number > 3");
	assert_string_equal(
		db_state_of("ALTER TABLE audit DISABLE TRIGGER USER;"
	                    "INSERT INTO audit (number, at, author, action, subject, chain) "
	                    "SELECT 6, now(), 'x', 'y', 'z', "
	                    " audit_link(chain, 6, now(), 'x', 'y', 'z', NULL) "
	                    "FROM audit WHERE number = 3"),
		"");
	assert_int_equal(verify(NULL).broken, 0);
	assert_int_equal(verify(&head).broken, 6);
	assert_non_null(strstr(verify(&head).why, "missing"));
}

static void rows_before_the_first_are_no_part_of_it(void **state)
{
	(void)state;
	static const char *const numbers[] = { "0", "-7" };
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		char sql[256];
		do_five_things();
		(void)snprintf(sql, sizeof(sql),
		               "ALTER TABLE audit DISABLE TRIGGER USER; INSERT INTO audit (number, "
		               "at, author, action, subject, chain) VALUES (%s, now(), 'x', 'y', "
		               "'z', sha256(''))",
		               numbers[i]);
		assert_string_equal(db_state_of(sql), "");
		assert_int_equal(verify(NULL).broken, 1);
		assert_non_null(strstr(verify(NULL).why, "before the first"));
		AS_SUPERUSER("DELETE FROM audit; DELETE FROM tokens");
	}
}

static void a_row_cannot_say_when_or_where_it_is(void **state)
{
	(void)state;
	assert_string_equal(
		db_state_of("INSERT INTO audit (number, at, author, action, subject, chain) "
	                    "VALUES (77, '2001-01-01', 'x', 'y', 'z', '\\x00')"),
		"");
	char found[32];
	db_ask("SELECT number || ' ' || (at > '2026-01-01') FROM audit", found, sizeof(found));
	assert_string_equal(found, "1 true");
	assert_int_equal(verify(NULL).broken, 0);
}

static void an_auditor_reads_its_providers_rows(void **state)
{
	(void)state;
	struct store_audit *list;
	size_t n;
	do_five_things();
	assert_int_equal(store_audit(s, "isp-a", 100, &list, &n), ERR_OK);
	assert_int_equal(n, 3);
	assert_int_equal(list[0].number, 5);
	assert_string_equal(list[2].provider, "isp-a");
	assert_int_equal(strlen(list[2].chain), 64);
	free(list);
	assert_int_equal(store_audit(s, "isp-b", 100, &list, &n), ERR_OK);
	assert_int_equal(n, 0);
	free(list);
	assert_int_equal(store_audit(s, NULL, 100, &list, &n), ERR_OK);
	assert_int_equal(n, 5);
	assert_string_equal(list[1].provider, "");
	free(list);
}

enum { THREADS = 4, EACH = 25 };

static void *deny_clients(void *arg)
{
	char prefix[16];
	const unsigned thread = *(const unsigned *)arg;
	for (unsigned i = 0; i < EACH; i++) {
		(void)snprintf(prefix, sizeof(prefix), "-%u-%u", thread, i);
		if (store_client_set(s, prefix, true, "admin") != ERR_OK)
			return arg;
	}
	return NULL;
}

static void many_at_once_make_one_chain(void **state)
{
	(void)state;
	pthread_t threads[THREADS];
	unsigned numbers[THREADS];
	for (unsigned i = 0; i < THREADS; i++) {
		numbers[i] = i;
		assert_int_equal(pthread_create(&threads[i], NULL, deny_clients, &numbers[i]), 0);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		void *failed;
		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
	const struct store_audit_check check = verify(NULL);
	assert_int_equal(check.broken, 0);
	assert_int_equal(check.rows, THREADS * EACH);
	assert_int_equal(check.head.number, THREADS * EACH);
}

static const struct CMUnitTest tests[] = {
	TEST(a_chain_fits_and_numbers_have_no_gaps),
	TEST(an_altered_row_is_named),
	TEST(a_row_taken_from_the_middle_is_missed),
	TEST(a_noted_head_finds_what_the_chain_cannot),
	TEST(a_row_cannot_say_when_or_where_it_is),
	TEST(an_auditor_reads_its_providers_rows),
	TEST(many_at_once_make_one_chain),
	TEST(a_noted_head_is_not_stepped_over),
	TEST(rows_before_the_first_are_no_part_of_it),
};

RUN_TESTS(tests)
