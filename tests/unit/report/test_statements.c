/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/report/agreed.h"

#include "server/report/statements.h"

#include <stdlib.h>

static const int64_t DECEMBER = 1793491200 + 30 * DAY;

static struct store_statement freeze(const char *period, int64_t now)
{
	const struct statement_order order = { .provider = "isp-a",
		                               .contract = "c-17",
		                               .period = period,
		                               .author = "alice",
		                               .now = now };
	struct store_statement st;
	struct fault why = { 0 };
	uint64_t id = 0;
	if (statement_freeze(s, &options, &order, &id, &why) != ERR_OK)
		fail_msg("%s: %s", why.where, why.text);
	assert_int_equal(store_statement(s, id, &st), ERR_OK);
	return st;
}

static enum err refused(const char *contract, const char *period, int64_t now, const char *part)
{
	const struct statement_order order = { .provider = "isp-a",
		                               .contract = contract,
		                               .period = period,
		                               .author = "alice",
		                               .now = now };
	struct fault why = { 0 };
	uint64_t id = 0;
	const enum err e = statement_freeze(s, &options, &order, &id, &why);
	assert_int_equal(id, 0);
	expect(why.text, part);
	return e;
}

static void fill_november(void)
{
	fill("a-1", "counter", NOVEMBER, 8640,
	     "CASE WHEN n % 20 = 0 THEN 450000000000 ELSE 412500000000 END", "206250000000");
}

static void a_period_that_ended_is_frozen_and_superseded(void **state)
{
	(void)state;
	fill_november();
	agree(STORE_CONTRACT, "c-17", "\"interconnects\":[\"a-1\"]," TARIFF);
	struct store_statement st = freeze("2026-11", DECEMBER + 1);
	assert_true(st.contract_version == 1 && st.from == NOVEMBER && st.to == DECEMBER);
	assert_string_equal(st.period, "2026-11");
	assert_string_equal(st.author, "alice");
	assert_string_equal(st.software, "p4pd test");
	assert_true(st.supersedes == 0 && st.superseded_by == 0);
	expect(st.inputs, "p4p-statement-inputs/3\nprovider isp-a\ncontract c-17 1 ");
	expect(st.inputs, "\nperiod 1793491200 1796083200 300\nsource counter\n"
	                  "interconnect a-1 0 375000000000\n"
	                  "bin 0 1793491200 450000000000 206250000000 - - 300 0\n"
	                  "bin 0 1793491500 412500000000 206250000000 - - 300 0\n");
	expect(st.json, "\"total\":\"8700.00\"");
	expect(st.csv, "cost.total,8700.00,USD\r\n");
	expect(st.html, "<td class=\"n\">8700.00</td><td>USD</td>");
	char found[8];
	db_ask("SELECT encode(sha256(inputs::bytea), 'hex') = inputs_sha256 FROM statements", found,
	       sizeof(found));
	assert_string_equal(found, "t");
	/* The audit log is a chain: whoever alters a statement and its hash contradicts a row of it. */
	db_ask("SELECT bool_and(subject = 'isp-a c-17 2026-11 number ' || s.number || ' sha256 ' || "
	       "inputs_sha256) FROM audit, statements s WHERE action = 'statement'",
	       found, sizeof(found));
	assert_string_equal(found, "t");

	struct store_statement later = freeze("2026-11", DECEMBER + DAY);
	assert_int_equal(later.supersedes, st.id);
	assert_string_equal(later.inputs_sha256, st.inputs_sha256); /* of the same bins */
	const uint64_t id = st.id;
	store_statement_done(&st);
	assert_int_equal(store_statement(s, id, &st), ERR_OK);
	assert_int_equal(st.superseded_by, later.id);

	struct text page = { 0 };
	statement_html(&st, &page);
	expect(page.bytes, "Superseded: statement 2");
	expect(page.bytes, st.inputs_sha256);
	assert_null(strstr(page.bytes, "<script"));
	text_done(&page);
	store_statement_done(&st);
	store_statement_done(&later);
	assert_string_equal(db_state_of("UPDATE statements SET author = 'mallory'"), "P0001");
	assert_string_equal(db_state_of("DELETE FROM statements"), "P0001");
}

static void a_period_must_have_ended_and_have_a_name(void **state)
{
	(void)state;
	agree(STORE_CONTRACT, "c-17", "\"interconnects\":[\"a-1\"]," TARIFF);
	assert_int_equal(refused("c-17", "2026-11", DECEMBER - 1, "not over until 2026-12-01T00"),
	                 ERR_BUSY);
	assert_int_equal(refused("c-17", "2026-13", DECEMBER, "month such as"), ERR_MALFORMED);
	assert_int_equal(refused("c-17", "November", DECEMBER, "month such as"), ERR_MALFORMED);
	assert_int_equal(refused("c-18", "2026-10", DECEMBER, "no contract c-18"), ERR_NOT_FOUND);
}

static void a_name_is_of_the_month_a_period_begins_in(void **state)
{
	(void)state;
	static const struct {
		const char *zone, *period, *from;
		unsigned day;
	} rows[] = {
		{ "Pacific/Kiritimati", "2026-10", "2026-09-30T10:00:00Z", 1 },
		{ "Pacific/Kiritimati", "2026-02", "2026-02-27T10:00:00Z", 28 },
		{ "Etc/GMT+12", "2026-02", "2026-02-28T12:00:00Z", 28 },
		{ "Etc/GMT+12", "2026-10", "2026-10-01T12:00:00Z", 1 },
		{ "Europe/Berlin", "2026-03", "2026-02-28T23:00:00Z", 1 },
		{ "UTC", "2026-10", "2026-10-15T00:00:00Z", 15 },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char members[512], from[24], shown[128];
		struct text page = { 0 };
		(void)snprintf(members, sizeof(members),
		               "\"interconnects\":[\"a-1\"],\"tz\":\"%s\",\"cycle_day\":%u," TARIFF,
		               rows[i].zone, rows[i].day);
		agree(STORE_CONTRACT, "c-17", members);
		struct store_statement st = freeze(rows[i].period, DECEMBER);
		text_time_print(st.from, from);
		assert_string_equal(st.period, rows[i].period);
		assert_string_equal(from, rows[i].from);
		(void)snprintf(shown, sizeof(shown), "from</th><td colspan=\"2\">%s-%02u 00:00 %s<",
		               rows[i].period, rows[i].day, rows[i].zone);
		statement_html(&st, &page);
		expect(page.bytes, shown);
		text_done(&page);
		store_statement_done(&st);
	}
}

static void what_was_hardly_measured_says_so_everywhere(void **state)
{
	(void)state;
	struct text page = { 0 };
	agree(STORE_CONTRACT, "c-17", "\"interconnects\":[\"a-1\",\"a-2\"]," TARIFF);
	struct store_statement st = freeze("2026-11", DECEMBER);
	expect(st.json, "\"warning\":\"no bin of 17280 is known: nothing was measured\"");
	expect(st.csv, "warning,no bin of 17280 is known: nothing was measured,\r\n");
	statement_html(&st, &page);
	expect(page.bytes, "<td>no bin of 17280 is known: nothing was measured</td>");
	text_done(&page);
	store_statement_done(&st);

	fill("a-1", "counter", NOVEMBER, 8640, "1", "1");
	fill("a-2", "counter", NOVEMBER, 8207, "1", "1"); /* one fewer than 95 % */
	st = freeze("2026-11", DECEMBER);
	expect(st.csv, "warning,\"of a-2 only 8207 of 8640 bins are known: ");
	store_statement_done(&st);
	fill("a-2", "counter", NOVEMBER + 8207 * BIN, 1, "1", "1");
	st = freeze("2026-11", DECEMBER);
	assert_null(strstr(st.csv, "warning"));
	store_statement_done(&st);
}

static struct statement_finding verify(const struct store_statement *st)
{
	struct statement_finding f;
	struct fault why = { 0 };
	if (statement_verify(s, st, &f, &why) != ERR_OK)
		fail_msg("%s: %s", why.where, why.text);
	return f;
}

static void change(const char *sql)
{
	assert_string_equal(db_state_of(sql), "");
}

static void verification_names_the_bin_that_changed(void **state)
{
	(void)state;
	static const struct {
		const char *sql, *bin, *was, *is;
	} rows[] = {
		{ "UPDATE bins SET in_bytes = 7 WHERE start = 1793491200 + 300 * 4000",
		  "counter a-1 2026-11-14T21:20:00Z",
		  "out 450000000000 B, in 206250000000 B, watched 300 s, quality 0",
		  "out 450000000000 B, in 7 B, watched 300 s, quality 0" },
		{ "DELETE FROM bins WHERE start = 1793491200 + 300",
		  "counter a-1 2026-11-01T00:05:00Z",
		  "out 412500000000 B, in 206250000000 B, watched 300 s, quality 0", "" },
		{ "UPDATE bins SET quality = 16 WHERE start = 1793491200",
		  "counter a-1 2026-11-01T00:00:00Z",
		  "out 450000000000 B, in 206250000000 B, watched 300 s, quality 0",
		  "out 450000000000 B, in 206250000000 B, watched 300 s, quality 16" },
	};
	fill_november();
	change("DELETE FROM bins WHERE start = 1793491200 + 300 * 100");
	agree(STORE_CONTRACT, "c-17", "\"interconnects\":[\"a-1\"]," TARIFF);
	struct store_statement st = freeze("2026-11", DECEMBER);
	struct statement_finding f = verify(&st);
	assert_true(statement_is_sound(&f));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		change(rows[i].sql);
		f = verify(&st);
		assert_false(statement_is_sound(&f));
		assert_string_equal(f.bin, rows[i].bin);
		assert_string_equal(f.bin_was, rows[i].was);
		assert_string_equal(f.bin_is, rows[i].is);
		assert_string_equal(f.figure, ""); /* what was frozen still adds up */
	}
	store_statement_done(&st);
}

static void verification_sees_a_new_bin_and_what_was_forged(void **state)
{
	(void)state;
	fill_november();
	change("DELETE FROM bins WHERE start = 1793491200 + 300 * 100");
	agree(STORE_CONTRACT, "c-17", "\"interconnects\":[\"a-1\"]," TARIFF);
	struct store_statement st = freeze("2026-11", DECEMBER);
	fill("a-1", "counter", NOVEMBER + 100 * BIN, 1, "1", "1");
	struct statement_finding f = verify(&st);
	assert_string_equal(f.bin, "counter a-1 2026-11-01T08:20:00Z");
	assert_string_equal(f.bin_was, "");

	char *total = strstr(st.csv, "cost.total,8700.00");
	assert_non_null(total);
	total[11] = '9'; /* somebody with the database's password */
	f = verify(&st);
	assert_string_equal(f.figure, "cost.total");
	assert_string_equal(f.figure_was, "9700.00,USD");
	assert_string_equal(f.figure_is, "8700.00,USD");
	assert_false(f.hash_differs);
	strstr(st.inputs, "bin 0 1793491200 45")[17] = '3';
	f = verify(&st);
	assert_true(f.hash_differs);
	store_statement_done(&st);
}

static void another_format_is_no_forgery(void **state)
{
	(void)state;
	fill_november();
	agree(STORE_CONTRACT, "c-17", "\"interconnects\":[\"a-1\"]," TARIFF);
	struct store_statement st = freeze("2026-11", DECEMBER);
	st.inputs[21] = '1'; /* p4p-statement-inputs/1 */
	struct statement_finding f = verify(&st);
	assert_false(statement_is_sound(&f));
	assert_true(f.hash_differs); /* here somebody did change it */
	assert_string_equal(f.format, "1");
	assert_string_equal(f.figure, "");
	st.inputs[21] = '3';
	f = verify(&st);
	assert_true(statement_is_sound(&f));
	store_statement_done(&st);
}

static void contracts_that_want_it_are_frozen_in_the_morning(void **state)
{
	(void)state;
	size_t made;
	fill_november();
	fill("a-2", "counter", NOVEMBER, 10, "1", "1");
	agree(STORE_CONTRACT, "c-17",
	      "\"interconnects\":[\"a-1\"],\"statements\":\"automatic\"," TARIFF);
	agree(STORE_CONTRACT, "beyond", /* comes first, and has no figures */
	      "\"interconnects\":[\"a-2\"],\"statements\":\"automatic\"," TARIFF);
	fill("a-2", "counter", NOVEMBER + 10 * BIN, 1, "18446744073709551615", "1");
	agree(STORE_CONTRACT, "by-hand", "\"interconnects\":[\"a-2\"]," TARIFF);
	agree(STORE_CONTRACT, "estimated",
	      "\"interconnects\":[\"a-t\"],\"statements\":\"automatic\"," TARIFF);
	fill("a-t", "announce", NOVEMBER, 10, "1", "1");
	agree(STORE_CONTRACT, "empty",
	      "\"interconnects\":[\"a-t\"],\"source\":\"counter\","
	      "\"statements\":\"automatic\"," TARIFF);
	assert_int_equal(statements_due(s, &options, DECEMBER + 4 * 3600 - 1, &made), ERR_OK);
	assert_int_equal(made, 0);
	assert_int_equal(statements_due(s, &options, DECEMBER + 4 * 3600, &made), ERR_OK);
	assert_int_equal(made, 1);
	assert_int_equal(statements_due(s, &options, DECEMBER + 5 * 3600, &made), ERR_OK);
	assert_int_equal(made, 0); /* once is enough */

	struct store_statement *list;
	size_t n;
	assert_int_equal(store_statements(s, "isp-a", NULL, "2026-11", &list, &n), ERR_OK);
	assert_int_equal(n, 1);
	assert_string_equal(list[0].contract, "c-17");
	assert_string_equal(list[0].author, "p4pd");
	free(list);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup_teardown(a_period_that_ended_is_frozen_and_superseded, open_store,
	                                close_store),
	cmocka_unit_test_setup_teardown(a_period_must_have_ended_and_have_a_name, open_store,
	                                close_store),
	cmocka_unit_test_setup_teardown(a_name_is_of_the_month_a_period_begins_in, open_store,
	                                close_store),
	cmocka_unit_test_setup_teardown(what_was_hardly_measured_says_so_everywhere, open_store,
	                                close_store),
	cmocka_unit_test_setup_teardown(verification_names_the_bin_that_changed, open_store,
	                                close_store),
	cmocka_unit_test_setup_teardown(another_format_is_no_forgery, open_store, close_store),
	cmocka_unit_test_setup_teardown(verification_sees_a_new_bin_and_what_was_forged, open_store,
	                                close_store),
	cmocka_unit_test_setup_teardown(contracts_that_want_it_are_frozen_in_the_morning,
	                                open_store, close_store),
};

RUN_TESTS(tests)
