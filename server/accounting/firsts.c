/* SPDX-License-Identifier: Apache-2.0 */
#include "server/accounting/firsts.h"

#include "common/base/random.h"

#include <stdatomic.h>
#include <stdlib.h>

/* tag (31 bits, never 0) | comes again | unix seconds (32 bits); 0: empty */
typedef _Atomic uint64_t place;
#define AGAIN (UINT64_C(1) << 32)

enum { LINE = FIRSTS_WAYS * sizeof(place) };

struct firsts {
	size_t mask; /* of lines */
	place *places;
	void *memory; /* a line more, for they begin where one does; not touched before it is used */
};

struct firsts *firsts_new(size_t clients)
{
	size_t lines = 1;
	while (lines * FIRSTS_WAYS < clients)
		lines *= 2;
	struct firsts *f = malloc(sizeof(*f));
	if (f == NULL)
		return NULL;
	*f = (struct firsts){ .mask = lines - 1, .memory = calloc(lines + 1, LINE) };
	if (f->memory == NULL) {
		free(f);
		return NULL;
	}
	/* NOLINTNEXTLINE(performance-no-int-to-ptr): rounded up within what calloc() gave */
	f->places = (place *)(((uintptr_t)f->memory + LINE - 1) / LINE * LINE);
	return f;
}

void firsts_free(struct firsts *f)
{
	if (f == NULL)
		return;
	free(f->memory);
	free(f);
}

static uint64_t hash_of(uint64_t client, uint64_t swarm)
{
	return random_mix(client ^ random_mix(swarm + 1));
}

static place *line_of(const struct firsts *f, uint64_t hash)
{
	return &f->places[(hash & f->mask) * FIRSTS_WAYS];
}

static uint64_t tag_of(uint64_t hash)
{
	return hash >> 33 != 0 ? hash >> 33 : 1;
}

static uint64_t read(place *p)
{
	return atomic_load_explicit(p, memory_order_relaxed);
}

static void set(place *p, uint64_t word)
{
	atomic_store_explicit(p, word, memory_order_relaxed);
}

static bool is_old(uint64_t word, int64_t now)
{
	return word == 0 || now - (int64_t)(uint32_t)word > FIRSTS_IDLE;
}

bool firsts_put(struct firsts *f, uint64_t client, uint64_t swarm, int64_t now)
{
	const uint64_t hash = hash_of(client, swarm);
	place *line = line_of(f, hash), *oldest = line;
	for (unsigned i = 0; i < FIRSTS_WAYS; i++) {
		const uint64_t word = read(&line[i]);
		if (word >> 33 == tag_of(hash)) {
			if (now - (int64_t)(uint32_t)word > FIRSTS_AGAIN)
				set(&line[i], word | AGAIN);
			return false;
		}
		if ((uint32_t)word < (uint32_t)read(oldest))
			oldest = &line[i];
	}
	const bool lost = !is_old(read(oldest), now);
	set(oldest, tag_of(hash) << 33 | (uint32_t)now);
	return lost;
}

bool firsts_take(struct firsts *f, uint64_t client, uint64_t swarm, int64_t now, uint32_t *seconds)
{
	const uint64_t hash = hash_of(client, swarm);
	place *line = line_of(f, hash);
	for (unsigned i = 0; i < FIRSTS_WAYS; i++) {
		const uint64_t word = read(&line[i]);
		if (word >> 33 != tag_of(hash))
			continue;
		set(&line[i], 0);
		const int64_t first = (uint32_t)word;
		if ((word & AGAIN) != 0 || now < first)
			return false;
		*seconds = (uint32_t)(now - first);
		return true;
	}
	return false;
}

void firsts_clear(struct firsts *f)
{
	for (size_t i = 0; i < (f->mask + 1) * FIRSTS_WAYS; i++)
		if (read(&f->places[i]) != 0)
			set(&f->places[i], 0);
}

void firsts_prefetch(const struct firsts *f, uint64_t client, uint64_t swarm)
{
	__builtin_prefetch(line_of(f, hash_of(client, swarm)), 1);
}
