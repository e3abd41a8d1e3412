/* SPDX-License-Identifier: Apache-2.0 */
#include "server/report/metering.h"

#include "common/balance/quality.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A month of bins of a second; nobody has those but tests. */
enum { BINS_MAX = 31 * 86400 + 3600 };

static const char *const sources[] = {
	[STORE_ANNOUNCE] = "announce", [STORE_FLOW] = "flow", [STORE_COUNTER] = "counter"
};

const char *metering_source(enum store_source source)
{
	return sources[source];
}

unsigned metering_known_percent(const struct metering *m)
{
	return m->quality.expected > 0 ? (unsigned)(100 * m->quality.known / m->quality.expected)
	                               : 0;
}

void metering_print(metering_total total, char out[static METERING_TOTAL_SIZE])
{
	char reversed[METERING_TOTAL_SIZE];
	size_t n = 0;
	do {
		reversed[n++] = (char)('0' + (int)(total % 10));
		total /= 10;
	} while (total > 0);
	for (size_t i = 0; i < n; i++)
		out[i] = reversed[n - 1 - i];
	out[n] = '\0';
}

void metering_done(struct metering *m)
{
	free(m->bins_of_all);
	free(m->series);
	free(m->each);
	free(m->rows);
	*m = (struct metering){ 0 };
}

/* ---- arranging ---- */

static void note_quality(struct metering_quality *q, const struct store_metered *row)
{
	q->known++;
	q->observed_seconds += row->observed_seconds;
	q->partial += (row->quality & BIN_PARTIAL) != 0;
	q->estimated += (row->quality & BIN_ESTIMATED) != 0;
	q->discontinuity += (row->quality & BIN_DISCONTINUITY) != 0;
	q->sampled += (row->quality & BIN_SAMPLED) != 0;
	q->late += (row->quality & BIN_LATE) != 0;
	q->gaps += (row->quality & BIN_GAPS) != 0;
}

static void note_sums(struct metering_sums *sums, const struct store_metered *row)
{
	sums->out += row->out_bytes;
	sums->in += row->in_bytes;
	sums->p2p_out += row->out_p2p_bytes;
	sums->p2p_in += row->in_p2p_bytes;
	sums->measured_p2p = sums->measured_p2p && row->measured_p2p;
}

static enum err make_room(struct metering *m)
{
	m->series = calloc(m->n, sizeof(*m->series));
	m->each = calloc(m->n, sizeof(*m->each));
	m->bins_of_all = calloc(m->n * m->bins, sizeof(*m->bins_of_all));
	if (m->series == NULL || m->each == NULL || m->bins_of_all == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < m->n; i++)
		m->series[i].bins = m->bins_of_all + i * m->bins;
	return ERR_OK;
}

enum err metering_arrange(struct metering *m)
{
	const enum err e = make_room(m);
	if (e != ERR_OK)
		return e;
	m->quality = (struct metering_quality){ .expected = m->n * m->closed };
	m->sums = (struct metering_sums){ .measured_p2p = m->n_rows > 0 };
	for (size_t i = 0; i < m->n; i++)
		m->each[i].expected = m->closed;
	for (size_t i = 0; i < m->n_rows; i++) {
		const struct store_metered *row = &m->rows[i];
		const int64_t since = row->start - m->from;
		if (row->which >= m->n || since < 0 || since % m->bin_seconds != 0 ||
		    (uint64_t)(since / m->bin_seconds) >= m->bins)
			return ERR_RANGE;
		m->bins_of_all[row->which * m->bins + (size_t)(since / m->bin_seconds)] =
			(struct percentile_bin){ row->out_bytes, row->in_bytes, true };
		note_quality(&m->each[row->which], row);
		note_quality(&m->quality, row);
		note_sums(&m->sums, row);
	}
	return ERR_OK;
}

/* ---- reading ---- */

static int64_t round_down(int64_t t, int64_t bin)
{
	return t - ((t % bin) + bin) % bin;
}

static struct store_metered_ask ask_of(const struct metering_ask *ask, const struct metering *m)
{
	return (struct store_metered_ask){ .provider = ask->provider,
		                           .names = ask->names,
		                           .n_names = ask->n,
		                           .from = m->from,
		                           .to = m->from + (int64_t)(m->closed * m->bin_seconds),
		                           .bin_seconds = m->bin_seconds,
		                           .source = m->source };
}

/* The fuller one, so that the first bin of a new exporter does not take the place of a counted month. */
static enum err choose_source(struct store *s, const struct metering_ask *ask, struct metering *m)
{
	const struct store_metered_ask where = ask_of(ask, m);
	uint64_t counts[STORE_SOURCES] = { 0 };
	bool has[STORE_SOURCES] = { false };
	enum err e = store_metered_sources(s, &where, has);
	m->source = has[STORE_FLOW]      ? STORE_FLOW
	            : has[STORE_COUNTER] ? STORE_COUNTER
	                                 : STORE_ANNOUNCE;
	m->has_source = has[m->source];
	if (e != ERR_OK || !has[STORE_FLOW] || !has[STORE_COUNTER])
		return e;
	e = store_metered_counts(s, &where, counts);
	if (counts[STORE_COUNTER] > counts[STORE_FLOW])
		m->source = STORE_COUNTER;
	return e;
}

/* The period in whole bins. */
static enum err set_window(const struct metering_ask *ask, struct metering *m)
{
	const int64_t bin = ask->bin_seconds;
	m->bin_seconds = ask->bin_seconds;
	m->from = -round_down(-ask->from, bin);
	m->to = round_down(ask->to, bin);
	if (m->to <= m->from || (m->to - m->from) / bin > BINS_MAX)
		return ERR_RANGE;
	const int64_t closed = round_down(ask->now, bin);
	m->bins = (size_t)((m->to - m->from) / bin);
	m->closed = closed <= m->from ? 0
	            : closed >= m->to ? m->bins
	                              : (size_t)((closed - m->from) / bin);
	return ERR_OK;
}

enum err metering_read(struct store *s, const struct metering_ask *ask, struct metering *out)
{
	struct metering m = { .has_source = ask->has_source, .source = ask->source, .n = ask->n };
	(void)snprintf(m.provider, sizeof(m.provider), "%s", ask->provider);
	enum err e = set_window(ask, &m);
	if (e == ERR_OK && !m.has_source)
		e = choose_source(s, ask, &m);
	if (e == ERR_OK && m.has_source) {
		const struct store_metered_ask where = ask_of(ask, &m);
		e = store_metered(s, &where, &m.rows, &m.n_rows);
	}
	if (e == ERR_OK)
		e = metering_arrange(&m);
	if (e == ERR_OK)
		*out = m;
	else
		metering_done(&m);
	return e;
}
