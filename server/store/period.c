/* SPDX-License-Identifier: Apache-2.0 */
#include "server/store/pool.h"
#include "server/store/query.h"

#include <string.h>

enum { ROLLING = 30 * 86400, CYCLE_DAY_MAX = 28 };

/*
 * In the zone's own time the period begins at midnight; PostgreSQL says which instant that is. An hour
 * that the clocks skip begins when they have skipped it. Where they go back to midnight there are two of
 * them, of which PostgreSQL takes the second: the day has begun an hour before.
 */
#define PERIOD_OF(unit)                                                                         \
	"SELECT min(begins), max(begins) FROM (SELECT extract(epoch FROM instant - CASE "       \
	"  WHEN (instant - interval '1 hour') AT TIME ZONE $1 = midnight "                      \
	"  THEN interval '1 hour' ELSE interval '0' END)::bigint AS begins "                    \
	" FROM (SELECT date_trunc('" unit "', to_timestamp($2::bigint) AT TIME ZONE $1 - late)" \
	"   + late AS first FROM (SELECT make_interval(days => $3::integer)) shift (late)) p, " \
	"  LATERAL (VALUES (first), (first + interval '1 " unit "')) ends (midnight), "         \
	"  LATERAL (SELECT midnight AT TIME ZONE $1) zoned (instant)) period"

/*
 * Asked of the list, because a zone that is not there may pass as one of POSIX's: "Europe/Berlin2" would be
 * two hours west of Greenwich. The list is made of a thousand files for each question, so that answers are
 * remembered.
 */
static bool is_known(struct work *w, const char *zone)
{
	if (pool_knows_zone(w->store, zone))
		return true;
	if (work_run(w, "SELECT FROM pg_timezone_names WHERE name = $1", ARGS(arg_text(zone))) != 1)
		return false;
	pool_note_zone(w->store, zone);
	return true;
}

enum err store_period(struct store *s, const struct store_calendar *c, int64_t instant,
                      struct store_period *out, struct fault *fault)
{
	if (c->kind == STORE_ROLLING) {
		*out = (struct store_period){ instant - ROLLING, instant };
		return ERR_OK;
	}
	const unsigned day = c->cycle_day == 0 ? 1 : c->cycle_day;
	if (day > CYCLE_DAY_MAX || (c->kind == STORE_WEEK && day > 7))
		return fault_set(fault, ERR_RANGE, "cycle_day",
		                 "a month begins on day 1 to %d, a "
		                 "week on day 1 (Monday) to 7",
		                 CYCLE_DAY_MAX);
	struct work w = work_begin(s, "find a period");
	const bool known = is_known(&w, c->zone);
	if (w.err == ERR_OK && !known)
		work_fail(&w, ERR_NOT_FOUND);
	if (work_run(&w, c->kind == STORE_MONTH ? PERIOD_OF("month") : PERIOD_OF("week"),
	             ARGS(arg_text(c->zone), arg_i64(instant), arg_u64(day - 1))) == 1)
		*out = (struct store_period){ work_i64(&w, 0, 0), work_i64(&w, 0, 1) };
	const enum err e = work_end(&w);
	if (e == ERR_NOT_FOUND)
		return fault_set(
			fault, e, "tz",
			"\"%.40s\" is no time zone of the database: write UTC or a region and city "
			"such as Europe/Berlin or America/New_York; CEST or +01:00 would not say "
			"when clocks change",
			c->zone);
	if (e != ERR_OK)
		return fault_set(fault, e, "database", "the time zone could not be looked up");
	return ERR_OK;
}

enum err store_clock(struct store *s, const char *zone, int64_t instant,
                     char out[static STORE_CLOCK_SIZE])
{
	struct work w = work_begin(s, "read a clock");
	const bool known = is_known(&w, zone);
	if (w.err == ERR_OK && !known)
		work_fail(&w, ERR_NOT_FOUND);
	if (work_run(&w,
	             "SELECT to_char(to_timestamp($2::bigint) AT TIME ZONE $1, "
	             "'YYYY-MM-DD HH24:MI')",
	             ARGS(arg_text(zone), arg_i64(instant))) == 1)
		work_text(&w, 0, 0, out, STORE_CLOCK_SIZE);
	return work_end(&w);
}
