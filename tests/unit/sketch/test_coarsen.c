/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/base/random.h"
#include "tools/sketch/coarsen.h"

#include <string.h>

struct desk {
	struct arena *arena;
	struct sketch s;
	struct map_topology *t;
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
	assert_int_equal(coarsen(d.t, 4, &d.c), ERR_OK);
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
	assert_int_equal(coarsen(d.t, 1, &d.c), ERR_NOT_FOUND);
	done(&d);
}

/* ---- random networks beside the method written plainly ---- */

enum { MOST = 24 };

struct plain {
	uint32_t n, first[MOST], apart[MOST][MOST];
	int like[MOST]; /* 0: no prefixes */
	bool linked[MOST];
};

static bool plain_merge(struct plain *p)
{
	uint32_t a = MOST, b = MOST;
	for (uint32_t i = 0; i < p->n; i++)
		for (uint32_t k = 0; k < p->n; k++) {
			const bool may =
				i != k && p->first[i] == i && p->first[k] == k && p->linked[i] &&
				p->linked[k] &&
				(p->like[i] == 0 || p->like[k] == 0 || p->like[i] == p->like[k]);
			if (may && (a == MOST || p->apart[i][k] < p->apart[a][b])) {
				a = i;
				b = k;
			}
		}
	if (a == MOST)
		return false;
	for (uint32_t k = 0; k < p->n; k++) {
		if (p->apart[b][k] > p->apart[a][k])
			p->apart[a][k] = p->apart[k][a] = p->apart[b][k];
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

static void clusters_are_those_of_the_plain_method(void **state)
{
	(void)state;
	uint64_t seed = 22;
	size_t short_of = 0;
	for (unsigned round = 0; round < 500; round++) {
		struct text json = { 0 };
		struct plain p;
		struct desk d = { 0 };
		random_network(&seed, &json, &p);
		const uint32_t want = 1 + random_below(&seed, p.n);
		parse(&d, json.bytes);
		const enum err e = coarsen(d.t, want, &d.c);
		assert_int_equal(e, p.n > 2 ? ERR_OK : ERR_NOT_FOUND);
		size_t n = p.n;
		while (n > want && plain_merge(&p))
			n--;
		for (uint32_t i = 0; i < p.n && e == ERR_OK; i++)
			for (uint32_t k = 0; k < p.n; k++)
				assert_int_equal(d.c.pids[i].of == d.c.pids[k].of,
				                 p.first[i] == p.first[k]);
		if (e == ERR_OK)
			assert_int_equal(d.c.n, n);
		short_of += n > want;
		done(&d);
		text_done(&json);
	}
	assert_true(short_of > 20 && short_of < 400); /* both ends were seen */
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(near_pids_that_are_alike_become_one),
	cmocka_unit_test(without_links_nothing_is_near),
	cmocka_unit_test(clusters_are_those_of_the_plain_method),
};

RUN_TESTS(tests)
