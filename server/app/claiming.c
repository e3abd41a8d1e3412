/* SPDX-License-Identifier: Apache-2.0 */
#include "server/app/claiming.h"

#include "common/base/log.h"

#include <string.h>
#include <time.h>

struct claims_settings claiming_settings(const struct config *c)
{
	return (struct claims_settings){
		.file = c->rpki_file,
		.max_age_seconds = c->rpki_max_age_hours * 3600,
		.unknown = strcmp(c->unknown_prefixes, "refuse") == 0      ? CLAIMS_REFUSE
		           : strcmp(c->unknown_prefixes, "delegated") == 0 ? CLAIMS_DELEGATED
		                                                           : CLAIMS_WARN,
		.bound_only = strcmp(c->unbound_providers, "refuse") == 0,
		.lab = c->lab != 0,
	};
}

static void judge(void *ctx, const char *provider, const struct map_topology *t)
{
	struct faults *faults = faults_new(), *warnings = faults_new();
	if (faults != NULL && warnings != NULL &&
	    claims_judge(ctx, provider, t, CLAIMS_KNOWN, faults, warnings) == ERR_MALFORMED)
		log_line(LOG_WARNING,
		         "A map in force claims what it may not; it stays, but would be refused "
		         "now. provider=%s faults=%zu where=%s why=\"%s\"",
		         provider, faults->count + faults->more, faults->list[0].where,
		         faults->list[0].text);
	faults_free(faults);
	faults_free(warnings);
}

void claiming_look(struct claims *c, struct maps *m)
{
	maps_each(m, judge, c);
}

void claiming_tell(struct claims *c, struct alarms_self *out)
{
	const struct claims_stats s = claims_stats(c);
	out->rpki = s.rpki;
	out->vrps_age = s.made > 0 ? (int64_t)time(NULL) - s.made : -1;
}
