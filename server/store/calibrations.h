/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What flows say of the estimates from announces, day by day (common/balance/calibrate.h).
 *
 * Errors and threading as in store.h.
 */

#include "server/store/matrix.h"

/* One interconnect, direction and day (its start, UTC). */
struct store_calibration {
	char provider[65], interconnect[65];
	enum store_direction direction;
	int64_t day;
	double flow_bytes, announce_bytes, noise; /* of the day */
	double factor, off;
	bool drift;
	double k, sigma; /* after the day; store_calibration_day(): before it */
	unsigned days;
};

/* What bins of a day say, and the mean of before; of those that both sources know. free() the list. */
enum err store_calibration_day(struct store *s, int64_t day, uint32_t bin_seconds,
                               struct store_calibration **out, size_t *count) must_check;

/* The same day again replaces. One transaction. */
enum err store_calibration_put(struct store *s, const struct store_calibration *rows,
                               size_t n) must_check;

/* The last of each interconnect and direction before `until`. `provider` NULL: all. free() the list. */
enum err store_calibrations(struct store *s, const char *provider, int64_t until,
                            struct store_calibration **out, size_t *count) must_check;

/* Those that drifted, of days with from <= day < until, the newest first. free() the list. */
enum err store_drifts(struct store *s, const char *provider, int64_t from, int64_t until,
                      struct store_calibration **out, size_t *count) must_check;
