/* SPDX-License-Identifier: Apache-2.0 */
#include "server/store/metered.h"

#include "server/store/bins.h"
#include "server/store/query.h"

#include <stdlib.h>
#include <string.h>

/* As long as a report may take: a year of many interconnects is not read in a request's usual time. */
enum { METERED_MS = 60000 };

/* $1 provider, $2 names as a JSON array, $3 from, $4 to, $5 seconds. */
#define BINS_OF_NAMES                                                                \
	"FROM json_array_elements_text($2::json) WITH ORDINALITY AS asked (id, at) " \
	"JOIN interconnects i ON i.provider = $1 AND i.id = asked.id "               \
	"JOIN bins b ON b.interconnect = i.number "                                  \
	"WHERE b.start >= $3 AND b.start <= $4::bigint - $5::integer "               \
	" AND b.seconds = $5::integer "

static void names_json(const struct store_metered_ask *ask, struct text *json)
{
	text_put(json, "[");
	for (size_t i = 0; i < ask->n_names; i++) {
		text_put(json, i > 0 ? "," : "");
		text_json_string(json, ask->names[i]);
	}
	text_put(json, "]");
}

static struct work begin(struct store *s, const struct store_metered_ask *ask, struct text *json)
{
	struct work w = work_begin(s, "read the bins of an agreement");
	work_allow(&w, METERED_MS);
	names_json(ask, json);
	if (json->bad)
		work_fail(&w, ERR_NOMEM);
	return w;
}

static void metered_row(const struct work *w, size_t row, void *out)
{
	struct store_metered *m = out;
	m->which = (uint32_t)work_u64(w, row, 0);
	m->start = work_i64(w, row, 1);
	m->out_bytes = work_u64(w, row, 2);
	m->in_bytes = work_u64(w, row, 3);
	m->out_p2p_bytes = work_u64(w, row, 4);
	m->in_p2p_bytes = work_u64(w, row, 5);
	m->measured_p2p = !work_null(w, row, 4);
	m->observed_seconds = (uint32_t)work_u64(w, row, 6);
	m->quality = (unsigned)work_u64(w, row, 7);
}

enum err store_metered(struct store *s, const struct store_metered_ask *ask,
                       struct store_metered **out, size_t *count)
{
	struct text json = { 0 };
	struct work w = begin(s, ask, &json);
	(void)work_run(&w,
	               "SELECT asked.at - 1, b.start, sum(b.out_bytes), sum(b.in_bytes), "
	               " sum(b.out_p2p_bytes), sum(b.in_p2p_bytes), max(b.observed_seconds), "
	               " bit_or(b.quality) " BINS_OF_NAMES " AND b.source = $6::text::bin_source "
	               "GROUP BY asked.at, b.start ORDER BY asked.at, b.start",
	               ARGS(arg_text(ask->provider), arg_text(json.bytes), arg_i64(ask->from),
	                    arg_i64(ask->to), arg_u64(ask->bin_seconds),
	                    arg_text(bins_source(ask->source))));
	size_t n = 0;
	struct store_metered *list = work_list(&w, sizeof(*list), metered_row, &n);
	const enum err e = work_end(&w);
	text_done(&json);
	if (e != ERR_OK) {
		free(list);
		return e;
	}
	*out = list;
	*count = n;
	return ERR_OK;
}

static enum store_source source_at(const struct work *w, size_t row)
{
	char source[16];
	work_text(w, row, 0, source, sizeof(source));
	enum store_source k = STORE_ANNOUNCE;
	while (k < STORE_COUNTER && strcmp(source, bins_source(k)) != 0)
		k++;
	return k;
}

/* In the order of the key, so that it is one look into the index for each name and source. */
enum err store_metered_sources(struct store *s, const struct store_metered_ask *ask,
                               bool has[static STORE_SOURCES])
{
	struct text json = { 0 };
	bool found[STORE_SOURCES] = { false };
	struct work w = begin(s, ask, &json);
	const size_t n = work_run(
		&w,
		"SELECT DISTINCT s.source FROM json_array_elements_text($2::json) AS asked (id) "
		"JOIN interconnects i ON i.provider = $1 AND i.id = asked.id "
		"CROSS JOIN unnest(enum_range(NULL::bin_source)) s (source) "
		"CROSS JOIN LATERAL (SELECT FROM bins b WHERE b.interconnect = i.number "
		" AND b.source = s.source AND b.start >= $3 "
		" AND b.start <= $4::bigint - $5::integer AND b.seconds = $5::integer "
		" ORDER BY b.start LIMIT 1) first",
		ARGS(arg_text(ask->provider), arg_text(json.bytes), arg_i64(ask->from),
	             arg_i64(ask->to), arg_u64(ask->bin_seconds)));
	for (size_t i = 0; i < n; i++)
		found[source_at(&w, i)] = true;
	const enum err e = work_end(&w);
	text_done(&json);
	if (e == ERR_OK)
		memcpy(has, found, sizeof(found));
	return e;
}

enum err store_metered_counts(struct store *s, const struct store_metered_ask *ask,
                              uint64_t counts[static STORE_SOURCES])
{
	struct text json = { 0 };
	uint64_t found[STORE_SOURCES] = { 0 };
	struct work w = begin(s, ask, &json);
	const size_t n =
		work_run(&w,
	                 "SELECT b.source, count(DISTINCT (b.interconnect, b.start)) " BINS_OF_NAMES
	                 "GROUP BY b.source",
	                 ARGS(arg_text(ask->provider), arg_text(json.bytes), arg_i64(ask->from),
	                      arg_i64(ask->to), arg_u64(ask->bin_seconds)));
	for (size_t i = 0; i < n; i++)
		found[source_at(&w, i)] = work_u64(&w, i, 1);
	const enum err e = work_end(&w);
	text_done(&json);
	if (e == ERR_OK)
		memcpy(counts, found, sizeof(found));
	return e;
}
