/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What rules of alarms look at: one row for each interconnect or provider, made by the database. Errors,
 * ownership (free() the list) and threading are those of store.h. A window's interconnect and provider do
 * not matter: all are watched.
 */

#include "server/store/store.h"

/*
 * Of an interconnect in force: by flow or counter, whichever has more bins in the window (flow when both have
 * as many), else by announce.
 */
struct store_watch_sum {
	char provider[65], interconnect[65], relation[24];
	uint64_t capacity_mbps, ratio_limit_milli; /* 0: none of its own */
	enum store_source source;
	uint64_t out_bytes, in_bytes; /* UINT64_MAX: more */
	uint64_t discontinuities;     /* bins of any source with BIN_DISCONTINUITY */
};
enum err store_watch_sums(struct store *s, const struct store_window *w,
                          struct store_watch_sum **out, size_t *count) must_check;

/* The newest bin of an interconnect in force and a source that measures; none, no row. */
struct store_watch_last {
	char provider[65], interconnect[65];
	enum store_source source; /* flow or counter */
	int64_t start;
};
enum err store_watch_last(struct store *s, const struct store_window *w,
                          struct store_watch_last **out, size_t *count) must_check;

/* What a provider's clients downloaded, and from addresses that no map knows. */
struct store_watch_unknown {
	char provider[65];
	uint64_t bytes, unknown;
};
enum err store_watch_unknown(struct store *s, const struct store_window *w,
                             struct store_watch_unknown **out, size_t *count) must_check;
