/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/base/random.h"
#include "common/bridge/bridge.h"

#include <stdlib.h>
#include <string.h>

enum { SHARD = 1, SHARDS = 2, BOOKS = 40, NOW = 100007, LIVES = 2000 };

static struct bridge_page page_of(struct bridge_store *s, unsigned book, uint32_t now)
{
	return (struct bridge_page){ .store = s,
		                     .shard = SHARD,
		                     .swarm = random_mix(book / 3 + 1),
		                     .provider = book % 3,
		                     .now = now };
}

/* What an entry has at NOW, rounded up to a tick. */
static uint32_t left_of(unsigned k)
{
	const uint32_t end = NOW + k * LIVES / BRIDGE_EDGES_MAX;
	return (end + 15) / 16 * 16 - NOW;
}

/* Entry k of a book: all of it follows from the two numbers. */
static struct bridge_edge edge_of(unsigned book, unsigned k, uint32_t now)
{
	struct bridge_edge e = { .near = book & BRIDGE_NEAR,
		                 .far = k + 1,
		                 .far_place = ((1U << 20) - 1 - k) & 0xfffff,
		                 .wide = k & 1,
		                 .pulls = k >> 1 & 1,
		                 .far_seed = k >> 2 & 1,
		                 .asked = k >> 3 & 1 };
	bridge_last(&e, now + left_of(k));
	return e;
}

static unsigned entries_of(unsigned book)
{
	return book * 7 % (BRIDGE_EDGES_MAX + 1);
}

/* Books begin a second apart from each other. */
static struct bridge_store *filled(void)
{
	struct bridge_store *s = bridge_store_new(SHARDS, 1 << 24);
	assert_non_null(s);
	for (unsigned book = 0; book < BOOKS; book++) {
		struct bridge_page page = page_of(s, book, NOW - BOOKS + book);
		struct bridge_book *b = bridge_open(&page);
		assert_non_null(b);
		for (unsigned k = 0; k < entries_of(book); k++) {
			const struct bridge_edge e = edge_of(book, k, NOW);
			assert_true(bridge_add(&page, &b, &e));
		}
	}
	return s;
}

static struct text exported(const struct bridge_store *s, uint32_t now)
{
	struct text t = { 0 };
	bridge_export(s, SHARD, now, &t);
	assert_false(t.bad);
	return t;
}

static struct bridge_store *imported(const struct text *t, uint32_t now, uint64_t elapsed)
{
	struct bridge_store *s = bridge_store_new(SHARDS, 1 << 24);
	struct reader r = reader_over(t->bytes, t->size);
	assert_non_null(s);
	assert_int_equal(bridge_import(s, SHARD, &r, now, elapsed), ERR_OK);
	assert_int_equal(reader_left(&r), 0);
	return s;
}

static void check_edge(const struct bridge_edge *is, const struct bridge_edge *wanted)
{
	assert_int_equal(is->near, wanted->near);
	assert_int_equal(is->far_place, wanted->far_place);
	assert_int_equal(is->wide, wanted->wide);
	assert_int_equal(is->pulls, wanted->pulls);
	assert_int_equal(is->far_seed, wanted->far_seed);
	assert_int_equal(is->asked, wanted->asked);
	assert_int_equal(is->ends, wanted->ends);
}

/* What is left of a book `elapsed` seconds after NOW, when the clock says `now`. */
static void check_book(struct bridge_store *s, unsigned book, uint32_t now, unsigned elapsed)
{
	const struct bridge_page page = page_of(s, book, now);
	const struct bridge_book *b = bridge_find(&page);
	unsigned n = 0;
	assert_non_null(b);
	assert_int_equal(now - b->born, BOOKS - book + elapsed);
	for (unsigned k = 0; k < entries_of(book); k++) {
		struct bridge_edge e = edge_of(book, k, now - elapsed);
		if (left_of(k) < elapsed)
			continue;
		unsigned i = 0;
		while (i < b->n && b->edges[i].far != e.far)
			i++;
		assert_true(i < b->n);
		check_edge(&b->edges[i], &e);
		n++;
	}
	assert_int_equal(b->n, n);
}

/* The clock of a new process starts anywhere. */
static void comes_back_as_it_was_with_the_time_down_over(void **state)
{
	(void)state;
	static const unsigned down[] = { 0, 1, 700, LIVES + 1 };
	struct bridge_store *before = filled();
	struct text t = exported(before, NOW);
	for (unsigned i = 0; i < sizeof(down) / sizeof(down[0]); i++) {
		const uint32_t now = 50 + i;
		struct bridge_store *s = imported(&t, now, down[i]);
		for (unsigned book = 0; book < BOOKS; book++)
			check_book(s, book, now, down[i]);
		assert_int_equal(bridge_totals(s).books, BOOKS);
		bridge_store_free(s);
	}
	text_done(&t);
	bridge_store_free(before);
}

static void leaves_out_what_has_ended(void **state)
{
	(void)state;
	struct bridge_store *before = filled();
	/* Longer than an entry's 16 bits tell, then an hour in which nobody came. */
	static const uint32_t later[] = { 70000, LIVES + BRIDGE_IDLE_SECONDS + 1 };
	for (unsigned i = 0; i < 2; i++) {
		struct text t = exported(before, NOW + later[i]);
		struct bridge_store *s = imported(&t, 1, 0);
		assert_int_equal(bridge_totals(s).books, 0);
		bridge_store_free(s);
		text_done(&t);
	}
	bridge_store_free(before);
}

static void keeps_a_book_that_is_there_already(void **state)
{
	(void)state;
	struct bridge_store *s = filled();
	const uint64_t entries = bridge_totals(s).entries;
	struct text t = exported(s, NOW);
	struct reader r = reader_over(t.bytes, t.size);
	assert_int_equal(bridge_import(s, SHARD, &r, NOW, 0), ERR_OK);
	assert_int_equal(bridge_totals(s).books, BOOKS);
	assert_int_equal(bridge_totals(s).entries, entries);
	text_done(&t);
	bridge_store_free(s);
}

static void a_full_store_takes_what_fits(void **state)
{
	(void)state;
	struct bridge_store *before = filled(), *s = bridge_store_new(SHARDS, 20000);
	struct text t = exported(before, NOW);
	struct reader r = reader_over(t.bytes, t.size);
	assert_non_null(s);
	assert_int_equal(bridge_import(s, SHARD, &r, NOW, 0), ERR_OK);
	assert_int_equal(reader_left(&r), 0);
	assert_in_range(bridge_totals(s).entries, 100, 20000 / 12);
	text_done(&t);
	bridge_store_free(s);
	bridge_store_free(before);
}

static void refuses_what_is_cut_or_of_another_format(void **state)
{
	(void)state;
	struct bridge_store *before = filled();
	struct text t = exported(before, NOW);
	for (size_t cut = 0; cut < t.size; cut += cut < 200 ? 1 : 97) {
		struct bridge_store *s = bridge_store_new(SHARDS, 1 << 24);
		struct reader r = reader_over(t.bytes, cut);
		assert_non_null(s);
		assert_int_equal(bridge_import(s, SHARD, &r, NOW, 0), ERR_TRUNCATED);
		bridge_store_free(s);
	}
	/* Its name, and its version. */
	static const size_t wrong[] = { 0, 7 };
	for (unsigned i = 0; i < 2; i++) {
		struct bridge_store *s = bridge_store_new(SHARDS, 1 << 24);
		struct reader r = reader_over(t.bytes, t.size);
		t.bytes[wrong[i]] ^= 1;
		assert_int_equal(bridge_import(s, SHARD, &r, NOW, 0), ERR_MALFORMED);
		t.bytes[wrong[i]] ^= 1;
		bridge_store_free(s);
	}
	text_done(&t);
	bridge_store_free(before);
}

/* Swarm and provider had a number each, and more seconds could be left than ticks tell. */
static void takes_what_version_1_wrote(void **state)
{
	(void)state;
	uint8_t bytes[48];
	struct writer w = writer_over(bytes, sizeof(bytes));
	writer_u32(&w, 0x50344252);
	writer_u32(&w, 1);
	writer_u32(&w, 1); /* books */
	const struct bridge_page page = { .swarm = random_mix(1), .provider = random_mix(2) };
	writer_u64(&w, page.swarm);
	writer_u64(&w, page.provider);
	writer_u32(&w, 30); /* seconds old */
	writer_u16(&w, 1);
	writer_u32(&w, 0xffffffff); /* near */
	writer_u32(&w, 0xfffffffe);
	writer_u32(&w, 8 << 20 | 77);
	writer_u16(&w, INT16_MAX);
	const struct text t = { .bytes = (char *)bytes, .size = writer_size(&w) };
	struct bridge_store *s = imported(&t, 1000, 0);
	struct bridge_page at = page;
	at.store = s;
	at.shard = SHARD;
	at.now = 1000;
	const struct bridge_book *b = bridge_find(&at);
	assert_non_null(b);
	assert_int_equal(b->born, 970);
	assert_int_equal(b->n, 1);
	assert_int_equal(bridge_next(b, 0, 0xffffffff), 0);
	assert_int_equal(b->edges[0].far, 0xfffffffe);
	assert_int_equal(b->edges[0].far_place, 77);
	assert_true(b->edges[0].asked);
	at.now += BRIDGE_ENDS_MAX;
	assert_int_equal(bridge_find(&at)->n, 1);
	bridge_store_free(s);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(takes_what_version_1_wrote),
	cmocka_unit_test(comes_back_as_it_was_with_the_time_down_over),
	cmocka_unit_test(leaves_out_what_has_ended),
	cmocka_unit_test(keeps_a_book_that_is_there_already),
	cmocka_unit_test(a_full_store_takes_what_fits),
	cmocka_unit_test(refuses_what_is_cut_or_of_another_format),
};

RUN_TESTS(tests)
