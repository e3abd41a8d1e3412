/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The thread that tells: it empties the outbox, and watches over PostgreSQL itself.
 *
 * Threading: start and stop from one thread.
 */

#include "server/alarms/round.h"
#include "server/metrics/metrics.h"

struct courier_options {
	struct store *store;
	struct metrics_slot *metrics; /* the thread's own */
	const char *node, *scope;     /* of the daemon's own alarms */
	uint32_t bin_seconds;
	bool syslog;
	bool (*ready)(void *ctx); /* has the database its tables? */
	void *ctx;
};

struct courier;

struct courier *courier_start(const struct courier_options *options); /* NULL: no thread */
void courier_stop(struct courier *c);                                 /* NULL is fine */

/* Seconds since PostgreSQL last answered; the alarm that says so, if it fires. */
bool courier_fires(const struct courier *c);
