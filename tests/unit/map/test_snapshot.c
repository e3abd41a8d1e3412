/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/map/snapshot.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/*
 * Three providers by hand, one for each role: isp-a in the middle, isp-b its peer, isp-c its
 * customer. Each rule of DESIGN section 3 is one row below.
 */

static struct ip_prefix prefix(const char *text)
{
	struct ip_prefix p;
	assert_int_equal(ip_prefix_parse(text, &p), ERR_OK);
	return p;
}

struct world {
	struct ip_prefix prefixes[16];
	struct map_pid a_pids[4], b_pids[2], c_pids[2];
	struct map_interconnect a_edges[7], b_edges[3], c_edges[1];
	struct map_topology topologies[3];
	struct map_costs costs[2];
	struct map_source sources[3];
};

static uint32_t a_asns[] = { 64500, 64599 }, b_asns[] = { 64501, 64511 }, c_asns[] = { 64502 };
static uint32_t cone[] = { 64700, 64701, 64502, 64701 };

static struct map_link a_links[] = {
	{ .id = "east-core", .a = "a-east", .b = "a-core", .weight = 10 },
	{ .id = "west-core", .a = "a-west", .b = "a-core", .weight = 20 },
};
static struct map_link b_links[] = { { .id = "b", .a = "b-1", .b = "b-2", .weight = 0 } };
static struct map_link c_links[] = { { .id = "c", .a = "c-1", .b = "c-2", .weight = 3 } };

static struct map_pid_cost a_pid_costs[] = {
	{ "a-east", "a-core", 4 },
	{ "a-west", "a-east", 1 }, /* a price, and no reason to leave by the other edge */
	{ "a-east", "nowhere", 7 },
	{ "a-core", "a-core", 0 },
};
static struct map_interconnect_cost a_edge_costs[] = { { "a-b-east", 12, 34 }, { "gone", 1, 1 } };
static struct map_interconnect_cost b_edge_costs[] = { { "b-a-1", 7, 9 } };

static void fill_isp_a(struct world *w)
{
	struct ip_prefix *p = w->prefixes;
	p[0] = prefix("10.1.0.0/16");
	p[1] = prefix("2001:db8:1::/48");
	p[2] = prefix("10.2.0.0/16");
	p[3] = prefix("10.3.0.0/16");
	p[4] = prefix("203.0.113.0/24");
	p[5] = prefix("10.33.0.0/16");
	w->a_pids[0] = (struct map_pid){ .name = "a-east",
		                         .prefixes = &p[0],
		                         .n_prefixes = 2,
		                         .uploads = UPLOADS_AVOID,
		                         .subscriber_up_kbps = 20000,
		                         .subscriber_down_kbps = 100000 };
	w->a_pids[1] = (struct map_pid){
		.name = "a-west", .prefixes = &p[2], .n_prefixes = 1, .monthly_upload_gb = 100
	};
	w->a_pids[2] = (struct map_pid){ .name = "a-core" };
	w->a_pids[3] = (struct map_pid){ .name = "a-lone", .prefixes = &p[3], .n_prefixes = 1 };
	w->a_pids[3].subscriber_up_kbps = 100;
	w->a_pids[3].monthly_upload_gb = 5000;
	const struct map_interconnect edges[] = {
		{ .id = "a-t-1",
		  .pid = "a-core",
		  .neighbor_asn = 64510,
		  .relation = RELATION_TRANSIT,
		  .reach = REACH_ANY,
		  .capacity_mbps = 20000 },
		{ .id = "a-b-paid",
		  .pid = "a-core",
		  .neighbor_asn = 64501,
		  .relation = RELATION_PAID_PEERING },
		{ .id = "a-b-east",
		  .pid = "a-east",
		  .neighbor_asn = 64501,
		  .relation = RELATION_SETTLEMENT_FREE },
		{ .id = "a-b-west",
		  .pid = "a-west",
		  .neighbor_asn = 64511,
		  .relation = RELATION_SETTLEMENT_FREE },
		{ .id = "a-c-1",
		  .pid = "a-east",
		  .neighbor_asn = 64700,
		  .relation = RELATION_CUSTOMER,
		  .reach = REACH_LIST,
		  .reach_asns = cone,
		  .n_reach_asns = COUNT(cone) },
		{ .id = "a-p-1",
		  .pid = "a-west",
		  .neighbor_asn = 64801,
		  .relation = RELATION_PAID_PEERING,
		  .reach = REACH_LIST,
		  .reach_prefixes = &p[4],
		  .n_reach_prefixes = 2 },
		{ .id = "a-s-1",
		  .pid = "a-lone",
		  .neighbor_asn = 64501,
		  .relation = RELATION_SIBLING,
		  .reach = REACH_LIST },
	};
	memcpy(w->a_edges, edges, sizeof(edges));
}

static void fill_isp_b_and_c(struct world *w)
{
	struct ip_prefix *p = w->prefixes + 6;
	p[0] = prefix("10.20.0.0/16");
	p[1] = prefix("10.21.0.0/16");
	p[2] = prefix("203.0.113.128/25");
	p[3] = prefix("10.1.5.0/24"); /* a customer's, inside a-east */
	p[4] = prefix("10.33.0.0/16");
	p[5] = prefix("2001:db8:34::/48");
	p[6] = prefix("10.34.0.0/16");
	w->b_pids[0] = (struct map_pid){ .name = "b-1", .prefixes = &p[0], .n_prefixes = 1 };
	w->b_pids[1] = (struct map_pid){ .name = "b-2", .prefixes = &p[1], .n_prefixes = 1 };
	w->c_pids[0] = (struct map_pid){ .name = "c-1", .prefixes = &p[4], .n_prefixes = 1 };
	w->c_pids[1] = (struct map_pid){ .name = "c-2", .prefixes = &p[5], .n_prefixes = 2 };
	w->b_edges[0] = (struct map_interconnect){ .id = "b-a-1",
		                                   .pid = "b-1",
		                                   .neighbor_asn = 64599,
		                                   .relation = RELATION_PAID_PEERING };
	w->b_edges[1] = (struct map_interconnect){ .id = "b-t",
		                                   .pid = "b-2",
		                                   .neighbor_asn = 64510,
		                                   .relation = RELATION_TRANSIT,
		                                   .reach = REACH_ANY };
	w->b_edges[2] = (struct map_interconnect){ .id = "b-cust",
		                                   .pid = "b-2",
		                                   .neighbor_asn = 64900,
		                                   .relation = RELATION_CUSTOMER,
		                                   .reach = REACH_LIST,
		                                   .reach_prefixes = &p[2],
		                                   .n_reach_prefixes = 2 };
	w->c_edges[0] = (struct map_interconnect){
		.id = "c-a", .pid = "c-1", .neighbor_asn = 64500, .relation = RELATION_TRANSIT
	};
}

static struct world *new_world(void)
{
	struct world *w = calloc(1, sizeof(*w));
	assert_non_null(w);
	fill_isp_a(w);
	fill_isp_b_and_c(w);
	w->topologies[0] = (struct map_topology){ "isp-a", a_asns, 2,          w->a_pids,        4,
		                                  a_links, 2,      w->a_edges, COUNT(w->a_edges) };
	w->topologies[1] = (struct map_topology){ "isp-b", b_asns, 2,          w->b_pids,        2,
		                                  b_links, 1,      w->b_edges, COUNT(w->b_edges) };
	w->topologies[2] = (struct map_topology){ "isp-c", c_asns, 1,          w->c_pids,        2,
		                                  c_links, 1,      w->c_edges, COUNT(w->c_edges) };
	w->costs[0] = (struct map_costs){ "isp-a", a_pid_costs, COUNT(a_pid_costs), a_edge_costs,
		                          COUNT(a_edge_costs) };
	w->costs[1] = (struct map_costs){ "isp-b", NULL, 0, b_edge_costs, COUNT(b_edge_costs) };
	for (size_t i = 0; i < 3; i++)
		w->sources[i].topology = &w->topologies[i];
	w->sources[0].costs = &w->costs[0];
	w->sources[1].costs = &w->costs[1];
	return w;
}

/* The documents are gone when a test begins: a snapshot needs none of them. */
static int compile_world(void **state)
{
	struct map_snapshot *s = NULL;
	struct fault fault;
	struct world *w = new_world();
	assert_int_equal(map_compile(w->sources, 3, &s, &fault), ERR_OK);
	memset(w, 0x5a, sizeof(*w));
	free(w);
	*state = s;
	return 0;
}

static int free_world(void **state)
{
	snapshot_free(*state);
	return 0;
}

static const char *name_of(const struct map_snapshot *s, uint32_t interconnect)
{
	return interconnect == NO_INTERCONNECT ? "" : snapshot_interconnect(s, interconnect).id;
}

static const struct {
	const char *rule, *from, *to;
	enum map_tier tier;
	const char *out, *in;
	uint32_t price;
} rules[] = {
	{ "own PID costs 1", "pid:isp-a/a-east", "pid:isp-a/a-east", TIER_SAME_PID, "", "", 1 },
	{ "unless said", "pid:isp-a/a-core", "pid:isp-a/a-core", TIER_SAME_PID, "", "", 0 },
	{ "said cost", "pid:isp-a/a-east", "pid:isp-a/a-core", TIER_SAME_PROVIDER, "", "", 4 },
	{ "the other way: link", "pid:isp-a/a-core", "pid:isp-a/a-east", TIER_SAME_PROVIDER, "", "",
	  10 },
	{ "two links", "pid:isp-a/a-east", "pid:isp-a/a-west", TIER_SAME_PROVIDER, "", "", 30 },
	{ "no link: largest", "pid:isp-a/a-lone", "pid:isp-a/a-core", TIER_SAME_PROVIDER, "", "",
	  30 },
	{ "weight 0: at least 1", "pid:isp-b/b-1", "pid:isp-b/b-2", TIER_SAME_PROVIDER, "", "", 1 },

	{ "sender's book prices", "pid:isp-a/a-east", "pid:isp-b/b-1", TIER_SETTLEMENT_FREE,
	  "a-b-east", "b-a-1", 13 },
	{ "and the other's differs", "pid:isp-b/b-1", "pid:isp-a/a-east", TIER_PAID_PEERING,
	  "b-a-1", "a-b-east", 8 },
	{ "hot potato by sender", "pid:isp-a/a-west", "pid:isp-b/b-1", TIER_SETTLEMENT_FREE,
	  "a-b-west", "b-a-1", 11 },
	{ "hot potato by receiver", "pid:isp-b/b-2", "pid:isp-a/a-west", TIER_PAID_PEERING, "b-a-1",
	  "a-b-west", 8 },
	{ "relation beats nearness", "pid:isp-a/a-core", "pid:isp-b/b-2", TIER_SETTLEMENT_FREE,
	  "a-b-east", "b-a-1", 22 },
	{ "equally near: document", "pid:isp-a/a-lone", "pid:isp-b/b-1", TIER_SETTLEMENT_FREE,
	  "a-b-east", "b-a-1", 42 },

	{ "neighbor, its other ASN", "pid:isp-a/a-east", "as:64511", TIER_SETTLEMENT_FREE,
	  "a-b-east", "", 13 },
	{ "receiver's book alone", "as:64511", "pid:isp-a/a-east", TIER_SETTLEMENT_FREE, "",
	  "a-b-east", 35 },
	{ "customer cone", "pid:isp-a/a-east", "as:64701", TIER_SETTLEMENT_FREE, "a-c-1", "", 6 },
	{ "ASN beats any: provider", "pid:isp-a/a-east", "pid:isp-c/c-2", TIER_SETTLEMENT_FREE,
	  "a-c-1", "c-a", 6 },
	{ "transit upwards", "pid:isp-c/c-2", "pid:isp-a/a-east", TIER_TRANSIT, "c-a", "a-c-1",
	  103 },
	{ "prefix beats ASN", "pid:isp-a/a-east", "pid:isp-c/c-1", TIER_PAID_PEERING, "a-p-1",
	  "c-a", 70 },
	{ "prefix beats any", "pid:isp-a/a-west", "zone:203.0.113.0/24", TIER_PAID_PEERING, "a-p-1",
	  "", 41 },
	{ "zone in a zone", "pid:isp-a/a-west", "zone:203.0.113.128/25", TIER_PAID_PEERING, "a-p-1",
	  "", 41 },
	{ "longest zone", "pid:isp-b/b-2", "zone:203.0.113.128/25", TIER_SETTLEMENT_FREE, "b-cust",
	  "", 6 },
	{ "larger zone: any", "pid:isp-b/b-2", "zone:203.0.113.0/24", TIER_TRANSIT, "b-t", "",
	  101 },
	{ "a list is all it reaches", "pid:isp-a/a-east", "as:64801", TIER_TRANSIT, "a-t-1", "",
	  104 },
	{ "stranger: any, out", "pid:isp-a/a-east", "", TIER_TRANSIT, "a-t-1", "", 104 },
	{ "stranger: any, in", "", "pid:isp-a/a-east", TIER_TRANSIT, "", "a-t-1", 110 },

	{ "no egress: unknown", "pid:isp-c/c-2", "pid:isp-b/b-1", TIER_UNKNOWN, "", "b-t",
	  PRICE_UNKNOWN },
	{ "no ingress", "pid:isp-b/b-1", "pid:isp-c/c-2", TIER_TRANSIT, "b-t", "", 101 },
	{ "two strangers", "as:64700", "as:64701", TIER_UNKNOWN, "", "", PRICE_UNKNOWN },
	{ "two unknown", "", "", TIER_UNKNOWN, "", "", PRICE_UNKNOWN },
	{ "one ASN, no PID", "as:64501", "as:64511", TIER_UNKNOWN, "", "", PRICE_UNKNOWN },
	{ "own ASN stays at home", "pid:isp-a/a-east", "as:64599", TIER_SAME_PROVIDER, "", "", 30 },
	{ "own ASN, inwards", "as:64599", "pid:isp-a/a-east", TIER_SAME_PROVIDER, "", "", 30 },
};

static void every_rule_of_the_two_books(void **state)
{
	const struct map_snapshot *s = *state;
	for (size_t i = 0; i < COUNT(rules); i++) {
		const uint32_t from = snapshot_place_find(s, rules[i].from);
		const uint32_t to = snapshot_place_find(s, rules[i].to);
		assert_true((from == PLACE_UNKNOWN) == (rules[i].from[0] == '\0'));
		assert_true((to == PLACE_UNKNOWN) == (rules[i].to[0] == '\0'));
		const struct map_pair pair = snapshot_pair(s, from, to);
		if (pair.tier != rules[i].tier || pair.price != rules[i].price ||
		    strcmp(name_of(s, pair.out), rules[i].out) != 0 ||
		    strcmp(name_of(s, pair.in), rules[i].in) != 0)
			fail_msg("%s: tier %d, out '%s', in '%s', price %u", rules[i].rule,
			         (int)pair.tier, name_of(s, pair.out), name_of(s, pair.in),
			         pair.price);
	}
}

static void a_tariff_says_what_the_pairs_say(void **state)
{
	const struct map_snapshot *s = *state;
	const uint32_t places = (uint32_t)snapshot_counts(s).places;
	for (uint32_t a = 0; a < places; a++) {
		for (uint32_t b = 0; b < places; b++) {
			const struct map_tariff from_a = { s, a, true }, to_b = { s, b, false };
			const struct map_pair pair = snapshot_pair(s, a, b);
			const struct map_price out =
				tariff_price(&from_a, b, tariff_seek(&from_a, b));
			const struct map_price in = tariff_price(&to_b, a, tariff_seek(&to_b, a));
			assert_int_equal(out.tier, pair.tier);
			assert_int_equal(out.price, pair.price);
			assert_int_equal(in.tier, pair.tier);
			assert_int_equal(in.price, pair.price);
		}
	}
}

static void a_providers_pids_are_neighbours(void **state)
{
	const struct map_snapshot *s = *state;
	const uint32_t places = (uint32_t)snapshot_counts(s).places;
	for (uint32_t a = 0; a < places; a++) {
		const uint32_t provider = snapshot_place(s, a).provider;
		const struct map_places range = snapshot_provider_places(s, a);
		for (uint32_t b = 0; b < places; b++) {
			const bool same = provider != NO_PROVIDER &&
			                  snapshot_place(s, b).provider == provider;
			assert_true((b >= range.first && b < range.end) == same);
		}
	}
}

static void an_address_is_in_a_pid_else_in_a_zone(void **state)
{
	const struct map_snapshot *s = *state;
	static const struct {
		const char *address, *key;
	} rows[] = {
		{ "10.1.0.0", "pid:isp-a/a-east" },
		{ "10.1.255.255", "pid:isp-a/a-east" },
		{ "2001:db8:1::1", "pid:isp-a/a-east" },
		{ "10.34.1.1", "pid:isp-c/c-2" },
		{ "10.33.0.1", "pid:isp-c/c-1" },   /* also a zone, and as large */
		{ "10.1.5.1", "pid:isp-a/a-east" }, /* also a zone, and smaller */
		{ "203.0.113.1", "zone:203.0.113.0/24" },
		{ "203.0.113.200", "zone:203.0.113.128/25" },
		{ "192.0.2.1", "" },
		{ "2001:db8:2::1", "" },
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		char key[PLACE_KEY_MAX];
		struct ip_addr a;
		assert_int_equal(ip_parse(rows[i].address, &a), ERR_OK);
		snapshot_place_key(s, snapshot_locate(s, &a), key);
		assert_string_equal(key, rows[i].key);
	}
}

static void every_place_has_a_key_that_leads_back(void **state)
{
	const struct map_snapshot *s = *state;
	const struct map_counts counts = snapshot_counts(s);
	/* 8 PIDs, 10 ASNs, 4 zones, and the unknown place */
	assert_int_equal(counts.places, 23);
	for (uint32_t place = 0; place < counts.places; place++) {
		char key[PLACE_KEY_MAX];
		snapshot_place_key(s, place, key);
		assert_int_equal(snapshot_place_find(s, key), place);
		assert_true((place == 0) == (key[0] == '\0'));
	}
	static const char *const unknown[] = {
		"pid:isp-a/nobody",
		"pid:a-east",
		"as:1",
		"as:",
		"as:4294967296",
		"zone:203.0.113.0/25",
		"zone:nonsense",
		"a-east",
		"as:64500x",
		"zone:203.0.113.1/24",
		"pid:isp-b/a-east",
	};
	for (size_t i = 0; i < COUNT(unknown); i++)
		assert_int_equal(snapshot_place_find(s, unknown[i]), PLACE_UNKNOWN);
}

static void tells_what_it_holds(void **state)
{
	const struct map_snapshot *s = *state;
	const struct map_counts counts = snapshot_counts(s);
	assert_int_equal(counts.providers, 3);
	assert_int_equal(counts.pids, 8);
	assert_int_equal(counts.interconnects, 11);
	assert_int_equal(counts.prefixes_v4, 7);
	assert_int_equal(counts.prefixes_v6, 2);
	assert_string_equal(snapshot_provider_name(s, 1), "isp-b");

	const struct map_interconnect_info info = snapshot_interconnect(s, 0);
	assert_string_equal(info.provider, "isp-a");
	assert_string_equal(info.id, "a-t-1");
	assert_string_equal(info.pid, "a-core");
	assert_int_equal(info.neighbor_asn, 64510);
	assert_int_equal(info.relation, RELATION_TRANSIT);
	assert_int_equal(info.capacity_mbps, 20000);
	assert_int_equal(snapshot_interconnect(s, 7).provider_index, 1);

	struct map_place place = snapshot_place(s, snapshot_place_find(s, "pid:isp-a/a-east"));
	assert_int_equal(place.provider, 0);
	assert_int_equal(place.uploads, UPLOADS_AVOID);
	assert_int_equal(snapshot_uploads(s, snapshot_place_find(s, "pid:isp-a/a-east")),
	                 UPLOADS_AVOID);
	assert_int_equal(snapshot_uploads(s, snapshot_place_find(s, "pid:isp-a/a-west")),
	                 UPLOADS_NORMAL);
	assert_true(snapshot_restricts_uploads(s));
	assert_int_equal(place.up_kbps, 20000);
	assert_int_equal(place.down_kbps, 100000);
	assert_int_equal(snapshot_place(s, snapshot_place_of_asn(s, 64500)).provider, NO_PROVIDER);
	assert_int_equal(snapshot_place(s, PLACE_UNKNOWN).provider, NO_PROVIDER);
}

/* 100 GB in 2,592,000 seconds are 308 kbit/s. */
static void a_cap_is_what_lasts_all_month(void **state)
{
	const struct map_snapshot *s = *state;
	static const struct {
		const char *place;
		uint32_t kbps;
	} rows[] = {
		{ "pid:isp-a/a-east", 20000 },     { "pid:isp-a/a-west", 308 },
		{ "pid:isp-a/a-lone", 100 },       { "pid:isp-a/a-core", UPLINK_USUAL_KBPS },
		{ "as:64510", UPLINK_USUAL_KBPS }, { "", UPLINK_USUAL_KBPS },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const uint32_t place = snapshot_place_find(s, rows[i].place);
		assert_int_equal(snapshot_place(s, place).lasting_kbps, rows[i].kbps);
	}
}

static void without_a_map_everything_is_unknown(void **state)
{
	(void)state;
	const struct ip_addr a = ip_v4(0x0a010101);
	char key[PLACE_KEY_MAX] = "x";
	assert_int_equal(snapshot_locate(NULL, &a), PLACE_UNKNOWN);
	assert_int_equal(snapshot_place_of_asn(NULL, 64500), PLACE_UNKNOWN);
	assert_int_equal(snapshot_place_find(NULL, "as:64500"), PLACE_UNKNOWN);
	assert_int_equal(snapshot_place(NULL, 0).provider, NO_PROVIDER);
	assert_int_equal(snapshot_pair(NULL, 0, 0).tier, TIER_UNKNOWN);
	const struct map_tariff nobodys = { NULL, 0, true };
	assert_int_equal(tariff_price(&nobodys, 0, tariff_seek(&nobodys, 0)).tier, TIER_UNKNOWN);
	assert_int_equal(snapshot_provider_places(NULL, 0).end, 0);
	assert_int_equal(snapshot_uploads(NULL, 0), UPLOADS_NORMAL);
	assert_false(snapshot_restricts_uploads(NULL));
	snapshot_place_key(NULL, 0, key);
	assert_string_equal(key, "");

	struct map_snapshot *s = NULL;
	assert_int_equal(map_compile(NULL, 0, &s, NULL), ERR_OK);
	assert_int_equal(snapshot_locate(s, &a), PLACE_UNKNOWN);
	assert_int_equal(snapshot_pair(s, 0, 0).tier, TIER_UNKNOWN);
	assert_false(snapshot_restricts_uploads(s));
	snapshot_free(s);
	snapshot_free(NULL);
}

/* Documents that were parsed and never checked. */

static void unknown_pid_of_interconnect(struct world *w)
{
	w->a_edges[3].pid = "b-1";
}

static void unknown_pid_of_link(struct world *w)
{
	static struct map_link links[] = { { .id = "x", .a = "b-1", .b = "nowhere" } };
	w->topologies[1].links = links;
}

static void pid_twice(struct world *w)
{
	w->a_pids[3].name = "a-east";
}

static void interconnect_twice(struct world *w)
{
	w->a_edges[4].id = "a-t-1";
}

static void provider_twice(struct world *w)
{
	w->sources[2] = w->sources[1];
}

static void endless_name(struct world *w)
{
	static char name[400];
	memset(name, 'x', sizeof(name) - 1);
	w->c_pids[1].name = name;
}

static void too_many_pids(struct world *w)
{
	w->topologies[0].n_pids = MAP_PIDS_MAX + 1;
}

static void unchecked_documents_are_refused_with_a_fault(void **state)
{
	(void)state;
	static const struct {
		void (*spoil)(struct world *);
		const char *where, *text;
	} rows[] = {
		{ unknown_pid_of_interconnect, "/interconnects/3/pid", "isp-a has no PID b-1" },
		{ unknown_pid_of_link, "/links/0", "isp-b has no PID b-1 or no PID nowhere" },
		{ pid_twice, "/pids/3/pid", "isp-a/a-east is there twice" },
		{ interconnect_twice, "/interconnects/4/id", "isp-a has two interconnects a-t-1" },
		{ provider_twice, "/pids/0/pid", "isp-b/b-1 is there twice" },
		{ endless_name, "/pids/1/pid", "a name is longer than 64 bytes" },
		{ too_many_pids, "", "isp-a has more than 4096 PIDs or 4096 interconnects" },
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct map_snapshot *s = NULL;
		struct fault fault = { 0 };
		struct world *w = new_world();
		rows[i].spoil(w);
		assert_int_equal(map_compile(w->sources, 3, &s, &fault), ERR_RANGE);
		assert_null(s);
		assert_string_equal(fault.where, rows[i].where);
		assert_non_null(strstr(fault.text, rows[i].text));
		free(w);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup_teardown(every_rule_of_the_two_books, compile_world, free_world),
	cmocka_unit_test_setup_teardown(a_tariff_says_what_the_pairs_say, compile_world,
	                                free_world),
	cmocka_unit_test_setup_teardown(a_providers_pids_are_neighbours, compile_world, free_world),
	cmocka_unit_test_setup_teardown(an_address_is_in_a_pid_else_in_a_zone, compile_world,
	                                free_world),
	cmocka_unit_test_setup_teardown(every_place_has_a_key_that_leads_back, compile_world,
	                                free_world),
	cmocka_unit_test_setup_teardown(tells_what_it_holds, compile_world, free_world),
	cmocka_unit_test_setup_teardown(a_cap_is_what_lasts_all_month, compile_world, free_world),
	cmocka_unit_test(without_a_map_everything_is_unknown),
	cmocka_unit_test(unchecked_documents_are_refused_with_a_fault),
};

RUN_TESTS(tests)
