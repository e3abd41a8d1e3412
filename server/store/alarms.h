/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Alarms as they are kept: their state, their rules' settings, and the outbox of webhooks. Errors, ownership
 * and threading are those of store.h.
 *
 * A round looks at all alarms of a scope once a bin. Of several daemons that would begin it one wins; what
 * another began later makes its end worthless, and nothing of it is kept.
 */

#include "common/balance/alarm.h"
#include "server/store/store.h"

/* ---- state ---- */

enum { STORE_ALARM_ID = 13, STORE_EVENT_ID = 37, STORE_SCOPE = 80, STORE_SUBJECT = 160 };

struct store_alarm {
	char id[STORE_ALARM_ID]; /* 12 hexadecimal digits */
	char scope[STORE_SCOPE];
	char rule[33], provider[65], subject[STORE_SUBJECT];
	struct alarm life;
	double threshold; /* when it was last looked at, as is the text */
	char text[256];
	char acknowledged_by[65], muted_by[65];
};

/* Something to be told. A body that is "" is for the history only. */
struct store_alarm_event {
	char id[STORE_EVENT_ID]; /* a UUID */
	char alarm[STORE_ALARM_ID];
	char provider[65], what[16], author[65];
	int64_t at;
	unsigned severity;
	char *body;
};

/* ERR_EXISTS: the bin that ended at `at` was begun before, or a later one. */
enum err store_alarm_begin(struct store *s, const char *scope, const char *node,
                           int64_t at) must_check;

/* What a round came to; `at` 0: of no round. */
struct store_alarm_round {
	const char *scope;
	int64_t at;
	const struct store_alarm *alarms; /* those that changed; muting is left as it is */
	size_t n_alarms;
	const struct store_alarm_event *events;
	size_t n_events;
};
/*
 * Keeps alarms and events, and queues the events for the webhooks that want them; an event whose id is
 * known already is not queued again. ERR_EXISTS: another round was begun meanwhile.
 */
enum err store_alarm_end(struct store *s, const struct store_alarm_round *round) must_check;

struct store_alarm_filter {
	const char *scope;    /* NULL: all */
	const char *provider; /* NULL: all */
	const char *state;    /* NULL: all but those that are clear; "" these too */
};
/* Firing first, then by provider, rule and subject. free() the list. */
enum err store_alarms(struct store *s, const struct store_alarm_filter *filter,
                      struct store_alarm **out, size_t *count) must_check;

/* provider NULL: of anybody. ERR_NOT_FOUND: no such alarm fires. An event and the audit log tell. */
struct store_alarm_change {
	const char *id, *provider, *author;
	const char *event; /* a new UUID */
	int64_t now;
};
enum err store_alarm_acknowledge(struct store *s,
                                 const struct store_alarm_change *change) must_check;
/* ERR_NOT_FOUND: no such alarm. `until` in the past ends a mute. */
enum err store_alarm_mute(struct store *s, const struct store_alarm_change *change,
                          int64_t until) must_check;

/* Newest first. provider NULL: of all. ERR_NOT_FOUND: no such alarm. store_alarm_events_done() the list. */
enum err store_alarm_events(struct store *s, const char *alarm, const char *provider, size_t limit,
                            struct store_alarm_event **out, size_t *count) must_check;
void store_alarm_events_done(struct store_alarm_event *list, size_t count);

/* Forgets events, and alarms that neither fire nor pend, that are older than `before`. */
enum err store_alarm_forget(struct store *s, int64_t before) must_check;

/* ---- rules ---- */

struct store_alarm_rule {
	char rule[33], provider[65]; /* "": all providers */
	bool has_enabled, has_threshold, has_for;
	bool enabled;
	double threshold;
	uint32_t for_bins;
};
/* Replaces; one that has nothing goes. Audited. */
enum err store_alarm_rule_put(struct store *s, const struct store_alarm_rule *rule,
                              const char *author) must_check;
enum err store_alarm_rules(struct store *s, struct store_alarm_rule **out,
                           size_t *count) must_check;

/* ---- webhooks ---- */

enum { STORE_URL = 1025, STORE_SECRET = 129 };

struct store_webhook {
	char name[65], url[STORE_URL], secret[STORE_SECRET];
	char provider[65]; /* "": all, and the daemons' own */
	unsigned min_severity;
	/* The rest is not written. */
	uint64_t waiting, failures;
	int64_t delivered;
	char last_error[200];
};
/* secret "": the old one stays, ERR_NOT_FOUND when there is none. *created: it is new. Audited. */
enum err store_webhook_put(struct store *s, const struct store_webhook *hook, const char *author,
                           bool *created) must_check;
enum err store_webhook_remove(struct store *s, const char *name, const char *author) must_check;
/* By name. free() the list. */
enum err store_webhooks(struct store *s, struct store_webhook **out, size_t *count) must_check;
/* Queues an event for this one alone, to be tried at once. ERR_NOT_FOUND. */
enum err store_webhook_test(struct store *s, const char *name,
                            const struct store_alarm_event *event) must_check;

/* What is to be posted now. */
struct store_delivery {
	uint64_t number, tries; /* tries: before this one */
	char event[STORE_EVENT_ID], webhook[65], url[STORE_URL], secret[STORE_SECRET];
	char *body; /* free() it */
};
/*
 * The oldest of a webhook whose time has come, which no other daemon takes until `lease` (unix seconds).
 * ERR_NOT_FOUND: nothing is due.
 */
enum err store_delivery_take(struct store *s, int64_t now, int64_t lease,
                             struct store_delivery *out) must_check;
enum err store_delivery_done(struct store *s, const struct store_delivery *d,
                             int64_t now) must_check;
/* give_up: it is not tried again, the next one of the webhook is. */
enum err store_delivery_failed(struct store *s, const struct store_delivery *d, int64_t not_before,
                               const char *why, bool give_up) must_check;
