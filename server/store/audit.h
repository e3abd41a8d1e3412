/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Who did what: rows that are only ever added, each with a hash over itself and all before it
 * (schema/0019_audit_chain.sql). PostgreSQL makes the hash inside the transaction that did the thing;
 * here it is computed again, so that an altered function in the database changes nothing.
 *
 * What it proves: no row was altered, inserted or taken away behind a head that was noted outside the
 * database. Without one, whoever can write all of the table can make another chain.
 *
 * Threading and errors as in store.h.
 */

#include "server/store/store.h"

enum { STORE_CHAIN_DIGITS = 64 };

struct store_audit {
	uint64_t number;
	int64_t at;
	char author[65], action[32], subject[320];
	char provider[65]; /* "": of none, or of all */
	char chain[STORE_CHAIN_DIGITS + 1];
};

/* Newest first, at most `limit`, of one provider or (NULL) all. free() the list. */
enum err store_audit(struct store *s, const char *provider, size_t limit, struct store_audit **out,
                     size_t *count) must_check;

struct store_head {
	uint64_t number;                    /* 0: no row yet */
	char chain[STORE_CHAIN_DIGITS + 1]; /* lower case */
};
enum err store_audit_head(struct store *s, struct store_head *out) must_check;

struct store_audit_check {
	uint64_t rows;
	struct store_head head; /* of the last row that fits */
	uint64_t broken;        /* the first row that does not, 0: all do */
	char why[160];
};

/*
 * Reads the whole chain, 10,000 rows a transaction; `noted` (NULL: none) is a head of before, whose row
 * must be there and the same.
 */
enum err store_audit_verify(struct store *s, const struct store_head *noted,
                            struct store_audit_check *out) must_check;
