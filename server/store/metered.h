/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The bins that money and verdicts are made of, one by one.
 *
 * Errors, ownership and threading: those of server/store/store.h.
 */

#include "server/store/store.h"

struct store_metered {
	uint32_t which; /* of the names asked for */
	int64_t start;
	uint64_t out_bytes, in_bytes; /* of all nodes */
	uint64_t out_p2p_bytes, in_p2p_bytes;
	uint32_t observed_seconds; /* of the node that watched longest */
	unsigned quality;          /* the flags of any node (common/balance/quality.h) */
	bool measured_p2p;         /* by any node */
};

struct store_metered_ask {
	const char *provider;
	const char *const *names; /* of interconnects */
	size_t n_names;
	int64_t from, to;     /* bins with from <= start and start + seconds <= to */
	uint32_t bin_seconds; /* only bins of this length */
	enum store_source source;
};

/* By name asked for, then by start. No row: nobody watched. free() the list. */
enum err store_metered(struct store *s, const struct store_metered_ask *ask,
                       struct store_metered **out, size_t *count) must_check;

/* Which sources have any bin of the window, of any of the names: that costs milliseconds. */
enum { STORE_SOURCES = 3 };
enum err store_metered_sources(struct store *s, const struct store_metered_ask *ask,
                               bool has[static STORE_SOURCES]) must_check;

/* How many bins of the window each source has, of all the names together: as much work as reading them. */
enum err store_metered_counts(struct store *s, const struct store_metered_ask *ask,
                              uint64_t counts[static STORE_SOURCES]) must_check;
