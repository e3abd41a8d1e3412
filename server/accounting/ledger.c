/* SPDX-License-Identifier: Apache-2.0 */
#include "server/accounting/ledger.h"

#include "common/base/random.h"
#include "server/accounting/shard.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
	SHARDS = 1024, /* so that a table grows under its lock in a tenth of a millisecond */
	LOST_SLACK = 2 /* seconds: two clocks, both rounded */
};

struct ledger {
	uint32_t most; /* entries of a shard */
	struct shard shards[SHARDS];
};

struct ledger *ledger_new(size_t clients, int64_t lost)
{
	struct ledger *l = aligned_alloc(alignof(struct ledger), sizeof(*l));
	if (l == NULL)
		return NULL;
	memset(l, 0, sizeof(*l));
	/* Shards are unequal: room for eight standard deviations. */
	const double mean = (double)clients / SHARDS, most = mean + 8 * sqrt(mean) + 16;
	l->most = most < 1U << 30 ? (uint32_t)most : 1U << 30;
	for (size_t i = 0; i < SHARDS; i++) {
		pthread_mutex_init(&l->shards[i].lock, NULL);
		l->shards[i].lost = lost;
	}
	return l;
}

void ledger_free(struct ledger *l)
{
	if (l == NULL)
		return;
	for (size_t i = 0; i < SHARDS; i++) {
		pthread_mutex_destroy(&l->shards[i].lock);
		shard_done(&l->shards[i]);
	}
	free(l);
}

/* ---- an announce ---- */

static uint64_t key_of(uint64_t client, uint64_t swarm)
{
	const uint64_t hash = random_mix(client ^ random_mix(swarm)) & ~UINT64_C(0xff);
	return hash != 0 ? hash : 0x100;
}

static bool moved(const struct ledger_note *n)
{
	return n->up != 0 || n->down != 0;
}

/* True when the client said the same of another swarm just now; else this is what it last said. */
static bool is_twin(struct shard *s, const struct ledger_note *n)
{
	const uint64_t said = random_mix(n->up ^ random_mix(n->down));
	struct last *last = shard_last(s, n->client);
	if (last == NULL)
		return false;
	if (last->client == n->client && last->swarm != (uint32_t)n->swarm && last->said == said &&
	    n->now <= (int64_t)last->seen + LEDGER_TWIN)
		return true;
	*last = (struct last){ .client = n->client,
		               .said = said,
		               .swarm = (uint32_t)n->swarm,
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
	struct ledger_delta d = { .verdict = LEDGER_COUNTED,
		                  .visits = (unsigned)(e->key & 0xff),
		                  .need = 1 };
	if ((float)n->left < e->wanted)
		d.need = (float)n->left / e->wanted;
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

/* As if it had an entry of zeros, made at its last announce. */
static struct ledger_delta compare_with_nothing(const struct shard *s, const struct ledger_note *n,
                                                bool twin)
{
	if (!n->known || (moved(n) && s->lost != 0 && n->now - n->silent <= s->lost + LOST_SLACK))
		return (struct ledger_delta){ .verdict = LEDGER_BASELINE };
	const float wanted = (float)n->left + (float)n->down;
	const uint32_t seen = n->now > n->silent ? (uint32_t)(n->now - n->silent) : 0;
	return compare(&(struct entry){ .key = 1, .seen = seen, .wanted = wanted }, n, twin);
}

static void remember(struct entry *e, uint64_t key, const struct ledger_note *n, unsigned visits)
{
	/* Made late, in a session that began before: what it has got is part of what it wanted. */
	if (entry_empty(e))
		e->wanted = (float)n->left + (n->event != EVENT_STARTED ? (float)n->down : 0);
	else if (visits == 0)
		e->wanted = (float)n->left;
	e->up = n->up;
	e->down = n->down;
	if (n->now > e->seen)
		e->seen = (uint32_t)n->now;
	e->key = key | (visits < UINT8_MAX ? visits + 1 : visits);
}

struct ledger_delta ledger_update(struct ledger *l, const struct ledger_note *n)
{
	struct shard *s = &l->shards[n->client % SHARDS];
	const uint64_t key = key_of(n->client, n->swarm);
	if (shard_count(s) == 0 && !moved(n))
		return compare_with_nothing(s, n, false);

	pthread_mutex_lock(&s->lock);
	const bool twin = moved(n) && is_twin(s, n);
	struct entry *e = shard_find(s, key);
	const bool there = e != NULL && !entry_empty(e);
	const struct ledger_delta d =
		there ? compare(e, n, twin) : compare_with_nothing(s, n, twin);
	if (there && (!moved(n) || n->event == EVENT_STOPPED)) {
		shard_remove(s, e);
	} else if (moved(n) && n->event != EVENT_STOPPED) {
		if (!there)
			e = shard_add(s, l->most, key);
		if (e != NULL)
			remember(e, key, n, d.visits);
		else
			s->lost = n->now;
	}
	pthread_mutex_unlock(&s->lock);
	return d;
}

void ledger_prefetch(const struct ledger *l, uint64_t client, uint64_t swarm)
{
	shard_prefetch(&l->shards[client % SHARDS], key_of(client, swarm), client);
}

/* ---- in the background ---- */

void ledger_expire(struct ledger *l, unsigned part, unsigned parts, int64_t now)
{
	for (size_t i = part % parts; i < SHARDS; i += parts) {
		struct shard *s = &l->shards[i];
		pthread_mutex_lock(&s->lock);
		shard_expire(s, now - LEDGER_IDLE - LOST_SLACK);
		pthread_mutex_unlock(&s->lock);
	}
}

size_t ledger_count(const struct ledger *l)
{
	size_t n = 0;
	for (size_t i = 0; i < SHARDS; i++)
		n += shard_count(&l->shards[i]);
	return n;
}

/* ---- over a restart ---- */

enum { RECORD_ENTRY, RECORD_LAST, RECORD_LOST, RECORD_MAX = 64 };

static void put_entry(struct text *out, size_t shard, const struct entry *e)
{
	uint8_t bytes[RECORD_MAX];
	uint32_t wanted;
	struct writer w = writer_over(bytes, sizeof(bytes));
	_Static_assert(sizeof(wanted) == sizeof(e->wanted), "IEEE 754");
	memcpy(&wanted, &e->wanted, sizeof(wanted));
	writer_u8(&w, RECORD_ENTRY);
	writer_u16(&w, (uint16_t)shard);
	writer_u64(&w, e->key);
	writer_u64(&w, e->up);
	writer_u64(&w, e->down);
	writer_u32(&w, e->seen);
	writer_u32(&w, wanted);
	text_add(out, bytes, writer_size(&w));
}

static void put_last(struct text *out, const struct last *last)
{
	uint8_t bytes[RECORD_MAX];
	struct writer w = writer_over(bytes, sizeof(bytes));
	writer_u8(&w, RECORD_LAST);
	writer_u64(&w, last->client);
	writer_u64(&w, last->said);
	writer_u32(&w, last->swarm);
	writer_u32(&w, last->seen);
	text_add(out, bytes, writer_size(&w));
}

static void put_lost(struct text *out, size_t shard, int64_t lost)
{
	uint8_t bytes[RECORD_MAX];
	struct writer w = writer_over(bytes, sizeof(bytes));
	writer_u8(&w, RECORD_LOST);
	writer_u16(&w, (uint16_t)shard);
	writer_u64(&w, (uint64_t)lost);
	text_add(out, bytes, writer_size(&w));
}

void ledger_export(struct ledger *l, struct text *out)
{
	for (size_t i = 0; i < SHARDS; i++) {
		struct shard *s = &l->shards[i];
		pthread_mutex_lock(&s->lock);
		const struct entry *slots = shard_slots(s);
		for (uint32_t at = 0; at < shard_size(s); at++)
			if (!entry_empty(&slots[at]))
				put_entry(out, i, &slots[at]);
		for (uint32_t at = 0; at < s->n_lasts; at++)
			if (s->lasts[at].seen != 0)
				put_last(out, &s->lasts[at]);
		if (s->lost != 0)
			put_lost(out, i, s->lost);
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
	const uint16_t shard = reader_u16(r);
	e.key = reader_u64(r);
	e.up = reader_u64(r);
	e.down = reader_u64(r);
	e.seen = seen_by(reader_u32(r), now);
	const uint32_t wanted = reader_u32(r);
	memcpy(&e.wanted, &wanted, sizeof(wanted));
	if (r->bad || shard >= SHARDS || entry_empty(&e) || !(e.wanted >= 0))
		return false;
	struct shard *s = &l->shards[shard];
	if ((int64_t)e.seen + LEDGER_IDLE < now) {
		s->lost = now;
		return true;
	}
	pthread_mutex_lock(&s->lock);
	struct entry *at = shard_find(s, e.key);
	if (at == NULL || entry_empty(at))
		at = shard_add(s, l->most, e.key);
	if (at != NULL)
		*at = e;
	pthread_mutex_unlock(&s->lock);
	return at != NULL;
}

static bool take_last(struct ledger *l, struct reader *r, int64_t now)
{
	struct last last = { .client = reader_u64(r) };
	last.said = reader_u64(r);
	last.swarm = reader_u32(r);
	last.seen = seen_by(reader_u32(r), now);
	if (r->bad)
		return false;
	struct shard *s = &l->shards[last.client % SHARDS];
	pthread_mutex_lock(&s->lock);
	struct last *at =
		(int64_t)last.seen + LEDGER_TWIN >= now ? shard_last(s, last.client) : NULL;
	if (at != NULL)
		*at = last;
	pthread_mutex_unlock(&s->lock);
	return true;
}

static bool take_lost(struct ledger *l, struct reader *r, int64_t now)
{
	const uint16_t shard = reader_u16(r);
	const int64_t lost = (int64_t)reader_u64(r);
	if (r->bad || shard >= SHARDS || lost < 0 || lost > now)
		return false;
	if (lost + LEDGER_IDLE >= now)
		l->shards[shard].lost = lost;
	return true;
}

static bool take_record(struct ledger *l, struct reader *r, int64_t now)
{
	switch (reader_u8(r)) {
	case RECORD_ENTRY:
		return take_entry(l, r, now);
	case RECORD_LAST:
		return take_last(l, r, now);
	case RECORD_LOST:
		return take_lost(l, r, now);
	default:
		return false;
	}
}

/*
 * Who was displaced before the end and is heard of again after the start looks younger than it is, for
 * the swarm store may not count the time between. So nobody from before is trusted then.
 */
enum err ledger_import(struct ledger *l, struct reader *r, int64_t now)
{
	bool good = true;
	for (size_t i = 0; i < SHARDS; i++)
		l->shards[i].lost = 0;
	while (good && reader_left(r) > 0)
		good = take_record(l, r, now);
	for (size_t i = 0; i < SHARDS; i++)
		if (!good || l->shards[i].lost != 0)
			l->shards[i].lost = now;
	return good ? ERR_OK : ERR_MALFORMED;
}
