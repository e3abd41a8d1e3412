/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Instants by the clock of an agreement's time zone, for people.
 *
 * Threading: one thread; changes TZ of the process.
 */

#include <stddef.h>

enum { ZONE_SIZE = 96 };

/*
 * "2026-11-01 00:00 Europe/Berlin" of "2026-10-31T23:00:00Z". In UTC, and saying so, where the zone is not
 * installed here (tzdata) or is ""; "-" of what is no time.
 */
const char *zone_print(const char *time, const char *zone, char out[static ZONE_SIZE]);
