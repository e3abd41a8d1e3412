/* SPDX-License-Identifier: Apache-2.0 */
#include "server/store/replay.h"

#include "server/store/query.h"

#include <stdlib.h>
#include <string.h>

enum { REPLAY_MS = 30000 };

static void read_row(const struct work *w, size_t row, void *out)
{
	struct store_replay_row *r = out;
	char word[16];
	work_text(w, row, 0, word, sizeof(word));
	r->direction = strcmp(word, "out") == 0  ? STORE_OUT
	               : strcmp(word, "in") == 0 ? STORE_IN
	                                         : STORE_INSIDE;
	work_text(w, row, 1, r->interconnect, sizeof(r->interconnect));
	work_text(w, row, 2, r->from, sizeof(r->from));
	work_text(w, row, 3, r->to, sizeof(r->to));
	r->bytes = work_u64(w, row, 4);
}

/* NOLINTNEXTLINE(readability-function-size): a window, and three answers */
enum err store_replay(struct store *s, const char *provider, int64_t from, int64_t to, size_t limit,
                      struct store_replay_row **out, size_t *count, uint64_t *bins)
{
	struct work w = work_begin(s, "replay a day");
	size_t n = 0;
	uint64_t known = 0;
	work_allow(&w, REPLAY_MS);
	if (work_run(&w,
	             "SELECT count(DISTINCT start) FROM matrix_bins "
	             "WHERE start >= $1 AND start + seconds <= $2::bigint",
	             ARGS(arg_i64(from), arg_i64(to))) == 1)
		known = work_u64(&w, 0, 0);
	(void)work_run(&w,
	               "WITH cells AS (SELECT direction, interconnect, from_place, to_place, "
	               " sum(bytes) AS bytes FROM matrix WHERE start >= $1 AND "
	               " start + seconds <= $2::bigint AND provider = $3 GROUP BY 1, 2, 3, 4), "
	               "ranked AS (SELECT *, row_number() OVER (ORDER BY bytes DESC, from_place, "
	               " to_place) <= $4::bigint AS large FROM cells) "
	               "SELECT direction, interconnect, "
	               " CASE WHEN large THEN from_place ELSE '*' END, "
	               " CASE WHEN large THEN to_place ELSE '*' END, sum(bytes) "
	               "FROM ranked GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4",
	               ARGS(arg_i64(from), arg_i64(to), arg_text(provider), arg_u64(limit)));
	void *list = work_list(&w, sizeof(struct store_replay_row), read_row, &n);
	const enum err e = work_end(&w);
	if (e != ERR_OK) {
		free(list);
		return e;
	}
	*out = list;
	*count = n;
	*bins = known;
	return ERR_OK;
}

static void read_flow(const struct work *w, size_t row, void *out)
{
	struct store_flow *f = out;
	read_row(w, row, &f->row);
	work_text(w, row, 5, f->provider, sizeof(f->provider));
}

enum err store_flows(struct store *s, int64_t start, uint32_t bin_seconds, struct store_flow **out,
                     size_t *count, uint32_t *observed_seconds)
{
	struct work w = work_begin(s, "read a bin's pairs");
	const struct arg *bin = ARGS(arg_i64(start), arg_u64(bin_seconds));
	size_t n = 0;
	uint64_t observed = 0;
	if (work_run(&w,
	             "SELECT coalesce(max(observed_seconds), 0) FROM matrix_bins "
	             "WHERE start = $1 AND seconds = $2::integer AND NOT rolled",
	             bin) == 1)
		observed = work_u64(&w, 0, 0);
	(void)work_run(&w,
	               "SELECT direction, interconnect, from_place, to_place, sum(bytes), provider "
	               "FROM matrix WHERE start = $1 AND seconds = $2::integer AND tier > 0 "
	               "GROUP BY 1, 2, 3, 4, 6 ORDER BY 6, 1, 2, 3, 4",
	               bin);
	void *list = work_list(&w, sizeof(struct store_flow), read_flow, &n);
	const enum err e = work_end(&w);
	if (e != ERR_OK) {
		free(list);
		return e;
	}
	*out = list;
	*count = n;
	*observed_seconds = (uint32_t)observed;
	return ERR_OK;
}
