/* SPDX-License-Identifier: Apache-2.0 */
#include "server/store/bins.h"
#include "server/store/query.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { REPORT_MS = 60000 };

/* What both tables begin with. */
static void put_key(struct text *t, const char *node, const struct store_steering_bin *bin,
                    const struct store_steering *r)
{
	copy_field(t, r->provider);
	text_printf(t, "%" PRId64 "\t", bin->start);
	copy_field(t, node);
	text_printf(t, "%" PRIu32 "\t", bin->seconds);
	copy_field(t, r->policy);
	text_printf(t, "%s\t%s\t%u", r->control ? "t" : "f", r->flagged ? "t" : "f",
	            (unsigned)r->group);
}

static void put_row(struct text *t, const char *node, const struct store_steering_bin *bin,
                    const struct store_steering *r)
{
	put_key(t, node, bin, r);
	for (unsigned k = 0; k < STORE_TIERS; k++)
		text_printf(t, "\t%" PRIu64, r->bytes[k]);
	text_printf(t, "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\n", r->copies,
	            r->imported, r->swarms, r->unsized);
}

static void put_times(struct text *t, const char *node, const struct store_steering_bin *bin,
                      const struct store_steering *r)
{
	for (unsigned k = 0; k < STORE_TIMES; k++) {
		if (r->times[k] == 0)
			continue;
		put_key(t, node, bin, r);
		text_printf(t, "\t%u\t%" PRIu64 "\n", k, r->times[k]);
	}
}

typedef void put_fn(struct text *t, const char *node, const struct store_steering_bin *bin,
                    const struct store_steering *r);

static void copy_rows(struct work *w, const char *node, const struct store_steering_bin *bin,
                      const char *command, put_fn *put)
{
	struct text t = { 0 };
	for (size_t i = 0; i < bin->n; i++)
		put(&t, node, bin, &bin->rows[i]);
	if (t.bad)
		work_fail(w, ERR_NOMEM);
	work_copy_begin(w, command);
	work_copy(w, t.bytes, t.size);
	work_copy_end(w);
	text_done(&t);
}

enum err store_steering_put(struct store *s, const char *node, const struct store_steering_bin *bin)
{
	struct work w = work_begin(s, "write what steering did");
	(void)work_run(&w, "DELETE FROM steering WHERE start = $1 AND node = $2",
	               ARGS(arg_i64(bin->start), arg_text(node)));
	(void)work_run(&w, "DELETE FROM steering_times WHERE start = $1 AND node = $2",
	               ARGS(arg_i64(bin->start), arg_text(node)));
	copy_rows(&w, node, bin, "COPY steering FROM STDIN", put_row);
	copy_rows(&w, node, bin, "COPY steering_times FROM STDIN", put_times);
	return work_end(&w);
}

static void key_row(const struct work *w, size_t row, struct store_steering *r)
{
	work_text(w, row, 0, r->provider, sizeof(r->provider));
	work_text(w, row, 1, r->policy, sizeof(r->policy));
	r->flagged = work_bool(w, row, 2);
	r->control = work_bool(w, row, 3);
	r->group = (uint8_t)work_u64(w, row, 4);
}

static void steering_row(const struct work *w, size_t row, void *out)
{
	struct store_steering *r = out;
	key_row(w, row, r);
	for (int k = 0; k < STORE_TIERS; k++)
		r->bytes[k] = work_u64(w, row, 5 + k);
	r->copies = work_u64(w, row, 5 + STORE_TIERS);
	r->imported = work_u64(w, row, 6 + STORE_TIERS);
	r->swarms = work_u64(w, row, 7 + STORE_TIERS);
	r->unsized = work_u64(w, row, 8 + STORE_TIERS);
}

struct times_row {
	struct store_steering key; /* nothing else of it */
	uint64_t bucket, completed;
};

static void times_row(const struct work *w, size_t row, void *out)
{
	struct times_row *r = out;
	key_row(w, row, &r->key);
	r->bucket = work_u64(w, row, 5);
	r->completed = work_u64(w, row, 6);
}

static bool same_key(const struct store_steering *a, const struct store_steering *b)
{
	return strcmp(a->provider, b->provider) == 0 && strcmp(a->policy, b->policy) == 0 &&
	       a->flagged == b->flagged && a->control == b->control && a->group == b->group;
}

/* Both are in the same order. */
static void join(struct store_steering *list, size_t n, const struct times_row *times,
                 size_t n_times)
{
	size_t at = 0;
	for (size_t i = 0; i < n_times; i++) {
		while (at < n && !same_key(&list[at], &times[i].key))
			at++;
		if (at < n && times[i].bucket < STORE_TIMES)
			list[at].times[times[i].bucket] = times[i].completed;
	}
}

#define KEY   "provider, policy, private, control, swarms"
#define ORDER "provider, policy, private DESC, control, swarms"
#define WINDOW                                                                               \
	"WHERE start >= $1 AND start <= $2::bigint - $3::integer AND seconds = $3::integer " \
	" AND ($4::text IS NULL OR provider = $4) "

enum err store_steering(struct store *s, const struct store_window *window,
                        struct store_steering **out, size_t *count)
{
	struct work w = work_begin(s, "sum what steering did");
	const struct arg *args = ARGS(arg_i64(window->from), arg_i64(window->to),
	                              arg_u64(window->bin_seconds), arg_text(window->provider));
	size_t n = 0, n_times = 0;
	work_allow(&w, REPORT_MS);
	(void)work_run(&w,
	               "SELECT " KEY ", sum(same_pid), sum(same_provider), sum(settlement_free), "
	               " sum(paid_peering), sum(transit), sum(unknown), sum(copies), "
	               " sum(imported), sum(downloaded), sum(unsized) FROM steering " WINDOW
	               "GROUP BY " KEY " ORDER BY " ORDER,
	               args);
	struct store_steering *list = work_list(&w, sizeof(*list), steering_row, &n);
	(void)work_run(&w,
	               "SELECT " KEY ", bucket, sum(completed) FROM steering_times " WINDOW
	               "GROUP BY " KEY ", bucket ORDER BY " ORDER ", bucket",
	               args);
	struct times_row *times = work_list(&w, sizeof(*times), times_row, &n_times);
	const enum err e = work_end(&w);
	if (e == ERR_OK)
		join(list, n, times, n_times);
	free(times);
	if (e != ERR_OK) {
		free(list);
		return e;
	}
	*out = list;
	*count = n;
	return ERR_OK;
}
