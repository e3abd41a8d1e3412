/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/map/documents.h"

#include "common/base/random.h"
#include "common/base/text.h"

#include <dirent.h>

static const struct map_rules lab = { .lab = true }, strict = { .lab = false };

/* Every file of tests/fixtures/maps/bad, with its one fault. */
static const struct {
	const char *file, *kind, *where;
} bad[] = {
	{ "empty.topology.json", "syntax", "" },
	{ "cut-short.topology.json", "syntax", "" },
	{ "trailing-comma.topology.json", "syntax", "" },
	{ "not-a-number.topology.json", "syntax", "" },
	{ "overflow.topology.json", "range", "" },
	{ "deep.topology.json", "depth", "" },
	{ "twice-a-key.topology.json", "duplicate-key", "" },
	{ "array.topology.json", "type", "" },
	{ "unknown-format.topology.json", "format", "/format" },
	{ "other-format.topology.json", "format", "/format" },
	{ "no-format.topology.json", "missing", "" },
	{ "no-provider.topology.json", "missing", "" },
	{ "no-asns.topology.json", "missing", "" },
	{ "empty-asns.topology.json", "count", "/asns" },
	{ "no-pids.topology.json", "missing", "" },
	{ "empty-pids.topology.json", "count", "/pids" },
	{ "too-many-asns.topology.json", "count", "/asns" },
	{ "null.topology.json", "type", "/pids/0/uploads" },
	{ "misspelt-key.topology.json", "unknown-key", "/links/0/capcity_mbps" },
	{ "unknown-key.topology.json", "unknown-key", "/a~1b~0c" },
	{ "space-in-name.topology.json", "name", "/pids/0/pid" },
	{ "dot-in-name.topology.json", "name", "/provider" },
	{ "empty-name.topology.json", "name", "/interconnects/0/id" },
	{ "long-name.topology.json", "name", "/interconnects/0/id" },
	{ "number-as-name.topology.json", "type", "/links/0/a" },
	{ "string-as-asn.topology.json", "type", "/asns/0" },
	{ "as-before-asn.topology.json", "type", "/interconnects/0/neighbor_asn" },
	{ "negative-asn.topology.json", "range", "/interconnects/0/neighbor_asn" },
	{ "fractional-asn.topology.json", "range", "/interconnects/0/neighbor_asn" },
	{ "huge-asn.topology.json", "range", "/asns/0" },
	{ "unknown-relation.topology.json", "choice", "/interconnects/0/relation" },
	{ "unknown-uploads.topology.json", "choice", "/pids/0/uploads" },
	{ "unknown-reach.topology.json", "choice", "/interconnects/0/reach" },
	{ "empty-reach.topology.json", "count", "/interconnects/0/reach" },
	{ "unknown-reach-key.topology.json", "unknown-key", "/interconnects/0/reach/asn" },
	{ "zero-capacity.topology.json", "range", "/links/0/capacity_mbps" },
	{ "huge-capacity.topology.json", "range", "/interconnects/0/capacity_mbps" },
	{ "negative-weight.topology.json", "range", "/links/0/weight" },
	{ "zero-speed.topology.json", "range", "/pids/0/subscriber_up_mbps" },
	{ "zero-cap.topology.json", "range", "/pids/0/monthly_upload_gb" },
	{ "no-prefix.topology.json", "prefix", "/pids/0/prefixes/0" },
	{ "long-prefix.topology.json", "prefix", "/pids/0/prefixes/0" },
	{ "host-bits.topology.json", "host-bits", "/pids/0/prefixes/0" },
	{ "reach-host-bits.topology.json", "host-bits", "/interconnects/0/reach/prefixes/0" },
	{ "exporter-address.topology.json", "address", "/interconnects/0/exporters/0/address" },
	{ "exporter-ifindex.topology.json", "missing", "/interconnects/0/exporters/0" },
	{ "metro-control.topology.json", "text", "/interconnects/0/metro" },
	{ "same-pid.topology.json", "duplicate", "/pids/2/pid" },
	{ "same-link.topology.json", "duplicate", "/links/1/id" },
	{ "same-interconnect.topology.json", "duplicate", "/interconnects/1/id" },
	{ "same-asn.topology.json", "duplicate", "/asns/1" },
	{ "same-exporter.topology.json", "duplicate", "/interconnects/0/exporters/1" },
	{ "unknown-link-end.topology.json", "unknown-pid", "/links/0/b" },
	{ "unknown-interconnect-pid.topology.json", "unknown-pid", "/interconnects/0/pid" },
	{ "link-loop.topology.json", "loop", "/links/0/b" },
	{ "reserved-asn.topology.json", "reserved-asn", "/asns/0" },
	{ "reserved-neighbor.topology.json", "reserved-asn", "/interconnects/0/neighbor_asn" },
	{ "reserved-reach.topology.json", "reserved-asn", "/interconnects/0/reach/asns/1" },
	{ "own-neighbor.topology.json", "own-asn", "/interconnects/0/neighbor_asn" },
	{ "multicast.topology.json", "bogon", "/pids/0/prefixes/0" },
	{ "default-route.topology.json", "bogon", "/interconnects/0/reach/prefixes/0" },
	{ "overlap-in-pid.topology.json", "overlap", "/pids/0/prefixes/1" },
	{ "overlap-of-pids.topology.json", "overlap", "/pids/1/prefixes/0" },
	{ "island.topology.json", "disconnected", "/pids/3" },
	{ "no-provider.costs.json", "missing", "" },
	{ "unknown-format.costs.json", "format", "/format" },
	{ "misspelt-key.costs.json", "unknown-key", "/pid_cost" },
	{ "row-array.costs.json", "type", "/pid_costs/east" },
	{ "bad-key.costs.json", "name", "/pid_costs/a~1b" },
	{ "bad-inner-key.costs.json", "name", "/pid_costs/east/" },
	{ "fraction.costs.json", "range", "/pid_costs/east/west" },
	{ "negative.costs.json", "range", "/pid_costs/east/west" },
	{ "huge.costs.json", "range", "/interconnect_costs/a-b/out" },
	{ "no-in.costs.json", "missing", "/interconnect_costs/a-b" },
	{ "unknown-from.costs.json", "unknown-pid", "/pid_costs/nowhere" },
	{ "unknown-to.costs.json", "unknown-pid", "/pid_costs/east/nowhere" },
	{ "unknown-interconnect.costs.json", "unknown-interconnect", "/interconnect_costs/x" },
	{ "other-provider.costs.json", "provider", "/provider" },
};

/* As an upload goes: parse, then check; costs against the topology the fixtures were made of. */
static void upload(struct desk *d, const char *name)
{
	char path[256];
	size_t size;
	struct map_topology *t = NULL;
	struct map_costs *c = NULL;
	(void)snprintf(path, sizeof(path), "bad/%s", name);
	char *text = fixture(path, &size);
	enum err err;
	if (strstr(name, ".topology.") != NULL) {
		err = map_topology_parse(text, size, d->arena, &t, d->faults);
		if (err == ERR_OK)
			err = map_topology_check(t, &lab, d->faults, d->warnings);
	} else {
		err = map_costs_parse(text, size, d->arena, &c, d->faults);
		if (err == ERR_OK)
			err = map_costs_check(c, fixture_topology(d, "good/base.topology.json"),
			                      d->faults);
	}
	free(text);
	if (err != ERR_MALFORMED)
		fail_msg("%s: %s", name, err_name(err));
}

static void every_bad_fixture_has_its_one_fault(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct desk d = desk_new();
		upload(&d, bad[i].file);
		const struct fault *f = &d.faults->list[0];
		if (d.faults->count != 1 || strcmp(f->kind, bad[i].kind) != 0 ||
		    strcmp(f->where, bad[i].where) != 0)
			fail_msg("%s: %s", bad[i].file, desk_print(&d));
		desk_free(&d);
	}
}

static void every_bad_fixture_is_in_the_table(void **state)
{
	(void)state;
	char path[512];
	size_t files = 0;
	const char *root = getenv("P4P_SOURCE_ROOT");
	(void)snprintf(path, sizeof(path), "%s/tests/fixtures/maps/bad", root != NULL ? root : ".");
	DIR *dir = opendir(path);
	assert_non_null(dir);
	for (struct dirent *e; (e = readdir(dir)) != NULL;)
		files += strstr(e->d_name, ".json") != NULL;
	(void)closedir(dir);
	assert_int_equal(files, sizeof(bad) / sizeof(bad[0]));
}

static void good_fixtures_pass(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		size_t warnings; /* a-mobile has no link; 10.1.128.0/17 lies in 10.1.0.0/16 */
	} rows[] = { { "design", 1 }, { "minimal", 0 }, { "full", 1 }, { "base", 0 } };
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char name[64];
		struct desk d = desk_new();
		(void)snprintf(name, sizeof(name), "good/%s.topology.json", rows[i].name);
		const struct map_topology *t = fixture_topology(&d, name);
		if (map_topology_check(t, &lab, d.faults, d.warnings) != ERR_OK)
			fail_msg("%s: %s", name, desk_print(&d));
		assert_int_equal(d.warnings->count, rows[i].warnings);
		(void)snprintf(name, sizeof(name), "good/%s.costs.json", rows[i].name);
		if (map_costs_check(fixture_costs(&d, name), t, d.faults) != ERR_OK)
			fail_msg("%s: %s", name, desk_print(&d));
		desk_free(&d);
	}
}

static void the_samples_of_the_quickstart_fit_together(void **state)
{
	(void)state;
	static const char *const names[] = { "isp-a", "isp-b", "isp-c" };
	struct desk d = desk_new();
	struct map_source sources[3];
	for (size_t i = 0; i < 3; i++) {
		char path[128];
		(void)snprintf(path, sizeof(path), "../../../deploy/samples/%s.topology.json",
		               names[i]);
		sources[i].topology = fixture_topology(&d, path);
		(void)snprintf(path, sizeof(path), "../../../deploy/samples/%s.costs.json",
		               names[i]);
		sources[i].costs = fixture_costs(&d, path);
		if (map_topology_check(sources[i].topology, &lab, d.faults, d.warnings) != ERR_OK ||
		    map_costs_check(sources[i].costs, sources[i].topology, d.faults) != ERR_OK)
			fail_msg("%s: %s", names[i], desk_print(&d));
	}
	for (size_t i = 0; i < 3; i++)
		if (map_world_check(sources[i].topology, sources, 3, d.faults, d.warnings) !=
		    ERR_OK)
			fail_msg("%s: %s", names[i], desk_print(&d));
	assert_int_equal(d.warnings->count, 0);
	desk_free(&d);
}

/* A topology of one PID whose prefixes are all /16 of IPv4. */
static const struct map_topology *whole_ipv4(struct desk *d)
{
	struct map_topology *t = arena_take(d->arena, sizeof(*t));
	t->provider = "p";
	t->n_pids = 1;
	t->pids = arena_take(d->arena, sizeof(*t->pids));
	t->pids[0].name = "x";
	t->pids[0].n_prefixes = 65536;
	t->pids[0].prefixes = arena_take(d->arena, 65536 * sizeof(struct ip_prefix));
	for (uint32_t i = 0; i < 65536; i++)
		t->pids[0].prefixes[i] = (struct ip_prefix){ ip_v4(i << 16), 16 };
	return t;
}

static void judges_bogons_as_addresses_are_judged(void **state)
{
	(void)state;
	struct desk d = desk_new();
	const struct map_topology *t = whole_ipv4(&d);
	size_t special = 0;
	for (size_t i = 0; i < t->pids[0].n_prefixes; i++)
		special += ip_kind(&t->pids[0].prefixes[i].addr) != IP_PUBLIC;
	assert_int_equal(map_topology_check(t, &strict, d.faults, d.warnings), ERR_MALFORMED);
	assert_int_equal(d.faults->count + d.faults->more, special);
	desk_free(&d);
}

static void only_the_lab_may_have_private_prefixes(void **state)
{
	(void)state;
	static const struct {
		const char *prefix;
		bool strict, lab;
	} rows[] = {
		{ "8.0.0.0/8", true, true },      { "10.1.0.0/16", false, true },
		{ "127.10.0.0/16", false, true }, { "100.64.0.0/24", false, true },
		{ "192.0.0.0/8", false, true },   { "64.0.0.0/2", false, true },
		{ "224.0.0.0/24", false, false }, { "0.0.0.0/0", false, false },
		{ "128.0.0.0/1", false, false },  { "0.1.0.0/16", false, false },
		{ "240.0.0.0/8", false, true },   { "2001:db8::/32", true, true },
		{ "fd00:1::/32", false, true },   { "fe80::/64", false, true },
		{ "ff02::/16", false, false },    { "::/0", false, false },
		{ "::1/128", false, true },       { "::/128", false, false },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char json[256];
		struct desk d = desk_new();
		(void)snprintf(
			json, sizeof(json),
			"{\"format\": \"p4p-topology/1\", \"provider\": \"p\", \"asns\": [1],"
			" \"pids\": [{\"pid\": \"x\", \"prefixes\": [\"%s\"]}]}",
			rows[i].prefix);
		const struct map_topology *t = topology(&d, json);
		const enum err in_strict = map_topology_check(t, &strict, d.faults, d.warnings);
		const enum err in_lab = map_topology_check(t, &lab, d.faults, d.warnings);
		if ((in_strict == ERR_OK) != rows[i].strict || (in_lab == ERR_OK) != rows[i].lab)
			fail_msg("%s: %s", rows[i].prefix, desk_print(&d));
		desk_free(&d);
	}
}

/* ---- among the others ---- */

static const struct map_topology *provider(struct desk *d, const char *name, unsigned asn,
                                           const char *prefix, const char *interconnects)
{
	struct text t = { 0 };
	text_printf(&t,
	            "{\"format\": \"p4p-topology/1\", \"provider\": \"%s\", \"asns\": [%u],"
	            " \"pids\": [{\"pid\": \"x\", \"prefixes\": [%s]}], \"interconnects\": [%s]}",
	            name, asn, prefix, interconnects);
	const struct map_topology *out = topology(d, t.bytes);
	text_done(&t);
	return out;
}

#define CUSTOMER(asn) \
	"{\"id\": \"i\", \"pid\": \"x\", \"neighbor_asn\": " #asn ", \"relation\": \"customer\"}"
#define SIBLING(asn) \
	"{\"id\": \"i\", \"pid\": \"x\", \"neighbor_asn\": " #asn ", \"relation\": \"sibling\"}"
#define TRANSIT(asn) \
	"{\"id\": \"i\", \"pid\": \"x\", \"neighbor_asn\": " #asn ", \"relation\": \"transit\"}"

static void providers_share_neither_asns_nor_prefixes(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		unsigned asn;
		const char *prefixes, *mine, *theirs; /* interconnects; mine is AS 1, theirs AS 2 */
		const char *fault, *warning;
	} rows[] = {
		{ "b", 2, "\"10.2.0.0/16\"", "", "", NULL, NULL },
		{ "a", 1, "\"10.1.0.0/16\"", "", "", NULL, NULL }, /* an older version of mine */
		{ "b", 1, "\"10.2.0.0/16\"", "", "", "taken", NULL },
		{ "b", 2, "\"10.1.0.0/16\"", CUSTOMER(2), CUSTOMER(1), "taken", NULL },
		{ "b", 2, "\"10.1.7.0/24\"", "", "", "overlap", NULL },
		{ "b", 2, "\"10.1.7.0/24\"", CUSTOMER(2), "", NULL, "nested" },
		{ "b", 2, "\"10.1.7.0/24\"", SIBLING(2), "", NULL, "nested" },
		{ "b", 2, "\"10.1.7.0/24\"", TRANSIT(2), CUSTOMER(1), "overlap", NULL },
		{ "b", 2, "\"10.1.7.0/24\"", CUSTOMER(3), "", "overlap", NULL },
		{ "b", 2, "\"10.0.0.0/8\"", "", "", "overlap", NULL },
		{ "b", 2, "\"10.0.0.0/8\"", "", CUSTOMER(1), NULL, "nested" },
		{ "b", 2, "\"10.0.0.0/8\"", CUSTOMER(2), TRANSIT(1), "overlap", NULL },
		{ "b", 2, "\"10.0.0.0/8\", \"10.0.0.0/12\"", "", CUSTOMER(1), NULL, "nested" },
		{ "b", 2, "\"10.0.0.0/8\", \"10.1.0.0/16\"", "", "", "overlap,taken", NULL },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct desk d = desk_new();
		char kinds[256] = "";
		const struct map_topology *mine =
			provider(&d, "a", 1, "\"10.1.0.0/16\", \"fd01::/32\"", rows[i].mine);
		const struct map_source others[] = {
			{ .topology = provider(&d, "c", 9, "\"11.0.0.0/8\", \"fd02::/32\"", "") },
			{ .topology = provider(&d, rows[i].name, rows[i].asn, rows[i].prefixes,
			                       rows[i].theirs) },
		};
		const enum err err = map_world_check(mine, others, 2, d.faults, d.warnings);
		assert_int_equal(err == ERR_OK, rows[i].fault == NULL);
		for (size_t k = 0, n = 0; k < d.faults->count; k++)
			n += (size_t)snprintf(kinds + n, sizeof(kinds) - n, "%s%s",
			                      k > 0 ? "," : "", d.faults->list[k].kind);
		if (strcmp(kinds, rows[i].fault != NULL ? rows[i].fault : "") != 0)
			fail_msg("row %zu: %s", i, desk_print(&d));
		assert_int_equal(d.warnings->count, rows[i].warning != NULL);
		if (rows[i].warning != NULL)
			assert_string_equal(d.warnings->list[0].kind, rows[i].warning);
		desk_free(&d);
	}
}

static void costs_are_checked_against_any_topology(void **state)
{
	(void)state;
	struct desk d = desk_new();
	const struct map_costs *c =
		costs(&d, "{\"format\": \"p4p-costs/1\", \"provider\": \"a\", \"pid_costs\":"
	                  " {\"x\": {\"x\": 1, \"y\": 2}, \"y\": {\"x\": 1, \"x2\": 2}}}");
	const struct map_topology *t = provider(&d, "a", 1, "", "");
	assert_int_equal(map_costs_check(c, t, d.faults), ERR_MALFORMED);
	assert_int_equal(d.faults->count, 3); /* an unknown row is one fault */
	assert_string_equal(d.faults->list[0].where, "/pid_costs/x/y");
	assert_string_equal(d.faults->list[1].where, "/pid_costs/y");
	assert_string_equal(d.faults->list[2].where, "/pid_costs/y/x2");
	desk_free(&d);
}

/* ---- against a trivial model ---- */

enum { CROWD = 60, CROWD_PIDS = 3 };

/* Distinct prefixes in a small space, so that many lie in each other. */
static struct map_topology crowd(struct desk *d, uint64_t *seed, const char *name, uint32_t asn)
{
	static const char *const names[CROWD_PIDS] = { "x", "y", "z" };
	struct map_topology t = { .provider = name, .n_asns = 1, .n_pids = CROWD_PIDS };
	struct ip_prefix used[CROWD];
	t.asns = arena_take(d->arena, sizeof(*t.asns));
	t.asns[0] = asn;
	t.pids = arena_take(d->arena, CROWD_PIDS * sizeof(*t.pids));
	for (size_t i = 0; i < CROWD_PIDS; i++) {
		t.pids[i].name = names[i];
		t.pids[i].prefixes = arena_take(d->arena, CROWD * sizeof(struct ip_prefix));
	}
	for (size_t n = 0; n < CROWD; n++) {
		bool again = false;
		const uint32_t length = 13 + random_below(seed, 7);
		const uint32_t mask = ~((1U << (32 - length)) - 1);
		used[n] = (struct ip_prefix){
			ip_v4((0x0a000000 | random_below(seed, 1U << 20)) & mask), (uint8_t)length
		};
		for (size_t k = 0; k < n; k++)
			again = again || ip_prefix_compare(&used[k], &used[n]) == 0;
		struct map_pid *pid = &t.pids[random_below(seed, CROWD_PIDS)];
		if (!again)
			pid->prefixes[pid->n_prefixes++] = used[n];
	}
	return t;
}

/* How often the prefix `p` of PID `pid` would be named, by looking at all of `t`. */
struct verdicts {
	bool same, inside;
	size_t inside_pid; /* of the longest around it */
};
static struct verdicts look(const struct map_topology *t, const struct ip_prefix *p)
{
	struct verdicts v = { 0 };
	unsigned longest = 0;
	for (size_t i = 0; i < t->n_pids; i++) {
		for (size_t k = 0; k < t->pids[i].n_prefixes; k++) {
			const struct ip_prefix *q = &t->pids[i].prefixes[k];
			if (ip_prefix_compare(p, q) == 0) {
				v.same = true;
			} else if (ip_prefix_covers(q, p) && q->length > longest) {
				longest = q->length;
				v.inside = true;
				v.inside_pid = i;
			}
		}
	}
	return v;
}

static void finds_what_a_trivial_model_finds(void **state)
{
	(void)state;
	uint64_t seed = 7;
	for (size_t round = 0; round < 300; round++) {
		struct desk d = desk_new();
		const struct map_topology mine = crowd(&d, &seed, "a", 1);
		const struct map_topology theirs = crowd(&d, &seed, "b", 2);
		const struct map_source other = { .topology = &theirs };
		size_t nested = 0, expected = 0;
		for (size_t i = 0; i < CROWD_PIDS; i++)
			for (size_t k = 0; k < mine.pids[i].n_prefixes; k++) {
				const struct ip_prefix *p = &mine.pids[i].prefixes[k];
				const struct verdicts home = look(&mine, p),
						      away = look(&theirs, p);
				nested += home.inside && home.inside_pid != i;
				expected += (size_t)away.same + (size_t)away.inside;
			}
		for (size_t i = 0; i < CROWD_PIDS; i++)
			for (size_t k = 0; k < theirs.pids[i].n_prefixes; k++) {
				const struct verdicts v = look(&mine, &theirs.pids[i].prefixes[k]);
				expected += !v.same && v.inside;
			}
		assert_int_equal(map_topology_check(&mine, &lab, d.faults, d.warnings), ERR_OK);
		assert_int_equal(d.warnings->count, nested);
		assert_int_equal(map_world_check(&mine, &other, 1, d.faults, d.warnings) == ERR_OK,
		                 expected == 0);
		assert_int_equal(d.faults->count + d.faults->more, expected);
		desk_free(&d);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(every_bad_fixture_has_its_one_fault),
	cmocka_unit_test(every_bad_fixture_is_in_the_table),
	cmocka_unit_test(good_fixtures_pass),
	cmocka_unit_test(the_samples_of_the_quickstart_fit_together),
	cmocka_unit_test(judges_bogons_as_addresses_are_judged),
	cmocka_unit_test(only_the_lab_may_have_private_prefixes),
	cmocka_unit_test(providers_share_neither_asns_nor_prefixes),
	cmocka_unit_test(costs_are_checked_against_any_topology),
	cmocka_unit_test(finds_what_a_trivial_model_finds),
};

RUN_TESTS(tests)
