/* SPDX-License-Identifier: Apache-2.0 */
#include "server/store/readings.h"

#include "common/balance/quality.h"
#include "server/store/bins.h"
#include "server/store/query.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- into the database ---- */

#define SECONDS_2000 INT64_C(946684800)
#define SECONDS_2100 INT64_C(4102444800)

static bool are_in_range(const struct store_reading *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (rows[i].reading.at_ms < SECONDS_2000 * 1000 ||
		    rows[i].reading.at_ms >= SECONDS_2100 * 1000)
			return false;
	return true;
}

/* A period may reach a day back, and end where one that is there already began, a day on. */
static enum err make_partitions(struct store *s, const struct store_reading *rows, size_t n)
{
	enum { MONTH = 28 * 86400, SLICES = 1400 };
	bool *there = calloc(SLICES, sizeof(*there));
	struct store_bin *bins = calloc((size_t)3 * SLICES, sizeof(*bins));
	size_t found = 0;
	for (size_t i = 0; there != NULL && bins != NULL && i < n; i++) {
		const int64_t at = rows[i].reading.at_ms / 1000;
		const size_t slice = (size_t)((at - SECONDS_2000) / (MONTH / 28) / 28);
		must(slice < SLICES);
		if (there[slice])
			continue;
		/* No month is shorter than a slice: its ends, a day out, meet every month. */
		const int64_t begin = SECONDS_2000 + (int64_t)slice * MONTH;
		there[slice] = true;
		bins[found++].start = begin > SECONDS_2000 ? begin - 86400 : begin;
		bins[found++].start = begin + MONTH / 2;
		bins[found++].start = begin + MONTH + 86400;
	}
	const enum err e =
		there == NULL || bins == NULL ? ERR_NOMEM : bins_make_partitions(s, bins, found);
	free(there);
	free(bins);
	return e;
}

static void copy_optional(struct text *t, bool known, uint64_t n)
{
	if (known)
		text_printf(t, "%" PRIu64 "\t", n);
	else
		text_put(t, "\\N\t");
}

static void stage(struct work *w, const struct store_reading *rows, size_t n)
{
	struct text t = { 0 };
	(void)work_run(
		w,
		"CREATE TEMP TABLE IF NOT EXISTS readings_stage (ordinal bigint, "
		" provider text COLLATE \"C\", id text COLLATE \"C\", port text COLLATE \"C\", "
		" out_octets numeric(20), in_octets numeric(20), out_packets numeric(20), "
		" in_packets numeric(20), uptime bigint, discontinuity bigint, at_ms bigint, "
		" period_ms integer, bits smallint, speed_bps numeric(20), "
		" interconnect integer) ON COMMIT DELETE ROWS",
		NULL);
	(void)work_run(w,
	               "CREATE TEMP TABLE IF NOT EXISTS readings_new (interconnect integer, "
	               " port text COLLATE \"C\", at_ms bigint, period_ms integer, ordinal bigint) "
	               "ON COMMIT DELETE ROWS",
	               NULL);
	for (size_t i = 0; i < n; i++) {
		const struct counter_reading *r = &rows[i].reading;
		text_printf(&t, "%zu\t", i);
		copy_field(&t, rows[i].provider);
		copy_field(&t, rows[i].interconnect);
		copy_field(&t, rows[i].port);
		copy_pair(&t, true, r->octets[COUNTER_OUT], r->octets[COUNTER_IN]);
		copy_pair(&t, r->has_packets, r->packets[COUNTER_OUT], r->packets[COUNTER_IN]);
		copy_optional(&t, r->has_uptime, r->uptime);
		copy_optional(&t, r->has_discontinuity, r->discontinuity);
		text_printf(&t, "%" PRId64 "\t%" PRIu32 "\t%u\t%" PRIu64 "\t\\N\n", r->at_ms,
		            r->period_ms, r->bits, r->speed_bps);
	}
	if (t.bad)
		work_fail(w, ERR_NOMEM);
	work_copy_begin(w, "COPY readings_stage FROM STDIN");
	work_copy(w, t.bytes, t.size);
	work_copy_end(w);
	text_done(&t);
}

/*
 * Writers of the same interconnect take turns: each makes bins of the readings of all its ports, and
 * must see those of the others.
 */
static void lock(struct work *w)
{
	(void)work_run(w,
	               "SELECT FROM interconnects i WHERE (provider, id) IN "
	               " (SELECT provider, id FROM readings_stage) ORDER BY number "
	               "FOR NO KEY UPDATE",
	               NULL);
	(void)work_run(w,
	               "UPDATE readings_stage s SET interconnect = i.number FROM interconnects i "
	               "WHERE i.provider = s.provider AND i.id = s.id",
	               NULL);
	if (work_run(w, "SELECT FROM readings_stage WHERE interconnect IS NULL LIMIT 1", NULL) > 0)
		work_fail(w, ERR_NOT_FOUND);
}

/* Of an interface that somebody polls, what we found ourselves would count twice. */
static void leave_to_pollers(struct work *w, const char *found)
{
	if (found != NULL)
		(void)work_run(
			w,
			"DELETE FROM readings_stage s WHERE starts_with(port, $1) AND EXISTS "
			" (SELECT FROM ports p WHERE p.interconnect = s.interconnect "
			"  AND NOT starts_with(p.port, $1) "
			"  AND p.last_ms > s.at_ms - $2::bigint)",
			ARGS(arg_text(found), arg_i64(COUNTER_PROVEN_SECONDS * INT64_C(1000))));
}

/*
 * Behind a newer reading of its port; or so far behind one of another port that the readings of that time
 * are forgotten: bins made without them would replace those that had them. Those of a silent port are let
 * go sooner, up to its last; a reading reaches back COUNTER_PROVEN_SECONDS at most.
 */
static void refuse_late(struct work *w, struct store_reading *rows, int64_t before_ms,
                        int64_t kept_ms)
{
	const size_t late = work_run(
		w,
		"SELECT ordinal FROM readings_stage s WHERE EXISTS (SELECT "
		" FROM ports p WHERE p.interconnect = s.interconnect AND "
		" (s.at_ms < p.gone_ms + $3::bigint OR s.at_ms < $1 AND "
		"  CASE WHEN p.port = s.port THEN s.at_ms < p.last_ms "
		"   ELSE s.at_ms - s.period_ms < p.last_ms - $2::bigint END)) "
		"AND NOT EXISTS (SELECT FROM readings r "
		" WHERE (r.interconnect, r.port, r.at_ms) = (s.interconnect, s.port, s.at_ms))",
		ARGS(arg_i64(before_ms), arg_i64(kept_ms),
	             arg_i64(COUNTER_PROVEN_SECONDS * INT64_C(1000))));
	for (size_t i = 0; i < late; i++)
		rows[work_u64(w, i, 0)].too_late = true;
	if (late > 0)
		work_fail(w, ERR_RANGE);
}

/* Returns how many were not there. */
static size_t add(struct work *w)
{
#define COLUMNS                                                                            \
	"interconnect, port, at_ms, period_ms, bits, out_octets, in_octets, out_packets, " \
	"in_packets, uptime, discontinuity, speed_bps"
	(void)work_run(w,
	               "WITH added AS (INSERT INTO readings (" COLUMNS ") "
	               " SELECT DISTINCT ON (interconnect, port, at_ms) " COLUMNS
	               " FROM readings_stage ORDER BY interconnect, port, at_ms, ordinal "
	               " ON CONFLICT DO NOTHING RETURNING interconnect, port, at_ms, period_ms) "
	               "INSERT INTO readings_new "
	               "SELECT a.interconnect, a.port, a.at_ms, a.period_ms, min(ordinal) "
	               "FROM added a JOIN readings_stage s ON (s.interconnect, s.port, s.at_ms) = "
	               " (a.interconnect, a.port, a.at_ms) GROUP BY 1, 2, 3, 4",
	               NULL);
	(void)work_run(w,
	               "INSERT INTO ports (interconnect, port, last_ms) "
	               "SELECT interconnect, port, max(at_ms) FROM readings_new "
	               "GROUP BY 1, 2 ORDER BY 1, 2 ON CONFLICT (interconnect, port) "
	               "DO UPDATE SET last_ms = greatest(ports.last_ms, EXCLUDED.last_ms)",
	               NULL);
	return work_run(w, "SELECT count(*) FROM readings_new", NULL) == 1
	               ? (size_t)work_u64(w, 0, 0)
	               : 0;
}

/* What nothing that is still taken could follow. */
static void forget(struct work *w, int64_t keep_ms)
{
	(void)work_run(w,
	               "DELETE FROM readings r USING ports p WHERE (p.interconnect, p.port) IN "
	               " (SELECT interconnect, port FROM readings_new) "
	               "AND (r.interconnect, r.port) = (p.interconnect, p.port) "
	               "AND r.at_ms < p.last_ms - $1::bigint",
	               ARGS(arg_i64(keep_ms)));
}

/* ---- readings -> bins ---- */

struct loaded {
	char provider[65], interconnect[65], port[65];
	struct counter_reading reading;
	uint64_t capacity_mbps;
	bool is_new;
	uint64_t ordinal; /* of a new one */
};

static void loaded_row(const struct work *w, size_t row, void *out)
{
	struct loaded *l = out;
	struct counter_reading *r = &l->reading;
	work_text(w, row, 0, l->provider, sizeof(l->provider));
	work_text(w, row, 1, l->interconnect, sizeof(l->interconnect));
	work_text(w, row, 2, l->port, sizeof(l->port));
	r->at_ms = work_i64(w, row, 3);
	r->period_ms = (uint32_t)work_u64(w, row, 4);
	r->bits = (uint8_t)work_u64(w, row, 5);
	r->octets[COUNTER_OUT] = work_u64(w, row, 6);
	r->octets[COUNTER_IN] = work_u64(w, row, 7);
	r->has_packets = !work_null(w, row, 8);
	r->packets[COUNTER_OUT] = work_u64(w, row, 8);
	r->packets[COUNTER_IN] = work_u64(w, row, 9);
	r->has_uptime = !work_null(w, row, 10);
	r->uptime = (uint32_t)work_u64(w, row, 10);
	r->has_discontinuity = !work_null(w, row, 11);
	r->discontinuity = (uint32_t)work_u64(w, row, 11);
	r->speed_bps = work_u64(w, row, 12);
	l->capacity_mbps = work_u64(w, row, 13);
	l->is_new = !work_null(w, row, 14);
	l->ordinal = work_u64(w, row, 14);
}

/*
 * All that has a say in the bins that new readings reach into: of every port of their interconnects what
 * was read in these bins, and the next reading on either side.
 */
static struct loaded *load(struct work *w, uint32_t bin_seconds, size_t *n)
{
	(void)work_run(
		w,
		"WITH reach AS (SELECT interconnect, "
		"  min(coalesce((SELECT max(at_ms) FROM readings r WHERE (r.interconnect, r.port) = "
		"   (n.interconnect, n.port) AND r.at_ms < n.at_ms), at_ms) - period_ms) AS low, "
		"  max(coalesce((SELECT min(at_ms) FROM readings r WHERE (r.interconnect, r.port) = "
		"   (n.interconnect, n.port) AND r.at_ms > n.at_ms), at_ms)) AS high "
		" FROM readings_new n GROUP BY interconnect), "
		"bound AS (SELECT interconnect, low - low % $1::bigint AS low, "
		"  high - high % $1::bigint + $1::bigint AS high FROM reach) "
		"SELECT i.provider, i.id, r.port, r.at_ms, r.period_ms, bits, out_octets, in_octets, "
		" out_packets, in_packets, uptime, discontinuity, speed_bps, capacity_mbps, ordinal "
		"FROM bound b JOIN ports p USING (interconnect) "
		"JOIN readings r ON r.interconnect = p.interconnect AND r.port = p.port "
		" AND r.at_ms >= coalesce((SELECT max(at_ms) FROM readings x WHERE (x.interconnect, "
		"  x.port) = (p.interconnect, p.port) AND x.at_ms <= b.low), b.low) "
		" AND r.at_ms <= coalesce((SELECT min(at_ms) FROM readings x WHERE (x.interconnect, "
		"  x.port) = (p.interconnect, p.port) AND x.at_ms >= b.high), b.high) "
		"JOIN interconnects i ON i.number = b.interconnect "
		"LEFT JOIN readings_new n ON (n.interconnect, n.port, n.at_ms) = "
		" (r.interconnect, r.port, r.at_ms) "
		"ORDER BY b.interconnect, r.port, r.at_ms",
		ARGS(arg_i64((int64_t)bin_seconds * 1000)));
	return work_list(w, sizeof(struct loaded), loaded_row, n);
}

/* The readings of one interconnect, with and without the new ones. */
struct side {
	struct counter_reading *readings;
	struct counter_port *ports;
	size_t n, n_ports;
	struct counter_bins bins;
};

struct maker {
	struct store_reading *rows;
	const struct store_readings_rules *rules;
	const struct loaded *link; /* the readings of one interconnect */
	size_t n_link;
	size_t told, told_at; /* port that a fate was told of last, and its first reading */
	struct store_bin *made, *gone; /* room for all bins there may be */
	size_t n_made, n_gone, room_made, room_gone;
};

static enum err side_begin(struct side *s, size_t n)
{
	s->readings = calloc(n, sizeof(*s->readings));
	s->ports = calloc(n, sizeof(*s->ports));
	return s->readings == NULL || s->ports == NULL ? ERR_NOMEM : ERR_OK;
}

static void side_done(struct side *s)
{
	counter_bins_done(&s->bins);
	free(s->readings);
	free(s->ports);
}

static void side_add(struct side *s, const struct loaded *l, bool is_next_port)
{
	if (is_next_port)
		s->ports[s->n_ports++].readings = &s->readings[s->n];
	s->readings[s->n++] = l->reading;
	s->ports[s->n_ports - 1].n++;
}

static void note_fate(void *ctx, size_t port, size_t reading, enum counter_fate fate)
{
	struct maker *m = ctx;
	for (; m->told < port; m->told_at++)
		m->told += strcmp(m->link[m->told_at].port, m->link[m->told_at + 1].port) != 0;
	const struct loaded *l = &m->link[m->told_at + reading];
	if (l->is_new)
		m->rows[l->ordinal].fate = fate;
}

static bool are_equal(const struct counter_bin *a, const struct counter_bin *b)
{
	for (unsigned way = 0; way < COUNTER_WAYS; way++)
		if (a->bytes[way] != b->bytes[way] || a->packets[way] != b->packets[way])
			return false;
	return a->has_packets == b->has_packets && a->observed_seconds == b->observed_seconds &&
	       a->quality == b->quality;
}

static void put(struct maker *m, const struct counter_bin *b, bool is_gone)
{
	const uint32_t seconds = m->rules->bin_seconds;
	struct store_bin **list = is_gone ? &m->gone : &m->made;
	size_t *n = is_gone ? &m->n_gone : &m->n_made;
	must(*n < (is_gone ? m->room_gone : m->room_made));
	struct store_bin *row = &(*list)[(*n)++];
	*row = (struct store_bin){
		.start = b->start,
		.seconds = seconds,
		.observed_seconds = b->observed_seconds,
		.out_bytes = b->bytes[COUNTER_OUT],
		.in_bytes = b->bytes[COUNTER_IN],
		.measured_packets = b->has_packets,
		.out_packets = b->packets[COUNTER_OUT],
		.in_packets = b->packets[COUNTER_IN],
		.quality = b->quality,
	};
	/* A poll at the end of the next bin still ends this one; and it takes its time to come. */
	if (m->rules->now >= b->start + 3 * (int64_t)seconds)
		row->quality |= BIN_LATE;
	memcpy(row->provider, m->link[0].provider, sizeof(row->provider));
	memcpy(row->interconnect, m->link[0].interconnect, sizeof(row->interconnect));
}

static bool more_room(struct store_bin **list, size_t *room, size_t need)
{
	if (need <= *room)
		return true;
	struct store_bin *more = realloc(*list, 2 * need * sizeof(*more));
	if (more == NULL)
		return false;
	*list = more;
	*room = 2 * need;
	return true;
}

/* What the new readings changed, and nothing else. */
static enum err put_changes(struct maker *m, const struct counter_bins *old,
                            const struct counter_bins *now)
{
	if (!more_room(&m->made, &m->room_made, m->n_made + now->n) ||
	    !more_room(&m->gone, &m->room_gone, m->n_gone + old->n))
		return ERR_NOMEM;
	size_t i = 0, k = 0;
	while (i < now->n || k < old->n) {
		if (k == old->n || (i < now->n && now->list[i].start < old->list[k].start)) {
			put(m, &now->list[i++], false);
		} else if (i == now->n || old->list[k].start < now->list[i].start) {
			put(m, &old->list[k++], true);
		} else {
			if (!are_equal(&now->list[i], &old->list[k]))
				put(m, &now->list[i], false);
			i++, k++;
		}
	}
	return ERR_OK;
}

static enum err make_link(struct maker *m)
{
	struct side old = { 0 }, now = { 0 };
	m->told = m->told_at = 0;
	const char *old_port = "";
	enum err e = side_begin(&old, m->n_link);
	if (e == ERR_OK)
		e = side_begin(&now, m->n_link);
	for (size_t i = 0; e == ERR_OK && i < m->n_link; i++) {
		const struct loaded *l = &m->link[i];
		side_add(&now, l, i == 0 || strcmp(l->port, m->link[i - 1].port) != 0);
		if (l->is_new)
			continue;
		side_add(&old, l, strcmp(l->port, old_port) != 0);
		old_port = l->port;
	}
	const struct counter_rules rules = { .bin_seconds = m->rules->bin_seconds,
		                             .speed_bps = m->link[0].capacity_mbps * 1000000 };
	if (e == ERR_OK) /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): side_done() frees both */
		e = counter_bins(old.ports, old.n_ports, &rules, NULL, NULL, &old.bins);
	if (e == ERR_OK)
		e = counter_bins(now.ports, now.n_ports, &rules, note_fate, m, &now.bins);
	if (e == ERR_OK)
		e = put_changes(m, &old.bins, &now.bins);
	side_done(&old);
	side_done(&now);
	return e;
}

static enum err make_all(struct maker *m, const struct loaded *list, size_t n)
{
	enum err e = ERR_OK;
	for (size_t i = 0; i < n; i++)
		if (list[i].is_new)
			m->rows[list[i].ordinal].fate = COUNTER_FATES;
	for (size_t at = 0; e == ERR_OK && at < n; at += m->n_link) {
		m->link = &list[at];
		for (m->n_link = 1; at + m->n_link < n; m->n_link++)
			if (strcmp(m->link->interconnect, m->link[m->n_link].interconnect) != 0 ||
			    strcmp(m->link->provider, m->link[m->n_link].provider) != 0)
				break;
		e = make_link(m);
	}
	return e;
}

static void remove_bins(struct work *w, const struct maker *m)
{
	for (size_t i = 0; i < m->n_gone; i++)
		(void)work_run(
			w,
			"DELETE FROM bins WHERE source = 'counter' AND node = $1 AND start = $2 "
			"AND interconnect = (SELECT number FROM interconnects "
			" WHERE provider = $3 AND id = $4)",
			ARGS(arg_text(m->rules->node), arg_i64(m->gone[i].start),
		             arg_text(m->gone[i].provider), arg_text(m->gone[i].interconnect)));
}

enum err store_readings(struct store *s, struct store_reading *rows, size_t n,
                        const struct store_readings_rules *rules, struct store_readings_made *out)
{
	const int64_t late_ms = (int64_t)rules->late_seconds * 1000;
	if (!are_in_range(rows, n))
		return ERR_RANGE;
	enum err e = make_partitions(s, rows, n);
	if (e != ERR_OK)
		return e;
	for (size_t i = 0; i < n; i++)
		rows[i].fate = COUNTER_DUPLICATE;
	struct store_readings_made made = { 0 };
	struct maker m = { .rows = rows, .rules = rules };
	struct work w = work_begin(s, "add readings");
	work_allow(&w, 60000);
	stage(&w, rows, n);
	lock(&w);
	leave_to_pollers(&w, rules->found);
	refuse_late(&w, rows, rules->now * 1000 - late_ms,
	            late_ms + COUNTER_PROVEN_SECONDS * INT64_C(1000) / 2);
	made.added = add(&w);
	size_t n_loaded = 0;
	struct loaded *list = load(&w, rules->bin_seconds, &n_loaded);
	if (list != NULL && made.added > 0) {
		e = make_all(&m, list, n_loaded);
		if (e != ERR_OK)
			work_fail(&w, e);
		remove_bins(&w, &m);
		bins_write(&w, rules->node, STORE_COUNTER, m.made, m.n_made);
		forget(&w, late_ms + COUNTER_PROVEN_SECONDS * INT64_C(1000));
	}
	made.bins = m.n_made;
	made.removed = m.n_gone;
	free(list);
	free(m.made);
	free(m.gone);
	e = work_end(&w);
	if (e == ERR_OK)
		*out = made;
	return e;
}
