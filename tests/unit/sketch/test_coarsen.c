/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/base/random.h"
#include "tools/sketch/coarsen.h"

#include <stdlib.h>
#include <string.h>

struct desk {
	struct arena *arena;
	struct sketch s;
	struct map_topology *t;
	struct map_costs *costs;
	struct coarse c;
};

static void parse(struct desk *d, const char *json)
{
	d->arena = arena_new(4096);
	assert_int_equal(sketch_init(&d->s, NULL, 0), ERR_OK);
	const enum err e = map_topology_parse(json, strlen(json), d->arena, &d->t, d->s.faults);
	if (e != ERR_OK)
		print_message("%s: %s\n", d->s.faults->list[0].where, d->s.faults->list[0].text);
	assert_int_equal(e, ERR_OK);
}

static void parse_costs(struct desk *d, const char *json)
{
	assert_int_equal(map_costs_parse(json, strlen(json), d->arena, &d->costs, d->s.faults),
	                 ERR_OK);
}

static void done(struct desk *d)
{
	coarse_done(&d->c);
	sketch_done(&d->s);
	arena_free(d->arena);
}

static void near_pids_that_are_alike_become_one(void **state)
{
	(void)state;
	struct desk d = { 0 };
	parse(&d, "{\"format\": \"p4p-topology/1\", \"provider\": \"isp\", \"asns\": [64500], "
	          "\"pids\": ["
	          "{\"pid\": \"fra-1\", \"access\": \"fiber\", \"prefixes\": [\"23.0.0.0/17\"], "
	          "\"subscriber_up_mbps\": 10},"
	          "{\"pid\": \"fra-2\", \"access\": \"fiber\", \"prefixes\": [\"23.2.0.0/16\"], "
	          "\"subscriber_up_mbps\": 20},"
	          "{\"pid\": \"fra-m\", \"access\": \"mobile\", \"prefixes\": [\"23.3.0.0/16\"]},"
	          "{\"pid\": \"ber\", \"access\": \"fiber\", \"prefixes\": [\"23.4.0.0/16\"]},"
	          "{\"pid\": \"core\"},"
	          "{\"pid\": \"alone\", \"access\": \"fiber\", \"prefixes\": [\"23.5.0.0/16\"]}],"
	          "\"links\": ["
	          "{\"id\": \"a\", \"a\": \"fra-1\", \"b\": \"core\", \"weight\": 1},"
	          "{\"id\": \"b\", \"a\": \"fra-2\", \"b\": \"core\", \"weight\": 2},"
	          "{\"id\": \"c\", \"a\": \"fra-m\", \"b\": \"core\", \"weight\": 2},"
	          "{\"id\": \"d\", \"a\": \"ber\", \"b\": \"core\", \"weight\": 30, "
	          "\"capacity_mbps\": 9}],"
	          "\"interconnects\": [{\"id\": \"x\", \"pid\": \"core\", \"neighbor_asn\": 64501, "
	          "\"relation\": \"transit\", \"reach\": \"any\", \"metro\": \"fra\"}]}");
	assert_int_equal(coarsen(d.t, &(struct coarse_ask){ .want = 4 }, &d.c), ERR_OK);
	assert_int_equal(d.c.n, 4);
	static const uint32_t of[] = { 1, 1, 2, 3, 1, 5 };
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(d.c.pids[i].of, of[i]);
	assert_int_equal(d.c.pids[1].members, 3);
	assert_int_equal(d.c.pids[1].farthest, 3);
	assert_true(d.c.pids[1].addresses == 65536 + 32768);
	assert_int_equal(d.c.links_gone, 2);
	/* fra-1, a half of one of four and a half, moves by 3. */
	assert_true(d.c.moved > 0.111 && d.c.moved < 0.1112);
	assert_true(d.c.inside > 0.333 && d.c.inside < 0.334);

	struct text topology, costs;
	coarse_draw(d.t, &d.c, &d.s);
	assert_int_equal(
		sketch_finish(&d.s, &(struct sketch_rules){ .settled = true }, &topology, &costs),
		ERR_OK);
	assert_string_equal(
		topology.bytes,
		"{\"format\": \"p4p-topology/1\", \"provider\": \"isp\", \"asns\": [64500],\n"
		" \"pids\": [\n"
		"  {\"pid\": \"fra-2\", \"access\": \"fiber\", \"prefixes\": [\"23.0.0.0/17\", "
		"\"23.2.0.0/16\"]},\n"
		"  {\"pid\": \"fra-m\", \"access\": \"mobile\", \"prefixes\": [\"23.3.0.0/16\"]},\n"
		"  {\"pid\": \"ber\", \"access\": \"fiber\", \"prefixes\": [\"23.4.0.0/16\"]},\n"
		"  {\"pid\": \"alone\", \"access\": \"fiber\", \"prefixes\": [\"23.5.0.0/16\"]}],\n"
		" \"links\": [\n"
		"  {\"id\": \"c\", \"a\": \"fra-m\", \"b\": \"fra-2\", \"weight\": 2},\n"
		"  {\"id\": \"d\", \"a\": \"ber\", \"b\": \"fra-2\", \"capacity_mbps\": 9, "
		"\"weight\": 30}],\n"
		" \"interconnects\": [\n"
		"  {\"id\": \"x\", \"pid\": \"fra-2\", \"neighbor_asn\": 64501, \"relation\": "
		"\"transit\", "
		"\"metro\": \"fra\", \"reach\": \"any\"}]}\n");
	text_done(&topology);
	text_done(&costs);
	done(&d);
}

static void without_links_nothing_is_near(void **state)
{
	(void)state;
	struct desk d = { 0 };
	parse(&d, "{\"format\": \"p4p-topology/1\", \"provider\": \"isp\", \"asns\": [64500], "
	          "\"pids\": ["
	          "{\"pid\": \"a\"}, {\"pid\": \"b\"}]}");
	assert_int_equal(coarsen(d.t, &(struct coarse_ask){ .want = 1 }, &d.c), ERR_NOT_FOUND);
	done(&d);
}

/* The costs of the coarse topology, as a document. */
static void expect_costs(struct desk *d, const char *expected)
{
	struct text topology, costs;
	coarse_draw(d->t, &d->c, &d->s);
	assert_int_equal(
		sketch_finish(&d->s, &(struct sketch_rules){ .settled = true }, &topology, &costs),
		ERR_OK);
	assert_string_equal(costs.bytes, expected);
	text_done(&topology);
	text_done(&costs);
}

/* Three in a row that are near, the last of them dear to reach from d, which is far. */
static const char row[] =
	"{\"format\": \"p4p-topology/1\", \"provider\": \"isp\", \"asns\": [64500], \"pids\": ["
	"{\"pid\": \"a\", \"prefixes\": [\"23.0.0.0/16\"]},"
	"{\"pid\": \"b\", \"prefixes\": [\"23.1.0.0/16\"]},"
	"{\"pid\": \"c\", \"prefixes\": [\"23.2.0.0/15\"]},"
	"{\"pid\": \"d\", \"prefixes\": [\"23.4.0.0/16\"]}],"
	"\"links\": ["
	"{\"id\": \"ab\", \"a\": \"a\", \"b\": \"b\", \"weight\": 2},"
	"{\"id\": \"bc\", \"a\": \"b\", \"b\": \"c\", \"weight\": 1},"
	"{\"id\": \"cd\", \"a\": \"c\", \"b\": \"d\", \"weight\": 30}],"
	"\"interconnects\": [{\"id\": \"x\", \"pid\": \"b\", \"neighbor_asn\": 64501, "
	"\"relation\": \"transit\", \"reach\": \"any\"}]}";
static const char dear[] = "{\"format\": \"p4p-costs/1\", \"provider\": \"isp\", \"pid_costs\": {"
			   "\"d\": {\"a\": 10, \"b\": 10, \"c\": 17}}, "
			   "\"interconnect_costs\": {\"x\": {\"out\": 70, \"in\": 60}}}";

static void pids_of_equal_costs_become_one_before_nearer_ones(void **state)
{
	(void)state;
	struct desk d = { 0 };
	parse(&d, row);
	parse_costs(&d, dear);
	assert_int_equal(coarsen(d.t, &(struct coarse_ask){ .want = 3 }, &d.c), ERR_OK);
	assert_int_equal(d.c.pids[1].of, 2); /* b and c are the nearest */
	coarse_done(&d.c);
	assert_int_equal(
		coarsen(d.t, &(struct coarse_ask){ 3, d.costs, .accept = UINT32_MAX }, &d.c),
		ERR_OK);
	static const uint32_t of[] = { 0, 0, 2, 3 };
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(d.c.pids[i].of, of[i]);
	assert_int_equal(d.c.pids[0].differ, 0);
	assert_int_equal(d.c.costs.change_most, 0);
	expect_costs(&d, "{\"format\": \"p4p-costs/1\", \"provider\": \"isp\",\n"
	                 " \"pid_costs\": {\n"
	                 "  \"d\": {\"a\": 10, \"c\": 17}},\n"
	                 " \"interconnect_costs\": {\n"
	                 "  \"x\": {\"out\": 70, \"in\": 60}}}\n");
	done(&d);
}

static void unequal_costs_are_merged_when_forced_and_accepted(void **state)
{
	(void)state;
	struct desk d = { 0 };
	parse(&d, row);
	parse_costs(&d, dear);
	for (uint32_t accept = 6; accept <= 7; accept++) {
		coarse_done(&d.c);
		assert_int_equal(coarsen(d.t, &(struct coarse_ask){ 2, d.costs, accept }, &d.c),
		                 ERR_OK);
		assert_int_equal(d.c.n, accept == 6 ? 3 : 2);
	}
	assert_int_equal(d.c.pids[2].members, 3);
	assert_int_equal(d.c.pids[2].differ, 7);
	assert_int_equal(d.c.costs.change_most, 4); /* 10, 10 and twice 17: 13.5 */
	expect_costs(&d, "{\"format\": \"p4p-costs/1\", \"provider\": \"isp\",\n"
	                 " \"pid_costs\": {\n"
	                 "  \"d\": {\"c\": 14}},\n"
	                 " \"interconnect_costs\": {\n"
	                 "  \"x\": {\"out\": 70, \"in\": 60}}}\n");
	done(&d);
}

static void a_backbone_without_costs_differs_from_none(void **state)
{
	(void)state;
	struct desk d = { 0 };
	parse(&d, "{\"format\": \"p4p-topology/1\", \"provider\": \"isp\", \"asns\": [64500], "
	          "\"pids\": ["
	          "{\"pid\": \"a\", \"prefixes\": [\"23.0.0.0/16\"]},"
	          "{\"pid\": \"b\", \"prefixes\": [\"23.1.0.0/16\"]}, {\"pid\": \"core\"}],"
	          "\"links\": ["
	          "{\"id\": \"ac\", \"a\": \"a\", \"b\": \"core\", \"weight\": 10},"
	          "{\"id\": \"bc\", \"a\": \"b\", \"b\": \"core\", \"weight\": 11}]}");
	parse_costs(&d, "{\"format\": \"p4p-costs/1\", \"provider\": \"isp\", \"pid_costs\": {"
	                "\"a\": {\"a\": 1, \"b\": 5}, \"b\": {\"a\": 5, \"b\": 1}, "
	                "\"core\": {\"core\": 2}}}");
	assert_int_equal(coarsen(d.t, &(struct coarse_ask){ 1, d.costs, .accept = 3 }, &d.c),
	                 ERR_OK);
	static const uint32_t of[] = { 0, 1, 0 };
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(d.c.pids[i].of, of[i]);
	assert_int_equal(d.c.pids[0].differ, 0);
	assert_int_equal(d.c.costs.change_most, 0); /* of addresses */
	expect_costs(&d, "{\"format\": \"p4p-costs/1\", \"provider\": \"isp\",\n"
	                 " \"pid_costs\": {\n"
	                 "  \"a\": {\"a\": 1, \"b\": 5},\n"
	                 "  \"b\": {\"a\": 5, \"b\": 1}}}\n");
	done(&d);
}

static void costs_do_without_links(void **state)
{
	(void)state;
	struct desk d = { 0 };
	parse(&d, "{\"format\": \"p4p-topology/1\", \"provider\": \"isp\", \"asns\": [64500], "
	          "\"pids\": ["
	          "{\"pid\": \"a\"}, {\"pid\": \"b\"}, {\"pid\": \"c\"}, {\"pid\": \"d\"}]}");
	parse_costs(&d, "{\"format\": \"p4p-costs/1\", \"provider\": \"isp\", \"pid_costs\": {"
	                "\"a\": {\"c\": 9}, \"b\": {\"c\": 8}, \"d\": {\"d\": 1}}}");
	assert_int_equal(coarsen(d.t, &(struct coarse_ask){ 1, d.costs, .accept = 1 }, &d.c),
	                 ERR_OK);
	static const uint32_t of[] = { 0, 0, 2, 3 }; /* d is near nothing */
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(d.c.pids[i].of, of[i]);
	done(&d);
}

/* ---- random networks beside the method written plainly ---- */

enum { MOST = 24 };

struct plain {
	uint32_t n, first[MOST], apart[MOST][MOST];
	int like[MOST]; /* 0: no prefixes */
	bool linked[MOST];
	uint32_t cost[MOST][MOST], differ[MOST][MOST], accept; /* differ 0: no costs */
	bool said[MOST][MOST], priced[MOST]; /* it has prefixes, or costs to others */
};

static bool plain_nearer(const struct plain *p, uint32_t i, uint32_t k, uint32_t a, uint32_t b)
{
	return p->differ[i][k] != p->differ[a][b] ? p->differ[i][k] < p->differ[a][b]
	                                          : p->apart[i][k] < p->apart[a][b];
}

static bool plain_merge(struct plain *p)
{
	uint32_t a = MOST, b = MOST;
	for (uint32_t i = 0; i < p->n; i++)
		for (uint32_t k = 0; k < p->n; k++) {
			const bool may =
				i != k && p->first[i] == i && p->first[k] == k && p->linked[i] &&
				p->linked[k] &&
				(p->like[i] == 0 || p->like[k] == 0 || p->like[i] == p->like[k]) &&
				p->differ[i][k] <= p->accept;
			if (may && (a == MOST || plain_nearer(p, i, k, a, b))) {
				a = i;
				b = k;
			}
		}
	if (a == MOST)
		return false;
	for (uint32_t k = 0; k < p->n; k++) {
		if (p->apart[b][k] > p->apart[a][k])
			p->apart[a][k] = p->apart[k][a] = p->apart[b][k];
		if (p->differ[b][k] > p->differ[a][k])
			p->differ[a][k] = p->differ[k][a] = p->differ[b][k];
		if (p->first[k] == b)
			p->first[k] = a;
	}
	p->like[a] = p->like[a] == 0 ? p->like[b] : p->like[a];
	return true;
}

static void random_network(uint64_t *seed, struct text *json, struct plain *p)
{
	static const char *const access[] = { NULL, "fiber", "dsl" };
	*p = (struct plain){ .n = 2 + random_below(seed, MOST - 1) };
	for (uint32_t i = 0; i < p->n; i++)
		for (uint32_t k = 0; k < p->n; k++)
			p->apart[i][k] = i == k ? 0 : 1000000;
	text_put(json, "{\"format\": \"p4p-topology/1\", \"provider\": \"p\", \"asns\": [64500], "
	               "\"pids\": [");
	for (uint32_t i = 0; i < p->n; i++) {
		p->first[i] = i;
		p->like[i] = (int)random_below(seed, 3);
		text_printf(json, "%s{\"pid\": \"p%u\"", i > 0 ? ", " : "", i);
		if (p->like[i] > 0)
			text_printf(json, ", \"access\": \"%s\", \"prefixes\": [\"23.%u.0.0/%u\"]",
			            access[p->like[i]], i, 16 + random_below(seed, 8));
		text_put(json, "}");
	}
	text_put(json, "], \"links\": [");
	for (uint32_t i = 1; i + 1 < p->n; i++) { /* the last is alone, but with two */
		const uint32_t to = random_below(seed, i), weight = 1 + random_below(seed, 9);
		text_printf(json,
		            "%s{\"id\": \"l%u\", \"a\": \"p%u\", \"b\": \"p%u\", \"weight\": %u}",
		            i > 1 ? ", " : "", i, i, to, weight);
		p->linked[i] = p->linked[to] = true;
		p->apart[i][to] = p->apart[to][i] = weight;
	}
	text_put(json, "]}");
	for (uint32_t k = 0; k < p->n; k++)
		for (uint32_t i = 0; i < p->n; i++)
			for (uint32_t j = 0; j < p->n; j++)
				if (p->apart[i][k] + p->apart[k][j] < p->apart[i][j])
					p->apart[i][j] = p->apart[i][k] + p->apart[k][j];
}

static void plain_differ(struct plain *p, uint32_t i, uint32_t k)
{
	for (uint32_t x = 0; x < p->n && p->priced[i] && p->priced[k]; x++) {
		const int64_t out = (int64_t)p->cost[i][x] - p->cost[k][x];
		const int64_t in = (int64_t)p->cost[x][i] - p->cost[x][k];
		if ((p->said[i][x] || p->said[k][x]) && llabs(out) > p->differ[i][k])
			p->differ[i][k] = (uint32_t)llabs(out);
		if ((p->said[x][i] || p->said[x][k]) && llabs(in) > p->differ[i][k])
			p->differ[i][k] = (uint32_t)llabs(in);
	}
}

/* Few different ones, so that some are equal. */
static void random_costs(uint64_t *seed, struct text *json, struct plain *p)
{
	const uint32_t share = random_below(seed, 101);
	for (uint32_t i = 0; i < p->n; i++)
		p->priced[i] = p->like[i] > 0;
	p->accept = random_below(seed, 12);
	text_put(json, "{\"format\": \"p4p-costs/1\", \"provider\": \"p\", \"pid_costs\": {");
	for (uint32_t i = 0; i < p->n; i++) {
		const char *comma = "";
		text_printf(json, "%s\"p%u\": {", i > 0 ? ", " : "", i);
		for (uint32_t k = 0; k < p->n; k++) {
			p->cost[i][k] = p->apart[i][k] > 0 ? p->apart[i][k] : 1;
			p->said[i][k] =
				p->linked[i] && p->linked[k] && random_below(seed, 100) < share;
			if (!p->said[i][k])
				continue;
			p->cost[i][k] = 3 * random_below(seed, 3);
			p->priced[i] |= i != k;
			p->priced[k] |= i != k;
			text_printf(json, "%s\"p%u\": %u", comma, k, p->cost[i][k]);
			comma = ", ";
		}
		text_put(json, "}");
	}
	text_put(json, "}}");
	for (uint32_t i = 0; i < p->n; i++)
		for (uint32_t k = 0; k < p->n; k++)
			plain_differ(p, i, k);
}

static void expect_clusters(const struct desk *d, const struct plain *p)
{
	for (uint32_t i = 0; i < p->n; i++)
		for (uint32_t k = 0; k < p->n; k++)
			assert_int_equal(d->c.pids[i].of == d->c.pids[k].of,
			                 p->first[i] == p->first[k]);
	/* Of the members of each, no two differ by more than is said, and two by that. */
	struct plain fresh = *p;
	memset(fresh.differ, 0, sizeof(fresh.differ));
	uint32_t most[MOST] = { 0 };
	for (uint32_t i = 0; d->costs != NULL && i < p->n; i++) {
		for (uint32_t k = 0; k < i; k++) {
			uint32_t *of = &most[d->c.pids[i].of];
			plain_differ(&fresh, i, k);
			if (p->first[i] == p->first[k] && fresh.differ[i][k] > *of)
				*of = fresh.differ[i][k];
		}
	}
	for (uint32_t i = 0; i < p->n; i++)
		assert_int_equal(d->c.pids[i].differ, most[i]);
}

static void clusters_are_those_of_the_plain_method(void **state)
{
	(void)state;
	uint64_t seed = 22;
	size_t short_of[2] = { 0 };
	for (unsigned round = 0; round < 1000; round++) {
		struct text json = { 0 }, costs = { 0 };
		struct plain p;
		struct desk d = { 0 };
		const bool priced = round % 2 != 0;
		random_network(&seed, &json, &p);
		const uint32_t want = 1 + random_below(&seed, p.n);
		parse(&d, json.bytes);
		if (priced && p.n > 2) {
			random_costs(&seed, &costs, &p);
			parse_costs(&d, costs.bytes);
		}
		const enum err e =
			coarsen(d.t, &(struct coarse_ask){ want, d.costs, p.accept }, &d.c);
		assert_int_equal(e, p.n > 2 ? ERR_OK : ERR_NOT_FOUND);
		size_t n = p.n;
		while (n > want && plain_merge(&p))
			n--;
		if (e == ERR_OK) {
			expect_clusters(&d, &p);
			assert_int_equal(d.c.n, n);
		}
		short_of[priced] += n > want;
		done(&d);
		text_done(&json);
		text_done(&costs);
	}
	for (size_t i = 0; i < 2; i++)
		assert_true(short_of[i] > 20 && short_of[i] < 400); /* both ends were seen */
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(near_pids_that_are_alike_become_one),
	cmocka_unit_test(without_links_nothing_is_near),
	cmocka_unit_test(pids_of_equal_costs_become_one_before_nearer_ones),
	cmocka_unit_test(unequal_costs_are_merged_when_forced_and_accepted),
	cmocka_unit_test(a_backbone_without_costs_differs_from_none),
	cmocka_unit_test(costs_do_without_links),
	cmocka_unit_test(clusters_are_those_of_the_plain_method),
};

RUN_TESTS(tests)
