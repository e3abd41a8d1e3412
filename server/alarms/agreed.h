/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What was agreed. About money: in the running period of each contract in force, is its floor above the
 * commit, so that overage is certain, and how much of the burst budget is used
 * (common/balance/percentile.h). Nothing is said of contracts without a commit, nor where only announces
 * tell: money is never made of estimates.
 *
 * And of each ratio policy, towards each thing it is about: how many periods in a row broke it, of as many
 * as its clause allows, and by how much the running period's volume is below the minimum. A policy is no
 * bill: estimates count, as in the report.
 *
 * Threading: one thread, which may wait for the store.
 */

#include "server/alarms/look.h"

/* The store's errors, and ERR_NOMEM. */
enum err look_at_contracts(const struct look_options *o, int64_t at, struct sights *out) must_check;
enum err look_at_policies(const struct look_options *o, int64_t at, struct sights *out) must_check;
