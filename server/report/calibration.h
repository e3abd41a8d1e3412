/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Announces held against flows, once a day: for each interconnect and direction of which both are known, a
 * factor goes into the running mean (common/balance/calibrate.h) and is kept, with whether it drifted.
 *
 * Threading: one thread; blocks on the database.
 */

#include "server/store/store.h"

/* The two whole days (UTC) before `now`, again: late bins change them. */
enum err report_calibrate(struct store *s, uint32_t bin_seconds, int64_t now) must_check;
