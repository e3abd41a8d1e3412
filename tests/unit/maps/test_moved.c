/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/base/text.h"
#include "server/maps/moved.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* "a 10.0.0.0/8 10.2.0.0/16; b 2001:db8::/32": PIDs with their prefixes. */
static struct map_topology *topology(const char *words, struct arena *arena)
{
	struct text json = { 0 };
	struct faults *faults = faults_new();
	struct map_topology *t = NULL;
	char copy[512], *pids = copy, *pid, *word;
	(void)snprintf(copy, sizeof(copy), "%s", words);
	text_put(&json, "{\"format\":\"p4p-topology/1\",\"provider\":\"p\",\"asns\":[64501],"
	                "\"pids\":[");
	for (bool first = true; (pid = strsep(&pids, ";")) != NULL; first = false) {
		pid += strspn(pid, " ");
		text_printf(&json, "%s{\"pid\":\"%s\",\"prefixes\":[", first ? "" : ",",
		            strsep(&pid, " "));
		for (bool one = true; (word = strsep(&pid, " ")) != NULL; one = false)
			text_printf(&json, "%s\"%s\"", one ? "" : ",", word);
		text_put(&json, "]}");
	}
	text_put(&json, "]}");
	assert_int_equal(map_topology_parse(json.bytes, json.size, arena, &t, faults), ERR_OK);
	text_done(&json);
	faults_free(faults);
	return t;
}

static double moved(const char *old, const char *now)
{
	struct arena *arena = arena_new(65536);
	double percent = -1;
	assert_int_equal(maps_moved(old != NULL ? topology(old, arena) : NULL, topology(now, arena),
	                            &percent),
	                 ERR_OK);
	arena_free(arena);
	return percent;
}

static void what_stays_in_its_pid_has_not_moved(void **state)
{
	(void)state;
	static const char *const same[][2] = {
		{ "a 10.0.0.0/8; b 2001:db8::/32", "b 2001:db8::/32; a 10.0.0.0/8" },
		{ "a 10.0.0.0/9 10.128.0.0/9", "a 10.0.0.0/8" }, /* merged, and split again */
		{ "a 10.0.0.0/8", "a 10.0.0.0/9 10.128.0.0/9" },
		{ "a 10.0.0.0/8", "a 10.0.0.0/8 10.2.0.0/16" }, /* the same, said twice */
		{ "a 10.0.0.0/8", "a 10.0.0.0/8 11.0.0.0/8" },  /* new space was in no PID */
	};
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
		assert_true(fabs(moved(same[i][0], same[i][1])) < 1e-9);
}

static void what_changes_its_pid_or_loses_it_has(void **state)
{
	(void)state;
	static const struct {
		const char *old, *now;
		double percent;
	} rows[] = {
		{ "a 10.0.0.0/8; b 11.0.0.0/8", "b 10.0.0.0/8 11.0.0.0/8", 50 },
		{ "a 10.0.0.0/8; b 11.0.0.0/8", "a 10.0.0.0/8; b", 50 },
		{ "a 10.0.0.0/8 11.0.0.0/8", "a 10.0.0.0/8", 50 },
		{ "a 10.0.0.0/8", "a 10.0.0.0/9; b 10.128.0.0/9", 50 }, /* carved out */
		{ "a 10.0.0.0/8", "a 10.0.0.0/8; b 10.2.0.0/16", 50 },
		{ "a 10.0.0.0/8; b 10.2.0.0/16 10.3.0.0/16 10.4.0.0/16", "a 10.0.0.0/8", 75 },
		{ "a 10.0.0.0/8; b 10.0.0.0/16", "a 10.0.0.0/8", 100 }, /* one first address */
		{ "a 2001:db8::/32; b 10.0.0.0/8", "b 2001:db8::/32 10.0.0.0/8", 50 },
		{ "a 0.0.0.0/0", "b ::/0", 100 }, /* families are apart */
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_true(fabs(moved(rows[i].old, rows[i].now) - rows[i].percent) < 1e-9);
}

static void of_nothing_before_nothing_is_known(void **state)
{
	(void)state;
	assert_true(isnan(moved(NULL, "a 10.0.0.0/8")));
	assert_true(isnan(moved("a", "a 10.0.0.0/8")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_stays_in_its_pid_has_not_moved),
		cmocka_unit_test(what_changes_its_pid_or_loses_it_has),
		cmocka_unit_test(of_nothing_before_nothing_is_known),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
