/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What is told of an alarm, to machines and to people, and how it is signed.
 *
 * A receiver gets one JSON object: "format" "p4p-alarm/1", "event" (a UUID; the same again when it is sent
 * again), "what" ("firing", "resolved", "test"), "at", and "alarm". It is signed by HMAC-SHA256 under the
 * webhook's secret over the time of sending in decimal seconds, a full stop and the body; the time is in the
 * header X-P4pd-Timestamp, so that a receiver can refuse what was recorded and played again.
 *
 * Threading: any thread.
 */

#include "server/alarms/rules.h"

/* The same on every daemon: of the rule, the provider and the subject. */
void event_alarm_id(const char *rule, const char *provider, const char *subject,
                    char out[static STORE_ALARM_ID]);

void event_new_id(char out[static STORE_EVENT_ID]); /* a random UUID (RFC 9562, version 4) */

/* Its body is text_done()'s worth: free() it. ERR_NOMEM. */
enum err event_make(const struct store_alarm *alarm, enum alarm_news news, int64_t now,
                    struct store_alarm_event *out) must_check;
enum err event_test(const char *author, int64_t now, struct store_alarm_event *out) must_check;

/* One line of key=value for syslog. */
void event_line(const struct store_alarm *alarm, enum alarm_news news, struct text *out);

enum { EVENT_SIGNATURE = 65 };
/* Lower-case hexadecimal. */
void event_sign(const char *secret, int64_t timestamp, const char *body,
                char out[static EVENT_SIGNATURE]);
