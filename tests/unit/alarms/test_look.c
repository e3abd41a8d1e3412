/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/store/opened.h"

#include "server/alarms/look.h"

#include <string.h>

enum { BIN = 300 };
static const int64_t NOVEMBER = 1793491200; /* 2026, UTC: a day begins */

static void put(enum store_source source, const char *interconnect, int64_t start, uint64_t out,
                uint64_t in)
{
	struct store_bin b = { .provider = "isp-a",
		               .start = start,
		               .seconds = BIN,
		               .observed_seconds = BIN,
		               .out_bytes = out,
		               .in_bytes = in };
	(void)snprintf(b.interconnect, sizeof(b.interconnect), "%s", interconnect);
	assert_int_equal(store_bins(s, "n", source, &b, 1), ERR_OK);
}

static void in_force(const char *relation, unsigned limit)
{
	char sql[256];
	(void)snprintf(sql, sizeof(sql),
	               "UPDATE interconnects SET in_force = true, relation = '%s', "
	               "capacity_mbps = 10, ratio_limit_milli = %u",
	               relation, limit);
	assert_string_equal(db_state_of(sql), "");
}

static struct sights seen;

static void look(int64_t at)
{
	const struct look_options o = { .store = s, .bin_seconds = BIN, .ratio_limit_milli = 2000 };
	sights_done(&seen);
	assert_int_equal(look_around(&o, at, &seen), ERR_OK);
}

static const struct sight *saw(enum rule_id rule, const char *subject)
{
	for (size_t i = 0; i < seen.n; i++)
		if (seen.list[i].rule == rule && strcmp(seen.list[i].subject, subject) == 0)
			return &seen.list[i];
	return NULL;
}

static void assert_near(const struct sight *s1, double want)
{
	if (s1 == NULL)
		fail_msg("nothing was seen of it");
	else if (s1->value < want - 1e-9 || s1->value > want + 1e-9)
		fail_msg("%.12g, not %.12g", s1->value, want);
}

static int close_look(void **state)
{
	sights_done(&seen);
	return close_store(state);
}

static void a_ratio_is_a_part_of_its_limit(void **state)
{
	(void)state;
	put(STORE_COUNTER, "x", NOVEMBER, 100, 300);
	put(STORE_COUNTER, "y", NOVEMBER, 0, 300);
	put(STORE_COUNTER, "z", NOVEMBER, 0, 0);
	in_force("settlement-free", 0);
	look(NOVEMBER + BIN);
	assert_near(saw(RULE_RATIO_WARN, "x"), 150); /* 3:1 of 2:1 */
	assert_near(saw(RULE_RATIO_BREACH, "x"), 150);
	assert_near(saw(RULE_RATIO_WARN, "y"), 1e6); /* all one way */
	assert_null(saw(RULE_RATIO_WARN, "z"));
	assert_non_null(strstr(saw(RULE_RATIO_WARN, "x")->text, "in to out is 3.000 to 1"));
	in_force("transit", 0);
	look(NOVEMBER + BIN);
	assert_null(saw(RULE_RATIO_WARN, "x"));
	assert_true(seen.looked[RULE_RATIO_WARN] && seen.looked[RULE_RATIO_BREACH]);
	in_force("transit", 4000);
	look(NOVEMBER + BIN);
	assert_near(saw(RULE_RATIO_WARN, "x"), 75);
	look(NOVEMBER + 290L * BIN); /* a day later it is history */
	assert_null(saw(RULE_RATIO_WARN, "x"));
}

static void a_port_is_as_full_as_the_mean_of_an_hour(void **state)
{
	(void)state;
	for (int64_t i = 0; i < 12; i++) /* 8 of 10 Mb/s in every second bin */
		put(STORE_FLOW, "x", NOVEMBER + i * BIN, i % 2 == 0 ? 0 : 1000000 * BIN, 5);
	in_force("transit", 0);
	look(NOVEMBER + 12L * BIN);
	assert_near(saw(RULE_UTILISATION, "x"), 40);
	assert_near(saw(RULE_DISCONTINUITY, "x"), 0);
	assert_non_null(strstr(saw(RULE_UTILISATION, "x")->text, "4.0 of 10 Mb/s out"));
}

static void the_fuller_source_is_believed(void **state)
{
	(void)state;
	for (int64_t i = 0; i < 12; i++)
		put(STORE_COUNTER, "x", NOVEMBER + i * BIN, 1000000 * BIN, 5);
	put(STORE_FLOW, "x", NOVEMBER + 11L * BIN, 5, 5); /* a new exporter's first bin */
	in_force("transit", 0);
	look(NOVEMBER + 12L * BIN);
	assert_near(saw(RULE_UTILISATION, "x"), 80);
	for (int64_t i = 0; i < 12; i++) /* of as many bins flows are it */
		put(STORE_FLOW, "x", NOVEMBER + i * BIN, 500000 * BIN, 5);
	look(NOVEMBER + 12L * BIN);
	assert_near(saw(RULE_UTILISATION, "x"), 40);
}

static void whole_bins_since_the_newest_are_missing(void **state)
{
	(void)state;
	put(STORE_COUNTER, "x", NOVEMBER, 1, 1);
	put(STORE_FLOW, "x", NOVEMBER + 2L * BIN, 1, 1);
	put(STORE_ANNOUNCE, "y", NOVEMBER, 1, 1);
	in_force("transit", 0);
	look(NOVEMBER + 4L * BIN);
	assert_near(saw(RULE_SILENCE, "x counters"), 3);
	assert_near(saw(RULE_SILENCE, "x flows"), 1);
	look(NOVEMBER + 3L * BIN);
	assert_near(saw(RULE_SILENCE, "x flows"), 0);
	for (size_t i = 0; i < seen.n; i++) /* announces measure nothing */
		assert_false(seen.list[i].rule == RULE_SILENCE && seen.list[i].subject[0] == 'y');
}

static void bytes_from_nowhere_are_a_share(void **state)
{
	(void)state;
	const struct store_steering row = { .provider = "isp-a",
		                            .policy = "bridge",
		                            .bytes = { 60, 0, 0, 0, 0, 20 } };
	const struct store_steering none = { .provider = "isp-b", .policy = "bridge" };
	const struct store_steering both[] = { row, none };
	const struct store_steering_bin bin = {
		.start = NOVEMBER, .seconds = BIN, .rows = both, .n = 2
	};
	assert_int_equal(store_steering_put(s, "n", &bin), ERR_OK);
	look(NOVEMBER + BIN);
	assert_near(saw(RULE_UNKNOWN_BYTES, ""), 25);
	assert_int_equal(seen.n, 1);
}

/* Ten groups in each arm, of which those that are steered have `outside` of 100 bytes from transit. */
static void experiment(uint64_t outside)
{
	struct store_steering rows[20] = { { .provider = "" } };
	for (size_t i = 0; i < 20; i++) {
		struct store_steering *r = &rows[i];
		const uint64_t from = i < 10 ? outside : 50;
		(void)snprintf(r->provider, sizeof(r->provider), "isp-a");
		(void)snprintf(r->policy, sizeof(r->policy), "bridge");
		r->flagged = true;
		r->control = i >= 10;
		r->group = (uint8_t)(i % 10);
		r->bytes[0] = 100 - from;
		r->bytes[4] = from;
	}
	const struct store_steering_bin bin = {
		.start = NOVEMBER - BIN, .seconds = BIN, .rows = rows, .n = 20
	};
	assert_int_equal(store_steering_put(s, "n", &bin), ERR_OK);
}

static void what_steering_saves_is_below_nothing(void **state)
{
	(void)state;
	experiment(20);
	look(NOVEMBER);
	assert_near(saw(RULE_STEERING, "bridge"), -30);
	experiment(50);
	look(NOVEMBER);
	assert_near(saw(RULE_STEERING, "bridge"), 0);
	look(NOVEMBER + BIN); /* only once a day */
	assert_false(seen.looked[RULE_STEERING]);
	assert_null(saw(RULE_STEERING, "bridge"));
}

static void a_map_grows_old(void **state)
{
	(void)state;
	char created[32];
	const struct store_upload u = { .provider = "isp-a",
		                        .kind = STORE_TOPOLOGY,
		                        .body = "{}",
		                        .size = 2,
		                        .sha256 = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e83"
		                                  "10c060f61caaff8a",
		                        .author = "ann" };
	uint64_t version;
	assert_int_equal(store_upload(s, &u, &version), ERR_OK);
	db_ask("SELECT extract(epoch FROM created)::bigint FROM map_versions", created,
	       sizeof(created));
	look(strtoll(created, NULL, 10) + 10L * 86400);
	assert_near(saw(RULE_MAP_AGE, ""), 10);
	assert_string_equal(saw(RULE_MAP_AGE, "")->provider, "isp-a");
}

static void every_rule_of_providers_has_its_turn(void **state)
{
	(void)state;
	look(NOVEMBER); /* where a day begins even the rarest looks */
	for (unsigned i = 0; i < RULES; i++)
		if (seen.looked[i] == rule_of((enum rule_id)i)->own)
			fail_msg("%s", rule_of((enum rule_id)i)->name);
}

#undef TEST
#define TEST(f) cmocka_unit_test_setup_teardown(f, open_store, close_look)

static const struct CMUnitTest tests[] = {
	TEST(a_ratio_is_a_part_of_its_limit),
	TEST(a_port_is_as_full_as_the_mean_of_an_hour),
	TEST(the_fuller_source_is_believed),
	TEST(whole_bins_since_the_newest_are_missing),
	TEST(bytes_from_nowhere_are_a_share),
	TEST(what_steering_saves_is_below_nothing),
	TEST(a_map_grows_old),
	TEST(every_rule_of_providers_has_its_turn),
};

RUN_TESTS(tests)
