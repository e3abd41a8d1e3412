/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What contracts leave free: up to where more traffic costs no more, and how many bins of the running
 * period may still be above that, as prices want it (struct prices_budget).
 *
 * The budget of a contract is its commit, or what the period's percentile will be at least when that is
 * more already: below it a byte is paid for either way, and holding it back would save nothing. Bins are
 * left as the report of contracts counts them (percentile_budget()), for each direction by itself where
 * the higher one is billed. It counts what crosses all interconnects of the contract, together in both
 * directions where their sum is billed; so all of them get dearer together.
 *
 * A contract that ranks several sets apart has no bin that is above the commit by itself: no budget.
 * Nor has one whose documents or bins cannot be understood; the reports say why.
 *
 * A month of bins is much to read (4 ms of our CPU a contract, 75 ms in all on a busy machine), so one that
 * has bins left is read again only when they could be used up: as many bins later, or after
 * BUDGETS_RECHECK_BINS. Late figures, and first ones, count from then on; another version of a contract
 * counts at once.
 *
 * Threading: one thread; budgets_read() blocks on the database.
 */

#include "common/steer/prices.h"
#include "server/store/store.h"

enum { BUDGETS_RECHECK_BINS = 72, BUDGETS_ABSENT_BINS = 12 /* of a contract without a budget */ };

struct budgets;

struct budgets *budgets_new(void);    /* NULL when out of memory */
void budgets_free(struct budgets *b); /* NULL is fine */

/* Those of the periods that hold the second before `at`. On failure they are as they were. */
enum err budgets_read(struct budgets *b, struct store *s, uint32_t bin_seconds,
                      int64_t at) must_check;

/* The edge of an interconnect; NULL: the map has none of that name. */
typedef struct prices_edge *budgets_edge(const void *ctx, const char *provider, const char *id);

/*
 * Gives each edge the budget it breaks most. Loads are those of the bin; an interconnect without one
 * adds nothing, and a contract none of whose interconnects has one says nothing.
 */
void budgets_lay(const struct budgets *b, budgets_edge *edge, const void *ctx);
