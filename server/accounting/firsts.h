/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * When clients that came to download were first heard of in a swarm, until they have it all.
 *
 * The ledger cannot say: it knows only who has moved bytes, and its line is full. So here is a table of
 * 8 bytes each: 31 bits of a hash, a mark, and the second. Each (client, swarm) has a cache line of
 * FIRSTS_WAYS places. A stranger passes for another with a chance of 2^-28.
 *
 * What is wanted are distributions of times, so the table does not grow with the tracker: when it is half
 * full, every second client is drawn by its hash, and the others are left out from then on; then every
 * fourth, up to 2^FIRSTS_LOTS_MAX (and 2^-18 for a stranger). It is the hash that decides, so that who was
 * drawn is known again when it comes back, and nothing that depends on how long a download takes. Nor does
 * a full line: it turns away the newcomer, for of those inside the longest would have gone first.
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

enum {
	FIRSTS_WAYS = 8,
	FIRSTS_AGAIN = 120,
	FIRSTS_IDLE = 1 << 20, /* seconds; 12 days */
	FIRSTS_LOTS_MAX = 10
};

struct firsts;

/* Room for so many, or somewhat more; all of its memory is touched. NULL when out of memory. */
struct firsts *firsts_new(size_t clients);
void firsts_free(struct firsts *f); /* NULL is fine */

/* A client with nothing comes to download, at unix second `now`. False: it is left out. */
bool firsts_put(struct firsts *f, uint64_t client, uint64_t swarm, int64_t now);

/* It has all: the seconds since then, and forgets it. False: not known. */
bool firsts_take(struct firsts *f, uint64_t client, uint64_t swarm, int64_t now, uint32_t *seconds);

/*
 * Forgets who was heard of more than FIRSTS_IDLE ago and who is no longer drawn, and draws more or fewer
 * from now on; one thread, now and then. Returns how many of those drawn until now it left out.
 */
size_t firsts_tend(struct firsts *f, int64_t now);

void firsts_clear(struct firsts *f);
