/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/balance/quality.h"
#include "common/base/random.h"
#include "server/collector/book.h"
#include "server/collector/prorate.h"

#include <string.h>

/* Bins of 300 seconds, late for 900, closed after 60. */
enum { SECONDS = 300, LATE = 900, GRACE = 60 };
static const int64_t start = 1800000000;

struct desk {
	struct names *edges, *exporters;
	struct book *book;
	uint32_t router, x, y; /* names */
	struct book_port ports[2];
};

static struct desk d;

static uint32_t name(struct names *all, const char *key)
{
	uint32_t out;
	must(names_put(all, key, &out) == ERR_OK);
	return out;
}

static struct book *new_book(void)
{
	return book_new(&(struct book_options){ .bin_seconds = SECONDS,
	                                        .late_seconds = LATE,
	                                        .grace_seconds = GRACE,
	                                        .measures_p2p = true,
	                                        .edges = d.edges,
	                                        .exporters = d.exporters });
}

static int open_desk(void **state)
{
	(void)state;
	d = (struct desk){ .edges = names_new(), .exporters = names_new() };
	d.router = name(d.exporters, "192.0.2.1");
	d.x = name(d.edges, "isp-a/x");
	d.y = name(d.edges, "isp-a/y");
	d.ports[0] = (struct book_port){ .exporter = d.router, .edge = d.x };
	d.ports[1] = (struct book_port){ .exporter = d.router, .edge = d.y };
	d.book = new_book();
	return d.book != NULL ? 0 : -1;
}

static int close_desk(void **state)
{
	(void)state;
	book_free(d.book);
	names_free(d.edges);
	names_free(d.exporters);
	return 0;
}

/* Out across x, of no duration. */
static struct booking flow(int64_t at, uint64_t bytes)
{
	return (struct booking){ .exporter = d.router,
		                 .out = d.x,
		                 .in_if = 1,
		                 .out_if = 17,
		                 .p2p = BOOKING_P2P_NOT,
		                 .bytes = bytes,
		                 .packets = 1,
		                 .first_ms = at * 1000,
		                 .last_ms = at * 1000 };
}

static struct book_result add(const struct booking *f, int64_t now)
{
	return book_add(d.book, f, now * 1000);
}

static enum err due(int64_t from, int64_t now, struct book_page *page)
{
	const struct book_ports ports = { .list = d.ports, .n = 2 };
	return book_due(d.book, from, now, false, &ports, page);
}

static const struct accounting_row *row(const struct book_page *p, const char *interconnect)
{
	for (size_t i = 0; i < p->bin.n_rows; i++)
		if (strcmp(p->bin.rows[i].interconnect, interconnect) == 0)
			return &p->bin.rows[i];
	fail_msg("no row of %s", interconnect);
	return &p->bin.rows[0];
}

static void watch(int64_t from, int64_t to)
{
	for (int64_t t = from; t < to; t++)
		book_heard(d.book, d.router, t);
}

static void a_bin_closes_after_its_grace_and_says_what_crossed(void **state)
{
	(void)state;
	struct book_page p;
	const struct booking f = flow(start + 10, 1000);
	watch(start, start + SECONDS);
	assert_int_equal(add(&f, start + 12).booked, 1000);
	assert_int_equal(due(0, start + SECONDS + GRACE - 1, &p), ERR_NOT_FOUND);
	assert_int_equal(due(0, start + SECONDS + GRACE, &p), ERR_OK);
	assert_int_equal(p.bin.source, ACCOUNTING_FLOW);
	assert_int_equal(p.bin.start, start);
	assert_int_equal(p.bin.seconds, SECONDS);
	assert_int_equal(p.bin.n_rows, 2);
	assert_string_equal(row(&p, "x")->provider, "isp-a");
	assert_int_equal(row(&p, "x")->out_bytes, 1000);
	assert_int_equal(row(&p, "x")->out_packets, 1);
	assert_int_equal(row(&p, "x")->in_bytes, 0);
	assert_int_equal(row(&p, "x")->observed_seconds, SECONDS);
	assert_int_equal(row(&p, "x")->quality, 0);
	assert_int_equal(row(&p, "y")->out_bytes, 0); /* watched, and nothing came */
	assert_int_equal(row(&p, "y")->observed_seconds, SECONDS);
	book_closed(d.book, &p, start + SECONDS + GRACE);
	accounting_bin_done(&p.bin);
	assert_int_equal(due(0, start + SECONDS + GRACE + 1, &p), ERR_NOT_FOUND);
}

static void a_late_flow_opens_the_bin_again(void **state)
{
	(void)state;
	struct book_page p;
	const struct booking f = flow(start + 10, 1000);
	struct book_gone gone;
	const int64_t closed = start + SECONDS + GRACE, again = closed + 100;
	(void)add(&f, start + 12);
	assert_int_equal(due(0, closed, &p), ERR_OK);
	assert_int_equal(p.bin.rows[0].quality & BIN_LATE, 0);
	book_closed(d.book, &p, closed);
	accounting_bin_done(&p.bin);
	(void)add(&f, again);
	assert_int_equal(due(0, again + GRACE - 1, &p), ERR_NOT_FOUND);
	assert_int_equal(due(0, again + GRACE, &p), ERR_OK);
	assert_int_equal(p.bin.rows[0].out_bytes, 2000); /* the whole bin, not what came on top */
	assert_int_not_equal(p.bin.rows[0].quality & BIN_LATE, 0);
	assert_false(book_forget(d.book, start + SECONDS + LATE + SECONDS, &gone));
	book_closed(d.book, &p, again + GRACE);
	accounting_bin_done(&p.bin);
	assert_false(book_forget(d.book, start + SECONDS + LATE - 1, &gone));
	assert_true(book_forget(d.book, start + SECONDS + LATE, &gone));
	assert_int_equal(gone.start, start);
	assert_false(gone.lost);
	assert_int_equal(book_count(d.book), 0);
}

static void what_is_not_on_disk_stays_due(void **state)
{
	(void)state;
	struct book_page p;
	struct book_gone gone;
	const struct booking f = flow(start + 10, 1000);
	(void)add(&f, start + 12);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(due(0, start + SECONDS + GRACE + i, &p), ERR_OK);
		accounting_bin_done(&p.bin);
	}
	assert_false(book_forget(d.book, start + 10 * LATE, &gone));
	/* What came while it was written makes it due again. */
	assert_int_equal(due(0, start + SECONDS + GRACE, &p), ERR_OK);
	(void)add(&f, start + SECONDS + GRACE);
	book_closed(d.book, &p, start + SECONDS + GRACE);
	accounting_bin_done(&p.bin);
	assert_int_equal(due(0, start + SECONDS + 3 * GRACE, &p), ERR_OK);
	assert_int_equal(p.bin.rows[0].out_bytes, 2000);
	accounting_bin_done(&p.bin);
}

static void the_future_counts_now_and_the_past_not_at_all(void **state)
{
	(void)state;
	struct book_page p;
	const int64_t now = start + LATE + 100; /* in the fourth bin; the first is the oldest */
	struct booking f = flow(now + BOOK_SKEW, 1);
	assert_false(add(&f, now).future);
	f = flow(now + BOOK_SKEW + 1, 2);
	struct book_result r = add(&f, now);
	assert_true(r.future);
	assert_int_equal(r.booked, 2);
	f = flow(start - 1, 4);
	r = add(&f, now);
	assert_int_equal(r.booked, 0);
	assert_int_equal(r.too_old, 4);
	f = flow(start, 8);
	assert_int_equal(add(&f, now).booked, 8);
	/* Of a flow that began too early, what is not too old. */
	f = flow(start, 300);
	f.first_ms = (start - 200) * 1000;
	f.last_ms = (start + 100) * 1000;
	r = add(&f, now);
	assert_int_equal(r.too_old, 200);
	assert_int_equal(r.booked, 100);
	assert_int_equal(due(0, now, &p), ERR_OK);
	assert_int_equal(p.bin.start, start);
	assert_int_equal(p.bin.rows[0].out_bytes, 108);
	accounting_bin_done(&p.bin);
	assert_int_equal(due(start + 1, now, &p), ERR_NOT_FOUND);
	assert_int_equal(due(start + 1, now + 1000, &p), ERR_OK);
	assert_int_equal(p.bin.start, start + 3 * SECONDS);
	assert_int_equal(p.bin.rows[0].out_bytes, 3);
	accounting_bin_done(&p.bin);
}

/* Its rows are stored: a second bin of its key would take their place. */
static void what_was_forgotten_is_not_made_again(void **state)
{
	(void)state;
	struct book_page p;
	struct book_gone gone;
	struct booking f = flow(start + 10, 1000);
	(void)add(&f, start + 12);
	assert_int_equal(due(0, start + SECONDS + GRACE, &p), ERR_OK);
	book_closed(d.book, &p, start + SECONDS + GRACE);
	accounting_bin_done(&p.bin);
	assert_int_equal(book_floor(d.book), 0);
	/* A clock that is far ahead, for a moment. */
	assert_true(book_forget(d.book, start + 10 * LATE, &gone));
	assert_int_equal(book_floor(d.book), start + SECONDS);
	struct book_result r = add(&f, start + 10 * LATE);
	assert_int_equal(r.too_old, 1000);
	/* Back again: before the floor all counts above it, after it in time. */
	r = add(&f, start + 100);
	assert_int_equal(r.booked, 1000);
	book_heard(d.book, d.router, start + 101);
	book_gap(d.book, d.router, start + 101);
	f = flow(start + SECONDS + 5, 300);
	f.first_ms = (start + SECONDS - 5) * 1000;
	r = add(&f, start + SECONDS + 10);
	assert_int_equal(r.too_old, 150);
	assert_int_equal(r.booked, 150);
	assert_int_equal(book_count(d.book), 1);
	assert_int_equal(due(0, start + 2 * SECONDS + GRACE, &p), ERR_OK);
	assert_int_equal(p.bin.start, start + SECONDS);
	assert_int_equal(row(&p, "x")->out_bytes, 1150);
	accounting_bin_done(&p.bin);
}

static void a_clock_that_was_put_back_watches_and_closes_on(void **state)
{
	(void)state;
	struct book_page p;
	struct booking f = flow(start + 10, 1000);
	const int64_t wrong = start + SECONDS + LATE - 100;
	watch(start, start + 10);
	(void)add(&f, start + 10);
	assert_int_equal(due(0, wrong, &p), ERR_OK);
	book_closed(d.book, &p, wrong);
	accounting_bin_done(&p.bin);
	book_heard(d.book, d.router, wrong);
	(void)add(&f, wrong); /* changed in a future that does not come */
	watch(start + 11, start + SECONDS);
	assert_int_equal(due(0, start + SECONDS + GRACE, &p), ERR_OK);
	assert_int_equal(p.bin.start, start);
	assert_int_equal(row(&p, "x")->out_bytes, 2000);
	assert_int_equal(row(&p, "x")->observed_seconds, SECONDS - 1);
	accounting_bin_done(&p.bin);
}

/* Random flows against a model that counts each millisecond's share in each bin by itself. */
static void random_flows_fall_into_the_bins_they_cover(void **state)
{
	(void)state;
	enum { BINS = 3 };
	const int64_t now = start + BINS * SECONDS;
	uint64_t wanted[BINS] = { 0 }, packets[BINS] = { 0 }, seed = 11;
	for (unsigned i = 0; i < 2000; i++) {
		struct booking f = flow(start, random_next(&seed) >> 24);
		const uint32_t span = random_below(&seed, 5) == 0 ? 1 : BINS * SECONDS * 1000;
		f.packets = 1 + random_below(&seed, 1000);
		f.first_ms += random_below(&seed, BINS * SECONDS * 1000);
		f.last_ms = f.first_ms + random_below(&seed, span);
		if (f.last_ms >= now * 1000)
			f.last_ms = now * 1000 - 1;
		uint64_t before = 0, packets_before = 0;
		for (unsigned k = 0; k < BINS; k++) {
			const int64_t end = (start + (k + 1) * SECONDS) * 1000;
			const int64_t length = f.last_ms - f.first_ms;
			int64_t covered = end - f.first_ms;
			if (covered <= 0)
				continue;
			if (covered > length)
				covered = length;
			const uint64_t part =
				length == 0 ? f.bytes
					    : (uint64_t)((prorate_wide)f.bytes * (uint64_t)covered /
			                                 (uint64_t)length);
			const uint64_t packets_part =
				length == 0 ? f.packets
					    : f.packets * (uint64_t)covered / (uint64_t)length;
			wanted[k] += part - before;
			packets[k] += packets_part - packets_before;
			before = part;
			packets_before = packets_part;
		}
		assert_int_equal(before, f.bytes);
		const struct book_result r = add(&f, now);
		assert_int_equal(r.booked, f.bytes);
		assert_int_equal(r.too_old + r.full, 0);
	}
	for (unsigned k = 0; k < BINS; k++) {
		struct book_page p;
		assert_int_equal(due(start + k * SECONDS, now + GRACE, &p), ERR_OK);
		assert_int_equal(p.bin.start, start + k * SECONDS);
		assert_int_equal(p.bin.rows[0].out_bytes, wanted[k]);
		assert_int_equal(p.bin.rows[0].out_packets, packets[k]);
		accounting_bin_done(&p.bin);
	}
}

static void an_exporter_has_watched_since_its_last_datagram(void **state)
{
	(void)state;
	struct book_page p;
	book_heard(d.book, d.router, start + 10);
	book_heard(d.book, d.router, start + 10);
	book_heard(d.book, d.router, start + 10 + BOOK_SILENCE);     /* 1 + 120 */
	book_heard(d.book, d.router, start + 12 + 2 * BOOK_SILENCE); /* too long a silence: 1 */
	book_heard(d.book, d.router, start + SECONDS + 20);          /* until the end: 300 - 253 */
	assert_int_equal(due(0, start + SECONDS + GRACE, &p), ERR_OK);
	assert_int_equal(p.bin.rows[0].observed_seconds, 1 + 120 + 1 + 47);
	assert_int_equal(p.bin.rows[0].quality, BIN_PARTIAL);
	accounting_bin_done(&p.bin);
	assert_int_equal(due(start + 1, start + 3 * SECONDS, &p), ERR_OK);
	assert_int_equal(p.bin.rows[0].observed_seconds, 21);
	accounting_bin_done(&p.bin);
	assert_int_equal(book_count(d.book), 2);
}

static void lost_exports_mark_the_bin(void **state)
{
	(void)state;
	struct book_page p;
	watch(start, start + 2 * SECONDS);
	book_gap(d.book, d.router, start + 7);
	assert_int_equal(due(0, start + SECONDS + GRACE, &p), ERR_OK);
	assert_int_equal(row(&p, "x")->quality, BIN_GAPS);
	accounting_bin_done(&p.bin);
	assert_int_equal(due(start + 1, start + 3 * SECONDS, &p), ERR_OK);
	assert_int_equal(row(&p, "x")->quality, 0);
	accounting_bin_done(&p.bin);
}

static void a_full_bin_says_so(void **state)
{
	(void)state;
	struct booking f = flow(start, 1);
	for (uint32_t i = 0; i < BOOK_CELLS_MAX; i++) {
		f.in_if = i + 1;
		assert_int_equal(add(&f, start).booked, 1);
	}
	f.in_if++;
	const struct book_result r = add(&f, start);
	assert_int_equal(r.booked, 0);
	assert_int_equal(r.full, 1);
	f.in_if--;
	assert_int_equal(add(&f, start).booked, 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_desk, close_desk)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_bin_closes_after_its_grace_and_says_what_crossed),
		TEST(a_late_flow_opens_the_bin_again),
		TEST(what_is_not_on_disk_stays_due),
		TEST(the_future_counts_now_and_the_past_not_at_all),
		TEST(what_was_forgotten_is_not_made_again),
		TEST(a_clock_that_was_put_back_watches_and_closes_on),
		TEST(random_flows_fall_into_the_bins_they_cover),
		TEST(an_exporter_has_watched_since_its_last_datagram),
		TEST(lost_exports_mark_the_bin),
		TEST(a_full_bin_says_so),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
