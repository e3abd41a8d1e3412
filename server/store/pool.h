/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The pool of a store, and its complaints to the operator.
 *
 * A failed connection attempt holds for as long as it took: a refusal costs nothing and may be
 * tried again at once, a time-out of five seconds lets callers fail at once for the next five.
 *
 * Threading: any thread.
 */

#include "server/store/connection.h"
#include "server/store/store.h"

struct pool_slot {
	struct pg_conn *pg; /* NULL: not connected; belongs to who took the slot */
	bool taken;
};

/* A slot that is connected, its caller's until given back. ERR_AWAY. */
enum err pool_take(struct store *s, int64_t deadline, struct pool_slot **out) must_check;
/* `sound` is false when the connection must not be used again. */
void pool_give(struct store *s, struct pool_slot *slot, bool sound);

/* A connection outside the pool, for LISTEN; the caller closes it. */
enum err pool_open(struct store *s, int64_t deadline, struct pg_conn **out) must_check;

/* A line in the log, at most one of each error in ten seconds. */
void pool_complain(struct store *s, enum err e, const char *what, const char *sqlstate,
                   const char *words);

/* Time zones that the database was found to know, until the next connection to it. */
bool pool_knows_zone(struct store *s, const char *zone);
void pool_note_zone(struct store *s, const char *zone);

/* When all waiting is over (store_end()). */
const _Atomic int64_t *pool_end(const struct store *s);
unsigned pool_timeout_ms(const struct store *s);

struct waiter;
struct waiter *pool_waiter(struct store *s); /* store_wait()'s state */
