/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Raw interface counters -> bins of bytes.
 *
 * A poller reads a port's octet counters now and then; what lies between two readings is a period, and a
 * period is split over the bins it overlaps, in proportion to time and with exact integer sums. A
 * period that cannot be believed is dropped and said, never replaced by a guess: what nobody counted is
 * a gap. The bins are a function of the set of readings alone, so that late, doubled and
 * reordered readings end in the same bins as punctual ones.
 *
 * Out and in are seen from the provider. Rules of counters: RFC 2863 (sections 3.1.5 and 3.1.6: width by
 * speed, ifCounterDiscontinuityTime, ifSpeed that cannot say more than 2^32 - 1).
 *
 * Pure. Threading: share freely.
 */

#include "common/base/err.h"

#include <stdbool.h>
#include <stdint.h>

enum counter_way { COUNTER_OUT, COUNTER_IN, COUNTER_WAYS };

struct counter_reading {
	int64_t at_ms; /* unix, when it was read */
	/* Not 0: no counters, but what was counted in that long before at_ms, by a poller of its own. */
	uint32_t period_ms;
	uint64_t octets[COUNTER_WAYS];
	uint64_t packets[COUNTER_WAYS];
	uint64_t speed_bps;     /* of the port; 0: not known */
	uint32_t uptime;        /* sysUpTime: hundredths of a second, from 0 again after 497 days */
	uint32_t discontinuity; /* ifCounterDiscontinuityTime: sysUpTime when they last jumped */
	/*
	 * Width: 32 or 64; 53 for what passed through a double, such as snmp_exporter's, which lets
	 * Counter64 wrap there (its README, "Large counter value handling"); 0: not known.
	 */
	uint8_t bits;
	bool has_packets, has_uptime, has_discontinuity;
};

struct counter_rules {
	uint32_t bin_seconds;
	uint64_t speed_bps; /* no port is faster (the interconnect's capacity); 0: not known */
};

/*
 * Longest periods that become bytes, as long as nothing speaks against them: without proof that the
 * counters ran through (sysUpTime that went on, discontinuity time unchanged) one and a half bins;
 * with proof a day, because an average over more says nothing about a bin.
 */
enum { COUNTER_PROVEN_SECONDS = 86400 };

/* What became of the period that ends with a reading. */
enum counter_fate {
	COUNTER_COUNTED,
	COUNTER_DUPLICATE,  /* the same time again, or the past: the earlier word holds */
	COUNTER_RESET,      /* they began anew in between: the delta is not known */
	COUNTER_IMPOSSIBLE, /* more than the port can carry */
	COUNTER_AMBIGUOUS, /* may have wrapped twice: too narrow for the speed, or of no known speed */
	COUNTER_GAP,       /* too long without proof that they ran through */
	COUNTER_OVERLAP, /* a period of a poller's own that covers time already counted */
	COUNTER_FATES
};

const char *counter_fate_name(enum counter_fate f); /* "counted", "reset", ... */
/* For who polls: one sentence without a full stop. */
const char *counter_fate_text(enum counter_fate f);

struct counter_period {
	int64_t from_ms, to_ms;
	uint64_t bytes[COUNTER_WAYS], packets[COUNTER_WAYS];
	bool has_packets;
};

/*
 * From reading `a` to the next of the same port, `b`. `a` may be NULL for a `b` that has a period of its
 * own. *out is set when it was counted; from_ms and to_ms always.
 *
 * Equal readings are no traffic. A smaller one is a wrap only where that cannot be mistaken: the speed is
 * known, cannot fill the counter in that time, and could carry the difference; with 64 bits only when
 * continuity is proved besides. Speed is the largest that a and b and the rules know: one that is too
 * small (ifSpeed of a port that was upgraded) would drop what is true. Nothing is ever clipped.
 */
enum counter_fate counter_between(const struct counter_reading *a, const struct counter_reading *b,
                                  const struct counter_rules *rules, struct counter_period *out);

/*
 * The part of a period in [from_ms, to_ms): adjacent parts add up to the period exactly. false: none.
 */
bool counter_part(const struct counter_period *p, int64_t from_ms, int64_t to_ms,
                  struct counter_period *out);

/* The readings of one port, by at_ms; two of the same time are in the order of arrival. */
struct counter_port {
	const struct counter_reading *readings;
	size_t n;
};

struct counter_bin {
	int64_t start; /* unix seconds */
	uint64_t bytes[COUNTER_WAYS], packets[COUNTER_WAYS];
	bool has_packets; /* of all of it */
	/*
	 * Of several ports the mean: with one of two silent, half the bin. A port belongs to a bin from
	 * its first reading until it has been silent for COUNTER_PROVEN_SECONDS.
	 */
	uint32_t observed_seconds; /* rounded; at least 1 */
	unsigned quality; /* PARTIAL, ESTIMATED, DISCONTINUITY of common/balance/quality.h */
};

struct counter_bins {
	struct counter_bin *list; /* by start; nothing for bins that nobody counted */
	size_t n;
	size_t fates[COUNTER_FATES]; /* periods, of all ports */
};

/* Told of each period. `port` and `reading` are indices: the reading that ends it. */
typedef void counter_say(void *ctx, size_t port, size_t reading, enum counter_fate fate);

/*
 * The bins of one interconnect from the readings of its ports; ports are summed inside a bin.
 * BIN_ESTIMATED is a bin that a period longer than a bin and a tenth reaches into: how its bytes lay
 * in time was not seen. BIN_DISCONTINUITY is one in which a dropped period begins or ends, also at
 * its very start: a gap of whole bins shows at its neighbours. `say` may be NULL. ERR_NOMEM.
 * Ownership: counter_bins_done() frees.
 */
enum err counter_bins(const struct counter_port *ports, size_t n_ports,
                      const struct counter_rules *rules, counter_say *say, void *ctx,
                      struct counter_bins *out) must_check;
void counter_bins_done(struct counter_bins *b);
