/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a policy says of some interconnects in a period, written down on a sheet: ratio, verdict, margin
 * until the limit, minimum, and the clause over consecutive periods. Pure; see common/balance/policy.h.
 */

#include "server/report/metering.h"
#include "server/report/sheet.h"
#include "server/report/terms.h"

/* Of a period that is over so many percent of the bins must be known, or its verdict is unknown. */
enum { JUDGING_KNOWN_PERCENT = 50 };

/* One period, judged. */
struct judged {
	bool has_figures; /* something was measured */
	struct policy_figures figures;
	struct policy_result result;
};

struct judging_ask {
	const struct terms_policy *terms;
	uint64_t version;
	const char *sha256;
	const char *subject; /* "a-b-1", "fra", "AS64502" */
	const char *const *names;
	const struct metering *metering; /* of the period that is shown */
	const struct judged *judged;
	struct policy_run run; /* of the periods that ended before it */
	int64_t broken_until;  /* end of the newest of them that broke it; 0: none did */
};

/* Over the closed bins. ERR_NOMEM; ERR_RANGE: sums beyond what is exact. */
enum err judge(const struct policy *p, const struct metering *m, struct judged *out) must_check;

void judging_put(const struct judging_ask *ask, struct sheet *out);

/* "out:in 1.730:1 of 2.000:1; 410 GB more in until 2026-12-01T00:00:00Z" */
void judging_summary(const struct judging_ask *ask, struct text *out);
