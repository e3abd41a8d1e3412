/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/balance/quality.h"
#include "common/base/random.h"
#include "server/accounting/spool.h"
#include "server/app/feeder.h"
#include "server/disk/disk.h"
#include "tests/support/db.h"
#include "tests/unit/accounting/folder.h"
#include "tests/unit/accounting/world.h"
#include "tests/unit/collector/export.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

/* What a daemon gives its feeder, on a database without a table. */
static struct house {
	struct store *store;
	struct map_office *office;
	struct maps *maps;
	struct metrics *metrics;
	struct spool spool, flows;
	struct feeder *feeder;
	atomic_uint access_calls, access_failures;
} h;

static enum err access_changed(void *ctx)
{
	(void)ctx;
	return atomic_fetch_add(&h.access_calls, 1) < atomic_load(&h.access_failures) ? ERR_AWAY
	                                                                              : ERR_OK;
}

static void know_one_swarm(void *ctx, struct swarm_name *names, size_t n)
{
	(void)ctx;
	for (size_t i = 0; i < n; i++)
		if (names[i].swarm == 7)
			memset(names[i].name, 'a', 40);
}

static atomic_uint freed;

static void count_freed(struct map_snapshot *map)
{
	snapshot_free(map);
	atomic_fetch_add(&freed, 1);
}

static int open_house(void **state)
{
	struct fault f;
	if (folder_make(state) != 0)
		return -1;
	h = (struct house){ .office = map_office_new(count_freed), .metrics = metrics_new(3) };
	h.store = store_new(&(struct store_options){
		.conninfo = db_new(), .connections = 2, .timeout_seconds = 2 });
	const struct maps_options maps = {
		.state_dir = folder, .lab = true, .store = h.store, .office = h.office
	};
	must(maps_new(&maps, &h.maps, &f) == ERR_OK);
	char flows[300];
	(void)snprintf(flows, sizeof(flows), "%s/flow", folder);
	must(disk_folder(flows, 0700, &f) == ERR_OK);
	must(spool_init(&h.spool, folder, &f) == ERR_OK);
	must(spool_init(&h.flows, flows, &f) == ERR_OK);
	return 0;
}

static int close_house(void **state)
{
	feeder_stop(h.feeder, 1);
	spool_done(&h.spool);
	spool_done(&h.flows);
	maps_free(h.maps);
	map_office_free(h.office);
	store_free(h.store);
	metrics_free(h.metrics);
	return folder_remove(state);
}

static const char *life = "one"; /* of the state folder */

static void start_on(struct spool *announces, struct spool *flows)
{
	const struct feeder_options o = { .store = h.store,
		                          .maps = h.maps,
		                          .spools = { announces, flows },
		                          .metrics = metrics_slot(h.metrics, 2),
		                          .node = "test",
		                          .life = life,
		                          .state_dir = folder,
		                          .retry_ms = 1,
		                          .access_changed = access_changed,
		                          .swarm_names = { know_one_swarm, NULL } };
	h.feeder = feeder_start(&o);
	assert_non_null(h.feeder);
}

static void start(void)
{
	start_on(&h.spool, &h.flows);
}

static void close_bin(int64_t start_of, uint64_t out_bytes)
{
	struct accounting_row row = { .provider = "isp-a",
		                      .interconnect = "t",
		                      .out_bytes = out_bytes };
	const struct accounting_bin b = { .start = start_of,
		                          .seconds = 300,
		                          .observed_seconds = 300,
		                          .rows = &row,
		                          .n_rows = 1 };
	assert_int_equal(spool_write(&h.spool, &b, NULL), ERR_OK);
}

static void nap(void)
{
	(void)nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
}

/* Hurries the feeder until a spool is empty. */
static void wait_empty_of(struct spool *spool)
{
	struct accounting_bin b;
	for (unsigned i = 0; spool_first(spool, &b, NULL) == ERR_OK; i++) {
		accounting_bin_done(&b);
		assert_true(i < 3000);
		store_wake(h.store);
		nap();
	}
}

static void wait_empty(void)
{
	wait_empty_of(&h.spool);
}

static void close_bin_with_matrix(int64_t start_of)
{
	struct accounting_row row = { .provider = "isp-a", .interconnect = "t", .out_bytes = 30 };
	struct accounting_cell cell = { .provider = "isp-a",
		                        .interconnect = "t",
		                        .direction = ACCOUNTING_OUT,
		                        .tier = TIER_TRANSIT,
		                        .from = "pid:isp-a/x",
		                        .to = "as:7",
		                        .bytes = 30,
		                        .sure_bytes = 20,
		                        .unmet_bytes = 10,
		                        .spread = 3,
		                        .cost = 4 };
	struct accounting_swarm swarms[] = {
		{ .provider = "isp-a", .swarm = 7, .swarms = 1, .bytes = { [TIER_TRANSIT] = 20 } },
		{ .provider = "isp-a", .swarm = 8, .swarms = 1, .bytes = { [TIER_TRANSIT] = 9 } },
		{ .provider = "isp-a", .swarms = 5, .bytes = { [TIER_TRANSIT] = 1 } },
	};
	const struct accounting_bin b = { .start = start_of,
		                          .seconds = 300,
		                          .observed_seconds = 300,
		                          .rows = &row,
		                          .n_rows = 1,
		                          .cells = &cell,
		                          .n_cells = 1,
		                          .swarms = swarms,
		                          .n_swarms = 3 };
	assert_int_equal(spool_write(&h.spool, &b, NULL), ERR_OK);
}

static bool is_aside(int64_t start_of)
{
	char path[256];
	(void)snprintf(path, sizeof(path), "%s/%020lld.bin.refused", h.spool.dir,
	               (long long)start_of);
	return access(path, F_OK) == 0;
}

static void stored(const char *wanted)
{
	char sum[32];
	db_ask("SELECT coalesce(string_agg(out_bytes::text, ' ' ORDER BY start), '') FROM bins",
	       sum, sizeof(sum));
	assert_string_equal(sum, wanted);
}

static void carries_bins_over_oldest_first(void **state)
{
	(void)state;
	close_bin(1800000300, 2);
	close_bin(1800000000, 1);
	start();
	wait_empty();
	stored("1 2");
	assert_true(feeder_connected(h.feeder));
}

static void close_flow_bin(int64_t start_of)
{
	struct accounting_row row = { .provider = "isp-a",
		                      .interconnect = "t",
		                      .out_bytes = 1000,
		                      .in_bytes = 2000,
		                      .observed_seconds = 299,
		                      .measured_packets = true,
		                      .out_packets = 3,
		                      .in_packets = 4,
		                      .measured_p2p = true,
		                      .out_p2p_bytes = 500,
		                      .in_p2p_bytes = 600,
		                      .quality = BIN_LATE };
	const struct accounting_bin b = { .source = ACCOUNTING_FLOW,
		                          .start = start_of,
		                          .seconds = 300,
		                          .rows = &row,
		                          .n_rows = 1 };
	assert_int_equal(spool_write(&h.flows, &b, NULL), ERR_OK);
}

/* As after the state folder was lost: what is left of a bin is added, whatever is stored. */
static void another_life_lowers_nothing_that_is_stored(void **state)
{
	(void)state;
	static const char *const lives[] = { "one", "another", "another", "one" };
	static const uint64_t bytes[] = { 1000, 30, 40, 1001 };
	for (unsigned i = 0; i < 4; i++) {
		life = lives[i];
		start();
		close_bin(1800000000, bytes[i]);
		wait_empty();
		feeder_stop(h.feeder, 1);
		h.feeder = NULL;
	}
	life = "one";
	char found[64];
	db_ask("SELECT sum(out_bytes) || ': ' || string_agg(node, ' ' ORDER BY node) FROM bins",
	       found, sizeof(found));
	assert_string_equal(found, "1041: test test~2");
}

/* From before this node was known there, while the daemon runs. */
static void an_older_database_gets_bins_too(void **state)
{
	(void)state;
	start();
	close_bin(1800000000, 1);
	wait_empty();
	assert_string_equal(db_state_of("DELETE FROM node_lives"), "");
	close_bin(1800000300, 2);
	wait_empty();
	stored("1 2");
}

/* With what the spool says, and ended. */
static void live_on(uint64_t first, uint64_t second)
{
	const int64_t t = 1699999800; /* a bin that is over */
	start();
	close_bin(t, first);
	if (second > 0)
		close_bin(t + 300, second);
	wait_empty();
	feeder_stop(h.feeder, 1);
	h.feeder = NULL;
}

static void an_older_state_folder_lowers_nothing_that_is_stored(void **state)
{
	(void)state;
	char *steps;
	size_t size;
	live_on(1000, 0);
	live_on(900, 0);
	stored("900"); /* the folder knows better */
	assert_int_equal(disk_read(folder, "steps", &steps, &size, NULL), ERR_OK);
	live_on(910, 500);
	assert_int_equal(disk_replace(folder, "steps", 0600, steps, size, NULL), ERR_OK);
	free(steps);
	live_on(30, 600);
	stored("910 600");
	live_on(40, 10); /* and so on: they may still be open */
	stored("910 600");
	close_bin(1800000000, 2); /* but not for ever */
	live_on(1000, 0);
	close_bin(1800000000, 1);
	live_on(20, 0);
	stored("1000 600 1");
}

static void flows_have_a_spool_and_a_source_of_their_own(void **state)
{
	(void)state;
	char text[128];
	close_bin(1800000000, 7);
	close_flow_bin(1800000000);
	start();
	wait_empty();
	wait_empty_of(&h.flows);
	db_ask("SELECT string_agg(concat_ws(',', source, observed_seconds, out_bytes, in_bytes, "
	       "out_packets, in_packets, out_p2p_bytes, in_p2p_bytes, quality), ' ' "
	       "ORDER BY source) FROM bins",
	       text, sizeof(text));
	assert_string_equal(text, "announce,300,7,0,0 flow,299,1000,2000,3,4,500,600,17");
}

/* Each spool waits for its own. */
static void a_refused_bin_does_not_hold_up_flows(void **state)
{
	(void)state;
	struct fault f;
	char text[32] = "";
	assert_int_equal(store_migrate(h.store, &f), ERR_OK);
	assert_string_equal(db_state_of("ALTER TABLE bins ADD CONSTRAINT no "
	                                "CHECK (source <> 'announce')"),
	                    "");
	close_bin(1800000000, 7);
	close_bin(1800000300, 7);
	close_flow_bin(1800000000);
	start();
	for (unsigned i = 0; strcmp(text, "1") != 0; i++) {
		assert_true(i < 1000);
		nap();
		db_ask("SELECT count(*) FROM bins WHERE source = 'flow'", text, sizeof(text));
	}
	assert_false(is_aside(1800000300));
	assert_string_equal(db_state_of("ALTER TABLE bins DROP CONSTRAINT no"), "");
}

static void a_bin_that_can_never_be_stored_does_not_hold_up_the_rest(void **state)
{
	(void)state;
	close_bin(600, 7); /* in 1970 */
	close_bin(1800000000, 1);
	start();
	wait_empty();
	stored("1");
	assert_true(is_aside(600));
}

static void a_bin_that_is_refused_again_and_again_is_set_aside(void **state)
{
	(void)state;
	struct fault f;
	assert_int_equal(store_migrate(h.store, &f), ERR_OK);
	assert_string_equal(db_state_of("ALTER TABLE bins ADD CHECK (out_bytes <> 7)"), "");
	close_bin(1800000000, 7);
	close_bin(1800000300, 2);
	start();
	wait_empty();
	stored("2");
	assert_true(is_aside(1800000000));
}

static void a_refusal_that_passes_costs_nothing(void **state)
{
	(void)state;
	struct fault f;
	assert_int_equal(store_migrate(h.store, &f), ERR_OK);
	assert_string_equal(db_state_of("ALTER TABLE bins ADD CONSTRAINT no CHECK (false)"), "");
	close_bin(1800000000, 1);
	start();
	while (atomic_load(&h.access_calls) == 0)
		nap();
	assert_string_equal(db_state_of("ALTER TABLE bins DROP CONSTRAINT no"), "");
	wait_empty();
	stored("1");
}

static void what_could_not_be_followed_is_tried_again(void **state)
{
	(void)state;
	atomic_store(&h.access_failures, 3);
	start();
	for (unsigned i = 0; atomic_load(&h.access_calls) <= 3; i++) {
		assert_true(i < 1000); /* though nothing has changed since */
		store_wake(h.store);
		nap();
	}
}

static void the_access_list_is_loaded_when_asked(void **state)
{
	(void)state;
	start();
	while (!feeder_connected(h.feeder))
		nap();
	const unsigned before = atomic_load(&h.access_calls);
	feeder_access(h.feeder);
	for (unsigned i = 0; atomic_load(&h.access_calls) == before; i++) {
		assert_true(i < 500);
		nap();
	}
}

static void publish_empty_map(void)
{
	struct map_snapshot *map;
	assert_int_equal(map_compile(NULL, 0, &map, NULL), ERR_OK);
	assert_int_equal(map_publish(h.office, map), ERR_OK);
}

/* Else an idle daemon would keep an old map until the next one comes. */
static void a_map_that_nobody_uses_any_more_is_freed(void **state)
{
	(void)state;
	struct map_lease lease = { 0 };
	publish_empty_map();
	(void)map_renew(h.office, &lease);
	publish_empty_map();
	start();
	const unsigned before = atomic_load(&freed);
	map_end(&lease);
	for (unsigned i = 0; atomic_load(&freed) == before; i++) {
		assert_true(i < 500);
		store_wake(h.store);
		nap();
	}
}

static void a_matrix_is_stored_with_what_swarms_are_called(void **state)
{
	(void)state;
	const int64_t t = 1800000000;
	const struct store_ask ask = { .window = { .from = t, .to = t + 300 }, .limit = 10 };
	struct store_matrix_row *rows;
	struct store_top_swarm *swarms;
	struct store_matrix_about about;
	size_t n;
	close_bin_with_matrix(t);
	start();
	wait_empty();
	assert_int_equal(store_matrix(h.store, &ask, &rows, &n, &about), ERR_OK);
	assert_int_equal(n, 1);
	assert_string_equal(rows[0].from, "pid:isp-a/x");
	assert_string_equal(rows[0].to, "as:7");
	assert_int_equal(rows[0].direction, STORE_OUT);
	assert_string_equal(rows[0].sum.private_bytes, "20");
	assert_string_equal(rows[0].sum.unmet_bytes, "10");
	free(rows);
	assert_int_equal(store_top_swarms(h.store, &ask, &swarms, &n, &about), ERR_OK);
	assert_int_equal(n, 3);
	assert_string_equal(swarms[0].swarm, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
	assert_string_equal(swarms[1].swarm, "#0000000000000008");
	assert_string_equal(swarms[2].swarm, "");
	assert_int_equal(swarms[2].swarms, 5);
	free(swarms);
}

/* ---- an hour of a clock of ours ---- */

enum { BIN = 300, BINS = 15, CLIENTS = 6, MB = 1000000 };
enum { AWAY = 150, FULL = 1200, ROOM = 2400, BACK = AWAY + 3600 }; /* seconds since BEGIN */
static const int64_t BEGIN = 1800000000;
_Static_assert(FULL > AWAY && ROOM < BACK, "the disk is full while the database is away");

/* What books announces and flows; providers isp0, isp1 and isp2 of world.h. */
struct booking_house {
	struct map_office *office;
	struct map_lease lease;
	struct accounting *announces;
	struct collector *flows;
	uint64_t up[CLIENTS], down[CLIENTS];
	struct rlimit room; /* on the disk, as it was */
};

static void open_books(struct booking_house *b)
{
	struct fault f;
	b->office = map_office_new(snapshot_free);
	assert_int_equal(map_publish(b->office, world_new(3, 2)), ERR_OK);
	(void)map_renew(b->office, &b->lease);
	const struct accounting_options announces = { .slots = 2,
		                                      .bin_seconds = BIN,
		                                      .max_peer_mbps = 1000000,
		                                      .state_dir = folder,
		                                      .ledger_max = 1000,
		                                      .office = b->office,
		                                      .metrics = h.metrics,
		                                      .now = BEGIN };
	assert_int_equal(accounting_new(&announces, &b->announces, &f), ERR_OK);
	accounting_trial(b->announces, 50, "bridge");
	const struct collector_options flows = { .state_dir = folder,
		                                 .bin_seconds = BIN,
		                                 .late_seconds = 3600,
		                                 .lab = true,
		                                 .office = b->office,
		                                 .now = BEGIN };
	assert_int_equal(collector_new(&flows, &b->flows, &f), ERR_OK);
	start_on(accounting_spool(b->announces), collector_spool(b->flows));
}

static void close_books(struct booking_house *b)
{
	feeder_stop(h.feeder, 1);
	h.feeder = NULL;
	accounting_free(b->announces);
	collector_free(b->flows);
	map_end(&b->lease);
	map_office_free(b->office);
}

/* One client a second moves up to a megabyte and is handed those of another place. */
static void announce(struct booking_house *b, int64_t now)
{
	const unsigned who = (unsigned)(now % CLIENTS);
	const unsigned whom = (who + 1 + (unsigned)(now / CLIENTS % (CLIENTS - 1))) % CLIENTS;
	struct accounting_slot *s = accounting_slot(b->announces, who % 2);
	const bool known = b->down[who] != 0;
	b->up[who] += random_mix((uint64_t)now) % MB;
	b->down[who] += random_mix(~(uint64_t)now) % MB;
	const struct announce said = { .uploaded = b->up[who],
		                       .downloaded = b->down[who],
		                       .left = MB,
		                       .event = known ? EVENT_NONE : EVENT_STARTED };
	const struct accounting_announce note = { .announce = &said,
		                                  .client = random_mix(who),
		                                  .swarm = 1 + who % 2,
		                                  .known = known,
		                                  .silent = CLIENTS,
		                                  .place = world_place(b->lease.map, who % 3,
		                                                       who / 3),
		                                  .now = now };
	const struct accounting_handed handed = {
		.place = world_place(b->lease.map, whom % 3, whom / 3), .count = 1, .candidates = 2
	};
	accounting_enter(s, &b->lease);
	accounting_note(s, &note);
	accounting_handed(s, &handed, 1);
	accounting_leave(s);
}

/* One flow a second, from isp0 or to it, of up to a minute: some end in another bin than they began in. */
static void export_one(const struct booking_house *b, int64_t now)
{
	enum { HERE = 0x0a000105, THERE = 0x0a010007 };
	uint8_t bytes[EXPORT_MAX];
	const uint64_t chance = random_mix((uint64_t)now + 1);
	const bool out = chance & 1;
	const struct export_flow f = { .from = out ? HERE : THERE,
		                       .to = out ? THERE : HERE,
		                       .packets = 1000,
		                       .bytes = (uint32_t)(chance % MB),
		                       .first_ms = (uint32_t)(chance >> 32) % 60000 };
	struct collector_datagram d = { .bytes = bytes };
	d.size = export_v5(bytes, &f, 1, now, (uint32_t)(now - BEGIN), 1);
	assert_int_equal(ip_parse("127.0.0.1", &d.from), ERR_OK);
	collector_take(b->flows, &d, 1, now * 1000, 0);
}

static void disturb(struct booking_house *b, int64_t second)
{
	struct rlimit none = { .rlim_max = b->room.rlim_max };
	if (second == AWAY) {
		wait_empty_of(collector_spool(b->flows));
		db_server("stop");
	} else if (second == FULL) {
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	} else if (second == ROOM) {
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &b->room), 0);
	}
	if (second != BACK)
		return;
	assert_int_equal(accounting_stats(b->announces).spooled, 12);
	assert_int_equal(collector_stats(b->flows).spooled, 12);
	for (unsigned i = 0; !feeder_away(h.feeder); i++) {
		assert_true(i < 1000);
		store_wake(h.store);
		nap();
	}
	db_server("start");
}

static void live_through(bool disturbed)
{
	struct booking_house b = { 0 };
	struct fault f;
	unsigned failures = 0;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &b.room), 0);
	(void)signal(SIGXFSZ, SIG_IGN);
	open_books(&b);
	while (!feeder_connected(h.feeder))
		nap();
	for (int64_t second = 1; second < (BINS + 1) * BIN; second++) {
		if (disturbed)
			disturb(&b, second);
		if (second < BINS * BIN) {
			announce(&b, BEGIN + second);
			export_one(&b, BEGIN + second);
		}
		failures += accounting_tick(b.announces, BEGIN + second, &f) != ERR_OK;
		failures += collector_tick(b.flows, BEGIN + second, &f) != ERR_OK;
	}
	assert_int_equal(failures, disturbed ? 2 * (ROOM - FULL) : 0);
	wait_empty_of(accounting_spool(b.announces));
	wait_empty_of(collector_spool(b.flows));
	close_books(&b);
}

static void all_that_is_stored(char *out, size_t room)
{
	db_ask("SELECT string_agg(line, E'\n' ORDER BY line) FROM ("
	       " SELECT concat_ws(',', provider, id, source, start, node, seconds, "
	       "  observed_seconds, out_bytes, in_bytes, out_packets, in_packets, "
	       "  out_p2p_bytes, in_p2p_bytes, quality) AS line "
	       "  FROM bins JOIN interconnects ON number = interconnect "
	       " UNION ALL SELECT matrix::text FROM matrix "
	       " UNION ALL SELECT swarm_bytes::text FROM swarm_bytes "
	       " UNION ALL SELECT steering::text FROM steering) lines",
	       out, room);
	assert_true(strlen(out) < room - 1);
}

/* And the disk is full for a third of it. */
static void an_hour_without_the_database_changes_no_bin(void **state)
{
	static char wanted[1 << 20], found[1 << 20];
	char count[16];
	live_through(false);
	all_that_is_stored(wanted, sizeof(wanted));
	/*
	 * Of announces all six interconnects, of flows the two between isp0 and isp1, and of these one bin
	 * more: the first began before it all.
	 */
	db_ask("SELECT count(*) FILTER (WHERE out_bytes + in_bytes > 0) FROM bins", count,
	       sizeof(count));
	assert_string_equal(count, "122");
	assert_int_equal(close_house(state), 0);
	assert_int_equal(open_house(state), 0);
	live_through(true);
	all_that_is_stored(found, sizeof(found));
	assert_string_equal(found, wanted);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_house, close_house)

static const struct CMUnitTest tests[] = {
	TEST(carries_bins_over_oldest_first),
	TEST(another_life_lowers_nothing_that_is_stored),
	TEST(an_older_database_gets_bins_too),
	TEST(an_older_state_folder_lowers_nothing_that_is_stored),
	TEST(flows_have_a_spool_and_a_source_of_their_own),
	TEST(a_refused_bin_does_not_hold_up_flows),
	TEST(a_bin_that_can_never_be_stored_does_not_hold_up_the_rest),
	TEST(a_bin_that_is_refused_again_and_again_is_set_aside),
	TEST(a_refusal_that_passes_costs_nothing),
	TEST(what_could_not_be_followed_is_tried_again),
	TEST(the_access_list_is_loaded_when_asked),
	TEST(a_map_that_nobody_uses_any_more_is_freed),
	TEST(a_matrix_is_stored_with_what_swarms_are_called),
	TEST(an_hour_without_the_database_changes_no_bin),
};

RUN_TESTS(tests)
