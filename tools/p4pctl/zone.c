/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/p4pctl/zone.h"

#include "common/base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The C library takes a zone that it does not find for UTC, and keeps the name. */
static bool is_installed(const char *zone)
{
	char path[256];
	const char *folder = getenv("TZDIR");
	if (zone[0] == '\0' || zone[0] == '/' || strstr(zone, "..") != NULL)
		return false;
	const int n = snprintf(path, sizeof(path), "%s/%s",
	                       folder != NULL ? folder : "/usr/share/zoneinfo", zone);
	return n > 0 && (size_t)n < sizeof(path) && access(path, R_OK) == 0;
}

const char *zone_print(const char *time, const char *zone, char out[static ZONE_SIZE])
{
	int64_t instant;
	struct tm clock;
	const char *name = is_installed(zone) ? zone : "UTC";
	(void)snprintf(out, ZONE_SIZE, "-");
	if (!text_time(time, &instant))
		return out;
	const time_t t = (time_t)instant;
	(void)setenv("TZ", name, 1);
	tzset();
	if (localtime_r(&t, &clock) != NULL)
		(void)snprintf(out, ZONE_SIZE, "%04d-%02d-%02d %02d:%02d %s", clock.tm_year + 1900,
		               clock.tm_mon + 1, clock.tm_mday, clock.tm_hour, clock.tm_min, name);
	return out;
}
