/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Statements: periods of contracts, frozen. They are added and read, never changed.
 *
 * Errors, ownership and threading: those of server/store/store.h.
 */

#include "server/store/store.h"

struct store_statement {
	uint64_t id;
	char provider[65], contract[65];
	uint64_t contract_version;
	char period[8]; /* "2026-11": the month that it begins in */
	int64_t from, to;
	int64_t created;
	char author[65], software[48];
	char inputs_sha256[65];
	uint64_t supersedes, superseded_by; /* 0: none */
	char *inputs, *json, *csv, *html;   /* NUL-terminated; NULL in lists */
	size_t inputs_size;
};
void store_statement_done(struct store_statement *st);

/*
 * One transaction: the statement, audit; `id`, `created`, `supersedes` and `superseded_by` of `st` do
 * not matter. ERR_EXISTS: `only_first`, and there is one of that contract and period already.
 */
enum err store_statement_add(struct store *s, const struct store_statement *st, bool only_first,
                             uint64_t *id) must_check;

/* With all that it has. ERR_NOT_FOUND. */
enum err store_statement(struct store *s, uint64_t id, struct store_statement *out) must_check;

/* Newest first, without what they are made of. provider, contract, period NULL: all. free() the list. */
enum err store_statements(struct store *s, const char *provider, const char *contract,
                          const char *period, struct store_statement **out,
                          size_t *count) must_check;
