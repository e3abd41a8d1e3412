/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/map/documents.h"

#include "common/base/random.h"
#include "common/map/overlap.h"

enum { PIDS = 5, PREFIXES = 6, PLACES = PIDS + 1, CELLS = 256 };

/* A topology of a few PIDs over 256 addresses of IPv4 and 256 /64s; no prefix is there twice. */
struct little {
	struct map_topology t;
	struct map_pid pids[PIDS];
	struct ip_prefix prefixes[PIDS][PREFIXES];
};

static const char *const names[] = { "a", "b", "c", "d", "e", "f", "g" };

static bool has(const struct little *l, const struct ip_prefix *p)
{
	for (size_t i = 0; i < l->t.n_pids; i++)
		for (size_t k = 0; k < l->pids[i].n_prefixes; k++)
			if (ip_prefix_compare(&l->prefixes[i][k], p) == 0)
				return true;
	return false;
}

static struct ip_prefix some(uint64_t *seed)
{
	const bool wide = random_below(seed, 2) != 0;
	const uint8_t bits = (uint8_t)random_below(seed, 9);
	struct ip_prefix p = { .length = (uint8_t)((wide ? 56 : 24) + bits) };
	assert_int_equal(ip_parse(wide ? "2001:db8::" : "10.1.2.0", &p.addr), ERR_OK);
	p.addr.bytes[wide ? 7 : 3] = (uint8_t)(random_below(seed, 256) & ~0U << (8 - bits));
	return p;
}

/* `first`: which of the names are the PIDs'. */
static void fill(struct little *l, uint64_t *seed, unsigned first)
{
	*l = (struct little){ .t = { .provider = "isp-a", .pids = l->pids, .n_pids = PIDS } };
	for (size_t i = 0; i < PIDS; i++) {
		l->pids[i] =
			(struct map_pid){ .name = names[first + i], .prefixes = l->prefixes[i] };
		for (uint32_t n = random_below(seed, PREFIXES + 1); n > 0; n--) {
			const struct ip_prefix p = some(seed);
			if (!has(l, &p))
				l->prefixes[i][l->pids[i].n_prefixes++] = p;
		}
	}
}

/* By looking at all: the PID, or MAP_NO_PID. */
static uint32_t match(const struct little *l, const struct ip_addr *a)
{
	uint32_t pid = MAP_NO_PID;
	int length = -1;
	for (uint32_t i = 0; i < PIDS; i++)
		for (size_t k = 0; k < l->pids[i].n_prefixes; k++)
			if (ip_prefix_has(&l->prefixes[i][k], a) &&
			    l->prefixes[i][k].length > length) {
				length = l->prefixes[i][k].length;
				pid = i;
			}
	return pid;
}

struct cells {
	uint64_t v4[PLACES][PLACES], v6[PLACES][PLACES]; /* the last: in none */
};

static void count(const struct little *before, const struct little *after, struct cells *out)
{
	*out = (struct cells){ 0 };
	for (unsigned i = 0; i < 2 * CELLS; i++) {
		struct ip_addr a;
		assert_int_equal(ip_parse(i < CELLS ? "10.1.2.0" : "2001:db8::", &a), ERR_OK);
		a.bytes[i < CELLS ? 3 : 7] = (uint8_t)i;
		const uint32_t x = match(before, &a), y = match(after, &a);
		const size_t row = x == MAP_NO_PID ? PIDS : x, column = y == MAP_NO_PID ? PIDS : y;
		(i < CELLS ? out->v4 : out->v6)[row][column]++;
	}
}

static void counts_what_a_look_at_every_address_counts(void **state)
{
	(void)state;
	uint64_t seed = 6;
	for (unsigned round = 0; round < 3000; round++) {
		struct little before, after;
		struct cells want;
		struct map_overlap *list;
		struct map_prefix_counts counts;
		size_t n;
		fill(&before, &seed, 0);
		fill(&after, &seed, round % 3);
		assert_int_equal(map_overlaps(&before.t, &after.t, &list, &n, &counts), ERR_OK);
		count(&before, &after, &want);
		for (size_t i = 0; i < n; i++) {
			const struct map_overlap *o = &list[i];
			const size_t x = o->before == MAP_NO_PID ? PIDS : o->before;
			const size_t y = o->after == MAP_NO_PID ? PIDS : o->after;
			assert_false(x == PIDS && y == PIDS);
			assert_int_equal(o->addresses_v4, want.v4[x][y]);
			assert_int_equal(o->networks_v6, want.v6[x][y]);
			assert_int_equal(o->stays, x < PIDS && y < PIDS &&
			                                   strcmp(before.pids[x].name,
			                                          after.pids[y].name) == 0);
			want.v4[x][y] = want.v6[x][y] = 0;
		}
		for (size_t x = 0; x < PLACES; x++)
			for (size_t y = 0; y < PLACES; y++)
				if (x < PIDS || y < PIDS)
					assert_int_equal(want.v4[x][y] + want.v6[x][y], 0);
		free(list);
	}
}

static const struct map_topology *of(struct desk *d, const char *pids)
{
	char text[1024];
	(void)snprintf(text, sizeof(text),
	               "{\"format\":\"p4p-topology/1\",\"provider\":\"isp-a\",\"asns\":[64500],"
	               "\"pids\":[%s]}",
	               pids);
	return topology(d, text);
}

static void a_split_prefix_moves_in_parts_and_is_named(void **state)
{
	(void)state;
	struct desk d = desk_new();
	const struct map_topology *before =
		of(&d, "{\"pid\":\"a\",\"prefixes\":[\"10.1.0.0/16\",\"2001:db8::/48\"]},"
	               "{\"pid\":\"b\",\"prefixes\":[\"10.2.0.0/16\"]}");
	const struct map_topology *after =
		of(&d, "{\"pid\":\"b\",\"prefixes\":[\"10.2.0.0/16\",\"10.1.128.0/17\"]},"
	               "{\"pid\":\"a\",\"prefixes\":[\"10.1.0.0/17\"]},"
	               "{\"pid\":\"c\",\"prefixes\":[\"2001:db8::/48\"]}");
	struct map_overlap *list;
	struct map_prefix_counts counts;
	size_t n;
	char text[IP_PREFIX_TEXT_SIZE];
	assert_int_equal(map_overlaps(before, after, &list, &n, &counts), ERR_OK);
	assert_int_equal(n, 4);
	assert_int_equal(list[0].before, 0); /* a -> b */
	assert_int_equal(list[0].after, 0);
	assert_int_equal(list[0].addresses_v4, 32768);
	assert_int_equal(list[0].prefixes, 1);
	ip_prefix_print(&list[0].examples[0], text);
	assert_string_equal(text, "10.1.128.0/17");
	assert_int_equal(list[1].networks_v6, 65536); /* a -> c */
	assert_int_equal(list[1].after, 2);
	assert_true(list[2].stays && list[3].stays);
	assert_int_equal(counts.kept, 1);
	assert_int_equal(counts.moved, 1);
	assert_int_equal(counts.removed, 1);
	assert_int_equal(counts.added, 2);
	free(list);

	assert_int_equal(map_overlaps(NULL, after, &list, &n, &counts), ERR_OK);
	assert_int_equal(n, 3);
	assert_int_equal(list[0].before, MAP_NO_PID);
	assert_int_equal(counts.added, 4);
	free(list);
	desk_free(&d);
}

static void what_is_merged_is_named_by_what_it_was(void **state)
{
	(void)state;
	struct desk d = desk_new();
	const struct map_topology *before =
		of(&d, "{\"pid\":\"a\",\"prefixes\":[\"10.1.0.0/17\"]},"
	               "{\"pid\":\"b\",\"prefixes\":[\"10.1.128.0/17\"]}");
	const struct map_topology *after = of(&d, "{\"pid\":\"a\",\"prefixes\":[\"10.1.0.0/16\"]}");
	struct map_overlap *list;
	struct map_prefix_counts counts;
	size_t n;
	char text[IP_PREFIX_TEXT_SIZE];
	assert_int_equal(map_overlaps(before, after, &list, &n, &counts), ERR_OK);
	assert_int_equal(n, 2);
	assert_int_equal(list[0].before, 1);
	assert_int_equal(list[0].prefixes, 1);
	ip_prefix_print(&list[0].examples[0], text);
	assert_string_equal(text, "10.1.128.0/17");
	free(list);
	desk_free(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_what_a_look_at_every_address_counts),
		cmocka_unit_test(a_split_prefix_moves_in_parts_and_is_named),
		cmocka_unit_test(what_is_merged_is_named_by_what_it_was),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
