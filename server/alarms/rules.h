/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The rules of alarms (accounting of peering, section 7.4): one table with what holds where nobody said
 * otherwise. What the database says of a rule holds for all providers; what it says of one provider wins.
 *
 * Pure; share freely.
 */

#include "common/balance/alarm.h"
#include "server/store/alarms.h"

enum alarm_severity { SEVERITY_INFO, SEVERITY_WARNING, SEVERITY_CRITICAL, SEVERITIES };
const char *severity_name(enum alarm_severity s); /* "info", "warning", "critical" */
bool severity_read(const char *name, enum alarm_severity *out);

enum rule_id {
	RULE_RATIO_WARN,
	RULE_RATIO_BREACH,
	RULE_RATIO_FORECAST,
	RULE_FLOOR,
	RULE_BURST,
	RULE_POLICY_PERIODS,
	RULE_POLICY_VOLUME,
	RULE_UTILISATION,
	RULE_SILENCE,
	RULE_DISCONTINUITY,
	RULE_UNKNOWN_BYTES,
	RULE_DRIFT,
	RULE_STEERING,
	RULE_MAP_AGE,
	RULE_MAP_CHANGE,
	RULE_RPKI_AGE,
	RULE_SPOOL,
	RULE_BINS_REFUSED,
	RULE_DATABASE,
	RULES
};

struct rule {
	const char *name, *unit, *help;
	enum alarm_severity severity;
	bool own;            /* of a daemon; else of a provider */
	double threshold;    /* beyond it is bad */
	unsigned ease;       /* good again this many percent of the threshold below it */
	uint32_t for_bins;   /* bad in so many in a row */
	uint32_t clear_bins; /* good in so many */
	uint32_t every;      /* bins from one look to the next */
};

const struct rule *rule_of(enum rule_id id);
bool rule_find(const char *name, enum rule_id *out);

enum { RULE_FOR_BINS_MAX = 10000 };

struct rule_setting {
	bool enabled;
	double threshold;
	uint32_t for_bins;
};
/* provider "": what holds for all. `list` is store_alarm_rules()'s. */
struct rule_setting rule_setting(enum rule_id id, const char *provider,
                                 const struct store_alarm_rule *list, size_t n);

/* How an alarm of the rule lives. */
struct alarm_rule rule_life(enum rule_id id, const struct rule_setting *setting,
                            uint32_t bin_seconds);
