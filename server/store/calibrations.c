/* SPDX-License-Identifier: Apache-2.0 */
#include "server/store/calibrations.h"

#include "server/store/query.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REPORT_MS = 60000 };

#define COLUMNS                                                                           \
	"i.provider, i.id, c.direction, c.day, c.flow_bytes, c.announce_bytes, c.noise, " \
	"c.factor, c.off, c.drift, c.k, c.sigma, c.days "

static double work_double(const struct work *w, size_t row, int column)
{
	char digits[64];
	work_text(w, row, column, digits, sizeof(digits));
	return strtod(digits, NULL);
}

static void read_key(const struct work *w, size_t row, struct store_calibration *c)
{
	char word[16];
	work_text(w, row, 0, c->provider, sizeof(c->provider));
	work_text(w, row, 1, c->interconnect, sizeof(c->interconnect));
	work_text(w, row, 2, word, sizeof(word));
	c->direction = strcmp(word, "out") == 0 ? STORE_OUT : STORE_IN;
}

static void day_row(const struct work *w, size_t row, void *out)
{
	struct store_calibration *c = out;
	read_key(w, row, c);
	c->flow_bytes = work_double(w, row, 3);
	c->announce_bytes = work_double(w, row, 4);
	c->noise = work_double(w, row, 5);
	c->k = work_double(w, row, 6);
	c->sigma = work_double(w, row, 7);
	c->days = (unsigned)work_u64(w, row, 8);
}

static void calibration_row(const struct work *w, size_t row, void *out)
{
	struct store_calibration *c = out;
	read_key(w, row, c);
	c->day = work_i64(w, row, 3);
	c->flow_bytes = work_double(w, row, 4);
	c->announce_bytes = work_double(w, row, 5);
	c->noise = work_double(w, row, 6);
	c->factor = work_double(w, row, 7);
	c->off = work_double(w, row, 8);
	c->drift = work_bool(w, row, 9);
	c->k = work_double(w, row, 10);
	c->sigma = work_double(w, row, 11);
	c->days = (unsigned)work_u64(w, row, 12);
}

static enum err list(struct work *w, row_reader *read, struct store_calibration **out,
                     size_t *count)
{
	size_t n = 0;
	struct store_calibration *rows = work_list(w, sizeof(*rows), read, &n);
	const enum err e = work_end(w);
	if (e != ERR_OK) {
		free(rows);
		return e;
	}
	*out = rows;
	*count = n;
	return ERR_OK;
}

enum err store_calibration_day(struct store *s, int64_t day, uint32_t bin_seconds,
                               struct store_calibration **out, size_t *count)
{
	struct work w = work_begin(s, "hold announces against flows");
	work_allow(&w, REPORT_MS);
	(void)work_run(&w, "SELECT * FROM calibration_sums($1, $2)",
	               ARGS(arg_i64(day), arg_u64(bin_seconds)));
	const enum err e = list(&w, day_row, out, count);
	for (size_t i = 0; e == ERR_OK && i < *count; i++)
		(*out)[i].day = day;
	return e;
}

static struct arg arg_double(double x, char digits[static 32])
{
	(void)snprintf(digits, 32, "%.17g", x);
	return arg_text(digits);
}

static void put(struct work *w, const struct store_calibration *c)
{
	char digits[7][32];
	(void)work_run(
		w,
		"INSERT INTO calibrations SELECT number, $3::text::matrix_direction, $4, "
		" $5::text::numeric, $6::text::numeric, $7::text::double precision, "
		" $8::text::double precision, $9::text::double precision, $10::text::boolean, "
		" $11::text::double precision, $12::text::double precision, $13 "
		"FROM interconnects WHERE provider = $1 AND id = $2 "
		"ON CONFLICT (interconnect, direction, day) DO UPDATE SET "
		" flow_bytes = EXCLUDED.flow_bytes, announce_bytes = EXCLUDED.announce_bytes, "
		" noise = EXCLUDED.noise, factor = EXCLUDED.factor, off = EXCLUDED.off, "
		" drift = EXCLUDED.drift, k = EXCLUDED.k, sigma = EXCLUDED.sigma, "
		" days = EXCLUDED.days",
		ARGS(arg_text(c->provider), arg_text(c->interconnect),
	             arg_text(c->direction == STORE_OUT ? "out" : "in"), arg_i64(c->day),
	             arg_double(c->flow_bytes, digits[0]), arg_double(c->announce_bytes, digits[1]),
	             arg_double(c->noise, digits[2]), arg_double(c->factor, digits[3]),
	             arg_double(c->off, digits[4]), arg_text(c->drift ? "t" : "f"),
	             arg_double(c->k, digits[5]), arg_double(c->sigma, digits[6]),
	             arg_u64(c->days)));
}

enum err store_calibration_put(struct store *s, const struct store_calibration *rows, size_t n)
{
	struct work w = work_begin(s, "keep what flows say of announces");
	for (size_t i = 0; i < n; i++)
		put(&w, &rows[i]);
	return work_end(&w);
}

enum err store_calibrations(struct store *s, const char *provider, int64_t until,
                            struct store_calibration **out, size_t *count)
{
	struct work w = work_begin(s, "read what flows say of announces");
	(void)work_run(&w,
	               "SELECT DISTINCT ON (c.interconnect, c.direction) " COLUMNS
	               "FROM calibrations c JOIN interconnects i ON i.number = c.interconnect "
	               "WHERE c.day < $2::bigint AND ($1::text IS NULL OR i.provider = $1) "
	               "ORDER BY c.interconnect, c.direction, c.day DESC",
	               ARGS(arg_text(provider), arg_i64(until)));
	return list(&w, calibration_row, out, count);
}

enum err store_drifts(struct store *s, const char *provider, int64_t from, int64_t until,
                      struct store_calibration **out, size_t *count)
{
	struct work w = work_begin(s, "find where announces drifted from flows");
	(void)work_run(&w,
	               "SELECT " COLUMNS
	               "FROM calibrations c JOIN interconnects i ON i.number = c.interconnect "
	               "WHERE c.drift AND c.day >= $2::bigint AND c.day < $3::bigint "
	               " AND ($1::text IS NULL OR i.provider = $1) "
	               "ORDER BY c.day DESC, i.provider, i.id, c.direction",
	               ARGS(arg_text(provider), arg_i64(from), arg_i64(until)));
	return list(&w, calibration_row, out, count);
}
