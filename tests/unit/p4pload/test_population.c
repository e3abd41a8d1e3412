/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/base/random.h"
#include "common/base/text.h"
#include "tools/p4pload/population.h"

#include <string.h>
#include <unistd.h>

static struct options some(uint64_t peers, uint64_t addresses)
{
	return (struct options){ .peers = peers,
		                 .hashes = 50,
		                 .addresses = addresses,
		                 .seeders = 30,
		                 .target = { { 127, 0, 0, 1 }, IP_V4 },
		                 .seed = 1,
		                 .from = { { ip_v4(0x7f0a0000), 16 },
		                           { ip_v4(0x7f0b0100), 24 },
		                           { ip_v4(0x7f0c0007), 32 } },
		                 .n_from = 1 };
}

static void a_client_is_found_by_its_address_and_port(void **state)
{
	(void)state;
	static const struct {
		uint64_t peers, addresses;
		size_t n_from;
	} rows[] = { { 1, 1, 1 }, { 100, 7, 1 }, { 1000, 100, 2 }, { 501, 500, 2 }, { 9, 3, 3 } };
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct options o = some(rows[i].peers, rows[i].addresses);
		struct population p;
		o.n_from = rows[i].n_from;
		assert_int_equal(population_init(&p, &o, NULL), ERR_OK);
		for (uint32_t c = 0; c < p.n_clients; c++) {
			const struct ip_addr a = population_address(&p, c);
			const uint16_t port = population_port(&p, c);
			assert_int_equal(population_find(&p, a.bytes, port), c);
			assert_true(ip_prefix_has(&o.from[c % o.addresses % o.n_from], &a));
		}
		population_done(&p);
	}
}

/* The client at an IPv4 address in host order. */
static uint32_t find(const struct population *p, uint32_t address, uint16_t port)
{
	const struct ip_addr a = ip_v4(address);
	return population_find(p, a.bytes, port);
}

static uint32_t at(const struct population *p, uint32_t client)
{
	const struct ip_addr a = population_address(p, client);
	return ip_v4_number(&a);
}

static void so_is_one_with_an_ipv6_address(void **state)
{
	(void)state;
	static const struct {
		const char *prefix;
		uint64_t peers, addresses;
	} rows[] = { { "::1/128", 500, 1 },
		     { "fd00:1::/64", 500, 70 },
		     { "fd00:1::1:ff00/120", 500, 254 } };
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct options o = some(rows[i].peers, rows[i].addresses);
		struct population p;
		assert_int_equal(ip_prefix_parse(rows[i].prefix, &o.from[0]), ERR_OK);
		o.target = o.from[0].addr;
		assert_int_equal(population_init(&p, &o, NULL), ERR_OK);
		for (uint32_t c = 0; c < p.n_clients; c++) {
			struct ip_addr a = population_address(&p, c);
			const uint16_t port = population_port(&p, c);
			assert_true(ip_prefix_has(&o.from[0], &a));
			assert_int_equal(population_find(&p, a.bytes, port), c);
			a.bytes[0] ^= 1;
			assert_int_equal(population_find(&p, a.bytes, port), STRANGER);
		}
		population_done(&p);
	}
}

static void anybody_else_is_a_stranger(void **state)
{
	(void)state;
	const struct options o = some(100, 10);
	struct population p;
	assert_int_equal(population_init(&p, &o, NULL), ERR_OK);
	assert_int_equal(find(&p, 0x7f0a0001, 1024), 0);
	assert_int_equal(find(&p, 0x7f0a0000, 1024), STRANGER);
	assert_int_equal(find(&p, 0x7f0a000b, 1024), STRANGER); /* the 11th address */
	assert_int_equal(find(&p, 0x7f0a0001, 1034), STRANGER); /* the 11th round */
	assert_int_equal(find(&p, 0x7f0a0001, 0), STRANGER);
	assert_int_equal(find(&p, 0, 0), STRANGER);
	assert_int_equal(find(&p, UINT32_MAX, UINT16_MAX), STRANGER);
	uint64_t seed = 3;
	for (int i = 0; i < 100000; i++) { /* whatever is found is what was asked for */
		const uint32_t address = 0x7f0a0000 + random_below(&seed, 64);
		const uint16_t port = (uint16_t)(1000 + random_below(&seed, 64));
		const uint32_t c = find(&p, address, port);
		assert_true(c == STRANGER ||
		            (at(&p, c) == address && population_port(&p, c) == port));
	}
	population_done(&p);
}

static void the_same_seed_makes_the_same_population(void **state)
{
	(void)state;
	struct options o = some(500, 10);
	struct population a, b, c;
	assert_int_equal(population_init(&a, &o, NULL), ERR_OK);
	assert_int_equal(population_init(&b, &o, NULL), ERR_OK);
	struct options other = o;
	other.seed = 2;
	assert_int_equal(population_init(&c, &other, NULL), ERR_OK);
	unsigned differ = 0;
	for (uint32_t i = 0; i < a.n_clients; i++) {
		assert_int_equal(a.clients[i].swarm, b.clients[i].swarm);
		assert_int_equal(a.clients[i].born_seeder, b.clients[i].born_seeder);
		differ += a.clients[i].swarm != c.clients[i].swarm;
	}
	assert_true(differ > 400);
	assert_memory_equal(a.hashes, c.hashes, 50 * INFO_HASH_SIZE); /* whitelists stay good */
	population_done(&a);
	population_done(&b);
	population_done(&c);
}

static void zipf_makes_the_first_swarm_n_times_the_nth(void **state)
{
	(void)state;
	struct options o = some(60000, 10);
	struct population p;
	unsigned count[50] = { 0 }, seeders = 0;
	o.zipf = 1;
	assert_int_equal(population_init(&p, &o, NULL), ERR_OK);
	for (uint32_t i = 0; i < p.n_clients; i++) {
		count[p.clients[i].swarm]++;
		seeders += p.clients[i].born_seeder;
	}
	/* The harmonic number of 50 is 4.499. */
	assert_in_range(count[0], 13336 - 500, 13336 + 500);
	assert_in_range(count[1], 6668 - 350, 6668 + 350);
	assert_in_range(count[9], 1334 - 150, 1334 + 150);
	assert_in_range(count[49], 267 - 80, 267 + 80);
	assert_in_range(seeders, 18000 - 500, 18000 + 500);
	population_done(&p);
}

static void without_zipf_all_swarms_are_of_one_size(void **state)
{
	(void)state;
	const struct options o = some(520, 10);
	struct population p;
	unsigned count[50] = { 0 }, neighbours = 0;
	assert_int_equal(population_init(&p, &o, NULL), ERR_OK);
	for (uint32_t i = 0; i < p.n_clients; i++) {
		count[p.clients[i].swarm]++;
		neighbours += i > 0 && p.clients[i].swarm == (p.clients[i - 1].swarm + 1) % 50;
	}
	for (uint32_t i = 0; i < 50; i++)
		assert_in_range(count[i], 10, 11);
	assert_in_range(neighbours, 0, 40); /* shuffled */
	population_done(&p);
}

static void reads_hashes_from_a_file(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		enum err expect;
		uint32_t n;
	} rows[] = {
		{ "000102030405060708090a0b0c0d0e0f10111213\n\n"
		  "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF comment\r\n",
		  ERR_OK, 2 },
		{ "", ERR_NOT_FOUND, 0 },
		{ "00\n", ERR_MALFORMED, 0 },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char path[] = "/tmp/p4pload-hashes-XXXXXX";
		struct options o = some(10, 1);
		struct population p;
		struct fault fault = { 0 };
		const int fd = mkstemp(path);
		assert_true(fd >= 0);
		assert_int_equal(write(fd, rows[i].text, strlen(rows[i].text)),
		                 strlen(rows[i].text));
		(void)close(fd);
		o.hash_file = path;
		assert_int_equal(population_init(&p, &o, &fault), rows[i].expect);
		assert_int_equal(p.n_hashes, rows[i].n);
		if (rows[i].expect == ERR_OK)
			assert_int_equal(p.hashes[1][0], 0xff);
		else
			assert_string_equal(fault.where, "--hash-file");
		population_done(&p);
		assert_int_equal(unlink(path), 0);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(a_client_is_found_by_its_address_and_port),
	cmocka_unit_test(anybody_else_is_a_stranger),
	cmocka_unit_test(reads_hashes_from_a_file),
	cmocka_unit_test(so_is_one_with_an_ipv6_address),
	cmocka_unit_test(the_same_seed_makes_the_same_population),
	cmocka_unit_test(without_zipf_all_swarms_are_of_one_size),
	cmocka_unit_test(zipf_makes_the_first_swarm_n_times_the_nth),
};

RUN_TESTS(tests)
