/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One round: what was seen of a bin, and what alarms become of it.
 *
 * Whoever looks says for each rule that it has looked, and then what it saw. Of what a rule looked at
 * before and says nothing of now, the value is unknown.
 *
 * Pure but for the identifiers of events. Threading: one thread at a time.
 */

#include "server/alarms/event.h"

struct sight {
	enum rule_id rule;
	char provider[65], subject[STORE_SUBJECT];
	double value; /* finite */
	char text[256];
};

struct sights {
	struct sight *list;
	size_t n, room;
	bool looked[RULES];
	bool bad; /* out of memory */
};
void sights_done(struct sights *s);

/* NULL: out of memory, and `bad`. Fill in the value and the text. */
struct sight *sights_add(struct sights *s, enum rule_id rule, const char *provider,
                         const char *subject);

struct round_options {
	const char *scope;
	int64_t at;  /* end of the bin, by which alarms live */
	int64_t now; /* by which mutes end */
	uint32_t bin_seconds;
	const struct store_alarm_rule *rules;
	size_t n_rules;
};

struct round_end {
	struct store_alarm *alarms;
	struct store_alarm_event *events;
	size_t n_alarms, n_events;
	/* The alarms that the events are about, and which way they turned. */
	struct round_news {
		struct store_alarm alarm;
		enum alarm_news news;
	} * news;
};
void round_done(struct round_end *end);

/* `alarms`: all of the scope, clear ones too; in no order. ERR_NOMEM. */
enum err round_make(const struct round_options *o, struct sights *sights,
                    const struct store_alarm *alarms, size_t n, struct round_end *out) must_check;
