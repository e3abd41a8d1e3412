/* SPDX-License-Identifier: Apache-2.0 */
/* Partitions: made before they are needed, dropped when their time is over; and what counters were read. */
#include "common/base/log.h"
#include "server/store/summed.h"

/* Readers and writers wait behind a drop that waits for a long report, so it does not wait for long. */
#define BE_BRIEF "SET LOCAL lock_timeout = '2s'"

/*
 * The oldest month of a table that was over $3 days before $2, when nothing of it is still to be
 * packed. A clock of ours that runs ahead drops nothing.
 */
#define OLDEST                                                                    \
	"SELECT month FROM (SELECT relid, extract(epoch FROM "                    \
	"  to_date(right(relid::text, 7), 'YYYY_MM'))::bigint AS month "          \
	" FROM pg_partition_tree($1::text::regclass) WHERE isleaf) m "            \
	"WHERE month < month_begin(least($2, extract(epoch FROM now())::bigint) " \
	"  - $3::bigint * 86400) "                                                \
	" AND NOT EXISTS (SELECT FROM bin_days_due d WHERE d.month = m.month) "   \
	" AND NOT EXISTS (SELECT FROM bin_months_due d WHERE d.start = m.month) " \
	"ORDER BY month LIMIT 1"

static bool drop_oldest(struct store *s, const char *table, uint32_t days, int64_t now, enum err *e)
{
	struct work w = work_begin(s, "drop an old partition of bins");
	work_script(&w, BE_BRIEF);
	const bool found =
		work_run(&w, OLDEST, ARGS(arg_text(table), arg_i64(now), arg_u64(days))) == 1;
	if (found) {
		const int64_t month = work_i64(&w, 0, 0);
		(void)work_run(&w,
		               "UPDATE bins_kept SET since = greatest(since, $1) WHERE $2 = 'bins'",
		               ARGS(arg_i64(month_next(month)), arg_text(table)));
		(void)work_run(&w, "SELECT bins_drop_partition($1, $2)",
		               ARGS(arg_text(table), arg_i64(month)));
		char begin[24];
		text_time_print(month, begin);
		if (w.err == ERR_OK)
			log_line(LOG_NOTE,
			         "database: dropped what was kept long enough table=%s month=%.7s",
			         table, begin);
	}
	*e = work_end(&w);
	return found && *e == ERR_OK;
}

static enum err drop(struct store *s, const char *table, uint32_t days, int64_t now)
{
	enum err e = ERR_OK;
	while (days > 0 && drop_oldest(s, table, days, now, &e))
		continue;
	return e;
}

/* Of ports: silent for $2 days (0: never mind) before $1; or before all that is kept of bins. */
#define SILENT                                                                                \
	"($2::bigint > 0 AND gone_ms < last_ms "                                              \
	" AND last_ms < (least($1, extract(epoch FROM now())::bigint) - $2::bigint * 86400) " \
	"  * 1000)"
#define BEFORE_ALL "last_ms < (SELECT since FROM bins_kept) * 1000"

/*
 * The last reading of a port is what makes the same one, sent again, a duplicate; and by what is known of a
 * port late readings of others are refused, whose bins would replace those that it had a part in. A clock
 * of ours that runs ahead finds nobody silent. Writers of readings take turns with it: one who has looked
 * what may still come would otherwise make bins of what is left.
 */
static bool forget_next(struct store *s, uint32_t days, int64_t now, uint64_t *number, enum err *e)
{
	struct work w = work_begin(s, "forget old readings of counters");
	const bool found =
		work_run(&w,
	                 "SELECT number FROM interconnects WHERE number > $3 AND number IN "
	                 " (SELECT interconnect FROM ports WHERE " SILENT " OR " BEFORE_ALL ") "
	                 "ORDER BY number LIMIT 1 FOR NO KEY UPDATE",
	                 ARGS(arg_i64(now), arg_u64(days), arg_u64(*number))) == 1;
	if (found) {
		*number = work_u64(&w, 0, 0);
		(void)work_run(&w,
		               "WITH silent AS (UPDATE ports SET gone_ms = last_ms "
		               " WHERE interconnect = $3 AND " SILENT
		               " RETURNING interconnect, port, gone_ms) "
		               "DELETE FROM readings r USING silent s "
		               "WHERE (r.interconnect, r.port) = (s.interconnect, s.port) "
		               " AND r.at_ms < s.gone_ms",
		               ARGS(arg_i64(now), arg_u64(days), arg_u64(*number)));
		(void)work_run(&w,
		               "WITH gone AS (DELETE FROM ports "
		               " WHERE interconnect = $1 AND " BEFORE_ALL
		               " RETURNING interconnect, port) "
		               "DELETE FROM readings r USING gone g "
		               "WHERE (r.interconnect, r.port) = (g.interconnect, g.port)",
		               ARGS(arg_u64(*number)));
	}
	*e = work_end(&w);
	return found && *e == ERR_OK;
}

static enum err forget_silent_ports(struct store *s, uint32_t days, int64_t now)
{
	enum err e = ERR_OK;
	uint64_t number = 0;
	while (forget_next(s, days, now, &number, &e))
		continue;
	return e;
}

enum err store_retain(struct store *s, const struct store_keep *keep, int64_t now)
{
	struct work w = work_begin(s, "make partitions for bins");
	(void)work_run(&w, "SELECT bins_make_partition($1)", ARGS(arg_i64(now)));
	(void)work_run(&w, "SELECT bins_make_partition($1)", ARGS(arg_i64(month_next(now))));
	enum err e = work_end(&w);
	/* What is packed stays at least as long as what it was made of. */
	const uint32_t packed = keep->bins_days == 0                   ? 0
	                        : keep->rollups_days == 0              ? 0
	                        : keep->rollups_days < keep->bins_days ? keep->bins_days
	                                                               : keep->rollups_days;
	if (e == ERR_OK)
		e = drop(s, "bins", keep->bins_days, now);
	if (e == ERR_OK)
		e = drop(s, "bin_days", packed, now);
	if (e == ERR_OK)
		e = drop(s, "bin_months", packed, now);
	return e == ERR_OK ? forget_silent_ports(s, keep->readings_days, now) : e;
}
