/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One connection to PostgreSQL, never waited for beyond a deadline: libpq in non-blocking mode with
 * a poll() of our own, because a server that is frozen or unplugged sends no statement_timeout.
 *
 * A connection that missed a deadline is in an unknown state: only connection_close() is left.
 *
 * Ownership: connection_close(). Threading: one thread at a time.
 */

#include "common/base/err.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct pg_conn;   /* libpq's PGconn */
struct pg_result; /* libpq's PGresult */

int64_t connection_clock_ms(void); /* monotonic; what deadlines are measured by */

/* The earlier of two moments; the second may be brought forward while somebody waits. */
struct deadline {
	int64_t at;
	const _Atomic int64_t *end;
};
bool deadline_is_over(struct deadline d);

/*
 * Connects and sets the session up. ERR_AWAY with libpq's words in `fault`. `statement_ms`: the
 * server gives a statement up after that long.
 */
enum err connection_open(const char *conninfo, unsigned statement_ms, struct deadline until,
                         struct pg_conn **out, struct fault *fault) must_check;
void connection_close(struct pg_conn *pg); /* NULL is fine */

/* A connection at rest has nothing to read; one that does was closed by the server. */
bool connection_is_fresh(struct pg_conn *pg);

/* False at the deadline or when the connection broke. */
bool connection_flush(struct pg_conn *pg, struct deadline until);

/*
 * Reads to the end of what was sent and returns the last result (the first that failed, or that
 * asks for COPY data). NULL at the deadline or when the connection broke. PQclear() it.
 */
struct pg_result *connection_result(struct pg_conn *pg, struct deadline until);
