/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * How sure the cells of a fitted matrix are (fit.h).
 *
 * The fit spreads a place's bytes over its contacts evenly; real pairs differ. When the bytes of the pairs
 * that met between two places scatter with the variation SPREAD_PAIRS around their mean, a cell of `bytes`
 * over `contacts` pairs has the variance SPREAD_PAIRS * bytes^2 / contacts. What its column adds up to is
 * known, so that one cell can only be wrong when others are: of a normal variable v whose sum with
 * others, V, is known, v (1 - v / V) is left; the same for its row, as far as its uploads were reported. A
 * cell that stands on the background alone, where no contact of ours was, is known no better than by
 * half: SPREAD_UNMET.
 *
 * That is chance, of which little is left in a sum over many swarms. What does not go away is that the fit
 * knows nothing of clients: that some meet few and take more from each, say. It is SPREAD_MODEL of any
 * sum. Neither figure is derived; tests/unit/accounting/test_close.c and test_estimate.c replay swarms and
 * count how often the truth lies in the interval. All of this presumes that clients meet through us. Where
 * they meet elsewhere too (PEX, DHT) no figure here bounds the error.
 *
 * Pure.
 */

#include "common/base/err.h"

#include <stddef.h>
#include <stdint.h>

#define SPREAD_PAIRS 1.0
#define SPREAD_UNMET 0.25
#define SPREAD_MODEL 0.025

struct spread_cell {
	uint32_t from, to; /* places, below `n_places` */
	double bytes, contacts;
	double variance; /* out: bytes^2 */
};

/* `rows_known`: the share of the uploads that was reported, 0 to 1. ERR_NOMEM. */
enum err spread_matrix(struct spread_cell *cells, size_t n, size_t n_places,
                       double rows_known) must_check;

/* Half the width of the interval of SPREAD_LEVEL around a sum of bytes with that deviation by chance. */
#define SPREAD_LEVEL 0.9
double spread_half(double bytes, double deviation);
