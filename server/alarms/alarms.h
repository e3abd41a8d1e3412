/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Alarms: what is wrong is found once a bin, kept in PostgreSQL, and told by webhook and syslog.
 *
 * Two threads. The watch looks at a bin a fifth of its length after its end, when counters and other
 * daemons' bins have come: at the providers' alarms in one daemon of those that share a database, at a
 * daemon's own in each. The courier posts what is queued, and notices when PostgreSQL is away: then it tells
 * itself, by the webhooks it last knew of, and queues the same event once PostgreSQL is back; receivers know
 * it by its id. Neither holds up the feeder, and both give way to announces.
 *
 * Everything is told at least once: what was queued survives any crash, and is tried for half a day.
 *
 * Threading: start and stop from one thread; the rest from any.
 */

#include "server/alarms/rules.h"
#include "server/metrics/metrics.h"

/* What only this daemon knows of itself. */
struct alarms_self {
	uint64_t spooled; /* closed bins that wait */
	uint64_t refused; /* closed bins set aside since the start */
	bool rpki;        /* VRPs decide who may claim what */
	int64_t vrps_age; /* seconds, of those in use; negative: there are none */
};

struct alarms_options {
	struct store *store;
	struct metrics_slot *watch, *courier; /* the threads' own */
	const char *node;
	uint32_t bin_seconds;
	uint64_t ratio_limit_milli; /* for settlement-free interconnects without one; 0: none */
	bool syslog;
	bool (*ready)(void *ctx); /* has the database its tables? */
	void (*self)(void *ctx, struct alarms_self *out);
	void *ctx;
};

struct alarms;

struct alarms *alarms_start(const struct alarms_options *options); /* NULL: no thread to be had */
void alarms_stop(struct alarms *a);                                /* NULL is fine */

/* How many fire, as of the last look. */
void alarms_firing(const struct alarms *a, uint64_t count[static SEVERITIES]);
