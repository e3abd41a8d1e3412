/* SPDX-License-Identifier: Apache-2.0 */
#include "common/balance/policy.h"

#include <stdio.h>
#include <string.h>

const char *const policy_metric_names[POLICY_METRICS + 1] = {
	[POLICY_VOLUME_AVG] = "volume_avg",
	[POLICY_P95] = "p95_per_direction",
	[POLICY_BUSY_HOUR] = "busy_hour",
};

const char *const policy_window_names[POLICY_WINDOWS + 1] = {
	[POLICY_CALENDAR_MONTH] = "calendar_month", [POLICY_CALENDAR_QUARTER] = "calendar_quarter",
	[POLICY_ROLLING_30D] = "rolling_30d",       [POLICY_WEEKLY] = "weekly",
	[POLICY_ROLLING_7D] = "rolling_7d",
};

const char *const policy_scope_names[POLICY_SCOPES + 1] = {
	[POLICY_INTERCONNECT] = "interconnect",
	[POLICY_METRO] = "metro",
	[POLICY_PEER] = "peer_aggregate",
};

const char *const policy_volume_names[POLICY_VOLUMES + 1] = {
	[POLICY_VOLUME_AVG_MAX] = "volume_avg_max",
	[POLICY_VOLUME_AVG_SUM] = "volume_avg_sum",
	[POLICY_P95_MAX] = "p95_max",
	[POLICY_P95_SUM] = "p95_sum",
	[POLICY_BUSY_HOUR_MAX] = "busy_hour_max",
	[POLICY_BUSY_HOUR_SUM] = "busy_hour_sum",
};

const char *const policy_verdict_names[POLICY_VERDICTS + 1] = {
	[POLICY_NO_DATA] = "no-data", [POLICY_BELOW_MINIMUM] = "below-minimum",
	[POLICY_OK] = "ok",           [POLICY_WARN] = "warn",
	[POLICY_BREACH] = "breach",   [POLICY_UNKNOWN] = "unknown",
};

const char *policy_metric_refusal(const char *word)
{
	if (strcmp(word, "bit_mile") == 0 || strcmp(word, "bit_miles") == 0)
		return "bit-mile balance is not offered: the method is under patent "
		       "(EP 2862098 B1, WO 2013/188821); take volume_avg, "
		       "p95_per_direction or busy_hour";
	return NULL;
}

/* One fault at a member of the object at `where`. */
static enum err refuse(struct faults *faults, const char *where, const char *member,
                       const char *text)
{
	char place[sizeof(((struct fault *)NULL)->where)];
	(void)snprintf(place, sizeof(place), "%s%s", where, member);
	return faults_add(faults, ERR_RANGE, "out-of-range", place, "%s", text);
}

enum err policy_check(const struct policy *p, const char *where, struct faults *faults)
{
	enum err e = ERR_OK;
	const uint64_t limit = p->ratio.limit_milli;
	if (p->ratio.orientation == RATIO_EITHER && limit > 0 && limit < 1000)
		e = refuse(faults, where, "/ratio/limit",
		           "must be at least 1 when it holds in either direction");
	if (p->ratio.warn_milli > 1000)
		e = refuse(faults, where, "/warn_at", "must be from 0 to 1, a share of the limit");
	if (limit == 0 && p->min_bps == 0)
		e = refuse(faults, where, "",
		           "needs a ratio, a min_volume or both, or there is nothing to keep");
	return e;
}

static enum policy_metric metric_of(enum policy_volume v)
{
	switch (v) {
	case POLICY_VOLUME_AVG_MAX:
	case POLICY_VOLUME_AVG_SUM:
		return POLICY_VOLUME_AVG;
	case POLICY_P95_MAX:
	case POLICY_P95_SUM:
		return POLICY_P95;
	case POLICY_BUSY_HOUR_MAX:
	case POLICY_BUSY_HOUR_SUM:
		return POLICY_BUSY_HOUR;
	case POLICY_VOLUMES:
		break;
	}
	must(false);
	return POLICY_VOLUME_AVG;
}

bool policy_wants(const struct policy *p, enum policy_metric metric)
{
	return (p->ratio.limit_milli > 0 && p->metric == metric) ||
	       (p->min_bps > 0 && metric_of(p->min_metric) == metric) ||
	       (p->ratio.limit_milli == 0 && p->min_bps == 0 && p->metric == metric);
}

static ratio_wide volume(enum policy_volume v, const struct policy_amount *a)
{
	const bool both =
		v == POLICY_VOLUME_AVG_SUM || v == POLICY_P95_SUM || v == POLICY_BUSY_HOUR_SUM;
	if (both)
		return a->out_bytes + a->in_bytes;
	return a->out_bytes > a->in_bytes ? a->out_bytes : a->in_bytes;
}

static bool is_enough(const struct policy *p, const struct policy_amount *a)
{
	/* bytes are below 2^100, bit/s and seconds together below 2^124 where seconds are below 2^60 */
	const ratio_wide bits = volume(p->min_metric, a) * 8;
	const ratio_wide least = (ratio_wide)p->min_bps * a->seconds;
	return p->min_more ? bits > least : bits >= least;
}

static uint64_t bps(ratio_wide bytes, uint64_t seconds)
{
	if (seconds == 0)
		return 0;
	const ratio_wide n = (bytes * 8 + seconds / 2) / seconds;
	return n < UINT64_MAX ? (uint64_t)n : UINT64_MAX;
}

static enum policy_verdict verdict(const struct policy_result *r)
{
	if (!r->enough)
		return POLICY_BELOW_MINIMUM;
	switch (r->ratio_verdict) {
	case RATIO_WARN:
		return POLICY_WARN;
	case RATIO_BREACH:
		return POLICY_BREACH;
	case RATIO_NO_DATA:
	case RATIO_NO_LIMIT:
	case RATIO_OK:
		break;
	}
	return POLICY_OK;
}

void policy_judge(const struct policy *p, const struct policy_figures *figures,
                  struct policy_result *out)
{
	const struct policy_amount *ratio = &figures->amounts[p->metric];
	const struct policy_amount *least = &figures->amounts[metric_of(p->min_metric)];
	struct policy_result r = { .verdict = POLICY_NO_DATA,
		                   .ratio = *ratio,
		                   .volume_bps = bps(volume(p->min_metric, least), least->seconds),
		                   .enough = p->min_bps == 0 || is_enough(p, least) };
	r.ratio_verdict = ratio_judge(&p->ratio, ratio->out_bytes, ratio->in_bytes);
	r.margin = ratio_margin(&p->ratio, ratio->out_bytes, ratio->in_bytes);
	if (figures->known > 0)
		r.verdict = verdict(&r);
	*out = r;
}
