/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Announces and flows that disagree: how many of the last two whole days (UTC) drifted, of each interconnect
 * and direction that the calibration knows of these days (common/balance/calibrate.h says when a day
 * drifts). Two, because the calibration writes both again: late bins change them.
 *
 * Threading: one thread, which may wait for the store.
 */

#include "server/alarms/look.h"

/* The store's errors, and ERR_NOMEM. */
enum err look_for_drift(const struct look_options *o, int64_t at, struct sights *out) must_check;
