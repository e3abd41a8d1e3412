/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Figures for analysts: balance, ratio, 95th percentile, verdict (DESIGN section 6,
 * reference: accounting of peering, nearest-rank percentile over known bins).
 *
 * No figure without its definition: the answer names the window, the bin, the percentile's rank, the
 * ratio's orientation and limit. Byte totals are integers of any size, never doubles. An estimate
 * (source "announce") is labelled as one.
 *
 * Threading: any thread; blocks on the database.
 */

#include "server/store/store.h"

struct report_options {
	uint32_t bin_seconds;
	uint32_t overhead_bytes;    /* of the link layer, for each packet */
	uint64_t ratio_limit_milli; /* for settlement-free interconnects without one; 0: none */
	unsigned least_clients;     /* of a provider, for a swarm to have a row of its own */
	const char *software;       /* what statements say made them: "p4pd 0.1.0" */
};

/* For `from` and `to` together or alone: the last 24 hours, up to the last closed bin. */
#define REPORT_ABSENT INT64_MIN

struct report_query {
	int64_t from, to;         /* unix seconds, or REPORT_ABSENT */
	const char *provider;     /* NULL: all */
	const char *interconnect; /* NULL: all */
	bool csv;
};

/*
 * The window rounded inwards to whole closed bins; `now` decides what is closed. What holds no such
 * bin becomes empty: from == to. report_balance() and report_series() want what comes out of here.
 */
struct report_query report_window(const struct report_query *q, const struct report_options *o,
                                  int64_t now);

/*
 * The end of the last bin that is settled: a fifth of its length ago, when counters and other daemons'
 * announces have come. What prices and alarms go by.
 */
int64_t report_settled(uint32_t bin_seconds, int64_t now);

/*
 * JSON, or CSV (RFC 4180: a line for each interconnect and source). Beyond the keys of DESIGN section
 * 6: of a source "estimate", and what stands behind it (detail.h); "ratio_limit" and "verdict_source" of
 * an interconnect, "policies" (ids) that are about it and have a verdict of their own, "definitions".
 * "verdict" is "ok", "warn", "breach", "no-limit" or "no-data" (common/balance/ratio.h) of the best
 * source there is. On failure nothing was written.
 */
enum err report_balance(struct store *s, const struct report_options *o,
                        const struct report_query *q, struct text *out) must_check;

/*
 * How good the bins are, for each interconnect and source: how many were expected and known, how many of
 * those were partial, estimated ..., and the longest stretch without any. JSON, or CSV.
 */
enum err report_quality(struct store *s, const struct report_options *o,
                        const struct report_query *q, struct text *out) must_check;

/*
 * Bins of one interconnect for the chart: {"from","to","bin_seconds","source","points":[[start,out,
 * in],...]}, "estimate" as above; the newest STORE_SERIES_MAX.
 */
enum err report_series(struct store *s, const struct report_options *o,
                       const struct report_query *q, enum store_source source,
                       struct text *out) must_check;

/*
 * What steering did, by the built-in experiment (common/steer/arms.h): for each provider and policy, the
 * private and the open torrents apart, where the bytes of both arms came from, how many copies of the
 * contents that was, how long downloads took, and how sure the differences are
 * (common/balance/bootstrap.h). Of open torrents it claims no savings. JSON, or CSV with a line for each
 * figure. The query's interconnect does not matter.
 */
enum err report_steering(struct store *s, const struct report_options *o,
                         const struct report_query *q, struct text *out) must_check;

/*
 * Does steering save anything? For each provider and policy, of private torrents: what is sure of the share
 * of bytes from outside the provider, treated less control, in percentage points. Below 0 is saved.
 */
struct report_effect {
	char provider[65], policy[32];
	bool known; /* false: too little was measured for an interval */
	double low, high;
};
/* The query's interconnect and form do not matter. free() the list. */
enum err report_effects(struct store *s, const struct report_options *o,
                        const struct report_query *q, struct report_effect **out,
                        size_t *count) must_check;
