/* SPDX-License-Identifier: Apache-2.0 */
#include "common/balance/calibrate.h"

#include <math.h>

struct calibration_step calibrate(struct calibration *c, const struct calibration_day *day)
{
	if (!(day->announce > 0))
		return (struct calibration_step){ .counted = false };
	struct calibration_step s = { .counted = true, .k = day->flow / day->announce };
	if (c->days == 0) {
		*c = (struct calibration){ .k = s.k,
			                   .sigma = fmax(day->noise, CALIBRATE_LEAST),
			                   .days = 1 };
		return s;
	}
	s.off = c->k > 0 ? s.k / c->k - 1 : 0;
	s.drift = c->days >= CALIBRATE_DAYS &&
	          fabs(s.off) > CALIBRATE_ALARM * hypot(c->sigma, day->noise);
	const double weight = fmax(CALIBRATE_WEIGHT, 1.0 / (c->days + 1));
	c->sigma = sqrt((1 - weight) * c->sigma * c->sigma + weight * s.off * s.off);
	c->sigma = fmax(c->sigma, CALIBRATE_LEAST);
	c->k += weight * (s.k - c->k);
	c->days++;
	return s;
}

struct calibrated calibrate_bytes(const struct calibration *c, double announced)
{
	static const double deviations = 1.645; /* of a normal variable, for 90 % */
	const double bytes = announced * c->k, half = deviations * bytes * c->sigma;
	return (struct calibrated){ .bytes = bytes,
		                    .low = fmax(0, bytes - half),
		                    .high = bytes + half };
}
