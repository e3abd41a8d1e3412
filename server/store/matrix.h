/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The traffic matrix and swarms' bytes (server/accounting/matrix.h), from bins to reports.
 *
 * Rows of bins become rows of hours after a while: store_matrix_tidy(). A window takes the rows that lie in
 * it as a whole; so one that cuts an hour of before leaves that hour out, and its bins are not counted as
 * known.
 *
 * Errors and threading as in store.h.
 */

#include "server/store/store.h"

enum store_direction { STORE_INSIDE, STORE_OUT, STORE_IN };
enum { STORE_PLACE_MAX = 144 };

/* One row of a provider's book. */
struct store_cell {
	char provider[65], interconnect[65]; /* "": none */
	enum store_direction direction;
	unsigned tier;
	char from[STORE_PLACE_MAX], to[STORE_PLACE_MAX];
	uint64_t bytes, private_bytes, unmet_bytes;
	double spread, cost;
};

struct store_swarm {
	char provider[65];
	char swarm[41]; /* its info-hash, '#' and a number, or "" for the smaller ones */
	uint64_t bytes[STORE_TIERS], out_bytes, in_bytes;
	uint64_t up, down; /* as reported */
	uint64_t clients;  /* a bit for each */
	uint64_t swarms;
	bool flagged;
	double cost;
};

/* One node's, of one bin: they replace all that there was of it, unless it is part of its hour by now. */
struct store_matrix_bin {
	int64_t start;
	uint32_t seconds, observed_seconds;
	const struct store_cell *cells;
	size_t n_cells;
	const struct store_swarm *swarms;
	size_t n_swarms;
};
enum err store_matrix_put(struct store *s, const char *node,
                          const struct store_matrix_bin *bin) must_check;

/*
 * Bins that began before `hours_until` become hours, at most `most` of them at once; *hours says how many
 * did. What began before `keep_from` is forgotten.
 */
enum err store_matrix_tidy(struct store *s, int64_t hours_until, int64_t keep_from, unsigned most,
                           uint64_t *hours) must_check;

/* ---- reports ---- */

enum store_level {
	STORE_BY_PID,          /* every PID */
	STORE_BY_NEAR,         /* those of the book's provider; of others the provider */
	STORE_BY_AS,           /* providers and ASNs */
	STORE_BY_INTERCONNECT, /* without places */
};
enum store_order { STORE_BY_BYTES, STORE_BY_COST };

struct store_ask {
	struct store_window
		window; /* its interconnect does not matter, nor does the bin's length */
	enum store_level level;
	enum store_order order;
	size_t limit;
	unsigned least_clients; /* smaller swarms are summed into the others */
};

/* Bytes are decimal digits: sums may pass 2^64. */
struct store_sum {
	char bytes[48], private_bytes[48], unmet_bytes[48];
	double spread, cost;
};

struct store_matrix_row {
	char provider[65], interconnect[65];
	enum store_direction direction;
	char from[STORE_PLACE_MAX], to[STORE_PLACE_MAX]; /* "" by interconnect */
	unsigned tier;                                   /* by interconnect */
	struct store_sum sum;
};

/* What there is besides the rows. */
struct store_matrix_about {
	uint64_t rows;        /* before the limit */
	struct store_sum all; /* over all of them; their spread is not summed */
	uint64_t bins_known;  /* different starts */
	uint64_t hours;       /* rows of the window are of hours: how many */
};

/* The largest first. free() the list. */
enum err store_matrix(struct store *s, const struct store_ask *ask, struct store_matrix_row **out,
                      size_t *count, struct store_matrix_about *about) must_check;

/* By provider and PID, or by provider and who is on the far side (STORE_BY_AS). */
struct store_top_row {
	char provider[65], place[STORE_PLACE_MAX];
	char inside_bytes[48], out_bytes[48], in_bytes[48];
	struct store_sum sum;
};
enum err store_top(struct store *s, const struct store_ask *ask, struct store_top_row **out,
                   size_t *count, struct store_matrix_about *about) must_check;

struct store_top_swarm {
	char provider[65], swarm[41]; /* "": the others */
	char tiers[STORE_TIERS][48], out_bytes[48], in_bytes[48], up[48], down[48];
	uint64_t clients; /* of the provider, at least */
	uint64_t swarms;
	bool flagged;
	struct store_sum sum; /* bytes and cost */
};
enum err store_top_swarms(struct store *s, const struct store_ask *ask,
                          struct store_top_swarm **out, size_t *count,
                          struct store_matrix_about *about) must_check;
