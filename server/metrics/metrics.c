/* SPDX-License-Identifier: Apache-2.0 */
#include "server/metrics/metrics.h"

#include <inttypes.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
	CACHE_LINE = 64,
	LATENCIES = 21, /* 1 us .. 2^20 us, about a second */
	GAUGES_MAX = 32
};

/* Relaxed loads and stores: one thread writes, so nothing is lost, and a reader sees whole values. */
struct metrics_slot {
	alignas(CACHE_LINE) _Atomic uint64_t counters[METRIC_COUNT_];
	_Atomic uint64_t latency[LATENCIES + 1]; /* [i]: at most 2^i us; the last: longer */
	_Atomic uint64_t latency_ns;
};

struct metrics {
	unsigned n_slots, n_gauges;
	struct metrics_slot *slots;
	struct {
		metrics_gauges *write;
		void *ctx;
	} gauges[GAUGES_MAX];
};

struct row {
	const char *name, *labels, *help;
};

static const struct row rows[METRIC_COUNT_] = {
#define COUNTER(id, name, labels, help) [METRIC_##id] = { name, labels, help },
#include "server/metrics/counters.def" /* NOLINT(bugprone-suspicious-include): the table */
#undef COUNTER
};

struct metrics *metrics_new(unsigned slots)
{
	must(slots > 0);
	struct metrics *m = calloc(1, sizeof(*m));
	if (m == NULL)
		return NULL;
	m->slots = aligned_alloc(CACHE_LINE, slots * sizeof(*m->slots));
	if (m->slots == NULL) {
		free(m);
		return NULL;
	}
	memset(m->slots, 0, slots * sizeof(*m->slots));
	m->n_slots = slots;
	return m;
}

void metrics_free(struct metrics *m)
{
	if (m == NULL)
		return;
	free(m->slots);
	free(m);
}

struct metrics_slot *metrics_slot(struct metrics *m, unsigned i)
{
	must(i < m->n_slots);
	return &m->slots[i];
}

static uint64_t get(const _Atomic uint64_t *v)
{
	return atomic_load_explicit(v, memory_order_relaxed);
}

static void add(_Atomic uint64_t *v, uint64_t n)
{
	atomic_store_explicit(v, get(v) + n, memory_order_relaxed);
}

void metrics_add(struct metrics_slot *slot, enum metrics_counter id, uint64_t n)
{
	add(&slot->counters[id], n);
}

void metrics_latency(struct metrics_slot *slot, uint64_t ns)
{
	/* The smallest i with ns <= 1000 * 2^i. */
	const uint64_t us = ns == 0 ? 0 : (ns - 1) / 1000;
	const unsigned i = us == 0 ? 0 : 64U - (unsigned)__builtin_clzll(us);
	add(&slot->latency[i < LATENCIES ? i : LATENCIES], 1);
	add(&slot->latency_ns, ns);
}

uint64_t metrics_sum(const struct metrics *m, enum metrics_counter id)
{
	uint64_t sum = 0;
	for (unsigned i = 0; i < m->n_slots; i++)
		sum += get(&m->slots[i].counters[id]);
	return sum;
}

void metrics_register(struct metrics *m, metrics_gauges *write, void *ctx)
{
	must(m->n_gauges < GAUGES_MAX);
	m->gauges[m->n_gauges].write = write;
	m->gauges[m->n_gauges].ctx = ctx;
	m->n_gauges++;
}

static void write_head(struct text *page, const char *name, const char *help, const char *type)
{
	text_printf(page, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void metrics_gauge(struct text *page, const char *name, const char *help, uint64_t value)
{
	write_head(page, name, help, "gauge");
	text_printf(page, "%s %" PRIu64 "\n", name, value);
}

void metrics_counter(struct text *page, const char *name, const char *help, uint64_t value)
{
	write_head(page, name, help, "counter");
	text_printf(page, "%s %" PRIu64 "\n", name, value);
}

static void write_counters(const struct metrics *m, struct text *page)
{
	for (unsigned i = 0; i < METRIC_COUNT_; i++) {
		const struct row *r = &rows[i];
		if (i == 0 || strcmp(r->name, rows[i - 1].name) != 0)
			write_head(page, r->name, r->help, "counter");
		const bool bare = r->labels[0] == '\0';
		text_printf(page, "%s%s%s%s %" PRIu64 "\n", r->name, bare ? "" : "{", r->labels,
		            bare ? "" : "}", metrics_sum(m, (enum metrics_counter)i));
	}
}

/* A bucket holds what took at most `le` seconds, those of the buckets before it included. */
static void write_latency(const struct metrics *m, struct text *page)
{
	static const char name[] = "p4pd_announce_seconds";
	uint64_t count = 0, ns = 0;
	write_head(page, name,
	           "Time to answer an announce, without the kernel's share; one of each batch",
	           "histogram");
	for (unsigned b = 0; b <= LATENCIES; b++) {
		for (unsigned i = 0; i < m->n_slots; i++)
			count += get(&m->slots[i].latency[b]);
		if (b < LATENCIES)
			text_printf(page, "%s_bucket{le=\"%.6f\"} %" PRIu64 "\n", name,
			            (double)(1U << b) / 1e6, count);
	}
	for (unsigned i = 0; i < m->n_slots; i++)
		ns += get(&m->slots[i].latency_ns);
	text_printf(page, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n", name, count);
	text_printf(page, "%s_sum %.9f\n%s_count %" PRIu64 "\n", name, (double)ns / 1e9, name,
	            count);
}

void metrics_write(struct metrics *m, struct text *page)
{
	write_counters(m, page);
	write_latency(m, page);
	for (unsigned i = 0; i < m->n_gauges; i++)
		m->gauges[i].write(m->gauges[i].ctx, page);
}
