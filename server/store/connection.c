/* SPDX-License-Identifier: Apache-2.0 */
#include "server/store/connection.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <libpq-fe.h>

enum { LOOK_UP_MS = 200 }; /* how late a deadline brought forward may be noticed */

int64_t connection_clock_ms(void)
{
	struct timespec now;
	must(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t left(struct deadline d)
{
	const int64_t end = atomic_load(d.end);
	return (end < d.at ? end : d.at) - connection_clock_ms();
}

bool deadline_is_over(struct deadline d)
{
	return left(d) <= 0;
}

static bool wait_for(PGconn *pg, short events, struct deadline until)
{
	struct pollfd p = { .fd = PQsocket(pg), .events = events };
	for (;;) {
		const int64_t ms = left(until);
		if (ms <= 0)
			return false;
		const int n = poll(&p, 1, ms < LOOK_UP_MS ? (int)ms : LOOK_UP_MS);
		if (n > 0 || (n < 0 && errno != EINTR))
			return n > 0;
	}
}

/* libpq would print notices ("table exists, skipping") on standard error. */
static void ignore_notice(void *ctx, const PGresult *result)
{
	(void)ctx;
	(void)result;
}

static bool set_up(PGconn *pg, unsigned statement_ms, struct deadline until)
{
	char timeout[16];
	(void)snprintf(timeout, sizeof(timeout), "%u", statement_ms);
	const char *const values[] = { timeout };
	(void)PQsetNoticeReceiver(pg, ignore_notice, NULL);
	if (PQsetnonblocking(pg, 1) != 0)
		return false;
	/* An operator may have turned synchronous_commit off for speed; a 201 of ours may not. */
	if (!PQsendQueryParams(pg,
	                       "SELECT set_config('statement_timeout', $1, false), "
	                       "set_config('synchronous_commit', 'on', false)",
	                       1, NULL, values, NULL, NULL, 0))
		return false;
	PGresult *result = connection_result(pg, until);
	const bool ok = PQresultStatus(result) == PGRES_TUPLES_OK;
	PQclear(result);
	return ok;
}

/* The first line; libpq adds hints for people at a terminal. */
static enum err away(PGconn *pg, bool in_time, struct fault *fault)
{
	const char *words = in_time ? PQerrorMessage(pg) : "no answer in time";
	return fault_set(fault, ERR_AWAY, "", "%.*s", (int)strcspn(words, "\n"), words);
}

enum err connection_open(const char *conninfo, unsigned statement_ms, struct deadline until,
                         struct pg_conn **out, struct fault *fault)
{
	/* What stands before dbname is a default that the conninfo may change. */
	static const char *const keys[] = { "application_name",
		                            "keepalives_idle",
		                            "keepalives_interval",
		                            "keepalives_count",
		                            "dbname",
		                            "client_encoding",
		                            NULL };
	const char *const values[] = { "p4pd", "30", "10", "3", conninfo, "UTF8", NULL };

	PGconn *pg = PQconnectStartParams(keys, values, 1);
	if (pg == NULL)
		return fault_set(fault, ERR_NOMEM, "", "no memory for a connection");
	bool in_time = true;
	PostgresPollingStatusType state =
		PQstatus(pg) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING;
	while (in_time && state != PGRES_POLLING_OK && state != PGRES_POLLING_FAILED) {
		in_time = wait_for(pg, state == PGRES_POLLING_READING ? POLLIN : POLLOUT, until);
		if (in_time)
			state = PQconnectPoll(pg);
	}
	if (state != PGRES_POLLING_OK || !set_up(pg, statement_ms, until)) {
		const enum err e = away(pg, in_time, fault);
		PQfinish(pg);
		return e;
	}
	*out = pg;
	return ERR_OK;
}

void connection_close(struct pg_conn *pg)
{
	PQfinish(pg);
}

bool connection_is_fresh(struct pg_conn *pg)
{
	struct pollfd p = { .fd = PQsocket(pg), .events = POLLIN };
	return PQstatus(pg) == CONNECTION_OK && PQtransactionStatus(pg) == PQTRANS_IDLE &&
	       poll(&p, 1, 0) == 0;
}

bool connection_flush(struct pg_conn *pg, struct deadline until)
{
	for (;;) {
		const int unsent = PQflush(pg);
		if (unsent <= 0)
			return unsent == 0;
		/* The server may want to be read before it reads on. */
		if (!wait_for(pg, POLLIN | POLLOUT, until) || !PQconsumeInput(pg))
			return false;
	}
}

struct pg_result *connection_result(struct pg_conn *pg, struct deadline until)
{
	PGresult *last = NULL;
	if (!connection_flush(pg, until))
		return NULL;
	for (;;) {
		while (PQisBusy(pg)) {
			if (!wait_for(pg, POLLIN, until) || !PQconsumeInput(pg)) {
				PQclear(last);
				return NULL;
			}
		}
		PGresult *next = PQgetResult(pg);
		if (next == NULL)
			return last;
		PQclear(last);
		last = next;
		if (PQresultStatus(last) == PGRES_COPY_IN)
			return last;
	}
}
