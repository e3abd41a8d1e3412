/* SPDX-License-Identifier: Apache-2.0 */
#include "server/store/query.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libpq-fe.h>

enum {
	ARGS_MAX = 16,
	COPY_FLUSH = 1 << 16 /* keep libpq's buffer about that small */
};

static void run(struct work *w, const char *sql)
{
	(void)work_run(w, sql, NULL);
}

struct work work_begin_until(struct store *s, const char *what, int64_t deadline)
{
	struct work w = {
		.store = s, .what = what, .until = deadline, .timeout_ms = pool_timeout_ms(s)
	};
	const int64_t usual = connection_clock_ms() + w.timeout_ms;
	w.err = pool_take(s, usual < deadline ? usual : deadline, &w.slot);
	if (w.err == ERR_OK)
		w.pg = w.slot->pg;
	run(&w, "BEGIN");
	return w;
}

struct work work_begin(struct store *s, const char *what)
{
	return work_begin_until(s, what, INT64_MAX);
}

enum err work_end(struct work *w)
{
	if (w->slot == NULL)
		return w->err;
	run(w, "COMMIT");
	const enum err e = w->err;
	if (e != ERR_OK && !w->broken) {
		w->err = ERR_OK;
		run(w, "ROLLBACK");
	}
	PQclear(w->rows);
	pool_give(w->store, w->slot, !w->broken);
	*w = (struct work){ .err = e };
	return e;
}

void work_fail(struct work *w, enum err e)
{
	if (w->err == ERR_OK)
		w->err = e;
}

void work_allow(struct work *w, unsigned timeout_ms)
{
	(void)work_run(w, "SELECT set_config('statement_timeout', $1, true)",
	               ARGS(arg_u64(timeout_ms)));
	w->timeout_ms = timeout_ms;
}

/* ---- what the server answered ---- */

/*
 * "Try again later" rather than "refused": connection exceptions, shutdown, no resources (a full
 * disk, too many clients), a standby, a statement that took too long, a deadlock; a table, function
 * or type that the migrations have yet to make.
 */
static enum err from_sqlstate(const char *state)
{
	static const char *const away[] = { "08",  "53",    "57P",   "25006", "57014", "40001",
		                            "40P", "55P03", "42P01", "42883", "42704" };
	for (size_t i = 0; i < sizeof(away) / sizeof(away[0]); i++)
		if (strncmp(state, away[i], strlen(away[i])) == 0)
			return ERR_AWAY;
	/* Bytes that are no UTF-8 can only be the name of something that is not there. */
	return strcmp(state, "22021") == 0 ? ERR_NOT_FOUND : ERR_SYSTEM;
}

static void refused(struct work *w, const PGresult *result)
{
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *words = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	w->broken = PQstatus(w->pg) != CONNECTION_OK;
	w->err = w->broken || state == NULL ? ERR_AWAY : from_sqlstate(state);
	if (w->err != ERR_NOT_FOUND)
		pool_complain(w->store, w->err, w->what, state != NULL ? state : "-",
		              words != NULL ? words : PQerrorMessage(w->pg));
}

static void broke(struct work *w)
{
	w->broken = true;
	w->err = ERR_AWAY;
	const bool late = PQstatus(w->pg) == CONNECTION_OK;
	pool_complain(w->store, w->err, w->what, "-",
	              late ? "no answer in time" : PQerrorMessage(w->pg));
}

static struct deadline deadline(const struct work *w)
{
	/* A second more than the server's own limit, whose answer leaves the connection whole. */
	const int64_t usual = connection_clock_ms() + w->timeout_ms + 1000;
	return (struct deadline){ usual < w->until ? usual : w->until, pool_end(w->store) };
}

/* Takes the answer to what was `sent`; keeps it in w->rows when it has the wanted status. */
static void settle(struct work *w, int sent, ExecStatusType wanted, struct deadline until)
{
	PQclear(w->rows);
	w->rows = sent ? connection_result(w->pg, until) : NULL;
	const ExecStatusType got = PQresultStatus(w->rows);
	if (w->rows == NULL)
		broke(w);
	else if (got != wanted && (got != PGRES_TUPLES_OK || wanted != PGRES_COMMAND_OK))
		refused(w, w->rows);
}

/* ---- statements ---- */

struct arg arg_text(const char *s)
{
	if (s == NULL)
		return (struct arg){ .kind = ARG_NULL };
	return arg_bytes(s, strlen(s));
}

struct arg arg_bytes(const void *bytes, size_t size)
{
	must(size <= INT_MAX);
	return (struct arg){ .kind = ARG_BYTES, .bytes = bytes, .size = size };
}

struct arg arg_u64(uint64_t n)
{
	struct arg a = { .kind = ARG_DIGITS };
	(void)snprintf(a.digits, sizeof(a.digits), "%" PRIu64, n);
	return a;
}

struct arg arg_i64(int64_t n)
{
	struct arg a = { .kind = ARG_DIGITS };
	(void)snprintf(a.digits, sizeof(a.digits), "%" PRId64, n);
	return a;
}

static size_t run_as(struct work *w, const char *sql, const struct arg *args, int result_format)
{
	if (w->err != ERR_OK)
		return 0;
	const char *values[ARGS_MAX];
	int sizes[ARGS_MAX], formats[ARGS_MAX], n = 0;
	for (; args != NULL && args[n].kind != ARG_END; n++) {
		must(n < ARGS_MAX);
		const bool bytes = args[n].kind == ARG_BYTES;
		values[n] = bytes                        ? args[n].bytes
		            : args[n].kind == ARG_DIGITS ? args[n].digits
		                                         : NULL;
		sizes[n] = (int)args[n].size;
		formats[n] = bytes; /* text and bytea alike are their own binary form */
	}
	settle(w, PQsendQueryParams(w->pg, sql, n, NULL, values, sizes, formats, result_format),
	       PGRES_COMMAND_OK, deadline(w));
	return w->err == ERR_OK ? (size_t)PQntuples(w->rows) : 0;
}

size_t work_run(struct work *w, const char *sql, const struct arg *args)
{
	return run_as(w, sql, args, 0);
}

size_t work_run_binary(struct work *w, const char *sql, const struct arg *args)
{
	return run_as(w, sql, args, 1);
}

void work_script(struct work *w, const char *sql)
{
	if (w->err == ERR_OK)
		settle(w, PQsendQuery(w->pg, sql), PGRES_COMMAND_OK, deadline(w));
}

void work_copy_begin(struct work *w, const char *sql)
{
	if (w->err == ERR_OK)
		settle(w, PQsendQuery(w->pg, sql), PGRES_COPY_IN, deadline(w));
}

void work_copy(struct work *w, const char *bytes, size_t size)
{
	while (w->err == ERR_OK && size > 0) {
		const size_t n = size < COPY_FLUSH ? size : COPY_FLUSH;
		if (PQputCopyData(w->pg, bytes, (int)n) != 1 ||
		    !connection_flush(w->pg, deadline(w)))
			broke(w);
		bytes += n;
		size -= n;
	}
}

void work_copy_end(struct work *w)
{
	if (w->err == ERR_OK)
		settle(w, PQputCopyEnd(w->pg, NULL) == 1, PGRES_COMMAND_OK, deadline(w));
}

/* ---- rows ---- */

void work_text(const struct work *w, size_t row, int column, char *out, size_t room)
{
	(void)snprintf(out, room, "%s", PQgetvalue(w->rows, (int)row, column));
}

uint64_t work_u64(const struct work *w, size_t row, int column)
{
	const char *digits = PQgetvalue(w->rows, (int)row, column);
	uint64_t n = 0;
	if (*digits != '\0' && !text_u64(digits, strlen(digits), &n))
		n = UINT64_MAX;
	return n;
}

int64_t work_i64(const struct work *w, size_t row, int column)
{
	return strtoll(PQgetvalue(w->rows, (int)row, column), NULL, 10);
}

bool work_bool(const struct work *w, size_t row, int column)
{
	return *PQgetvalue(w->rows, (int)row, column) == 't';
}

bool work_null(const struct work *w, size_t row, int column)
{
	return PQgetisnull(w->rows, (int)row, column);
}

const char *work_view(const struct work *w, size_t row, int column)
{
	return PQgetvalue(w->rows, (int)row, column);
}

size_t work_size(const struct work *w, size_t row, int column)
{
	return (size_t)PQgetlength(w->rows, (int)row, column);
}

uint64_t work_be(const struct work *w, size_t row, int column)
{
	const uint8_t *bytes = (const uint8_t *)PQgetvalue(w->rows, (int)row, column);
	uint64_t n = 0;
	for (int i = 0; i < PQgetlength(w->rows, (int)row, column); i++)
		n = n << 8 | bytes[i];
	return n;
}

char *work_blob(struct work *w, size_t row, int column, size_t *size)
{
	if (w->err != ERR_OK)
		return NULL;
	const size_t n = (size_t)PQgetlength(w->rows, (int)row, column);
	char *copy = malloc(n + 1);
	if (copy == NULL) {
		w->err = ERR_NOMEM;
		return NULL;
	}
	memcpy(copy, PQgetvalue(w->rows, (int)row, column), n + 1);
	*size = n;
	return copy;
}

void *work_list(struct work *w, size_t each, row_reader *read, size_t *count)
{
	if (w->err != ERR_OK)
		return NULL;
	const size_t n = (size_t)PQntuples(w->rows);
	char *list = calloc(n > 0 ? n : 1, each);
	if (list == NULL) {
		w->err = ERR_NOMEM;
		return NULL;
	}
	for (size_t i = 0; i < n; i++)
		read(w, i, list + i * each);
	*count = n;
	return list;
}

/* ---- steps that several works share ---- */

void work_audit_of(struct work *w, const char *provider, const char *author, const char *action,
                   const char *subject)
{
	(void)work_run(
		w,
		"INSERT INTO audit (author, action, subject, provider) "
		"VALUES ($1, $2, $3, nullif($4, ''))",
		ARGS(arg_text(author), arg_text(action), arg_text(subject), arg_text(provider)));
}

void work_audit(struct work *w, const char *author, const char *action, const char *subject)
{
	work_audit_of(w, NULL, author, action, subject);
}

void work_notify(struct work *w)
{
	run(w, "NOTIFY " WORK_CHANNEL);
}
