/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Counters as a router's poller sends them: JSON or CSV -> rows for the store. Three shapes of a row,
 * by the members it has:
 *
 *   a sample   what crossed in one bin
 *     {"provider": "isp-a", "interconnect": "a-b-1", "bin": "2026-11-21T10:05:00Z",
 *      "out_bytes": 123, "in_bytes": "18446744073709551615", "observed_seconds": 300,
 *      "quality": "estimated discontinuity"}
 *   a period   what crossed in a time that is no bin: `seconds` from `start`, or until `end`
 *     {..., "port": "et-0/0/1", "end": "2026-11-21T10:09:57Z", "seconds": 303,
 *      "out_bytes": 123, "in_bytes": 45}
 *   a reading  the counters themselves (common/balance/counter.h)
 *     {..., "port": "et-0/0/1", "at": "2026-11-21T10:05:00.250Z", "out_octets": 1,
 *      "in_octets": 2, "counter_bits": 64, "sys_uptime": 123456, "discontinuity_time": 0,
 *      "speed_bps": 10000000000}
 *
 * as {"samples": [...], "readings": [...]}, as a bare array, or one row alone (to faults it is "/0"),
 * or as CSV (RFC 4180) with a header row of the same names. "bin" (or "start", "time", "timestamp")
 * is the start of a bin, as RFC 3339 or seconds since 1970; counts are whole numbers, as numbers or
 * as strings, because many JSON writers lose digits beyond 2^53. All may have "out_packets" and
 * "in_packets", both or neither. "port" may be absent where there is one. sys_uptime and
 * discontinuity_time are TimeTicks.
 *
 * All or nothing: one fault anywhere and there are no rows. Faults name a JSON pointer or a line.
 *
 * Pure. Ownership: samples_done() frees the rows.
 */

#include "common/base/err.h"
#include "server/store/readings.h"
#include "server/store/store.h"

enum { SAMPLES_MAX = 100000 }; /* of one request */

struct samples_rules {
	uint32_t bin_seconds;
	int64_t now;
	const char *provider;                   /* the only one that is allowed; NULL: all are */
	const struct store_interconnect *known; /* what there may be samples of */
	size_t n_known;
};

/* Where a row stood: "/readings" and 3, or NULL and a line. */
struct samples_place {
	const char *array;
	size_t n;
};

struct samples {
	struct store_bin *rows;
	size_t n;
	struct store_reading *readings; /* periods too */
	struct samples_place *places;   /* of the readings */
	size_t n_readings;
};

/* "/readings/3", "line 4". */
void samples_print_place(const struct samples_place *p, char out[static 48]);

/*
 * ERR_MALFORMED: see `faults`. ERR_DENIED: a sample of a provider that is not allowed. ERR_NOMEM.
 * *out is untouched on failure.
 */
enum err samples_parse_json(const char *body, size_t size, const struct samples_rules *rules,
                            struct samples *out, struct faults *faults) must_check;
enum err samples_parse_csv(const char *body, size_t size, const struct samples_rules *rules,
                           struct samples *out, struct faults *faults) must_check;
void samples_done(struct samples *s);
