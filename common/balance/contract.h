/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Contracts that bill a percentile: what they say, and what a month of use costs.
 *
 *   commit_blended  the fee, and each Mbit/s at the price of the tier it lies in; the commit is paid
 *                   used or not
 *   commit_volume   the fee, and every Mbit/s at the price of the top tier in use; the commit as above. Not
 *                   monotone: where a tier begins the bill may drop, see contract_dip()
 *   flat            the fee and commit * unit price, whatever is used up to the commit; beyond it there
 *                   is no price, which is an alarm and not a bill
 *
 * What is billed is whole bit/s. A tier begins at its from_bps, which is already in it. Monthly charges
 * are added, of yearly ones a twelfth; what is paid once is told and not added. Amounts are exact; only
 * the total is rounded, once, half up, to the currency's minor unit (a yearly charge's own line is too,
 * so that it can be shown: lines may add up to a unit more or less than the total).
 *
 * Source: the models of Kentik's connectivity costs, LibreNMS billing.
 *
 * Plain structs of the caller, parsed elsewhere; contract_check() says whether they make sense, and
 * everything else wants that it was asked. Pure.
 */

#include "common/balance/decimal.h"
#include "common/balance/percentile.h"

enum contract_model {
	CONTRACT_COMMIT_BLENDED,
	CONTRACT_COMMIT_VOLUME,
	CONTRACT_FLAT,
	CONTRACT_MODELS
};
enum contract_per { CONTRACT_MONTH, CONTRACT_YEAR, CONTRACT_ONCE, CONTRACT_PERS };

extern const char *const contract_model_names[CONTRACT_MODELS + 1];
extern const char *const contract_per_names[CONTRACT_PERS + 1]; /* "month", "year", "once" */

enum { CONTRACT_TIERS_MAX = 16, CONTRACT_CHARGES_MAX = 32, CONTRACT_NAME_SIZE = 64 };

/* bit/s in a Mbit/s, as prices are given. */
#define CONTRACT_MBPS 1000000U

struct contract_tier {
	uint64_t from_bps;
	struct decimal price; /* of a Mbit/s and month */
};

struct contract_charge {
	char name[CONTRACT_NAME_SIZE];
	struct decimal amount; /* below 0: a credit */
	enum contract_per per;
};

struct contract {
	enum contract_model model;
	uint64_t commit_bps;
	struct decimal unit_price; /* of a Mbit/s and month below the first tier */
	struct decimal fee;        /* per month, whatever is used */
	struct contract_tier tiers[CONTRACT_TIERS_MAX];
	size_t n_tiers;
	struct contract_charge charges[CONTRACT_CHARGES_MAX];
	size_t n_charges;
	char currency[4];   /* ISO 4217: "USD" */
	unsigned cycle_day; /* 1..28: the day of the month a period begins */
	char time_zone[64]; /* in which it does */
	struct percentile_rule rule;
};

/* Every fault, at JSON pointers below `where` ("", "/contract"). ERR_RANGE when there was one. */
enum err contract_check(const struct contract *c, const char *where, struct faults *faults);

/* Places of the currency's minor unit: 2, but 0 of "JPY" and its like, 3 of "KWD" and its like (ISO 4217). */
unsigned contract_minor_places(const char *currency);

enum contract_line_kind {
	LINE_FEE,
	LINE_COMMIT, /* up to the commit, used or not */
	LINE_EXCESS, /* above the commit, below the first tier */
	LINE_TIER,   /* `index` of tiers */
	LINE_CHARGE, /* `index` of charges */
	LINE_ONCE,   /* the same; not in the total */
	LINE_KINDS
};
extern const char *const contract_line_names[LINE_KINDS + 1];

struct contract_line {
	enum contract_line_kind kind;
	size_t index;
	uint64_t bps;          /* billed on this line; 0 of fees and charges */
	struct decimal price;  /* of a Mbit/s; 0 of fees and charges */
	struct decimal amount; /* per month */
};

enum { CONTRACT_LINES_MAX = 3 + CONTRACT_TIERS_MAX + CONTRACT_CHARGES_MAX };

struct contract_cost {
	uint64_t used_bps;
	uint64_t excess_bps;     /* above the commit */
	bool beyond;             /* of a flat contract: there is no price for this */
	struct decimal traffic;  /* fee and Mbit/s, exact */
	struct decimal total;    /* and the charges; rounded to the minor unit */
	bool has_per_mbps;       /* something was used */
	struct decimal per_mbps; /* traffic of a Mbit/s used, 6 places half up */
	struct contract_line lines[CONTRACT_LINES_MAX];
	size_t n_lines;
};

/* ERR_RANGE: an amount does not fit a decimal; *out is untouched. */
enum err contract_cost(const struct contract *c, uint64_t used_bps,
                       struct contract_cost *out) must_check;

/*
 * What `more_bps` more than now would add to the month's bill, exact; below 0 where a dip is passed. What
 * steering wants: 0 below the commit. ERR_NOT_FOUND: a flat contract would have no price; ERR_RANGE.
 */
enum err contract_marginal(const struct contract *c, uint64_t used_bps, uint64_t more_bps,
                           struct decimal *out) must_check;

/* Is there a use at which more of it costs less? */
bool contract_is_monotone(const struct contract *c);

/* "Sending more lowers the bill": the cheapest higher use, where it costs less than the present one. */
struct contract_dip {
	uint64_t to_bps;
	struct decimal saved;
};

/* False: there is none, *out is untouched. */
bool contract_dip(const struct contract *c, uint64_t used_bps, struct contract_dip *out);

/* In another currency, at the rate that the statement keeps; rounded to its minor unit half up. */
struct decimal contract_convert(struct decimal amount, struct decimal rate, const char *currency);
