/* SPDX-License-Identifier: Apache-2.0 */
#include "server/alarms/agreed.h"

#include "server/report/contracts.h"
#include "server/report/policies.h"

#include <inttypes.h>
#include <stdio.h>

/* ---- contracts ---- */

struct agreed {
	const struct contract *contract;
	const struct metering *m;
	struct percentile_scratch *scratch;
	struct sights *out;
};

static enum err see_floor(const struct agreed *a, const struct store_agreement *about)
{
	struct percentile_bounds b;
	const uint64_t commit = a->contract->commit_bps;
	const enum err e = percentile_bounds(&a->contract->rule, a->m->series, a->m->n, a->m->bins,
	                                     a->scratch, &b);
	struct sight *s =
		e == ERR_OK ? sights_add(a->out, RULE_FLOOR, about->provider, about->id) : NULL;
	if (s == NULL)
		return e;
	const uint64_t floor = percentile_bps(b.floor, a->m->bin_seconds);
	s->value = (double)floor * 100 / (double)commit;
	(void)snprintf(s->text, sizeof(s->text),
	               "the percentile of the period will not be below %" PRIu64
	               " bit/s; the commit is %" PRIu64,
	               floor, commit);
	return ERR_OK;
}

static enum err see_budget(const struct agreed *a, const struct store_agreement *about)
{
	struct percentile_budget b;
	const struct contract *c = a->contract;
	const enum err e = percentile_budget(&c->rule, a->m->series, a->m->n, a->m->bins,
	                                     c->commit_bps, a->m->bin_seconds, a->scratch, &b);
	struct sight *s = e == ERR_OK && b.allowed > 0
	                          ? sights_add(a->out, RULE_BURST, about->provider, about->id)
	                          : NULL;
	if (s == NULL)
		return e == ERR_NOT_FOUND ? ERR_OK : e; /* no budget where sets are ranked apart */
	s->value = (double)b.used * 100 / (double)b.allowed;
	(void)snprintf(s->text, sizeof(s->text),
	               "%zu of %zu bins that may be above the commit of %" PRIu64 " bit/s are used",
	               b.used, b.allowed, c->commit_bps);
	return ERR_OK;
}

static enum err see_contract(const struct contract_case *c, const struct store_agreement *about,
                             struct sights *out)
{
	struct agreed a = { .contract = &c->terms->contract, .m = &c->metering, .out = out };
	if (!a.m->has_source || a.m->source == STORE_ANNOUNCE || a.contract->commit_bps == 0)
		return ERR_OK;
	a.scratch = percentile_scratch_new(a.m->bins);
	enum err e = a.scratch != NULL ? see_floor(&a, about) : ERR_NOMEM;
	if (e == ERR_OK)
		e = see_budget(&a, about);
	percentile_scratch_free(a.scratch);
	return e == ERR_RANGE ? ERR_OK : e; /* sums beyond what is exact: the report says so */
}

static enum err look_at_one(const struct look_options *o, const struct store_agreement *about,
                            int64_t at, struct sights *out)
{
	const struct report_options options = { .bin_seconds = o->bin_seconds };
	struct contract_case c;
	struct fault why;
	enum err e = contract_case_read(o->store, &options, about,
	                                (struct contract_when){ at - 1, at }, &c, &why);
	if (e == ERR_MALFORMED || e == ERR_RANGE)
		return ERR_OK; /* the report says so, in its place */
	if (e != ERR_OK)
		return e;
	e = see_contract(&c, about, out);
	contract_case_done(&c);
	return e;
}

enum err look_at_contracts(const struct look_options *o, int64_t at, struct sights *out)
{
	struct store_agreement *list;
	size_t n;
	enum err e = store_agreements(o->store, STORE_CONTRACT, NULL, NULL, &list, &n);
	if (e != ERR_OK)
		return e;
	for (size_t i = 0; i < n && e == ERR_OK; i++)
		e = look_at_one(o, &list[i], at, out);
	store_agreements_free(list, n);
	return e;
}

/* ---- policies ---- */

static struct sight *sight_of(const struct judging_ask *found, enum rule_id rule,
                              struct sights *out)
{
	char subject[STORE_SUBJECT];
	(void)snprintf(subject, sizeof(subject), "%s %s", found->terms->id, found->subject);
	return sights_add(out, rule, found->terms->provider, subject);
}

static void see_periods(const struct judging_ask *found, struct sights *out)
{
	const unsigned said = found->terms->policy.consecutive_periods,
		       allowed = said > 0 ? said : 1;
	const struct policy_run *run = &found->run;
	struct sight *s =
		run->broken > 0 || run->kept > 0 ? sight_of(found, RULE_POLICY_PERIODS, out) : NULL;
	if (s == NULL)
		return; /* nothing was measured of any period that ended */
	s->value = (double)run->broken * 100 / (double)allowed;
	(void)snprintf(s->text, sizeof(s->text),
	               "%u of the last periods in a row broke the policy; %u break its clause",
	               run->broken, allowed);
}

static void see_volume(const struct judging_ask *found, struct sights *out)
{
	static const double hair = 0.001; /* less than enough, and be it by what is rounded off */
	const uint64_t least = found->terms->policy.min_bps;
	const struct policy_result *r = &found->judged->result;
	struct sight *s = least > 0 && found->judged->has_figures
	                          ? sight_of(found, RULE_POLICY_VOLUME, out)
	                          : NULL;
	if (s == NULL)
		return;
	const double missing = ((double)least - (double)r->volume_bps) * 100 / (double)least;
	s->value = r->enough ? 0 : missing > hair ? missing : hair;
	(void)snprintf(s->text, sizeof(s->text),
	               "%" PRIu64 " bit/s in the period so far; the policy asks for %s %" PRIu64,
	               r->volume_bps, found->terms->policy.min_more ? "more than" : "at least",
	               least);
}

static void see_policy(void *ctx, const struct judging_ask *found)
{
	see_periods(found, ctx);
	see_volume(found, ctx);
}

enum err look_at_policies(const struct look_options *o, int64_t at, struct sights *out)
{
	const struct report_options options = { .bin_seconds = o->bin_seconds };
	const struct report_agreements_query running = { .at = at - 1, .now = at };
	return policies_read(o->store, &options, &running, see_policy, out);
}
