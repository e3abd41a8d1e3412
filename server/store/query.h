/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A piece of work: one transaction on one connection, written straight down.
 *
 *	struct work w = work_begin(s, "find a token");
 *	if (work_run(&w, "SELECT name FROM tokens WHERE hash = $1", ARGS(arg_bytes(hash, 32))) == 1)
 *		work_text(&w, 0, 0, name, sizeof(name));
 *	return work_end(&w);
 *
 * The first failure sticks: every later step does nothing, and work_end() rolls back and tells it.
 * Values travel as parameters only, so that no input ever becomes SQL.
 *
 * Errors: ERR_AWAY and ERR_SYSTEM are logged here; what a caller sets with work_fail() is not, nor
 * is ERR_NOT_FOUND, which a name gets that is no UTF-8: nothing is called that.
 * Threading: one thread at a time.
 */

#include "server/store/pool.h"

struct work {
	struct store *store;
	const char *what;       /* "store a document": completes "could not ..." */
	struct pool_slot *slot; /* NULL: none was to be had */
	struct pg_conn *pg;     /* the slot's */
	struct pg_result *rows; /* of the last statement */
	int64_t until;          /* for the whole work */
	unsigned timeout_ms;    /* for a statement */
	enum err err;
	bool broken; /* the connection is of no more use */
};

struct work work_begin(struct store *s, const char *what);
struct work work_begin_until(struct store *s, const char *what, int64_t deadline);
/* COMMIT, or ROLLBACK after a failure; gives the connection back. */
enum err work_end(struct work *w);
void work_fail(struct work *w, enum err e);
/* Statements of this work may take that long. */
void work_allow(struct work *w, unsigned timeout_ms);

struct arg {
	enum { ARG_END, ARG_NULL, ARG_BYTES, ARG_DIGITS } kind;
	const void *bytes; /* borrowed */
	size_t size;
	char digits[24];
};

#define ARGS(...) ((const struct arg[]){ __VA_ARGS__, { .kind = ARG_END } })

struct arg arg_text(const char *s); /* NULL is SQL's NULL */
struct arg arg_bytes(const void *bytes, size_t size);
struct arg arg_u64(uint64_t n);
struct arg arg_i64(int64_t n);

/* Returns the number of rows; 0 after a failure. `args` may be NULL. */
size_t work_run(struct work *w, const char *sql, const struct arg *args);

/* The same with columns in binary form: integers for work_be(), a bytea as it is. */
size_t work_run_binary(struct work *w, const char *sql, const struct arg *args);

/* Several statements without arguments: a migration. */
void work_script(struct work *w, const char *sql);

/* The rows of a COPY in text format, a chunk at a time. */
void work_copy_begin(struct work *w, const char *sql);
void work_copy(struct work *w, const char *bytes, size_t size);
void work_copy_end(struct work *w);

/* Columns of the last result. Numbers beyond 64 bits saturate; NULL is 0, false or "". */
void work_text(const struct work *w, size_t row, int column, char *out, size_t room);
uint64_t work_u64(const struct work *w, size_t row, int column);
int64_t work_i64(const struct work *w, size_t row, int column);
bool work_bool(const struct work *w, size_t row, int column);
bool work_null(const struct work *w, size_t row, int column);
/* As it is; borrowed until the next statement. Text is NUL-terminated. */
const char *work_view(const struct work *w, size_t row, int column);
size_t work_size(const struct work *w, size_t row, int column);
/* An integer of a binary result. */
uint64_t work_be(const struct work *w, size_t row, int column);
/* A copy, NUL-terminated, for free(). NULL after a failure. */
char *work_blob(struct work *w, size_t row, int column, size_t *size);

/*
 * All rows as an array of `each` bytes per element, zeroed and filled by `read`; for free(). Never
 * NULL without work_end() telling why.
 */
typedef void row_reader(const struct work *w, size_t row, void *out);
void *work_list(struct work *w, size_t each, row_reader *read, size_t *count);

/*
 * Adds to the audit log: the last statement of a work, for it holds up all others that are audited.
 * `provider` (NULL: nobody but the admins) is whose auditors may read it.
 */
void work_audit_of(struct work *w, const char *provider, const char *author, const char *action,
                   const char *subject);
void work_audit(struct work *w, const char *author, const char *action, const char *subject);

/* Daemons that store_wait() hear of it when this commits. */
void work_notify(struct work *w);
#define WORK_CHANNEL "p4pd_maps"
