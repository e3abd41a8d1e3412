/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The traffic matrix of one swarm in one bin, from its sums.
 *
 * Known: how much each place uploaded and downloaded (the row and column sums), and a prior: how many
 * contacts the tracker made between two places. Iterative proportional fitting (Kruithof 1937) scales
 * rows and columns of the prior in turn until the sums hold; the result is the matrix closest to the
 * prior, in relative entropy, that has these sums.
 *
 * What was downloaded is the truth: the columns add up exactly, in whole bytes, whatever else. What
 * was uploaded only says in which proportion the rows stand. When nobody uploaded anything the rows
 * are free.
 *
 * Clients also meet without us (PEX, DHT, incoming), so a faint background, FIT_BACKGROUND of
 * the prior's weight spread in proportion to the sums, joins every place with the FIT_SPREAD largest
 * ones. It gives a place without any contact somewhere to take its bytes from, and lets the
 * iteration converge where the contacts alone would contradict the sums.
 *
 * Pure. Allocates; the time is bounded by FIT_ROUNDS * (prior + 2 * FIT_SPREAD * places).
 */

#include "common/base/err.h"

#include <stdint.h>

enum { FIT_ROUNDS = 300, FIT_SPREAD = 64, FIT_PLACES_MAX = 1 << 20, FIT_PRIOR_MAX = 1 << 24 };
#define FIT_PRECISION  1e-6 /* largest relative error of a row sum that ends the iteration */
#define FIT_BACKGROUND 1e-3

struct fit_cell {
	uint32_t from, to; /* places, below `n_places` */
	double weight;     /* in: of the prior, >= 0; out: the fitted bytes before rounding */
	uint64_t bytes;    /* out */
};

struct fit_input {
	size_t n_places;
	const double *up;     /* >= 0 */
	const uint64_t *down; /* at most 2^62 in all */
	const struct fit_cell *prior;
	size_t n_prior;
};

/*
 * Cells come back by `to`, then `from`, each pair at most once. free() them. Nothing downloaded: no
 * cells, *out is NULL. ERR_RANGE: beyond a limit above. ERR_NOMEM.
 */
enum err fit_matrix(const struct fit_input *in, struct fit_cell **out, size_t *n_out) must_check;
