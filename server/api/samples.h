/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Counter samples as a router's poller sends them: JSON or CSV -> rows for the store.
 *
 *   {"samples": [{"provider": "isp-a", "interconnect": "a-b-1", "bin": "2026-11-21T10:05:00Z",
 *                 "out_bytes": 123, "in_bytes": "18446744073709551615", "observed_seconds": 300}]}
 *
 * or the bare array, or one sample alone (to faults it is "/0"), or CSV (RFC 4180) with a header row
 * of the same names. "bin" (or "start", "time", "timestamp") is the start of a bin, as RFC 3339 or
 * seconds since 1970; byte counts are whole numbers, as numbers
 * or as strings, because many JSON writers lose digits beyond 2^53. "observed_seconds" may be absent.
 *
 * All or nothing: one fault anywhere and there are no rows. Faults name a JSON pointer or a line.
 *
 * Pure. Ownership: samples_done() frees the rows.
 */

#include "common/base/err.h"
#include "server/store/store.h"

enum { SAMPLES_MAX = 100000 }; /* of one request */

struct samples_rules {
	uint32_t bin_seconds;
	int64_t now;
	const char *provider;                   /* the only one that is allowed; NULL: all are */
	const struct store_interconnect *known; /* what there may be samples of */
	size_t n_known;
};

struct samples {
	struct store_bin *rows;
	size_t n;
};

/*
 * ERR_MALFORMED: see `faults`. ERR_DENIED: a sample of a provider that is not allowed. ERR_NOMEM.
 * *out is untouched on failure.
 */
enum err samples_parse_json(const char *body, size_t size, const struct samples_rules *rules,
                            struct samples *out, struct faults *faults) must_check;
enum err samples_parse_csv(const char *body, size_t size, const struct samples_rules *rules,
                           struct samples *out, struct faults *faults) must_check;
void samples_done(struct samples *s);
