/* SPDX-License-Identifier: Apache-2.0 */
#include "server/store/matrix.h"

#include "server/store/bins.h"
#include "server/store/query.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REPORT_MS = 60000, TIDY_MS = 60000 };

static const char *const directions[] = {
	[STORE_INSIDE] = "inside", [STORE_OUT] = "out", [STORE_IN] = "in"
};

/* ---- writing ---- */

static void put_key(struct text *t, const char *node, const struct store_matrix_bin *bin,
                    const char *provider)
{
	text_printf(t, "%" PRId64 "\t", bin->start);
	copy_field(t, node);
	text_printf(t, "%" PRIu32 "\t", bin->seconds);
	copy_field(t, provider);
}

static void put_cell(struct text *t, const struct store_cell *c)
{
	text_printf(t, "%s\t%u\t", directions[c->direction], c->tier);
	copy_field(t, c->interconnect);
	copy_field(t, c->from);
	copy_field(t, c->to);
	text_printf(t, "%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%.17g\t%.17g\n", c->bytes,
	            c->private_bytes, c->unmet_bytes, c->spread, c->cost);
}

static void put_swarm(struct text *t, const struct store_swarm *r)
{
	copy_field(t, r->swarm);
	for (unsigned k = 0; k < STORE_TIERS; k++)
		text_printf(t, "%" PRIu64 "\t", r->bytes[k]);
	text_printf(t, "%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t", r->out_bytes,
	            r->in_bytes, r->up, r->down);
	/* bigint has a sign; the bits are the same. */
	text_printf(t, "%" PRId64 "\t%" PRIu64 "\t%s\t%.17g\n", (int64_t)r->clients, r->swarms,
	            r->flagged ? "t" : "f", r->cost);
}

static void copy_all(struct work *w, const char *command, struct text *t)
{
	if (t->bad)
		work_fail(w, ERR_NOMEM);
	work_copy_begin(w, command);
	work_copy(w, t->bytes, t->size);
	work_copy_end(w);
	text_done(t);
}

static void copy_rows(struct work *w, const char *node, const struct store_matrix_bin *bin)
{
	struct text cells = { 0 }, swarms = { 0 };
	for (size_t i = 0; i < bin->n_cells; i++) {
		put_key(&cells, node, bin, bin->cells[i].provider);
		put_cell(&cells, &bin->cells[i]);
	}
	for (size_t i = 0; i < bin->n_swarms; i++) {
		put_key(&swarms, node, bin, bin->swarms[i].provider);
		put_swarm(&swarms, &bin->swarms[i]);
	}
	copy_all(w, "COPY matrix FROM STDIN", &cells);
	copy_all(w, "COPY swarm_bytes FROM STDIN", &swarms);
}

/* What the bin had before, but not its hour, which starts with the same second when it is the first in it. */
#define BEFORE                                                                   \
	" WHERE start = $1 AND node = $2 AND NOT (seconds = 3600 AND EXISTS "    \
	"(SELECT FROM matrix_bins b WHERE b.node = $2 AND b.rolled AND b.start " \
	"BETWEEN $1 AND $1 + 3599))"

enum err store_matrix_put(struct store *s, const char *node, const struct store_matrix_bin *bin)
{
	struct work w = work_begin(s, "write a matrix");
	const struct arg *key = ARGS(arg_i64(bin->start), arg_text(node));
	const size_t new = work_run(
		&w,
		"INSERT INTO matrix_bins AS b VALUES ($1, $2, $3, $4) "
		"ON CONFLICT (start, node) DO UPDATE SET seconds = EXCLUDED.seconds, "
		" observed_seconds = EXCLUDED.observed_seconds WHERE NOT b.rolled RETURNING start",
		ARGS(arg_i64(bin->start), arg_text(node), arg_u64(bin->seconds),
	             arg_u64(bin->observed_seconds)));
	if (new == 0)
		return work_end(&w); /* it is part of its hour */
	(void)work_run(&w, "DELETE FROM matrix" BEFORE, key);
	(void)work_run(&w, "DELETE FROM swarm_bytes" BEFORE, key);
	copy_rows(&w, node, bin);
	return work_end(&w);
}

enum err store_matrix_tidy(struct store *s, int64_t hours_until, int64_t keep_from, unsigned most,
                           uint64_t *hours)
{
	struct work w = work_begin(s, "roll up the matrix");
	uint64_t n = 0;
	work_allow(&w, TIDY_MS);
	if (work_run(&w, "SELECT matrix_tidy($1, $2, $3)",
	             ARGS(arg_i64(hours_until), arg_i64(keep_from), arg_u64(most))) == 1)
		n = work_u64(&w, 0, 0);
	const enum err e = work_end(&w);
	if (e == ERR_OK)
		*hours = n;
	return e;
}

/* ---- reading ---- */

#define WINDOW                                                     \
	"WHERE start >= $1 AND start + seconds <= $2::bigint AND " \
	" ($3::text IS NULL OR provider = $3) "
/* Over time deviations add up; over cells they do not (common/balance/spread.h). */
#define CELLS                                                                                   \
	"WITH cells AS (SELECT provider, direction, tier, interconnect, from_place, to_place, " \
	" sum(bytes) AS bytes, sum(private_bytes) AS private, sum(unmet_bytes) AS unmet, "      \
	" sum(spread) AS spread, sum(cost) AS cost FROM matrix " WINDOW                         \
	" GROUP BY provider, direction, tier, interconnect, from_place, to_place) "
#define SUMS                                                                          \
	"sum(bytes) AS bytes, sum(private), sum(unmet), sqrt(sum(spread * spread)), " \
	"sum(cost) AS cost, count(*) OVER (), sum(sum(bytes)) OVER (), "              \
	"sum(sum(private)) OVER (), sum(sum(unmet)) OVER (), sum(sum(cost)) OVER () "
#define ORDER                                                                   \
	"ORDER BY CASE WHEN $4::text = 'cost' THEN sum(cost) ELSE 0 END DESC, " \
	" sum(bytes) DESC, 1, 2, 3, 4 LIMIT $5::bigint"

static const char *level_name(enum store_level level)
{
	static const char *const names[] = { [STORE_BY_PID] = "pid",
		                             [STORE_BY_NEAR] = "near",
		                             [STORE_BY_AS] = "as",
		                             [STORE_BY_INTERCONNECT] = "interconnect" };
	return names[level];
}

/* Doubles travel as text; sums of none are NULL. */
static double work_double(const struct work *w, size_t row, int column)
{
	char digits[64];
	work_text(w, row, column, digits, sizeof(digits));
	return digits[0] != '\0' ? strtod(digits, NULL) : 0;
}

static void digits(const struct work *w, size_t row, int column, char out[static 48])
{
	work_text(w, row, column, out, 48);
	if (out[0] == '\0')
		(void)snprintf(out, 48, "0");
}

static void read_sum(const struct work *w, size_t row, int column, struct store_sum *sum)
{
	digits(w, row, column, sum->bytes);
	digits(w, row, column + 1, sum->private_bytes);
	digits(w, row, column + 2, sum->unmet_bytes);
	sum->spread = work_double(w, row, column + 3);
	sum->cost = work_double(w, row, column + 4);
}

/* The totals that every row carries behind its own sums. */
static void read_about(const struct work *w, size_t rows, int column,
                       struct store_matrix_about *about)
{
	*about = (struct store_matrix_about){
		.all = { .bytes = "0", .private_bytes = "0", .unmet_bytes = "0" }
	};
	if (rows == 0)
		return;
	about->rows = work_u64(w, 0, column);
	digits(w, 0, column + 1, about->all.bytes);
	digits(w, 0, column + 2, about->all.private_bytes);
	digits(w, 0, column + 3, about->all.unmet_bytes);
	about->all.cost = work_double(w, 0, column + 4);
}

static void count_bins(struct work *w, const struct store_window *window,
                       struct store_matrix_about *about)
{
	if (work_run(w,
	             "SELECT count(DISTINCT start), count(DISTINCT start - start % 3600) "
	             " FILTER (WHERE rolled) FROM matrix_bins "
	             "WHERE CASE WHEN rolled THEN start - start % 3600 ELSE start END >= $1 AND "
	             " CASE WHEN rolled THEN start - start % 3600 + 3600 ELSE start + seconds END "
	             " <= $2::bigint",
	             ARGS(arg_i64(window->from), arg_i64(window->to))) == 1) {
		about->bins_known = work_u64(w, 0, 0);
		about->hours = work_u64(w, 0, 1);
	}
}

struct question {
	const char *what, *sql;
	size_t each;
	row_reader *read;
	int totals; /* the column where they begin */
};

/* NOLINTNEXTLINE(readability-function-size): one query for three questions */
static enum err ask_for(struct store *s, const struct store_ask *ask, const struct question *q,
                        const char *last, void **out, size_t *count,
                        struct store_matrix_about *about)
{
	struct work w = work_begin(s, q->what);
	const struct store_window *window = &ask->window;
	struct store_matrix_about all;
	size_t n = 0;
	work_allow(&w, REPORT_MS);
	const size_t rows = work_run(&w, q->sql,
	                             ARGS(arg_i64(window->from), arg_i64(window->to),
	                                  arg_text(window->provider),
	                                  arg_text(ask->order == STORE_BY_COST ? "cost" : "bytes"),
	                                  arg_u64(ask->limit), arg_text(last)));
	read_about(&w, rows, q->totals, &all);
	void *list = work_list(&w, q->each, q->read, &n);
	count_bins(&w, window, &all);
	const enum err e = work_end(&w);
	if (e != ERR_OK) {
		free(list);
		return e;
	}
	*out = list;
	*count = n;
	*about = all;
	return ERR_OK;
}

static enum store_direction direction_of(const struct work *w, size_t row, int column)
{
	char word[16];
	work_text(w, row, column, word, sizeof(word));
	if (strcmp(word, "inside") == 0)
		return STORE_INSIDE;
	return strcmp(word, "out") == 0 ? STORE_OUT : STORE_IN;
}

static void matrix_row(const struct work *w, size_t row, void *out)
{
	struct store_matrix_row *r = out;
	work_text(w, row, 0, r->provider, sizeof(r->provider));
	r->direction = direction_of(w, row, 1);
	work_text(w, row, 2, r->from, sizeof(r->from));
	work_text(w, row, 3, r->to, sizeof(r->to));
	work_text(w, row, 4, r->interconnect, sizeof(r->interconnect));
	r->tier = (unsigned)work_u64(w, row, 5);
	read_sum(w, row, 6, &r->sum);
}

enum err store_matrix(struct store *s, const struct store_ask *ask, struct store_matrix_row **out,
                      size_t *count, struct store_matrix_about *about)
{
	static const struct question q = {
		.what = "sum a matrix",
		.sql = CELLS "SELECT provider, direction, "
			     " CASE WHEN $6::text = 'interconnect' THEN '' "
			     "  ELSE matrix_place(from_place, provider, $6::text) END, "
			     " CASE WHEN $6::text = 'interconnect' THEN '' "
			     "  ELSE matrix_place(to_place, provider, $6::text) END, "
			     " CASE WHEN $6::text = 'interconnect' THEN interconnect ELSE '' END, "
			     " CASE WHEN $6::text = 'interconnect' THEN tier ELSE 0 END, " SUMS
			     "FROM cells GROUP BY 1, 2, 3, 4, 5, 6 " ORDER,
		.each = sizeof(struct store_matrix_row),
		.read = matrix_row,
		.totals = 11,
	};
	void *list = NULL;
	const enum err e = ask_for(s, ask, &q, level_name(ask->level), &list, count, about);
	if (e == ERR_OK)
		*out = list;
	return e;
}

static void top_row(const struct work *w, size_t row, void *out)
{
	struct store_top_row *r = out;
	work_text(w, row, 0, r->provider, sizeof(r->provider));
	work_text(w, row, 1, r->place, sizeof(r->place));
	digits(w, row, 2, r->inside_bytes);
	digits(w, row, 3, r->out_bytes);
	digits(w, row, 4, r->in_bytes);
	read_sum(w, row, 5, &r->sum);
}

/* Inside bytes between two PIDs are at both; at the far side those inside are the provider's own. */
enum err store_top(struct store *s, const struct store_ask *ask, struct store_top_row **out,
                   size_t *count, struct store_matrix_about *about)
{
	static const struct question q = {
		.what = "find the largest places",
		.sql = CELLS
		", ends AS ("
		"SELECT *, CASE WHEN direction = 'in' THEN to_place ELSE from_place END AS place "
		" FROM cells WHERE $6::text = 'pid' "
		"UNION ALL SELECT *, to_place FROM cells WHERE $6::text = 'pid' "
		" AND direction = 'inside' AND from_place <> to_place "
		"UNION ALL SELECT *, CASE WHEN direction = 'in' THEN from_place ELSE to_place END "
		" FROM cells WHERE $6::text <> 'pid') "
		"SELECT provider, matrix_place(place, provider, $6::text), "
		" sum(bytes) FILTER (WHERE direction = 'inside'), "
		" sum(bytes) FILTER (WHERE direction = 'out'), "
		" sum(bytes) FILTER (WHERE direction = 'in'), " SUMS "FROM ends GROUP BY 1, 2 "
		"ORDER BY CASE WHEN $4::text = 'cost' THEN sum(cost) ELSE 0 END DESC, "
		" sum(bytes) DESC, 1, 2 LIMIT $5::bigint",
		.each = sizeof(struct store_top_row),
		.read = top_row,
		.totals = 10,
	};
	void *list = NULL;
	const enum err e = ask_for(s, ask, &q, level_name(ask->level), &list, count, about);
	if (e == ERR_OK)
		*out = list;
	return e;
}

static void swarm_row(const struct work *w, size_t row, void *out)
{
	struct store_top_swarm *r = out;
	int at = 0;
	work_text(w, row, at++, r->provider, sizeof(r->provider));
	work_text(w, row, at++, r->swarm, sizeof(r->swarm));
	r->clients = work_u64(w, row, at++);
	r->swarms = work_u64(w, row, at++);
	r->flagged = work_bool(w, row, at++);
	for (unsigned k = 0; k < STORE_TIERS; k++)
		digits(w, row, at++, r->tiers[k]);
	digits(w, row, at++, r->out_bytes);
	digits(w, row, at++, r->in_bytes);
	digits(w, row, at++, r->up);
	digits(w, row, at++, r->down);
	read_sum(w, row, at, &r->sum);
}

/* Keyed hashes of clients are a node's own, so that nodes' clients cannot be told from each other's. */
enum err store_top_swarms(struct store *s, const struct store_ask *ask,
                          struct store_top_swarm **out, size_t *count,
                          struct store_matrix_about *about)
{
	static const struct question q = {
		.what = "find the largest swarms",
		.sql = "WITH of_nodes AS (SELECT provider, swarm, node, sum(same_pid) AS t0, "
		       " sum(same_provider) AS t1, sum(settlement_free) AS t2, "
		       " sum(paid_peering) AS t3, sum(transit) AS t4, sum(unknown) AS t5, "
		       " sum(out_bytes) AS out_bytes, sum(in_bytes) AS in_bytes, "
		       " sum(reported_up) AS up, sum(reported_down) AS down, "
		       " bit_count(bit_or(clients)::bit(64)) AS clients, max(swarms) AS swarms, "
		       " bool_and(private) AS private, sum(cost) AS cost "
		       " FROM swarm_bytes " WINDOW " GROUP BY provider, swarm, node), "
		       "known AS (SELECT provider, swarm, sum(t0) AS t0, sum(t1) AS t1, "
		       " sum(t2) AS t2, sum(t3) AS t3, sum(t4) AS t4, sum(t5) AS t5, "
		       " sum(out_bytes) AS out_bytes, sum(in_bytes) AS in_bytes, sum(up) AS up, "
		       " sum(down) AS down, max(clients) AS clients, max(swarms) AS swarms, "
		       " bool_and(private) AS private, sum(cost) AS cost, "
		       " sum(t0 + t1 + t2 + t3 + t4 + t5) AS bytes, "
		       " max(clients) < $6::text::bigint OR swarm = '' AS small "
		       " FROM of_nodes GROUP BY provider, swarm) "
		       "SELECT provider, CASE WHEN small THEN '' ELSE swarm END, "
		       " CASE WHEN small THEN 0 ELSE max(clients) END, sum(swarms), "
		       " bool_and(private), sum(t0), sum(t1), sum(t2), sum(t3), sum(t4), sum(t5), "
		       " sum(out_bytes), sum(in_bytes), CASE WHEN small THEN 0 ELSE sum(up) END, "
		       " CASE WHEN small THEN 0 ELSE sum(down) END, sum(bytes), 0, 0, 0, sum(cost), "
		       " count(*) OVER (), sum(sum(bytes)) OVER (), 0, 0, sum(sum(cost)) OVER () "
		       "FROM known GROUP BY provider, 2, small "
		       "ORDER BY small, CASE WHEN $4::text = 'cost' THEN sum(cost) ELSE 0 END DESC, "
		       " sum(bytes) DESC, 1, 2 LIMIT $5::bigint",
		.each = sizeof(struct store_top_swarm),
		.read = swarm_row,
		.totals = 20,
	};
	char least[16];
	void *list = NULL;
	(void)snprintf(least, sizeof(least), "%u", ask->least_clients);
	const enum err e = ask_for(s, ask, &q, least, &list, count, about);
	if (e == ERR_OK)
		*out = list;
	return e;
}
