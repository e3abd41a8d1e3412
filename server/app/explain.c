/* SPDX-License-Identifier: Apache-2.0 */
#include "server/app/explain.h"

#include <sodium.h>
#include <string.h>

static const char *const tiers[TIER_COUNT_] = {
	[TIER_SAME_PID] = "same-pid",
	[TIER_SAME_PROVIDER] = "same-provider",
	[TIER_SETTLEMENT_FREE] = "settlement-free",
	[TIER_PAID_PEERING] = "paid-peering",
	[TIER_TRANSIT] = "transit",
	[TIER_UNKNOWN] = "unknown",
};

static const char *word(bool yes)
{
	return yes ? "true" : "false";
}

static void put_place(struct text *t, const struct map_snapshot *map, uint32_t place)
{
	char key[PLACE_KEY_MAX];
	snapshot_place_key(map, place, key);
	text_put(t, ",\"place\":");
	text_json_string(t, key[0] != '\0' ? key : "unknown");
}

static void put_interconnect(struct text *t, const char *key, const struct map_snapshot *map,
                             uint32_t index)
{
	if (index == NO_INTERCONNECT) {
		text_printf(t, ",\"%s\":null", key);
		return;
	}
	const struct map_interconnect_info info = snapshot_interconnect(map, index);
	text_printf(t, ",\"%s\":\"%s/%s\"", key, info.provider, info.id);
}

static void put_pair(struct text *t, const char *key, const struct map_snapshot *map,
                     const struct map_pair *pair)
{
	text_printf(t, ",\"%s\":{\"tier\":\"%s\",\"price\":%u", key, tiers[pair->tier],
	            pair->price);
	put_interconnect(t, "out", map, pair->out);
	put_interconnect(t, "in", map, pair->in);
	text_put(t, "}");
}

static void put_address(struct text *t, const struct ip_addr *addr, uint16_t port)
{
	char printed[IP_TEXT_SIZE];
	ip_print(addr, printed);
	text_printf(t, "\"address\":\"%s\",\"port\":", printed);
	if (port != 0)
		text_printf(t, "%u", port);
	else
		text_put(t, "null");
}

static void put_peer(struct text *t, const struct map_snapshot *map,
                     const struct tracker_explained *p)
{
	text_put(t, "{");
	put_address(t, &p->addr, p->port);
	put_place(t, map, p->place);
	text_printf(t, ",\"seed\":%s,\"tier\":\"%s\"", word(p->seed), tiers[p->tier]);
	put_pair(t, "receive", map, &p->receive);
	put_pair(t, "send", map, &p->send);
	text_printf(t, ",\"reason\":\"%s\"}", p->reason);
}

static void put_standing(struct text *t, const struct tracker_explanation *e)
{
	const struct steer_standing *s = &e->standing;
	if (e->policy != STEER_BRIDGE) {
		text_put(t, ",\"standing\":null");
		return;
	}
	text_printf(t,
	            ",\"standing\":{\"seeds\":%u,\"leechers\":%u,\"seconds\":%u,\"contacts\":%u,"
	            "\"budget\":{\"free\":%u,\"paid\":%u},\"seed_reached\":%s,\"list_length\":%u}",
	            s->seeds, s->leechers, s->age, s->contacts, e->budget.free, e->budget.paid,
	            word(s->seed_contacts > 0), e->list_length);
}

static void put(struct text *t, const struct ip_addr *address, const struct tracker_explanation *e)
{
	const struct map_snapshot *map = e->lease.map;
	text_put(t, "{");
	put_address(t, address, e->port);
	put_place(t, map, e->place);
	text_put(t, ",\"provider\":");
	if (e->provider != NO_PROVIDER)
		text_json_string(t, snapshot_provider_name(map, e->provider));
	else
		text_put(t, "null");
	text_printf(t, ",\"known\":%s,\"seeding\":%s,\"policy\":\"%s\",\"control_group\":%s",
	            word(e->known), word(e->seeding), steer_policy_names[e->policy],
	            word(e->control));
	put_standing(t, e);
	text_put(t, ",\"peers\":[");
	for (size_t i = 0; i < e->n; i++) {
		text_put(t, i > 0 ? "," : "");
		put_peer(t, map, &e->peers[i]);
	}
	text_put(t, "]}\n");
}

enum err explain_put(struct tracker *t, const struct api_question *q, uint64_t now_ms,
                     struct text *out)
{
	struct tracker_question question = { .address = q->address,
		                             .port = q->port,
		                             .want = q->want,
		                             .says_left = q->says_left,
		                             .has_all = q->has_all,
		                             .provider = q->provider };
	struct tracker_explanation *e;
	memcpy(question.info_hash, q->info_hash, sizeof(question.info_hash));
	randombytes_buf(&question.seed, sizeof(question.seed));
	const enum err failed = tracker_explain(t, &question, now_ms, &e);
	if (failed != ERR_OK)
		return failed;
	put(out, &q->address, e);
	tracker_explanation_free(e);
	return ERR_OK;
}
