/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What an agreement is measured by: every bin of a period, of each of its interconnects, from one
 * source, with the gaps left open and the flaws counted.
 *
 * One source for all: sources are never mixed. Without one that the agreement names it is the one of flow
 * and counter that knows more bins of the period (flow when both know as many), and announce when neither
 * knows any. Announces are estimates.
 *
 * Ownership: metering_done(). Threading: any thread; blocks on the database.
 */

#include "common/balance/percentile.h"
#include "server/store/metered.h"

enum { METERING_INTERCONNECTS_MAX = 64 };

struct metering_ask {
	const char *provider;
	const char *const *names; /* of interconnects */
	size_t n;                 /* 1 .. METERING_INTERCONNECTS_MAX */
	int64_t from, to;         /* rounded inwards to whole bins */
	int64_t now;              /* bins that end later are not closed */
	uint32_t bin_seconds;
	bool has_source; /* this one and no other */
	enum store_source source;
};

/* Bins of closed time, of all interconnects together. Flags as in common/balance/quality.h. */
struct metering_quality {
	size_t expected, known;
	size_t partial, estimated, discontinuity, sampled, late, gaps; /* of the known ones */
	uint64_t observed_seconds;                                     /* of the known ones */
};

__extension__ typedef unsigned __int128 metering_total;

struct metering_sums {
	metering_total out, in, p2p_out, p2p_in;
	bool measured_p2p; /* in every known bin */
};

struct metering {
	char provider[65];
	bool has_source; /* false: there is no bin of any source */
	enum store_source source;
	int64_t from, to;
	uint32_t bin_seconds;
	size_t bins;   /* that each series should have in the end */
	size_t closed; /* how many of them are over */
	size_t n;      /* series, in the order of the names */
	struct percentile_series *series;
	struct percentile_bin *bins_of_all;     /* that the series point into */
	struct metering_quality quality, *each; /* together; of every series */
	struct metering_sums sums;
	struct store_metered *rows; /* as read: by series, then by start */
	size_t n_rows;
};

/* ERR_AWAY, ERR_SYSTEM, ERR_NOMEM, ERR_RANGE (the period has no whole bin, or too many). */
enum err metering_read(struct store *s, const struct metering_ask *ask,
                       struct metering *out) must_check;

/*
 * The same of rows that were read before: what a statement froze. `m` has all but series, quality, each
 * and sums, and they are made; it owns the rows.
 */
enum err metering_arrange(struct metering *m) must_check;
void metering_done(struct metering *m);

/* Of the bins that are over, of all interconnects, so many were measured: rounded down. */
unsigned metering_known_percent(const struct metering *m);

/* Decimal digits. */
enum { METERING_TOTAL_SIZE = 48 };
void metering_print(metering_total total, char out[static METERING_TOTAL_SIZE]);

const char *metering_source(enum store_source source); /* "flow", "counter", "announce" */
