/* SPDX-License-Identifier: Apache-2.0 */
#include "server/tracker/rules.h"

#include "server/tracker/passkeys.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Info-hashes, sorted. */
struct hash_list {
	size_t n;
	uint8_t (*hashes)[INFO_HASH_SIZE];
};

/* Sorted, and none begins as another, so that at most the last one before a peer id can fit it. */
struct client_list {
	size_t n;
	struct client_prefix *prefixes;
};

struct access_lists {
	atomic_uint holders; /* books */
	bool open;
	struct hash_list allowed, denied;
	struct client_list clients;
};

struct rules_office {
	_Atomic uint64_t number; /* read without the lock, written under it */
	pthread_mutex_t lock;    /* guards `in_force` */
	struct rules_book *in_force;
};

static int by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, INFO_HASH_SIZE);
}

static bool hashes_copy(struct hash_list *list, const void *hashes, size_t n)
{
	list->hashes = malloc(n > 0 ? n * INFO_HASH_SIZE : 1);
	if (list->hashes == NULL)
		return false;
	if (n > 0)
		memcpy(list->hashes, hashes, n * INFO_HASH_SIZE);
	list->n = n;
	qsort(list->hashes, n, INFO_HASH_SIZE, by_bytes);
	return true;
}

static bool hashes_have(const struct hash_list *list, const uint8_t hash[static INFO_HASH_SIZE])
{
	return list->n > 0 &&
	       bsearch(hash, list->hashes, list->n, INFO_HASH_SIZE, by_bytes) != NULL;
}

static int by_prefix(const void *a, const void *b)
{
	const struct client_prefix *x = a, *y = b;
	const size_t shorter = x->size < y->size ? x->size : y->size;
	const int c = memcmp(x->bytes, y->bytes, shorter);
	return c != 0 ? c : (x->size > y->size) - (x->size < y->size);
}

static bool begins(const uint8_t peer_id[static PEER_ID_SIZE], const struct client_prefix *p)
{
	return memcmp(peer_id, p->bytes, p->size) == 0;
}

static bool clients_copy(struct client_list *list, const struct client_prefix *prefixes, size_t n)
{
	list->prefixes = calloc(n + 1, sizeof(*list->prefixes));
	if (list->prefixes == NULL)
		return false;
	if (n > 0)
		memcpy(list->prefixes, prefixes, n * sizeof(*prefixes));
	qsort(list->prefixes, n, sizeof(*prefixes), by_prefix);
	for (size_t i = 0; i < n; i++) {
		const struct client_prefix p = list->prefixes[i];
		if (p.size > 0 && (list->n == 0 || !begins(p.bytes, &list->prefixes[list->n - 1])))
			list->prefixes[list->n++] = p;
	}
	return true;
}

static bool clients_have(const struct client_list *list, const uint8_t peer_id[static PEER_ID_SIZE])
{
	size_t low = 0, high = list->n; /* the first one after the peer id is in [low, high] */
	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		const struct client_prefix *p = &list->prefixes[middle];
		if (memcmp(p->bytes, peer_id, p->size) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 && begins(peer_id, &list->prefixes[low - 1]);
}

static void access_let_go(struct access_lists *lists)
{
	if (lists == NULL || atomic_fetch_sub(&lists->holders, 1) != 1)
		return;
	free(lists->allowed.hashes);
	free(lists->denied.hashes);
	free(lists->clients.prefixes);
	free(lists);
}

/* NULL when out of memory. */
static struct access_lists *access_new(const struct tracker_access *a)
{
	struct access_lists *lists = calloc(1, sizeof(*lists));
	if (lists == NULL)
		return NULL;
	atomic_init(&lists->holders, 1);
	lists->open = a->open;
	if (!hashes_copy(&lists->allowed, a->allowed, a->open ? 0 : a->n_allowed) ||
	    !hashes_copy(&lists->denied, a->denied, a->n_denied) ||
	    !clients_copy(&lists->clients, a->clients, a->n_clients)) {
		access_let_go(lists);
		return NULL;
	}
	return lists;
}

static void let_go(struct rules_book *book)
{
	if (book == NULL || atomic_fetch_sub(&book->holders, 1) != 1)
		return;
	access_let_go(book->access);
	passkeys_let_go(book->passkeys);
	free(book->settings.proxies);
	free(book);
}

/* Without lists and keys. */
static struct rules_book *book_new(const struct tracker_settings *settings)
{
	const size_t size = settings->n_proxies * sizeof(*settings->proxies);
	struct rules_book *book = calloc(1, sizeof(*book));
	struct ip_prefix *proxies = malloc(size > 0 ? size : 1);
	if (book == NULL || proxies == NULL) {
		free(book);
		free(proxies);
		return NULL;
	}
	if (size > 0)
		memcpy(proxies, settings->proxies, size);
	book->settings = *settings;
	book->settings.proxies = proxies;
	atomic_init(&book->holders, 1);
	return book;
}

struct rules_office *rules_office_new(const struct tracker_settings *settings)
{
	struct rules_office *office = calloc(1, sizeof(*office));
	if (office == NULL)
		return NULL;
	office->in_force = book_new(settings);
	if (office->in_force == NULL) {
		free(office);
		return NULL;
	}
	atomic_init(&office->number, 1);
	pthread_mutex_init(&office->lock, NULL);
	return office;
}

void rules_office_free(struct rules_office *office)
{
	if (office == NULL)
		return;
	must(atomic_load(&office->in_force->holders) == 1);
	let_go(office->in_force);
	pthread_mutex_destroy(&office->lock);
	free(office);
}

static struct access_lists *access_hold(struct access_lists *lists)
{
	if (lists != NULL)
		atomic_fetch_add(&lists->holders, 1);
	return lists;
}

/*
 * A book in which what is not NULL is new, and all else as before. Takes over the holds on `access` and
 * `keys`, on success only.
 */
static enum err put_in_force(struct rules_office *office, const struct tracker_settings *settings,
                             struct access_lists *access, struct passkeys *keys)
{
	pthread_mutex_lock(&office->lock);
	struct rules_book *old = office->in_force;
	struct rules_book *next = book_new(settings != NULL ? settings : &old->settings);
	if (next != NULL) {
		next->access = access != NULL ? access : access_hold(old->access);
		next->passkeys = keys != NULL ? keys : passkeys_hold(old->passkeys);
		office->in_force = next;
		atomic_fetch_add(&office->number, 1);
	}
	pthread_mutex_unlock(&office->lock);
	if (next == NULL)
		return ERR_NOMEM;
	let_go(old);
	return ERR_OK;
}

enum err rules_settings(struct rules_office *office, const struct tracker_settings *settings)
{
	return put_in_force(office, settings, NULL, NULL);
}

enum err rules_access(struct rules_office *office, const struct tracker_access *a)
{
	struct access_lists *access = access_new(a);
	const enum err e = access != NULL ? put_in_force(office, NULL, access, NULL) : ERR_NOMEM;
	if (e != ERR_OK)
		access_let_go(access);
	return e;
}

enum err rules_passkeys(struct rules_office *office, const struct tracker_passkey *keys, size_t n)
{
	struct rules_lease lease = { 0 };
	const struct rules_book *book = rules_renew(office, &lease);
	must(book != NULL);
	struct passkeys *set = passkeys_new(keys, n, book->passkeys);
	const enum err e = set != NULL ? put_in_force(office, NULL, NULL, set) : ERR_NOMEM;
	if (e != ERR_OK)
		passkeys_let_go(set);
	rules_end(&lease);
	return e;
}

const struct rules_book *rules_renew(struct rules_office *office, struct rules_lease *lease)
{
	if (atomic_load_explicit(&office->number, memory_order_relaxed) == lease->number)
		return lease->book;

	struct rules_book *old = lease->book;
	pthread_mutex_lock(&office->lock);
	lease->book = office->in_force;
	lease->number = atomic_load(&office->number);
	atomic_fetch_add(&lease->book->holders, 1);
	pthread_mutex_unlock(&office->lock);
	let_go(old);
	return lease->book;
}

void rules_end(struct rules_lease *lease)
{
	let_go(lease->book);
	*lease = (struct rules_lease){ 0 };
}

enum rules_verdict rules_judge(const struct rules_book *book,
                               const uint8_t info_hash[static INFO_HASH_SIZE],
                               const uint8_t peer_id[static PEER_ID_SIZE])
{
	const struct access_lists *lists = book->access;
	if (lists == NULL)
		return RULES_ADMITTED;
	if (hashes_have(&lists->denied, info_hash))
		return RULES_DENIED;
	if (!lists->open && !hashes_have(&lists->allowed, info_hash))
		return RULES_UNLISTED;
	return clients_have(&lists->clients, peer_id) ? RULES_CLIENT : RULES_ADMITTED;
}

bool rules_is_proxy(const struct rules_book *book, const struct ip_addr *addr)
{
	for (size_t i = 0; i < book->settings.n_proxies; i++)
		if (ip_prefix_has(&book->settings.proxies[i], addr))
			return true;
	return false;
}
