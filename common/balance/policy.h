/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Peering policies: how much more may go one way than the other, and how much there must be at all.
 *
 * A policy is held against what was measured in one period of its window, over the interconnects of its
 * scope together. Both are chosen by the caller: the policy only says which. Bins of all interconnects
 * are summed first; those that are not known add nothing.
 *
 * Metrics:
 *   volume_avg         all bytes of the period, or their average rate over the known bins
 *   p95_per_direction  the 95th percentile of each direction by itself, nearest rank, over known bins
 *   busy_hour          bytes in the time-consistent busy hour: the hour at the same time of every day in
 *                      which most was carried on average, both directions together, over all days of the
 *                      period. It starts at any bin; days are 24 hours from the start of the period on
 * "bit_mile" is refused: see policy_metric_refusal().
 *
 * Source: ITU-T E.600 (busy hour; time consistent busy hour) and E.500; the clauses themselves:
 * policy_preset.h.
 *
 * Plain structs of the caller, parsed elsewhere. Pure.
 */

#include "common/balance/percentile.h"
#include "common/balance/ratio.h"

enum policy_metric { POLICY_VOLUME_AVG, POLICY_P95, POLICY_BUSY_HOUR, POLICY_METRICS };
enum policy_window {
	POLICY_CALENDAR_MONTH,
	POLICY_CALENDAR_QUARTER,
	POLICY_ROLLING_30D,
	POLICY_WEEKLY, /* calendar weeks, from Monday */
	POLICY_ROLLING_7D,
	POLICY_WINDOWS
};
enum policy_scope {
	POLICY_INTERCONNECT,
	POLICY_METRO, /* all interconnects with the peer in one metro */
	POLICY_PEER,  /* all with the peer */
	POLICY_SCOPES
};
/* Of a minimum: which metric, of the direction that has more or of both together. */
enum policy_volume {
	POLICY_VOLUME_AVG_MAX,
	POLICY_VOLUME_AVG_SUM,
	POLICY_P95_MAX,
	POLICY_P95_SUM, /* the percentiles of both directions, added */
	POLICY_BUSY_HOUR_MAX,
	POLICY_BUSY_HOUR_SUM,
	POLICY_VOLUMES
};

/* "volume_avg" ..., "calendar_month" ..., "peer_aggregate" ..., "p95_max" ... */
extern const char *const policy_metric_names[POLICY_METRICS + 1];
extern const char *const policy_window_names[POLICY_WINDOWS + 1];
extern const char *const policy_scope_names[POLICY_SCOPES + 1];
extern const char *const policy_volume_names[POLICY_VOLUMES + 1];

/* Why a metric that others know is not offered, a sentence for the one who asked; NULL: nothing is known
 * of it. */
const char *policy_metric_refusal(const char *word);

struct policy {
	struct ratio_terms ratio; /* limit_milli 0: no ratio clause */
	enum policy_metric metric;
	enum policy_window window;
	enum policy_scope scope;
	uint64_t min_bps; /* 0: no minimum */
	bool min_more;    /* it must be more than that; false: at least */
	enum policy_volume min_metric;
	unsigned consecutive_periods; /* the clause is broken after so many that break it; 0 is 1 */
	unsigned qualify_periods;     /* it is met after so many that keep it; 0 is 1 */
	unsigned notice_days;
};

/* Every fault, at JSON pointers below `where` ("", "/policy"). ERR_RANGE when there was one. */
enum err policy_check(const struct policy *p, const char *where, struct faults *faults);

/* Does it ask for this metric, for its ratio or its minimum? */
bool policy_wants(const struct policy *p, enum policy_metric metric);

/* What was measured of a period, exact; both 0 where nothing was, or the policy does not ask for it. */
struct policy_amount {
	ratio_wide out_bytes, in_bytes;
	uint64_t seconds; /* that they took: bytes * 8 / seconds is the rate; 0: nothing is known */
};

struct policy_figures {
	struct policy_amount amounts[POLICY_METRICS];
	size_t busy_bin; /* of busy_hour: the hour starts so many bins after the start of the period's days */
	size_t expected, known, partial; /* as in struct percentile_result, of all interconnects */
};

/*
 * ERR_RANGE: sums beyond 2^64 in a bin, or a busy hour of bins that do not make up an hour; *out is
 * untouched.
 */
enum err policy_measure(const struct policy *p, const struct percentile_series *series,
                        size_t n_series, size_t bins, uint32_t bin_seconds,
                        struct percentile_scratch *scratch, struct policy_figures *out) must_check;

enum policy_verdict {
	POLICY_NO_DATA,
	POLICY_BELOW_MINIMUM,
	POLICY_OK, /* also: nothing is limited */
	POLICY_WARN,
	POLICY_BREACH,  /* of the ratio */
	POLICY_UNKNOWN, /* of a period that is over: too little of it was measured to say */
	POLICY_VERDICTS
};
extern const char *const policy_verdict_names[POLICY_VERDICTS + 1];

struct policy_result {
	enum policy_verdict verdict;
	enum ratio_verdict ratio_verdict; /* of the ratio by itself, whatever the minimum */
	struct policy_amount
		ratio;       /* exact, of the policy's metric: out:in is out_bytes / in_bytes */
	uint64_t volume_bps; /* of the minimum's metric, rounded half up */
	bool enough;         /* there is no minimum, or it is reached; judged exactly */
	struct ratio_margin
		margin; /* in bytes of the metric: of the period, of a bin (p95), of its busy hours */
};

void policy_judge(const struct policy *p, const struct policy_figures *figures,
                  struct policy_result *out);

/*
 * The clause over periods, `verdicts` in the order of time, ended ones only. A period without data, or
 * unknown, neither counts nor ends a run. POLICY_BREACH and POLICY_BELOW_MINIMUM are told of the clause only
 * after consecutive_periods that were one of the two; before that it is POLICY_WARN.
 */
struct policy_run {
	enum policy_verdict clause;
	unsigned broken;      /* of the newest run: periods that broke it, */
	unsigned kept;        /* or that kept it; one of the two is 0 */
	unsigned passed_over; /* periods without data or unknown, inside or after that run */
	bool qualified;       /* kept >= qualify_periods */
};

struct policy_run policy_run(const struct policy *p, const enum policy_verdict *verdicts, size_t n);
