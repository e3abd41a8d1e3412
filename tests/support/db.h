/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Databases for tests that run under tests/support/with_postgres. Everything here stops the test
 * when it fails.
 */

#include "server/store/store.h"

/* The conninfo of a new, empty database; static storage, valid until the next call. */
const char *db_new(void);

/* A store on it (NULL: on a new one), migrated. It waits for an answer as long as a crowded machine needs. */
struct store *db_store(const char *conninfo);
/* The same on a new one, with a time-out that a test can wait for. */
struct store *db_store_hasty(unsigned timeout_seconds);

/* Uploads a map of provider isp-a with these interconnects, of which the store knows no more than that. */
void db_map(struct store *s, const struct store_interconnect *interconnects, size_t n);

/* The first column of the first row of `sql` in the database of the last db_new(). */
void db_ask(const char *sql, char *out, size_t room);
/* The SQLSTATE of a statement there; "" when it went well. */
const char *db_state_of(const char *sql);

/* "stop", "start", "pause", "resume" the whole cluster. */
void db_server(const char *verb);
