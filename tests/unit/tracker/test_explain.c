/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/tracker/house.h"

#include "common/base/random.h"
#include "common/bridge/bridge.c" /* for a look at every book: nobody else has to see inside */

/*
 * What tracker_explain() says, beside what announces really get; through UDP, as clients would. The map is
 * the house's: isp-a with east (10.1), west (10.2) and never (10.9), isp-b (10.3).
 */

enum { STEPS = 3000, CLIENTS = 60 };

static const struct tracker_settings bridged = {
	.rules = { STEER_BRIDGE, 70, 80, 0, 20, 150, 50 },
	.max_peers = 100,
	.default_peers = 50,
	.interval = 200, /* too short for a jitter, which would take from the same chance */
	.peer_timeout = 300,
	.connection_seconds = 120,
	.lab = true,
};

static struct house *bridged_house(const struct tracker_settings *settings)
{
	struct house *h = house_new(settings);
	h->tracker->options.bridges = bridge_store_new(4, 1 << 20);
	assert_non_null(h->tracker->options.bridges);
	house_publish(h, true);
	return h;
}

static void bridged_house_free(struct house *h)
{
	bridge_store_free(h->tracker->options.bridges);
	house_free(h);
}

static enum err explain(struct house *h, const struct tracker_question *q,
                        struct tracker_explanation **out)
{
	struct tracker_question question = *q;
	question.info_hash[0] = 1;
	question.seed = h->tracker->workers[0].seed;
	*out = NULL;
	return tracker_explain(h->tracker, &question, h->now * 1000, out);
}

static struct tracker_explanation *explained(struct house *h, const char *ip, uint16_t port)
{
	const struct tracker_question q = { .address = address(ip), .port = port, .want = -1 };
	struct tracker_explanation *e;
	assert_int_equal(explain(h, &q, &e), ERR_OK);
	return e;
}

/* All that is remembered, byte by byte. */
static void put_books(const struct bridge_store *s, struct text *out)
{
	const struct bridge_totals totals = bridge_totals(s);
	text_add(out, &totals, sizeof(totals));
	for (unsigned i = 0; i < s->n; i++) {
		const struct bridge_shard *shard = &s->shards[i];
		text_add(out, &shard->cursor, sizeof(shard->cursor));
		for (uint32_t k = 0; shard->slots != NULL && k <= shard->mask; k++)
			if (shard->slots[k] != NULL)
				text_add(out, shard->slots[k],
				         offsetof(struct bridge_book, edges) +
				                 shard->slots[k]->n * sizeof(struct bridge_edge));
	}
}

static void put_all(const struct house *h, struct text *out)
{
	const struct swarm_totals swarms = swarm_totals(h->swarms);
	put_books(h->tracker->options.bridges, out);
	text_add(out, &swarms, sizeof(swarms));
	for (unsigned i = 0; i < 4; i++)
		swarm_export(h->swarms, i, (uint32_t)h->now, out);
	text_add(out, account_book, sizeof(account_book));
}

static void assert_same(const struct heard *heard, const struct tracker_explanation *e)
{
	assert_int_equal(heard->n, e->n);
	for (size_t i = 0; i < e->n; i++) {
		assert_true(ip_equal(&heard->addr[i], &e->peers[i].addr));
		assert_int_equal(heard->port[i], e->peers[i].port);
	}
}

/* ---- the tests ---- */

static void a_rehearsal_is_the_next_announce_and_changes_nothing(void **state)
{
	(void)state;
	static const char *const nets[] = { "10.1.0", "10.2.0", "10.3.0", "10.3.1", "192.0.2" };
	struct house *h = bridged_house(&bridged);
	unsigned reasons[4] = { 0 };
	uint64_t seed = 7;
	(void)udp_announce(h, &(struct say){ .ip = "10.1.9.9", .port = 1, .left = 1, .hash = 1 });
	for (unsigned step = 0; step < STEPS; step++) {
		char ip[IP_TEXT_SIZE];
		const unsigned n = random_below(&seed, CLIENTS);
		(void)snprintf(ip, sizeof(ip), "%s.%u", nets[n % 5], n);
		/* Most stay away for good now and then; isp-a's seeds are rare. */
		const struct say s = { .ip = ip,
			               .port = 6881,
			               .left = n % 7 == 3 ? 0 : 1,
			               .event = random_below(&seed, 8) == 0 ? EVENT_STOPPED
			                                                    : EVENT_NONE,
			               .want = -1,
			               .hash = 1 };
		h->now += random_below(&seed, 4);
		const struct tracker_question q = { .address = address(ip),
			                            .port = 6881,
			                            .want = -1,
			                            .says_left = true,
			                            .has_all = s.left == 0 };
		struct tracker_explanation *e;
		struct text before = { 0 }, after = { 0 };
		put_all(h, &before);
		assert_int_equal(explain(h, &q, &e), ERR_OK);
		put_all(h, &after);
		assert_int_equal(before.size, after.size);
		assert_memory_equal(before.bytes, after.bytes, after.size);
		text_done(&before);
		text_done(&after);
		for (size_t i = 0; i < e->n; i++) {
			reasons[0] += strcmp(e->peers[i].reason, "met before") == 0;
			reasons[1] += strcmp(e->peers[i].reason, "budget") == 0;
			reasons[2] += strncmp(e->peers[i].reason, "needed: f", 9) == 0;
			reasons[3] += strncmp(e->peers[i].reason, "needed: no", 10) == 0;
		}
		const struct heard heard = udp_announce(h, &s);
		if (s.event != EVENT_STOPPED)
			assert_same(&heard, e);
		tracker_explanation_free(e);
	}
	for (size_t i = 0; i < 4; i++)
		assert_true(reasons[i] > 0);
	bridged_house_free(h);
}

static void a_client_with_a_key_is_found_by_its_address(void **state)
{
	(void)state;
	struct house *h = bridged_house(&bridged);
	char ip[IP_TEXT_SIZE];
	for (unsigned i = 0; i < 3 * SWARM_SLICE; i++) {
		(void)snprintf(ip, sizeof(ip), "10.1.%u.%u", i / 256, i % 256);
		(void)udp_announce(h, &(struct say){ .ip = ip,
		                                     .port = (uint16_t)(1000 + i),
		                                     .left = i % 9,
		                                     .key = 5 + i,
		                                     .hash = 1 });
	}
	for (unsigned i = 0; i < 3 * SWARM_SLICE; i += 37) {
		(void)snprintf(ip, sizeof(ip), "10.1.%u.%u", i / 256, i % 256);
		struct tracker_explanation *e = explained(h, ip, 0);
		assert_true(e->known);
		assert_int_equal(e->port, 1000 + i);
		assert_int_equal(e->seeding, i % 9 == 0);
		for (size_t k = 0; k < e->n; k++) {
			const struct ip_addr self = address(ip);
			assert_false(ip_equal(&e->peers[k].addr, &self));
		}
		tracker_explanation_free(e);
		e = explained(h, ip, (uint16_t)(1001 + i)); /* that is somebody else */
		assert_false(e->known);
		tracker_explanation_free(e);
	}
	bridged_house_free(h);
}

static void every_peer_has_its_reason_tier_and_way(void **state)
{
	(void)state;
	struct house *h = bridged_house(&bridged);
	udp_crowd(h, "10.1.0.", 3, 1);
	udp_crowd(h, "10.2.0.", 2, 1);
	udp_crowd(h, "10.3.0.", 1, 0);
	struct tracker_explanation *e = explained(h, "10.1.7.7", 6881);
	unsigned own = 0, provider = 0, island = 0;
	for (size_t i = 0; i < e->n; i++) {
		const struct tracker_explained *p = &e->peers[i];
		own += p->tier == TIER_SAME_PID && strcmp(p->reason, "own PID") == 0;
		provider += p->tier == TIER_SAME_PROVIDER && strcmp(p->reason, "own provider") == 0;
		if (p->tier != TIER_TRANSIT)
			continue;
		island++;
		assert_true(p->seed);
		assert_true(p->receive.out != NO_INTERCONNECT && p->receive.in != NO_INTERCONNECT);
		assert_int_equal(p->receive.out, p->send.in);
	}
	assert_int_equal(own, 3);
	assert_int_equal(provider, 2);
	assert_int_equal(island, 1);
	assert_false(e->known);
	assert_int_equal(e->policy, STEER_BRIDGE);
	assert_int_equal(e->standing.leechers, 6); /* itself included */
	assert_int_equal(e->standing.seeds, 0);
	assert_int_equal(e->budget.free, 9); /* 150 % of six */
	assert_int_equal(e->budget.paid, 3);
	assert_int_equal(e->list_length, 20);
	tracker_explanation_free(e);
	bridged_house_free(h);
}

/* isp-a and isp-b exchange without settlement, and what A sends costs so many times what is documented. */
static void publish_leaning(struct house *h, uint32_t times)
{
	struct ip_prefix prefixes[2];
	uint32_t asns[] = { 64500, 64501 };
	struct map_pid pids[2];
	struct map_interconnect edges[2];
	struct map_topology topologies[2];
	struct map_snapshot *map, *priced;
	static const char *const names[] = { "isp-a", "isp-b" };
	assert_int_equal(ip_prefix_parse("10.1.0.0/16", &prefixes[0]), ERR_OK);
	assert_int_equal(ip_prefix_parse("10.3.0.0/16", &prefixes[1]), ERR_OK);
	for (unsigned i = 0; i < 2; i++) {
		pids[i] =
			(struct map_pid){ .name = "p", .prefixes = &prefixes[i], .n_prefixes = 1 };
		edges[i] = (struct map_interconnect){ .id = "x",
			                              .pid = "p",
			                              .neighbor_asn = asns[1 - i],
			                              .relation = RELATION_SETTLEMENT_FREE };
		topologies[i] = (struct map_topology){ .provider = names[i],
			                               .asns = &asns[i],
			                               .n_asns = 1,
			                               .pids = &pids[i],
			                               .n_pids = 1,
			                               .interconnects = &edges[i],
			                               .n_interconnects = 1 };
	}
	const struct map_source sources[] = { { &topologies[0], NULL }, { &topologies[1], NULL } };
	assert_int_equal(map_compile(sources, 2, &map, NULL), ERR_OK);
	struct map_crossing prices[] = { snapshot_cost(map, 0), snapshot_cost(map, 1) };
	prices[0].out *= times;
	prices[1].in *= times;
	assert_int_equal(
		snapshot_reprice(map, &(struct map_prices){ .interconnects = prices }, &priced),
		ERR_OK);
	snapshot_free(map);
	assert_int_equal(map_publish(h->office, priced), ERR_OK);
}

/* Too much goes from A to B: what A's leechers pull from there is welcome, and what B's pull is not. */
static void a_budget_is_told_as_the_interconnect_leans(void **state)
{
	(void)state;
	struct house *h = bridged_house(&bridged);
	publish_leaning(h, 4); /* by 300 % */
	udp_crowd(h, "10.1.0.", 11, 1);
	udp_crowd(h, "10.3.0.", 30, 1);
	struct tracker_explanation *e = explained(h, "10.1.7.7", 6881);
	unsigned balance = 0;
	assert_int_equal(e->budget.free, 18); /* 150 % of twelve */
	assert_int_equal(e->welcome.gain, 300);
	assert_int_equal(e->welcome.free, 36);
	assert_int_equal(e->unwelcome.gain, 0);
	for (size_t i = 0; i < e->n; i++) {
		assert_int_equal(e->peers[i].lean,
		                 e->peers[i].tier == TIER_SETTLEMENT_FREE ? 300 : 0);
		balance += strcmp(e->peers[i].reason, "balance: bytes this way are welcome") == 0;
	}
	assert_true(balance > 0);
	tracker_explanation_free(e);
	e = explained(h, "10.3.7.7", 6881); /* the same seen from B */
	assert_int_equal(e->welcome.gain, 0);
	assert_int_equal(e->unwelcome.gain, -300);
	assert_int_equal(e->unwelcome.free, 31 * 50 / 100 + 1); /* a third of 150 % of 31 */
	tracker_explanation_free(e);
	bridged_house_free(h);
}

static void other_policies_have_reasons_too(void **state)
{
	(void)state;
	struct tracker_settings s = bridged;
	struct house *h = bridged_house(&s);
	udp_crowd(h, "10.3.0.", 30, 1);
	struct tracker_explanation *e = explained(h, "192.0.2.1", 1);
	assert_int_equal(e->n, 30);
	assert_string_equal(e->peers[0].reason, "no choice: everybody fits");
	tracker_explanation_free(e);
	const struct tracker_question few = { .address = address("192.0.2.1"), .want = 29 };
	assert_int_equal(explain(h, &few, &e), ERR_OK);
	assert_string_equal(e->peers[0].reason, "native: by chance, no map knows the asker");
	tracker_explanation_free(e);

	s.control_percent = 100;
	assert_int_equal(tracker_reload(h->tracker, &s), ERR_OK);
	const struct tracker_question q = { .address = address("10.1.7.7"), .want = 5 };
	assert_int_equal(explain(h, &q, &e), ERR_OK);
	assert_int_equal(e->n, 5);
	assert_true(e->control);
	assert_string_equal(e->peers[0].reason, "native: by chance, the control group");
	tracker_explanation_free(e);

	s.control_percent = 0;
	s.rules.policy = STEER_P4P;
	assert_int_equal(tracker_reload(h->tracker, &s), ERR_OK);
	assert_int_equal(explain(h, &q, &e), ERR_OK);
	assert_false(e->control);
	assert_string_equal(e->peers[0].reason, "outside: by price");
	tracker_explanation_free(e);
	bridged_house_free(h);
}

static void says_what_it_cannot_tell(void **state)
{
	(void)state;
	struct house *h = bridged_house(&bridged);
	struct tracker_explanation *e;
	struct tracker_question q = { .address = address("10.1.7.7"), .want = -1 };
	assert_int_equal(explain(h, &q, &e), ERR_NOT_FOUND);
	assert_int_equal(swarm_totals(h->swarms).swarms, 0);
	udp_crowd(h, "10.3.0.", 1, 1);
	q.provider = "isp-b";
	assert_int_equal(explain(h, &q, &e), ERR_DENIED);
	q.provider = "isp-a";
	assert_int_equal(explain(h, &q, &e), ERR_OK);
	tracker_explanation_free(e);
	q.address = address("192.0.2.1"); /* nobody's */
	assert_int_equal(explain(h, &q, &e), ERR_DENIED);
	bridged_house_free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rehearsal_is_the_next_announce_and_changes_nothing),
		cmocka_unit_test(a_client_with_a_key_is_found_by_its_address),
		cmocka_unit_test(every_peer_has_its_reason_tier_and_way),
		cmocka_unit_test(a_budget_is_told_as_the_interconnect_leans),
		cmocka_unit_test(other_policies_have_reasons_too),
		cmocka_unit_test(says_what_it_cannot_tell),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
