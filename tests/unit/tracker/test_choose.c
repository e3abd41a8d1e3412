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

static const struct map_snapshot *published;

/*
 * Nobody is in 10.4.0.0/16. `restricted`: with 10.8.0.0/16, whose uploads are to be avoided, and
 * 10.9.0.0/16, which has none.
 */
static void publish(struct house *h, bool restricted)
{
	struct ip_prefix p[6];
	uint32_t a_asns[] = { 64500 }, b_asns[] = { 64501 };
	struct map_snapshot *map;
	assert_int_equal(ip_prefix_parse("10.1.0.0/16", &p[0]), ERR_OK);
	assert_int_equal(ip_prefix_parse("10.2.0.0/16", &p[1]), ERR_OK);
	assert_int_equal(ip_prefix_parse("10.3.0.0/16", &p[2]), ERR_OK);
	assert_int_equal(ip_prefix_parse("10.8.0.0/16", &p[3]), ERR_OK);
	assert_int_equal(ip_prefix_parse("10.9.0.0/16", &p[4]), ERR_OK);
	assert_int_equal(ip_prefix_parse("10.4.0.0/16", &p[5]), ERR_OK);
	struct map_pid a_pids[] = {
		{ .name = "north", .prefixes = &p[5], .n_prefixes = 1 },
		{ .name = "east", .prefixes = &p[0], .n_prefixes = 1 },
		{ .name = "west", .prefixes = &p[1], .n_prefixes = 1 },
		{ .name = "avoid", .prefixes = &p[3], .n_prefixes = 1, .uploads = UPLOADS_AVOID },
		{ .name = "never", .prefixes = &p[4], .n_prefixes = 1, .uploads = UPLOADS_NEVER },
	};
	struct map_pid b_pids[] = { { .name = "b", .prefixes = &p[2], .n_prefixes = 1 } };
	const struct map_topology a = { .provider = "isp-a",
		                        .asns = a_asns,
		                        .n_asns = 1,
		                        .pids = a_pids,
		                        .n_pids = restricted ? 5 : 3 };
	const struct map_topology b = {
		.provider = "isp-b", .asns = b_asns, .n_asns = 1, .pids = b_pids, .n_pids = 1
	};
	const struct map_source sources[] = { { &a, NULL }, { &b, NULL } };
	assert_int_equal(map_compile(sources, 2, &map, NULL), ERR_OK);
	published = map; /* and then the office's */
	assert_int_equal(map_publish(h->office, map), ERR_OK);
}

static struct house *crowded_house(enum steer_policy policy)
{
	struct tracker_settings s = usual;
	s.rules.policy = policy;
	struct house *h = house_new(&s);
	publish(h, false);
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

/* ---- what accounting is told ---- */

static uint32_t place_at(const char *ip)
{
	const struct ip_addr a = address(ip);
	return snapshot_locate(published, &a);
}

/* How many candidates accounting was told of there; 0: nothing. */
static uint32_t told_of(const char *ip)
{
	const struct accounting_slot *book = &account_book[0];
	for (unsigned i = 0; i < book->n_handed; i++)
		if (book->handed[i].place == place_at(ip))
			return book->handed[i].candidates;
	return 0;
}

static uint32_t listed_from(const struct heard *heard, uint32_t place)
{
	uint32_t n = 0;
	for (size_t i = 0; i < heard->n; i++)
		n += snapshot_locate(published, &heard->addr[i]) == place;
	return n;
}

/* Announces as a leecher, or seed, with a list of `n`: each place of it was told once, with its number. */
static struct heard noted(struct house *h, const char *ip, bool seed, size_t n)
{
	const struct accounting_slot *book = &account_book[0];
	const struct heard heard = udp_announce(h, &(struct say){ .ip = ip,
	                                                          .port = 999,
	                                                          .left = seed ? 0 : 1,
	                                                          .hash = 1,
	                                                          .want = (int32_t)n });
	assert_int_equal(heard.n, n);
	uint32_t sum = 0;
	for (unsigned i = 0; i < book->n_handed; i++) {
		const struct accounting_handed *one = &book->handed[i];
		for (unsigned k = 0; k < i; k++)
			assert_int_not_equal(book->handed[k].place, one->place);
		assert_int_equal(one->count, listed_from(&heard, one->place));
		sum += one->count;
	}
	/* Strangers among themselves cross nobody's interconnect. */
	if (place_at(ip) == PLACE_UNKNOWN)
		sum += listed_from(&heard, PLACE_UNKNOWN);
	assert_int_equal(sum, n);
	return heard;
}

/* Twenty leechers in the own PID, and so on; forty strangers, who are of no PID. */
static struct house *small_house(bool restricted)
{
	struct house *h = house_new(&usual);
	publish(h, restricted);
	udp_crowd(h, "10.1.0.", 20, 1);
	udp_crowd(h, "10.2.0.", 15, 1);
	udp_crowd(h, "10.3.0.", 10, 1);
	udp_crowd(h, "192.0.2.", 40, 1);
	return h;
}

static void accounting_is_told_what_a_small_swarm_holds(void **state)
{
	(void)state;
	struct house *h = small_house(false);
	/* Chosen by price; all of them; three parts, of whom all come but the seeds. */
	for (unsigned i = 0; i < 4; i++) {
		const size_t want = i % 2 == 0 ? 60 : 85;
		if (i == 2)
			udp_crowd(h, "10.1.1.", 100, 0);
		(void)noted(h, "10.1.9.9", i >= 2, want);
		assert_int_equal(told_of("10.1.0.0"), 20);
		assert_int_equal(told_of("10.2.0.0"), 15);
		assert_int_equal(told_of("10.3.0.0"), 10);
		assert_int_equal(told_of("192.0.2.0"), 40);
	}
	house_free(h);
}

static void accounting_is_told_shares_of_a_uniform_list(void **state)
{
	(void)state;
	struct house *h = crowded_house(STEER_NATIVE);
	for (unsigned r = 0; r < 50; r++) {
		const struct heard heard = noted(h, "10.1.9.9", false, WANT);
		const uint32_t all = OWN + PROVIDER + OUTSIDE + SEEDS;
		assert_int_equal(told_of("10.1.0.0"),
		                 all * listed_from(&heard, place_at("10.1.0.0")) / WANT);
		assert_int_equal(told_of("10.2.0.0"),
		                 all * listed_from(&heard, place_at("10.2.0.0")) / WANT);
		assert_int_equal(told_of("10.3.0.0"),
		                 all * listed_from(&heard, place_at("10.3.0.0")) / WANT);
	}
	house_free(h);
}

static void accounting_is_told_what_the_parts_of_a_pool_stand_for(void **state)
{
	(void)state;
	struct house *h = crowded_house(STEER_P4P);
	for (unsigned r = 0; r < 50; r++) {
		(void)noted(h, "10.1.9.9", r % 2, WANT);
		assert_int_equal(account_book[0].n_handed, 3);
		assert_int_equal(told_of("10.1.0.0"), OWN + (r % 2 ? 0 : SEEDS));
		assert_int_equal(told_of("10.2.0.0"), PROVIDER);
		assert_int_equal(told_of("10.3.0.0"), OUTSIDE);
	}
	(void)noted(h, "10.4.9.9", false, WANT); /* of its own PID there is nobody to tell of */
	assert_int_equal(told_of("10.4.0.0"), 0);
	house_free(h);
}

/* Those who are not to upload are candidates that nobody is given, and no pair. */
static void accounting_is_told_nothing_of_who_must_not_upload(void **state)
{
	(void)state;
	struct house *h = small_house(true);
	udp_crowd(h, "10.8.0.", 30, 1);
	udp_crowd(h, "10.9.0.", 30, 1);
	udp_crowd(h, "10.2.1.", 1, 0); /* without a seed those to be avoided would serve */
	for (unsigned i = 0; i < 2; i++) {
		(void)noted(h, "10.1.9.9", false, i == 0 ? 60 : 86);
		assert_int_equal(told_of("10.1.0.0"), 20);
		assert_int_equal(told_of("10.2.0.0"), 16);
		assert_int_equal(told_of("10.3.0.0"), 10);
		assert_int_equal(told_of("192.0.2.0"), 40);
		assert_int_equal(told_of("10.8.0.0") + told_of("10.9.0.0"), 0);
	}
	house_free(h);

	enum { LISTS = 200, HERE = 200 };
	h = small_house(true); /* and more of all, so that it is no longer looked at whole */
	udp_crowd(h, "10.1.1.", HERE, 1);
	udp_crowd(h, "10.2.1.", HERE, 0);
	udp_crowd(h, "10.8.0.", HERE, 1);
	udp_crowd(h, "10.9.0.", HERE, 1);
	double west = 0;
	for (unsigned r = 0; r < LISTS; r++) {
		(void)noted(h, "10.1.9.9", false, WANT);
		assert_in_range(told_of("10.1.0.0"), (HERE + 20) / 2, HERE + 20);
		assert_int_equal(told_of("10.8.0.0") + told_of("10.9.0.0"), 0);
		west += told_of("10.2.0.0");
	}
	assert_true(fabs(west / LISTS - (HERE + 15)) < 0.15 * (HERE + 15));
	house_free(h);
}

static void accounting_is_not_told_of_strangers_among_themselves(void **state)
{
	(void)state;
	struct house *h = small_house(false);
	for (unsigned i = 0; i < 2; i++) {
		const struct heard heard = noted(h, "192.0.2.99", false, i == 0 ? 85 : 40);
		const uint32_t n = (uint32_t)heard.n;
		assert_true(listed_from(&heard, PLACE_UNKNOWN) > 0);
		assert_int_equal(told_of("192.0.2.0"), 0);
		assert_int_equal(told_of("10.2.0.0"),
		                 85 * listed_from(&heard, place_at("10.2.0.0")) / n);
	}
	house_free(h);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(at_random_every_peer_is_equally_likely),
	cmocka_unit_test(a_seed_is_given_leechers_each_equally_likely),
	cmocka_unit_test(steered_lists_keep_the_percentages_and_are_uniform_inside),
	cmocka_unit_test(the_union_of_steered_lists_is_connected),
	cmocka_unit_test(accounting_is_told_what_a_small_swarm_holds),
	cmocka_unit_test(accounting_is_told_shares_of_a_uniform_list),
	cmocka_unit_test(accounting_is_told_what_the_parts_of_a_pool_stand_for),
	cmocka_unit_test(accounting_is_told_nothing_of_who_must_not_upload),
	cmocka_unit_test(accounting_is_not_told_of_strangers_among_themselves),
};

RUN_TESTS(tests)
