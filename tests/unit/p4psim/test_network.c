/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/p4psim/studies.h"

/* "a1-core:ab a-b:out b-a:in": what the bytes from one PID to another cross. */
static const char *path(const struct study *s, const char *from, const char *to)
{
	static char out[256];
	const struct network *n = &s->network;
	uint32_t sites[2] = { 0 };
	const char *names[] = { from, to };
	for (unsigned i = 0; i < 2; i++) {
		char key[PLACE_KEY_MAX];
		(void)snprintf(key, sizeof(key), "pid:%s", names[i]);
		const uint32_t place = snapshot_place_find(s->world.map, key);
		while (sites[i] < n->n_sites && n->sites[sites[i]].place != place)
			sites[i]++;
		assert_true(sites[i] < n->n_sites);
	}
	const struct network_path *p = network_path(n, sites[0], sites[1]);
	size_t size = 0;
	out[0] = '\0';
	for (uint32_t i = 0; i < p->n; i++) {
		const struct segment *g = &n->segments[n->steps[p->at + i]];
		size += (size_t)snprintf(
			out + size, sizeof(out) - size, "%s%s%s", i > 0 ? " " : "", g->id,
			g->interconnect ? (g->reverse ? "<" : ">") : (g->reverse ? "-" : "+"));
	}
	return out;
}

static void bytes_leave_and_enter_where_the_map_books_them(void **state)
{
	(void)state;
	struct study s;
	load_file(&s, "three-isps/swarm.json", NULL);
	assert_string_equal(path(&s, "isp-a/a1", "isp-a/a1"), "");
	assert_string_equal(path(&s, "isp-a/a1", "isp-a/a2"), "a2-core- a1-core+");
	assert_string_equal(path(&s, "isp-a/a1", "isp-b/b2"), "a1-core+ a-b> b2-core- b-a<");
	assert_string_equal(path(&s, "isp-b/b2", "isp-a/a1"), "b2-core+ b-a> a1-core- a-b<");
	assert_string_equal(path(&s, "isp-c/c1", "isp-b/b1"), "c1-core+ c-t> b1-core- b-t<");
	study_done(&s);
}

/* Least weight, not fewest links; of what nobody links there is no segment. */
static void inside_a_provider_the_least_weight_decides(void **state)
{
	(void)state;
	struct study s;
	load_file(&s, "backbone/compare.json", NULL);
	assert_string_equal(path(&s, "backbone/seattle", "backbone/washington"),
	                    "newyork-washington+ chicago-newyork+ indianapolis-chicago+ "
	                    "kansas-indianapolis+ denver-kansas+ seattle-denver+");
	study_done(&s);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(bytes_leave_and_enter_where_the_map_books_them),
	cmocka_unit_test(inside_a_provider_the_least_weight_decides),
};

RUN_TESTS(tests)
