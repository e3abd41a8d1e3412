/* SPDX-License-Identifier: Apache-2.0 */
#include "common/balance/spread.h"

#include <math.h>
#include <stdlib.h>

static double alone(const struct spread_cell *c)
{
	const double square = c->bytes * c->bytes;
	return c->contacts > 0 ? SPREAD_PAIRS * square / fmax(c->contacts, 1)
	                       : SPREAD_UNMET * square;
}

/* What a sum that is known leaves of one part's variance. */
static double left(double variance, double sum, double known)
{
	return sum > 0 ? 1 - known * variance / sum : 1;
}

enum err spread_matrix(struct spread_cell *cells, size_t n, size_t n_places, double rows_known)
{
	double *rows = calloc(2 * n_places + 1, sizeof(*rows)), *columns = rows + n_places;
	if (rows == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < n; i++) {
		must(cells[i].from < n_places && cells[i].to < n_places);
		cells[i].variance = alone(&cells[i]);
		rows[cells[i].from] += cells[i].variance;
		columns[cells[i].to] += cells[i].variance;
	}
	for (size_t i = 0; i < n; i++) {
		struct spread_cell *c = &cells[i];
		c->variance *= left(c->variance, columns[c->to], 1) *
		               left(c->variance, rows[c->from], rows_known);
	}
	free(rows);
	return ERR_OK;
}

double spread_half(double bytes, double deviation)
{
	static const double deviations = 1.645; /* of a normal variable, for SPREAD_LEVEL */
	return deviations * hypot(deviation, SPREAD_MODEL * bytes);
}
