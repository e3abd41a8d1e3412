/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Errors.
 *
 * Three kinds of failure, three answers:
 *
 *   bad input       returned as an enum err; the caller counts it and goes on
 *   operator error  returned as an enum err with a struct fault that a human reads
 *   our own bug     must(): stops the process where the damage is still small
 *
 * The list is closed on purpose. A code earns its place when some caller acts on it
 * differently; anything finer belongs in the text of a fault.
 */

#include <stddef.h>

enum err {
	ERR_OK = 0,
	ERR_NOMEM,     /* an allocation failed; unwind, change nothing */
	ERR_SYSTEM,    /* a system call failed; errno tells */
	ERR_TRUNCATED, /* the input ended early */
	ERR_MALFORMED, /* the input breaks its own grammar */
	ERR_RANGE,     /* a value is outside what we accept */
	ERR_NOT_FOUND,
	ERR_EXISTS, /* it is already there, and different */
	ERR_DENIED,
	ERR_BUSY, /* a limit of ours was reached; the peer may retry */
	ERR_AWAY, /* a service we need (the database) does not answer now */
	ERR_COUNT_
};

#define must_check __attribute__((warn_unused_result))

/* A stable lower-case word for logs and metrics. Never NULL. */
const char *err_name(enum err e);

/*
 * What went wrong, for the person who can fix it. `kind` is a stable lower-case word a program
 * may act on ("overlap", "unknown-pid"); `where` is a JSON pointer, a configuration key or
 * "line 35"; `text` is one sentence without a full stop that says what would be right.
 */
struct fault {
	enum err code;
	char kind[32];
	char where[160];
	char text[256];
};

/* Fills *f (NULL is allowed; kind becomes err_name(code)) and returns `code`, so that callers can
 * write `return fault_set(...)`. */
enum err fault_set(struct fault *f, enum err code, const char *where, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/*
 * Every fault of one input, not just the first. Keeps FAULTS_MAX and counts the rest, so that a
 * broken document of a million lines costs a bounded answer.
 *
 * Ownership: the caller of faults_new() frees it. Threading: one thread at a time.
 */
enum { FAULTS_MAX = 100 };

struct faults {
	size_t count; /* kept in `list` */
	size_t more;  /* found beyond FAULTS_MAX */
	struct fault list[FAULTS_MAX];
};

struct faults *faults_new(void); /* NULL when out of memory */
void faults_free(struct faults *all);

/* Adds one and returns `code`. `where` is copied. */
enum err faults_add(struct faults *all, enum err code, const char *kind, const char *where,
                    const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* Checked in every build. For conditions only a bug of ours can break. */
#define must(cond) ((cond) ? (void)0 : must_failed_(#cond, __FILE__, __LINE__, __func__))
_Noreturn void must_failed_(const char *cond, const char *file, int line, const char *func);
