/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/balance/quality.h"
#include "common/map/snapshot.h"
#include "server/collector/collector.h"
#include "tests/unit/accounting/folder.h"
#include "tests/unit/collector/export.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* isp-a's router 192.0.2.1 has port 17 at x; isp-b names no exporter. Bins of 300 seconds. */
static const char *const documents[] = {
	"{\"format\":\"p4p-topology/1\",\"provider\":\"isp-a\",\"asns\":[64500],"
	"\"pids\":[{\"pid\":\"p\",\"prefixes\":[\"10.1.0.0/16\"]}],"
	"\"interconnects\":[{\"id\":\"x\",\"pid\":\"p\",\"neighbor_asn\":64501,"
	"\"relation\":\"settlement-free\",\"exporters\":["
	"{\"address\":\"192.0.2.1\",\"ifindex\":17}]},"
	"{\"id\":\"t\",\"pid\":\"p\",\"neighbor_asn\":64510,\"relation\":\"transit\","
	"\"reach\":\"any\"}]}",
	"{\"format\":\"p4p-topology/1\",\"provider\":\"isp-b\",\"asns\":[64501],"
	"\"pids\":[{\"pid\":\"p\",\"prefixes\":[\"10.20.0.0/16\"]}],"
	"\"interconnects\":[{\"id\":\"x\",\"pid\":\"p\",\"neighbor_asn\":64500,"
	"\"relation\":\"settlement-free\"}]}",
};

enum { A = 0x0a010001, B = 0x0a140001, STRANGER = 0x2e000001 };
static const int64_t start = 1800000000;

struct room {
	struct map_office *office;
	struct collector *c;
	struct fault fault;
	uint32_t sequence;
};
static struct room r;

static struct collector_options options(void)
{
	return (struct collector_options){ .state_dir = folder,
		                           .bin_seconds = 300,
		                           .late_seconds = 3600,
		                           .overhead_bytes = 18,
		                           .lab = true,
		                           .measures_p2p = true,
		                           .office = r.office,
		                           .now = start };
}

static void publish(void)
{
	struct arena *arena = arena_new(1 << 16);
	struct faults *faults = faults_new();
	struct map_topology *topologies[2];
	struct map_source sources[2] = { 0 };
	struct map_snapshot *s = NULL;
	for (size_t i = 0; i < 2; i++) {
		must(map_topology_parse(documents[i], strlen(documents[i]), arena, &topologies[i],
		                        faults) == ERR_OK);
		sources[i].topology = topologies[i];
	}
	must(map_compile(sources, 2, &s, NULL) == ERR_OK && map_publish(r.office, s) == ERR_OK);
	faults_free(faults);
	arena_free(arena);
}

static void begin(void)
{
	const struct collector_options o = options();
	assert_int_equal(collector_new(&o, &r.c, &r.fault), ERR_OK);
}

static int open_room(void **state)
{
	if (folder_make(state) != 0)
		return -1;
	r = (struct room){ .office = map_office_new(snapshot_free) };
	publish();
	begin();
	return 0;
}

static int close_room(void **state)
{
	collector_free(r.c);
	map_office_free(r.office);
	return folder_remove(state);
}

/* As kill -9 leaves it. */
static void crash(void)
{
	collector_free(r.c);
	r.c = NULL;
	begin();
}

static void send(const char *exporter, const struct export_flow *f, int64_t now, uint16_t sampling)
{
	uint8_t bytes[EXPORT_MAX];
	struct collector_datagram d = {
		.bytes = bytes, .size = export_v5(bytes, f, 1, now, r.sequence++, sampling)
	};
	assert_int_equal(ip_parse(exporter, &d.from), ERR_OK);
	collector_take(r.c, &d, 1, now * 1000, 0);
}

static struct export_flow out_of_x(uint32_t bytes)
{
	return (struct export_flow){ .from = A,
		                     .to = B,
		                     .in_if = 1,
		                     .out_if = 17,
		                     .from_port = 6881,
		                     .to_port = 50000,
		                     .packets = 2,
		                     .bytes = bytes };
}

static void tick(int64_t now)
{
	assert_int_equal(collector_tick(r.c, now, &r.fault), ERR_OK);
}

/* The oldest closed bin's row of x of isp-a. */
static struct accounting_row closed(void)
{
	struct accounting_bin b;
	struct accounting_row row = { 0 };
	assert_int_equal(spool_first(collector_spool(r.c), &b, &r.fault), ERR_OK);
	for (size_t i = 0; i < b.n_rows; i++)
		if (strcmp(b.rows[i].provider, "isp-a") == 0 &&
		    strcmp(b.rows[i].interconnect, "x") == 0)
			row = b.rows[i];
	spool_remove(collector_spool(r.c), &b);
	accounting_bin_done(&b);
	assert_string_equal(row.provider, "isp-a");
	return row;
}

static size_t spooled(void)
{
	return collector_stats(r.c).spooled;
}

static void records_become_closed_bins(void **state)
{
	(void)state;
	struct export_flow f = out_of_x(1500);
	send("192.0.2.1", &f, start + 5, 1);
	f = (struct export_flow){
		.from = B, .to = A, .in_if = 17, .out_if = 1, .packets = 1, .bytes = 400
	};
	send("192.0.2.1", &f, start + 6, 1);
	f.in_if = 2; /* inside */
	send("192.0.2.1", &f, start + 7, 1);
	tick(start + 359);
	assert_int_equal(spooled(), 0);
	tick(start + 360);
	const struct accounting_row row = closed();
	assert_int_equal(row.out_bytes, 1500);
	assert_int_equal(row.in_bytes, 400);
	assert_int_equal(row.out_packets, 2);
	assert_true(row.measured_packets);
	assert_false(row.measured_p2p); /* nobody said who the peers are */
	assert_int_equal(row.observed_seconds, 3);
	assert_int_equal(row.quality, BIN_PARTIAL);
	const struct collector_stats s = collector_stats(r.c);
	assert_int_equal(s.booked_bytes, 1900);
	assert_int_equal(s.inside_bytes, 400);
	assert_int_equal(s.datagrams, 3);
	assert_int_equal(s.decoder.of[FLOW_NETFLOW5].records, 3);
}

static void who_is_not_allowed_is_refused(void **state)
{
	(void)state;
	struct export_flow f = out_of_x(1500);
	struct ip_prefix allowed;
	send("198.51.100.1", &f, start + 5, 1);
	assert_int_equal(collector_stats(r.c).refused, 1);
	send("127.0.0.1", &f, start + 5, 1); /* in a lab */
	assert_int_equal(collector_stats(r.c).refused, 1);
	collector_free(r.c);
	struct collector_options o = options();
	o.lab = false;
	assert_int_equal(collector_new(&o, &r.c, &r.fault), ERR_OK);
	send("127.0.0.1", &f, start + 5, 1);
	assert_int_equal(collector_stats(r.c).refused, 1);
	collector_free(r.c);
	assert_int_equal(ip_prefix_parse("198.51.100.0/24", &allowed), ERR_OK);
	o.allowed = &allowed;
	o.n_allowed = 1;
	assert_int_equal(collector_new(&o, &r.c, &r.fault), ERR_OK);
	send("198.51.100.1", &f, start + 5, 1);
	assert_int_equal(collector_stats(r.c).refused, 0);
	send("192.0.2.1", &f, start + 5, 1); /* though a topology names it */
	assert_int_equal(collector_stats(r.c).refused, 1);
}

/* By addresses; but x of isp-a is metered by 192.0.2.1. */
static void a_stranger_is_booked_by_places(void **state)
{
	(void)state;
	struct export_flow f = out_of_x(700);
	struct accounting_bin b;
	send("127.0.0.1", &f, start + 5, 1);
	f.to = STRANGER;
	send("127.0.0.1", &f, start + 5, 1);
	f.from = STRANGER;
	send("127.0.0.1", &f, start + 5, 1);
	assert_int_equal(collector_stats(r.c).unknown_bytes, 700);
	f = out_of_x(30); /* the same as its own exporter sees it */
	send("192.0.2.1", &f, start + 5, 1);
	tick(start + 360);
	assert_int_equal(spool_first(collector_spool(r.c), &b, &r.fault), ERR_OK);
	assert_int_equal(b.n_rows, 3);
	for (size_t i = 0; i < 3; i++) {
		const bool receives = strcmp(b.rows[i].provider, "isp-b") == 0;
		const bool named = !receives && strcmp(b.rows[i].interconnect, "x") == 0;
		assert_int_equal(b.rows[i].out_bytes, receives ? 0 : named ? 30 : 700);
		assert_int_equal(b.rows[i].in_bytes, receives ? 700 : 0);
		assert_int_equal(b.rows[i].observed_seconds, 1);
	}
	accounting_bin_done(&b);
}

/* softflowd says the same interface twice. */
static void a_probe_on_the_wire_is_booked_once(void **state)
{
	(void)state;
	struct export_flow f = out_of_x(1500);
	f.in_if = 17;
	send("192.0.2.1", &f, start + 5, 1);
	f.from = B;
	f.to = A;
	f.bytes = 400;
	send("192.0.2.1", &f, start + 5, 1);
	f.in_if = f.out_if = 9; /* no port */
	send("192.0.2.1", &f, start + 5, 1);
	tick(start + 360);
	const struct accounting_row row = closed();
	assert_int_equal(row.out_bytes, 1500);
	assert_int_equal(row.in_bytes, 400);
	assert_int_equal(collector_stats(r.c).inside_bytes, 400);
}

/* As softflowd does that was told of no interface. */
static void who_names_no_interface_goes_by_addresses(void **state)
{
	(void)state;
	struct export_flow f = out_of_x(1500);
	f.in_if = f.out_if = 0;
	send("192.0.2.1", &f, start + 5, 1);
	f.from = B;
	f.to = A;
	f.bytes = 400;
	send("192.0.2.1", &f, start + 5, 1);
	f.to = B; /* inside the neighbor */
	f.bytes = 30;
	send("192.0.2.1", &f, start + 5, 1);
	tick(start + 360);
	struct accounting_bin b;
	assert_int_equal(spool_first(collector_spool(r.c), &b, &r.fault), ERR_OK);
	for (size_t i = 0; i < b.n_rows; i++) {
		/* Of isp-b nothing is booked. */
		assert_string_equal(b.rows[i].provider, "isp-a");
		assert_string_equal(b.rows[i].interconnect, "x");
		assert_int_equal(b.rows[i].out_bytes, 1500);
		assert_int_equal(b.rows[i].in_bytes, 400);
	}
	assert_int_equal(b.n_rows, 1);
	accounting_bin_done(&b);
	assert_int_equal(collector_stats(r.c).inside_bytes, 30);
}

static void sampled_records_say_so(void **state)
{
	(void)state;
	const struct export_flow f = out_of_x(1500);
	send("192.0.2.1", &f, start + 5, 100);
	tick(start + 360);
	const struct accounting_row row = closed();
	assert_int_equal(row.out_bytes, 150000);
	assert_int_equal(row.quality, BIN_PARTIAL | BIN_SAMPLED);
}

static void live_peers_make_it_p2p(void **state)
{
	(void)state;
	struct export_flow f = out_of_x(1000);
	struct peer_set *peers = peer_set_new(10, 1);
	const struct ip_addr a = ip_v4(A);
	peer_set_add(peers, &a, 6881);
	assert_null(collector_peers(r.c, peers));
	send("192.0.2.1", &f, start + 5, 1);
	f.from_port = 80;
	send("192.0.2.1", &f, start + 5, 1);
	f = (struct export_flow){ .from = B,
		                  .to = A,
		                  .to_port = 6881,
		                  .in_if = 17,
		                  .out_if = 1,
		                  .packets = 1,
		                  .bytes = 300 };
	send("192.0.2.1", &f, start + 5, 1);
	tick(start + 360);
	const struct accounting_row row = closed();
	assert_true(row.measured_p2p);
	assert_int_equal(row.out_bytes, 2000);
	assert_int_equal(row.out_p2p_bytes, 1000);
	assert_int_equal(row.in_p2p_bytes, 300);
}

static void a_crash_loses_nothing_that_was_ticked_and_doubles_nothing(void **state)
{
	(void)state;
	struct export_flow f = out_of_x(1000);
	send("192.0.2.1", &f, start + 5, 1);
	tick(start + 5);
	crash();
	send("192.0.2.1", &f, start + 6, 1);
	tick(start + 6);
	send("192.0.2.1", &f, start + 7, 1);
	crash(); /* before the tick: that second is lost */
	tick(start + 360);
	assert_int_equal(closed().out_bytes, 2000);
	crash(); /* after it was closed, and the database has it */
	tick(start + 361);
	const struct accounting_row again = closed(); /* the same under the same key */
	assert_int_equal(again.out_bytes, 2000);
	assert_int_equal(again.quality & BIN_LATE, 0);
	send("192.0.2.1", &f, start + 362, 1);
	f.first_ms = f.last_ms = 300000;
	send("192.0.2.1", &f, start + 362, 1);
	tick(start + 422);
	const struct accounting_row late = closed();
	assert_int_equal(late.out_bytes, 3000);
	assert_int_equal(late.quality & BIN_LATE, BIN_LATE);
}

static size_t checkpoints(void)
{
	char path[128];
	size_t n = 0;
	(void)snprintf(path, sizeof(path), "%s/flow", folder);
	DIR *dir = opendir(path);
	assert_non_null(dir);
	for (struct dirent *d; (d = readdir(dir)) != NULL;)
		n += strlen(d->d_name) == 24 && strcmp(d->d_name + 20, ".bin") == 0;
	(void)closedir(dir);
	return n;
}

static void a_bin_is_forgotten_when_nothing_can_change_it(void **state)
{
	(void)state;
	const struct export_flow f = out_of_x(1000);
	send("192.0.2.1", &f, start + 5, 1);
	tick(start + 5);
	assert_int_equal(checkpoints(), 1);
	tick(start + 3899);
	assert_int_equal(checkpoints(), 1);
	tick(start + 3900);
	assert_int_equal(checkpoints(), 0);
	assert_int_equal(collector_stats(r.c).open_bins, 0);
	assert_int_equal(closed().out_bytes, 1000);
}

static void a_torn_checkpoint_is_set_aside(void **state)
{
	(void)state;
	char path[160];
	const struct export_flow f = out_of_x(1000);
	send("192.0.2.1", &f, start + 5, 1);
	send("192.0.2.1", &f, start + 305, 1);
	tick(start + 306);
	(void)snprintf(path, sizeof(path), "%s/flow/%020lld.bin", folder, (long long)start);
	assert_int_equal(truncate(path, 60), 0);
	crash();
	assert_int_equal(r.fault.code, ERR_MALFORMED);
	assert_non_null(strstr(r.fault.text, ".damaged"));
	assert_int_equal(collector_stats(r.c).open_bins, 1);
	assert_int_equal(checkpoints(), 1);
	/* What it had may be stored already. */
	struct export_flow late = out_of_x(50);
	late.first_ms = late.last_ms = 300000;
	send("192.0.2.1", &late, start + 400, 1);
	assert_int_equal(collector_stats(r.c).old_bytes, 50);
	tick(start + 700);
	assert_int_equal(closed().out_bytes, 1000);
	assert_int_equal(spooled(), 0);
}

static void what_the_disk_does_not_take_waits(void **state)
{
	(void)state;
	char spool[160], away[160];
	const struct export_flow f = out_of_x(1000);
	(void)snprintf(spool, sizeof(spool), "%s/flow/spool", folder);
	(void)snprintf(away, sizeof(away), "%s/away", folder);
	send("192.0.2.1", &f, start + 5, 1);
	assert_int_equal(rename(spool, away), 0);
	for (int64_t t = start + 360; t < start + 8000; t += 60)
		assert_int_equal(collector_tick(r.c, t, &r.fault), ERR_SYSTEM);
	assert_int_equal(checkpoints(), 1);
	assert_int_equal(rename(away, spool), 0);
	tick(start + 8001);
	assert_int_equal(closed().out_bytes, 1000);
	assert_int_equal(checkpoints(), 0);
	assert_int_equal(collector_stats(r.c).bins_lost, 0);
}

static void the_end_writes_what_is_open(void **state)
{
	(void)state;
	const struct export_flow f = out_of_x(1000);
	send("192.0.2.1", &f, start + 5, 1);
	assert_int_equal(collector_flush(r.c, start + 10, &r.fault), ERR_OK);
	assert_int_equal(closed().out_bytes, 1000);
	crash(); /* in truth a restart */
	send("192.0.2.1", &f, start + 20, 1);
	tick(start + 360);
	const struct accounting_row row = closed();
	assert_int_equal(row.out_bytes, 2000);
	assert_int_equal(row.quality & BIN_LATE, 0);
}

/* Sent at `sent` by the exporter's clock. */
static void send_at(int64_t sent, int64_t now)
{
	uint8_t bytes[EXPORT_MAX];
	const struct export_flow f = out_of_x(1000);
	struct collector_datagram d = { .bytes = bytes,
		                        .size = export_v5(bytes, &f, 1, sent, r.sequence++, 1) };
	assert_int_equal(ip_parse("192.0.2.1", &d.from), ERR_OK);
	collector_take(r.c, &d, 1, now * 1000, 0);
}

/* All that is closed, added up. */
static uint64_t all_closed(void)
{
	uint64_t sum = 0;
	while (spooled() > 0)
		sum += closed().out_bytes;
	return sum;
}

/* The exporter's clock is right all the time. */
static void a_clock_that_leaps_and_comes_back_loses_nothing(void **state)
{
	(void)state;
	enum { LEAP = 5 * 86400 };
	uint64_t stored = 0;
	for (int64_t t = start; t < start + 1800; t += 10) {
		const bool wrong = t >= start + 700 && t < start + 760;
		const int64_t now = wrong ? t + LEAP : t;
		send_at(t, now);
		tick(now);
		stored += all_closed();
	}
	struct collector_stats s = collector_stats(r.c);
	assert_int_equal(s.clock_backwards, 1);
	assert_int_equal(s.old_bytes, 0);
	assert_int_equal(s.booked_bytes, 180 * 1000);
	assert_int_equal(s.records_askew, 6);
	tick(start + 1900);
	stored += all_closed();
	/* What came while it was wrong waits until that time has come. */
	assert_int_equal(stored, 174 * 1000);
	tick(start + LEAP + 2000);
	assert_int_equal(stored + all_closed(), 180 * 1000);
}

static void a_clock_that_was_ahead_from_the_start_is_followed_back(void **state)
{
	(void)state;
	send_at(start + 4000, start + 400000);
	send_at(start + 4010, start + 4010);
	send_at(start + 4020, start + 4015); /* within what clocks differ by */
	tick(start + 4560);
	assert_int_equal(closed().out_bytes, 2000);
	assert_int_equal(collector_stats(r.c).old_bytes, 0);
}

/* Of an exporter whose own clock is wrong. */
static void a_clock_that_no_bin_is_open_for_is_not_believed(void **state)
{
	(void)state;
	send_at(start - 86400 * 365, start + 100);
	send_at(start + 86400, start + 100);
	send_at(start - 3000, start + 100); /* late, perhaps: a bin of its own */
	tick(start + 360);
	const struct collector_stats s = collector_stats(r.c);
	assert_int_equal(s.records_askew, 2);
	assert_int_equal(s.booked_bytes, 3000);
	assert_int_equal(closed().out_bytes, 1000);
	assert_int_equal(closed().out_bytes, 2000);
}

static void a_forgotten_bin_is_not_made_again_by_another_process(void **state)
{
	(void)state;
	struct collector_options o = options();
	const struct export_flow f = out_of_x(1000);
	send("192.0.2.1", &f, start + 5, 1);
	tick(start + 400);
	assert_int_equal(closed().out_bytes, 1000);
	tick(start + 4000);
	assert_int_equal(checkpoints(), 0);
	collector_free(r.c);
	o.late_seconds = 86400;
	o.now = start + 4001;
	assert_int_equal(collector_new(&o, &r.c, &r.fault), ERR_OK);
	send_at(start + 10, start + 4001);
	assert_int_equal(collector_stats(r.c).old_bytes, 1000);
	tick(start + 4500);
	assert_int_equal(all_closed(), 0);
}

static void without_a_map_bins_wait(void **state)
{
	(void)state;
	const struct export_flow f = out_of_x(1000);
	send("192.0.2.1", &f, start + 5, 1);
	tick(start + 5);
	collector_free(r.c);
	map_office_free(r.office);
	r.office = map_office_new(snapshot_free);
	begin();
	send("192.0.2.1", &f, start + 6, 1);
	assert_int_equal(collector_stats(r.c).refused, 1); /* no topology names it yet */
	tick(start + 1000);
	assert_int_equal(spooled(), 0);
	publish();
	tick(start + 1001);
	assert_int_equal(closed().out_bytes, 1000);
}

static void exporters_are_listed(void **state)
{
	(void)state;
	const struct export_flow f = out_of_x(1000);
	struct collector_exporter *list = NULL;
	struct collector_datagram junk = { .bytes = "junk", .size = 4 };
	size_t n = 0;
	send("192.0.2.1", &f, start + 5, 100);
	r.sequence += 7;
	send("192.0.2.1", &f, start + 9, 100);
	assert_int_equal(ip_parse("127.0.0.1", &junk.from), ERR_OK);
	collector_take(r.c, &junk, 1, (start + 10) * 1000, 3);
	assert_int_equal(collector_exporters(r.c, &list, &n), ERR_OK);
	assert_int_equal(n, 2);
	assert_string_equal(list[0].provider, "isp-a");
	assert_string_equal(list[0].protocol, "netflow5");
	assert_int_equal(list[0].last_seen, start + 9);
	assert_int_equal(list[0].datagrams, 2);
	assert_int_equal(list[0].records, 2);
	assert_int_equal(list[0].sampling, 100);
	assert_string_equal(list[1].provider, "");
	assert_string_equal(list[1].protocol, "");
	assert_int_equal(list[1].malformed, 1);
	assert_int_equal(collector_stats(r.c).dropped, 3);
	free(list);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_room, close_room)

static const struct CMUnitTest tests[] = {
	TEST(records_become_closed_bins),
	TEST(who_is_not_allowed_is_refused),
	TEST(a_stranger_is_booked_by_places),
	TEST(a_probe_on_the_wire_is_booked_once),
	TEST(who_names_no_interface_goes_by_addresses),
	TEST(sampled_records_say_so),
	TEST(live_peers_make_it_p2p),
	TEST(a_crash_loses_nothing_that_was_ticked_and_doubles_nothing),
	TEST(a_bin_is_forgotten_when_nothing_can_change_it),
	TEST(a_torn_checkpoint_is_set_aside),
	TEST(what_the_disk_does_not_take_waits),
	TEST(the_end_writes_what_is_open),
	TEST(a_clock_that_leaps_and_comes_back_loses_nothing),
	TEST(a_clock_that_was_ahead_from_the_start_is_followed_back),
	TEST(a_clock_that_no_bin_is_open_for_is_not_believed),
	TEST(a_forgotten_bin_is_not_made_again_by_another_process),
	TEST(without_a_map_bins_wait),
	TEST(exporters_are_listed),
};

RUN_TESTS(tests)
