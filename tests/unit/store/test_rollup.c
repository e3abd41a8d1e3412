/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever is packed already, the figures are those of plain SQL over the bins. */
#include "common/base/random.h"
#include "tests/unit/store/opened.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HOUR = 3600, DAY = 86400, ANSWER = 1 << 16 };
static const int64_t OCTOBER = 1790812800, NOVEMBER = 1793491200, DECEMBER = 1796083200,
		     JANUARY = 1798761600;

/* ---- both answers, as text ---- */

static void plain_answer(int64_t from, int64_t to, char out[static ANSWER])
{
	static char sql[4096];
	(void)snprintf(
		sql, sizeof(sql),
		"WITH summed AS (SELECT interconnect, source, start, sum(out_bytes) o, "
		" sum(in_bytes) i, "
		" bit_or(quality) q, "
		" CASE WHEN bool_and(out_packets IS NOT NULL) THEN sum(out_packets) END op, "
		" CASE WHEN bool_and(in_packets IS NOT NULL) THEN sum(in_packets) END ip, "
		" CASE WHEN bool_and(out_p2p_bytes IS NOT NULL) THEN sum(out_p2p_bytes) END pp, "
		" CASE WHEN bool_and(in_p2p_bytes IS NOT NULL) THEN sum(in_p2p_bytes) END qq "
		" FROM bins WHERE start >= %" PRId64 " AND start + 3600 <= %" PRId64
		" AND seconds = 3600 GROUP BY 1, 2, 3), "
		"gaps AS (SELECT *, start - coalesce(lag(start) OVER (PARTITION BY interconnect, source "
		" ORDER BY start) + 3600, %" PRId64 ") AS gap FROM summed), "
		"figures AS (SELECT interconnect, source, concat_ws(' ', sum(o), sum(i), "
		" least(percentile_disc(0.95) WITHIN GROUP (ORDER BY o), 18446744073709551615), "
		" least(percentile_disc(0.95) WITHIN GROUP (ORDER BY i), 18446744073709551615), "
		" count(*), count(op), coalesce(sum(op), 0), coalesce(sum(ip), 0), count(pp), "
		" coalesce(sum(pp), 0), coalesce(sum(qq), 0), sum(q & 1), sum(q >> 1 & 1), "
		" sum(q >> 2 & 1), sum(q >> 3 & 1), sum(q >> 4 & 1), sum(q >> 5 & 1), "
		" greatest(max(gap), %" PRId64 " - max(start) - 3600)) AS words "
		" FROM gaps GROUP BY 1, 2) "
		"SELECT coalesce(string_agg(concat_ws(' ', i.id, f.source, f.words), E'\\n' "
		" ORDER BY i.id, f.source), '') "
		"FROM figures f JOIN interconnects i ON i.number = f.interconnect",
		from, to, from, to);
	db_ask(sql, out, ANSWER);
}

static const char *const sources[] = { "announce", "flow", "counter" };

static void our_answer(int64_t from, int64_t to, char out[static ANSWER])
{
	const struct store_window w = { .from = from, .to = to, .bin_seconds = HOUR };
	struct store_balance *list;
	size_t n, at = 0;
	assert_int_equal(store_balance(s, &w, &list, &n), ERR_OK);
	out[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		const struct store_balance *b = &list[i];
		at += (size_t)snprintf(out + at, ANSWER - at,
		                       "%s%s %s %s %s %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64
		                       " %s %s %" PRIu64 " %s %s",
		                       i > 0 ? "\n" : "", b->interconnect, sources[b->source],
		                       b->out_bytes, b->in_bytes, b->p95_out_bytes, b->p95_in_bytes,
		                       b->bins_known, b->bins_with_packets, b->out_packets,
		                       b->in_packets, b->bins_with_p2p, b->out_p2p_bytes,
		                       b->in_p2p_bytes);
		for (int f = 0; f < STORE_FLAGS; f++)
			at += (size_t)snprintf(out + at, ANSWER - at, " %" PRIu64, b->flagged[f]);
		at += (size_t)snprintf(out + at, ANSWER - at, " %" PRId64, b->gap_seconds);
	}
	free(list);
}

static void assert_answers_agree(int64_t from, int64_t to)
{
	static char plain[ANSWER], ours[ANSWER];
	plain_answer(from, to, plain);
	our_answer(from, to, ours);
	assert_string_equal(ours, plain);
}

/* ---- random bins ---- */

static struct store_bin any_bin(uint64_t *seed, int64_t from, int64_t to)
{
	const uint32_t bins = (uint32_t)((to - from) / HOUR);
	struct store_bin b = { .provider = "isp-a",
		               .start = from + (int64_t)random_below(seed, bins) * HOUR,
		               .seconds = random_below(seed, 20) == 0 ? HOUR / 2 : HOUR,
		               .observed_seconds = HOUR - random_below(seed, 3),
		               .out_bytes = random_next(seed) >> random_below(seed, 64),
		               .in_bytes = random_next(seed) % 5,
		               .measured_packets = random_below(seed, 2) == 0,
		               .out_packets = random_next(seed),
		               .in_packets = random_next(seed) % 100,
		               .measured_p2p = random_below(seed, 3) == 0,
		               .in_p2p_bytes = 3,
		               .out_p2p_bytes = random_next(seed),
		               .quality = random_below(seed, 64) };
	(void)snprintf(b.interconnect, sizeof(b.interconnect), "x-%" PRIu32, random_below(seed, 3));
	return b;
}

static void write_some(uint64_t *seed, size_t n, int64_t from, int64_t to)
{
	static struct store_bin rows[4000];
	const char *node = random_below(seed, 3) == 0 ? "n2" : "n1";
	assert_true(n <= 4000);
	for (size_t i = 0; i < n; i++)
		rows[i] = any_bin(seed, from, to);
	assert_int_equal(store_bins(s, node, (enum store_source)random_below(seed, 3), rows, n),
	                 ERR_OK);
}

/* Packs what is due at `now`, all of it or some. */
static unsigned pack(int64_t now, unsigned most)
{
	bool more = true;
	unsigned rounds = 0;
	for (; more && rounds < most; rounds++)
		assert_int_equal(store_rollup(s, now, &more), ERR_OK);
	return rounds;
}

static void packed_or_not_the_figures_are_the_same(void **state)
{
	(void)state;
	uint64_t seed = 4;
	for (int i = 0; i < 12; i++)
		write_some(&seed, 4000, OCTOBER, JANUARY);
	for (int round = 0; round < 60; round++) {
		switch (random_below(&seed, 4)) {
		case 0: /* what comes late */
			write_some(&seed, 1 + random_below(&seed, 3), OCTOBER, JANUARY);
			break;
		case 1:
			(void)pack(OCTOBER + (int64_t)random_below(&seed, 100 * DAY), 3);
			break;
		case 2:
			(void)pack(JANUARY + 40 * DAY, 1000);
			break;
		default:
			break;
		}
		const int64_t from = OCTOBER - DAY + (int64_t)random_below(&seed, 94 * DAY);
		assert_answers_agree(from, from + (int64_t)random_below(&seed, 94 * DAY));
		assert_answers_agree(OCTOBER, round % 2 == 0 ? JANUARY : DECEMBER);
		assert_answers_agree(NOVEMBER, DECEMBER);
		assert_answers_agree(NOVEMBER + 5 * HOUR, JANUARY - HOUR);
	}
}

static void count(const char *table, const char *expected)
{
	char sql[80], found[32];
	(void)snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s", table);
	db_ask(sql, found, sizeof(found));
	assert_string_equal(found, expected);
}

static void days_are_packed_when_over_and_months_after_them(void **state)
{
	(void)state;
	uint64_t seed = 8;
	struct store_bin b = any_bin(&seed, NOVEMBER, DECEMBER);
	b.seconds = HOUR;
	b.start = NOVEMBER + 29 * DAY;
	assert_int_equal(store_bins(s, "n1", STORE_FLOW, &b, 1), ERR_OK);
	assert_int_equal(pack(DECEMBER, 9), 1); /* the day may still get something */
	count("bin_days", "0");
	count("bin_days_due", "1");
	assert_int_equal(pack(DECEMBER + HOUR, 9), 3); /* the day, the month, nothing more */
	count("bin_days", "1");
	count("bin_months", "1");
	count("bin_days_due", "0");
	count("bin_months_due", "0");

	/* A late bin makes both due, whoever writes it; a day that lost all its bins is no page. */
	assert_string_equal(db_state_of("UPDATE bins SET out_bytes = 1"), "");
	count("bin_days_due", "1");
	assert_answers_agree(NOVEMBER, DECEMBER);
	assert_int_equal(pack(DECEMBER + HOUR, 9), 3);
	assert_answers_agree(NOVEMBER, DECEMBER);
	assert_string_equal(db_state_of("DELETE FROM bins"), "");
	assert_int_equal(pack(DECEMBER + HOUR, 9), 3);
	count("bin_days", "0");
	count("bin_months", "0");
	assert_answers_agree(NOVEMBER, DECEMBER);
}

static void pages_stay_in_their_rows(void **state)
{
	(void)state;
	static struct store_bin rows[288];
	char found[64];
	for (size_t i = 0; i < 288; i++)
		rows[i] = (struct store_bin){ .provider = "isp-a",
			                      .interconnect = "x",
			                      .start = NOVEMBER + (int64_t)i * 300,
			                      .seconds = 300,
			                      .observed_seconds = 300,
			                      .out_bytes = 375000000000U,
			                      .in_bytes = 375000000000U,
			                      .measured_packets = true,
			                      .out_packets = 400000000,
			                      .in_packets = 400000000 };
	assert_int_equal(store_bins(s, "n1", STORE_FLOW, rows, 288), ERR_OK);
	assert_int_equal(pack(DECEMBER + HOUR, 9), 3);
	/* Read in one piece, without a look into a second table, and not compressed for nothing. */
	db_ask("SELECT pg_relation_size(reltoastrelid) || ' ' || "
	       " (SELECT bool_and(pg_column_compression(page) IS NULL) FROM bin_days) "
	       "FROM pg_class WHERE relname = 'bin_days_2026_11'",
	       found, sizeof(found));
	assert_string_equal(found, "0 true");
	db_ask("SELECT bool_and(pg_column_compression(out_values) IS NULL) FROM bin_months", found,
	       sizeof(found));
	assert_string_equal(found, "t");
}

static const struct CMUnitTest tests[] = {
	TEST(packed_or_not_the_figures_are_the_same),
	TEST(days_are_packed_when_over_and_months_after_them),
	TEST(pages_stay_in_their_rows),
};

RUN_TESTS(tests)
