/* SPDX-License-Identifier: Apache-2.0 */
#include "server/tracker/passkeys.h"

#include "tests/unit/test.h"

#include <pthread.h>
#include <sodium.h>
#include <string.h>

#define KEY   "0123456789abcdef0123456789abcdef"
#define OTHER "ABCDEFGHIJ_-3456"

static struct tracker_passkey passkey(const char *key, uint32_t max_peers, uint32_t per_minute)
{
	struct tracker_passkey k = { .max_peers = max_peers, .per_minute = per_minute };
	(void)crypto_generichash(k.hash, sizeof(k.hash), (const uint8_t *)key, strlen(key), NULL,
	                         0);
	return k;
}

static struct passkeys *two(uint32_t max_peers, uint32_t per_minute, const struct passkeys *old)
{
	const struct tracker_passkey keys[] = { passkey(KEY, max_peers, per_minute),
		                                passkey(OTHER, 0, 0) };
	struct passkeys *set = passkeys_new(keys, 2, old);
	assert_non_null(set);
	return set;
}

/* Client `n` announces a torrent at `now` seconds. */
static enum passkeys_verdict announce(const struct passkeys *set, const char *key, uint8_t hash,
                                      uint64_t n, enum peer_event event, uint64_t now)
{
	const struct announce a = { .info_hash = { hash }, .key = n, .event = event };
	return passkeys_announce(set, key, strlen(key), &a, now * 1000, 100);
}

static struct tracker_passkey_use use_of(const struct passkeys *set, const char *key, uint64_t now)
{
	struct tracker_passkey_use use = { 0 };
	const struct tracker_passkey k = passkey(key, 0, 0);
	assert_int_equal(passkeys_use(set, k.hash, now * 1000, &use), ERR_OK);
	return use;
}

static void finds_the_key_in_a_url(void **state)
{
	(void)state;
	static const struct {
		const char *url, *key; /* NULL: none */
	} rows[] = {
		{ "/" KEY "/announce", KEY },
		{ "/announce/" KEY, KEY },
		{ "//announce/" KEY "/", KEY },
		{ "/announce.php/" KEY, KEY },
		{ "/" OTHER "/scrape", OTHER },
		{ "/tracker/" KEY "/announce?x=1", KEY },
		{ "/announce/" KEY "?x=1", KEY },
		{ KEY "/announce", KEY },
		{ "/announce", NULL },
		{ "/announce?passkey=" KEY, KEY },
		{ "/announce?x=1&passkey=" KEY "&info_hash=1", KEY },
		{ "/announce?passkey=" KEY "?info_hash=1", KEY }, /* two queries glued together */
		{ "/announce?authkey=1&torrent_pass=" KEY, KEY },
		{ "/announce.php?passkey=" KEY ";x=1", KEY },
		{ "/" OTHER "/announce?passkey=" KEY, KEY },
		{ "/announce/" OTHER "?torrent_pass=" KEY, KEY },
		{ "/announce?passkey=short", "short" }, /* a bad one is not none */
		{ "/announce?passkey=" KEY "/x", KEY "/x" },
		{ "/announce?passkey=", NULL },
		{ "/announce?passkey", NULL },
		{ "/" OTHER "/announce?passkey=", OTHER },
		{ "/announce?xpasskey=" KEY, NULL },
		{ "/announce?PASSKEY=" KEY, NULL },
		{ "/announce?x=passkey=" KEY, NULL },
		{ "/announce?key=" KEY, NULL },
		{ "/tracker/announce", NULL },
		{ "/announce/0123456789abcde", NULL }, /* 15 */
		{ "/" KEY KEY "0/announce", NULL },    /* 65 */
		{ "/" KEY KEY "/announce", KEY KEY },
		{ "/0123456789abcdef%41/announce", NULL },
		{ "/0123456789abcdef.php/announce", NULL },
		{ "", NULL },
		{ "/", NULL },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *key = NULL;
		size_t size = 0;
		const bool found = passkeys_in_url(
			rows[i].url, rows[i].url + strcspn(rows[i].url, "?"), &key, &size);
		if (found != (rows[i].key != NULL) ||
		    (found && (size != strlen(rows[i].key) || memcmp(key, rows[i].key, size) != 0)))
			fail_msg("%s: %.*s", rows[i].url, (int)size, key != NULL ? key : "");
	}
}

static void knows_its_keys_and_no_other(void **state)
{
	(void)state;
	struct passkeys *set = two(0, 0, NULL);
	assert_true(passkeys_have(set, KEY, strlen(KEY)));
	assert_true(passkeys_have(set, OTHER, strlen(OTHER)));
	assert_false(passkeys_have(set, KEY, strlen(KEY) - 1));
	assert_false(passkeys_have(NULL, KEY, strlen(KEY)));
	assert_int_equal(announce(set, "fedcba9876543210", 1, 1, EVENT_NONE, 1), PASSKEYS_UNKNOWN);
	assert_int_equal(announce(NULL, KEY, 1, 1, EVENT_NONE, 1), PASSKEYS_UNKNOWN);
	struct tracker_passkey_use use;
	const struct tracker_passkey unknown = passkey("fedcba9876543210", 0, 0);
	assert_int_equal(passkeys_use(set, unknown.hash, 1, &use), ERR_NOT_FOUND);
	passkeys_let_go(set);
	passkeys_let_go(NULL);
}

static void a_limit_of_peers_is_exact(void **state)
{
	(void)state;
	struct passkeys *set = two(3, 0, NULL);
	/* Two clients on one torrent, one of them on another, too. */
	assert_int_equal(announce(set, KEY, 1, 1, EVENT_STARTED, 10), PASSKEYS_GOOD);
	assert_int_equal(announce(set, KEY, 1, 2, EVENT_STARTED, 10), PASSKEYS_GOOD);
	assert_int_equal(announce(set, KEY, 2, 1, EVENT_STARTED, 20), PASSKEYS_GOOD);
	assert_int_equal(announce(set, KEY, 3, 1, EVENT_STARTED, 20), PASSKEYS_PEERS);
	assert_int_equal(announce(set, OTHER, 3, 1, EVENT_STARTED, 20), PASSKEYS_GOOD);
	for (unsigned i = 0; i < 5; i++) /* the same again */
		assert_int_equal(announce(set, KEY, 1, 1, EVENT_NONE, 50), PASSKEYS_GOOD);
	assert_int_equal(use_of(set, KEY, 50).peers, 3);
	assert_int_equal(use_of(set, KEY, 50).announces, 8);
	assert_int_equal(use_of(set, KEY, 50).refused, 1);
	/* One leaves, by another it is forgotten. */
	assert_int_equal(announce(set, KEY, 2, 1, EVENT_STOPPED, 60), PASSKEYS_GOOD);
	assert_int_equal(announce(set, KEY, 9, 9, EVENT_STOPPED, 60), PASSKEYS_GOOD); /* unknown */
	assert_int_equal(announce(set, KEY, 3, 1, EVENT_STARTED, 60), PASSKEYS_GOOD);
	assert_int_equal(announce(set, KEY, 4, 1, EVENT_STARTED, 109), PASSKEYS_PEERS);
	assert_int_equal(announce(set, KEY, 4, 1, EVENT_STARTED, 110), PASSKEYS_GOOD);
	assert_int_equal(use_of(set, KEY, 110).peers, 3);
	assert_int_equal(use_of(set, KEY, 300).peers, 0);
	passkeys_let_go(set);
}

static void a_client_is_its_key_or_its_peer_id(void **state)
{
	(void)state;
	struct passkeys *set = two(1, 0, NULL);
	struct announce a = { .peer_id = "aaaaaaaaaaaaaaaaaaaa", .key = 5 };
	assert_int_equal(passkeys_announce(set, KEY, strlen(KEY), &a, 1000, 100), PASSKEYS_GOOD);
	a.peer_id[19] = 'b'; /* started anew */
	assert_int_equal(passkeys_announce(set, KEY, strlen(KEY), &a, 1000, 100), PASSKEYS_GOOD);
	a.key = 0;
	assert_int_equal(passkeys_announce(set, KEY, strlen(KEY), &a, 1000, 100), PASSKEYS_PEERS);
	assert_int_equal(passkeys_announce(set, KEY, strlen(KEY), &a, 200000, 100), PASSKEYS_GOOD);
	a.peer_id[19] = 'c';
	assert_int_equal(passkeys_announce(set, KEY, strlen(KEY), &a, 200000, 100), PASSKEYS_PEERS);
	passkeys_let_go(set);
}

static void a_limit_of_announces_is_a_bucket(void **state)
{
	(void)state;
	struct passkeys *set = two(0, 6, NULL);
	unsigned good = 0;
	for (uint64_t i = 0; i < 20; i++)
		good += announce(set, KEY, 1, i + 1, EVENT_NONE, 5) == PASSKEYS_GOOD;
	assert_int_equal(good, 6);
	assert_int_equal(announce(set, KEY, 1, 1, EVENT_NONE, 5), PASSKEYS_RATE);
	assert_int_equal(announce(set, KEY, 1, 1, EVENT_STOPPED, 5), PASSKEYS_GOOD);
	assert_int_equal(announce(set, KEY, 1, 1, EVENT_NONE, 15), PASSKEYS_GOOD);
	assert_int_equal(announce(set, KEY, 1, 1, EVENT_NONE, 15), PASSKEYS_RATE);
	passkeys_let_go(set);
}

static void goes_on_in_the_next_set(void **state)
{
	(void)state;
	struct passkeys *old = two(1, 0, NULL);
	assert_int_equal(announce(old, KEY, 1, 1, EVENT_STARTED, 10), PASSKEYS_GOOD);
	struct passkeys *next = two(1, 0, old), *held = passkeys_hold(old);
	passkeys_let_go(old);
	assert_int_equal(announce(next, KEY, 1, 2, EVENT_STARTED, 10), PASSKEYS_PEERS);
	assert_int_equal(announce(held, KEY, 1, 1, EVENT_STOPPED, 10), PASSKEYS_GOOD);
	assert_int_equal(announce(next, KEY, 1, 2, EVENT_STARTED, 10), PASSKEYS_GOOD);
	assert_int_equal(use_of(next, KEY, 10).announces, 3);
	passkeys_let_go(held);
	struct passkeys *wider = two(2, 0, next); /* another limit: it begins again */
	assert_int_equal(use_of(wider, KEY, 10).announces, 0);
	passkeys_let_go(next);
	passkeys_let_go(wider);
}

enum { THREADS = 4, EACH = 5000 };

struct hammer {
	const struct passkeys *set;
	uint64_t number;
	unsigned good;
};

static void *hammer(void *arg)
{
	struct hammer *h = arg;
	for (unsigned i = 0; i < EACH; i++)
		h->good += announce(h->set, KEY, 1, h->number,
		                    i % 2 == 0 ? EVENT_NONE : EVENT_STOPPED, 10) == PASSKEYS_GOOD;
	return NULL;
}

static void threads_share_a_key(void **state)
{
	(void)state;
	struct passkeys *set = two(THREADS, 0, NULL);
	struct hammer h[THREADS];
	pthread_t threads[THREADS];
	for (unsigned i = 0; i < THREADS; i++) {
		h[i] = (struct hammer){ .set = set, .number = i + 1 };
		assert_int_equal(pthread_create(&threads[i], NULL, hammer, &h[i]), 0);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(h[i].good, EACH);
	}
	assert_int_equal(use_of(set, KEY, 10).announces, THREADS * EACH);
	assert_int_equal(use_of(set, KEY, 10).peers, 0);
	passkeys_let_go(set);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(finds_the_key_in_a_url),
	cmocka_unit_test(knows_its_keys_and_no_other),
	cmocka_unit_test(a_limit_of_peers_is_exact),
	cmocka_unit_test(a_client_is_its_key_or_its_peer_id),
	cmocka_unit_test(a_limit_of_announces_is_a_bucket),
	cmocka_unit_test(goes_on_in_the_next_set),
	cmocka_unit_test(threads_share_a_key),
};

RUN_TESTS(tests)
