/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/balance/counter.h"
#include "common/balance/quality.h"
#include "common/base/random.h"

#include <inttypes.h>
#include <string.h>

enum { BIN = 300 };
static const int64_t START = 1795255500; /* a multiple of BIN */

static const struct counter_rules gigabit = { .bin_seconds = BIN, .speed_bps = 1000000000 };
static const struct counter_rules fast = { .bin_seconds = BIN, .speed_bps = 100000000 };

/* Read `s` seconds after START: 64 bit wide, nothing known but the octets. */
static struct counter_reading at(int64_t s, uint64_t out, uint64_t in)
{
	return (struct counter_reading){ .at_ms = (START + s) * 1000,
		                         .octets = { out, in },
		                         .bits = 64 };
}

static struct counter_reading up(struct counter_reading r, uint32_t uptime_seconds)
{
	r.uptime = uptime_seconds * 100;
	r.has_uptime = true;
	return r;
}

static struct counter_reading narrow(struct counter_reading r, uint64_t speed)
{
	r.bits = 32;
	r.speed_bps = speed;
	return r;
}

static struct counter_bins bins_of(const struct counter_reading *r, size_t n,
                                   const struct counter_rules *rules)
{
	const struct counter_port port = { .readings = r, .n = n };
	struct counter_bins b;
	assert_int_equal(counter_bins(&port, 1, rules, NULL, NULL, &b), ERR_OK);
	return b;
}

static void assert_bin(const struct counter_bin *b, int64_t bin, uint64_t out, uint64_t in,
                       uint32_t observed, unsigned quality)
{
	assert_int_equal(b->start, START + bin * BIN);
	assert_true(b->bytes[COUNTER_OUT] == out);
	assert_true(b->bytes[COUNTER_IN] == in);
	assert_int_equal(b->observed_seconds, observed);
	assert_int_equal(b->quality, quality);
}

static enum counter_fate fate(const struct counter_reading *a, const struct counter_reading *b,
                              const struct counter_rules *rules, struct counter_period *p)
{
	return counter_between(a, b, rules, p);
}

/* ---- what pollers got wrong before us ---- */

/* LibreNMS #3571: a counter that went down repeated the last delta, 25 GB in each hour of an outage. */
static void a_decrease_is_no_reason_to_repeat_the_last_delta(void **state)
{
	(void)state;
	const struct counter_reading r[] = {
		at(0, 5000000, 5000000),
		at(300, 9000000, 6000000),
		at(600, 100, 100), /* rebooted */
		at(900, 200, 150),
	};
	struct counter_bins b = bins_of(r, 4, &gigabit);
	assert_int_equal(b.n, 2); /* the bin of the reset is a gap */
	assert_bin(&b.list[0], 0, 4000000, 1000000, BIN, 0);
	assert_bin(&b.list[1], 2, 100, 50, BIN, BIN_DISCONTINUITY);
	assert_int_equal(b.fates[COUNTER_RESET], 1);
	assert_int_equal(b.fates[COUNTER_COUNTED], 2);
	counter_bins_done(&b);
}

/* LibreNMS #3123: equal counters repeated the last delta. */
static void equal_counters_are_no_traffic(void **state)
{
	(void)state;
	const struct counter_reading r[] = { at(0, 10, 10), at(300, 700, 10), at(600, 700, 10),
		                             at(900, 700, 10) };
	struct counter_bins b = bins_of(r, 4, &gigabit);
	assert_int_equal(b.n, 3);
	assert_bin(&b.list[0], 0, 690, 0, BIN, 0);
	assert_bin(&b.list[1], 1, 0, 0, BIN, 0);
	assert_bin(&b.list[2], 2, 0, 0, BIN, 0);
	counter_bins_done(&b);
}

/* LibreNMS #4318: ifSpeed said 1 Gbit/s of a port of ten, and what it carried was clipped to that. */
static void a_wrong_speed_never_clips(void **state)
{
	(void)state;
	const uint64_t bytes = UINT64_C(5000000000) / 8 * BIN; /* at 5 Gbit/s */
	struct counter_reading r[] = { at(0, 0, 0), at(300, bytes, 1) };
	const struct counter_rules ten = { .bin_seconds = BIN, .speed_bps = 10000000000 };
	const struct counter_rules none = { .bin_seconds = BIN };
	struct counter_period p;
	r[0].speed_bps = r[1].speed_bps = 1000000000;
	/* The map knows better: the larger of both counts. */
	assert_int_equal(fate(&r[0], &r[1], &ten, &p), COUNTER_COUNTED);
	assert_true(p.bytes[COUNTER_OUT] == bytes);
	/* Nobody knows better: a gap that says so, and not 1 Gbit/s. */
	struct counter_bins b = bins_of(r, 2, &none);
	assert_int_equal(b.n, 0);
	assert_int_equal(b.fates[COUNTER_IMPOSSIBLE], 1);
	counter_bins_done(&b);
	/* ifSpeed at its end says nothing (RFC 2863). */
	r[0].speed_bps = r[1].speed_bps = UINT32_MAX;
	assert_int_equal(fate(&r[0], &r[1], &none, &p), COUNTER_COUNTED);
}

/* LibreNMS #1128: spikes that no port could carry went into the bill. */
static void an_impossible_spike_is_dropped_and_said(void **state)
{
	(void)state;
	const uint64_t most = UINT64_C(1000000000) / 8 * BIN;
	const struct counter_reading r[] = { at(0, 0, 0), at(300, most, 5), at(600, most * 3, 10),
		                             at(900, most * 3 + 7, 15) };
	struct counter_bins b = bins_of(r, 4, &gigabit);
	assert_int_equal(b.n, 2);
	assert_bin(&b.list[0], 0, most, 5, BIN, 0); /* line rate is possible */
	assert_bin(&b.list[1], 2, 7, 5, BIN, BIN_DISCONTINUITY);
	assert_int_equal(b.fates[COUNTER_IMPOSSIBLE], 1);
	counter_bins_done(&b);
}

/* LibreNMS PR #18481: ports of one bill on two pollers made two rows for one bin, and a wrong 95th. */
static void ports_of_two_pollers_make_one_row_for_a_bin(void **state)
{
	(void)state;
	const struct counter_reading one[] = { at(0, 0, 0), at(300, 3000, 300),
		                               at(600, 6000, 600) };
	const struct counter_reading two[] = { at(-17, 0, 0), at(283, 6000, 0), at(583, 12000, 0),
		                               at(883, 18000, 0) };
	const struct counter_port ports[] = { { one, 3 }, { two, 4 } };
	struct counter_bins b;
	assert_int_equal(counter_bins(ports, 2, &gigabit, NULL, NULL, &b), ERR_OK);
	assert_int_equal(b.n, 4);
	assert_bin(&b.list[0], -1, 340, 0, 17, BIN_PARTIAL);
	assert_bin(&b.list[1], 0, 9000, 300, BIN, 0);
	assert_bin(&b.list[2], 1, 9000, 300, BIN, 0);
	/* One is silent in the last: what the other counted stands, over the mean of what both saw. */
	assert_bin(&b.list[3], 2, 5660, 0, 142, BIN_PARTIAL);
	counter_bins_done(&b);
}

/* LibreNMS #2066: one delta was booked alike over periods of 39 to 303 seconds. */
static void a_delta_is_spread_over_the_time_it_was_counted_in(void **state)
{
	(void)state;
	const struct counter_reading r[] = { at(0, 0, 0), at(39, 39000, 39), at(261, 261000, 261),
		                             at(303, 303000, 303), at(603, 603000, 603) };
	struct counter_bins b = bins_of(r, 5, &gigabit);
	assert_int_equal(b.n, 3);
	assert_bin(&b.list[0], 0, 300000, 300, BIN, 0);
	assert_bin(&b.list[1], 1, 300000, 300, BIN, 0);
	assert_bin(&b.list[2], 2, 3000, 3, 3, BIN_PARTIAL);
	counter_bins_done(&b);

	/* The same where the poller makes the deltas itself. */
	struct counter_reading own[] = { at(39, 39000, 0), at(342, 303000, 0), at(600, 258000, 0) };
	own[0].period_ms = 39000;
	own[1].period_ms = 303000;
	own[2].period_ms = 258000;
	b = bins_of(own, 3, &gigabit);
	assert_int_equal(b.n, 2);
	assert_bin(&b.list[0], 0, 300000, 0, BIN, 0);
	assert_bin(&b.list[1], 1, 300000, 0, BIN, 0);
	counter_bins_done(&b);
}

/* ---- widths and wraps ---- */

static void a_narrow_counter_wraps_only_where_that_cannot_be_mistaken(void **state)
{
	(void)state;
	struct counter_reading a = narrow(at(0, UINT32_MAX - 99, 5), 100000000);
	struct counter_reading b = narrow(at(300, 900, 6), 100000000);
	const struct counter_rules none = { .bin_seconds = BIN };
	struct counter_period p;
	assert_int_equal(fate(&a, &b, &none, &p), COUNTER_COUNTED);
	assert_true(p.bytes[COUNTER_OUT] == 1000);
	/* 114.5 Mbit/s fill it in 300 s; RFC 2863 wants 64 bits from 20. */
	a.speed_bps = b.speed_bps = 114500000;
	assert_int_equal(fate(&a, &b, &none, &p), COUNTER_COUNTED);
	a.speed_bps = b.speed_bps = 114600000;
	assert_int_equal(fate(&a, &b, &none, &p), COUNTER_AMBIGUOUS);
	b.at_ms -= 1000; /* at 299 s it may be a little faster */
	assert_int_equal(fate(&a, &b, &none, &p), COUNTER_COUNTED);
	/* Refused going up, too: it may have gone around. Without a speed always. */
	b = narrow(at(300, UINT32_MAX, 6), 10000000000);
	assert_int_equal(fate(&a, &b, &none, &p), COUNTER_AMBIGUOUS);
	a.speed_bps = b.speed_bps = 0;
	assert_int_equal(fate(&a, &b, &none, &p), COUNTER_AMBIGUOUS);
	assert_int_equal(fate(&a, &b, &fast, &p), COUNTER_COUNTED);
	/* More than the port could carry since: not a wrap but a reset. */
	a = narrow(at(0, 4000000000, 5), 0);
	b = narrow(at(60, 3900000000, 6), 0);
	assert_int_equal(fate(&a, &b, &fast, &p), COUNTER_RESET);
	/* A number that 32 bits do not hold. */
	b.octets[COUNTER_IN] = UINT64_C(1) << 32;
	assert_int_equal(fate(&a, &b, &fast, &p), COUNTER_IMPOSSIBLE);
	/* Another poller asks for the wide ones: these are other counters. */
	b = at(60, 4000000100, 6);
	assert_int_equal(fate(&a, &b, &fast, &p), COUNTER_RESET);
}

static void a_wide_counter_wraps_only_with_proof(void **state)
{
	(void)state;
	struct counter_reading a = at(0, UINT64_MAX - 99, 0), b = at(300, 900, 0);
	struct counter_period p;
	assert_int_equal(fate(&a, &b, &gigabit, &p), COUNTER_RESET);
	a = up(a, 1000);
	b = up(b, 1300);
	assert_int_equal(fate(&a, &b, &gigabit, &p), COUNTER_COUNTED);
	assert_true(p.bytes[COUNTER_OUT] == 1000);
	/* Proof is of no use where nobody knows what the port can carry. */
	const struct counter_rules none = { .bin_seconds = BIN };
	assert_int_equal(fate(&a, &b, &none, &p), COUNTER_RESET);
	a.octets[COUNTER_OUT] = 1000; /* a line card was changed, and the agent ran on */
	assert_int_equal(fate(&a, &b, &gigabit, &p), COUNTER_RESET);
}

/* snmp_exporter's counters wrap at 2^53, so that doubles hold them. */
static void a_counter_of_53_bits_wraps_too(void **state)
{
	(void)state;
	struct counter_reading a = at(0, (UINT64_C(1) << 53) - 100, 0), b = at(300, 900, 0);
	struct counter_period p;
	a.bits = b.bits = 53;
	assert_int_equal(fate(&a, &b, &gigabit, &p), COUNTER_COUNTED);
	assert_true(p.bytes[COUNTER_OUT] == 1000);
	a.octets[COUNTER_OUT] = 5000; /* rebooted */
	assert_int_equal(fate(&a, &b, &gigabit, &p), COUNTER_RESET);
	a.bits = b.bits = 0; /* of unknown width: never a wrap */
	a.octets[COUNTER_OUT] = UINT32_MAX;
	assert_int_equal(fate(&a, &b, &gigabit, &p), COUNTER_RESET);
}

/* ---- continuity ---- */

static void a_restart_is_seen_even_when_counters_grew(void **state)
{
	(void)state;
	struct counter_reading a = up(at(0, 100, 100), 5000), b = up(at(300, 9000, 9000), 200);
	struct counter_period p;
	assert_int_equal(fate(&a, &b, &gigabit, &p), COUNTER_RESET);
	b = up(at(300, 9000, 9000), 5303); /* an agent that answers from a cache */
	assert_int_equal(fate(&a, &b, &gigabit, &p), COUNTER_COUNTED);
	b = up(at(300, 9000, 9000), 5900); /* time that our clock does not know of */
	assert_int_equal(fate(&a, &b, &gigabit, &p), COUNTER_RESET);
	b = up(at(300, 9000, 9000), 5300);
	a.has_discontinuity = b.has_discontinuity = true;
	assert_int_equal(fate(&a, &b, &gigabit, &p), COUNTER_COUNTED);
	b.discontinuity = 510000; /* the counters alone jumped */
	assert_int_equal(fate(&a, &b, &gigabit, &p), COUNTER_RESET);
	/* sysUpTime begins anew after 497 days, and that is no restart. */
	a = at(0, 100, 100);
	b = at(300, 9000, 9000);
	a.has_uptime = b.has_uptime = true;
	a.uptime = UINT32_MAX - 9999;
	b.uptime = 20000;
	assert_int_equal(fate(&a, &b, &gigabit, &p), COUNTER_COUNTED);
}

static void a_long_gap_is_split_only_with_proof(void **state)
{
	(void)state;
	struct counter_reading r[] = { at(0, 0, 0), at(600, 601, 6) };
	struct counter_bins b = bins_of(r, 2, &gigabit);
	assert_int_equal(b.n, 0);
	assert_int_equal(b.fates[COUNTER_GAP], 1);
	counter_bins_done(&b);

	r[0] = up(r[0], 50);
	r[1] = up(r[1], 650);
	b = bins_of(r, 2, &gigabit);
	assert_int_equal(b.n, 2);
	assert_bin(&b.list[0], 0, 300, 3, BIN, BIN_ESTIMATED);
	assert_bin(&b.list[1], 1, 301, 3, BIN, BIN_ESTIMATED); /* the odd byte is not lost */
	counter_bins_done(&b);

	/* Polls of 303 s span more than a bin, but not a guess. */
	r[1] = at(303, 303, 303);
	r[1].at_ms += 27000; /* a tenth is not yet more */
	b = bins_of(r, 2, &gigabit);
	assert_int_equal(b.list[0].quality, 0);
	counter_bins_done(&b);

	/* Not even proof makes a week one figure. */
	r[1] = up(at(COUNTER_PROVEN_SECONDS + 1, 1, 1), 50 + COUNTER_PROVEN_SECONDS + 1);
	struct counter_period p;
	assert_int_equal(fate(&r[0], &r[1], &gigabit, &p), COUNTER_GAP);
	r[1] = up(at(COUNTER_PROVEN_SECONDS, 1, 1), 50 + COUNTER_PROVEN_SECONDS);
	assert_int_equal(fate(&r[0], &r[1], &gigabit, &p), COUNTER_COUNTED);
}

/* ---- packets, periods of a poller's own ---- */

static void packets_are_kept_where_they_make_sense(void **state)
{
	(void)state;
	struct counter_reading r[] = { at(0, 0, 0), at(300, 10000000000, 500),
		                       at(600, 20000000000, 1000) };
	for (unsigned i = 0; i < 3; i++) {
		r[i].has_packets = true;
		r[i].packets[COUNTER_OUT] = 10 * i;
		r[i].packets[COUNTER_IN] = 5 * i;
	}
	struct counter_bins b = bins_of(r, 3, &gigabit);
	assert_true(b.list[0].has_packets && b.list[1].has_packets);
	assert_true(b.list[1].packets[COUNTER_OUT] == 10 && b.list[1].packets[COUNTER_IN] == 5);
	counter_bins_done(&b);
	r[2].packets[COUNTER_OUT] = 2; /* theirs went down: the bytes count all the same */
	b = bins_of(r, 3, &gigabit);
	assert_true(b.list[0].has_packets && !b.list[1].has_packets);
	assert_true(b.list[1].bytes[COUNTER_OUT] == 10000000000);
	counter_bins_done(&b);

	struct counter_reading a = narrow(at(0, 0, 0), 0), z = narrow(at(60, 100000, 100), 0);
	struct counter_period p;
	a.has_packets = z.has_packets = true;
	a.packets[COUNTER_OUT] = UINT32_MAX;
	z.packets[COUNTER_OUT] = 99;
	assert_int_equal(fate(&a, &z, &fast, &p), COUNTER_COUNTED);
	assert_true(p.has_packets && p.packets[COUNTER_OUT] == 100);
	z.packets[COUNTER_OUT] = 100000; /* a byte each */
	assert_int_equal(fate(&a, &z, &fast, &p), COUNTER_COUNTED);
	assert_false(p.has_packets);
}

static void periods_of_a_pollers_own_do_not_count_twice(void **state)
{
	(void)state;
	struct counter_reading r[] = { at(300, 3000, 0), at(600, 3000, 0), at(900, 3000, 0) };
	for (unsigned i = 0; i < 3; i++)
		r[i].period_ms = 300000;
	r[1].at_ms -= 100000; /* covers a third of what is counted already */
	r[2].at_ms -= 20000;  /* and this one begins where the first ended but for rounding */
	r[2].period_ms = 300000;
	r[2].at_ms = r[0].at_ms + 280000;
	struct counter_bins b = bins_of(r, 3, &gigabit);
	assert_int_equal(b.fates[COUNTER_OVERLAP], 1);
	assert_int_equal(b.n, 2);
	assert_bin(&b.list[0], 0, 3000, 0, BIN, 0);
	assert_bin(&b.list[1], 1, 3000, 0, 280, BIN_PARTIAL);
	counter_bins_done(&b);

	struct counter_period p;
	r[0].octets[COUNTER_IN] = UINT64_C(1) << 60;
	assert_int_equal(fate(NULL, &r[0], &gigabit, &p), COUNTER_IMPOSSIBLE);
}

static void what_comes_twice_or_late_counts_once(void **state)
{
	(void)state;
	const struct counter_reading r[] = { at(0, 0, 0), at(300, 50, 5), at(300, 50, 5),
		                             at(300, 99, 9), at(600, 100, 10) };
	struct counter_bins b = bins_of(r, 5, &gigabit);
	assert_int_equal(b.fates[COUNTER_DUPLICATE], 2);
	assert_int_equal(b.n, 2);
	assert_bin(&b.list[0], 0, 50, 5, BIN, 0);
	assert_bin(&b.list[1], 1, 50, 5, BIN, 0);
	counter_bins_done(&b);
	struct counter_period p;
	assert_int_equal(fate(&r[4], &r[1], &gigabit, &p), COUNTER_DUPLICATE);
	for (unsigned f = 0; f < COUNTER_FATES; f++)
		assert_true(counter_fate_name(f) != NULL && counter_fate_text(f) != NULL);
}

/* ---- against the truth ---- */

enum { SECONDS = 9000, BINS = SECONDS / BIN };

/* What really went by, second for second, and whether the readings can know of it. */
struct truth {
	uint64_t bytes[COUNTER_WAYS][SECONDS];
	bool known[SECONDS];
	struct counter_reading readings[SECONDS];
	size_t n;
	bool is_steady; /* between two readings */
	uint8_t bits;
};

static uint64_t modulo(uint64_t n, uint8_t bits)
{
	return bits == 64 ? n : n & ((UINT64_C(1) << bits) - 1);
}

/* Traffic of at most 80 Mbit/s, read every 20 to 320 seconds; sometimes the router starts anew. */
static void live(struct truth *t, uint64_t *seed)
{
	static const uint8_t widths[] = { 32, 53, 64 };
	*t = (struct truth){ .is_steady = random_below(seed, 2) == 0,
		             .bits = widths[random_below(seed, 3)] };
	uint64_t octets[COUNTER_WAYS], rate[COUNTER_WAYS] = { 0 };
	uint32_t uptime = random_below(seed, 1000000);
	for (unsigned w = 0; w < COUNTER_WAYS; w++)
		octets[w] = modulo(UINT64_MAX - random_below(seed, 2000000000), t->bits);
	int64_t next = 0, last = 0;
	bool restarted = false;
	for (int64_t s = 0; s <= SECONDS; s++) {
		if (s == next) {
			struct counter_reading r = up(at(s, octets[0], octets[1]), uptime);
			r.bits = t->bits;
			t->readings[t->n++] = r;
			for (int64_t k = last; k < s; k++)
				t->known[k] = !restarted;
			restarted = false;
			last = s;
			next = s + 20 + random_below(seed, 301);
			for (unsigned w = 0; w < COUNTER_WAYS; w++)
				rate[w] = random_below(seed, 10000000);
		}
		if (s == SECONDS)
			break;
		if (random_below(seed, 3000) == 0) {
			restarted = true;
			octets[0] = octets[1] = uptime = 0;
		}
		for (unsigned w = 0; w < COUNTER_WAYS; w++) {
			t->bytes[w][s] = t->is_steady ? rate[w] : random_below(seed, 10000000);
			octets[w] = modulo(octets[w] + t->bytes[w][s], t->bits);
		}
		uptime++;
	}
}

static void shuffle(struct counter_reading *r, size_t n, uint64_t *seed)
{
	for (size_t i = n; i > 1; i--) {
		const size_t k = random_below(seed, (uint32_t)i);
		const struct counter_reading r0 = r[k];
		r[k] = r[i - 1];
		r[i - 1] = r0;
	}
}

static int by_time(const void *a, const void *b)
{
	const struct counter_reading *x = a, *y = b;
	return (x->at_ms > y->at_ms) - (x->at_ms < y->at_ms);
}

static void compare(const struct truth *t, const struct counter_bins *b)
{
	uint64_t true_sum = 0, sum = 0;
	size_t at_bin = 0;
	for (int64_t i = 0; i < BINS; i++) {
		uint64_t bytes[COUNTER_WAYS] = { 0 };
		uint32_t seen = 0;
		for (int64_t s = i * BIN; s < (i + 1) * BIN; s++) {
			seen += t->known[s];
			for (unsigned w = 0; w < COUNTER_WAYS; w++)
				bytes[w] += t->known[s] ? t->bytes[w][s] : 0;
		}
		if (seen == 0)
			continue;
		assert_true(at_bin < b->n);
		const struct counter_bin *bin = &b->list[at_bin++];
		assert_int_equal(bin->start, START + i * BIN);
		assert_int_equal(bin->observed_seconds, seen);
		assert_int_equal((bin->quality & BIN_PARTIAL) != 0, seen < BIN);
		for (unsigned w = 0; w < COUNTER_WAYS; w++) {
			if (t->is_steady)
				assert_true(bin->bytes[w] == bytes[w]);
			true_sum += bytes[w];
			sum += bin->bytes[w];
		}
	}
	assert_int_equal(at_bin, b->n);
	assert_true(sum == true_sum);
}

static void bins_are_the_truth_where_it_was_watched(void **state)
{
	(void)state;
	static struct truth t;
	uint64_t seed = 20261122;
	size_t resets = 0;
	for (unsigned round = 0; round < 300; round++) {
		live(&t, &seed);
		struct counter_bins b = bins_of(t.readings, t.n, &fast);
		compare(&t, &b);
		resets += b.fates[COUNTER_RESET];
		counter_bins_done(&b);

		/* They may come in any order, some twice: sorted they are the same set. */
		const size_t n = t.n;
		for (size_t i = 0; i < n / 3; i++)
			t.readings[t.n++] = t.readings[random_below(&seed, (uint32_t)n)];
		shuffle(t.readings, t.n, &seed);
		qsort(t.readings, t.n, sizeof(t.readings[0]), by_time);
		b = bins_of(t.readings, t.n, &fast);
		compare(&t, &b);
		assert_int_equal(b.fates[COUNTER_DUPLICATE], t.n - n);
		counter_bins_done(&b);
	}
	assert_true(resets > 300); /* the test does test them */
}

static void parts_of_a_period_add_up(void **state)
{
	(void)state;
	uint64_t seed = 7;
	for (unsigned round = 0; round < 20000; round++) {
		const int64_t from = (int64_t)random_next(&seed) / 1024;
		struct counter_period p = { .from_ms = from, .has_packets = true }, part;
		p.to_ms = from + 1 + random_below(&seed, 100000000);
		for (unsigned w = 0; w < COUNTER_WAYS; w++) {
			p.bytes[w] = random_next(&seed);
			p.packets[w] = random_next(&seed) >> 20;
		}
		uint64_t bytes = 0, packets = 0;
		int64_t t = from - random_below(&seed, 1000);
		while (t < p.to_ms) {
			const int64_t next = t + 1 + random_below(&seed, 30000000);
			if (counter_part(&p, t, next, &part)) {
				bytes += part.bytes[COUNTER_IN];
				packets += part.packets[COUNTER_OUT];
			}
			t = next;
		}
		assert_true(bytes == p.bytes[COUNTER_IN]);
		assert_true(packets == p.packets[COUNTER_OUT]);
		assert_false(counter_part(&p, p.to_ms, p.to_ms + 5, &part));
		assert_false(counter_part(&p, p.from_ms - 5, p.from_ms, &part));
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(a_decrease_is_no_reason_to_repeat_the_last_delta),
	cmocka_unit_test(equal_counters_are_no_traffic),
	cmocka_unit_test(a_wrong_speed_never_clips),
	cmocka_unit_test(an_impossible_spike_is_dropped_and_said),
	cmocka_unit_test(ports_of_two_pollers_make_one_row_for_a_bin),
	cmocka_unit_test(a_delta_is_spread_over_the_time_it_was_counted_in),
	cmocka_unit_test(a_narrow_counter_wraps_only_where_that_cannot_be_mistaken),
	cmocka_unit_test(a_wide_counter_wraps_only_with_proof),
	cmocka_unit_test(a_counter_of_53_bits_wraps_too),
	cmocka_unit_test(a_restart_is_seen_even_when_counters_grew),
	cmocka_unit_test(a_long_gap_is_split_only_with_proof),
	cmocka_unit_test(packets_are_kept_where_they_make_sense),
	cmocka_unit_test(periods_of_a_pollers_own_do_not_count_twice),
	cmocka_unit_test(what_comes_twice_or_late_counts_once),
	cmocka_unit_test(bins_are_the_truth_where_it_was_watched),
	cmocka_unit_test(parts_of_a_period_add_up),
};

RUN_TESTS(tests)
