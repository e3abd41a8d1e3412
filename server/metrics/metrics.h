/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Counters and the page that shows them (Prometheus text format 0.0.4).
 *
 * A counter lives in as many slots as there are threads; each thread adds to its own, without
 * atomic read-modify-write, and a reader sums the slots. Gauges are read when the page is made,
 * by functions that modules register.
 *
 * Threading: one thread per slot; metrics_write() from any.
 */

#include "common/base/text.h"

enum metrics_counter {
#define COUNTER(id, name, labels, help) METRIC_##id,
#include "server/metrics/counters.def" /* NOLINT(bugprone-suspicious-include): the table */
#undef COUNTER
	METRIC_COUNT_
};

struct metrics;
struct metrics_slot; /* one thread's */

struct metrics *metrics_new(unsigned slots); /* NULL when out of memory */
void metrics_free(struct metrics *m);        /* NULL is fine */
struct metrics_slot *metrics_slot(struct metrics *m, unsigned i);

void metrics_add(struct metrics_slot *slot, enum metrics_counter id, uint64_t n);

/* An announce took this long; buckets are powers of two from 1 us. One of each batch is timed. */
void metrics_latency(struct metrics_slot *slot, uint64_t ns);

uint64_t metrics_sum(const struct metrics *m, enum metrics_counter id);

/* `write` adds its own gauges ("# HELP", "# TYPE", value) whenever the page is made. */
typedef void metrics_gauges(void *ctx, struct text *page);
void metrics_register(struct metrics *m, metrics_gauges *write,
                      void *ctx); /* before threads start */

/*
 * Helpers for gauges: one line with HELP and TYPE. metrics_counter() is for what somebody else counts
 * and only grows; its name ends in _total.
 */
void metrics_gauge(struct text *page, const char *name, const char *help, uint64_t value);
void metrics_counter(struct text *page, const char *name, const char *help, uint64_t value);

void metrics_write(struct metrics *m, struct text *page);
