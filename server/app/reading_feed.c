/* SPDX-License-Identifier: Apache-2.0 */
#include "server/app/reading_feed.h"

#include "common/base/log.h"

#include <time.h>

/* What became of a batch. */
struct fed {
	size_t bins, dropped;
	enum err why; /* of the first that was let go */
	const struct store_reading *first;
};

static int64_t monotonic_ms(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static bool is_hopeless(const struct reading_feed *f, enum err e)
{
	if (e == ERR_AWAY || e == ERR_NOMEM)
		return false;
	return e == ERR_RANGE || e == ERR_NOT_FOUND || f->tries + 1 >= READING_TRIES;
}

/* Half as many after a refusal, twice as many after a success. */
static enum err put(const struct reading_feed *f, struct store_reading *rows, size_t n,
                    const struct store_readings_rules *rules, struct fed *fed)
{
	for (size_t at = 0, size = n; at < n;) {
		struct store_readings_made made;
		size = size < n - at ? size : n - at;
		const enum err e = store_readings(f->store, &rows[at], size, rules, &made);
		if (e == ERR_OK) {
			fed->bins += made.bins;
			at += size;
			size *= 2;
		} else if (!is_hopeless(f, e)) {
			return e;
		} else if (size > 1) {
			size /= 2;
		} else {
			if (fed->dropped++ == 0) {
				fed->why = e;
				fed->first = &rows[at];
			}
			at++;
		}
	}
	return ERR_OK;
}

/* Once for each reason, until a batch is taken whole. */
static void tell(struct reading_feed *f, const struct fed *fed)
{
	const struct store_reading *r = fed->first;
	if (fed->dropped > 0 && fed->why != f->said)
		log_line(LOG_WARNING,
		         "The database refuses readings of interfaces; they are let go. error=%s "
		         "readings=%zu provider=%s interconnect=%s port=%s",
		         err_name(fed->why), fed->dropped, r->provider, r->interconnect, r->port);
	f->said = fed->dropped > 0 ? fed->why : ERR_OK;
}

enum err reading_feed(struct reading_feed *f, struct store_reading *rows, size_t n,
                      const struct store_readings_rules *rules)
{
	struct fed fed = { 0 };
	if (monotonic_ms() < f->not_before)
		return ERR_BUSY;
	const enum err e = put(f, rows, n, rules, &fed);
	if (e == ERR_OK) {
		f->tries = 0;
		metrics_add(f->metrics, METRIC_BIN_ROWS_STORED, fed.bins);
		metrics_add(f->metrics, METRIC_READINGS_REFUSED, fed.dropped);
		tell(f, &fed);
		return ERR_OK;
	}
	if (e == ERR_AWAY || e == ERR_NOMEM)
		return e;
	metrics_add(f->metrics, METRIC_STORE_FAILURES, 1);
	f->not_before = monotonic_ms() + ((int64_t)f->retry_ms << f->tries++);
	return ERR_BUSY;
}
