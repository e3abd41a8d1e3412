/* SPDX-License-Identifier: Apache-2.0 */
#include "server/accounting/firsts.h"

#include "common/base/random.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* tag (31 bits, never 0) | comes again | unix seconds (32 bits); 0: empty */
typedef _Atomic uint64_t place;
#define AGAIN (UINT64_C(1) << 32)

enum { LINE = FIRSTS_WAYS * sizeof(place) };

struct firsts {
	size_t mask;           /* of lines */
	_Atomic unsigned lots; /* whose tag ends in so many zeros is kept */
	place *places;
};

static size_t room(const struct firsts *f)
{
	return (f->mask + 1) * FIRSTS_WAYS;
}

struct firsts *firsts_new(size_t clients)
{
	size_t lines = 1;
	while (lines * FIRSTS_WAYS < clients)
		lines *= 2;
	struct firsts *f = malloc(sizeof(*f));
	if (f == NULL)
		return NULL;
	*f = (struct firsts){ .mask = lines - 1, .places = aligned_alloc(LINE, lines * LINE) };
	if (f->places == NULL) {
		free(f);
		return NULL;
	}
	memset(f->places, 0, lines * LINE); /* all its pages are there from now on */
	return f;
}

void firsts_free(struct firsts *f)
{
	if (f == NULL)
		return;
	free(f->places);
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

static bool left_out(const struct firsts *f, uint64_t tag)
{
	const unsigned lots = atomic_load_explicit(&f->lots, memory_order_relaxed);
	return (tag & ((UINT64_C(1) << lots) - 1)) != 0;
}

bool firsts_put(struct firsts *f, uint64_t client, uint64_t swarm, int64_t now)
{
	const uint64_t hash = hash_of(client, swarm), tag = tag_of(hash);
	place *line = line_of(f, hash), *empty = NULL;
	if (left_out(f, tag))
		return false;
	for (unsigned i = 0; i < FIRSTS_WAYS; i++) {
		const uint64_t word = read(&line[i]);
		if (word >> 33 == tag) {
			if (now - (int64_t)(uint32_t)word > FIRSTS_AGAIN)
				set(&line[i], word | AGAIN);
			return true;
		}
		if (word == 0)
			empty = &line[i];
	}
	if (empty == NULL)
		return false;
	set(empty, tag << 33 | (uint32_t)now);
	return true;
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

static bool is_old(uint64_t word, int64_t now)
{
	return now - (int64_t)(uint32_t)word > FIRSTS_IDLE;
}

static void draw_again(struct firsts *f, size_t kept)
{
	const unsigned lots = atomic_load_explicit(&f->lots, memory_order_relaxed);
	if (kept > room(f) / 2 && lots < FIRSTS_LOTS_MAX)
		atomic_store_explicit(&f->lots, lots + 1, memory_order_relaxed);
	else if (kept < room(f) / 8 && lots > 0)
		atomic_store_explicit(&f->lots, lots - 1, memory_order_relaxed);
}

size_t firsts_tend(struct firsts *f, int64_t now)
{
	size_t kept = 0, dropped = 0;
	for (size_t i = 0; i < room(f); i++) {
		const uint64_t word = read(&f->places[i]);
		const bool old = word != 0 && is_old(word, now);
		const bool lost = word != 0 && !old && left_out(f, word >> 33);
		if (old || lost)
			set(&f->places[i], 0);
		kept += word != 0 && !old && !lost;
		dropped += lost;
	}
	draw_again(f, kept);
	return dropped;
}

void firsts_clear(struct firsts *f)
{
	for (size_t i = 0; i < room(f); i++)
		if (read(&f->places[i]) != 0)
			set(&f->places[i], 0);
}
