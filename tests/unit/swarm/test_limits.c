/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/swarm/people.h"
#include "tests/unit/swarm/walk.h"

#include "common/base/random.h"

static struct swarm_store *limited(uint32_t per_address, uint32_t per_prefix)
{
	struct swarm_store *s =
		swarm_store_new(&(struct swarm_options){ .shards = 4,
	                                                 .max_swarms = 1000,
	                                                 .max_peers = 100000,
	                                                 .max_per_address = per_address,
	                                                 .max_per_prefix = per_prefix,
	                                                 .secret = 5 });
	assert_non_null(s);
	return s;
}

static bool is_here(const struct swarm_visit *v, const struct swarm_peer *p)
{
	struct spot at;
	return crowd_find(v->swarm, &p->client, p->role, &at);
}

/* Peers that end one after the other, in an order of their own; the next to come ends last. */
static void the_oldest_goes_for_a_newcomer(void **state)
{
	(void)state;
	enum { FULL = 60 }; /* no more than are looked at */
	struct swarm_store *s = store_of(1, 10, FULL);
	for (uint32_t i = 0; i < FULL; i++) {
		struct swarm_visit v = enter(s, i % 3, true);
		struct swarm_peer p = peer_of(i, i % 3);
		p.expires = 65500 + (i * 37) % FULL; /* across the stamps' end */
		(void)put(&v, p, false);
		swarm_leave(&v);
	}
	for (uint32_t k = 0; k < FULL; k++) {
		const uint32_t leaves = (k * 13) % FULL; /* 37 * 13 is 1 modulo 60 */
		struct swarm_visit v = enter(s, 5, true);
		struct swarm_peer p = peer_of(1000 + k, SWARM_LEECHER);
		p.expires = 66000 + k;
		assert_true(put(&v, p, false).joined);
		assert_int_equal(v.evicted[SWARM_LIMIT_STORE], 1);
		assert_true(is_here(&v, &p));
		swarm_leave(&v);
		walk(s);
		assert_int_equal(s->peers, FULL);
		v = enter(s, leaves % 3, false);
		p = peer_of(leaves, leaves % 3);
		assert_false(v.swarm != NULL && is_here(&v, &p));
		swarm_leave(&v);
	}
	assert_int_equal(swarm_totals(s).swarms, 1); /* the others are empty, and forgotten */
	swarm_store_free(s);
}

/* Of many, the cursor makes sure that everybody is looked at in turn. */
static void the_cursor_comes_to_all(void **state)
{
	(void)state;
	enum { FULL = 3000 };
	struct swarm_store *s = store_of(1, 10, FULL);
	uint64_t seed = 1;
	for (uint32_t i = 0; i < FULL; i++) {
		struct swarm_visit v = enter(s, i % 2, true);
		struct swarm_peer p = peer_of(i, i % 3);
		p.client.addr = address((i % 5 == 0 ? 1ULL << 32 : 0) + i);
		p.expires = 1000 + random_below(&seed, 1000);
		(void)put(&v, p, false);
		swarm_leave(&v);
	}
	uint64_t ends = 0, left = 0;
	for (uint32_t i = 0; i < FULL / 2; i++) {
		struct swarm_visit v = enter(s, 7, true);
		struct swarm_peer p = peer_of(10000 + i, SWARM_SEED);
		p.expires = 4000;
		(void)put(&v, p, false);
		swarm_leave(&v);
	}
	walk(s);
	/* Half of the old ones have gone, and they were the older half, by and large. */
	for (uint32_t i = 0; i < 2; i++) {
		struct swarm_visit v = enter(s, i, false);
		for (unsigned f = 0; f < 2; f++) {
			const struct sequence *q = &v.swarm->of[f];
			for (struct spot at = { 0 }; !sequence_is_end(q, at);
			     at = sequence_next(q, at), left++)
				ends += sequence_record(q, at)->stamp;
		}
		swarm_leave(&v);
	}
	assert_in_range(left, FULL / 2, FULL * 6 / 10);
	assert_in_range(ends / left, 1680, 1760); /* all: 1500; the newer half: 1750 */
	swarm_store_free(s);
}

static void another_shard_gives_when_its_own_has_nobody(void **state)
{
	(void)state;
	enum { FULL = 8 };
	struct swarm_store *s = store_of(8, 100, FULL);
	for (uint32_t i = 0; i < FULL; i++) {
		struct swarm_visit v = enter(s, 1, true);
		(void)put(&v, peer_of(i, SWARM_SEED), false);
		swarm_leave(&v);
	}
	for (uint32_t i = 0; i < 40; i++) {
		struct swarm_visit v = enter(s, 100 + i, true);
		(void)put(&v, peer_of(i, SWARM_SEED), false);
		assert_int_equal(v.evicted[SWARM_LIMIT_STORE], 1);
		swarm_leave(&v);
		assert_int_equal(s->peers, FULL);
	}
	walk(s);
	swarm_store_free(s);
}

static void nobody_goes_for_one_who_is_here(void **state)
{
	(void)state;
	struct swarm_store *s = store_of(1, 10, 2);
	struct swarm_visit v = enter(s, 1, true);
	(void)put(&v, peer_of(1, SWARM_SEED), false);
	(void)put(&v, peer_of(2, SWARM_SEED), false);
	(void)put(&v, peer_of(2, SWARM_LEECHER), false);
	assert_int_equal(v.evicted[SWARM_LIMIT_STORE], 0);
	assert_true(remove_number(&v, 1));
	(void)put(&v, peer_of(3, SWARM_SEED), false);
	assert_int_equal(v.evicted[SWARM_LIMIT_STORE], 0);
	swarm_leave(&v);
	walk(s);
	swarm_store_free(s);
}

static void a_new_swarm_takes_the_place_of_the_oldest_small_one(void **state)
{
	(void)state;
	enum { FULL = 30 };
	struct swarm_store *s = store_of(1, FULL, 1000);
	for (uint32_t w = 0; w < FULL; w++) {
		struct swarm_visit v = enter(s, w, true);
		/* The last third is large, and older than all others. */
		for (uint32_t i = 0; i < (w < 20 ? 2 : 9); i++) {
			struct swarm_peer p = peer_of(i, SWARM_SEED);
			p.expires = w < 20 ? 1000 + w * 7 % 20 - (i == 0 ? 100 : 0) : 10;
			(void)put(&v, p, false);
		}
		swarm_leave(&v);
	}
	for (uint32_t k = 0; k < 20; k++) {
		const uint32_t leaves = k * 3 % 20; /* 7 * 3 is 1 modulo 20 */
		struct swarm_visit v = enter(s, 1000 + k, true);
		assert_int_equal(v.evicted[SWARM_LIMIT_STORE], 2);
		struct swarm_peer p = peer_of(1, SWARM_SEED);
		p.expires = 5000;
		(void)put(&v, p, false);
		swarm_leave(&v);
		walk(s);
		v = enter(s, leaves, false);
		assert_null(v.swarm);
		swarm_leave(&v);
	}
	for (uint32_t w = 20; w < FULL; w++) {
		struct swarm_visit v = enter(s, w, false);
		assert_int_equal(swarm_counts(&v).complete, 9);
		swarm_leave(&v);
	}
	swarm_store_free(s);
}

static void a_remembered_swarm_goes_first(void **state)
{
	(void)state;
	enum { FULL = 10 };
	struct swarm_store *s = store_of(1, FULL, 100);
	for (uint32_t w = 0; w < FULL; w++) {
		struct swarm_visit v = enter(s, w, true);
		struct swarm_peer p = peer_of(1, SWARM_SEED);
		p.expires = 60000 + w;
		(void)put(&v, p, w == 3);
		if (w == 3)
			assert_true(swarm_remove(&v, &p.client, NULL));
		swarm_leave(&v);
	}
	struct swarm_visit v = enter(s, 100, true);
	assert_int_equal(v.evicted[SWARM_LIMIT_STORE], 0);
	swarm_leave(&v);
	v = enter(s, 3, false);
	assert_null(v.swarm);
	swarm_leave(&v);
	walk(s);
	assert_int_equal(s->peers, FULL - 1);
	swarm_store_free(s);
}

static void is_busy_when_no_swarm_is_small(void **state)
{
	(void)state;
	struct swarm_store *s = store_of(1, 2, 100);
	uint8_t hash[INFO_HASH_SIZE];
	struct swarm_visit v;
	for (uint32_t w = 0; w < 2; w++) {
		v = enter(s, w, true);
		for (uint32_t i = 0; i < 9; i++)
			(void)put(&v, peer_of(i, SWARM_SEED), false);
		swarm_leave(&v);
	}
	hash_of_number(2, hash);
	assert_int_equal(swarm_enter(s, hash, true, &v), ERR_BUSY);
	v = enter(s, 0, true); /* the lock was given back */
	swarm_leave(&v);
	walk(s);
	swarm_store_free(s);
}

/* Rows of one address or prefix, and where the limit is. */
static void the_limit_of_an_address_or_prefix(void **state)
{
	(void)state;
	static const struct {
		const char *what;
		uint64_t first, step; /* addresses */
		uint32_t per_address, per_prefix, fit;
	} rows[] = {
		{ "one address", 0x0a000001, 0, 5, 0, 5 },
		{ "many addresses", 0x0a000001, 1, 5, 0, 50 },
		{ "one /24", 0x0a000001, 1, 5, 7, 7 },
		{ "many /24", 0x0a000001, 256, 5, 7, 50 },
		{ "no limits", 0x0a000001, 0, 0, 0, 50 },
		{ "one /64", 1ULL << 32, 1, 5, 0, 5 }, /* address() puts it into the upper bytes */
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct swarm_store *s = limited(rows[i].per_address, rows[i].per_prefix);
		for (uint32_t k = 0; k < 50; k++) {
			struct swarm_visit v = enter(s, 1, true);
			struct swarm_peer p = peer_of(k, SWARM_SEED);
			p.client.addr = address(rows[i].first + k * rows[i].step);
			if (p.client.addr.family == IP_V6) { /* one /64, other hosts */
				memset(p.client.addr.bytes, 0x20, 8);
				p.client.addr.bytes[15] = (uint8_t)k;
			}
			p.client.port = (uint16_t)(1 + k);
			p.expires = 1000 + k;
			assert_true(put(&v, p, false).joined);
			const bool full = k >= rows[i].fit;
			if (v.evicted[SWARM_LIMIT_ADDRESS] + v.evicted[SWARM_LIMIT_PREFIX] != full)
				fail_msg("%s: peer %u", rows[i].what, k);
			assert_int_equal(v.evicted[SWARM_LIMIT_PREFIX],
			                 full && rows[i].per_prefix > 0);
			swarm_leave(&v);
		}
		assert_int_equal(s->peers, rows[i].fit);
		walk(s);
		/* The newest are here, and when all have gone the counts are at zero again. */
		struct swarm_visit v = enter(s, 1, false);
		const struct sequence *q = &v.swarm->of[i == 5];
		for (struct spot at = { 0 }; !sequence_is_end(q, at); at = sequence_next(q, at))
			assert_true(sequence_record(q, at)->stamp >= 1050 - rows[i].fit);
		swarm_leave(&v);
		assert_int_equal(sweep(s, 2000), rows[i].fit);
		for (uint32_t k = 0; s->crowds != NULL && k < 2U << 20; k++)
			assert_int_equal(s->crowds[k], 0);
		swarm_store_free(s);
	}
}

static void refuses_where_nobody_of_the_address_is(void **state)
{
	(void)state;
	struct swarm_store *s = limited(3, 0);
	struct swarm_visit v;
	struct swarm_change change;
	struct swarm_peer p = peer_of(0, SWARM_SEED);
	for (uint32_t w = 0; w < 3; w++) {
		v = enter(s, w, true);
		(void)put(&v, p, false);
		swarm_leave(&v);
	}
	v = enter(s, 7, true);
	assert_int_equal(swarm_put(&v, &p, false, &change), ERR_BUSY);
	(void)put(&v, peer_of(1, SWARM_SEED), false); /* another address */
	swarm_leave(&v);
	v = enter(s, 1, true);
	assert_false(put(&v, p, false).joined); /* it is here */
	assert_true(swarm_remove(&v, &p.client, NULL));
	swarm_leave(&v);
	v = enter(s, 7, true);
	(void)put(&v, p, false);
	swarm_leave(&v);
	walk(s);
	swarm_store_free(s);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(the_oldest_goes_for_a_newcomer),
	cmocka_unit_test(the_cursor_comes_to_all),
	cmocka_unit_test(another_shard_gives_when_its_own_has_nobody),
	cmocka_unit_test(nobody_goes_for_one_who_is_here),
	cmocka_unit_test(a_new_swarm_takes_the_place_of_the_oldest_small_one),
	cmocka_unit_test(a_remembered_swarm_goes_first),
	cmocka_unit_test(is_busy_when_no_swarm_is_small),
	cmocka_unit_test(the_limit_of_an_address_or_prefix),
	cmocka_unit_test(refuses_where_nobody_of_the_address_is),
};

RUN_TESTS(tests)
