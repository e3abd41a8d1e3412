/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * How the month will end: the chance that the ratio of an interconnect, over the calendar month (UTC) by
 * volume, ends beyond its limit (common/balance/forecast.h). Of interconnects with a limit and at least
 * FORECAST_DAYS_LEAST days of bins, by the best source of the last day; nothing is said of others, nor where
 * bins are so short that STORE_SERIES_MAX of them are fewer days.
 *
 * Threading: one thread, which may wait for the store.
 */

#include "server/alarms/look.h"

/* The store's errors, and ERR_NOMEM. */
enum err look_ahead(const struct look_options *o, int64_t at, struct sights *out) must_check;
