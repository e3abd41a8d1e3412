/* SPDX-License-Identifier: Apache-2.0 */
#include "server/tracker/passkeys.h"

#include "common/base/random.h"
#include "common/codec/query.h"
#include "server/tracker/limits.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_MIN = 16, KEY_MAX = 64, MINUTE_MS = 60000 };

/* One peer of a key: which, and until when (steady seconds; 0: an empty place). */
struct place {
	uint32_t tag, until;
};

struct use {
	atomic_uint holders; /* sets */
	pthread_mutex_t lock;
	uint64_t full_us; /* when its bucket of announces is full again (see limits.h) */
	uint64_t announces, refused;
	size_t n;
	struct place places[];
};

struct entry {
	struct tracker_passkey key;
	struct use *use;
};

struct passkeys {
	atomic_uint holders;
	size_t n;
	struct entry entries[]; /* sorted by hash */
};

static int by_hash(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	return memcmp(x->key.hash, y->key.hash, PASSKEY_HASH_SIZE);
}

static struct entry *find(const struct passkeys *set, const uint8_t hash[static PASSKEY_HASH_SIZE])
{
	struct entry wanted;
	memcpy(wanted.key.hash, hash, PASSKEY_HASH_SIZE);
	return bsearch(&wanted, set->entries, set->n, sizeof(wanted), by_hash);
}

static struct use *use_new(size_t places)
{
	struct use *u = calloc(1, sizeof(*u) + places * sizeof(u->places[0]));
	if (u == NULL)
		return NULL;
	atomic_init(&u->holders, 1);
	pthread_mutex_init(&u->lock, NULL);
	u->n = places;
	return u;
}

static void use_let_go(struct use *u)
{
	if (u == NULL || atomic_fetch_sub(&u->holders, 1) != 1)
		return;
	pthread_mutex_destroy(&u->lock);
	free(u);
}

/* That of the old set, unless the limit changed. */
static struct use *use_of(const struct passkeys *old, const struct tracker_passkey *key)
{
	const struct entry *e = old != NULL ? find(old, key->hash) : NULL;
	if (e == NULL || e->use->n != key->max_peers)
		return use_new(key->max_peers);
	atomic_fetch_add(&e->use->holders, 1);
	return e->use;
}

struct passkeys *passkeys_new(const struct tracker_passkey *keys, size_t n,
                              const struct passkeys *old)
{
	struct passkeys *set = calloc(1, sizeof(*set) + n * sizeof(set->entries[0]));
	if (set == NULL)
		return NULL;
	atomic_init(&set->holders, 1);
	for (; set->n < n; set->n++) {
		struct entry *e = &set->entries[set->n];
		e->key = keys[set->n];
		e->use = use_of(old, &e->key);
		if (e->use == NULL) {
			passkeys_let_go(set);
			return NULL;
		}
	}
	qsort(set->entries, n, sizeof(set->entries[0]), by_hash);
	return set;
}

struct passkeys *passkeys_hold(struct passkeys *set)
{
	if (set != NULL)
		atomic_fetch_add(&set->holders, 1);
	return set;
}

void passkeys_let_go(struct passkeys *set)
{
	if (set == NULL || atomic_fetch_sub(&set->holders, 1) != 1)
		return;
	for (size_t i = 0; i < set->n; i++)
		use_let_go(set->entries[i].use);
	free(set);
}

static bool is_key_character(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_';
}

/* What cannot be a key is part of an operator's own path: "/tracker/announce". */
static bool in_path(const char *path, const char **key, size_t *size)
{
	while (*path != '\0' && *path != '?') {
		size_t n = 0;
		while (is_key_character(path[n]))
			n++;
		if (n >= KEY_MIN && n <= KEY_MAX && strchr("/?", path[n]) != NULL) {
			*key = path;
			*size = n;
			return true;
		}
		path += n + strcspn(path + n, "/?");
		path += *path == '/';
	}
	return false;
}

/*
 * The query first: there a key has a name, while an operator's own path may look like one. So what
 * has the name is the key, and is looked up whatever it looks like.
 */
bool passkeys_in_url(const char *path, const char *query, const char **key, size_t *size)
{
	const size_t query_size = strlen(query);
	return query_find(query, query_size, "passkey", key, size) ||
	       query_find(query, query_size, "torrent_pass", key, size) || in_path(path, key, size);
}

/* Also server/auth makes hashes so. */
static const struct entry *look_up(const struct passkeys *set, const char *key, size_t size)
{
	uint8_t hash[PASSKEY_HASH_SIZE];
	(void)crypto_generichash(hash, sizeof(hash), (const uint8_t *)key, size, NULL, 0);
	return find(set, hash);
}

bool passkeys_have(const struct passkeys *set, const char *key, size_t size)
{
	return set != NULL && look_up(set, key, size) != NULL;
}

/*
 * A client is its `key`, else its peer id; so one with two addresses takes one place. Two clients of
 * one passkey share a tag once in 2^32.
 */
static uint32_t tag_of(const struct announce *a)
{
	uint64_t words[6] = { 0 };
	memcpy(words, a->info_hash, INFO_HASH_SIZE);
	if (a->key != 0)
		words[3] = a->key;
	else
		memcpy(words + 3, a->peer_id, PEER_ID_SIZE);
	uint64_t h = a->key != 0;
	for (size_t i = 0; i < 6; i++)
		h = random_mix(h + words[i]);
	return (uint32_t)h;
}

static void leave(struct use *u, uint32_t tag)
{
	for (size_t i = 0; i < u->n; i++)
		if (u->places[i].tag == tag)
			u->places[i].until = 0;
}

/* Its place, else a free one; false when there is neither. */
static bool stay(struct use *u, uint32_t tag, uint32_t now, uint32_t until)
{
	struct place *place = NULL;
	for (size_t i = 0; i < u->n; i++) {
		struct place *p = &u->places[i];
		if (p->tag == tag && p->until > now) {
			place = p;
			break;
		}
		if (place == NULL && p->until <= now)
			place = p;
	}
	if (place != NULL)
		*place = (struct place){ tag, until };
	return place != NULL;
}

static bool in_time(struct use *u, uint32_t per_minute, uint64_t now_ms)
{
	const uint64_t now = now_ms * 1000;
	const uint64_t full = (u->full_us > now ? u->full_us : now) + limits_pace(per_minute);
	if (full > now + MINUTE_MS * UINT64_C(1000))
		return false;
	u->full_us = full;
	return true;
}

static enum passkeys_verdict judge(const struct entry *e, const struct announce *a, uint64_t now_ms,
                                   uint32_t seconds)
{
	const uint32_t now = (uint32_t)(now_ms / 1000);
	if (a->event == EVENT_STOPPED) {
		leave(e->use, tag_of(a));
		return PASSKEYS_GOOD;
	}
	if (!in_time(e->use, e->key.per_minute, now_ms))
		return PASSKEYS_RATE;
	if (e->use->n > 0 && !stay(e->use, tag_of(a), now, now + seconds))
		return PASSKEYS_PEERS;
	return PASSKEYS_GOOD;
}

enum passkeys_verdict passkeys_announce(const struct passkeys *set, const char *key, size_t size,
                                        const struct announce *a, uint64_t now_ms, uint32_t seconds)
{
	const struct entry *e = set != NULL ? look_up(set, key, size) : NULL;
	if (e == NULL)
		return PASSKEYS_UNKNOWN;
	pthread_mutex_lock(&e->use->lock);
	const enum passkeys_verdict verdict = judge(e, a, now_ms, seconds);
	if (verdict == PASSKEYS_GOOD)
		e->use->announces++;
	else
		e->use->refused++;
	pthread_mutex_unlock(&e->use->lock);
	return verdict;
}

enum err passkeys_use(const struct passkeys *set, const uint8_t hash[static PASSKEY_HASH_SIZE],
                      uint64_t now_ms, struct tracker_passkey_use *out)
{
	const struct entry *e = set != NULL ? find(set, hash) : NULL;
	if (e == NULL)
		return ERR_NOT_FOUND;
	struct use *u = e->use;
	pthread_mutex_lock(&u->lock);
	*out = (struct tracker_passkey_use){ .announces = u->announces, .refused = u->refused };
	for (size_t i = 0; i < u->n; i++)
		out->peers += u->places[i].until > now_ms / 1000;
	pthread_mutex_unlock(&u->lock);
	return ERR_OK;
}
