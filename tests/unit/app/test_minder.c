/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/ip/lpm.h"
#include "server/app/minder.h"
#include "server/auth/rights.h"
#include "tests/support/db.h"
#include "tests/unit/accounting/folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A daemon's maps, and who minds them. */
static struct house {
	struct store *store;
	struct map_office *office;
	struct maps *maps;
	struct metrics *metrics;
	struct maps_peers peers; /* that live_peers.c would count */
	struct minder minder;
} h;

/* 10.1.0.0/16 is what is replaced in these tests. */
static void count_peers(void *ctx, const char *provider, const struct lpm *former,
                        struct maps_peers *out)
{
	static const struct ip_addr was = { { 10, 1, 2, 3 }, IP_V4 };
	(void)ctx;
	assert_string_equal(provider, "isp-a");
	assert_int_not_equal(lpm_find(former, &was), 0);
	*out = h.peers;
}

static int open_house(void **state)
{
	struct fault f;
	if (folder_make(state) != 0)
		return -1;
	h = (struct house){ .office = map_office_new(snapshot_free),
		            .store = db_store(NULL),
		            .metrics = metrics_new(1) };
	const struct maps_options maps = { .state_dir = folder,
		                           .lab = true,
		                           .store = h.store,
		                           .office = h.office,
		                           .count_peers = count_peers };
	must(maps_new(&maps, &h.maps, &f) == ERR_OK);
	h.minder = (struct minder){ .store = h.store, .maps = h.maps, .metrics = h.metrics };
	return 0;
}

static int close_house(void **state)
{
	minder_done(&h.minder);
	maps_free(h.maps);
	metrics_free(h.metrics);
	map_office_free(h.office);
	store_free(h.store);
	return folder_remove(state);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_house, close_house)

static void token(const char *name, enum store_role role, int64_t expires)
{
	struct store_token t = { .role = role, .expires = expires };
	uint8_t hash[32] = { 0 };
	uint64_t id;
	static uint8_t number;
	hash[0] = ++number;
	(void)snprintf(t.name, sizeof(t.name), "%s", name);
	(void)snprintf(t.provider, sizeof(t.provider), "isp-a");
	assert_int_equal(store_token_add(h.store, &t, hash, "admin", &id), ERR_OK);
}

static void change_role(const char *name, enum store_role role)
{
	struct store_token t;
	assert_int_equal(store_token_change(h.store, name, &role, -1, "admin", &t), ERR_OK);
}

/* A topology with `prefix` by "alice"; returns its version. */
static uint64_t put(const char *prefix, bool draft)
{
	char text[300];
	struct faults *faults = faults_new();
	struct maps_change change = { .warnings = faults_new() };
	(void)snprintf(text, sizeof(text),
	               "{\"format\":\"p4p-topology/1\",\"provider\":\"isp-a\",\"asns\":[64501],"
	               "\"pids\":[{\"pid\":\"a-1\",\"prefixes\":[\"%s\"]}]}",
	               prefix);
	const struct maps_document d = { .provider = "isp-a",
		                         .kind = STORE_TOPOLOGY,
		                         .body = text,
		                         .size = strlen(text),
		                         .author = "alice",
		                         .draft = draft };
	assert_int_equal(maps_upload(h.maps, &d, false, &change, faults), ERR_OK);
	faults_free(faults);
	faults_free(change.warnings);
	return change.version;
}

static void activate(const char *who, uint64_t version, int64_t at, int64_t watch)
{
	struct faults *faults = faults_new();
	struct maps_change change = { .warnings = faults_new() };
	const struct maps_activation a = { .provider = "isp-a",
		                           .author = who,
		                           .version = version,
		                           .force = true,
		                           .at = at,
		                           .watch_seconds = watch };
	assert_int_equal(maps_activate(h.maps, &a, &change, faults), ERR_OK);
	faults_free(faults);
	faults_free(change.warnings);
}

static void schedule(const char *who, uint64_t version)
{
	activate(who, version, 1000, 0);
}

static struct store_life life_of(uint64_t version)
{
	struct store_life *list;
	size_t n;
	assert_int_equal(store_history(h.store, "isp-a", version, &list, &n), ERR_OK);
	assert_int_equal(n, 1);
	const struct store_life life = list[0];
	free(list);
	return life;
}

/* The newest line of the audit log, "AUTHOR ACTION SUBJECT". */
static const char *deed(void)
{
	static char line[300];
	db_ask("SELECT author || ' ' || action || ' ' || subject FROM audit ORDER BY number DESC",
	       line, sizeof(line));
	return line;
}

static void expect_failed(uint64_t version, const char *why)
{
	assert_int_equal(minder_work(&h.minder, 1000), ERR_OK);
	const struct store_life l = life_of(version);
	assert_string_equal(l.plan_state, "failed");
	if (strstr(l.plan_reason, why) == NULL)
		assert_string_equal(l.plan_reason, why);
	assert_int_equal(l.activated, 0);
	assert_non_null(strstr(deed(), "schedule-failed"));
	assert_non_null(strstr(deed(), why));
}

static void a_plan_is_carried_out_when_its_time_has_come(void **state)
{
	(void)state;
	token("ci", STORE_OPERATOR, 0);
	(void)put("10.1.0.0/16", false);
	const uint64_t next = put("10.2.0.0/16", true);
	schedule("ci", next);
	assert_int_equal(minder_work(&h.minder, 999), ERR_OK);
	assert_string_equal(life_of(next).plan_state, "waiting");
	assert_int_equal(minder_work(&h.minder, 1000), ERR_OK);
	assert_string_equal(life_of(next).plan_state, "done");
	assert_true(life_of(next).about.in_force);
	assert_string_equal(life_of(next).activator, "ci");
}

static void a_plan_of_a_token_that_ended_is_not(void **state)
{
	(void)state;
	token("ci", STORE_OPERATOR, 0);
	token("brief", STORE_OPERATOR, time(NULL) + 1);
	token("was", STORE_OPERATOR, 0);
	(void)put("10.1.0.0/16", false);
	const uint64_t one = put("10.2.0.0/16", true);
	schedule("ci", one);
	assert_int_equal(store_token_remove(h.store, "ci", "admin"), ERR_OK);
	token("ci", STORE_OPERATOR, 0); /* who has the name now planned nothing */
	expect_failed(one, "the token ci, which scheduled it, was revoked");

	const uint64_t two = put("10.3.0.0/16", true);
	schedule("was", two);
	change_role("was", STORE_ANALYST);
	expect_failed(two, "the token was, which scheduled it, is that of a role analyst now");

	const uint64_t three = put("10.4.0.0/16", true);
	schedule("brief", three);
	struct store_plan due;
	for (int i = 0; i < 300; i++) {
		assert_int_equal(store_plan_due(h.store, 1000, &due), ERR_OK);
		if (strcmp(due.standing, "expired") == 0)
			break;
		(void)nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
	}
	expect_failed(three, "the token brief, which scheduled it, has expired");
}

static void want_approvals(void)
{
	struct store_settings s = STORE_SETTINGS_DEFAULT;
	s.approvals = 1;
	s.watch_seconds = 0;
	assert_int_equal(store_settings_put(h.store, "isp-a", &s, NULL, true, "admin"), ERR_OK);
}

static void a_plan_whose_approval_lapsed_is_not(void **state)
{
	(void)state;
	token("ci", STORE_OPERATOR, 0);
	token("bob", STORE_APPROVER, 0);
	(void)put("10.1.0.0/16", false);
	want_approvals();
	const uint64_t one = put("10.2.0.0/16", true);
	assert_int_equal(store_approve(h.store, "isp-a", one, "bob"), ERR_OK);
	schedule("ci", one);
	assert_int_equal(store_token_remove(h.store, "bob", "admin"), ERR_OK);
	expect_failed(one, "the approval by bob no longer counts: that token was revoked");
	assert_int_equal(life_of(one).state, STORE_DRAFT);

	token("bob", STORE_APPROVER, 0); /* another bob, who approves it, too */
	assert_int_equal(store_approve(h.store, "isp-a", one, "bob"), ERR_OK);
	assert_int_equal(life_of(one).state, STORE_APPROVED);
	schedule("ci", one);
	assert_int_equal(minder_work(&h.minder, 1000), ERR_OK);
	assert_int_equal(life_of(one).state, STORE_IN_FORCE);
}

/* A demoted operator is an approver: puts in force what was approved, wanted or not. */
static void who_lost_the_right_to_upload_needs_an_approval(void **state)
{
	(void)state;
	token("was", STORE_OPERATOR, 0);
	(void)put("10.1.0.0/16", false);
	const uint64_t one = put("10.2.0.0/16", true);
	schedule("was", one);
	change_role("was", STORE_APPROVER);
	expect_failed(one, "after somebody else than its author has approved it");
}

/* What the store asks in SQL is what the table of rights says. */
static void an_approval_counts_while_its_token_may_approve(void **state)
{
	(void)state;
	token("bob", STORE_APPROVER, 0);
	token("carol", STORE_APPROVER, 0);
	const uint64_t one = put("10.1.0.0/16", true);
	assert_int_equal(store_approve(h.store, "isp-a", one, "bob"), ERR_OK);
	for (enum store_role r = STORE_ADMIN; r < STORE_ROLES; r++) {
		const struct auth_who who = { .role = r, .provider = "isp-a" };
		if (r == STORE_ADMIN)
			continue; /* no token becomes one */
		change_role("bob", r);
		assert_int_equal(life_of(one).approval_counts,
		                 auth_may(&who, AUTH_APPROVE, "isp-a"));
	}
	assert_int_equal(store_approve(h.store, "isp-a", one, "carol"), ERR_OK);
	change_role("bob", STORE_APPROVER);
	change_role("carol", STORE_VIEWER);
	assert_string_equal(life_of(one).approver,
	                    "bob"); /* carol's is newer, and counts no more */
	assert_int_equal(store_approve(h.store, "isp-a", one, "admin"), ERR_OK);
	assert_int_equal(store_token_remove(h.store, "bob", "admin"), ERR_OK);
	assert_string_equal(life_of(one).approver, "admin");
	assert_true(life_of(one).approval_counts);
}

/* A change that is watched for an hour; returns its version and when it began. */
static uint64_t watched_change(int64_t *begun)
{
	(void)put("10.1.0.0/16", false);
	const uint64_t next = put("10.2.0.0/16", true);
	activate("alice", next, 0, 3600);
	*begun = life_of(next).watched_until - 3600;
	return next;
}

static void expect_taken_back(uint64_t version, const char *why)
{
	const struct store_life l = life_of(version);
	assert_int_equal(l.state, STORE_ROLLED_BACK);
	assert_string_equal(l.watch_state, "breached");
	if (strstr(l.undone, why) == NULL)
		assert_string_equal(l.undone, why);
	assert_true(life_of(version - 1).about.in_force);
	assert_non_null(strstr(deed(), "p4pd rollback isp-a topology version 1: "));
	assert_non_null(strstr(deed(), why));
	assert_int_equal(h.minder.n_lookouts, 1);
	assert_int_equal(minder_work(&h.minder, l.watched_until), ERR_OK);
	assert_int_equal(h.minder.n_lookouts, 0); /* forgets what is over */
}

static void a_change_that_loses_peers_is_taken_back(void **state)
{
	(void)state;
	int64_t begun;
	const uint64_t version = watched_change(&begun);
	h.peers = (struct maps_peers){ 100, 5 };
	assert_int_equal(minder_work(&h.minder, begun + 5), ERR_OK);
	assert_string_equal(life_of(version).watch_state, "watching");
	h.peers = (struct maps_peers){ 100, 6 };
	assert_int_equal(minder_work(&h.minder, begun + 6), ERR_OK); /* too soon to look again */
	assert_string_equal(life_of(version).watch_state, "watching");
	assert_int_equal(minder_work(&h.minder, begun + 10), ERR_OK);
	expect_taken_back(version, "6.0 percent of the live peers");
}

static void announce(enum metrics_counter id, uint64_t n)
{
	metrics_add(metrics_slot(h.metrics, 0), id, n);
}

static void a_change_that_fails_announces_is_taken_back(void **state)
{
	(void)state;
	int64_t begun;
	announce(METRIC_UDP_ANNOUNCE_BRIDGE, 1000);
	announce(METRIC_PEERS_BOGON, 10);
	const uint64_t version = watched_change(&begun);
	assert_int_equal(minder_work(&h.minder, begun + 5), ERR_OK);
	announce(METRIC_HTTP_ANNOUNCE_P4P, 500);
	announce(METRIC_HTTP_ANNOUNCE_REFUSED, 500);
	announce(METRIC_DENIED_UNLISTED, 500); /* an access list's doing */
	assert_int_equal(minder_work(&h.minder, begun + 10), ERR_OK);
	assert_string_equal(life_of(version).watch_state, "watching");
	announce(METRIC_UDP_ANNOUNCE_REFUSED, 50);
	announce(METRIC_PEERS_BOGON, 50);
	assert_int_equal(minder_work(&h.minder, begun + 15), ERR_OK);
	expect_taken_back(version, "rose from 1.0 to 9.5 percent");
}

/* Workers count why before they count that, and nobody stops them to be read. */
static void a_refusal_half_counted_is_no_failure(void **state)
{
	(void)state;
	int64_t begun;
	announce(METRIC_UDP_ANNOUNCE_BRIDGE, 1000);
	announce(METRIC_UDP_ANNOUNCE_REFUSED, 3);
	const uint64_t version = watched_change(&begun);
	assert_int_equal(minder_work(&h.minder, begun + 5), ERR_OK);
	announce(METRIC_UDP_ANNOUNCE_BRIDGE, 500);
	announce(METRIC_DENIED_TORRENT, 1);
	assert_int_equal(minder_work(&h.minder, begun + 10), ERR_OK);
	assert_string_equal(life_of(version).watch_state, "watching");
}

static void a_quiet_change_passes_and_without_a_tracker_too(void **state)
{
	(void)state;
	int64_t begun;
	h.minder.metrics = NULL;
	const uint64_t version = watched_change(&begun);
	assert_int_equal(minder_work(&h.minder, begun + 3599), ERR_OK);
	assert_string_equal(life_of(version).watch_state, "watching");
	assert_int_equal(minder_work(&h.minder, begun + 3605), ERR_OK);
	assert_string_equal(life_of(version).watch_state, "passed");
	assert_true(life_of(version).about.in_force);
}

static const struct CMUnitTest tests[] = {
	TEST(a_plan_is_carried_out_when_its_time_has_come),
	TEST(a_plan_of_a_token_that_ended_is_not),
	TEST(a_plan_whose_approval_lapsed_is_not),
	TEST(who_lost_the_right_to_upload_needs_an_approval),
	TEST(an_approval_counts_while_its_token_may_approve),
	TEST(a_change_that_loses_peers_is_taken_back),
	TEST(a_change_that_fails_announces_is_taken_back),
	TEST(a_refusal_half_counted_is_no_failure),
	TEST(a_quiet_change_passes_and_without_a_tracker_too),
};

RUN_TESTS(tests)
