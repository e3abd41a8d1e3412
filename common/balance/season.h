/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What is usual of one interconnect: by weekday and time of day, and how far each known day was from it.
 * Inside of common/balance: for forecast.c, which draws days from it.
 */

#include "common/balance/percentile.h"

enum { SEASON_DAY = 86400, SEASON_WEEK = 7 };

/* One direction. */
struct season_side {
	double *profile; /* bytes of weekday * day_bins + bin of the day */
	double *levels; /* of each day: its bytes to those usual for its bins; 0 of days not known enough */
	double *spread; /* the same as a draw has it: around 1, as wide as one day is and not a day of few */
	double usual[SEASON_WEEK]; /* the factors of season_usual() */
};

struct season {
	const struct percentile_bin *bins; /* of the caller */
	size_t day_bins, days; /* that are known enough: at least half of their bins are */
	struct season_side out, in;
};

/*
 * From `days` whole days, the first being weekday 0. ERR_NOT_FOUND: of some time of the day nothing is
 * known. ERR_NOMEM. season_done() either way.
 */
enum err season_learn(struct season *s, const struct percentile_bin *bins, size_t days,
                      size_t day_bins) must_check;
void season_done(struct season *s);

/*
 * Season as it might have been learned: of a weekday, what is usual times the mean of the levels of
 * those of the `n` days that stand in its place. n >= SEASON_WEEK. Before season_day().
 */
void season_usual(struct season *s, const size_t *days, size_t n);

/* A day to come: the shape of one known day, the level of another, at most `capacity` each way (0: any). */
struct season_drawn {
	size_t shape, level;
	uint64_t capacity;
};

/* Its bins [from, to), into out[0] and so on. */
void season_day(const struct season *s, const struct season_drawn *drawn, size_t from, size_t to,
                struct percentile_bin *out);
