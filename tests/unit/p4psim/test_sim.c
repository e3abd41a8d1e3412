/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/p4psim/studies.h"

#include <math.h>

static void assert_close(double is, double should, double part)
{
	if (fabs(is - should) > part * fabs(should))
		fail_msg("%.6g is not within %.3g %% of %.6g", is, 100 * part, should);
}

static struct outcome_times times(const struct study *s, size_t arm)
{
	struct outcome_times t;
	assert_int_equal(outcome_times(&s->outcomes[arm], &s->network, UINT32_MAX, &t), ERR_OK);
	return t;
}

/* ---- what can be computed by hand ---- */

/* 8 MiB over 8 Mbit/s, with 25 % on the wire beside them. */
static void one_peer_takes_as_long_as_its_line(void **state)
{
	(void)state;
	struct study s;
	load_text(&s,
	          "\"content\": {\"kib\": 8192, \"piece_kib\": 64},"
	          "\"client\": {\"overhead_percent\": 25},"
	          "\"peers\": [{\"pids\": {\"isp-a/a2\": 1},"
	          " \"access\": [{\"up_mbps\": 1, \"down_mbps\": 8}]}],"
	          "\"seeds\": [{\"pids\": {\"isp-a/a1\": 1},"
	          " \"access\": [{\"up_mbps\": 10, \"down_mbps\": 10}]}],"
	          "\"policies\": [{\"policy\": \"native\"}]",
	          NULL);
	assert_int_equal(study_run(&s), ERR_OK);
	assert_close(times(&s, 0).median, 8192 * 1024 * 8 * 1.25 / 8e6, 1e-9);
	assert_close(s.outcomes[0].pairs[1] + s.outcomes[0].pairs[2], 8192 * 1024 * 1.25, 1e-9);
	study_done(&s);
}

/*
 * Ten peers of C, whose only way out is an interconnect of 1000 Mbit/s, and a seed elsewhere. They have
 * next to nothing for each other, so that it carries ten copies.
 */
static void an_interconnect_is_never_faster_than_its_capacity(void **state)
{
	(void)state;
	struct study s;
	load_text(&s,
	          "\"content\": {\"kib\": 1024000, \"piece_kib\": 1024},"
	          "\"client\": {\"upload_slots\": 10},"
	          "\"peers\": [{\"pids\": {\"isp-c/c1\": 10},"
	          " \"access\": [{\"up_mbps\": 0.001, \"down_mbps\": 1000}]}],"
	          "\"seeds\": [{\"pids\": {\"isp-a/a1\": 1},"
	          " \"access\": [{\"up_mbps\": 100000, \"down_mbps\": 1}]}],"
	          "\"policies\": [{\"policy\": \"native\"}], \"bin_seconds\": 10",
	          NULL);
	assert_int_equal(study_run(&s), ERR_OK);
	const struct outcome_times t = times(&s, 0);
	assert_int_equal(t.n, 10);
	assert_close(t.most, 10 * 1024000.0 * 1024 * 8 / 1e9, 0.02);
	for (size_t i = 0; i < s.network.n_segments; i++)
		assert_true(outcome_load(&s.outcomes[0], i, 1, 10) <= 1e9 * (1 + 1e-9));
	study_done(&s);
}

/* 650 s are no whole number of steps of 10 / 39 s, however they are rounded. */
static void whoever_comes_after_a_pause_is_served(void **state)
{
	(void)state;
	struct study s;
	load_text(&s,
	          "\"content\": {\"kib\": 2048, \"piece_kib\": 256},"
	          "\"peers\": [{\"pids\": {\"isp-a/a2\": 1},"
	          " \"access\": [{\"up_mbps\": 8, \"down_mbps\": 8}],"
	          " \"arrive\": {\"pattern\": \"at-once\", \"after\": 650}}],"
	          "\"seeds\": [{\"pids\": {\"isp-a/a1\": 1},"
	          " \"access\": [{\"up_mbps\": 8, \"down_mbps\": 8}]}],"
	          "\"policies\": [{\"policy\": \"native\"}]",
	          NULL);
	assert_int_equal(study_run(&s), ERR_OK);
	assert_int_equal(times(&s, 0).n, 1);
	study_done(&s);
}

/* Seeds that had nobody to serve have no rounds to make up for. */
static void how_long_a_pause_was_makes_no_difference(void **state)
{
	(void)state;
	static const char members[] = "\"content\": {\"kib\": 4096, \"piece_kib\": 64},"
				      "\"peers\": [{\"pids\": {\"isp-a/a1\": 10, \"isp-b/b1\": 10},"
				      " \"access\": [{\"up_mbps\": 2, \"down_mbps\": 8}]},"
				      " {\"pids\": {\"isp-a/a2\": 10, \"isp-b/b2\": 10},"
				      " \"access\": [{\"up_mbps\": 2, \"down_mbps\": 8}],"
				      " \"arrive\": {\"pattern\": \"at-once\", \"after\": %d}}],"
				      "\"seeds\": [{\"pids\": {\"isp-a/a1\": 1},"
				      " \"access\": [{\"up_mbps\": 10, \"down_mbps\": 10}]}],"
				      "\"policies\": [{\"policy\": \"native\"}]";
	struct outcome_times t[2];
	for (int i = 0; i < 2; i++) {
		char text[sizeof(members) + 8];
		struct study s;
		(void)snprintf(text, sizeof(text), members, i == 0 ? 300 : 1500);
		load_text(&s, text, NULL);
		assert_int_equal(study_run(&s), ERR_OK);
		t[i] = times(&s, 0);
		study_done(&s);
	}
	assert_int_equal(t[0].n, 40);
	assert_int_equal(t[1].n, 40);
	assert_close(t[1].mean, t[0].mean, 1e-6);
	assert_close(t[1].median, t[0].median, 1e-6);
}

/* ---- what holds of every run ---- */

static const char busy[] =
	"\"content\": {\"kib\": 5000, \"piece_kib\": 64, \"swarms\": 5, \"zipf\": 1},"
	"\"client\": {\"overhead_percent\": 10, \"announce_seconds\": 60},"
	"\"peers\": ["
	" {\"pids\": {\"isp-a/a1\": 40, \"isp-b/b2\": 30, \"isp-c/c1\": 20},"
	"  \"access\": [{\"up_mbps\": 2, \"down_mbps\": 8, \"weight\": 3},"
	"               {\"up_mbps\": 10, \"down_mbps\": 10}],"
	"  \"arrive\": {\"pattern\": \"poisson\", \"seconds\": 100}, \"stay_seconds\": 20},"
	" {\"pids\": {\"isp-a/a2\": 30}, \"access\": [{\"up_mbps\": 1, \"down_mbps\": 8}],"
	"  \"arrive\": {\"pattern\": \"flash\", \"seconds\": 30, \"after\": 50},"
	"  \"abort_percent\": 30, \"abort_seconds\": 20}],"
	"\"seeds\": [{\"pids\": {\"isp-a/a1\": 1},"
	"  \"access\": [{\"up_mbps\": 10, \"down_mbps\": 10}]}],"
	"\"policies\": [{\"policy\": \"native\"}, {\"policy\": \"p4p\", \"numwant\": 20,"
	" \"control_percent\": 20}]";

static double sum_of(const double *numbers, size_t n)
{
	double sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += numbers[i];
	return sum;
}

static void bytes_are_neither_lost_nor_made(void **state)
{
	(void)state;
	struct study s;
	load_text(&s, busy, NULL);
	assert_int_equal(study_run(&s), ERR_OK);
	for (size_t arm = 0; arm < 2; arm++) {
		const struct outcome *o = &s.outcomes[arm];
		const struct outcome_times t = times(&s, arm);
		const double sum = sum_of(o->pairs, o->n_sites * o->n_sites);
		double tiers[TIER_COUNT_];
		outcome_tiers(o, &s.network, tiers);
		assert_close(sum_of(tiers, TIER_COUNT_), sum, 1e-12);
		assert_int_equal(t.n + t.unfinished + t.gave_up, 120);
		assert_int_equal(t.unfinished, 0);
		assert_true(t.gave_up > 0 && t.gave_up < 30);
		/* The whole of those who completed; of those who gave up at most a part for each tie. */
		assert_true(o->content >= (double)t.n * 5000 * 1024);
		assert_true(o->content < (double)(t.n + t.gave_up) * 5000 * 1024);
		assert_true(sum >= o->content * 1.1 * (1 - 1e-9));
		assert_true(sum <= (o->content + (double)t.gave_up * 100 * 65536) * 1.1);
	}
	study_done(&s);
}

static size_t segment_of(const struct study *s, const char *id)
{
	for (size_t i = 0; i < s->network.n_segments; i++)
		if (strcmp(s->network.segments[i].id, id) == 0)
			return i;
	fail_msg("no %s", id);
	return 0;
}

/* Without churn every leecher gets one copy, and what A sends to B is what B has from A. */
static void copies_and_both_ends_of_a_peering_agree(void **state)
{
	(void)state;
	struct study s;
	load_file(&s, "three-isps/swarm.json", NULL);
	assert_int_equal(study_run(&s), ERR_OK);
	const size_t ab = segment_of(&s, "a-b"), ba = segment_of(&s, "b-a");
	for (size_t arm = 0; arm < s.n_outcomes; arm++) {
		const struct outcome *o = &s.outcomes[arm];
		assert_close(o->content, 60.0 * (16 << 20), 1e-12);
		assert_close(sum_of(o->pairs, o->n_sites * o->n_sites), o->content * 1.19, 1e-9);
		assert_true(outcome_bytes(o, ab) > 1e6);
		assert_close(outcome_bytes(o, ab), outcome_bytes(o, ba + 1), 1e-12);
		assert_close(outcome_bytes(o, ab + 1), outcome_bytes(o, ba), 1e-12);
	}
	study_done(&s);
}

/* The report without its first member, which is the seed. */
static char *report_with(uint64_t seed)
{
	struct study s;
	struct text out = { 0 };
	load_text(&s, busy, &seed);
	assert_int_equal(study_run(&s), ERR_OK);
	const struct report r = study_report(&s);
	assert_int_equal(report_json(&r, &out), ERR_OK);
	study_done(&s);
	char *rest = strchr(out.bytes, ',');
	assert_non_null(rest);
	memmove(out.bytes, rest, strlen(rest) + 1);
	return out.bytes;
}

static void the_same_seed_gives_the_same_bytes_and_another_does_not(void **state)
{
	(void)state;
	char *first = report_with(5), *again = report_with(5), *other = report_with(6);
	assert_string_equal(first, again);
	assert_string_not_equal(first, other);
	free(first);
	free(again);
	free(other);
}

/* A control share of everything is no policy at all, and the people are the same. */
static void all_under_control_is_native(void **state)
{
	(void)state;
	struct study s;
	load_file(&s, "three-isps/swarm.json", NULL);
	s.scenario.n_arms = 3;
	s.scenario.arms[1] = s.scenario.arms[2];
	s.scenario.arms[1].control_percent = 100;
	s.scenario.arms[0].numwant = s.scenario.arms[1].numwant;
	assert_int_equal(study_run(&s), ERR_OK);
	const size_t pairs = s.outcomes[0].n_sites * s.outcomes[0].n_sites;
	assert_memory_equal(s.outcomes[0].pairs, s.outcomes[1].pairs, pairs * sizeof(double));
	assert_memory_not_equal(s.outcomes[0].pairs, s.outcomes[2].pairs, pairs * sizeof(double));
	study_done(&s);
}

/* Only `bridge` asks back soon, where there is no seed, as in B and C; not all clients come then. */
static void who_is_asked_back_soon_comes(void **state)
{
	(void)state;
	struct study s[2];
	const uint32_t least[] = { 30, 300 };
	for (size_t i = 0; i < 2; i++) {
		load_file(&s[i], "three-isps/swarm.json", NULL);
		s[i].scenario.n_arms = 2;
		s[i].scenario.arms[1].rules = steer_rules_usual;
		s[i].scenario.min_announce_seconds = least[i];
		assert_int_equal(study_run(&s[i]), ERR_OK);
	}
	const size_t bytes = s[0].outcomes[0].n_sites * s[0].outcomes[0].n_sites * sizeof(double);
	assert_memory_equal(s[0].outcomes[0].pairs, s[1].outcomes[0].pairs, bytes);
	assert_memory_not_equal(s[0].outcomes[1].pairs, s[1].outcomes[1].pairs, bytes);
	study_done(&s[0]);
	study_done(&s[1]);
}

/* ---- who starves ---- */

/* How long the slowest of 60 take under `bridge`, to what they take with random lists. A has a good seed. */
static double slowness(const char *seed_of_c, const char *peers)
{
	enum { SWARMS = 4 };
	double sum = 0;
	for (uint64_t seed = 1; seed <= SWARMS; seed++) {
		char members[1024];
		struct study s;
		(void)snprintf(
			members, sizeof(members),
			"\"content\": {\"kib\": 131072, \"piece_kib\": 512},"
			"\"client\": {\"upload_slots\": 8, \"min_announce_seconds\": 60},"
			"\"peers\": [{\"pids\": {\"isp-a/a1\": 20, \"isp-b/b1\": 20, \"isp-c/c1\": 20},"
			" \"access\": [{\"up_mbps\": 2, \"down_mbps\": 8}],"
			" \"arrive\": {\"pattern\": \"uniform\", \"seconds\": 10}%s}],"
			"\"seeds\": [{\"pids\": {\"isp-a/a1\": 1},"
			" \"access\": [{\"up_mbps\": 10, \"down_mbps\": 10}]}%s],"
			"\"policies\": [{\"policy\": \"native\"}, {\"policy\": \"bridge\"}]",
			peers, seed_of_c);
		load_text(&s, members, &seed);
		assert_int_equal(study_run(&s), ERR_OK);
		sum += times(&s, 1).p95 / times(&s, 0).p95;
		study_done(&s);
	}
	print_message("# %.2f\n", sum / SWARMS);
	return sum / SWARMS;
}

/* A seed at home that serves nobody is no reason to be cut off from the others. */
static void nobody_starves_beside_a_seed(void **state)
{
	(void)state;
#define SEED_OF_C(up, more)                                              \
	", {\"pids\": {\"isp-c/c1\": 1}, \"access\": [{\"up_mbps\": " up \
	", \"down_mbps\": 5}]" more "}"
	assert_true(slowness(SEED_OF_C("5", ""), "") < 1.05);
	assert_true(slowness(SEED_OF_C("0.1", ""), "") < 1.3);
	assert_true(slowness(SEED_OF_C("5", ", \"unreachable_percent\": 100"),
	                     ", \"unreachable_percent\": 60") < 1.3);
}

/* ---- against real clients ---- */

struct measured {
	const char *file;
	size_t arm;
	double copies[3], median, p95, transit, content;
};

static double transit_share(const struct study *s, const struct outcome *o)
{
	double tiers[TIER_COUNT_];
	outcome_tiers(o, &s->network, tiers);
	return tiers[TIER_TRANSIT] / sum_of(tiers, TIER_COUNT_);
}

static void compare(const struct study *s, const struct measured *real)
{
	const struct outcome *o = &s->outcomes[real->arm];
	const struct outcome_times t = times(s, real->arm);
	assert_int_equal(t.n, 60);
	assert_close(t.median, real->median, .25);
	assert_close(t.p95, real->p95, .25);
	for (uint32_t i = 0; i < 3; i++)
		assert_close(outcome_imports(o, &s->network, i) / real->content, real->copies[i],
		             .25);
	assert_close(transit_share(s, o), real->transit, .25);
}

/*
 * Swarms that were measured with 60 libtorrent clients and counters on every link, two or three times
 * each: a tracker that draws at random, asked for 50 peers and for 20; and the former at half the rates.
 */
static void a_small_swarm_is_as_it_was_measured(void **state)
{
	(void)state;
	static const struct measured rows[] = {
		{ "three-isps/swarm.json", 0, { 15.3, 17.3, 17.4 }, 79.9, 86.7, .435, 16 << 20 },
		{ "three-isps/swarm.json", 1, { 14.0, 16.6, 16.3 }, 75.7, 80.6, .436, 16 << 20 },
		{ "three-isps/half.json", 0, { 16.9, 19.3, 19.3 }, 93.8, 101.1, .434, 8 << 20 },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (uint64_t seed = 1; seed <= 3; seed++) {
			struct study s;
			load_file(&s, rows[i].file, &seed);
			assert_int_equal(study_run(&s), ERR_OK);
			compare(&s, &rows[i]);
			study_done(&s);
		}
}

/* What a steered swarm came to. */
struct steered {
	double transit, copies; /* its share of bytes; into B or C, whichever has more */
	double median, p95;     /* of those of random lists */
};

static struct steered steer(const struct study *s, size_t arm)
{
	const struct outcome *o = &s->outcomes[arm];
	const struct outcome_times t = times(s, arm), random = times(s, 0);
	const double b = outcome_imports(o, &s->network, 1);
	const double c = outcome_imports(o, &s->network, 2);
	assert_int_equal(t.n, 60);
	return (struct steered){ .transit = transit_share(s, o),
		                 .copies = (b > c ? b : c) / (double)s->scenario.content_bytes,
		                 .median = t.median / random.median,
		                 .p95 = t.p95 / random.p95 };
}

/*
 * The same under `bridge`, beside opentracker in one campaign: means of three runs at each rate, of single
 * swarms whose copies differ by a fifth. So the simulator's are means of a dozen.
 */
static void a_steered_swarm_is_as_it_was_measured(void **state)
{
	(void)state;
	enum { SEEDS = 12 };
	static const struct {
		const char *file;
		size_t arm;
		struct steered real;
	} rows[] = {
		{ "three-isps/swarm.json", 3, { .042, 2.70, .992, .979 } },
		{ "three-isps/half.json", 1, { .041, 2.87, .922, .919 } },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct steered sum = { 0 };
		for (uint64_t seed = 1; seed <= SEEDS; seed++) {
			struct study s;
			load_file(&s, rows[i].file, &seed);
			assert_int_equal(s.scenario.arms[rows[i].arm].rules.policy, STEER_BRIDGE);
			assert_int_equal(study_run(&s), ERR_OK);
			const struct steered one = steer(&s, rows[i].arm);
			sum.transit += one.transit;
			sum.copies += one.copies;
			sum.median += one.median;
			sum.p95 += one.p95;
			study_done(&s);
		}
		assert_close(sum.transit / SEEDS, rows[i].real.transit, .25);
		assert_close(sum.copies / SEEDS, rows[i].real.copies, .25);
		assert_close(sum.median / SEEDS, rows[i].real.median, .20);
		assert_close(sum.p95 / SEEDS, rows[i].real.p95, .20);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(one_peer_takes_as_long_as_its_line),
	cmocka_unit_test(an_interconnect_is_never_faster_than_its_capacity),
	cmocka_unit_test(whoever_comes_after_a_pause_is_served),
	cmocka_unit_test(how_long_a_pause_was_makes_no_difference),
	cmocka_unit_test(bytes_are_neither_lost_nor_made),
	cmocka_unit_test(copies_and_both_ends_of_a_peering_agree),
	cmocka_unit_test(the_same_seed_gives_the_same_bytes_and_another_does_not),
	cmocka_unit_test(all_under_control_is_native),
	cmocka_unit_test(who_is_asked_back_soon_comes),
	cmocka_unit_test(nobody_starves_beside_a_seed),
	cmocka_unit_test(a_small_swarm_is_as_it_was_measured),
	cmocka_unit_test(a_steered_swarm_is_as_it_was_measured),
};

RUN_TESTS(tests)
