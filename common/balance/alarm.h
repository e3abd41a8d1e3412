/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The life of one alarm: clear -> pending -> firing -> resolved, and again.
 *
 * Its rule says beyond which value it is raised and where it is cleared (hysteresis), how long either must
 * hold, and how often it may be raised: one that was raised `flap_max` times in `flap_seconds` stays firing
 * until its condition has been gone for all of that time, so that a value that swings around the thresholds
 * wakes nobody every five minutes.
 *
 * A value may be unknown. That is no proof of anything: what is pending begins anew, and what fires
 * goes on, but not for ever: after `forget_after` without a value it is resolved, for what it was about is
 * gone.
 *
 * Muting and acknowledging change nothing of this. A muted alarm is only not told about, until the mute
 * ends: then what has become of it is told, or nothing when it came and went meanwhile.
 *
 * Times are seconds of any clock; one that goes back delays, and never hastens. Source: accounting of
 * peering, section 7.4.
 *
 * Pure; one thread at a time.
 */

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

enum alarm_state { ALARM_CLEAR, ALARM_PENDING, ALARM_FIRING, ALARM_RESOLVED, ALARM_STATES };

struct alarm_rule {
	bool below;           /* low values are bad; else high ones */
	double raise, clear;  /* beyond `raise` is bad; at `clear` or on its other side is good */
	int64_t raise_after;  /* bad for so long; 0: at once */
	int64_t clear_after;  /* good for so long */
	int64_t forget_after; /* without a value */
	uint32_t flap_max;    /* 0: no bound */
	int64_t flap_seconds;
};

/* All zero: clear, and never heard of. */
struct alarm {
	enum alarm_state state;
	int64_t since; /* when it came into its state */
	double value;  /* the last that was known */
	int64_t seen;  /* when that was */
	bool easing;   /* firing, and good since: */
	int64_t good_since;
	uint32_t raises; /* since flap_from */
	int64_t flap_from;
	bool told; /* that it fires, and not yet that it does no more */
	int64_t muted_until;
	int64_t acknowledged_at; /* 0: by nobody; being raised anew ends it */
};

#define ALARM_UNKNOWN ((double)NAN)

/* A new value, or ALARM_UNKNOWN. */
void alarm_step(const struct alarm_rule *rule, struct alarm *a, double value, int64_t now);

enum alarm_news { ALARM_NO_NEWS, ALARM_FIRES, ALARM_ENDED };

/* What the world is to be told now. Each is told once. */
enum alarm_news alarm_tell(struct alarm *a, int64_t now);

/* Is it held firing because it was raised too often? */
bool alarm_flaps(const struct alarm_rule *rule, const struct alarm *a);

const char *alarm_state_name(enum alarm_state s); /* "clear", "pending", ... */
