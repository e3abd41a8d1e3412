/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What writing and reading bins share.
 */

#include "server/store/query.h"
#include "server/store/store.h"

const char *bins_source(enum store_source source); /* "announce", as the schema spells it */

/* A field of COPY's text format, and the tab behind it. */
void copy_field(struct text *t, const char *s);

/* Two numbers, or NULL twice, with tabs behind them. */
void copy_pair(struct text *t, bool known, uint64_t out, uint64_t in);

/* The partitions that these rows (their `start`) go into; in a transaction of its own. */
enum err bins_make_partitions(struct store *s, const struct store_bin *rows, size_t n) must_check;

/* store_bins() inside a transaction: `rows` are in range and have their partitions. */
void bins_write(struct work *w, const char *node, enum store_source source,
                const struct store_bin *rows, size_t n);
