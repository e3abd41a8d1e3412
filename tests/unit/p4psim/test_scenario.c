/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/p4psim/studies.h"

#include <math.h>

#define CONTENT  "\"content\": {\"kib\": 1000}"
#define ACCESS   "\"access\": [{\"up_mbps\": 1, \"down_mbps\": 8}]"
#define PEERS    "\"peers\": [{\"pids\": {\"isp-a/a1\": 5}, " ACCESS "}]"
#define SEEDS    "\"seeds\": [{\"pids\": {\"isp-b/b1\": 1}, " ACCESS "}]"
#define POLICIES "\"policies\": [{\"policy\": \"p4p\"}]"

static void what_is_left_out_has_its_default(void **state)
{
	(void)state;
	struct study s;
	load_text(&s, CONTENT "," PEERS "," SEEDS "," POLICIES, NULL);
	assert_int_equal(scenario_pieces(&s.scenario), 4);
	assert_int_equal(s.scenario.min_announce_seconds, 30);
	assert_int_equal(s.scenario.arms[0].rules.policy, STEER_P4P);
	assert_int_equal(s.scenario.arms[0].rules.intra_provider_percent, 80);
	assert_string_equal(s.scenario.arms[0].name, "p4p");
	assert_int_equal(s.scenario.arms[0].prices, PRICES_STATIC);
	assert_int_equal(s.scenario.ratio_limit_milli, 2000);
	assert_int_equal(s.population.n, 6);
	assert_int_equal(s.population.n_seeds, 1);
	assert_true(s.population.people[0].seed);
	study_done(&s);
}

static void every_fault_names_its_place(void **state)
{
	(void)state;
	static const struct {
		const char *members, *where, *text; /* of the first fault; how its text begins */
	} rows[] = {
		{ PEERS "," SEEDS "," POLICIES, "", "'content' is missing" },
		{ "\"content\": {\"kib\": 0}," PEERS "," SEEDS "," POLICIES, "/content/kib",
		  "must be a whole number from 1" },
		{ "\"content\": {\"kib\": 10000000, \"piece_kib\": 16}," PEERS "," SEEDS
		  "," POLICIES,
		  "/content/kib", "must be at most 65535 pieces" },
		{ "\"content\": {\"kib\": 1, \"zipf\": 9}," PEERS "," SEEDS "," POLICIES,
		  "/content/zipf", "must be a number from 0 to 5" },
		{ "\"contents\": {\"kib\": 1}," PEERS "," SEEDS "," POLICIES, "/contents",
		  "unknown key 'contents'; did you mean 'content'?" },
		{ CONTENT ",\"client\": {\"min_announce_seconds\": 0}," PEERS "," SEEDS
		          "," POLICIES,
		  "/client/min_announce_seconds", "must be a whole number from 1" },
		{ CONTENT "," PEERS "," SEEDS ",\"policies\": [{\"policy\": \"nearest\"}]",
		  "/policies/0/policy", "must be \"native\"" },
		{ CONTENT "," PEERS "," SEEDS ",\"policies\": [{\"policy\": \"p4p\","
		          "\"intra_pid_percent\": 90}]",
		  "/policies/0/intra_provider_percent",
		  "must be at least 'intra_pid_percent', 90" },
		{ CONTENT "," PEERS "," SEEDS ",\"policies\": [{\"policy\": \"p4p\","
		          "\"prices\": \"lively\"}]",
		  "/policies/0/prices", "must be \"static\"" },
		{ CONTENT "," PEERS "," SEEDS "," POLICIES ",\"ratio_limit\": 0.5", "/ratio_limit",
		  "must be a number from 1 to 1000" },
		{ CONTENT ",\"peers\": [{\"pids\": {\"isp-a/a9\": 5}, " ACCESS "}]," SEEDS
		          "," POLICIES,
		  "/peers/0/pids/isp-a~1a9", "no topology has it" },
		{ CONTENT ",\"peers\": [{\"pids\": {\"isp-a/a1\": 5}}]," SEEDS "," POLICIES,
		  "/peers/0/pids/isp-a~1a1", "needs 'access' in its group" },
		{ CONTENT "," PEERS ",\"seeds\": [{\"pids\": {\"isp-q/q\": 1}, " ACCESS
		          "}]," POLICIES,
		  "/seeds/0/pids/isp-q~1q", "no topology has it" },
		{ CONTENT ",\"peers\": [{\"pids\": {}, " ACCESS "}]," SEEDS "," POLICIES,
		  "/peers/0/pids", "must have 1 to" },
		{ CONTENT ",\"peers\": [{\"pids\": {\"isp-a/a1\": 5}, " ACCESS
		          ", \"arrive\": {\"pattern\": \"flash\"}}]," SEEDS "," POLICIES,
		  "/peers/0/arrive", "'seconds' is missing" },
		{ CONTENT ",\"peers\": [{\"pids\": {\"isp-a/a1\": 5}, " ACCESS
		          ", \"unreachable_percent\": 101}]," SEEDS "," POLICIES,
		  "/peers/0/unreachable_percent", "must be a whole number from 0 to 100" },
		{ CONTENT "," PEERS "," SEEDS "," POLICIES ",\"costs\": [\"/nowhere.json\"]",
		  "/nowhere.json", "cannot be read: No such file" },
		{ CONTENT "," PEERS "," SEEDS "," POLICIES ",\"costs\": [7]", "/costs/0",
		  "must be the name of a file" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct study s;
		struct faults *faults = faults_new();
		assert_int_not_equal(try_text(&s, rows[i].members, NULL, faults), ERR_OK);
		assert_true(faults->count > 0);
		if (strcmp(faults->list[0].where, rows[i].where) != 0 ||
		    strncmp(faults->list[0].text, rows[i].text, strlen(rows[i].text)) != 0)
			fail_msg("row %zu: %s", i, print_faults(faults));
		faults_free(faults);
	}
}

/* The same who come, whatever the policies; others with another seed. */
static void people_hang_on_the_seed(void **state)
{
	(void)state;
	static const char members[] = CONTENT
		",\"peers\": [{\"pids\": {\"isp-a/a1\": 50, \"isp-c/c1\": 50}, " ACCESS
		", \"arrive\": {\"pattern\": \"flash\", \"seconds\": 100}}]," SEEDS "," POLICIES;
	const uint64_t seeds[] = { 7, 7, 8 };
	struct study s[3];
	for (size_t i = 0; i < 3; i++)
		load_text(&s[i], members, &seeds[i]);
	size_t others = 0;
	double sum = 0;
	for (size_t i = 0; i < s[0].population.n; i++) {
		const struct person *a = &s[0].population.people[i],
				    *b = &s[1].population.people[i];
		assert_int_equal(a->site, b->site);
		assert_true(a->arrives <= b->arrives && a->arrives >= b->arrives);
		others += fabs(a->arrives - s[2].population.people[i].arrives) > 1e-6;
		sum += a->arrives;
	}
	assert_true(sum > 6000 && sum < 14000); /* 100 peers, each 100 s on average; 4 deviations */
	assert_true(others > 90);
	for (size_t i = 0; i < 3; i++)
		study_done(&s[i]);
}

/* A share of its group. */
static void some_cannot_be_reached(void **state)
{
	(void)state;
#define CROWD(more)                                                                      \
	CONTENT ",\"peers\": [{\"pids\": {\"isp-a/a1\": 1000}, " ACCESS more "}]," SEEDS \
		"," POLICIES
	static const char *const crowds[] = { CROWD(""), CROWD(", \"unreachable_percent\": 0"),
		                              CROWD(", \"unreachable_percent\": 30") };
	unsigned n[3] = { 0 };
	for (size_t i = 0; i < 3; i++) {
		struct study s;
		load_text(&s, crowds[i], NULL);
		for (size_t k = 0; k < s.population.n; k++)
			n[i] += s.population.people[k].unreachable;
		study_done(&s);
	}
	assert_int_equal(n[0], 0);
	assert_int_equal(n[1], 0);
	assert_in_range(n[2], 242, 358); /* 4 deviations */
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(what_is_left_out_has_its_default),
	cmocka_unit_test(every_fault_names_its_place),
	cmocka_unit_test(people_hang_on_the_seed),
	cmocka_unit_test(some_cannot_be_reached),
};

RUN_TESTS(tests)
