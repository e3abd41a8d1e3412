/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The figures of the steering report: one provider, policy and kind of torrents, the steered (treated)
 * swarms against the control group, and how sure the difference is (common/balance/bootstrap.h). Groups of
 * swarms are the units. Private to report.
 */

#include "common/balance/bootstrap.h"
#include "server/store/store.h"

enum { TREATED, CONTROL, ARMS };
extern const char *const arm_names[ARMS];

/* A share of bytes for each tier, and of what came from outside; copies imported, of those downloaded and for
 * each swarm and bin. */
enum {
	FIGURE_OUTSIDE = STORE_TIERS,
	FIGURE_SHARES, /* those before are shares of bytes */
	FIGURE_PER_COPY = FIGURE_SHARES,
	FIGURE_PER_SWARM,
	FIGURES
};
const char *figure_name(unsigned figure);

struct comparison {
	const struct store_steering *rows; /* treated before control */
	size_t n[ARMS];
};

/* Takes what `rows` (not none) begins with. */
struct comparison comparison_take(const struct store_steering *rows, size_t left);
const struct store_steering *comparison_rows(const struct comparison *c, unsigned arm);

struct figure {
	bool has[ARMS];
	double value[ARMS];
	bool known; /* the interval is: of the difference, or for times of the ratio */
	struct bootstrap_interval interval;
};
struct figure comparison_figure(const struct comparison *c, unsigned figure);
struct figure comparison_time(const struct comparison *c, double quantile); /* seconds */

/* Of an arm, over a tier; STORE_TIERS: all. Integers, for they may pass 2^53. */
uint64_t comparison_bytes(const struct comparison *c, unsigned arm, unsigned tier);

struct arm_sums {
	uint64_t completed, copies, imported, swarms, unsized; /* as in store_steering */
};
struct arm_sums comparison_sums(const struct comparison *c, unsigned arm);
