/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "server/maps/watch.h"

#include <string.h>

/* Watched from 1000 to 2800. */
static const struct store_map_watch change = { .begun = 1000, .until = 2800, .points = 5 };

/* What is seen at each second, until the verdict. */
struct step {
	struct watch_sight sight;
	enum watch_verdict verdict;
	const char *why;
};

static void play(const struct store_map_watch *watch, const struct step *steps, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char why[STORE_REASON] = "";
		assert_int_equal(watch_judge(watch, &steps[i].sight, why), steps[i].verdict);
		assert_non_null(strstr(why, steps[i].why));
	}
}
#define PLAY(watch, steps) play((watch), (steps), sizeof(steps) / sizeof((steps)[0]))

static void a_quiet_change_passes_at_its_end(void **state)
{
	(void)state;
	static const struct step steps[] = {
		{ { .now = 1005, .peers = 100 }, WATCH_GOES_ON, "" },
		{ { .now = 2000, .peers = 50 }, WATCH_GOES_ON, "" }, /* who leaves is not lost */
		{ { .now = 2700, .peers = 100, .lost = 5 }, WATCH_GOES_ON, "" }, /* 5 are no more */
		{ { .now = 2799, .peers = 100, .lost = 5 }, WATCH_GOES_ON, "" },
		{ { .now = 2800, .peers = 100, .lost = 5 }, WATCH_PASSED, "" },
	};
	PLAY(&change, steps);
}

static void lost_peers_are_a_breach_to_the_last_second(void **state)
{
	(void)state;
	static const struct step steps[] = {
		{ { .now = 1005, .peers = 100 }, WATCH_GOES_ON, "" },
		{ { .now = 1010, .peers = 100, .lost = 6 }, WATCH_BREACHED, "6.0 percent of the" },
		{ { .now = 2800, .peers = 90, .lost = 90 },
		  WATCH_BREACHED,
		  "(90 of 90), more than 5" },
	};
	PLAY(&change, steps);
}

static void few_peers_prove_nothing(void **state)
{
	(void)state;
	static const struct step steps[] = {
		{ { .now = 1005 }, WATCH_GOES_ON, "" },
		{ { .now = 1010, .peers = WATCH_PEERS - 1, .lost = WATCH_PEERS - 1 },
		  WATCH_GOES_ON,
		  "" },
		{ { .now = 1015, .peers = WATCH_PEERS, .lost = WATCH_PEERS },
		  WATCH_BREACHED,
		  "100.0" },
	};
	PLAY(&change, steps);
}

static void failing_announces_are_a_breach(void **state)
{
	(void)state;
	static const struct step steps[] = {
		{ { .now = 1005, .before = { 1000, 20 }, .since = { 1000, 70 } },
		  WATCH_GOES_ON, /* 5 points are no more */
		  "" },
		{ { .now = 1010, .before = { 1000, 20 }, .since = { 1000, 71 } },
		  WATCH_BREACHED,
		  "rose from 2.0 to 7.1 percent" },
		{ { .now = 1015, .before = { 1000, 700 }, .since = { 1000, 700 } }, /* as ever */
		  WATCH_GOES_ON,
		  "" },
		{ { .now = 1020, .before = { WATCH_ANNOUNCES - 1, 0 }, .since = { 1000, 1000 } },
		  WATCH_GOES_ON, /* nobody knows how it was */
		  "" },
		{ { .now = 1025, .before = { 1000, 0 }, .since = { WATCH_ANNOUNCES - 1, 100 } },
		  WATCH_GOES_ON,
		  "" },
	};
	PLAY(&change, steps);
}

static void an_alarm_is_a_breach(void **state)
{
	(void)state;
	static const struct step steps[] = {
		{ { .now = 1005, .alarm = "ratio-warn of a-b-1" },
		  WATCH_BREACHED,
		  "ratio-warn of a-b-1" },
	};
	PLAY(&change, steps);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_quiet_change_passes_at_its_end),
		cmocka_unit_test(lost_peers_are_a_breach_to_the_last_second),
		cmocka_unit_test(few_peers_prove_nothing),
		cmocka_unit_test(failing_announces_are_a_breach),
		cmocka_unit_test(an_alarm_is_a_breach),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
