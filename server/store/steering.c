/* SPDX-License-Identifier: Apache-2.0 */
#include "server/store/bins.h"
#include "server/store/query.h"

#include <inttypes.h>
#include <stdlib.h>

enum { REPORT_MS = 60000 };

static void copy_rows(struct work *w, const char *node, const struct store_steering_bin *bin)
{
	struct text t = { 0 };
	for (size_t i = 0; i < bin->n; i++) {
		const struct store_steering *r = &bin->rows[i];
		copy_field(&t, r->provider);
		text_printf(&t, "%" PRId64 "\t", bin->start);
		copy_field(&t, node);
		text_printf(&t, "%" PRIu32 "\t", bin->seconds);
		copy_field(&t, r->policy);
		text_printf(&t, "%s\t%s\t%u", r->control ? "t" : "f", r->flagged ? "t" : "f",
		            (unsigned)r->group);
		for (unsigned k = 0; k < STORE_TIERS; k++)
			text_printf(&t, "\t%" PRIu64, r->bytes[k]);
		text_put(&t, "\n");
	}
	if (t.bad)
		work_fail(w, ERR_NOMEM);
	work_copy_begin(w, "COPY steering FROM STDIN");
	work_copy(w, t.bytes, t.size);
	work_copy_end(w);
	text_done(&t);
}

enum err store_steering_put(struct store *s, const char *node, const struct store_steering_bin *bin)
{
	struct work w = work_begin(s, "write what steering did");
	(void)work_run(&w, "DELETE FROM steering WHERE start = $1 AND node = $2",
	               ARGS(arg_i64(bin->start), arg_text(node)));
	if (bin->n > 0)
		copy_rows(&w, node, bin);
	return work_end(&w);
}

static void steering_row(const struct work *w, size_t row, void *out)
{
	struct store_steering *r = out;
	work_text(w, row, 0, r->provider, sizeof(r->provider));
	work_text(w, row, 1, r->policy, sizeof(r->policy));
	r->flagged = work_bool(w, row, 2);
	r->control = work_bool(w, row, 3);
	r->group = (uint8_t)work_u64(w, row, 4);
	for (int k = 0; k < STORE_TIERS; k++)
		r->bytes[k] = work_u64(w, row, 5 + k);
}

enum err store_steering(struct store *s, const struct store_window *window,
                        struct store_steering **out, size_t *count)
{
	struct work w = work_begin(s, "sum what steering did");
	work_allow(&w, REPORT_MS);
	(void)work_run(&w,
	               "SELECT provider, policy, private, control, swarms, sum(same_pid), "
	               " sum(same_provider), sum(settlement_free), sum(paid_peering), "
	               " sum(transit), sum(unknown) FROM steering "
	               "WHERE start >= $1 AND start <= $2::bigint - $3::integer "
	               " AND seconds = $3::integer AND ($4::text IS NULL OR provider = $4) "
	               "GROUP BY provider, policy, private, control, swarms "
	               "ORDER BY provider, policy, private DESC, control, swarms",
	               ARGS(arg_i64(window->from), arg_i64(window->to),
	                    arg_u64(window->bin_seconds), arg_text(window->provider)));
	size_t n = 0;
	struct store_steering *list = work_list(&w, sizeof(*list), steering_row, &n);
	const enum err e = work_end(&w);
	if (e != ERR_OK) {
		free(list);
		return e;
	}
	*out = list;
	*count = n;
	return ERR_OK;
}
