/* SPDX-License-Identifier: Apache-2.0 */
#include "server/report/calibration.h"

#include "common/balance/calibrate.h"
#include "server/store/calibrations.h"

#include <stdlib.h>

enum { DAY = 86400, DAYS = 2 };

static void step(struct store_calibration *row)
{
	struct calibration c = { .k = row->k, .sigma = row->sigma, .days = row->days };
	const struct calibration_step s =
		calibrate(&c, &(struct calibration_day){ .flow = row->flow_bytes,
	                                                 .announce = row->announce_bytes,
	                                                 .noise = row->noise });
	row->factor = s.k;
	row->off = s.off;
	row->drift = s.drift;
	row->k = c.k;
	row->sigma = c.sigma;
	row->days = c.days;
}

static enum err calibrate_day(struct store *s, uint32_t bin_seconds, int64_t day)
{
	struct store_calibration *rows;
	size_t n;
	enum err e = store_calibration_day(s, day, bin_seconds, &rows, &n);
	if (e != ERR_OK)
		return e;
	for (size_t i = 0; i < n; i++)
		step(&rows[i]);
	e = store_calibration_put(s, rows, n);
	free(rows);
	return e;
}

enum err report_calibrate(struct store *s, uint32_t bin_seconds, int64_t now)
{
	enum err e = ERR_OK;
	for (int64_t day = now - now % DAY - DAYS * DAY; day + DAY <= now && e == ERR_OK;
	     day += DAY)
		e = calibrate_day(s, bin_seconds, day);
	return e;
}
