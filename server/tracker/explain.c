/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Why a client gets the peers that it gets: its announce is rehearsed, by a worker of its own that nobody
 * counts, with the very steps of an announce but for those that change anything.
 */
#include "server/tracker/choose.h"

#include "common/steer/lean.h"

#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert((int)TRACKER_EXPLAINED_MAX == (int)PEERS_MAX, "all of a list");

struct rehearsal {
	struct tracker_worker *w;
	const struct tracker_question *question;
	struct announce announce;
	struct ask ask;
	struct asker asker;
};

static struct tracker_worker *worker_new(struct tracker *t, uint64_t seed)
{
	struct tracker_worker *w =
		aligned_alloc(alignof(struct tracker_worker), sizeof(struct tracker_worker));
	if (w == NULL)
		return NULL;
	memset(w, 0, sizeof(*w));
	w->tracker = t;
	w->seed = seed;
	w->dry[0] = malloc(BRIDGE_BOOK_BYTES);
	w->dry[1] = malloc(BRIDGE_BOOK_BYTES);
	return w;
}

static void worker_free(struct tracker_worker *w)
{
	if (w == NULL)
		return;
	map_end(&w->map);
	rules_end(&w->rules);
	free(w->dry[0]);
	free(w->dry[1]);
	free(w);
}

/* The asker as the swarm knows it. */
static void recognise(struct rehearsal *r, const struct swarm_peer *found)
{
	struct asker *a = &r->asker;
	a->known = true;
	a->swarm.client = found->client;
	if (!r->question->says_left)
		a->swarm.seeding = found->role != SWARM_LEECHER;
}

/* Locks the swarm and finds the asker in it. */
static enum err find(struct rehearsal *r, struct swarm_visit *visit)
{
	uint64_t cursor = 0;
	struct swarm_peer found;
	for (;;) {
		const enum err e = announce_enter(r->w, &r->ask, false, &r->asker, visit);
		if (e != ERR_OK)
			return e;
		const enum swarm_search s =
			swarm_search(visit, &r->question->address, r->question->port,
		                     r->asker.place, &cursor, &found);
		if (s == SWARM_FOUND)
			recognise(r, &found);
		if (s != SWARM_MORE)
			return ERR_OK;
		swarm_leave(visit);
	}
}

static bool is_of(const struct rehearsal *r, const char *provider)
{
	const struct map_snapshot *map = r->w->map.map;
	return provider == NULL ||
	       (r->asker.mapped &&
	        strcmp(snapshot_provider_name(map, r->asker.info.provider), provider) == 0);
}

/* Fills in w->peers and w->choice. */
static enum err rehearse(struct rehearsal *r)
{
	struct tracker_worker *w = r->w;
	struct swarm_visit visit;
	enum err e = find(r, &visit);
	if (e != ERR_OK)
		return e;
	if (visit.swarm == NULL)
		e = ERR_NOT_FOUND;
	else if (!is_of(r, r->question->provider))
		e = ERR_DENIED;
	else
		choose_peers(w, &visit, &r->asker, &r->asker.swarm,
		             announce_wanted(&w->rules.book->settings, &r->ask));
	swarm_leave(&visit);
	return e;
}

/* ---- in words ---- */

static bool in_control(const struct rehearsal *r)
{
	return r->asker.mapped && !r->asker.steered &&
	       r->w->rules.book->settings.rules.policy != STEER_NATIVE;
}

static void put_reason(const struct rehearsal *r, size_t i, const struct tracker_explained *p,
                       char out[static TRACKER_REASON_SIZE])
{
	const enum map_tier tier = p->tier;
	const int32_t gain = steer_gain(p->lean, r->asker.swarm.seeding);
	const struct choice *c = &r->w->choice;
	const char *text = "";
	switch (choice_reason(c, r->asker.rules, i, tier, gain)) {
	case CHOICE_EVERYBODY:
		text = "no choice: everybody fits";
		break;
	case CHOICE_CHANCE:
		text = !r->asker.mapped ? "native: by chance, no map knows the asker"
		       : in_control(r)  ? "native: by chance, the control group"
		                        : "native: by chance, the policy";
		break;
	case CHOICE_NEAR:
		text = tier == TIER_SAME_PID ? "own PID" : "own provider";
		break;
	case CHOICE_OUTSIDE:
		text = "outside: by price";
		break;
	case CHOICE_MET:
		text = "met before";
		break;
	case CHOICE_BUDGET:
		text = "budget";
		break;
	case CHOICE_LEAN:
		text = "balance: bytes this way are welcome";
		break;
	case CHOICE_HEALTH:
		(void)snprintf(out, TRACKER_REASON_SIZE, "needed: fewer than %u peers",
		               choice_health(r->asker.rules, &c->standing, gain));
		return;
	case CHOICE_ISLAND:
		text = "needed: no contact leads to a seed";
		break;
	}
	(void)snprintf(out, TRACKER_REASON_SIZE, "%s", text);
}

static void explain_peer(const struct rehearsal *r, size_t i, struct tracker_explained *out)
{
	const struct map_snapshot *map = r->w->map.map;
	const struct swarm_candidate *one = &r->w->choice.list[i];
	out->addr = r->w->peers[i].addr;
	out->port = r->w->peers[i].port;
	out->place = one->place;
	out->seed = one->seed;
	out->receive = snapshot_pair(map, one->place, r->asker.place);
	out->send = snapshot_pair(map, r->asker.place, one->place);
	out->tier = r->asker.swarm.seeding ? out->send.tier : out->receive.tier;
	out->lean = snapshot_lean(map, r->asker.place, one->place);
	put_reason(r, i, out, out->reason);
}

/* What its provider may have in this swarm. */
static void explain_budget(const struct rehearsal *r, struct tracker_explanation *out)
{
	const struct asker *a = &r->asker;
	const struct map_leans leans = snapshot_leans(r->w->map.map, a->place);
	const int32_t gains[] = { steer_gain(leans.least, out->seeding),
		                  steer_gain(leans.most, out->seeding) };
	const bool first = gains[0] > gains[1];
	out->standing = r->w->choice.standing;
	out->budget = choice_budget(a->rules, &out->standing, 0);
	out->welcome.gain = gains[!first];
	out->welcome.free = choice_budget(a->rules, &out->standing, out->welcome.gain).free;
	out->unwelcome.gain = gains[first];
	out->unwelcome.free = choice_budget(a->rules, &out->standing, out->unwelcome.gain).free;
	out->list_length = a->rules->list_length;
}

static void explain(struct rehearsal *r, struct tracker_explanation *out)
{
	const struct asker *a = &r->asker;
	must(a->rules != NULL);
	out->port = a->known ? a->swarm.client.port : r->question->port;
	out->place = a->place;
	out->provider = a->info.provider;
	out->known = a->known;
	out->seeding = a->swarm.seeding;
	out->control = in_control(r);
	out->policy = a->rules->policy;
	if (a->rules->policy == STEER_BRIDGE)
		explain_budget(r, out);
	for (out->n = 0; out->n < r->w->n_peers; out->n++)
		explain_peer(r, out->n, &out->peers[out->n]);
	map_share(&r->w->map, &out->lease);
}

enum err tracker_explain(struct tracker *t, const struct tracker_question *q, uint64_t now_ms,
                         struct tracker_explanation **out)
{
	struct rehearsal r = { .w = worker_new(t, q->seed), .question = q };
	struct tracker_explanation *e = calloc(1, sizeof(*e));
	enum err failed = ERR_NOMEM;
	if (r.w != NULL && r.w->dry[0] != NULL && r.w->dry[1] != NULL && e != NULL) {
		memcpy(r.announce.info_hash, q->info_hash, sizeof(r.announce.info_hash));
		r.announce.port = q->port;
		r.announce.want = q->want;
		r.announce.left = q->says_left && q->has_all ? 0 : 1;
		r.ask = (struct ask){ .announce = &r.announce,
			              .from = q->address,
			              .room = PEERS_MAX };
		worker_begin(r.w, now_ms);
		failed = rehearse(&r);
		if (failed == ERR_OK)
			explain(&r, e);
		worker_end(r.w);
	}
	worker_free(r.w);
	if (failed != ERR_OK) {
		free(e);
		return failed;
	}
	*out = e;
	return ERR_OK;
}

void tracker_explanation_free(struct tracker_explanation *e)
{
	if (e == NULL)
		return;
	map_end(&e->lease);
	free(e);
}
