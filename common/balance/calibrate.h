/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Estimates from announces put right by flows: one factor for each interconnect and direction, day by day
 * (reference: accounting, section 5.3).
 *
 * A day's factor is what flows measured of peer-to-peer bytes by what announces told of the same bins. It
 * goes into a running mean, which weighs the last day CALIBRATE_WEIGHT (the first days equally), and so does
 * the square of how far it was off, relative to the mean of before. The deviation that comes of that
 * has all in it that moves from day to day: what is sampled, who cheats, how much PEX there is. It is
 * never taken for less than CALIBRATE_LEAST.
 *
 * Drift: a day is off by more than CALIBRATE_ALARM deviations, its own noise counted, once CALIBRATE_DAYS
 * have been seen. The mean follows it all the same, for it may be the world that changed.
 *
 * Pure.
 */

#include <stdbool.h>

#define CALIBRATE_WEIGHT 0.3
#define CALIBRATE_LEAST  0.01
#define CALIBRATE_ALARM  3.0
enum { CALIBRATE_DAYS = 3 };

/* Zeroed: no day yet. */
struct calibration {
	double k;     /* of the bytes that announces told, so many times were there */
	double sigma; /* relative deviation of a day's */
	unsigned days;
};

struct calibration_day {
	double flow, announce; /* bytes of the same bins */
	/* Relative standard error of their quotient: 1 / sqrt(n) of n samples, or from its scatter in the
	 * course of the day. */
	double noise;
};

struct calibration_step {
	bool counted; /* false: announces told of nothing, and nothing was changed */
	double k;     /* the day's own */
	double off;   /* from the mean of before, relative; 0 on the first day */
	bool drift;
};

struct calibration_step calibrate(struct calibration *c, const struct calibration_day *day);

/* What announces told, put right, with a nominal interval of 90 %. */
struct calibrated {
	double bytes, low, high;
};
struct calibrated calibrate_bytes(const struct calibration *c, double announced);
