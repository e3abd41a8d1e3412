/* SPDX-License-Identifier: Apache-2.0 */
#include "server/alarms/rules.h"

#include <string.h>

enum { HOUR = 12, DAY = 288 }; /* in bins of five minutes */

static const struct rule rules[RULES] = {
	[RULE_RATIO_WARN] = { .name = "ratio-warn",
	                      .unit = "percent of the limit",
	                      .help = "the ratio of the last 24 hours nears its limit",
	                      .severity = SEVERITY_WARNING,
	                      .threshold = 85,
	                      .ease = 5,
	                      .for_bins = HOUR,
	                      .clear_bins = HOUR,
	                      .every = 1 },
	[RULE_RATIO_BREACH] = { .name = "ratio-breach",
	                        .unit = "percent of the limit",
	                        .help = "the ratio of the last 24 hours is beyond its limit",
	                        .severity = SEVERITY_CRITICAL,
	                        .threshold = 100,
	                        .ease = 5,
	                        .for_bins = HOUR,
	                        .clear_bins = HOUR,
	                        .every = 1 },
	/* 80 of 100 are enough. */
	[RULE_RATIO_FORECAST] = { .name = "ratio-forecast",
	                          .unit = "percent of forecasts",
	                          .help = "the ratio of the month will end beyond its limit",
	                          .severity = SEVERITY_WARNING,
	                          .threshold = 79.9,
	                          .ease = 10,
	                          .for_bins = 1,
	                          .clear_bins = 1,
	                          .every = DAY / 4 },
	[RULE_FLOOR] = { .name = "floor-above-commit",
	                 .unit = "percent of the commit",
	                 .help = "what a contract bills cannot end below its commit: overage is certain",
	                 .severity = SEVERITY_CRITICAL,
	                 .threshold = 100,
	                 .for_bins = 1,
	                 .clear_bins = 1,
	                 .every = HOUR },
	[RULE_BURST] = { .name = "burst-budget",
	                 .unit = "percent of the budget used",
	                 .help = "few bins are left that may be above a contract's commit",
	                 .severity = SEVERITY_WARNING,
	                 .threshold = 90,
	                 .for_bins = 1,
	                 .clear_bins = 1,
	                 .every = HOUR },
	/* As many as the clause allows are enough. */
	[RULE_POLICY_PERIODS] = { .name = "policy-periods",
	                          .unit = "percent of the periods allowed",
	                          .help = "so many periods in a row broke a policy that its clause is broken",
	                          .severity = SEVERITY_CRITICAL,
	                          .threshold = 99.9,
	                          .for_bins = 1,
	                          .clear_bins = 1,
	                          .every = DAY / 4 },
	/* Four looks are a day: the first night of a month is none yet. */
	[RULE_POLICY_VOLUME] = { .name = "policy-volume",
	                         .unit = "percent below the minimum",
	                         .help = "the volume of the running period is below a policy's minimum",
	                         .severity = SEVERITY_WARNING,
	                         .threshold = 0,
	                         .for_bins = 4,
	                         .clear_bins = 1,
	                         .every = DAY / 4 },
	/* Tomorrow's busy hour decides whether it is over. */
	[RULE_UTILISATION] = { .name = "port-utilisation",
	                       .unit = "percent of the capacity",
	                       .help = "the mean of an hour fills the port, in its fuller direction",
	                       .severity = SEVERITY_WARNING,
	                       .threshold = 70,
	                       .ease = 5,
	                       .for_bins = 1,
	                       .clear_bins = DAY,
	                       .every = 1 },
	[RULE_SILENCE] = { .name = "source-silent",
	                   .unit = "bins",
	                   .help = "flows or counters of an interconnect that had them are missing",
	                   .severity = SEVERITY_WARNING,
	                   .threshold = 2,
	                   .for_bins = 1,
	                   .clear_bins = 2,
	                   .every = 1 },
	[RULE_DISCONTINUITY] = { .name = "counter-discontinuity",
	                         .unit = "bins of the last hour",
	                         .help = "an interface counter was reset or wrapped",
	                         .severity = SEVERITY_INFO,
	                         .threshold = 0,
	                         .for_bins = 1,
	                         .clear_bins = 1,
	                         .every = 1 },
	[RULE_UNKNOWN_BYTES] = { .name = "unknown-bytes",
	                         .unit = "percent of the downloaded",
	                         .help = "too much of 24 hours came from addresses no map knows",
	                         .severity = SEVERITY_WARNING,
	                         .threshold = 5,
	                         .ease = 10,
	                         .for_bins = HOUR,
	                         .clear_bins = HOUR,
	                         .every = 1 },
	/* CALIBRATE_ALARM says what a drift is. */
	[RULE_DRIFT] = { .name = "drift",
	                 .unit = "days of the last two",
	                 .help = "announces and flows disagree by more than three deviations",
	                 .severity = SEVERITY_WARNING,
	                 .threshold = 0,
	                 .for_bins = 1,
	                 .clear_bins = 1,
	                 .every = DAY / 4 },
	[RULE_STEERING] = { .name = "steering-ineffective",
	                    .unit = "percentage points",
	                    .help = "a week of the experiment shows no significant saving",
	                    .severity = SEVERITY_INFO,
	                    .threshold = 0,
	                    .for_bins = 1,
	                    .clear_bins = 1,
	                    .every = DAY },
	[RULE_MAP_AGE] = { .name = "map-stale",
	                   .unit = "days",
	                   .help = "the topology in force was put there long ago",
	                   .severity = SEVERITY_WARNING,
	                   .threshold = 90,
	                   .for_bins = 1,
	                   .clear_bins = 1,
	                   .every = 1 },
	/* Never critical: a watch would take a roll back for a breach. */
	[RULE_MAP_CHANGE] = { .name = "map-change",
	                      .unit = "changes",
	                      .help = "a map was rolled back by itself, or missed its time",
	                      .severity = SEVERITY_WARNING,
	                      .threshold = 0,
	                      .for_bins = 1,
	                      .clear_bins = 1,
	                      .every = 1 },
	[RULE_RPKI_AGE] = { .name = "rpki-old",
	                    .unit = "hours",
	                    .help = "the VRPs in use are old, or there are none; does the validator run?",
	                    .severity = SEVERITY_WARNING,
	                    .own = true,
	                    .threshold = 12,
	                    .for_bins = 1,
	                    .clear_bins = 1,
	                    .every = 1 },
	[RULE_SPOOL] = { .name = "spool-growing",
	                 .unit = "closed bins",
	                 .help = "closed bins wait for PostgreSQL",
	                 .severity = SEVERITY_WARNING,
	                 .own = true,
	                 .threshold = 3,
	                 .for_bins = 2,
	                 .clear_bins = 1,
	                 .every = 1 },
	[RULE_BINS_REFUSED] = { .name = "bins-refused",
	                        .unit = "closed bins",
	                        .help = "PostgreSQL refused closed bins, or their files are damaged",
	                        .severity = SEVERITY_CRITICAL,
	                        .own = true,
	                        .threshold = 0,
	                        .for_bins = 1,
	                        .clear_bins = HOUR,
	                        .every = 1 },
	[RULE_DATABASE] = { .name = "database-away",
	                    .unit = "seconds",
	                    .help = "PostgreSQL has not answered for so long",
	                    .severity = SEVERITY_CRITICAL,
	                    .own = true,
	                    .threshold = 60,
	                    .for_bins = 1,
	                    .clear_bins = 1,
	                    .every = 1 },
};

static const char *const severities[SEVERITIES] = { "info", "warning", "critical" };

const char *severity_name(enum alarm_severity s)
{
	return severities[s];
}

bool severity_read(const char *name, enum alarm_severity *out)
{
	for (unsigned s = 0; s < SEVERITIES; s++) {
		if (strcmp(name, severities[s]) != 0)
			continue;
		*out = (enum alarm_severity)s;
		return true;
	}
	return false;
}

const struct rule *rule_of(enum rule_id id)
{
	return &rules[id];
}

bool rule_find(const char *name, enum rule_id *out)
{
	for (unsigned i = 0; i < RULES; i++) {
		if (strcmp(name, rules[i].name) != 0)
			continue;
		*out = (enum rule_id)i;
		return true;
	}
	return false;
}

static void overlay(struct rule_setting *s, const struct store_alarm_rule *r)
{
	if (r->has_enabled)
		s->enabled = r->enabled;
	if (r->has_threshold)
		s->threshold = r->threshold;
	if (r->has_for)
		s->for_bins = r->for_bins;
}

struct rule_setting rule_setting(enum rule_id id, const char *provider,
                                 const struct store_alarm_rule *list, size_t n)
{
	const struct rule *rule = &rules[id];
	struct rule_setting s = { true, rule->threshold, rule->for_bins };
	const struct store_alarm_rule *own = NULL;
	for (size_t i = 0; i < n; i++) {
		if (strcmp(list[i].rule, rule->name) != 0)
			continue;
		if (list[i].provider[0] == '\0')
			overlay(&s, &list[i]);
		else if (strcmp(list[i].provider, provider) == 0)
			own = &list[i];
	}
	if (own != NULL)
		overlay(&s, own);
	return s;
}

/* At most three calls a day and thing, or one as long as it swings. */
enum { FLAPS = 3, FLAP_BINS = DAY };

struct alarm_rule rule_life(enum rule_id id, const struct rule_setting *setting,
                            uint32_t bin_seconds)
{
	const struct rule *rule = &rules[id];
	const int64_t look = (int64_t)bin_seconds * rule->every;
	const uint32_t for_bins = setting->for_bins > 0 ? setting->for_bins : 1;
	return (struct alarm_rule){
		.raise = setting->threshold,
		.clear = setting->threshold * (100 - rule->ease) / 100,
		.raise_after = (for_bins - 1) * look, /* the first bin counts */
		.clear_after = (rule->clear_bins - 1) * look,
		.forget_after = (int64_t)DAY * bin_seconds + look,
		.flap_max = FLAPS,
		.flap_seconds = (int64_t)FLAP_BINS * bin_seconds,
	};
}
