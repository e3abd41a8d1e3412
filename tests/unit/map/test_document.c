/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/map/documents.h"

#include "common/base/random.h"
#include "common/base/text.h"

#define PID \
	"{\"format\": \"p4p-topology/1\", \"provider\": \"p\", \"asns\": [1], \"pids\": [{\"pid\": \"x\""

static void reads_the_topology_of_the_design(void **state)
{
	(void)state;
	struct desk d = desk_new();
	const struct map_topology *t = fixture_topology(&d, "good/design.topology.json");
	char prefix[IP_PREFIX_TEXT_SIZE];

	assert_string_equal(t->provider, "isp-a");
	assert_int_equal(t->n_asns, 1);
	assert_int_equal(t->asns[0], 64500);
	assert_int_equal(t->n_pids, 3);
	assert_string_equal(t->pids[0].name, "a-east");
	assert_int_equal(t->pids[0].n_prefixes, 2);
	ip_prefix_print(&t->pids[0].prefixes[1], prefix);
	assert_string_equal(prefix, "2001:db8:1::/48");
	assert_string_equal(t->pids[0].access, "fiber");
	assert_int_equal(t->pids[0].monthly_upload_gb, 0);
	assert_int_equal(t->pids[0].subscriber_up_kbps, 20000);
	assert_int_equal(t->pids[0].subscriber_down_kbps, 100000);
	assert_int_equal(t->pids[1].uploads, UPLOADS_NEVER);
	assert_int_equal(t->pids[2].n_prefixes, 0);
	assert_null(t->pids[2].access);
	assert_int_equal(t->n_links, 1);
	assert_string_equal(t->links[0].b, "a-core");
	assert_int_equal(t->links[0].capacity_mbps, 40000);
	assert_int_equal(t->links[0].weight, 10);
	assert_int_equal(t->n_interconnects, 2);
	assert_int_equal(t->interconnects[0].relation, RELATION_SETTLEMENT_FREE);
	assert_int_equal(t->interconnects[0].reach, REACH_NEIGHBOR);
	assert_string_equal(t->interconnects[0].metro, "fra");
	assert_int_equal(t->interconnects[0].n_exporters, 1);
	assert_int_equal(t->interconnects[0].exporters[0].ifindex, 17);
	assert_int_equal(t->interconnects[1].neighbor_asn, 64510);
	assert_int_equal(t->interconnects[1].reach, REACH_ANY);
	desk_free(&d);
}

static void reads_the_costs_of_the_design(void **state)
{
	(void)state;
	struct desk d = desk_new();
	const struct map_costs *c = fixture_costs(&d, "good/design.costs.json");
	assert_string_equal(c->provider, "isp-a");
	assert_int_equal(c->n_pid_costs, 2);
	assert_string_equal(c->pid_costs[1].from, "a-east");
	assert_string_equal(c->pid_costs[1].to, "a-mobile");
	assert_int_equal(c->pid_costs[1].cost, 5);
	assert_int_equal(c->n_interconnect_costs, 2);
	assert_string_equal(c->interconnect_costs[1].id, "a-t-1");
	assert_int_equal(c->interconnect_costs[1].in, 100);
	desk_free(&d);
}

static void reads_everything_a_document_may_say(void **state)
{
	(void)state;
	struct desk d = desk_new();
	const struct map_topology *t = fixture_topology(&d, "good/full.topology.json");
	const struct map_costs *c = fixture_costs(&d, "good/full.costs.json");
	const struct map_interconnect *x = t->interconnects;

	assert_int_equal(t->asns[1], 4200000000);
	assert_int_equal(t->pids[0].monthly_upload_gb, 250);
	assert_int_equal(t->pids[0].subscriber_up_kbps, 512);
	assert_int_equal(t->pids[1].uploads, UPLOADS_AVOID);
	assert_int_equal(t->links[0].weight, MAP_WEIGHT_MAX);
	assert_int_equal(t->links[1].weight, 1);
	assert_int_equal(t->links[1].capacity_mbps, 0);
	assert_int_equal(x[0].reach, REACH_LIST);
	assert_int_equal(x[0].n_reach_asns, 2);
	assert_int_equal(x[0].n_reach_prefixes, 1);
	assert_int_equal(x[1].n_reach_prefixes, 0);
	assert_int_equal(x[2].exporters[1].ifindex, UINT32_MAX);
	assert_int_equal(x[2].exporters[1].address.family, IP_V6);
	assert_int_equal(x[3].capacity_mbps, 1);
	assert_int_equal(x[4].reach, REACH_NEIGHBOR); /* the default */
	for (size_t i = 0; i < t->n_interconnects; i++)
		assert_string_equal(map_relation_name(x[i].relation),
		                    ((const char *[]){ "customer", "sibling", "paid-peering",
		                                       "transit", "settlement-free" })[i]);
	assert_int_equal(c->n_pid_costs, 3);
	assert_int_equal(c->pid_costs[1].cost, MAP_COST_MAX);
	assert_int_equal(c->pid_costs[2].cost, 3);
	assert_int_equal(c->interconnect_costs[0].in, 7);
	desk_free(&d);
}

static void lines_on_the_air_are_spared_unless_it_says_otherwise(void **state)
{
	(void)state;
	static const struct {
		const char *json;
		enum map_uploads uploads;
		bool said;
	} rows[] = {
		{ "}]}", UPLOADS_NORMAL, false },
		{ ", \"access\": \"cable\"}]}", UPLOADS_NORMAL, false },
		{ ", \"access\": \"mobile\"}]}", UPLOADS_AVOID, false },
		{ ", \"access\": \"satellite\"}]}", UPLOADS_AVOID, false },
		{ ", \"access\": \"mobile\", \"uploads\": \"normal\"}]}", UPLOADS_NORMAL, true },
		{ ", \"uploads\": \"never\", \"access\": \"satellite\"}]}", UPLOADS_NEVER, true },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char json[256];
		struct desk d = desk_new();
		(void)snprintf(json, sizeof(json), "%s%s", PID, rows[i].json);
		const struct map_pid *pid = &topology(&d, json)->pids[0];
		if (pid->uploads != rows[i].uploads || pid->uploads_said != rows[i].said)
			fail_msg("%s: uploads %d, said %d", json, pid->uploads, pid->uploads_said);
		desk_free(&d);
	}
}

static void says_what_would_be_right(void **state)
{
	(void)state;
	static const struct {
		const char *json, *where, *text;
	} rows[] = {
		{ PID "}], \"links\": 3}", "/links", "must be an array, not a number" },
		{ PID ", \"prefixes\": [\"10.1.2.3/16\"]}]}", "/pids/0/prefixes/0",
		  "\"10.1.2.3/16\" has host bits set; did you mean 10.1.0.0/16?" },
		{ PID ", \"prefixes\": [\"ten\"]}]}", "/pids/0/prefixes/0",
		  "must be an address prefix such as \"10.1.0.0/16\", not \"ten\"" },
		{ PID ", \"prefix\": []}]}", "/pids/0/prefix",
		  "unknown key 'prefix'; did you mean 'prefixes'?" },
		{ PID ", \"Subscriber_Up\": 1}]}", "/pids/0/Subscriber_Up",
		  "unknown key 'Subscriber_Up'; did you mean 'subscriber_up_mbps'?" },
		{ PID
		  "}], \"links\": [{\"id\": \"l\", \"a\": \"x\", \"b\": \"x\", \"colour\": 1}]}",
		  "/links/0/colour",
		  "unknown key 'colour'; known here: 'id', 'a', 'b', 'capacity_mbps' and 'weight'" },
		{ PID ", \"uploads\": \"maybe\"}]}", "/pids/0/uploads",
		  "must be \"normal\", \"avoid\" or \"never\", not \"maybe\"" },
		{ PID ", \"monthly_upload_gb\": -3}]}", "/pids/0/monthly_upload_gb",
		  "must be a whole number from 1 to 1000000000, not -3" },
		{ PID ", \"monthly_upload_gb\": 2.5}]}", "/pids/0/monthly_upload_gb",
		  "must be a whole number from 1 to 1000000000, not 2.5" },
		{ PID ", \"access\": \"a\\u001b[2J\"}]}", "/pids/0/access",
		  "must be 1 to 64 letters, digits, '-', ':', '@' or '_', not \"a?[2J\"" },
		{ "{\"format\": \"p4p-costs/1\"}", "/format",
		  "must be \"p4p-topology/1\", not \"p4p-costs/1\", which has a place of its own" },
		{ "\xef\xbb\xbf{}", "", NULL },
		{ "", "", "the document is empty" },
		{ "{\n  \"format\": \"p4p-topology/1\",\n  oops\n}", "",
		  "line 3, column 6: string or '}' expected near 'oops'" },
		{ "[[[[ [[[[ [[[[ [[[[\n [", "",
		  "line 2, column 2: must not nest deeper than 16 levels" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct desk d = desk_new();
		struct map_topology *t = NULL;
		const enum err err = map_topology_parse(rows[i].json, strlen(rows[i].json), d.arena,
		                                        &t, d.faults);
		assert_int_equal(err, ERR_MALFORMED);
		if (d.faults->count != 1 || strcmp(d.faults->list[0].where, rows[i].where) != 0 ||
		    (rows[i].text != NULL && strcmp(d.faults->list[0].text, rows[i].text) != 0))
			fail_msg("row %zu: %s", i, desk_print(&d));
		desk_free(&d);
	}
}

static void a_nul_byte_is_no_blank(void **state)
{
	(void)state;
	static const char json[] = "{\"format\": \"p4p-topology/1\",\n \"provider\": 7\0}";
	struct desk d = desk_new();
	struct map_topology *t = NULL;
	assert_int_equal(map_topology_parse(json, sizeof(json) - 1, d.arena, &t, d.faults),
	                 ERR_MALFORMED);
	assert_string_equal(d.faults->list[0].text, "line 2, column 15: a NUL byte");
	desk_free(&d);
}

static void says_how_to_save_what_is_no_plain_utf_8(void **state)
{
	(void)state;
	static const struct {
		const char *json, *text;
	} rows[] = {
		{ "\xef\xbb\xbf{}",
		  "line 1, column 1: a byte order mark; save it as UTF-8 without one" },
		{ "{\"provider\": \"M\xfcnchen\"}",
		  "line 1, column 15: unable to decode byte 0xfc near '\"M'; save it as UTF-8" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct desk d = desk_new();
		struct map_topology *t = NULL;
		assert_int_equal(map_topology_parse(rows[i].json, strlen(rows[i].json), d.arena, &t,
		                                    d.faults),
		                 ERR_MALFORMED);
		assert_string_equal(d.faults->list[0].text, rows[i].text);
		desk_free(&d);
	}
}

static void brackets_in_strings_do_not_nest(void **state)
{
	(void)state;
	struct desk d = desk_new();
	const struct map_topology *t = topology(
		&d,
		PID "}], \"interconnects\": [{\"id\": \"i\", \"pid\": \"x\", \"neighbor_asn\": 2,"
		    " \"relation\": \"transit\", \"metro\": \"\\\"[{[{[{[{[{[{[{[{[{[{[{\"}]}");
	assert_string_equal(t->interconnects[0].metro, "\"[{[{[{[{[{[{[{[{[{[{[{");
	desk_free(&d);
}

static void names_all_faults_at_once(void **state)
{
	(void)state;
	static const char json[] =
		"{\"format\": \"p4p-topology/1\", \"provider\": \"a b\", \"asns\": [0, \"1\"],"
		" \"provider\": \"c d\","
		" \"pids\": [{\"prefixes\": [\"10.0.0.1/8\", 5], \"colour\": 1}],"
		" \"interconnects\": [{\"id\": \"i\", \"relation\": \"friend\", \"reach\": []}]}";
	static const char *const where[] = {
		"",
		"/provider",
		"/asns/0",
		"/asns/1",
		"/pids/0/colour",
		"/pids/0",
		"/pids/0/prefixes/0",
		"/pids/0/prefixes/1",
		"/interconnects/0",
		"/interconnects/0",
		"/interconnects/0/relation",
		"/interconnects/0/reach",
	};
	struct desk d = desk_new();
	struct map_topology *t = NULL;
	assert_int_equal(map_topology_parse(json, strlen(json), d.arena, &t, d.faults),
	                 ERR_MALFORMED);
	if (d.faults->count != sizeof(where) / sizeof(where[0]))
		fail_msg("%s", desk_print(&d));
	for (size_t i = 0; i < d.faults->count; i++)
		assert_string_equal(d.faults->list[i].where, where[i]);
	assert_string_equal(d.faults->list[0].kind, "duplicate-key");
	assert_null(t); /* which provider was meant? */
	desk_free(&d);
}

static void gives_what_was_understood(void **state)
{
	(void)state;
	static const char json[] =
		"{\"format\": \"p4p-topology/1\", \"provider\": \"a b\", \"asns\": [\"x\", 7],"
		" \"pids\": [3, {\"pid\": \"x\", \"prefixes\": [\"10.0.0.1/8\", \"11.0.0.0/8\"]},"
		" {\"pid\": \"y\", \"prefixes\": 3}],"
		" \"linkz\": [], \"interconnects\": [{\"id\": \"i\", \"relation\": \"friend\"}]}";
	struct desk d = desk_new();
	struct map_topology *t = NULL;
	assert_int_equal(map_topology_parse(json, strlen(json), d.arena, &t, d.faults),
	                 ERR_MALFORMED);
	assert_non_null(t);
	assert_null(t->provider);
	assert_int_equal(t->n_asns, 2);
	assert_int_equal(t->asns[0], 0);
	assert_int_equal(t->asns[1], 7);
	assert_int_equal(t->n_pids, 3);
	assert_null(t->pids[0].name);
	assert_string_equal(t->pids[1].name, "x");
	assert_int_equal(t->pids[1].prefixes[0].addr.family, IP_NONE);
	assert_int_equal(t->pids[1].prefixes[1].length, 8);
	assert_int_equal(t->pids[2].n_prefixes, 1); /* unreadable; neither empty nor good */
	assert_int_equal(t->pids[2].prefixes[0].addr.family, IP_NONE);
	assert_int_equal(t->n_links, 1); /* misspelt */
	assert_null(t->links[0].a);
	assert_string_equal(t->interconnects[0].id, "i");
	assert_null(t->interconnects[0].pid);
	assert_int_equal(t->interconnects[0].neighbor_asn, 0);
	desk_free(&d);
}

static void a_list_that_cannot_be_read_is_one_unreadable_entry(void **state)
{
	(void)state;
	static const char *const pids[] = {
		"", ", \"pids\": 3", ", \"pids\": []", ", \"pids\": [{}]", ", \"pidz\": []",
	};
	for (size_t i = 0; i <= sizeof(pids) / sizeof(pids[0]); i++) {
		struct desk d = desk_new();
		struct map_topology *t = NULL;
		struct text text = { 0 };
		text_put(&text,
		         "{\"format\": \"p4p-topology/1\", \"provider\": \"p\", \"asns\": [1]");
		if (i < sizeof(pids) / sizeof(pids[0])) {
			text_put(&text, pids[i]);
		} else { /* too many */
			text_put(&text, ", \"pids\": [{\"pid\": \"x\"}");
			for (size_t k = 0; k < MAP_PIDS_MAX; k++)
				text_put(&text, ",3");
			text_put(&text, "]");
		}
		text_put(&text, "}");
		assert_int_equal(map_topology_parse(text.bytes, text.size, d.arena, &t, d.faults),
		                 ERR_MALFORMED);
		assert_non_null(t);
		assert_int_equal(t->n_pids, 1);
		assert_null(t->pids[0].name);
		text_done(&text);
		desk_free(&d);
	}
}

static void gives_nothing_of_what_is_no_such_document(void **state)
{
	(void)state;
	static const char *const rows[] = { "", "{", "3", "[]", "{\"format\": \"p4p-costs/1\"}" };
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct desk d = desk_new();
		struct map_topology *t = NULL;
		assert_int_equal(
			map_topology_parse(rows[i], strlen(rows[i]), d.arena, &t, d.faults),
			ERR_MALFORMED);
		assert_null(t);
		desk_free(&d);
	}
}

static void a_pointer_is_never_cut_in_a_name(void **state)
{
	(void)state;
	struct desk d = desk_new();
	struct map_costs *c = NULL;
	struct text t = { 0 };
	text_printf(&t,
	            "{\"format\": \"p4p-costs/1\", \"provider\": \"p\", \"pid_costs\": {"
	            "\"%064d\": {\"%064d\": -1, \"%0100d\": 1}}}",
	            1, 2, 3);
	assert_int_equal(map_costs_parse(t.bytes, t.size, d.arena, &c, d.faults), ERR_MALFORMED);
	assert_int_equal(d.faults->count, 2);
	assert_int_equal(strlen(d.faults->list[0].where), strlen("/pid_costs") + 65 + 65);
	assert_int_equal(strlen(d.faults->list[1].where), strlen("/pid_costs") + 65);
	text_done(&t);
	desk_free(&d);
}

static void a_million_faults_cost_a_bounded_answer(void **state)
{
	(void)state;
	enum { N = 300000 };
	struct desk d = desk_new();
	struct map_topology *out = NULL;
	struct text t = { 0 };
	text_put(&t, PID ", \"prefixes\": [");
	for (size_t i = 0; i < N; i++)
		text_put(&t, i == 0 ? "\"\"" : ",\"\"");
	text_put(&t, "]}]}");
	assert_int_equal(map_topology_parse(t.bytes, t.size, d.arena, &out, d.faults),
	                 ERR_MALFORMED);
	assert_int_equal(d.faults->count, FAULTS_MAX);
	assert_int_equal(d.faults->more, N - FAULTS_MAX);
	text_done(&t);
	desk_free(&d);
}

/* Whatever a typing or sending mistake makes of a document, it is read or refused with a reason. */
static void survives_every_mutation_of_good_documents(void **state)
{
	(void)state;
	static const char *const names[] = {
		"good/design.topology.json", "good/full.topology.json", "good/base.topology.json",
		"good/design.costs.json",    "good/full.costs.json",
	};
	static const char junk[] = "{}[]\",:-0159./eEnulltrue \\\n\xff";
	const struct map_topology nobody = { .provider = "isp-a" };
	uint64_t seed = 42;
	for (size_t round = 0; round < 20000; round++) {
		size_t size;
		struct desk d = desk_new();
		struct map_topology *t = NULL;
		struct map_costs *c = NULL;
		char *text = fixture(names[round % 5], &size);
		for (uint32_t n = 1 + random_below(&seed, 4); n > 0; n--) {
			const uint32_t at = random_below(&seed, (uint32_t)size);
			const uint32_t from = random_below(&seed, (uint32_t)size);
			const size_t run = random_below(&seed, 12);
			if (random_below(&seed, 3) > 0)
				text[at] = junk[random_below(&seed, sizeof(junk) - 1)];
			else if (at + run < size && from + run < size)
				memmove(text + at, text + from, run);
		}
		const enum err err = round % 5 < 3
		                             ? map_topology_parse(text, size, d.arena, &t, d.faults)
		                             : map_costs_parse(text, size, d.arena, &c, d.faults);
		assert_true(err == ERR_OK || err == ERR_MALFORMED);
		assert_int_equal(err == ERR_OK, d.faults->count == 0);
		if (t != NULL && map_topology_check(t, &(struct map_rules){ .lab = true }, d.faults,
		                                    d.warnings) != ERR_OK)
			assert_true(d.faults->count > 0);
		if (c != NULL && map_costs_check(c, &nobody, d.faults) != ERR_OK)
			assert_true(d.faults->count > 0);
		free(text);
		desk_free(&d);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(reads_the_topology_of_the_design),
	cmocka_unit_test(reads_the_costs_of_the_design),
	cmocka_unit_test(reads_everything_a_document_may_say),
	cmocka_unit_test(lines_on_the_air_are_spared_unless_it_says_otherwise),
	cmocka_unit_test(says_what_would_be_right),
	cmocka_unit_test(a_nul_byte_is_no_blank),
	cmocka_unit_test(says_how_to_save_what_is_no_plain_utf_8),
	cmocka_unit_test(brackets_in_strings_do_not_nest),
	cmocka_unit_test(names_all_faults_at_once),
	cmocka_unit_test(gives_what_was_understood),
	cmocka_unit_test(a_list_that_cannot_be_read_is_one_unreadable_entry),
	cmocka_unit_test(gives_nothing_of_what_is_no_such_document),
	cmocka_unit_test(a_pointer_is_never_cut_in_a_name),
	cmocka_unit_test(a_million_faults_cost_a_bounded_answer),
	cmocka_unit_test(survives_every_mutation_of_good_documents),
};

RUN_TESTS(tests)
