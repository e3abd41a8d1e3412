/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The figures of a contract in a period, written down on a sheet: percentile, floor and ceiling, burst
 * budget, cost, data quality, and the definitions that they rest on.
 *
 * They follow from the contract, the bins and the time alone: the same again gives the same sheet, which
 * is what makes a statement verifiable. Nothing here asks a database or a clock.
 *
 * Sources: accounting practice as told in common/balance/percentile.h and contract.h. "Guaranteed floor":
 * whatever the bins to come hold, the period's percentile will not be below it.
 *
 * Threading: free.
 */

#include "server/report/metering.h"
#include "server/report/sheet.h"
#include "server/report/terms.h"

struct reckoning_ask {
	const struct terms_contract *terms;
	uint64_t version;   /* of the contract */
	const char *sha256; /* of its document */
	const struct metering *metering;
	int64_t now;
};

/*
 * Adds the figures to `out`. Without bins, or from announces, there is no cost: money is never made of
 * estimates. ERR_NOMEM; ERR_RANGE: sums or amounts beyond what is exact.
 */
enum err reckon(const struct reckoning_ask *ask, struct sheet *out) must_check;
