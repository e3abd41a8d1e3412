/* SPDX-License-Identifier: Apache-2.0 */
#include "server/tracker/worker.h"

#include "common/base/random.h"
#include "server/tracker/passkeys.h"

#include <sodium.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Zeroed by hand, which calloc leaves to the first announces: they shall not wait for pages. */
static struct tracker_worker *workers_new(size_t n)
{
	const size_t size = n * sizeof(struct tracker_worker);
	struct tracker_worker *workers = aligned_alloc(alignof(struct tracker_worker), size);
	if (workers != NULL)
		memset(workers, 0, size);
	return workers;
}

enum err tracker_new(const struct tracker_options *options, const struct tracker_settings *settings,
                     struct tracker **out)
{
	if (sodium_init() < 0)
		return ERR_SYSTEM;
	struct tracker *t = calloc(1, sizeof(*t));
	if (t == NULL)
		return ERR_NOMEM;
	t->options = *options;
	t->rules = rules_office_new(settings);
	t->workers = workers_new(options->workers);
	uint8_t key[HASH_KEY_SIZE];
	(void)crypto_generichash(key, sizeof(key), (const uint8_t *)"limits", 6, options->secret,
	                         sizeof(options->secret));
	t->limits = limits_new(key);
	t->floods = floods_new();
	if (t->rules == NULL || t->workers == NULL || t->limits == NULL || t->floods == NULL) {
		rules_office_free(t->rules);
		limits_free(t->limits);
		floods_free(t->floods);
		free(t->workers);
		free(t);
		return ERR_NOMEM;
	}
	_Static_assert(sizeof(options->secret) == 2UL * HASH_KEY_SIZE, "one secret, two keys");
	memcpy(t->connection_key, options->secret, HASH_KEY_SIZE);
	memcpy(t->identity_key, options->secret + HASH_KEY_SIZE, HASH_KEY_SIZE);

	for (unsigned i = 0; i < options->workers; i++) {
		struct tracker_worker *w = &t->workers[i];
		w->tracker = t;
		w->metrics = metrics_slot(options->metrics, i);
		if (options->accounting != NULL)
			w->accounting = accounting_slot(options->accounting, i);
		memcpy(&w->seed, options->secret, sizeof(w->seed));
		w->seed = random_mix(w->seed + i);
	}
	*out = t;
	return ERR_OK;
}

void tracker_free(struct tracker *t)
{
	if (t == NULL)
		return;
	for (unsigned i = 0; i < t->options.workers; i++) {
		map_end(&t->workers[i].map);
		rules_end(&t->workers[i].rules);
	}
	rules_office_free(t->rules);
	limits_free(t->limits);
	floods_free(t->floods);
	free(t->workers);
	sodium_memzero(t, sizeof(*t)); /* the keys */
	free(t);
}

enum err tracker_reload(struct tracker *t, const struct tracker_settings *settings)
{
	return rules_settings(t->rules, settings);
}

/* Accounting knows swarms by their keyed hashes. */
static enum err name_privates(struct tracker *t, const struct tracker_access *access)
{
	const uint8_t *hashes = access->privates;
	uint64_t *swarms = calloc(access->n_privates + 1, sizeof(*swarms));
	if (swarms == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < access->n_privates; i++)
		swarms[i] = tracker_swarm(t, hashes + i * INFO_HASH_SIZE);
	const enum err e = accounting_private(t->options.accounting, swarms, access->n_privates);
	free(swarms);
	return e;
}

enum err tracker_access(struct tracker *t, const struct tracker_access *access)
{
	const enum err e = rules_access(t->rules, access);
	return e == ERR_OK && t->options.accounting != NULL ? name_privates(t, access) : e;
}

uint64_t tracker_hash(const struct tracker *t, const void *bytes, size_t size)
{
	uint64_t hash;
	_Static_assert(sizeof(hash) == crypto_shorthash_BYTES, "SipHash-2-4");
	(void)crypto_shorthash((uint8_t *)&hash, bytes, size, t->identity_key);
	return hash;
}

uint64_t tracker_swarm(const struct tracker *t, const uint8_t info_hash[static INFO_HASH_SIZE])
{
	return tracker_hash(t, info_hash, INFO_HASH_SIZE);
}

enum err tracker_passkeys(struct tracker *t, const struct tracker_passkey *keys, size_t n)
{
	return rules_passkeys(t->rules, keys, n);
}

enum err tracker_passkey_use(struct tracker *t, const uint8_t hash[static PASSKEY_HASH_SIZE],
                             struct tracker_passkey_use *out)
{
	struct rules_lease lease = { 0 };
	const struct rules_book *book = rules_renew(t->rules, &lease);
	const enum err e = passkeys_use(book->passkeys, hash, clock_ns() / 1000000, out);
	rules_end(&lease);
	return e;
}

size_t tracker_floods(struct tracker *t, uint32_t now, struct flood *out, size_t max)
{
	return floods_due(t->floods, now, out, max);
}

uint64_t clock_ns(void)
{
	struct timespec t;
	must(clock_gettime(CLOCK_MONOTONIC, &t) == 0);
	return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

void worker_begin(struct tracker_worker *w, uint64_t now_ms)
{
	struct timespec calendar;
	must(clock_gettime(CLOCK_REALTIME_COARSE, &calendar) == 0);
	w->now = (uint32_t)(now_ms / 1000);
	w->now_ms = now_ms;
	w->unix_now = calendar.tv_sec;
	w->timed = false;
	(void)map_renew(w->tracker->options.office, &w->map);
	(void)rules_renew(w->tracker->rules, &w->rules);
	if (w->accounting != NULL)
		accounting_enter(w->accounting, &w->map);
}

void worker_end(struct tracker_worker *w)
{
	if (w->accounting != NULL)
		accounting_leave(w->accounting);
}

bool tracker_is_proxy(void *ctx, const struct ip_addr *addr)
{
	const struct tracker *t = ctx;
	struct rules_lease lease = { 0 };
	const bool is = rules_is_proxy(rules_renew(t->rules, &lease), addr);
	rules_end(&lease);
	return is;
}
