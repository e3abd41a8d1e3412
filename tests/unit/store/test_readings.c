/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/store/opened.h"

#include "common/balance/quality.h"
#include "common/base/random.h"
#include "server/store/readings.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BIN = 300, LATE = 86400 };
static const int64_t NOVEMBER = 1793491200; /* 2026, UTC */

static struct store_readings_rules rules_at(int64_t now)
{
	return (struct store_readings_rules){
		.node = "samples", .bin_seconds = BIN, .late_seconds = LATE, .now = now
	};
}

static int open_with_interconnects(void **state)
{
	(void)open_store(state);
	assert_string_equal(db_state_of("INSERT INTO providers (provider) VALUES ('isp-a')"), "");
	assert_string_equal(
		db_state_of("INSERT INTO interconnects (provider, id, relation, capacity_mbps) "
	                    "VALUES ('isp-a', 'a-b', 'transit', 1000), "
	                    " ('isp-a', 'a-c', 'transit', 1000)"),
		"");
	return 0;
}

static struct store_reading reading(const char *port, int64_t second, uint64_t octets)
{
	struct store_reading r = { .provider = "isp-a",
		                   .interconnect = "a-b",
		                   .reading = { .at_ms = (NOVEMBER + second) * 1000,
		                                .octets = { octets, octets / 2 },
		                                .bits = 64 } };
	(void)snprintf(r.port, sizeof(r.port), "%s", port);
	return r;
}

static struct store_readings_made put(struct store_reading *rows, size_t n, int64_t now)
{
	const struct store_readings_rules rules = rules_at(NOVEMBER + now);
	struct store_readings_made made;
	assert_int_equal(store_readings(s, rows, n, &rules, &made), ERR_OK);
	return made;
}

static const char *bins(void)
{
	static char text[1 << 16];
	db_ask("SELECT coalesce(string_agg(concat_ws(':', (start - 1793491200) / 300, out_bytes, "
	       " in_bytes, coalesce(out_packets::text, '-'), observed_seconds, quality), ' ' "
	       " ORDER BY interconnect, start), '') FROM bins WHERE node = 'samples' "
	       " AND source = 'counter'",
	       text, sizeof(text));
	return text;
}

static void readings_become_bins_one_by_one(void **state)
{
	(void)state;
	struct store_reading r = reading("eth0", 0, 1000);
	struct store_readings_made made = put(&r, 1, 0);
	assert_int_equal(made.added, 1);
	assert_int_equal(made.bins, 0);
	assert_int_equal(r.fate, COUNTER_FATES); /* the first says nothing */
	assert_string_equal(bins(), "");

	r = reading("eth0", 250, 3500);
	made = put(&r, 1, 250);
	assert_int_equal(made.bins, 1);
	assert_int_equal(r.fate, COUNTER_COUNTED);
	assert_string_equal(bins(), "0:2500:1250:-:250:1");

	r = reading("eth0", 550, 6500);
	(void)put(&r, 1, 550);
	assert_string_equal(bins(), "0:3000:1500:-:300:0 1:2500:1250:-:250:1");

	/* Again, and with another word for the same time: nothing changes. */
	struct store_reading again[] = { reading("eth0", 250, 3500), reading("eth0", 550, 9999) };
	made = put(again, 2, 560);
	assert_int_equal(made.added, 0);
	assert_int_equal(made.bins, 0);
	assert_int_equal(again[1].fate, COUNTER_DUPLICATE);
	assert_string_equal(bins(), "0:3000:1500:-:300:0 1:2500:1250:-:250:1");

	/* Rebooted: what was counted stays, and what was not is a gap. */
	struct store_reading reboot[] = { reading("eth0", 850, 5), reading("eth0", 1150, 305) };
	(void)put(reboot, 2, 1150);
	assert_int_equal(reboot[0].fate, COUNTER_RESET);
	assert_int_equal(reboot[1].fate, COUNTER_COUNTED);
	assert_string_equal(bins(), "0:3000:1500:-:300:0 1:2500:1250:-:250:5 2:50:25:-:50:5 "
	                            "3:250:125:-:250:1");
}

static void the_capacity_of_the_interconnect_bounds_what_is_possible(void **state)
{
	(void)state;
	struct store_reading r[] = { reading("eth0", 0, 0), reading("eth0", 300, 40000000000),
		                     reading("eth0", 600, 70000000000) };
	(void)put(r, 3, 600);
	assert_int_equal(r[1].fate, COUNTER_IMPOSSIBLE); /* 1.07 Gbit/s through one of 1 */
	assert_int_equal(r[2].fate, COUNTER_COUNTED);
}

/* The bins of its time cannot be made again without what it said. */
static void nothing_is_read_behind_a_silent_port(void **state)
{
	(void)state;
	enum { OLD = -40 * 86400 };
	const struct store_keep keep = { .readings_days = 31 };
	const struct store_readings_rules rules = rules_at(NOVEMBER);
	struct store_readings_made made;
	struct store_reading r[] = { reading("eth0", OLD, 0), reading("eth0", OLD + 300, 300),
		                     reading("eth0", OLD + 600, 600) };
	(void)put(r, 3, OLD + 600);
	assert_string_equal(bins(), "-11520:300:150:-:300:0 -11519:300:150:-:300:0");
	assert_int_equal(store_retain(s, &keep, NOVEMBER), ERR_OK);
	struct store_reading late[] = { reading("eth1", OLD, 0), reading("eth1", OLD + 300, 5000) };
	assert_int_equal(store_readings(s, late, 2, &rules, &made), ERR_RANGE);
	assert_true(late[0].too_late && late[1].too_late);
	assert_string_equal(bins(), "-11520:300:150:-:300:0 -11519:300:150:-:300:0");
	late[0] = reading("eth1", OLD + 600 + 86400, 5000); /* reaches back to its end at most */
	assert_int_equal(put(late, 1, 0).added, 1);
}

static void a_late_reading_opens_its_bins_again(void **state)
{
	(void)state;
	struct store_reading r[] = { reading("eth0", 0, 0), reading("eth0", 300, 300),
		                     reading("eth0", 900, 900), reading("eth0", 1200, 1200) };
	(void)put(r, 4, 1200);
	assert_int_equal(r[2].fate, COUNTER_GAP);
	assert_string_equal(bins(), "0:300:150:-:300:16 3:300:150:-:300:0");
	struct store_reading late = reading("eth0", 600, 500);
	assert_int_equal(put(&late, 1, 5000).bins, 2);
	assert_string_equal(bins(), "0:300:150:-:300:16 1:200:100:-:300:16 2:400:200:-:300:16 "
	                            "3:300:150:-:300:0");

	/* It may also show that there was nothing to know. */
	late = reading("eth0", 700, 100);
	const struct store_readings_made made = put(&late, 1, 5000);
	assert_int_equal(made.removed, 0); /* bin 2 keeps what is after it */
	assert_int_equal(made.bins, 1);
	assert_string_equal(bins(), "0:300:150:-:300:16 1:200:100:-:300:16 2:800:400:-:200:21 "
	                            "3:300:150:-:300:0");
	late = reading("eth0", 1000, 1);
	assert_int_equal(put(&late, 1, 5000).bins, 1);
	struct store_reading end[] = { reading("eth0", 850, 0), reading("eth0", 880, 5000) };
	assert_int_equal(put(end, 2, 5000).bins, 1);
	assert_string_equal(bins(), "0:300:150:-:300:16 1:200:100:-:300:16 2:5000:2500:-:30:21 "
	                            "3:1199:600:-:200:21");
}

static void a_bin_that_never_was_is_removed(void **state)
{
	(void)state;
	struct store_reading r[] = { reading("eth0", 0, 100), reading("eth0", 300, 400) };
	(void)put(r, 2, 300);
	assert_string_equal(bins(), "0:300:150:-:300:0");
	struct store_reading reboot = reading("eth0", 150, 7000);
	const struct store_readings_made made = put(&reboot, 1, 310);
	assert_int_equal(made.removed, 0);
	assert_string_equal(bins(), "0:6900:3450:-:150:5");
	struct store_reading other = reading("eth0", 70, 9000);
	(void)put(&other, 1, 310);
	assert_string_equal(bins(), "0:8900:4450:-:70:5");
	other = reading("eth0", 1, 99);
	other.reading.octets[COUNTER_IN] = 10000;
	assert_int_equal(put(&other, 1, 310).removed, 1);
	assert_string_equal(bins(), "");
}

/* The other ports' readings of that time are forgotten: bins of the new one alone would replace theirs. */
static void a_new_ports_past_is_too_late_too(void **state)
{
	(void)state;
	enum { NOW = 3 * LATE };
	struct store_reading r[] = { reading("eth0", 0, 0), reading("eth0", 300, 6000) };
	(void)put(r, 2, 300);
	struct store_reading on = reading("eth0", NOW, 100000);
	(void)put(&on, 1, NOW);
	const struct store_readings_rules rules = rules_at(NOVEMBER + NOW);
	struct store_readings_made made;
	struct store_reading past[] = { reading("eth1", 0, 0), reading("eth1", 300, 3),
		                        reading("eth1", NOW - LATE, 3) };
	assert_int_equal(store_readings(s, past, 3, &rules, &made), ERR_RANGE);
	assert_true(past[0].too_late && past[1].too_late && !past[2].too_late);
	assert_string_equal(bins(), "0:6000:3000:-:300:0");
}

static void what_is_too_late_is_refused_whole(void **state)
{
	(void)state;
	struct store_reading r[] = { reading("eth0", 0, 0), reading("eth0", 300, 300) };
	(void)put(r, 2, 300);
	const struct store_readings_rules rules = rules_at(NOVEMBER + LATE + 101);
	struct store_readings_made made;
	struct store_reading mixed[] = { reading("eth0", 600, 600), reading("eth0", 100, 90),
		                         reading("eth0", 101, 91), reading("eth0", 0, 0) };
	assert_int_equal(store_readings(s, mixed, 4, &rules, &made), ERR_RANGE);
	assert_false(mixed[0].too_late || mixed[2].too_late || mixed[3].too_late);
	assert_true(mixed[1].too_late);
	assert_string_equal(bins(), "0:300:150:-:300:0");
	/* A port of which nothing newer is known may begin as long ago as it likes. */
	struct store_reading old = reading("eth1", 50, 90);
	assert_int_equal(store_readings(s, &old, 1, &rules, &made), ERR_OK);

	struct store_reading unknown = reading("eth0", 400, 90);
	(void)snprintf(unknown.interconnect, sizeof(unknown.interconnect), "nope");
	assert_int_equal(store_readings(s, &unknown, 1, &rules, &made), ERR_NOT_FOUND);
	unknown = reading("eth0", 1000000000000, 90);
	assert_int_equal(store_readings(s, &unknown, 1, &rules, &made), ERR_RANGE);
}

static void what_cannot_matter_any_more_is_forgotten(void **state)
{
	(void)state;
	char n[64];
	struct store_reading r[] = { reading("eth0", 0, 0), reading("eth0", 300, 300),
		                     reading("eth1", 0, 0) };
	(void)put(r, 3, 300);
	struct store_reading later = reading("eth0", 300 + 2 * 86400, 300);
	(void)put(&later, 1, 300 + 2 * 86400);
	db_ask("SELECT string_agg(port || at_ms % 1000000000, ' ' ORDER BY port, at_ms) FROM readings",
	       n, sizeof(n));
	assert_string_equal(n, "eth0491500000 eth0664300000 eth1491200000");
}

static void months_get_their_partitions(void **state)
{
	(void)state;
	struct store_reading r[] = { reading("eth0", -3, 0), reading("eth0", 297, 300),
		                     reading("eth0", 86400 * 95, 0) };
	(void)put(r, 3, 86400 * 95);
	assert_string_equal(bins(), "-1:3:1:-:3:17 0:297:149:-:297:17");
}

/* ---- in any order, against the readings sorted ---- */

enum { PORTS = 3, POLLS = 60, ROWS = PORTS * POLLS };

static size_t poll_all(struct store_reading rows[static ROWS], uint64_t *seed)
{
	size_t n = 0;
	for (unsigned p = 0; p < PORTS; p++) {
		char name[8];
		int64_t at = random_below(seed, 2000);
		uint64_t octets = 0;
		(void)snprintf(name, sizeof(name), "eth%u", p);
		for (unsigned i = 0; i < POLLS; i++) {
			rows[n] = reading(name, at, octets);
			rows[n].reading.has_packets = p > 0;
			rows[n].reading.packets[COUNTER_OUT] = octets / 1000;
			rows[n].reading.packets[COUNTER_IN] = octets / 2000;
			rows[n].reading.at_ms += random_below(seed, 1000);
			n++;
			at += 1 + random_below(seed, 400);
			octets += random_below(seed, 1000000);
			if (random_below(seed, 20) == 0)
				octets = 0;
		}
	}
	return n;
}

static const char *expected(const struct store_reading *rows, int64_t now)
{
	static struct counter_reading sorted[ROWS];
	static char text[1 << 16];
	struct counter_port ports[PORTS];
	const struct counter_rules rules = { .bin_seconds = BIN, .speed_bps = 1000000000 };
	struct counter_bins b;
	size_t used = 0;
	for (unsigned i = 0; i < ROWS; i++)
		sorted[i] = rows[i].reading;
	for (unsigned p = 0; p < PORTS; p++)
		ports[p] =
			(struct counter_port){ .readings = &sorted[(size_t)p * POLLS], .n = POLLS };
	assert_int_equal(counter_bins(ports, PORTS, &rules, NULL, NULL, &b), ERR_OK);
	text[0] = '\0';
	for (size_t i = 0; i < b.n; i++) {
		const struct counter_bin *bin = &b.list[i];
		char packets[24] = "-";
		const bool is_late = NOVEMBER + now >= bin->start + 3 * BIN;
		if (bin->has_packets)
			(void)snprintf(packets, sizeof(packets), "%" PRIu64,
			               bin->packets[COUNTER_OUT]);
		used += (size_t)snprintf(text + used, sizeof(text) - used,
		                         "%s%" PRId64 ":%" PRIu64 ":%" PRIu64 ":%s:%" PRIu32 ":%u",
		                         i > 0 ? " " : "", (bin->start - NOVEMBER) / BIN,
		                         bin->bytes[COUNTER_OUT], bin->bytes[COUNTER_IN], packets,
		                         bin->observed_seconds,
		                         bin->quality | (is_late ? BIN_LATE : 0));
	}
	counter_bins_done(&b);
	return text;
}

/* Long after all of it, so that every bin is late. */
enum { AFTER = 40000 };

static void any_order_makes_the_same_bins(void **state)
{
	(void)state;
	static struct store_reading rows[ROWS], mixed[ROWS];
	uint64_t seed = 11;
	for (unsigned round = 0; round < 6; round++) {
		(void)poll_all(rows, &seed);
		memcpy(mixed, rows, sizeof(rows));
		for (size_t i = ROWS; i > 1; i--) {
			const size_t k = random_below(&seed, (uint32_t)i);
			const struct store_reading r = mixed[k];
			mixed[k] = mixed[i - 1];
			mixed[i - 1] = r;
		}
		for (size_t at = 0; at < ROWS;) {
			size_t n = 1 + random_below(&seed, 30);
			n = n < ROWS - at ? n : ROWS - at;
			(void)put(&mixed[at], n, AFTER);
			if (random_below(&seed, 4) == 0) /* the answer was lost */
				assert_int_equal(put(&mixed[at], n, AFTER).bins, 0);
			at += n;
		}
		assert_string_equal(bins(), expected(rows, AFTER));
		assert_string_equal(db_state_of("TRUNCATE bins, readings, ports"), "");
	}
}

struct poller {
	struct store_reading *rows;
	size_t n;
	bool failed;
};

static void *poll_one(void *arg)
{
	struct poller *p = arg;
	const struct store_readings_rules rules = rules_at(NOVEMBER + AFTER);
	for (size_t i = 0; i < p->n; i++) {
		struct store_readings_made made;
		p->failed |= store_readings(s, &p->rows[i], 1, &rules, &made) != ERR_OK;
	}
	return NULL;
}

/* LibreNMS PR #18481, in the database: pollers of different ports at one time. */
static void pollers_of_one_interconnect_take_turns(void **state)
{
	(void)state;
	static struct store_reading rows[ROWS];
	struct poller pollers[PORTS];
	pthread_t threads[PORTS];
	uint64_t seed = 5;
	(void)poll_all(rows, &seed);
	for (unsigned p = 0; p < PORTS; p++) {
		pollers[p] = (struct poller){ .rows = &rows[(size_t)p * POLLS], .n = POLLS };
		assert_int_equal(pthread_create(&threads[p], NULL, poll_one, &pollers[p]), 0);
	}
	for (unsigned p = 0; p < PORTS; p++) {
		assert_int_equal(pthread_join(threads[p], NULL), 0);
		assert_false(pollers[p].failed);
	}
	assert_string_equal(bins(), expected(rows, AFTER));
}

#define WITH(f) cmocka_unit_test_setup_teardown(f, open_with_interconnects, close_store)

static const struct CMUnitTest tests[] = {
	WITH(readings_become_bins_one_by_one),
	WITH(the_capacity_of_the_interconnect_bounds_what_is_possible),
	WITH(nothing_is_read_behind_a_silent_port),
	WITH(a_late_reading_opens_its_bins_again),
	WITH(a_bin_that_never_was_is_removed),
	WITH(a_new_ports_past_is_too_late_too),
	WITH(what_is_too_late_is_refused_whole),
	WITH(what_cannot_matter_any_more_is_forgotten),
	WITH(months_get_their_partitions),
	WITH(any_order_makes_the_same_bins),
	WITH(pollers_of_one_interconnect_take_turns),
};

RUN_TESTS(tests)
