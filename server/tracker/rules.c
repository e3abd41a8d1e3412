/* SPDX-License-Identifier: Apache-2.0 */
#include "server/tracker/rules.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct access_list {
	atomic_uint holders; /* books */
	size_t n;
	uint8_t hashes[][INFO_HASH_SIZE]; /* sorted */
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

static struct access_list *access_new(const void *hashes, size_t n)
{
	struct access_list *list = malloc(sizeof(*list) + n * INFO_HASH_SIZE);
	if (list == NULL)
		return NULL;
	atomic_init(&list->holders, 1);
	list->n = n;
	if (n > 0)
		memcpy(list->hashes, hashes, n * INFO_HASH_SIZE);
	qsort(list->hashes, n, INFO_HASH_SIZE, by_bytes);
	return list;
}

static void access_let_go(struct access_list *list)
{
	if (list != NULL && atomic_fetch_sub(&list->holders, 1) == 1)
		free(list);
}

static void let_go(struct rules_book *book)
{
	if (book == NULL || atomic_fetch_sub(&book->holders, 1) != 1)
		return;
	access_let_go(book->access);
	free(book->settings.proxies);
	free(book);
}

/* Takes over one hold on `access`, on success only. */
static struct rules_book *book_new(const struct tracker_settings *settings,
                                   struct access_list *access)
{
	const size_t size = settings->n_proxies * sizeof(*settings->proxies);
	struct rules_book *book = malloc(sizeof(*book));
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
	book->access = access;
	atomic_init(&book->holders, 1);
	return book;
}

struct rules_office *rules_office_new(const struct tracker_settings *settings)
{
	struct rules_office *office = calloc(1, sizeof(*office));
	if (office == NULL)
		return NULL;
	office->in_force = book_new(settings, NULL);
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

/* With the lock held. Returns the book that was in force. */
static struct rules_book *replace(struct rules_office *office, struct rules_book *next)
{
	struct rules_book *old = office->in_force;
	office->in_force = next;
	atomic_fetch_add(&office->number, 1);
	return old;
}

enum err rules_settings(struct rules_office *office, const struct tracker_settings *settings)
{
	struct rules_book *old = NULL;
	pthread_mutex_lock(&office->lock);
	struct access_list *access = office->in_force->access;
	struct rules_book *next = book_new(settings, access);
	if (next != NULL) {
		if (access != NULL)
			atomic_fetch_add(&access->holders, 1);
		old = replace(office, next);
	}
	pthread_mutex_unlock(&office->lock);
	let_go(old);
	return next != NULL ? ERR_OK : ERR_NOMEM;
}

enum err rules_access(struct rules_office *office, const void *hashes, size_t n, bool open)
{
	struct access_list *access = open ? NULL : access_new(hashes, n);
	struct rules_book *old = NULL;
	if (!open && access == NULL)
		return ERR_NOMEM;
	pthread_mutex_lock(&office->lock);
	struct rules_book *next = book_new(&office->in_force->settings, access);
	if (next != NULL)
		old = replace(office, next);
	pthread_mutex_unlock(&office->lock);
	let_go(old);
	if (next == NULL)
		access_let_go(access);
	return next != NULL ? ERR_OK : ERR_NOMEM;
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

bool rules_admit(const struct rules_book *book, const uint8_t info_hash[static INFO_HASH_SIZE])
{
	const struct access_list *list = book->access;
	return list == NULL ||
	       bsearch(info_hash, list->hashes, list->n, INFO_HASH_SIZE, by_bytes) != NULL;
}

bool rules_is_proxy(const struct rules_book *book, const struct ip_addr *addr)
{
	for (size_t i = 0; i < book->settings.n_proxies; i++)
		if (ip_prefix_has(&book->settings.proxies[i], addr))
			return true;
	return false;
}
