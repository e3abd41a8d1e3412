/* SPDX-License-Identifier: Apache-2.0 */
#include "server/store/bins.h"
#include "server/store/query.h"

#include <stdlib.h>
#include <string.h>

static void load_row(const struct work *w, size_t row, void *out)
{
	struct store_load *l = out;
	char source[16];
	work_text(w, row, 0, l->provider, sizeof(l->provider));
	work_text(w, row, 1, l->interconnect, sizeof(l->interconnect));
	l->ratio_limit_milli = work_u64(w, row, 2);
	l->start = work_i64(w, row, 3);
	work_text(w, row, 4, source, sizeof(source));
	for (enum store_source s = STORE_ANNOUNCE; s <= STORE_COUNTER; s++)
		if (strcmp(source, bins_source(s)) == 0)
			l->source = s;
	l->observed_seconds = (uint32_t)work_u64(w, row, 5);
	l->out_bytes = work_u64(w, row, 6);
	l->in_bytes = work_u64(w, row, 7);
}

enum err store_loads(struct store *s, int64_t from, int64_t to, uint32_t bin_seconds,
                     struct store_load **out, size_t *count)
{
	struct work w = work_begin(s, "read loads");
	(void)work_run(&w,
	               "SELECT DISTINCT ON (b.start, i.provider, i.id) i.provider, i.id, "
	               " i.ratio_limit_milli, b.start, b.source, max(b.observed_seconds), "
	               " sum(b.out_bytes), sum(b.in_bytes) "
	               "FROM bins b JOIN interconnects i ON i.number = b.interconnect "
	               "WHERE b.start >= $1 AND b.start < $2 AND b.seconds = $3::integer "
	               " AND i.in_force "
	               "GROUP BY i.provider, i.id, i.ratio_limit_milli, b.start, b.source "
	               "ORDER BY b.start, i.provider, i.id, "
	               " array_position('{flow,counter,announce}'::bin_source[], b.source)",
	               ARGS(arg_i64(from), arg_i64(to), arg_u64(bin_seconds)));
	size_t n = 0;
	struct store_load *list = work_list(&w, sizeof(*list), load_row, &n);
	const enum err e = work_end(&w);
	if (e != ERR_OK) {
		free(list);
		return e;
	}
	*out = list;
	*count = n;
	return ERR_OK;
}
