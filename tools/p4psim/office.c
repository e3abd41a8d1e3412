/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/p4psim/office.h"

#include "common/base/random.h"
#include "common/steer/arms.h"

#include <stdlib.h>
#include <string.h>

_Static_assert((int)SCENARIO_MEASURED_MAX <= (int)SWARM_DRAW_MAX, "drawn at once");

enum { FIRST_ADDRESS = 0x0a000000, PORT = 6881, BRIDGE_BYTES = 1 << 30 };

static uint64_t hash_of(const struct office *o, uint32_t swarm)
{
	return random_mix(random_mix(o->scenario->seed) + swarm + 1);
}

static void info_hash(const struct office *o, uint32_t swarm, uint8_t out[static INFO_HASH_SIZE])
{
	const uint64_t hash = hash_of(o, swarm);
	memset(out, 0, INFO_HASH_SIZE);
	memcpy(out, &hash, sizeof(hash));
	memcpy(out + sizeof(hash), &swarm, sizeof(swarm));
}

enum err office_open(struct office *o, const struct scenario *s, const struct scenario_arm *arm,
                     const struct population *p, const struct network *n)
{
	const struct swarm_options options = {
		.shards = 1, .max_swarms = s->swarms + 1, .max_peers = p->n + 1, .secret = s->seed
	};
	*o = (struct office){ .scenario = s,
		              .arm = arm,
		              .population = p,
		              .map = n->world->map,
		              .store = swarm_store_new(&options),
		              .choice = malloc(sizeof(*o->choice)),
		              .bridges = bridge_store_new(1, BRIDGE_BYTES),
		              .localise = { s, p, n },
		              .seed = random_mix(s->seed + 2) };
	if (o->store != NULL && o->choice != NULL && o->bridges != NULL)
		return ERR_OK;
	office_close(o);
	return ERR_NOMEM;
}

void office_close(struct office *o)
{
	swarm_store_free(o->store);
	free(o->choice);
	bridge_store_free(o->bridges);
	*o = (struct office){ 0 };
}

static struct swarm_client client_of(const struct office *o, uint32_t peer)
{
	const uint32_t site = o->population->people[peer].site;
	return (struct swarm_client){ .identity = random_mix(peer + 1),
		                      .addr = ip_v4(FIRST_ADDRESS + peer),
		                      .port = PORT,
		                      .place = o->population->places[site] };
}

/* `who` is to live as long as what is returned. */
static struct choice_asker asker_of(const struct office *o, const struct swarm_visit *visit,
                                    const struct swarm_asker *who, uint32_t swarm, uint32_t now)
{
	const struct swarm_where where = swarm_where(visit);
	const uint32_t provider = snapshot_place(o->map, who->client.place).provider;
	const bool mapped = provider != NO_PROVIDER;
	const uint64_t home = mapped ? snapshot_provider_hash(o->map, provider) : 0;
	const struct steer_rules *rules =
		steer_arm(&o->arm->rules, hash_of(o, swarm), home, o->arm->control_percent);
	return (struct choice_asker){ .map = o->map,
		                      .rules = rules,
		                      .who = who,
		                      .place = who->client.place,
		                      .mapped = mapped,
		                      .steered = mapped && rules->policy != STEER_NATIVE,
		                      .page = { .store = o->bridges,
		                                .shard = where.shard,
		                                .swarm = where.hash,
		                                .now = now },
		                      .ends = now + 2 * o->scenario->announce_seconds };
}

static uint32_t peer_at(const struct swarm_visit *visit, const struct swarm_candidate *one)
{
	struct swarm_endpoint e;
	swarm_endpoint(visit, one, false, &e);
	return ip_v4_number(&e.addr) - FIRST_ADDRESS;
}

/* The nearest by delay, of those it can measure. */
static void choose_nearest(struct office *o, const struct swarm_visit *visit,
                           const struct swarm_asker *who, uint32_t peer, uint32_t want,
                           struct office_list *out)
{
	uint32_t peers[SCENARIO_MEASURED_MAX];
	struct swarm_survey survey;
	swarm_survey(visit, who, (struct swarm_places){ 0 }, &survey);
	const size_t n =
		swarm_draw(visit, &survey, SWARM_ELSEWHERE, o->arm->measured, &o->seed, o->drawn);
	for (size_t i = 0; i < n; i++)
		peers[i] = peer_at(visit, &o->drawn[i]);
	localise_sort(&o->localise, peer, peers, n, &o->seed);
	out->n = n < want ? n : want;
	memcpy(out->peers, peers, out->n * sizeof(*peers));
}

static void choose(struct office *o, struct swarm_visit *visit, const struct office_ask *ask,
                   bool known, struct office_list *out)
{
	const struct swarm_asker who = { .client = client_of(o, ask->peer),
		                         .family = IP_V4,
		                         .seeding = ask->whole };
	struct choice_asker asker = asker_of(o, visit, &who, o->population->people[ask->peer].swarm,
	                                     (uint32_t)ask->now);
	asker.known = known;
	asker.received = ask->received;
	asker.seconds = known ? ask->seconds : 0;
	if (o->arm->localised && asker.rules == &o->arm->rules) {
		choose_nearest(o, visit, &who, ask->peer, ask->want, out);
		return;
	}
	out->n = choice_make(o->choice, visit, &asker, ask->want, &o->seed);
	out->interval = steer_interval(out->interval, o->choice->soon, who.client.identity);
	for (size_t i = 0; i < out->n; i++)
		out->peers[i] = peer_at(visit, &o->choice->list[i]);
}

enum err office_announce(struct office *o, const struct office_ask *ask, struct office_list *out)
{
	uint8_t hash[INFO_HASH_SIZE];
	struct swarm_visit visit;
	struct swarm_change change;
	const struct swarm_peer put = {
		.client = client_of(o, ask->peer),
		.role = ask->whole ? SWARM_SEED : SWARM_LEECHER,
		.expires = (uint32_t)ask->now + 2 * o->scenario->announce_seconds,
	};
	out->n = 0;
	out->interval = o->scenario->announce_seconds;
	info_hash(o, o->population->people[ask->peer].swarm, hash);
	enum err e = swarm_enter(o->store, hash, true, &visit);
	if (e != ERR_OK)
		return e;
	e = swarm_put(&visit, &put, false, &change);
	if (e == ERR_OK && ask->want > 0)
		choose(o, &visit, ask, !change.joined, out);
	swarm_leave(&visit);
	return e;
}

enum err office_stop(struct office *o, uint32_t peer, double now)
{
	uint8_t hash[INFO_HASH_SIZE];
	struct swarm_visit visit;
	const struct swarm_client client = client_of(o, peer);
	info_hash(o, o->population->people[peer].swarm, hash);
	const enum err e = swarm_enter(o->store, hash, false, &visit);
	if (e != ERR_OK)
		return e;
	if (visit.swarm != NULL) {
		const struct swarm_asker who = { .client = client, .family = IP_V4 };
		const struct choice_asker asker =
			asker_of(o, &visit, &who, o->population->people[peer].swarm, (uint32_t)now);
		choice_leave(&asker);
		(void)swarm_remove(&visit, &client, NULL);
	}
	swarm_leave(&visit);
	return ERR_OK;
}
