/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/p4psim/studies.h"

#include "tools/p4psim/pricing.h"

/* Of tests/sim/lopsided. */
enum { NATIVE, P4P, BRIDGE_STATIC, BRIDGE_LIVE, ARMS };

struct figures {
	double ratio;   /* of isp-a/a-b */
	double transit; /* share of the bytes */
	double mean;    /* completion */
	size_t n;
};

static size_t segment_of(const struct network *n, const char *provider, const char *id)
{
	for (size_t i = n->first_interconnect; i < n->n_segments; i += 2)
		if (strcmp(n->segments[i].provider, provider) == 0 &&
		    strcmp(n->segments[i].id, id) == 0)
			return i;
	fail_msg("there is no %s/%s", provider, id);
	return 0;
}

static struct figures figures_of(const struct study *s, size_t arm)
{
	const struct outcome *o = &s->outcomes[arm];
	const size_t a_b = segment_of(&s->network, "isp-a", "a-b");
	struct outcome_times t;
	double tiers[TIER_COUNT_], sum = 0;
	outcome_tiers(o, &s->network, tiers);
	for (unsigned i = 0; i < TIER_COUNT_; i++)
		sum += tiers[i];
	assert_int_equal(outcome_times(o, &s->network, UINT32_MAX, &t), ERR_OK);
	return (struct figures){ .ratio = outcome_bytes(o, a_b) / outcome_bytes(o, a_b + 1),
		                 .transit = tiers[TIER_TRANSIT] / sum,
		                 .mean = t.mean,
		                 .n = t.n };
}

static void report(const struct study *s, struct figures f[static ARMS])
{
	for (size_t i = 0; i < s->scenario.n_arms; i++) {
		f[i] = figures_of(s, i);
		print_message("# %s: ratio %.3f, transit %.3f, mean %.1f s of %zu\n",
		              s->scenario.arms[i].name, f[i].ratio, f[i].transit, f[i].mean,
		              f[i].n);
	}
}

/* Feasible: native lists, which do not care, show that B's peers can give back more than half. */
static void a_lopsided_interconnect_ends_inside_its_limit(void **state)
{
	(void)state;
	static struct study s;
	struct figures f[ARMS];
	load_file(&s, "lopsided/lopsided.json", NULL);
	assert_int_equal(s.scenario.n_arms, ARMS);
	assert_int_equal(study_run(&s), ERR_OK);
	report(&s, f);
	assert_true(f[P4P].ratio > 2 && f[BRIDGE_STATIC].ratio > 2);
	assert_true(f[BRIDGE_LIVE].ratio < 2);
	assert_true(f[BRIDGE_LIVE].transit <= f[P4P].transit);
	assert_true(f[BRIDGE_LIVE].mean <= 1.05 * f[NATIVE].mean);
	assert_true((double)f[BRIDGE_LIVE].n >= .98 * (double)f[NATIVE].n);
	study_done(&s);
}

/* The scenario with A and B exchanged, in a file of its own. */
static void load_mirrored(struct study *s)
{
	static char text[16384], members[16384];
	char path[512];
	source_path("lopsided/lopsided.json", path);
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	(void)fclose(f);
	char *from = strstr(text, "\"content\"");
	assert_non_null(from);
	for (char *at = from; (at = strstr(at, "isp-")) != NULL; at += 6) {
		const char other = at[4] == 'a' ? 'b' : at[4] == 'b' ? 'a' : at[4];
		at[4] = at[6] = other; /* isp-a/a1 */
	}
	*strrchr(from, '}') = '\0';
	(void)snprintf(members, sizeof(members), "%s", from);
	load_text(s, members, NULL);
}

/* Another limit, and the other way round. */
static void so_it_does_with_another_limit_and_the_other_way_round(void **state)
{
	(void)state;
	static const struct {
		bool mirrored;
		uint64_t limit_milli;
	} rows[] = { { false, 3000 }, { true, 2000 } };
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		static struct study s;
		struct figures f[ARMS];
		const double limit = (double)rows[i].limit_milli / 1000;
		if (rows[i].mirrored)
			load_mirrored(&s);
		else
			load_file(&s, "lopsided/lopsided.json", NULL);
		s.scenario.ratio_limit_milli = rows[i].limit_milli;
		s.scenario.arms[0] = s.scenario.arms[P4P];
		s.scenario.arms[1] = s.scenario.arms[BRIDGE_LIVE];
		s.scenario.n_arms = 2;
		assert_int_equal(study_run(&s), ERR_OK);
		report(&s, f);
		if (rows[i].mirrored)
			f[1].ratio = 1 / f[1].ratio;
		assert_true(f[1].ratio < limit);
		assert_true(f[1].transit <= f[0].transit);
		study_done(&s);
	}
}

static struct outcome bin_of(double *bin, const struct network *n)
{
	memset(bin, 0, n->n_segments * sizeof(*bin));
	return (struct outcome){ .n_segments = n->n_segments, .n_bins = 1, .bins = bin };
}

static void prices_follow_the_ratio_in_both_books(void **state)
{
	(void)state;
	static struct study s;
	struct pricing p;
	double bin[64];
	load_file(&s, "lopsided/lopsided.json", NULL);
	const struct network *n = &s.network;
	const size_t a_b = segment_of(n, "isp-a", "a-b"), b_a = segment_of(n, "isp-b", "b-a");
	const size_t a_t = segment_of(n, "isp-a", "a-t");
	const struct map_snapshot *map = s.world.map;
	assert_int_equal(pricing_init(&p, n, &s.scenario), ERR_OK);
	assert_true(n->n_segments <= sizeof(bin) / sizeof(*bin));
	struct outcome o = bin_of(bin, n);
	bin[a_b] = bin[b_a + 1] = 3e6;
	bin[a_b + 1] = bin[b_a] = 1e6;
	bin[a_t] = 9e6; /* transit may lean as it likes */
	for (unsigned i = 0; i < 12; i++)
		assert_int_equal(pricing_follow(&p, &o), ERR_OK);
	const uint32_t a = (uint32_t)(a_b - n->first_interconnect) / 2;
	const uint32_t b = (uint32_t)(b_a - n->first_interconnect) / 2;
	const uint32_t t = (uint32_t)(a_t - n->first_interconnect) / 2;
	assert_true(snapshot_price(p.map, a).out > 2 * snapshot_cost(map, a).out);
	assert_int_equal(snapshot_price(p.map, a).in, snapshot_cost(map, a).in);
	assert_int_equal(snapshot_price(p.map, b).in, snapshot_price(p.map, a).out);
	assert_int_equal(snapshot_price(p.map, t).out, snapshot_cost(map, t).out);
	/* Back inside, and they fall to what is documented. */
	bin[a_b] = bin[b_a + 1] = 1e6;
	for (unsigned i = 0; i < 60; i++)
		assert_int_equal(pricing_follow(&p, &o), ERR_OK);
	assert_int_equal(snapshot_price(p.map, a).out, snapshot_cost(map, a).out);
	assert_int_equal(snapshot_price(map, a).out, snapshot_cost(map, a).out);
	pricing_done(&p);
	study_done(&s);
}

/* Of tests/sim/backbone, where bytes from Seattle to Chicago go over Denver, Kansas City and Indianapolis. */
static void a_full_link_makes_those_dearer_who_go_along_it(void **state)
{
	(void)state;
	static struct study s;
	struct pricing p;
	double bin[64];
	load_file(&s, "backbone/live.json", NULL);
	const struct network *n = &s.network;
	const struct map_snapshot *map = s.world.map;
	const uint32_t seattle = snapshot_place_find(map, "pid:backbone/seattle");
	const uint32_t chicago = snapshot_place_find(map, "pid:backbone/chicago");
	const uint32_t transit = snapshot_place_of_asn(map, 64510);
	size_t link = 0;
	while (strcmp(n->segments[link].id, "kansas-indianapolis") != 0)
		link += 2;
	assert_int_equal(pricing_init(&p, n, &s.scenario), ERR_OK);
	assert_true(n->n_segments <= sizeof(bin) / sizeof(*bin));
	struct outcome o = bin_of(bin, n);
	bin[link] = 95e6 / 8 * s.scenario.bin_seconds; /* of 100 Mbit/s, eastwards */
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(pricing_follow(&p, &o), ERR_OK);
	const struct map_crossing price = snapshot_link_price(p.map, (uint32_t)link / 2);
	const uint32_t before = snapshot_pair(map, seattle, chicago).price;
	assert_int_equal(before, 210 + 64 + 55 + 26);
	assert_true(price.out > 4 * 55);
	assert_int_equal(price.in, 55);
	assert_int_equal(snapshot_pair(p.map, seattle, chicago).price, before + price.out - 55);
	assert_int_equal(snapshot_pair(p.map, chicago, seattle).price, before);
	assert_int_equal(snapshot_pair(p.map, transit, seattle).price,
	                 snapshot_pair(map, transit, seattle).price);
	bin[link] = 0;
	for (unsigned i = 0; i < 40; i++)
		assert_int_equal(pricing_follow(&p, &o), ERR_OK);
	assert_int_equal(snapshot_pair(p.map, seattle, chicago).price, before);
	pricing_done(&p);
	study_done(&s);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(prices_follow_the_ratio_in_both_books),
	cmocka_unit_test(a_full_link_makes_those_dearer_who_go_along_it),
	cmocka_unit_test(a_lopsided_interconnect_ends_inside_its_limit),
	cmocka_unit_test(so_it_does_with_another_limit_and_the_other_way_round),
};

RUN_TESTS(tests)
