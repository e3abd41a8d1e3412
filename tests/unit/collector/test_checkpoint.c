/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/base/random.h"
#include "server/collector/book.h"

#include <stdlib.h>
#include <string.h>

/* A book, and one of another process that reads what the first wrote down: names have other numbers there. */
enum { SECONDS = 300 };
static const int64_t start = 1800000000;

struct desk {
	struct names *edges, *exporters;
	struct book *book;
};

static uint32_t name(struct names *all, const char *key)
{
	uint32_t out;
	must(names_put(all, key, &out) == ERR_OK);
	return out;
}

static struct desk open_desk(void)
{
	struct desk d = { .edges = names_new(), .exporters = names_new() };
	d.book = book_new(&(struct book_options){ .bin_seconds = SECONDS,
	                                          .late_seconds = 3600,
	                                          .grace_seconds = 60,
	                                          .measures_p2p = true,
	                                          .edges = d.edges,
	                                          .exporters = d.exporters });
	assert_non_null(d.book);
	return d;
}

static void close_desk(struct desk *d)
{
	book_free(d->book);
	names_free(d->edges);
	names_free(d->exporters);
}

static const char *const edges[] = { "isp-a/x", "isp-a/y", "isp-b/x", "isp-b/unused" };
static const char *const routers[] = { "192.0.2.1", "2001:db8::1", "192.0.2.3" };

static void fill(struct desk *d, uint64_t seed)
{
	for (unsigned i = 0; i < 4; i++)
		(void)name(d->edges, edges[i]);
	for (unsigned i = 0; i < 500; i++) {
		const struct booking f = {
			.exporter = name(d->exporters, routers[random_below(&seed, 3)]),
			.out = random_below(&seed, 2)
			               ? name(d->edges, edges[random_below(&seed, 3)])
			               : 0,
			.in = name(d->edges, edges[random_below(&seed, 3)]),
			.in_if = random_below(&seed, 4),
			.out_if = random_below(&seed, 4),
			.egress = random_below(&seed, 2),
			.sampled = random_below(&seed, 50) == 0,
			.p2p = random_below(&seed, 2) ? BOOKING_P2P : BOOKING_P2P_NOT,
			.bytes = random_next(&seed) >> 20,
			.packets = 1 + random_below(&seed, 99),
			.first_ms = start * 1000 + random_below(&seed, SECONDS * 1000),
			.last_ms = start * 1000 + random_below(&seed, SECONDS * 1000),
		};
		(void)book_add(d->book, &f, (start + SECONDS) * 1000);
	}
	for (int64_t t = start; t < start + 200; t++)
		book_heard(d->book, name(d->exporters, routers[1]), t);
	book_gap(d->book, name(d->exporters, routers[1]), start + 9);
}

/* All that the bin of `start` comes to, as bytes that can be compared. */
static void describe(struct desk *d, struct text *out)
{
	const struct book_port ports[] = { { .exporter = name(d->exporters, routers[1]),
		                             .edge = name(d->edges, edges[3]) } };
	const struct book_ports list = { .list = ports, .n = 1 };
	struct book_page p;
	assert_int_equal(book_due(d->book, start, start, true, &list, &p), ERR_OK);
	assert_int_equal(p.bin.start, start);
	for (size_t i = 0; i < 4; i++)
		for (size_t k = 0; k < p.bin.n_rows; k++) {
			const struct accounting_row *r = &p.bin.rows[k];
			char key[140];
			(void)snprintf(key, sizeof(key), "%s/%s", r->provider, r->interconnect);
			if (strcmp(key, edges[i]) != 0)
				continue;
			text_printf(out, "%s %llu %llu %llu %llu %llu %llu %u %u %d %d\n", key,
			            (unsigned long long)r->out_bytes,
			            (unsigned long long)r->in_bytes,
			            (unsigned long long)r->out_packets,
			            (unsigned long long)r->in_packets,
			            (unsigned long long)r->out_p2p_bytes,
			            (unsigned long long)r->in_p2p_bytes, r->observed_seconds,
			            r->quality, r->measured_packets, r->measured_p2p);
		}
	accounting_bin_done(&p.bin);
}

static void save(struct desk *d, struct text *out)
{
	int64_t at;
	while (book_save(d->book, start, out, &at) && at != start) {
		text_done(out);
		*out = (struct text){ 0 };
	}
	assert_int_equal(at, start);
}

static void a_bin_comes_back_as_it_was(void **state)
{
	(void)state;
	struct desk a = open_desk(), b = open_desk();
	struct text saved = { 0 }, before = { 0 }, after = { 0 };
	int64_t at;
	(void)name(b.edges, "isp-z/else"); /* so that numbers differ */
	(void)name(b.exporters, "203.0.113.9");
	fill(&a, 5);
	describe(&a, &before);
	save(&a, &saved);
	assert_int_equal(book_load(b.book, saved.bytes, saved.size), ERR_OK);
	describe(&b, &after);
	assert_string_equal(after.bytes, before.bytes);
	assert_true(strlen(before.bytes) > 100);

	/* It goes on from there, and is the same bin. */
	assert_int_equal(book_load(b.book, saved.bytes, saved.size), ERR_EXISTS);
	assert_false(book_save(b.book, 0, &after, &at)); /* nothing has changed */
	text_done(&after);
	text_done(&before);
	before = after = (struct text){ 0 };
	fill(&a, 6);
	fill(&b, 6);
	describe(&a, &before);
	describe(&b, &after);
	/* Which seconds were watched is not written down: the second process watched them again. */
	const char *x = strstr(after.bytes, "isp-a/x"), *y = strstr(before.bytes, "isp-a/x");
	assert_memory_equal(x, y, 40);
	text_done(&after);
	text_done(&before);
	text_done(&saved);
	close_desk(&a);
	close_desk(&b);
}

static void what_did_not_reach_the_disk_is_given_again(void **state)
{
	(void)state;
	struct desk a = open_desk();
	struct text t = { 0 };
	int64_t at;
	fill(&a, 5);
	assert_true(book_save(a.book, 0, &t, &at));
	assert_false(book_save(a.book, 0, &t, &at));
	book_unsaved(a.book, start);
	assert_true(book_save(a.book, 0, &t, &at));
	assert_int_equal(at, start);
	text_done(&t);
	close_desk(&a);
}

/* Killed and started again within a second, or after the clock was put back. */
static void seconds_watched_by_two_processes_fit_into_the_bin(void **state)
{
	(void)state;
	struct desk d[3] = { open_desk(), open_desk(), open_desk() };
	struct text saved = { 0 };
	struct book_page p;
	int64_t at;
	for (unsigned i = 0; i < 3; i++) {
		const uint32_t router = name(d[i].exporters, routers[0]);
		const struct book_port port = { .exporter = router,
			                        .edge = name(d[i].edges, edges[0]) };
		const struct book_ports ports = { .list = &port, .n = 1 };
		if (i > 0)
			assert_int_equal(book_load(d[i].book, saved.bytes, saved.size), ERR_OK);
		for (int64_t t = i > 0 ? start + SECONDS - 1 : start; t < start + SECONDS; t++)
			book_heard(d[i].book, router, t);
		assert_int_equal(book_due(d[i].book, 0, start, true, &ports, &p), ERR_OK);
		assert_int_equal(p.bin.n_rows, 1);
		assert_int_equal(p.bin.rows[0].observed_seconds, SECONDS);
		accounting_bin_done(&p.bin);
		text_done(&saved);
		saved = (struct text){ 0 };
		(void)book_save(d[i].book, start, &saved, &at);
	}
	text_done(&saved);
	for (unsigned i = 0; i < 3; i++)
		close_desk(&d[i]);
}

static void refuses_every_shorter_file(void **state)
{
	(void)state;
	struct desk a = open_desk();
	struct text saved = { 0 };
	fill(&a, 5);
	save(&a, &saved);
	for (size_t i = 0; i < saved.size; i++) {
		struct desk b = open_desk();
		assert_int_not_equal(book_load(b.book, saved.bytes, i), ERR_OK);
		assert_int_equal(book_count(b.book), 0);
		close_desk(&b);
	}
	text_add(&saved, "", 1);
	struct desk b = open_desk();
	assert_int_equal(book_load(b.book, saved.bytes, saved.size), ERR_MALFORMED);
	close_desk(&b);
	text_done(&saved);
	close_desk(&a);
}

static void refuses_what_no_bin_of_ours_says(void **state)
{
	(void)state;
	struct desk a = open_desk();
	struct text saved = { 0 };
	fill(&a, 5);
	save(&a, &saved);
	/* magic, start, seconds, flags, and the first name's slash and size */
	static const size_t at[] = { 0, 8, 15, 16, 20, 25, 25 + 1 + 5 };
	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		struct desk b = open_desk();
		saved.bytes[at[i]] = (char)(saved.bytes[at[i]] ^ 0x84);
		assert_int_not_equal(book_load(b.book, saved.bytes, saved.size), ERR_OK);
		saved.bytes[at[i]] = (char)(saved.bytes[at[i]] ^ 0x84);
		close_desk(&b);
	}
	text_done(&saved);
	close_desk(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bin_comes_back_as_it_was),
		cmocka_unit_test(what_did_not_reach_the_disk_is_given_again),
		cmocka_unit_test(seconds_watched_by_two_processes_fit_into_the_bin),
		cmocka_unit_test(refuses_every_shorter_file),
		cmocka_unit_test(refuses_what_no_bin_of_ours_says),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
