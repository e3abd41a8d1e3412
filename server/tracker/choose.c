/* SPDX-License-Identifier: Apache-2.0 */
#include "server/tracker/choose.h"

static void give(struct tracker_worker *w, const struct swarm_visit *visit, uint8_t family,
                 bool with_ids)
{
	const struct choice *c = &w->choice;
	uint8_t **compact = &w->compact[family == IP_V6];
	if (*compact != NULL)
		*compact = swarm_compact(c->list, c->n, *compact);
	else
		for (size_t i = 0; i < c->n; i++)
			swarm_endpoint(visit, &c->list[i], with_ids, &w->peers[w->n_peers + i]);
	w->n_peers += c->n;
}

/* For accounting. Strangers among themselves cross nobody's interconnect. */
static void note(struct tracker_worker *w, const struct asker *asker)
{
	const struct choice *c = &w->choice;
	for (size_t i = 0; i < c->n_handed; i++) {
		const struct choice_handed *h = &c->handed[i];
		if (h->place != PLACE_UNKNOWN || asker->place != PLACE_UNKNOWN)
			w->handed[w->n_handed++] =
				(struct accounting_handed){ .place = h->place,
				                            .count = h->count,
				                            .candidates = h->candidates,
				                            .same = h->same };
	}
}

static struct choice_asker choice_asker_of(const struct tracker_worker *w,
                                           const struct swarm_visit *visit,
                                           const struct asker *asker, const struct swarm_asker *who)
{
	const struct swarm_where where = swarm_where(visit);
	return (struct choice_asker){ .map = w->map.map,
		                      .rules = asker->rules,
		                      .who = who,
		                      .place = asker->place,
		                      .mapped = asker->mapped,
		                      .steered = asker->steered,
		                      .known = asker->known,
		                      .noted = w->notes,
		                      .page = { .store = w->tracker->options.bridges,
		                                .shard = where.shard,
		                                .swarm = where.hash,
		                                .now = w->now },
		                      .dry = { w->dry[0], w->dry[1] },
		                      .ends = w->now + w->rules.book->settings.peer_timeout,
		                      .received = asker->progress.received,
		                      .seconds = asker->progress.seconds };
}

void choose_prefetch(const struct tracker_worker *w, const struct swarm_visit *visit,
                     const struct asker *asker)
{
	if (visit->swarm == NULL || !asker->steered || asker->rules->policy != STEER_BRIDGE)
		return;
	const struct choice_asker ask = choice_asker_of(w, visit, asker, &asker->swarm);
	choice_prefetch(&ask);
}

void choose_peers(struct tracker_worker *w, const struct swarm_visit *visit,
                  const struct asker *asker, const struct swarm_asker *who, size_t want)
{
	const struct choice_asker ask = choice_asker_of(w, visit, asker, who);
	(void)choice_make(&w->choice, visit, &ask, want, &w->seed);
	give(w, visit, who->family, asker->with_ids);
	note(w, asker);
}

void choose_leave(struct tracker_worker *w, const struct swarm_visit *visit,
                  const struct asker *asker, uint32_t place, uint64_t identity)
{
	struct swarm_asker who = asker->swarm;
	who.client.identity = identity;
	struct choice_asker ask = choice_asker_of(w, visit, asker, &who);
	ask.place = place;
	choice_leave(&ask);
}
