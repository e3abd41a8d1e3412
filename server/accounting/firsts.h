/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * When clients that came to download were first heard of in a swarm, until they have it all.
 *
 * The ledger cannot say: it knows only who has moved bytes, and its line is full. So here is a table of
 * 8 bytes each: 31 bits of a hash, a mark, and the second. Each (client, swarm) has a cache line of
 * FIRSTS_WAYS places; when they are taken the oldest goes, so memory is bounded and nothing grows. A stranger
 * passes for another with a chance of 2^-28.
 *
 * What would make a time look too short is marked, and has none: who comes anew later than FIRSTS_AGAIN
 * after its first announce (sooner it repeats itself, or shows its other address) has left in between and may
 * have kept what it had. After a step of the clock, or a restart of ours, the table is empty.
 *
 * Threading: any, without locks: each place is one atomic word. Of two threads that want one place at once
 * one may lose, which costs a time.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FIRSTS_WAYS = 8, FIRSTS_AGAIN = 120, FIRSTS_IDLE = 1 << 20 /* seconds; 12 days */ };

struct firsts;

struct firsts *firsts_new(size_t clients); /* NULL when out of memory */
void firsts_free(struct firsts *f);        /* NULL is fine */

/*
 * A client with nothing comes to download, at unix second `now`. True: another was forgotten for it that was
 * heard of in the last FIRSTS_IDLE seconds.
 */
bool firsts_put(struct firsts *f, uint64_t client, uint64_t swarm, int64_t now);

/* It has all: the seconds since then, and forgets it. False: not known. */
bool firsts_take(struct firsts *f, uint64_t client, uint64_t swarm, int64_t now, uint32_t *seconds);

void firsts_clear(struct firsts *f);

/* A little before firsts_put() of the same two. */
void firsts_prefetch(const struct firsts *f, uint64_t client, uint64_t swarm);
