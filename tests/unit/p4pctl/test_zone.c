/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "tools/p4pctl/zone.h"

#include <unistd.h>

static void an_instant_is_shown_by_the_clock_of_its_zone(void **state)
{
	(void)state;
	static const struct {
		const char *time, *zone, *shown;
	} rows[] = {
		{ "2026-10-31T23:00:00Z", "Europe/Berlin", "2026-11-01 00:00 Europe/Berlin" },
		{ "2026-06-30T22:00:00Z", "Europe/Berlin", "2026-07-01 00:00 Europe/Berlin" },
		{ "2026-09-30T18:30:00Z", "Asia/Kolkata", "2026-10-01 00:00 Asia/Kolkata" },
		{ "2026-10-01T12:00:00Z", "Etc/GMT+12", "2026-10-01 00:00 Etc/GMT+12" },
		{ "2026-10-01T00:00:00Z", "UTC", "2026-10-01 00:00 UTC" },
		{ "2026-10-01T00:00:00Z", "", "2026-10-01 00:00 UTC" },
		{ "2026-10-01T00:00:00Z", "Europe/Berlin2", "2026-10-01 00:00 UTC" },
		{ "2026-10-01T00:00:00Z", "../zoneinfo/Europe/Berlin", "2026-10-01 00:00 UTC" },
		{ "", "Europe/Berlin", "-" },
	};
	char out[ZONE_SIZE];
	if (access("/usr/share/zoneinfo/Europe/Berlin", R_OK) != 0)
		skip(); /* no tzdata */
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(zone_print(rows[i].time, rows[i].zone, out), rows[i].shown);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_instant_is_shown_by_the_clock_of_its_zone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
