/* SPDX-License-Identifier: Apache-2.0 */
/* What became of versions. */
#include "server/store/documents.h"
#include "server/store/lifecycle.h"

#include <stdlib.h>
#include <string.h>

static const char *const states[STORE_STATES] = { [STORE_DRAFT] = "draft",
	                                          [STORE_APPROVED] = "approved",
	                                          [STORE_SCHEDULED] = "scheduled",
	                                          [STORE_IN_FORCE] = "in force",
	                                          [STORE_ROLLED_BACK] = "rolled back",
	                                          [STORE_SUPERSEDED] = "superseded" };

const char *store_state_name(enum store_state s)
{
	return states[s];
}

static enum store_state state_of(const struct store_life *l, bool left_by_roll_back)
{
	if (l->about.in_force)
		return STORE_IN_FORCE;
	if (strcmp(l->plan_state, "waiting") == 0)
		return STORE_SCHEDULED;
	if (l->activated > 0)
		return left_by_roll_back ? STORE_ROLLED_BACK : STORE_SUPERSEDED;
	return l->approval_counts ? STORE_APPROVED : STORE_DRAFT;
}

static void life_row(const struct work *w, size_t row, void *out)
{
	struct store_life *l = out;
	struct store_version *v = &l->about;
	char kind[16];
	work_text(w, row, 0, v->provider, sizeof(v->provider));
	v->version = work_u64(w, row, 1);
	work_text(w, row, 2, kind, sizeof(kind));
	v->kind = strcmp(kind, documents_kind(STORE_COSTS)) == 0 ? STORE_COSTS : STORE_TOPOLOGY;
	work_text(w, row, 3, v->sha256, sizeof(v->sha256));
	work_text(w, row, 4, v->author, sizeof(v->author));
	v->created = work_i64(w, row, 5);
	v->size = work_u64(w, row, 6);
	v->in_force = work_bool(w, row, 7);
	work_text(w, row, 8, l->source, sizeof(l->source));
	l->approved = work_i64(w, row, 9);
	work_text(w, row, 10, l->approver, sizeof(l->approver));
	l->activated = work_i64(w, row, 11);
	work_text(w, row, 12, l->activator, sizeof(l->activator));
	l->planned = work_i64(w, row, 13);
	work_text(w, row, 14, l->planner, sizeof(l->planner));
	work_text(w, row, 15, l->plan_state, sizeof(l->plan_state));
	work_text(w, row, 16, l->plan_reason, sizeof(l->plan_reason));
	l->watched_until = work_i64(w, row, 17);
	work_text(w, row, 18, l->watch_state, sizeof(l->watch_state));
	work_text(w, row, 20, l->undone, sizeof(l->undone));
	work_text(w, row, 21, l->approver_standing, sizeof(l->approver_standing));
	l->approval_counts = work_bool(w, row, 22);
	l->state = state_of(l, work_bool(w, row, 19));
}

enum err store_history_page(struct store *s, const char *provider, const struct store_page *page,
                            struct store_life **out, size_t *count)
{
	struct work w = work_begin(s, "read the history of documents");
	size_t n = 0;
	(void)work_run(
		&w,
		"SELECT v.provider, v.version, v.kind, v.sha256, v.author, "
		" extract(epoch FROM v.created)::bigint, octet_length(v.document), "
		" f.version IS NOT NULL, v.source, "
		" extract(epoch FROM ok.approved)::bigint, ok.author, "
		" extract(epoch FROM a.activated)::bigint, a.author, "
		" p.at, p.author, p.state, p.reason, m.until, m.state, "
		" next.resumes IS NOT NULL, next.reason, ok.standing, "
		" coalesce(ok.standing " DOCUMENTS_MAY_APPROVE ", false) "
		"FROM map_versions v LEFT JOIN documents_in_force f USING (provider, kind, version) "
		"LEFT JOIN LATERAL (SELECT author, approved, standing FROM (SELECT o.*, "
		"  author_standing(o.author, o.approved) AS standing FROM map_approvals o "
		"  WHERE o.provider = v.provider AND o.version = v.version "
		"  AND o.author <> v.author) x "
		" ORDER BY standing " DOCUMENTS_MAY_APPROVE " DESC, approved DESC LIMIT 1) ok "
		" ON true "
		"LEFT JOIN LATERAL (SELECT number, author, activated FROM activations x "
		" WHERE x.provider = v.provider AND x.version = v.version "
		" ORDER BY number DESC LIMIT 1) a ON true "
		"LEFT JOIN LATERAL (SELECT resumes, reason FROM activations x "
		" WHERE x.provider = v.provider AND x.kind = v.kind AND x.number > a.number "
		" ORDER BY number LIMIT 1) next ON true "
		"LEFT JOIN LATERAL (SELECT at, author, state, reason FROM map_plans x "
		" WHERE x.provider = v.provider AND v.version IN (x.version, x.also) "
		" ORDER BY number DESC LIMIT 1) p ON true "
		"LEFT JOIN LATERAL (SELECT until, state FROM map_watches x "
		" WHERE x.provider = v.provider AND x.version = v.version "
		" ORDER BY number DESC LIMIT 1) m ON true "
		"WHERE v.provider = $1 AND ($2::numeric = 0 OR v.version = $2) "
		" AND ($3::numeric = 0 OR v.version < $3) "
		"ORDER BY v.version DESC LIMIT nullif($4::bigint, 0)",
		ARGS(arg_text(provider), arg_u64(page->version), arg_u64(page->before),
	             arg_u64(page->limit)));
	struct store_life *list = work_list(&w, sizeof(*list), life_row, &n);
	const enum err e = work_end(&w);
	if (e != ERR_OK) {
		free(list);
		return e;
	}
	*out = list;
	*count = n;
	return ERR_OK;
}

enum err store_history(struct store *s, const char *provider, uint64_t version,
                       struct store_life **out, size_t *count)
{
	return store_history_page(s, provider, &(struct store_page){ .version = version }, out,
	                          count);
}
