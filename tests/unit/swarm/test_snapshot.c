/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/swarm/people.h"
#include "tests/unit/swarm/walk.h"

#include "common/base/random.h"

#include <string.h>

enum { SWARMS = 40, PEOPLE = 60 };

static const uint8_t ids[PEOPLE][PEER_ID_SIZE] = { [3] = "three", [30] = "thirty" };

static struct swarm_peer somebody(uint32_t swarm, uint32_t n)
{
	uint64_t seed = swarm * 1000 + n;
	struct swarm_peer p = peer_of(n, random_below(&seed, 3));
	p.client.addr = address(random_below(&seed, 3) == 0 ? 1ULL << 32 | n : n + 1);
	p.client.port = (uint16_t)random_below(&seed, 5);
	p.client.place = random_below(&seed, 9);
	p.client.keyed = n % 2;
	p.expires = 1000 + n;
	p.peer_id = n % 3 == 0 ? ids[n] : NULL;
	return p;
}

static struct swarm_store *filled(void)
{
	struct swarm_store *s = store_of(4, 1000, 10000);
	for (uint32_t w = 0; w < SWARMS; w++) {
		struct swarm_visit v = enter(s, w, true);
		v.swarm->map_number = 3;
		for (uint32_t i = 0; i < PEOPLE; i++)
			(void)put(&v, somebody(w, i), i % 7 == 0);
		if (w == 0)
			for (uint32_t i = 0; i < PEOPLE; i++) {
				const struct swarm_peer p = somebody(w, i);
				assert_true(swarm_remove(&v, &p.client, NULL));
			}
		swarm_leave(&v);
	}
	return s;
}

static struct text exported(struct swarm_store *s, uint32_t now)
{
	struct text t = { 0 };
	for (unsigned i = 0; i < s->options.shards; i++)
		swarm_export(s, i, now, &t);
	assert_false(t.bad);
	return t;
}

static enum err import_all(struct swarm_store *s, const void *bytes, size_t size, uint32_t now,
                           uint64_t elapsed)
{
	struct reader r = reader_over(bytes, size);
	enum err e = ERR_OK;
	while (e == ERR_OK && reader_left(&r) > 0)
		e = swarm_import(s, &r, now, elapsed);
	return e;
}

/* Saved at 900, read at 5000 of another clock, after ten seconds. */
static void compare_peer(const struct swarm_visit *old, const struct swarm_visit *new,
                         struct swarm_peer p)
{
	struct spot was, at;
	const bool wide = is_wide(p.client.addr.family);
	assert_true(crowd_find(old->swarm, &p.client, p.role, &was));
	p.client.place = 0;
	assert_true(crowd_find(new->swarm, &p.client, p.role, &at));
	const struct record *a = sequence_record(&old->swarm->of[wide], was);
	const struct record *b = sequence_record(&new->swarm->of[wide], at);
	assert_memory_equal(a->endpoint, b->endpoint, endpoint_size(wide));
	assert_int_equal(a->key & FLAGS, b->key & FLAGS);
	assert_int_equal(record_role(a), record_role(b));
	assert_true(key_identity(a->key) == key_identity(b->key));
	assert_int_equal((uint16_t)(a->stamp + 5000 - 900 - 10), b->stamp);
	if (p.peer_id == NULL)
		return;
	const uint64_t hash = store_id_hash(new->store, new->swarm, wide, b);
	assert_memory_equal(peer_ids_find(&new->shard->ids, hash), p.peer_id, PEER_ID_SIZE);
}

static void brings_back_what_it_saved(void **state)
{
	(void)state;
	struct swarm_store *a = filled(), *b = store_of(2, 1000, 10000);
	struct text t = exported(a, 900);
	assert_int_equal(import_all(b, t.bytes, t.size, 5000, 10), ERR_OK);
	walk(b);
	const struct swarm_totals x = swarm_totals(a), y = swarm_totals(b);
	assert_int_equal(x.swarms, y.swarms);
	assert_int_equal(x.seeds, y.seeds);
	assert_int_equal(x.leechers, y.leechers);
	assert_int_equal(x.partial, y.partial);
	assert_int_equal(x.peers_v6, y.peers_v6);
	for (uint32_t w = 0; w < SWARMS; w++) {
		struct swarm_visit v = enter(a, w, false), u = enter(b, w, false);
		const struct swarm_counts c = swarm_counts(&v), d = swarm_counts(&u);
		assert_memory_equal(&c, &d, sizeof(c));
		assert_int_equal(swarm_map_number(&u), 0);
		for (uint32_t i = 0; w > 0 && i < PEOPLE; i++)
			compare_peer(&v, &u, somebody(w, i));
		swarm_leave(&v);
		swarm_leave(&u);
	}
	text_done(&t);
	swarm_store_free(a);
	swarm_store_free(b);
}

static void keeps_what_came_before_the_end_of_a_cut_file(void **state)
{
	(void)state;
	struct swarm_store *a = store_of(1, 1000, 10000);
	for (uint32_t w = 0; w < 3; w++) {
		struct swarm_visit v = enter(a, w, true);
		for (uint32_t i = 0; i < 5; i++)
			(void)put(&v, somebody(w, i), true);
		swarm_leave(&v);
	}
	struct text t = exported(a, 900);
	size_t kept = 0;
	for (size_t size = 0; size < t.size; size++) {
		struct swarm_store *b = store_of(1, 1000, 10000);
		uint8_t *exact = malloc(size + 1);
		assert_non_null(exact);
		memcpy(exact, t.bytes, size);
		struct reader r = reader_over(exact, size);
		assert_int_equal(swarm_import(b, &r, 900, 0), ERR_TRUNCATED);
		walk(b);
		assert_true(b->peers >= kept);
		kept = b->peers;
		free(exact);
		swarm_store_free(b);
	}
	assert_int_equal(kept, 14);
	text_done(&t);
	swarm_store_free(a);
}

static void refuses_what_it_did_not_write(void **state)
{
	(void)state;
	enum { AT = 12 + 28 }; /* the peer */
	static const struct {
		size_t at;
		uint8_t value;
	} rows[] = { { 0, 'p' },
		     { 7, 1 },
		     { AT, 3 },
		     { AT, 32 },
		     { AT + 9, 0x7e } /* more seconds than anybody lives */ };
	struct swarm_store *a = store_of(1, 10, 10);
	struct swarm_visit v = enter(a, 1, true);
	struct swarm_peer p = peer_of(1, SWARM_SEED);
	(void)put(&v, p, false);
	swarm_leave(&v);
	struct text t = exported(a, 900);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char was = t.bytes[rows[i].at];
		t.bytes[rows[i].at] = (char)rows[i].value;
		struct swarm_store *b = store_of(1, 10, 10);
		assert_int_equal(import_all(b, t.bytes, t.size, 900, 0), ERR_MALFORMED);
		assert_int_equal(swarm_totals(b).swarms, 0);
		swarm_store_free(b);
		t.bytes[rows[i].at] = was;
	}
	struct swarm_store *small = store_of(1, 10, 0);
	assert_int_equal(import_all(small, t.bytes, t.size, 900, 0), ERR_OK);
	assert_int_equal(swarm_totals(small).swarms, 0); /* there is no room for its peer */
	swarm_store_free(small);
	text_done(&t);
	swarm_store_free(a);
}

static void refuses_a_mapped_address_as_ipv6(void **state)
{
	(void)state;
	struct swarm_store *a = store_of(1, 10, 10);
	struct swarm_visit v = enter(a, 1, true);
	struct swarm_peer p = peer_of(1, SWARM_SEED);
	p.client.addr = address(1ULL << 32);
	(void)put(&v, p, false);
	swarm_leave(&v);
	struct text t = exported(a, 900);
	memcpy(t.bytes + t.size - 18, "\0\0\0\0\0\0\0\0\0\0\xff\xff\1\2\3\4", 16);
	assert_int_equal(import_all(a, t.bytes, t.size, 900, 0), ERR_MALFORMED);
	text_done(&t);
	swarm_store_free(a);
}

static void leaves_out_whose_time_ran_out(void **state)
{
	(void)state;
	static const uint64_t elapsed[] = { 100, 100 + PEOPLE / 2, 99 + PEOPLE, 40000, 1ULL << 40 };
	static const uint32_t left[] = { PEOPLE, PEOPLE - PEOPLE / 2, 1, 0, 0 };
	struct swarm_store *a = store_of(1, 10, 100);
	struct swarm_visit v = enter(a, 1, true);
	for (uint32_t i = 0; i < PEOPLE; i++)
		(void)put(&v, somebody(1, i), false);
	swarm_leave(&v);
	struct text t = exported(a, 900);
	for (size_t i = 0; i < sizeof(left) / sizeof(*left); i++) {
		struct swarm_store *b = store_of(1, 10, 100);
		assert_int_equal(import_all(b, t.bytes, t.size, 5000, elapsed[i]), ERR_OK);
		assert_int_equal(b->peers, left[i]);
		walk(b);
		assert_int_equal(sweep(b, 5000), 0);
		swarm_store_free(b);
	}
	text_done(&t);
	swarm_store_free(a);
}

static void leaves_a_swarm_alone_that_has_peers(void **state)
{
	(void)state;
	struct swarm_store *s = filled();
	struct text t = exported(s, 900);
	const struct swarm_totals before = swarm_totals(s);
	assert_int_equal(import_all(s, t.bytes, t.size, 900, 0), ERR_OK);
	const struct swarm_totals after = swarm_totals(s);
	assert_memory_equal(&before, &after, sizeof(before));
	struct swarm_visit v = enter(s, 1, false);
	assert_int_equal(swarm_map_number(&v), 3);
	swarm_leave(&v);
	walk(s);
	text_done(&t);
	swarm_store_free(s);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(brings_back_what_it_saved),
	cmocka_unit_test(keeps_what_came_before_the_end_of_a_cut_file),
	cmocka_unit_test(refuses_what_it_did_not_write),
	cmocka_unit_test(refuses_a_mapped_address_as_ipv6),
	cmocka_unit_test(leaves_out_whose_time_ran_out),
	cmocka_unit_test(leaves_a_swarm_alone_that_has_peers),
};

RUN_TESTS(tests)
