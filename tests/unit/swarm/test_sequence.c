/* SPDX-License-Identifier: Apache-2.0 */

/* Sequences against a sorted array. */

#include "tests/unit/swarm/people.h"
#include "tests/unit/swarm/walk.h"

#include "common/base/random.h"

#include <string.h>

enum { MODEL_MAX = 6000 };

struct model {
	struct sequence s;
	size_t bytes;
	uint32_t n;
	uint64_t keys[MODEL_MAX];
};

union made {
	struct record record;
	uint8_t bytes[RECORD_MAX];
};

static union made record_of(uint64_t key)
{
	union made r = { .bytes = { 0 } };
	r.record.key = key;
	r.record.stamp = (uint16_t)(key >> 5);
	memcpy(r.record.endpoint, &key, ENDPOINT_V4);
	return r;
}

static uint32_t model_lower(const struct model *m, uint64_t key)
{
	uint32_t i = 0;
	while (i < m->n && m->keys[i] < key)
		i++;
	return i;
}

static void model_insert(struct model *m, uint64_t key)
{
	const union made r = record_of(key | (key >> 4 & FLAGS));
	struct spot at;
	assert_int_equal(sequence_insert(&m->s, &r.record, &at, &m->bytes), ERR_OK);
	assert_true(sequence_record(&m->s, at)->key == r.record.key);
	const uint32_t i = model_lower(m, key);
	memmove(m->keys + i + 1, m->keys + i, (m->n++ - i) * sizeof(*m->keys));
	m->keys[i] = key;
	assert_true(sequence_rank(&m->s, at) >= i && sequence_rank(&m->s, at) < m->n);
}

static void model_remove(struct model *m, uint32_t rank)
{
	sequence_remove(&m->s, spot_of_rank(&m->s, rank), &m->bytes);
	memmove(m->keys + rank, m->keys + rank + 1, (--m->n - rank) * sizeof(*m->keys));
}

/* Some of those at the end of the chunk in which `rank` is. */
static void model_cut(struct model *m, uint32_t rank, uint64_t *seed)
{
	const uint32_t chunk = m->s.tall ? spot_of_rank(&m->s, rank).chunk : 0;
	const uint32_t size = sequence_chunk_size(&m->s, chunk), n = 1 + random_below(seed, size);
	const uint32_t end = sequence_rank(&m->s, (struct spot){ .chunk = chunk }) + size;
	sequence_cut(&m->s, chunk, n, &m->bytes);
	memmove(m->keys + end - n, m->keys + end, (m->n - end) * sizeof(*m->keys));
	m->n -= n;
}

static void model_compare(const struct model *m)
{
	uint32_t rank = 0;
	for (struct spot at = { 0 }; !sequence_is_end(&m->s, at); at = sequence_next(&m->s, at)) {
		const struct record *r = sequence_record(&m->s, at);
		const union made same = record_of(r->key);
		assert_true(key_plain(r->key) == m->keys[rank++]);
		assert_memory_equal(r, &same, (size_t)1 << record_shift(m->s.wide));
	}
	assert_int_equal(rank, m->n);
	assert_int_equal(walk_sequence(&m->s), m->bytes);
}

/* `keys`: how many different ones; few mean many alike. */
static uint64_t random_key(uint64_t *seed, uint32_t keys)
{
	return random_mix(random_below(seed, keys)) & ~(uint64_t)FLAGS;
}

static void is_a_sorted_array(void **state)
{
	(void)state;
	static struct model m;
	for (unsigned round = 0; round < 4; round++) {
		uint64_t seed = round;
		m = (struct model){ .s.wide = round & 1 };
		for (unsigned step = 0; step < 40000; step++) {
			/* Up to some thousands, and down to nothing. */
			const bool grow = random_below(&seed, 100) < (step / 10000 % 2 ? 20 : 80);
			const uint64_t key = random_key(&seed, round < 2 ? 1U << 30 : 40);
			const uint64_t probe = random_key(&seed, round < 2 ? 1U << 30 : 40);
			if (grow && m.n < MODEL_MAX)
				model_insert(&m, key);
			else if (m.n > 0 && step % 256 == 0)
				model_cut(&m, random_below(&seed, m.n), &seed);
			else if (m.n > 0)
				model_remove(&m, random_below(&seed, m.n));
			assert_int_equal(sequence_rank(&m.s, sequence_lower(&m.s, probe)),
			                 model_lower(&m, probe));
			if (step % 97 == 0)
				model_compare(&m);
		}
		while (m.n > 0)
			model_remove(&m, m.n - 1);
		assert_int_equal(m.bytes, 0);
		assert_null(m.s.at);
	}
}

/* Is there, is not there, or is beyond the end. */
static uint64_t probe_of(const struct model *m, uint64_t *seed)
{
	const uint32_t kind = random_below(seed, 8);
	if (kind == 0 || m->n == 0)
		return kind % 2 == 0 ? 0 : key_plain(UINT64_MAX);
	const uint64_t key = m->keys[random_below(seed, m->n)];
	return kind < 3   ? random_key(seed, 1U << 30)
	       : kind < 4 ? m->keys[m->n - 1] + FLAGS + 1
	       : kind < 5 ? m->keys[0]
	       : kind < 6 ? key + FLAGS + 1
	                  : key;
}

static void check_lower_all(const struct model *m, uint64_t *seed)
{
	uint64_t keys[SEARCHES_MAX];
	struct spot out[SEARCHES_MAX + 1];
	for (unsigned n = 1; n <= SEARCHES_MAX; n++) {
		for (unsigned i = 0; i < n; i++)
			keys[i] = probe_of(m, seed);
		out[n] = (struct spot){ 77, 77 };
		sequence_lower_all(&m->s, keys, n, out);
		for (unsigned i = 0; i < n; i++) {
			const struct spot one = sequence_lower(&m->s, keys[i]);
			assert_int_equal(out[i].chunk, one.chunk);
			assert_int_equal(out[i].position, one.position);
			assert_int_equal(sequence_rank(&m->s, out[i]), model_lower(m, keys[i]));
		}
		assert_true(out[n].chunk == 77 && out[n].position == 77);
	}
}

static void searches_for_several_at_once(void **state)
{
	(void)state;
	static const uint32_t sizes[] = { 0, 1, 2, 3, 8, 60, 127, 128, 129, 300, 999, 3000, 6000 };
	static struct model m;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
		for (unsigned kind = 0; kind < 4; kind++) {
			uint64_t seed = 100 * i + kind;
			m = (struct model){ .s.wide = kind & 1 };
			while (m.n < sizes[i]) /* many alike, too */
				model_insert(&m, random_key(&seed, kind < 2 ? 1U << 30 : 40));
			assert_int_equal(m.s.tall, sizes[i] > BLOCK_MAX);
			for (unsigned round = 0; round < 10; round++)
				check_lower_all(&m, &seed);
			sequence_done(&m.s, &m.bytes);
		}
}

static bool is_third(void *ctx, const struct record *r)
{
	++*(uint32_t *)ctx;
	return random_mix(r->key) % 3 == 0;
}

static bool is_any(void *ctx, const struct record *r)
{
	(void)r;
	++*(uint32_t *)ctx;
	return true;
}

static uint32_t sift(struct model *m, sequence_gone_fn *gone)
{
	uint32_t lost = 0, looked_at = 0;
	const uint32_t all = m->s.n;
	for (uint32_t chunk = 0; m->s.n > 0 && chunk < sequence_chunks(&m->s);) {
		const uint32_t before = looked_at;
		lost += sequence_sift(&m->s, chunk, gone, &looked_at, &chunk, &m->bytes);
		assert_in_range(looked_at - before, 1, BLOCK_MAX);
	}
	assert_int_equal(looked_at, all); /* each exactly once */
	sequence_trim(&m->s, &m->bytes);
	uint32_t kept = 0, count = 0;
	for (uint32_t i = 0; i < m->n; i++) {
		const union made r = record_of(m->keys[i] | (m->keys[i] >> 4 & FLAGS));
		if (!gone(&count, &r.record))
			m->keys[kept++] = m->keys[i];
	}
	assert_int_equal(m->n - kept, lost);
	m->n = kept;
	model_compare(m);
	return lost;
}

static void sifts_in_steps(void **state)
{
	(void)state;
	static const uint32_t sizes[] = { 0, 1, 60, 128, 129, 300, 5000 };
	static struct model m;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		uint64_t seed = i;
		m = (struct model){ .s.wide = i & 1 };
		while (m.n < sizes[i])
			model_insert(&m, random_key(&seed, 1U << 30));
		(void)sift(&m, is_third);
		(void)sift(&m, is_third); /* nobody is left of them */
		(void)sift(&m, is_any);
		assert_int_equal(m.bytes, 0);
	}
}

/* The whole reason for the steps of blocks and chunks. */
static void wastes_little(void **state)
{
	(void)state;
	static struct model m;
	uint64_t seed = 9;
	m = (struct model){ .n = 0 };
	for (uint32_t n = 1; n <= 5000; n++) {
		model_insert(&m, random_key(&seed, 1U << 30));
		assert_true(m.bytes <= n * 20 + (n > BLOCK_MAX ? 400 : 0));
	}
	assert_true(m.bytes < 5000 * 35 / 2);
	sequence_done(&m.s, &m.bytes);
	assert_int_equal(m.bytes, 0);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(is_a_sorted_array),
	cmocka_unit_test(searches_for_several_at_once),
	cmocka_unit_test(sifts_in_steps),
	cmocka_unit_test(wastes_little),
};

RUN_TESTS(tests)
