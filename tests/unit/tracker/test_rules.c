/* SPDX-License-Identifier: Apache-2.0 */
#include "server/tracker/rules.h"

#include "common/base/random.h"
#include "tests/unit/test.h"

#include <pthread.h>
#include <string.h>

static const struct tracker_settings first = { .interval = 1 }, second = { .interval = 2 };

static struct rules_office *new_office(void)
{
	struct rules_office *o = rules_office_new(&first);
	assert_non_null(o);
	return o;
}

static const uint8_t nobody[PEER_ID_SIZE] = "-XX0000-............";

static bool admits(struct rules_office *o, struct rules_lease *lease, const uint8_t *hash)
{
	return rules_judge(rules_renew(o, lease), hash, nobody) == RULES_ADMITTED;
}

/* Puts the lists in force. */
static void put(struct rules_office *o, struct tracker_access a)
{
	assert_int_equal(rules_access(o, &a), ERR_OK);
}

static void serves_everything_until_told_otherwise(void **state)
{
	(void)state;
	static const uint8_t a[INFO_HASH_SIZE] = { 1 };
	struct rules_office *o = new_office();
	struct rules_lease lease = { 0 };
	assert_true(admits(o, &lease, a));
	put(o, (struct tracker_access){ .open = false }); /* nothing at all */
	assert_false(admits(o, &lease, a));
	put(o, (struct tracker_access){ .open = true });
	assert_true(admits(o, &lease, a));
	rules_end(&lease);
	rules_office_free(o);
}

/* `n` hashes that differ in their last byte, with duplicates; listed[] says which there are. */
static void some_hashes(uint8_t (*list)[INFO_HASH_SIZE], size_t n, bool listed[256], uint64_t *seed)
{
	memset(listed, 0, 256 * sizeof(*listed));
	for (size_t i = 0; i < n; i++) {
		memset(list[i], 0xff, INFO_HASH_SIZE - 1);
		list[i][INFO_HASH_SIZE - 1] = (uint8_t)random_below(seed, 256);
		listed[list[i][INFO_HASH_SIZE - 1]] = true;
	}
}

static void admits_exactly_the_lists_in_any_order(void **state)
{
	(void)state;
	enum { HASHES = 300, TRIALS = 50 };
	static uint8_t allowed[HASHES][INFO_HASH_SIZE], denied[HASHES][INFO_HASH_SIZE];
	struct rules_office *o = new_office();
	struct rules_lease lease = { 0 };
	uint64_t seed = 1;
	for (unsigned trial = 0; trial < TRIALS; trial++) {
		bool is_allowed[256], is_denied[256];
		struct tracker_access a = { .open = trial % 3 == 0,
			                    .allowed = allowed,
			                    .n_allowed = random_below(&seed, HASHES),
			                    .denied = denied,
			                    .n_denied = random_below(&seed, HASHES) };
		some_hashes(allowed, a.n_allowed, is_allowed, &seed);
		some_hashes(denied, a.n_denied, is_denied, &seed);
		put(o, a);
		uint8_t asked[INFO_HASH_SIZE];
		memset(asked, 0xff, sizeof(asked));
		for (unsigned v = 0; v < 256; v++) {
			asked[INFO_HASH_SIZE - 1] = (uint8_t)v;
			assert_int_equal(rules_judge(rules_renew(o, &lease), asked, nobody),
			                 is_denied[v]              ? RULES_DENIED
			                 : is_allowed[v] || a.open ? RULES_ADMITTED
			                                           : RULES_UNLISTED);
		}
	}
	rules_end(&lease);
	rules_office_free(o);
}

static struct client_prefix client(const char *text)
{
	struct client_prefix p = { .size = (uint8_t)strlen(text) };
	memcpy(p.bytes, text, p.size);
	return p;
}

static void denies_clients_by_how_their_peer_id_begins(void **state)
{
	(void)state;
	const struct client_prefix prefixes[] = {
		client("-XL00"),
		client("-XL001"),
		client("-SD"),
		client("M7-9-2-"),
		client("-AAAAAAAAAAAAAAAAAAA"),
		client("-SD0100-"),
		client("-XL00"),
		client("zz"),
	};
	static const struct {
		const char *peer_id;
		bool denied;
	} rows[] = {
		{ "-XL0012-abcdefghijkl", true },
		{ "-XL00zz-abcdefghijkl", true },
		{ "-XL0112-abcdefghijkl", false },
		{ "-XL", false },
		{ "-SD0000-abcdefghijkl", true },
		{ "-SE0000-abcdefghijkl", false },
		{ "-AAAAAAAAAAAAAAAAAAA", true },
		{ "-AAAAAAAAAAAAAAAAAAB", false },
		{ "M7-9-2--abcdefghijkl", true },
		{ "M7-9-3--abcdefghijkl", false },
		{ "zzzzzzzzzzzzzzzzzzzz", true },
		{ "~", false },
		{ "", false },
		{ "-qB4500-abcdefghijkl", false },
	};
	static const uint8_t hash[INFO_HASH_SIZE] = { 1 };
	struct rules_office *o = new_office();
	struct rules_lease lease = { 0 };
	put(o, (struct tracker_access){ .open = true, .clients = prefixes, .n_clients = 8 });
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t peer_id[PEER_ID_SIZE + 1] = { 0 };
		(void)snprintf((char *)peer_id, sizeof(peer_id), "%s", rows[i].peer_id);
		if (rules_judge(rules_renew(o, &lease), hash, peer_id) !=
		    (rows[i].denied ? RULES_CLIENT : RULES_ADMITTED))
			fail_msg("%s", rows[i].peer_id);
	}
	rules_end(&lease);
	rules_office_free(o);
}

static void settings_and_lists_change_independently(void **state)
{
	(void)state;
	static const uint8_t list[1][INFO_HASH_SIZE] = { { 9 } };
	static const uint8_t other[INFO_HASH_SIZE] = { 8 };
	struct rules_office *o = new_office();
	struct rules_lease lease = { 0 };
	put(o, (struct tracker_access){ .allowed = list, .n_allowed = 1 });
	assert_int_equal(rules_renew(o, &lease)->settings.interval, 1);
	assert_int_equal(rules_settings(o, &second), ERR_OK);
	assert_int_equal(rules_renew(o, &lease)->settings.interval, 2);
	assert_true(admits(o, &lease, list[0]));
	assert_false(admits(o, &lease, other));
	put(o, (struct tracker_access){ .open = true });
	assert_int_equal(rules_renew(o, &lease)->settings.interval, 2);
	assert_true(admits(o, &lease, other));
	rules_end(&lease);
	rules_office_free(o);
}

static void a_lease_keeps_its_book_until_it_is_renewed(void **state)
{
	(void)state;
	struct rules_office *o = new_office();
	struct rules_lease lease = { 0 };
	const struct rules_book *book = rules_renew(o, &lease);
	assert_int_equal(rules_settings(o, &second), ERR_OK);
	assert_int_equal(book->settings.interval, 1);
	assert_ptr_equal(lease.book, book);
	assert_int_equal(rules_renew(o, &lease)->settings.interval, 2);
	rules_end(&lease);
	rules_office_free(o);
	rules_office_free(NULL);
}

static void copies_the_proxies(void **state)
{
	(void)state;
	struct ip_prefix proxies[2];
	assert_int_equal(ip_prefix_parse("10.0.0.0/8", &proxies[0]), ERR_OK);
	assert_int_equal(ip_prefix_parse("2001:db8::/32", &proxies[1]), ERR_OK);
	const struct tracker_settings s = { .proxies = proxies, .n_proxies = 2 };
	struct rules_office *o = rules_office_new(&s);
	struct rules_lease lease = { 0 };
	memset(proxies, 0, sizeof(proxies));
	const struct rules_book *book = rules_renew(o, &lease);
	static const struct {
		const char *ip;
		bool proxy;
	} rows[] = { { "10.1.2.3", true }, { "2001:db8::1", true }, { "11.0.0.1", false } };
	for (size_t i = 0; i < 3; i++) {
		struct ip_addr a;
		assert_int_equal(ip_parse(rows[i].ip, &a), ERR_OK);
		assert_int_equal(rules_is_proxy(book, &a), rows[i].proxy);
	}
	rules_end(&lease);
	rules_office_free(o);
}

enum { CHANGES = 2000 };

struct reader_thread {
	struct rules_office *office;
	atomic_bool *stop;
	unsigned wrong;
};

/* Hash 1 is always listed, hash 0 never. */
static void *read_rules(void *arg)
{
	static const uint8_t hashes[3][INFO_HASH_SIZE] = { { 0 }, { 1 }, { 2 } };
	struct reader_thread *t = arg;
	struct rules_lease lease = { 0 };
	while (!atomic_load(t->stop)) {
		const struct rules_book *book = rules_renew(t->office, &lease);
		if (rules_judge(book, hashes[1], nobody) != RULES_ADMITTED ||
		    rules_judge(book, hashes[0], nobody) != RULES_UNLISTED ||
		    book->settings.interval < 1 || book->settings.interval > 2)
			t->wrong++;
	}
	rules_end(&lease);
	return NULL;
}

static void readers_see_whole_books_while_they_change(void **state)
{
	(void)state;
	static const uint8_t one[1][INFO_HASH_SIZE] = { { 1 } };
	static const uint8_t two[2][INFO_HASH_SIZE] = { { 2 }, { 1 } };
	struct rules_office *o = new_office();
	put(o, (struct tracker_access){ .allowed = one, .n_allowed = 1 });
	atomic_bool stop = false;
	struct reader_thread readers[2] = { { .office = o, .stop = &stop },
		                            { .office = o, .stop = &stop } };
	pthread_t threads[2];
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, read_rules, &readers[i]), 0);
	for (unsigned i = 0; i < CHANGES; i++) {
		assert_int_equal(rules_settings(o, i % 2 == 0 ? &second : &first), ERR_OK);
		put(o, i % 2 == 0 ? (struct tracker_access){ .allowed = two, .n_allowed = 2 }
		                  : (struct tracker_access){ .allowed = one, .n_allowed = 1 });
	}
	atomic_store(&stop, true);
	for (unsigned i = 0; i < 2; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(readers[i].wrong, 0);
	}
	rules_office_free(o);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(serves_everything_until_told_otherwise),
	cmocka_unit_test(admits_exactly_the_lists_in_any_order),
	cmocka_unit_test(denies_clients_by_how_their_peer_id_begins),
	cmocka_unit_test(settings_and_lists_change_independently),
	cmocka_unit_test(a_lease_keeps_its_book_until_it_is_renewed),
	cmocka_unit_test(copies_the_proxies),
	cmocka_unit_test(readers_see_whole_books_while_they_change),
};

RUN_TESTS(tests)
