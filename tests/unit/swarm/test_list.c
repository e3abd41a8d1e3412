/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/swarm/people.h"

#include "common/base/random.h"

enum { SWARMS = 5000 };

static void hash_of(unsigned i, uint8_t out[static INFO_HASH_SIZE])
{
	const uint64_t h = random_mix(i + 1);
	memset(out, 0, INFO_HASH_SIZE);
	memcpy(out, &h, sizeof(h));
	out[INFO_HASH_SIZE - 1] = (uint8_t)i;
}

static void join(struct swarm_store *s, unsigned i, enum swarm_role role, bool completed)
{
	struct swarm_visit v;
	struct swarm_change change;
	uint8_t hash[INFO_HASH_SIZE];
	const struct swarm_peer peer = { .client = { .identity = random_mix(i * 4 + role),
		                                     .keyed = true,
		                                     .addr = ip_v4(0x0a000000 + i),
		                                     .port = (uint16_t)(1 + role) },
		                         .role = role,
		                         .expires = 100 };
	hash_of(i, hash);
	assert_int_equal(swarm_enter(s, hash, true, &v), ERR_OK);
	assert_int_equal(swarm_put(&v, &peer, completed, &change), ERR_OK);
	swarm_leave(&v);
}

/* How many rows; every one is checked. */
static size_t list(struct swarm_store *s, uint8_t first, uint8_t last, bool *seen)
{
	static struct swarm_row rows[SWARM_LIST_SLICE];
	struct swarm_walk walk = { 0 };
	size_t n, all = 0;
	while (swarm_list(s, &walk, first, last, rows, &n)) {
		assert_true(n <= SWARM_LIST_SLICE);
		for (size_t k = 0; k < n; k++) {
			unsigned i = rows[k].info_hash[INFO_HASH_SIZE - 1];
			uint8_t hash[INFO_HASH_SIZE];
			for (hash_of(i, hash); memcmp(hash, rows[k].info_hash, sizeof(hash)) != 0;
			     hash_of(i, hash))
				assert_true((i += 256) < SWARMS);
			assert_false(seen[i]);
			seen[i] = true;
			assert_in_range(hash[0], first, last);
			assert_int_equal(rows[k].counts.complete, 1);
			assert_int_equal(rows[k].counts.incomplete, i % 3 == 0);
			assert_int_equal(rows[k].counts.downloaded, i % 2);
		}
		all += n;
	}
	return all;
}

static void every_swarm_comes_once_with_its_counts(void **state)
{
	(void)state;
	const struct swarm_options o = { .shards = 4, .max_swarms = 100000, .max_peers = 100000 };
	struct swarm_store *s = swarm_store_new(&o);
	static bool seen[SWARMS];
	assert_non_null(s);
	assert_int_equal(list(s, 0, 255, seen), 0);
	for (unsigned i = 0; i < SWARMS; i++) {
		join(s, i, SWARM_SEED, i % 2 == 1);
		if (i % 3 == 0)
			join(s, i, i % 2 == 0 ? SWARM_LEECHER : SWARM_PARTIAL, false);
	}
	assert_int_equal(list(s, 0, 255, seen), SWARMS);

	memset(seen, 0, sizeof(seen));
	size_t all = 0;
	for (unsigned first = 0; first < 256; first += 64)
		all += list(s, (uint8_t)first, (uint8_t)(first + 63), seen);
	assert_int_equal(all, SWARMS);
	swarm_store_free(s);
}

static void forgotten_swarms_do_not_come(void **state)
{
	(void)state;
	const struct swarm_options o = { .shards = 1, .max_swarms = 100, .max_peers = 100 };
	struct swarm_store *s = swarm_store_new(&o);
	struct swarm_visit v;
	uint8_t hash[INFO_HASH_SIZE];
	static bool seen[SWARMS];
	assert_non_null(s);
	join(s, 2, SWARM_SEED, false);
	join(s, 4, SWARM_SEED, false);
	hash_of(2, hash);
	assert_int_equal(swarm_enter(s, hash, false, &v), ERR_OK);
	const struct swarm_client gone = { .identity = random_mix(2 * 4 + SWARM_SEED),
		                           .keyed = true,
		                           .addr = ip_v4(0x0a000002),
		                           .port = 1 };
	assert_true(swarm_remove(&v, &gone, NULL));
	swarm_leave(&v);
	assert_int_equal(list(s, 0, 255, seen), 1);
	assert_true(seen[4]);
	swarm_store_free(s);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(every_swarm_comes_once_with_its_counts),
	cmocka_unit_test(forgotten_swarms_do_not_come),
};

RUN_TESTS(tests)
