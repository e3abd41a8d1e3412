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

/* As an upload goes: parse, then check what was understood; costs against the topology the fixtures
 * were made of. */
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
		if (t != NULL && map_topology_check(t, &lab, d->faults, d->warnings) != ERR_OK)
			err = ERR_MALFORMED;
	} else {
		const struct map_topology *base = fixture_topology(d, "good/base.topology.json");
		err = map_costs_parse(text, size, d->arena, &c, d->faults);
		if (c != NULL && map_costs_check(c, base, d->faults) != ERR_OK)
			err = ERR_MALFORMED;
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
		size_t warnings; /* a-mobile has no link; 10.1.128.0/17 lies in 10.1.0.0/16, and
		                  * 0.512 Mbit/s never come to 250 GB */
	} rows[] = { { "design", 1 }, { "minimal", 0 }, { "full", 2 }, { "base", 0 } };
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
	special += 3; /* RFC 5737 has 256 addresses in each of three */
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
		{ "8.0.0.0/8", true, true },        { "10.1.0.0/16", false, true },
		{ "127.10.0.0/16", false, true },   { "100.64.0.0/24", false, true },
		{ "192.0.0.0/8", false, true },     { "64.0.0.0/2", false, true },
		{ "224.0.0.0/24", false, false },   { "0.0.0.0/0", false, false },
		{ "128.0.0.0/1", false, false },    { "0.1.0.0/16", false, false },
		{ "240.0.0.0/8", false, true },     { "2001:db8::/32", false, true },
		{ "192.0.2.0/24", false, true },    { "198.51.100.128/25", false, true },
		{ "203.0.112.0/23", false, true },  { "203.0.114.0/24", true, true },
		{ "2001:db8:1::/48", false, true }, { "3fff::/20", false, true },
		{ "2001:db9::/32", true, true },    { "192.0.3.0/24", true, true },
		{ "fd00:1::/32", false, true },     { "fe80::/64", false, true },
		{ "ff02::/16", false, false },      { "::/0", false, false },
		{ "::1/128", false, true },         { "::/128", false, false },
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

static void warns_of_lines_that_it_describes_in_two_ways(void **state)
{
	(void)state;
	static const struct {
		const char *line, *warning; /* NULL: none */
	} rows[] = {
		{ "\"access\": \"mobile\"", NULL },
		{ "\"access\": \"mobile\", \"uploads\": \"never\"", NULL },
		{ "\"access\": \"fiber\", \"uploads\": \"normal\"", NULL },
		{ "\"access\": \"mobile\", \"uploads\": \"normal\"", "/pids/0/uploads" },
		{ "\"access\": \"satellite\", \"uploads\": \"normal\"", "/pids/0/uploads" },
		{ "\"monthly_upload_gb\": 1000000000", NULL },
		{ "\"monthly_upload_gb\": 324, \"subscriber_up_mbps\": 1", NULL },
		{ "\"monthly_upload_gb\": 325, \"subscriber_up_mbps\": 1",
		  "/pids/0/monthly_upload_gb" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char json[256];
		struct desk d = desk_new();
		(void)snprintf(
			json, sizeof(json),
			"{\"format\": \"p4p-topology/1\", \"provider\": \"p\", \"asns\": [1],"
			" \"pids\": [{\"pid\": \"x\", %s}]}",
			rows[i].line);
		assert_int_equal(
			map_topology_check(topology(&d, json), &strict, d.faults, d.warnings),
			ERR_OK);
		if (d.warnings->count != (rows[i].warning != NULL) ||
		    (rows[i].warning != NULL &&
		     strcmp(d.warnings->list[0].where, rows[i].warning) != 0))
			fail_msg("%s: %zu warnings", rows[i].line, d.warnings->count);
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

/* ---- documents that had faults already ---- */

static const char *const good_members[] = {
	"\"format\": \"p4p-topology/1\"",
	"\"provider\": \"a\"",
	"\"asns\": [1]",
	"\"pids\": [{\"pid\": \"x\", \"prefixes\": [\"10.1.0.0/16\"]}, {\"pid\": \"y\"},"
	" {\"pid\": \"u\"}, {\"pid\": \"v\"}]",
	"\"links\": [{\"id\": \"l\", \"a\": \"x\", \"b\": \"y\"},"
	" {\"id\": \"m\", \"a\": \"y\", \"b\": \"u\"}, {\"id\": \"n\", \"a\": \"u\", \"b\": \"v\"}]",
	"\"interconnects\": [{\"id\": \"i\", \"pid\": \"x\", \"neighbor_asn\": 2,"
	" \"relation\": \"customer\"}]",
};

/* A good topology with some members replaced (those that begin with the same letters) or left out. */
static const struct map_topology *with(struct desk *d, const char *const members[])
{
	struct map_topology *t = NULL;
	struct text text = { 0 };
	for (size_t i = 0; i < sizeof(good_members) / sizeof(good_members[0]); i++) {
		const char *member = good_members[i];
		for (size_t k = 0; k < 3 && members[k] != NULL; k++)
			if (strncmp(members[k], member, 4) == 0)
				member = members[k];
		text_printf(&text, "%s%s", i == 0 ? "{" : ", ", member);
	}
	text_put(&text, "}");
	(void)!map_topology_parse(text.bytes, text.size, d->arena, &t, d->faults);
	text_done(&text);
	if (t == NULL)
		fail_msg("%s", desk_print(d));
	return t;
}

/* Each row: all that is wrong with it, whoever finds it, and nothing that merely follows. */
static const struct {
	const char *const members[4];
	const char *faults;
} echoes[] = {
	{ { NULL }, "" },
	{ { "\"provider\": 1", "\"asns\": [0, 23456, 0]",
	    "\"pids\": [{\"pid\": \"x\", \"prefixes\": [\"10.1.0.1/16\", \"224.0.0.0/8\"]},"
	    " {\"pid\": \"y\", \"uploads\": 1, \"prefixes\": [\"224.0.0.0/8\", 1]},"
	    " {\"pid\": \"u\"}, {\"pid\": \"x\"}]" },
	  "type /provider range /asns/0 range /asns/2 host-bits /pids/0/prefixes/0 "
	  "type /pids/1/prefixes/1 type /pids/1/uploads duplicate /pids/3/pid bogon /pids/0/prefixes/1 "
	  "bogon /pids/1/prefixes/0 overlap /pids/1/prefixes/0 unknown-pid /links/2/b "
	  "reserved-asn /asns/1" },
	/* A faulty PID is known by its name; without it, no name is unknown. */
	{ { "\"pids\": [{\"pid\": \"x\", \"colour\": 1}, {\"pid\": \"y\"},"
	    " {\"pid\": \"u\"}]" },
	  "unknown-key /pids/0/colour unknown-pid /links/2/b" },
	{ { "\"pids\": [{\"pid\": \"x.\"}, {\"pid\": \"y\"}, {\"pid\": \"u\"}]" },
	  "name /pids/0/pid" },
	{ { "\"pids\": [3, {\"pid\": \"y\"}, {\"pid\": \"u\"}, {\"pid\": \"y\"}]" },
	  "type /pids/0 duplicate /pids/3/pid" },
	{ { "\"pids\": [3, {}]" }, "type /pids/0 missing /pids/1" },
	{ { "\"pids\": {}" }, "type /pids" },
	{ { "\"pids\": []" }, "count /pids" },
	{ { "\"pidz\": []" }, "unknown-key /pidz missing " },
	/* Nor does anyone know who hangs together. */
	{ { "\"links\": [{\"id\": \"l\", \"a\": \"x\", \"b\": \"y\"}, {\"id\": \"m\"},"
	    " {\"id\": \"l\", \"a\": \"u\", \"b\": \"w\"}, 3]" },
	  "missing /links/1 missing /links/1 type /links/3 duplicate /links/2/id "
	  "unknown-pid /links/2/b" },
	{ { "\"links\": [{\"id\": \"l\", \"a\": \"x\", \"b\": \"y\"},"
	    " {\"id\": \"m\", \"a\": \"y\", \"b\": \"y\"},"
	    " {\"id\": \"n\", \"a\": \"u\", \"b\": \"v\"}]" },
	  "loop /links/1/b" },
	{ { "\"links\": [{\"id\": \"l\", \"a\": \"x\", \"b\": \"y\", \"weight\": 0},"
	    " {\"id\": \"n\", \"a\": \"u\", \"b\": \"v\"}]" },
	  "range /links/0/weight disconnected /pids/2" },
	{ { "\"links\": [{\"id\": \"l\", \"a\": \"x\", \"b\": \"y\"},"
	    " {\"id\": \"n\", \"a\": \"u\", \"b\": \"v\"}, {\"id\": \"m\", \"a\": \"y\"}]" },
	  "missing /links/2" },
	{ { "\"links\": 3" }, "type /links" },
	/* What an interconnect says is read as far as it goes. */
	{ { "\"interconnects\": [{\"id\": \"i\", \"pid\": \"z\", \"neighbor_asn\": 1,"
	    " \"relation\": \"friend\", \"exporters\": [{\"address\": \"192.0.2.1\","
	    " \"ifindex\": 0}, {\"address\": \"192.0.2.1\"}, {\"address\": \"x\", \"ifindex\": 1},"
	    " {\"address\": \"y\", \"ifindex\": 1}, {\"address\": \"192.0.2.1\", \"ifindex\": 9},"
	    " {\"address\": \"192.0.2.1\", \"ifindex\": 9}]},"
	    " {\"id\": \"i\", \"pid\": \"x\", \"neighbor_asn\": \"2\", \"relation\": \"transit\","
	    " \"reach\": {\"asns\": [23456, \"2\"], \"prefixes\": [\"::/0\", \"::1/0\"]}}, 3]",
	    "\"asns\": [1, \"1\"]" },
	  "type /asns/1 choice /interconnects/0/relation "
	  "range /interconnects/0/exporters/0/ifindex missing /interconnects/0/exporters/1 "
	  "address /interconnects/0/exporters/2/address "
	  "address /interconnects/0/exporters/3/address "
	  "type /interconnects/1/neighbor_asn type /interconnects/1/reach/asns/1 "
	  "host-bits /interconnects/1/reach/prefixes/1 type /interconnects/2 "
	  "bogon /interconnects/1/reach/prefixes/0 unknown-pid /interconnects/0/pid "
	  "own-asn /interconnects/0/neighbor_asn duplicate /interconnects/1/id "
	  "reserved-asn /interconnects/1/reach/asns/0 "
	  "duplicate /interconnects/0/exporters/5" },
};

static void a_fault_hides_no_other_and_makes_none(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(echoes) / sizeof(echoes[0]); i++) {
		struct desk d = desk_new();
		const struct map_topology *t = with(&d, echoes[i].members);
		const size_t parsed = d.faults->count;
		const enum err err = map_topology_check(t, &lab, d.faults, d.warnings);
		assert_int_equal(err == ERR_OK, d.faults->count == parsed);
		if (strcmp(desk_list(&d), echoes[i].faults) != 0)
			fail_msg("row %zu: %s", i, desk_print(&d));
		desk_free(&d);
	}
}

/* b is AS 2 and has 10.1.7.0/24 inside ours; c is AS 3, has ours inside 10.0.0.0/8 and AS 1 as a
 * customer. */
static void the_world_forgives_what_could_not_be_read(void **state)
{
	(void)state;
	static const struct {
		const char *const members[4];
		const char *faults;
	} rows[] = {
		{ { NULL }, "" },
		{ { "\"provider\": 3", "\"asns\": [1, 0]" }, "type /provider range /asns/1" },
		{ { "\"interconnects\": []" }, "overlap /pids/0/prefixes/0" },
		{ { "\"interconnects\": 3" }, "type /interconnects" },
		{ { "\"interconects\": []" }, "unknown-key /interconects" },
		{ { "\"interconnects\": [{\"id\": \"i\", \"pid\": \"x\", \"neighbor_asn\": 2,"
		    " \"relation\": 3}]" },
		  "type /interconnects/0/relation" },
		{ { "\"interconnects\": [{\"id\": \"i\", \"pid\": \"x\", \"neighbor_asn\": 4,"
		    " \"relation\": 3}]" },
		  "type /interconnects/0/relation overlap /pids/0/prefixes/0" },
		{ { "\"interconnects\": [{\"id\": \"i\", \"pid\": \"x\", \"neighbor_asn\": -2,"
		    " \"relation\": \"customer\"}]" },
		  "range /interconnects/0/neighbor_asn" },
		{ { "\"interconnects\": [{\"id\": \"i\", \"pid\": \"x\", \"neighbor_asn\": -2,"
		    " \"relation\": \"transit\"}]" },
		  "range /interconnects/0/neighbor_asn overlap /pids/0/prefixes/0" },
		{ { "\"asns\": [7]" }, "overlap /pids/0/prefixes/0" },
		{ { "\"asns\": [\"1\"]" }, "type /asns/0" },
		{ { "\"asns\": {}" }, "type /asns" },
		{ { "\"asns\": []" }, "count /asns" },
		{ { "\"asns\": [3, \"1\"]" }, "type /asns/1 taken /asns/0" },
		{ { "\"pids\": [{\"pid\": 3, \"prefixes\": [\"3\", \"10.1.0.0/16\", \"10.1.7.0/24\"]}]" },
		  "type /pids/0/pid prefix /pids/0/prefixes/0 taken /pids/0/prefixes/2" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct desk d = desk_new();
		const struct map_source others[] = {
			{ .topology = provider(&d, "b", 2, "\"10.1.7.0/24\"", "") },
			{ .topology = provider(&d, "c", 3, "\"10.0.0.0/8\"", CUSTOMER(1)) },
		};
		const struct map_topology *t = with(&d, rows[i].members);
		(void)!map_world_check(t, others, 2, d.faults, d.warnings);
		if (strcmp(desk_list(&d), rows[i].faults) != 0)
			fail_msg("row %zu: %s", i, desk_print(&d));
		desk_free(&d);
	}
}

static void faulty_costs_are_checked_as_far_as_they_go(void **state)
{
	(void)state;
	static const char json[] =
		"{\"format\": \"p4p-costs/1\", \"provider\": 3, \"pid_costs\":"
		" {\"x\": {\"x\": -1, \"y\": -1, \"a/b\": 1}, \"a/b\": {\"x\": 1, \"z\": 2}, \"u\": 3},"
		" \"interconnect_costs\": {\"i\": 3, \"k.\": {\"in\": 1, \"out\": 1}}}";
	struct desk d = desk_new();
	struct map_costs *c = NULL;
	const struct map_topology *t = provider(&d, "a", 1, "", "");
	assert_int_equal(map_costs_parse(json, strlen(json), d.arena, &c, d.faults), ERR_MALFORMED);
	assert_non_null(c);
	assert_int_equal(map_costs_check(c, t, d.faults), ERR_MALFORMED);
	assert_string_equal(desk_list(&d),
	                    "type /provider type /pid_costs/u range /pid_costs/x/x "
	                    "range /pid_costs/x/y name /pid_costs/x/a~1b name /pid_costs/a~1b "
	                    "type /interconnect_costs/i name /interconnect_costs/k. "
	                    "unknown-pid /pid_costs/x/y unknown-pid /pid_costs "
	                    "unknown-interconnect /interconnect_costs/i");
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
	cmocka_unit_test(warns_of_lines_that_it_describes_in_two_ways),
	cmocka_unit_test(providers_share_neither_asns_nor_prefixes),
	cmocka_unit_test(costs_are_checked_against_any_topology),
	cmocka_unit_test(a_fault_hides_no_other_and_makes_none),
	cmocka_unit_test(the_world_forgives_what_could_not_be_read),
	cmocka_unit_test(faulty_costs_are_checked_as_far_as_they_go),
	cmocka_unit_test(finds_what_a_trivial_model_finds),
};

RUN_TESTS(tests)
