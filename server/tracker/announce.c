/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The announce: find out where the asker is, put it into its swarm, choose peers for it.
 *
 * A swarm's places belong to one map. The first announce after a new map relocates the swarm; a
 * worker that still holds the old map then renews its lease and starts again, so that the places in
 * a swarm are never of two maps.
 */
#include "server/tracker/choose.h"
#include "server/tracker/gate.h"

#include "common/base/random.h"
#include "common/steer/arms.h"

#include <string.h>

static uint32_t place_of(void *ctx, const struct ip_addr *addr)
{
	const struct tracker_worker *w = ctx;
	const uint32_t place = snapshot_locate(w->map.map, addr);
	const struct geo *geo = w->tracker->options.geo;
	if (place != PLACE_UNKNOWN || w->map.map == NULL || geo == NULL)
		return place;
	const uint32_t asn = geo_asn(geo, addr);
	return asn != 0 ? snapshot_place_of_asn(w->map.map, asn) : PLACE_UNKNOWN;
}

/*
 * A client that sends a key is the same one after its address or port changed; else it is its
 * address and port.
 */
static uint64_t client_of(const struct tracker *t, const struct ask *ask)
{
	const struct announce *a = ask->announce;
	uint8_t message[1 + PEER_ID_SIZE + sizeof(a->key)];
	struct writer w = writer_over(message, sizeof(message));
	if (a->key != 0) {
		writer_u8(&w, IP_NONE);
		writer_bytes(&w, a->peer_id, sizeof(a->peer_id));
		writer_u64(&w, a->key);
	} else {
		writer_u8(&w, ask->from.family);
		writer_bytes(&w, ask->from.bytes, sizeof(ask->from.bytes));
		writer_u16(&w, a->port);
	}
	return tracker_hash(t, message, writer_size(&w));
}

/* A client with two addresses is two peers. */
static uint64_t identify(uint64_t client, uint8_t family)
{
	return random_mix(client + family);
}

static enum swarm_role role_of(const struct announce *a)
{
	if (a->left == 0)
		return SWARM_SEED;
	return a->event == EVENT_PAUSED ? SWARM_PARTIAL : SWARM_LEECHER;
}

/* By which rules its lists are made: by ours, or native ones in a control group, or where no map is. */
static const struct steer_rules *rules_for(const struct tracker_worker *w, const struct asker *a)
{
	static const struct steer_rules stranger = { .policy = STEER_NATIVE };
	const struct tracker_settings *s = &w->rules.book->settings;
	if (!a->mapped)
		return &stranger;
	const uint64_t provider = snapshot_provider_hash(w->map.map, a->info.provider);
	return steer_arm(&s->rules, a->torrent, provider, s->control_percent);
}

static struct asker introduce(struct tracker_worker *w, const struct ask *ask)
{
	const struct tracker_settings *s = &w->rules.book->settings;
	struct asker a = { .client = client_of(w->tracker, ask) };
	a.torrent = tracker_hash(w->tracker, ask->announce->info_hash, INFO_HASH_SIZE);
	if (w->accounting != NULL) /* which has its turn when the swarm is up to date */
		accounting_prefetch(w->accounting, a.client, a.torrent);
	a.place = place_of(w, &ask->from);
	a.info = snapshot_place(w->map.map, a.place);
	a.mapped = a.info.provider != NO_PROVIDER;
	a.rules = rules_for(w, &a);
	a.steered = a.rules->policy != STEER_NATIVE;
	a.with_ids = ask->with_ids;
	a.swarm =
		(struct swarm_asker){ .client = { .identity = identify(a.client, ask->from.family),
		                                  .keyed = ask->announce->key != 0,
		                                  .addr = ask->from,
		                                  .port = ask->announce->port,
		                                  .place = a.place },
		                      .family = ask->from.family,
		                      .seeding = role_of(ask->announce) != SWARM_LEECHER };
	/*
	 * Private and reserved addresses reach nobody, unless a provider's map says where they are; private
	 * and loopback ones do in a lab. A proxy of ours is not where the client is, wherever it stands.
	 */
	const enum ip_kind kind = ip_kind(&ask->from);
	a.bogon = (!a.mapped && kind != IP_PUBLIC && (!s->lab || kind == IP_BOGON)) ||
	          rules_is_proxy(w->rules.book, &ask->from);
	if (a.bogon)
		a.swarm.client.port = 0;
	return a;
}

enum err announce_enter(struct tracker_worker *w, const struct ask *ask, bool create,
                        struct asker *asker, struct swarm_visit *visit)
{
	for (;;) {
		*asker = introduce(w, ask);
		const enum err e = swarm_enter(w->tracker->options.swarms, ask->announce->info_hash,
		                               create, visit);
		if (e != ERR_OK || visit->swarm == NULL)
			return e;
		const uint32_t mine = (uint32_t)w->map.number, number = swarm_map_number(visit);
		if (number <= mine && swarm_relocate(visit, mine, place_of, w) != ERR_OK) {
			swarm_leave(visit);
			return ERR_NOMEM;
		}
		if (number <= mine)
			return ERR_OK;
		swarm_leave(visit); /* a newer map than ours */
		worker_end(w);
		(void)map_renew(w->tracker->options.office, &w->map);
		if (w->accounting != NULL)
			accounting_enter(w->accounting, &w->map);
	}
}

/* Whom the asker met in a place, it meets no longer. */
static void part(struct tracker_worker *w, const struct swarm_visit *visit,
                 const struct asker *asker, uint32_t place)
{
	choose_leave(w, visit, asker, place, identify(asker->client, IP_V4));
	choose_leave(w, visit, asker, place, identify(asker->client, IP_V6));
}

/* Puts the asker into its swarm, or out of it. A full store is no reason to give it no peers. */
static void update(struct tracker_worker *w, struct swarm_visit *visit, const struct ask *ask,
                   struct asker *asker)
{
	const struct announce *a = ask->announce;
	struct swarm_change change;
	if (a->event == EVENT_STOPPED) {
		uint32_t place = asker->place;
		asker->known = swarm_remove(visit, &asker->swarm.client, &place);
		if (visit->swarm != NULL)
			part(w, visit, asker, place);
		asker->silent = w->rules.book->settings.interval; /* at the most */
		return;
	}
	const struct swarm_peer peer = {
		.client = asker->swarm.client,
		.role = role_of(a),
		.expires = w->now + w->rules.book->settings.peer_timeout,
		.peer_id = ask->keep_id ? a->peer_id : NULL,
	};
	const bool completed = a->event == EVENT_COMPLETED && a->left == 0;
	if (swarm_put(visit, &peer, completed, &change) != ERR_OK) {
		metrics_add(w->metrics, METRIC_PEERS_REFUSED, 1);
		return;
	}
	if (change.from != asker->place &&
	    snapshot_place(w->map.map, change.from).provider != asker->info.provider)
		part(w, visit, asker, change.from);
	asker->known = !change.joined;
	asker->silent = change.silent;
	asker->completed = change.completed;
	if (change.completed)
		metrics_add(w->metrics, METRIC_SNATCHES, 1);
}

static void count_evicted(struct tracker_worker *w, const struct swarm_visit *visit)
{
	static const enum metrics_counter counters[SWARM_LIMITS] = {
		[SWARM_LIMIT_STORE] = METRIC_PEERS_EVICTED_STORE,
		[SWARM_LIMIT_ADDRESS] = METRIC_PEERS_EVICTED_ADDRESS,
		[SWARM_LIMIT_PREFIX] = METRIC_PEERS_EVICTED_PREFIX,
	};
	for (unsigned i = 0; i < SWARM_LIMITS; i++)
		if (visit->evicted[i] > 0)
			metrics_add(w->metrics, counters[i], visit->evicted[i]);
}

size_t announce_wanted(const struct tracker_settings *s, const struct ask *ask)
{
	const struct announce *a = ask->announce;
	size_t want = a->want >= 0 ? (size_t)a->want : s->default_peers;
	const size_t limits[] = { s->max_peers, ask->room, PEERS_MAX };
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		want = want < limits[i] ? want : limits[i];
	return a->event == EVENT_STOPPED ? 0 : want;
}

/*
 * A quarter is of the other family if there is one, so that the halves of a swarm know each other.
 * There the asker may stand too, as another peer.
 */
static void choose(struct tracker_worker *w, const struct swarm_visit *visit, const struct ask *ask,
                   const struct asker *asker)
{
	const uint8_t own = ask->from.family, other = own == IP_V4 ? IP_V6 : IP_V4;
	const size_t want = announce_wanted(&w->rules.book->settings, ask);
	w->n_peers = w->n_handed = w->soon = 0;
	w->compact[0] = ask->compact[0];
	w->compact[1] = ask->compact[1];
	w->notes = false;
	if (want == 0 || visit->swarm == NULL)
		return;
	w->notes = w->accounting != NULL && accounting_wants_handed(w->accounting);
	if (ask->both_families) {
		struct swarm_asker who = asker->swarm;
		who.family = other;
		who.client.identity = identify(asker->client, other);
		choose_peers(w, visit, asker, &who, want / 4);
	}
	choose_peers(w, visit, asker, &asker->swarm, want - w->n_peers);
	w->soon = w->choice.soon;
}

/* Before its list is made: what it has received says whether those that it has met do. */
static void account(struct tracker_worker *w, const struct ask *ask, struct asker *asker)
{
	if (w->accounting == NULL)
		return;
	const struct announce *a = ask->announce;
	const struct accounting_announce note = { .announce = a,
		                                  .client = asker->client,
		                                  .swarm = asker->torrent,
		                                  .known = asker->known,
		                                  .silent = asker->silent,
		                                  .completed = asker->completed,
		                                  .from = &ask->from,
		                                  .place = asker->place,
		                                  .up_kbps = asker->info.up_kbps,
		                                  .down_kbps = asker->info.down_kbps,
		                                  .now = w->unix_now };
	asker->progress = accounting_note(w->accounting, &note);
}

/* A little apart, so that clients which came in a wave do not come back in one. */
static uint32_t jittered(uint32_t interval, uint64_t *seed)
{
	const uint32_t tenth = interval / 10;
	return interval >= 300 ? interval - tenth + random_below(seed, 2 * tenth + 1) : interval;
}

static void serve(struct tracker_worker *w, const struct ask *ask, struct answer *out)
{
	struct asker asker;
	struct swarm_visit visit;

	*out = (struct answer){ .interval = jittered(w->rules.book->settings.interval, &w->seed) };
	out->refusal = gate_refusal(w, ask);
	if (out->refusal != NULL)
		return;
	if (announce_enter(w, ask, ask->announce->event != EVENT_STOPPED, &asker, &visit) !=
	    ERR_OK) {
		out->refusal = "the tracker is full, try again later";
		return;
	}
	choose_prefetch(w, &visit, &asker);
	update(w, &visit, ask, &asker);
	account(w, ask, &asker);
	choose(w, &visit, ask, &asker);
	out->counts = swarm_counts(&visit);
	out->policy = asker.rules->policy;
	out->interval = steer_interval(out->interval, w->soon, asker.client);
	count_evicted(w, &visit);
	swarm_leave(&visit);

	if (w->notes)
		accounting_handed(w->accounting, w->handed, w->n_handed);
	metrics_add(w->metrics, METRIC_PEERS_HANDED_OUT, w->n_peers);
	if (asker.bogon)
		metrics_add(w->metrics, METRIC_PEERS_BOGON, 1);
}

/* Times one announce of each batch: a clock for every one would cost as much as its swarm. */
void tracker_announce(struct tracker_worker *w, const struct ask *ask, struct answer *out)
{
	if (w->timed) {
		serve(w, ask, out);
		return;
	}
	const uint64_t began = clock_ns();
	serve(w, ask, out);
	metrics_latency(w->metrics, clock_ns() - began);
	w->timed = true;
}

struct swarm_counts tracker_counts(struct tracker_worker *w,
                                   const uint8_t info_hash[static INFO_HASH_SIZE])
{
	struct swarm_visit visit;
	if (swarm_enter(w->tracker->options.swarms, info_hash, false, &visit) != ERR_OK)
		return (struct swarm_counts){ 0 };
	const struct swarm_counts counts = swarm_counts(&visit);
	swarm_leave(&visit);
	return counts;
}
