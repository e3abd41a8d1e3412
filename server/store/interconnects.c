/* SPDX-License-Identifier: Apache-2.0 */
#include "server/store/query.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static void interconnect_row(const struct work *w, size_t row, void *out)
{
	struct store_interconnect *c = out;
	work_text(w, row, 0, c->provider, sizeof(c->provider));
	work_text(w, row, 1, c->id, sizeof(c->id));
	work_text(w, row, 2, c->pid, sizeof(c->pid));
	work_text(w, row, 3, c->relation, sizeof(c->relation));
	work_text(w, row, 4, c->metro, sizeof(c->metro));
	c->neighbor_asn = (uint32_t)work_u64(w, row, 5);
	c->capacity_mbps = work_u64(w, row, 6);
	c->ratio_limit_milli = work_u64(w, row, 7);
	c->in_force = work_bool(w, row, 8);
}

enum err store_interconnects(struct store *s, const char *provider, struct store_interconnect **out,
                             size_t *count)
{
	struct work w = work_begin(s, "list interconnects");
	(void)work_run(&w,
	               "SELECT provider, id, pid, relation, metro, neighbor_asn, capacity_mbps, "
	               " ratio_limit_milli, in_force "
	               "FROM interconnects "
	               "WHERE relation <> 'unknown' AND ($1::text IS NULL OR provider = $1) "
	               "ORDER BY provider, id",
	               ARGS(arg_text(provider)));
	size_t n = 0;
	struct store_interconnect *list = work_list(&w, sizeof(*list), interconnect_row, &n);
	const enum err e = work_end(&w);
	if (e != ERR_OK) {
		free(list);
		return e;
	}
	*out = list;
	*count = n;
	return ERR_OK;
}

enum err store_named(struct store *s, const char *provider, const char *interconnect)
{
	struct work w = work_begin(s, "look for an interconnect");
	const size_t n =
		interconnect == NULL
			? work_run(&w,
	                           "SELECT FROM providers WHERE $1::text IS NULL OR provider = $1 "
	                           "LIMIT 1",
	                           ARGS(arg_text(provider)))
			: work_run(&w,
	                           "SELECT FROM interconnects WHERE id = $2 AND "
	                           " ($1::text IS NULL OR provider = $1) LIMIT 1",
	                           ARGS(arg_text(provider), arg_text(interconnect)));
	if (n == 0)
		work_fail(&w, ERR_NOT_FOUND);
	return work_end(&w);
}

enum err store_ratio_limit(struct store *s, const char *provider, const char *interconnect,
                           uint64_t milli, const char *author)
{
	char subject[160];
	(void)snprintf(subject, sizeof(subject), "%s %s %" PRIu64 ".%03" PRIu64, provider,
	               interconnect, milli / 1000, milli % 1000);
	struct work w = work_begin(s, "set a ratio limit");
	if (work_run(&w,
	             "UPDATE interconnects SET ratio_limit_milli = $3 "
	             "WHERE provider = $1 AND id = $2 RETURNING 1",
	             ARGS(arg_text(provider), arg_text(interconnect), arg_u64(milli))) != 1)
		work_fail(&w, ERR_NOT_FOUND);
	work_audit_of(&w, provider, author, "ratio-limit", subject);
	return work_end(&w);
}
