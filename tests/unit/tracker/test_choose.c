/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/tracker/house.h"

#include <math.h>

/*
 * Lists of a swarm too large to be looked at whole, through UDP: who is in them, and how often. Three
 * PIDs of two providers; 400, 250 and 750 leechers stand there, and 100 seeds in the first.
 */

enum { ROUNDS = 3000, WANT = 50, OWN = 400, PROVIDER = 250, OUTSIDE = 750, SEEDS = 100 };
enum { BLOCKS = 7, PEERS = BLOCKS * 256 };

/* Block i is PREFIX of 256 addresses; what stands there. */
static const struct {
	const char *prefix;
	unsigned n;
	uint64_t left;
} blocks[BLOCKS] = {
	{ "10.1.0.", 200, 1 }, { "10.1.1.", 200, 1 }, { "10.2.0.", 250, 1 }, { "10.3.0.", 250, 1 },
	{ "10.3.1.", 250, 1 }, { "10.3.2.", 250, 1 }, { "10.1.2.", 100, 0 },
};

static void publish(struct house *h)
{
	struct ip_prefix p[3];
	uint32_t a_asns[] = { 64500 }, b_asns[] = { 64501 };
	struct map_snapshot *map;
	assert_int_equal(ip_prefix_parse("10.1.0.0/16", &p[0]), ERR_OK);
	assert_int_equal(ip_prefix_parse("10.2.0.0/16", &p[1]), ERR_OK);
	assert_int_equal(ip_prefix_parse("10.3.0.0/16", &p[2]), ERR_OK);
	struct map_pid a_pids[] = { { .name = "east", .prefixes = &p[0], .n_prefixes = 1 },
		                    { .name = "west", .prefixes = &p[1], .n_prefixes = 1 } };
	struct map_pid b_pids[] = { { .name = "b", .prefixes = &p[2], .n_prefixes = 1 } };
	const struct map_topology a = {
		.provider = "isp-a", .asns = a_asns, .n_asns = 1, .pids = a_pids, .n_pids = 2
	};
	const struct map_topology b = {
		.provider = "isp-b", .asns = b_asns, .n_asns = 1, .pids = b_pids, .n_pids = 1
	};
	const struct map_source sources[] = { { &a, NULL }, { &b, NULL } };
	assert_int_equal(map_compile(sources, 2, &map, NULL), ERR_OK);
	assert_int_equal(map_publish(h->office, map), ERR_OK);
}

static struct house *crowded_house(enum steer_policy policy)
{
	struct tracker_settings s = usual;
	s.rules.policy = policy;
	struct house *h = house_new(&s);
	publish(h);
	for (size_t i = 0; i < BLOCKS; i++)
		udp_crowd(h, blocks[i].prefix, blocks[i].n, blocks[i].left);
	return h;
}

/* Which of the PEERS this is. */
static size_t number_of(const struct ip_addr *a)
{
	char text[IP_TEXT_SIZE];
	ip_print(a, text);
	for (size_t i = 0; i < BLOCKS; i++)
		if (strncmp(text, blocks[i].prefix, strlen(blocks[i].prefix)) == 0)
			return i * 256 + a->bytes[3];
	fail_msg("%s is nobody", text);
	return 0;
}

/* Announces as peer `self` and counts whom it is given; nobody twice in a list, and never itself. */
static void ask(struct house *h, size_t self, unsigned rounds, unsigned times[static PEERS])
{
	char ip[IP_TEXT_SIZE];
	(void)snprintf(ip, sizeof(ip), "%s%zu", blocks[self / 256].prefix, self % 256);
	const struct say say = { .ip = ip,
		                 .port = (uint16_t)(1000 + self % 256),
		                 .left = blocks[self / 256].left,
		                 .hash = 1,
		                 .want = WANT };
	memset(times, 0, PEERS * sizeof(*times));
	for (unsigned r = 0; r < rounds; r++) {
		const struct heard heard = udp_announce(h, &say);
		assert_int_equal(heard.n, WANT);
		for (size_t i = 0; i < heard.n; i++) {
			const size_t peer = number_of(&heard.addr[i]);
			assert_int_equal(heard.port[i], 1000 + peer % 256);
			times[peer]++;
			for (size_t k = 0; k < i; k++)
				assert_false(ip_equal(&heard.addr[k], &heard.addr[i]));
		}
	}
	assert_int_equal(times[self], 0);
}

static size_t sum_of(const unsigned *times, size_t first, size_t end)
{
	size_t sum = 0;
	for (size_t i = first * 256; i < end * 256; i++)
		sum += times[i];
	return sum;
}

/* Every peer of the blocks but `self` is equally likely, `each` of them in a list. */
static void assert_uniform(const unsigned *times, size_t first, size_t end, size_t self)
{
	double n = 0, chi = 0;
	for (size_t i = first; i < end; i++)
		n += blocks[i].n - (self / 256 == i);
	const double mean = (double)sum_of(times, first, end) / n;
	for (size_t i = first * 256; i < end * 256; i++)
		if (i != self && i % 256 < blocks[i / 256].n)
			chi += (times[i] - mean) * (times[i] - mean) / (mean * (1 - mean / ROUNDS));
	if (chi > n + 5 * sqrt(2 * n) || chi < n - 5 * sqrt(2 * n))
		fail_msg("blocks %zu to %zu: chi square %.1f of %.0f peers", first, end - 1, chi,
		         n);
}

static void at_random_every_peer_is_equally_likely(void **state)
{
	(void)state;
	static unsigned times[PEERS];
	struct house *h = crowded_house(STEER_NATIVE);
	ask(h, 7, ROUNDS, times);
	assert_uniform(times, 0, BLOCKS, 7);
	house_free(h);
}

static void a_seed_is_given_leechers_each_equally_likely(void **state)
{
	(void)state;
	static unsigned times[PEERS];
	struct house *h = crowded_house(STEER_NATIVE);
	ask(h, 6 * 256 + 7, ROUNDS, times);
	assert_int_equal(sum_of(times, 6, 7), 0);
	assert_uniform(times, 0, 6, 6 * 256 + 7);
	house_free(h);
}

static void steered_lists_keep_the_percentages_and_are_uniform_inside(void **state)
{
	(void)state;
	static unsigned times[PEERS];
	struct house *h = crowded_house(STEER_P4P);
	/* 10.1.2.x is of the own PID, too. */
	ask(h, 7, ROUNDS, times);
	assert_int_equal(sum_of(times, 0, 2) + sum_of(times, 6, 7), 35 * ROUNDS);
	assert_int_equal(sum_of(times, 2, 3), 5 * ROUNDS);
	assert_int_equal(sum_of(times, 3, 6), 10 * ROUNDS);
	assert_uniform(times, 0, 2, 7);
	assert_uniform(times, 2, 3, 7);
	assert_uniform(times, 3, 6, 7);
	assert_uniform(times, 6, 7, 7);
	const double share = (double)sum_of(times, 6, 7) / (35.0 * ROUNDS);
	assert_true(fabs(share - (double)SEEDS / (OWN - 1 + SEEDS)) < 0.01);

	ask(h, 6 * 256 + 7, ROUNDS, times); /* a seed of that PID */
	assert_int_equal(sum_of(times, 6, 7), 0);
	assert_int_equal(sum_of(times, 0, 2), 35 * ROUNDS);
	assert_int_equal(sum_of(times, 3, 6), 10 * ROUNDS);
	assert_uniform(times, 0, 2, 6 * 256 + 7);
	assert_uniform(times, 3, 6, 6 * 256 + 7);
	house_free(h);
}

static uint16_t root_of(uint16_t *parent, uint16_t i)
{
	while (parent[i] != i)
		i = parent[i] = parent[parent[i]];
	return i;
}

/* One list for everybody: whoever knows whom, nobody is cut off. */
static void the_union_of_steered_lists_is_connected(void **state)
{
	(void)state;
	static unsigned times[PEERS];
	static uint16_t parent[PEERS];
	struct house *h = crowded_house(STEER_P4P);
	for (uint16_t i = 0; i < PEERS; i++)
		parent[i] = i;
	for (uint16_t i = 0; i < PEERS; i++) {
		if (i % 256 >= blocks[i / 256].n)
			continue;
		ask(h, i, 1, times);
		for (uint16_t k = 0; k < PEERS; k++)
			if (times[k] > 0)
				parent[root_of(parent, k)] = root_of(parent, i);
	}
	for (uint16_t i = 0; i < PEERS; i++)
		if (i % 256 < blocks[i / 256].n)
			assert_int_equal(root_of(parent, i), root_of(parent, 0));
	house_free(h);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(at_random_every_peer_is_equally_likely),
	cmocka_unit_test(a_seed_is_given_leechers_each_equally_likely),
	cmocka_unit_test(steered_lists_keep_the_percentages_and_are_uniform_inside),
	cmocka_unit_test(the_union_of_steered_lists_is_connected),
};

RUN_TESTS(tests)
