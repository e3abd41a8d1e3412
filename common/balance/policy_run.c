/* SPDX-License-Identifier: Apache-2.0 */
#include "common/balance/policy.h"

static bool is_broken(enum policy_verdict v)
{
	return v == POLICY_BREACH || v == POLICY_BELOW_MINIMUM;
}

static unsigned at_least_one(unsigned n)
{
	return n > 0 ? n : 1;
}

struct policy_run policy_run(const struct policy *p, const enum policy_verdict *verdicts, size_t n)
{
	struct policy_run run = { .clause = POLICY_NO_DATA };
	unsigned gap = 0; /* periods without data before the run's oldest */
	for (size_t i = n; i > 0; i--) {
		const enum policy_verdict v = verdicts[i - 1];
		if (v == POLICY_NO_DATA || v == POLICY_UNKNOWN) {
			gap++;
			continue;
		}
		if (run.broken + run.kept == 0)
			run.clause = v;
		else if (is_broken(v) != (run.broken > 0))
			break;
		run.passed_over += gap;
		gap = 0;
		run.broken += is_broken(v);
		run.kept += !is_broken(v);
	}
	if (is_broken(run.clause) && run.broken < at_least_one(p->consecutive_periods))
		run.clause = POLICY_WARN;
	run.qualified = run.kept >= at_least_one(p->qualify_periods);
	return run;
}
