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
 * SIGTERM, SIGINT and SIGHUP wait from here on, in this thread and those that it makes, until the clock runs
 * and reads them from a descriptor. There is no handler, and so no instant at which one of them would be too
 * early. SIGHUP is held for good.
 */
void clock_hold_signals(void);

/* After clock_hold_signals(). Returns when SIGTERM or SIGINT arrives. ERR_SYSTEM: no loop could be set up. */
enum err clock_run(const struct clock_calls *calls) must_check;
