/* SPDX-License-Identifier: Apache-2.0 */
#include "server/accounting/ledger.h"

#include "common/base/random.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { SHARDS = 64 };

struct entry {
	uint64_t up, down;
	uint64_t wanted; /* bytes it lacked at first */
	uint32_t seen;   /* unix seconds */
	uint8_t visits;
};

/* The keys stand together: a search reads two cache lines, then the entry's. */
struct set {
	uint64_t keys[LEDGER_WAYS]; /* 0: empty */
	struct entry entries[LEDGER_WAYS];
};

/* What a client last said of any swarm. Lossy: of two clients at one place the later stays. */
struct last {
	uint64_t client, swarm;
	uint64_t up, down;
	uint32_t seen;
};

struct shard {
	pthread_mutex_t lock;
	struct set *sets;
	struct last *lasts;
	_Atomic size_t count; /* written under the lock */
};

struct ledger {
	size_t sets, lasts; /* of each shard */
	struct shard shards[SHARDS];
};

struct ledger *ledger_new(size_t clients)
{
	struct ledger *l = calloc(1, sizeof(*l));
	if (l == NULL)
		return NULL;
	/* Half full on average, a set overflows in 4 of 1000 cases. */
	l->sets = 1 + 2 * clients / ((size_t)SHARDS * LEDGER_WAYS);
	l->lasts = 1 + clients / SHARDS;
	for (size_t i = 0; i < SHARDS; i++)
		pthread_mutex_init(&l->shards[i].lock, NULL);
	for (size_t i = 0; i < SHARDS; i++) {
		l->shards[i].sets = calloc(l->sets, sizeof(struct set));
		l->shards[i].lasts = calloc(l->lasts, sizeof(struct last));
		if (l->shards[i].sets == NULL || l->shards[i].lasts == NULL) {
			ledger_free(l);
			return NULL;
		}
	}
	return l;
}

void ledger_free(struct ledger *l)
{
	if (l == NULL)
		return;
	for (size_t i = 0; i < SHARDS; i++) {
		pthread_mutex_destroy(&l->shards[i].lock);
		free(l->shards[i].sets);
		free(l->shards[i].lasts);
	}
	free(l);
}

/* A hash spread over [0, n), n below 2^32. */
static size_t spread(uint64_t hash, size_t n)
{
	return (size_t)((hash >> 32) * n >> 32);
}

static void count_add(struct shard *s, size_t n)
{
	atomic_store_explicit(&s->count, s->count + n, memory_order_relaxed);
}

static void forget(struct shard *s, struct set *set, size_t way)
{
	set->keys[way] = 0;
	count_add(s, SIZE_MAX);
}

static size_t find_way(const struct set *set, uint64_t key)
{
	size_t way = 0;
	while (way < LEDGER_WAYS && set->keys[way] != key)
		way++;
	return way;
}

/* A way for a newcomer: an empty one, else that of whoever was silent longest. */
static size_t make_room(struct shard *s, struct set *set)
{
	size_t oldest = find_way(set, 0);
	if (oldest < LEDGER_WAYS) {
		count_add(s, 1);
		return oldest;
	}
	oldest = 0;
	for (size_t i = 1; i < LEDGER_WAYS; i++)
		if (set->entries[i].seen < set->entries[oldest].seen)
			oldest = i;
	return oldest;
}

/* True when the client said the same of another swarm just now; else this is what it last said. */
static bool is_twin(struct last *last, const struct ledger_note *n)
{
	if (n->up == 0 && n->down == 0)
		return false;
	if (last->client == n->client && last->swarm != n->swarm && last->up == n->up &&
	    last->down == n->down && n->now <= (int64_t)last->seen + LEDGER_TWIN)
		return true;
	*last = (struct last){ .client = n->client,
		               .swarm = n->swarm,
		               .up = n->up,
		               .down = n->down,
		               .seen = (uint32_t)n->now };
	return false;
}

static uint64_t cut(uint64_t bytes, uint64_t per_second, uint32_t elapsed, bool *was_cut)
{
	const uint64_t seconds = elapsed > 0 ? elapsed : 1;
	if (per_second == 0 || bytes / seconds < per_second || bytes <= per_second * seconds)
		return bytes;
	*was_cut = true;
	return per_second * seconds;
}

static struct ledger_delta compare(const struct entry *e, const struct ledger_note *n, bool twin)
{
	struct ledger_delta d = { .verdict = LEDGER_COUNTED, .visits = e->visits, .need = 1 };
	if (n->left < e->wanted)
		d.need = (float)n->left / (float)e->wanted;
	d.elapsed = n->now > e->seen ? (uint32_t)(n->now - e->seen) : 0;

	if (n->event == EVENT_STARTED || d.elapsed > LEDGER_IDLE)
		return (struct ledger_delta){ .verdict = LEDGER_BASELINE };
	if (n->up < e->up || n->down < e->down)
		return (struct ledger_delta){ .verdict = LEDGER_RESTARTED };
	if (twin) {
		d.verdict = n->up > e->up || n->down > e->down ? LEDGER_WAS_TWIN : LEDGER_COUNTED;
		return d;
	}
	d.up = cut(n->up - e->up, n->up_max, d.elapsed, &d.cut);
	d.down = cut(n->down - e->down, n->down_max, d.elapsed, &d.cut);
	return d;
}

static void remember(struct entry *e, const struct ledger_note *n, unsigned visits)
{
	if (visits == 0)
		e->wanted = n->left;
	e->up = n->up;
	e->down = n->down;
	if (n->now > e->seen)
		e->seen = (uint32_t)n->now;
	e->visits = (uint8_t)(visits < UINT8_MAX ? visits + 1 : visits);
}

struct ledger_delta ledger_update(struct ledger *l, const struct ledger_note *n)
{
	struct shard *s = &l->shards[n->client % SHARDS];
	const uint64_t hash = random_mix(n->client ^ random_mix(n->swarm));
	const uint64_t key = hash != 0 ? hash : 1;
	struct set *set = &s->sets[spread(hash, l->sets)];
	struct last *last = &s->lasts[spread(n->client, l->lasts)];
	struct ledger_delta d = { .verdict = LEDGER_BASELINE };

	/* None of it is in the cache: fetch it at once, not one after the other. */
	if (n->up != 0 || n->down != 0)
		__builtin_prefetch(last, 1);
	__builtin_prefetch(&set->keys[0]);
	__builtin_prefetch(&set->keys[LEDGER_WAYS / 2]);

	pthread_mutex_lock(&s->lock);
	const bool twin = is_twin(last, n);
	size_t way = find_way(set, key);
	if (way < LEDGER_WAYS)
		d = compare(&set->entries[way], n, twin);
	if (n->event == EVENT_STOPPED) {
		if (way < LEDGER_WAYS)
			forget(s, set, way);
	} else {
		if (way == LEDGER_WAYS) {
			way = make_room(s, set);
			set->keys[way] = key;
			set->entries[way] = (struct entry){ 0 };
		}
		remember(&set->entries[way], n, d.visits);
	}
	pthread_mutex_unlock(&s->lock);
	return d;
}

void ledger_expire(struct ledger *l, unsigned part, unsigned parts, int64_t now)
{
	for (size_t i = 0; i < SHARDS; i++) {
		struct shard *s = &l->shards[i];
		pthread_mutex_lock(&s->lock);
		for (size_t at = part % parts; at < l->sets; at += parts)
			for (size_t way = 0; way < LEDGER_WAYS; way++)
				if (s->sets[at].keys[way] != 0 &&
				    s->sets[at].entries[way].seen + (int64_t)LEDGER_IDLE < now)
					forget(s, &s->sets[at], way);
		pthread_mutex_unlock(&s->lock);
	}
}

size_t ledger_count(struct ledger *l)
{
	size_t n = 0;
	for (size_t i = 0; i < SHARDS; i++)
		n += atomic_load_explicit(&l->shards[i].count, memory_order_relaxed);
	return n;
}

/* ---- over a restart ---- */

enum { RECORD_ENTRY, RECORD_LAST, RECORD_MAX = 64 };

static void put_entry(struct text *out, size_t shard, uint64_t key, const struct entry *e)
{
	uint8_t bytes[RECORD_MAX];
	struct writer w = writer_over(bytes, sizeof(bytes));
	writer_u8(&w, RECORD_ENTRY);
	writer_u8(&w, (uint8_t)shard);
	writer_u64(&w, key);
	writer_u64(&w, e->up);
	writer_u64(&w, e->down);
	writer_u32(&w, e->seen);
	writer_u8(&w, e->visits);
	writer_u64(&w, e->wanted);
	text_add(out, bytes, writer_size(&w));
}

static void put_last(struct text *out, const struct last *last)
{
	uint8_t bytes[RECORD_MAX];
	struct writer w = writer_over(bytes, sizeof(bytes));
	writer_u8(&w, RECORD_LAST);
	writer_u64(&w, last->client);
	writer_u64(&w, last->swarm);
	writer_u64(&w, last->up);
	writer_u64(&w, last->down);
	writer_u32(&w, last->seen);
	text_add(out, bytes, writer_size(&w));
}

void ledger_export(struct ledger *l, struct text *out)
{
	for (size_t i = 0; i < SHARDS; i++) {
		struct shard *s = &l->shards[i];
		pthread_mutex_lock(&s->lock);
		for (size_t at = 0; at < l->sets; at++)
			for (size_t way = 0; way < LEDGER_WAYS; way++)
				if (s->sets[at].keys[way] != 0)
					put_entry(out, i, s->sets[at].keys[way],
					          &s->sets[at].entries[way]);
		for (size_t at = 0; at < l->lasts; at++)
			if (s->lasts[at].seen != 0)
				put_last(out, &s->lasts[at]);
		pthread_mutex_unlock(&s->lock);
	}
}

/* The clock may have been ahead; nobody was seen later than now. */
static uint32_t seen_by(uint32_t seen, int64_t now)
{
	return (int64_t)seen > now ? (uint32_t)now : seen;
}

static bool take_entry(struct ledger *l, struct reader *r, int64_t now)
{
	struct entry e = { 0 };
	const uint8_t shard = reader_u8(r);
	const uint64_t key = reader_u64(r);
	e.up = reader_u64(r);
	e.down = reader_u64(r);
	e.seen = seen_by(reader_u32(r), now);
	e.visits = reader_u8(r);
	e.wanted = reader_u64(r);
	if (r->bad || shard >= SHARDS || key == 0)
		return false;
	if ((int64_t)e.seen + LEDGER_IDLE < now)
		return true;
	struct shard *s = &l->shards[shard];
	struct set *set = &s->sets[spread(key, l->sets)];
	pthread_mutex_lock(&s->lock);
	size_t way = find_way(set, key);
	if (way == LEDGER_WAYS)
		way = make_room(s, set);
	set->keys[way] = key;
	set->entries[way] = e;
	pthread_mutex_unlock(&s->lock);
	return true;
}

static bool take_last(struct ledger *l, struct reader *r, int64_t now)
{
	struct last last = { .client = reader_u64(r) };
	last.swarm = reader_u64(r);
	last.up = reader_u64(r);
	last.down = reader_u64(r);
	last.seen = seen_by(reader_u32(r), now);
	if (r->bad)
		return false;
	struct shard *s = &l->shards[last.client % SHARDS];
	pthread_mutex_lock(&s->lock);
	if ((int64_t)last.seen + LEDGER_TWIN >= now)
		s->lasts[spread(last.client, l->lasts)] = last;
	pthread_mutex_unlock(&s->lock);
	return true;
}

enum err ledger_import(struct ledger *l, struct reader *r, int64_t now)
{
	bool good = true;
	while (good && reader_left(r) > 0) {
		const uint8_t kind = reader_u8(r);
		if (kind == RECORD_ENTRY)
			good = take_entry(l, r, now);
		else
			good = kind == RECORD_LAST && take_last(l, r, now);
	}
	return good ? ERR_OK : ERR_MALFORMED;
}
