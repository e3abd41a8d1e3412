/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a byte across an interconnect, or along a link, shall cost, bin by bin, from what was measured.
 *
 * A price is the dual variable of a constraint, per edge and direction (Xie et al., "P4P",
 * SIGCOMM 2008, section 5). Of that paper's forms this is the bandwidth-distance product: the
 * documented cost is the distance and the floor, and what stands above it moves along the
 * super-gradient, projected: up while the constraint is violated, down while it is slack, within the
 * documented cost and PRICES_MOST times the provider's dearest one. So at rest either the constraint
 * just holds or the price is at a bound. Steps are relative to the price, so that costs of 5 and of 100
 * need equally long to double. The bound is that far up because p4p divides traffic by the square roots of
 * prices: with ten times the dearest cost it left one network in thirty above a capacity that it need not
 * exceed (test_oracle.c):
 *
 *   price <- price * (1 + PRICES_GAIN * v), by at most PRICES_STEP a bin
 *
 * v is the violation of the constraint that is violated most, below 0 when all are slack:
 *
 *   utilisation   load / capacity - target. The target is PRICES_TARGET, or the mean utilisation of the
 *                 provider's edges in that direction when this is more: then not all can stay
 *                 below, and what is left to do is to even them out (the paper's form for the largest
 *                 utilisation, whose prices keep the sum of capacity * price).
 *   ratio         (out - warn * in) / (out + warn * in) for `out`, and with the two exchanged for `in`;
 *                 warn is RATIO_WARN_PERCENT of the limit (common/balance/ratio.h), at least 1:1. A
 *                 hinge on both sides: beyond it the other direction's price falls as fast as it
 *                 may, unless something else holds it up. Loads are means over about
 *                 PRICES_RATIO_BINS: contracts look at months, and single bins are noisy.
 *   percentile    load / budget - 1 in a bin above the budget, when the period has had as many as the
 *                 percentile lets go free: this one would be charged. Until then it is slack (the
 *                 paper's virtual capacity).
 *
 * A load that is not known changes nothing. The price in force follows with hysteresis, when the two
 * are PRICES_HYSTERESIS apart or a bound is reached. Traffic follows within half an hour, as clients
 * announce; the gain is small enough for prices to come to rest nevertheless (test_oracle.c).
 *
 * Pure: the same bins give the same prices, bit by bit (nothing but + - * / and comparisons).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PRICES_RATIO_BINS = 8 };
#define PRICES_TARGET     0.70 /* of the capacity */
#define PRICES_GAIN       0.50
#define PRICES_STEP       0.25 /* of the price */
#define PRICES_MOST       100.0
#define PRICES_HYSTERESIS 0.05 /* of the price in force */

enum prices_direction { PRICES_OUT, PRICES_IN, PRICES_DIRECTIONS };

/* Of a contract that bills a percentile. */
struct prices_budget {
	uint64_t bps;       /* up to which traffic costs no more; 0: no budget */
	double load_bps;    /* what counts: of all interconnects, and directions, that it adds up */
	uint32_t bins_left; /* of this period that may still be above it, free of charge */
};

/* What one bin says about an edge; [enum prices_direction] where there are two. */
struct prices_edge {
	bool known; /* the loads were measured */
	double load_bps[PRICES_DIRECTIONS];
	uint64_t capacity_bps;      /* each way; 0: not said */
	uint64_t ratio_limit_milli; /* 2000: 2:1 and 1:2; 0: none */
	struct prices_budget budget[PRICES_DIRECTIONS];
};

struct prices_way {
	uint32_t cost;     /* documented */
	uint32_t in_force; /* at least `cost` */
	double price;      /* where the steps are */
	double mean_bps;   /* for the ratio; below 0: none yet */
};

/* Of an edge, between bins. */
struct prices_state {
	uint32_t provider; /* whose it is */
	struct prices_way way[PRICES_DIRECTIONS];
};

/* At what it is documented to cost, each at most MAP_COST_MAX. */
void prices_start(struct prices_state *state, uint32_t provider, uint32_t out, uint32_t in);

/*
 * One bin of all interconnects, or of all links; those of one provider stand together. Which way along a link
 * is `out` is chance, so that links are held to their mean utilisation over both.
 */
void prices_step_links(const struct prices_edge *edges, struct prices_state *states, size_t n);
void prices_step(const struct prices_edge *edges, struct prices_state *states, size_t n);
