/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The main thread's loop (libevent): signals, and a tick each second.
 */

#include "common/base/err.h"

struct clock_calls {
	void (*tick)(void *ctx);   /* once a second */
	void (*reload)(void *ctx); /* SIGHUP */
	void *ctx;
};

/*
 * SIGTERM and SIGINT wait from here on, in this thread and those that it makes, until the clock runs: who
 * is stopped while still starting ends in order, too.
 */
void clock_hold_signals(void);

/* Returns when SIGTERM or SIGINT arrives. ERR_SYSTEM: libevent could not be set up. */
enum err clock_run(const struct clock_calls *calls) must_check;
