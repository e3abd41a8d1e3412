/* SPDX-License-Identifier: Apache-2.0 */
#include "server/store/bins.h"

#include "common/balance/quality.h"
#include "common/base/log.h"
#include "server/store/query.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What no clock of ours shows; keeps a stray sample from making thousands of partitions. */
enum { START_MIN = 946684800 /* 2000 */ };
static const int64_t START_MAX = 4102444800; /* 2100 */

const char *bins_source(enum store_source source)
{
	static const char *const names[] = {
		[STORE_ANNOUNCE] = "announce", [STORE_FLOW] = "flow", [STORE_COUNTER] = "counter"
	};
	return names[source];
}

static int month_of(int64_t start)
{
	const time_t t = (time_t)start;
	struct tm tm;
	must(gmtime_r(&t, &tm) != NULL);
	return tm.tm_year * 12 + tm.tm_mon;
}

/* What came after its time is counted in the log; a table that is gone is not made again for it. */
static void is_kept(struct work *w, const struct store_bin *rows, size_t n, int64_t since)
{
	size_t late = 0;
	for (size_t i = 0; i < n; i++)
		late += rows[i].start < since;
	if (late == 0)
		return;
	char begin[24];
	text_time_print(since, begin);
	log_line(LOG_WARNING,
	         "database: bins are refused, for their time is no longer kept bins=%zu of=%zu "
	         "kept_since=%s",
	         late, n, begin);
	work_fail(w, ERR_RANGE);
}

/* In a transaction of its own: who adds one meanwhile waits until it commits. */
enum err bins_make_partitions(struct store *s, const struct store_bin *rows, size_t n)
{
	struct work w = work_begin(s, "make a partition for bins");
	int month = -1;
	if (work_run(&w, "SELECT since FROM bins_kept", NULL) == 1)
		is_kept(&w, rows, n, work_i64(&w, 0, 0));
	for (size_t i = 0; i < n; i++) {
		if (month_of(rows[i].start) == month)
			continue;
		month = month_of(rows[i].start);
		(void)work_run(&w, "SELECT bins_make_partition($1)", ARGS(arg_i64(rows[i].start)));
	}
	return work_end(&w);
}

void copy_field(struct text *t, const char *s)
{
	for (; *s != '\0'; s++) {
		const char *plain = strchr("\t\n\r\\", *s);
		if (plain != NULL)
			text_printf(t, "\\%c", "tnr\\"[plain - "\t\n\r\\"]);
		else
			text_add(t, s, 1);
	}
	text_put(t, "\t");
}

void copy_pair(struct text *t, bool known, uint64_t out, uint64_t in)
{
	if (known)
		text_printf(t, "%" PRIu64 "\t%" PRIu64 "\t", out, in);
	else
		text_put(t, "\\N\t\\N\t");
}

static void copy_row(struct text *t, size_t ordinal, const struct store_bin *b)
{
	text_printf(t, "%zu\t", ordinal);
	copy_field(t, b->provider);
	copy_field(t, b->interconnect);
	text_printf(t, "%" PRId64 "\t%" PRIu32 "\t%" PRIu32 "\t", b->start, b->seconds,
	            b->observed_seconds);
	copy_pair(t, true, b->out_bytes, b->in_bytes);
	copy_pair(t, b->measured_packets, b->out_packets, b->in_packets);
	copy_pair(t, b->measured_p2p, b->out_p2p_bytes, b->in_p2p_bytes);
	const unsigned partial = b->observed_seconds < b->seconds ? BIN_PARTIAL : 0;
	text_printf(t, "%u\n", b->quality | partial);
}

static void copy_rows(struct work *w, const struct store_bin *rows, size_t n)
{
	struct text t = { 0 };
	for (size_t i = 0; i < n; i++)
		copy_row(&t, i, &rows[i]);
	if (t.bad)
		work_fail(w, ERR_NOMEM);
	work_copy_begin(w, "COPY bins_stage FROM STDIN");
	work_copy(w, t.bytes, t.size);
	work_copy_end(w);
	text_done(&t);
}

static bool is_in_range(const struct store_bin *b)
{
	return b->start >= START_MIN && b->start < START_MAX && b->seconds != 0 &&
	       86400 % b->seconds == 0 && b->start % b->seconds == 0 &&
	       (b->quality & ~(unsigned)BIN_QUALITY_ALL) == 0;
}

#define MEASURES                                                                    \
	"seconds, observed_seconds, out_bytes, in_bytes, out_packets, in_packets, " \
	"out_p2p_bytes, in_p2p_bytes, quality"

void bins_write(struct work *w, const char *node, enum store_source source,
                const struct store_bin *rows, size_t n)
{
	(void)work_run(
		w,
		"CREATE TEMP TABLE IF NOT EXISTS bins_stage (ordinal bigint, "
		" provider text COLLATE \"C\", interconnect text COLLATE \"C\", start bigint, "
		" seconds integer, observed_seconds integer, out_bytes numeric(20), "
		" in_bytes numeric(20), out_packets numeric(20), in_packets numeric(20), "
		" out_p2p_bytes numeric(20), in_p2p_bytes numeric(20), quality smallint) "
		"ON COMMIT DELETE ROWS",
		NULL);
	copy_rows(w, rows, n);
	/* A bin may come before its topology: replayed into a new database, for one. */
	(void)work_run(w,
	               "INSERT INTO providers (provider) SELECT DISTINCT provider FROM bins_stage "
	               "ORDER BY 1 ON CONFLICT DO NOTHING",
	               NULL);
	(void)work_run(w,
	               "INSERT INTO interconnects (provider, id) "
	               "SELECT DISTINCT provider, interconnect FROM bins_stage b "
	               "WHERE NOT EXISTS (SELECT FROM interconnects i "
	               " WHERE i.provider = b.provider AND i.id = b.interconnect) "
	               "ORDER BY 1, 2 ON CONFLICT DO NOTHING",
	               NULL);
	/* In the order of the key, so that writers of the same rows queue instead of deadlocking. */
	(void)work_run(
		w,
		"INSERT INTO bins (interconnect, source, start, node, " MEASURES ") "
		"SELECT DISTINCT ON (i.number, start) i.number, $1::text::bin_source, start, $2, " MEASURES
		" FROM bins_stage b JOIN interconnects i "
		" ON i.provider = b.provider AND i.id = b.interconnect "
		"ORDER BY i.number, start, ordinal DESC "
		"ON CONFLICT (interconnect, source, start, node) DO UPDATE SET "
		" (" MEASURES ") = (SELECT EXCLUDED.seconds, EXCLUDED.observed_seconds, "
		" EXCLUDED.out_bytes, EXCLUDED.in_bytes, EXCLUDED.out_packets, "
		" EXCLUDED.in_packets, EXCLUDED.out_p2p_bytes, EXCLUDED.in_p2p_bytes, "
		" EXCLUDED.quality)",
		ARGS(arg_text(bins_source(source)), arg_text(node)));
}

enum err store_bins(struct store *s, const char *node, enum store_source source,
                    const struct store_bin *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!is_in_range(&rows[i]))
			return ERR_RANGE;
	const enum err e = bins_make_partitions(s, rows, n);
	if (e != ERR_OK || n == 0)
		return e;
	struct work w = work_begin(s, "write bins");
	bins_write(&w, node, source, rows, n);
	return work_end(&w);
}

enum err store_life(struct store *s, const char *node, const char *life,
                    char out[static STORE_NODE_SIZE])
{
	struct work w = work_begin(s, "tell a node's lives apart");
	(void)work_run(&w,
	               "INSERT INTO node_lives (node, number, life) "
	               "SELECT $1::text, coalesce(max(number), 0) + 1, $2::text "
	               "FROM node_lives WHERE node = $1::text "
	               "HAVING count(*) FILTER (WHERE life = $2::text) = 0 ON CONFLICT DO NOTHING",
	               ARGS(arg_text(node), arg_text(life)));
	/* Another daemon of this name may have taken the number just now: then the next try finds it. */
	if (work_run(
		    &w,
		    "SELECT left($1::text, 64 - length(mark)) || mark FROM (SELECT CASE number WHEN 1 "
		    " THEN '' ELSE '~' || number END AS mark FROM node_lives "
		    " WHERE node = $1::text AND life = $2::text) l",
		    ARGS(arg_text(node), arg_text(life))) == 1)
		work_text(&w, 0, 0, out, STORE_NODE_SIZE);
	else
		work_fail(&w, ERR_BUSY);
	return work_end(&w);
}

enum err store_life_step(struct store *s, const char *node, const char *life, uint64_t step,
                         int64_t now, struct store_step *out)
{
	struct store_step found = { 0 };
	struct work w = work_begin(s, "count how often a node stores");
	if (work_run(&w,
	             "UPDATE node_lives SET kept = CASE WHEN steps >= $3 THEN $4 ELSE kept END, "
	             " steps = greatest(steps + 1, $3) WHERE node = $1 AND life = $2 "
	             "RETURNING steps, kept",
	             ARGS(arg_text(node), arg_text(life), arg_u64(step), arg_i64(now))) == 1)
		found = (struct store_step){ work_u64(&w, 0, 0), work_i64(&w, 0, 1) };
	else
		work_fail(&w, ERR_NOT_FOUND);
	const enum err e = work_end(&w);
	if (e == ERR_OK)
		*out = found;
	return e;
}

enum err store_holds(struct store *s, const char *node, enum store_source source, int64_t start,
                     uint64_t bytes, bool *out)
{
	struct work w = work_begin(s, "look at a stored bin");
	const bool found =
		work_run(&w,
	                 "SELECT FROM bins WHERE start = $1 AND source = $2::text::bin_source "
	                 " AND node = $3 HAVING sum(out_bytes + in_bytes) > $4",
	                 ARGS(arg_i64(start), arg_text(bins_source(source)), arg_text(node),
	                      arg_u64(bytes))) == 1;
	const enum err e = work_end(&w);
	if (e == ERR_OK)
		*out = found;
	return e;
}
