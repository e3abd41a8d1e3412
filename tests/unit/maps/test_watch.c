/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "server/maps/watch.h"

#include <string.h>

/* Watched from 1000 to 2800; of 100 peers 10 were nobody's. */
static const struct store_map_watch change = { .begun = 1000,
	                                       .until = 2800,
	                                       .points = 5,
	                                       .counted = true,
	                                       .own_peers = 90,
	                                       .nobodys_peers = 10 };

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
		{ { 1005, true, 90, 10, NULL }, WATCH_GOES_ON, "" },
		{ { 2000, true, 50, 5, NULL }, WATCH_GOES_ON, "" },  /* fewer of both */
		{ { 2700, true, 85, 15, NULL }, WATCH_GOES_ON, "" }, /* 5 points are none more */
		{ { 2799, true, 85, 15, NULL }, WATCH_GOES_ON, "" },
		{ { 2800, true, 85, 15, NULL }, WATCH_PASSED, "" },
	};
	PLAY(&change, steps);
}

static void lost_peers_are_a_breach_to_the_last_second(void **state)
{
	(void)state;
	static const struct step steps[] = {
		{ { 1005, true, 90, 10, NULL }, WATCH_GOES_ON, "" },
		{ { 1010, true, 84, 16, NULL }, WATCH_BREACHED, "rose from 10.0 to 16.0 percent" },
		{ { 2800, true, 0, 100, NULL }, WATCH_BREACHED, "more than 5 points" },
	};
	PLAY(&change, steps);
}

static void strangers_who_come_are_no_lost_peers(void **state)
{
	(void)state;
	static const struct step steps[] = {
		{ { 1005, true, 90, 100, NULL }, WATCH_GOES_ON, "" }, /* a swarm of others' */
		{ { 1010, true, 95, 100, NULL }, WATCH_GOES_ON, "" },
		{ { 1015, true, 60, 100, NULL }, WATCH_BREACHED, "rose from 10.0 to" },
	};
	PLAY(&change, steps);
}

static void few_or_uncounted_peers_prove_nothing(void **state)
{
	(void)state;
	static const struct step steps[] = {
		{ { 1005, false, 0, 0, NULL }, WATCH_GOES_ON, "" },
		{ { 1010, true, 0, WATCH_PEERS - 1, NULL }, WATCH_GOES_ON, "" },
		{ { 1015, true, 0, WATCH_PEERS, NULL }, WATCH_BREACHED, "100.0" },
	};
	PLAY(&change, steps);
	struct store_map_watch few = change;
	few.own_peers = WATCH_PEERS - 1;
	few.nobodys_peers = 0;
	static const struct step unknown[] = { { { 1005, true, 0, 50, NULL }, WATCH_GOES_ON, "" } };
	PLAY(&few, unknown);
	few.counted = false;
	PLAY(&few, unknown);
}

static void an_alarm_is_a_breach(void **state)
{
	(void)state;
	static const struct step steps[] = {
		{ { 1005, false, 0, 0, "ratio-warn of a-b-1" },
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
		cmocka_unit_test(strangers_who_come_are_no_lost_peers),
		cmocka_unit_test(few_or_uncounted_peers_prove_nothing),
		cmocka_unit_test(an_alarm_is_a_breach),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
