/* SPDX-License-Identifier: Apache-2.0 */
#include "server/app/explain.h"

#include <inttypes.h>
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

/* Who looks at which map. */
struct view {
	const struct map_snapshot *map;
	const char *provider; /* whose PIDs and interconnects are shown; NULL: everybody's */
};

/* A PID of another provider is that provider, and no more. */
static void put_place(struct text *t, const struct view *v, uint32_t place)
{
	static const char pid[] = "pid:";
	char key[PLACE_KEY_MAX];
	snapshot_place_key(v->map, place, key);
	const char *name = key + sizeof(pid) - 1, *end = strchr(key, '/');
	const bool is_pid = strncmp(key, pid, sizeof(pid) - 1) == 0 && end != NULL;
	text_put(t, ",\"place\":");
	if (is_pid && v->provider != NULL &&
	    (strlen(v->provider) != (size_t)(end - name) ||
	     strncmp(v->provider, name, (size_t)(end - name)) != 0))
		text_printf(t, "\"provider:%.*s\"", (int)(end - name), name);
	else
		text_json_string(t, key[0] != '\0' ? key : "unknown");
}

static void put_interconnect(struct text *t, const char *key, const struct view *v, uint32_t index)
{
	const struct map_interconnect_info info = index != NO_INTERCONNECT
	                                                  ? snapshot_interconnect(v->map, index)
	                                                  : (struct map_interconnect_info){ 0 };
	if (index == NO_INTERCONNECT ||
	    (v->provider != NULL && strcmp(v->provider, info.provider) != 0))
		text_printf(t, ",\"%s\":null", key);
	else
		text_printf(t, ",\"%s\":\"%s/%s\"", key, info.provider, info.id);
}

static void put_pair(struct text *t, const char *key, const struct view *v,
                     const struct map_pair *pair)
{
	text_printf(t, ",\"%s\":{\"tier\":\"%s\",\"price\":%u", key, tiers[pair->tier],
	            pair->price);
	put_interconnect(t, "out", v, pair->out);
	put_interconnect(t, "in", v, pair->in);
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

static void put_peer(struct text *t, const struct view *v, const struct tracker_explained *p)
{
	text_put(t, "{");
	put_address(t, &p->addr, p->port);
	put_place(t, v, p->place);
	text_printf(t, ",\"seed\":%s,\"tier\":\"%s\",\"lean_percent\":%" PRId32, word(p->seed),
	            tiers[p->tier], p->lean);
	put_pair(t, "receive", v, &p->receive);
	put_pair(t, "send", v, &p->send);
	text_printf(t, ",\"reason\":\"%s\"}", p->reason);
}

static void put_leaning(struct text *t, const char *key, int32_t gain, uint32_t free)
{
	if (gain != 0)
		text_printf(t, ",\"%s\":{\"percent\":%" PRId32 ",\"free\":%u}", key,
		            gain < 0 ? -gain : gain, free);
	else
		text_printf(t, ",\"%s\":null", key);
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
	            "\"budget\":{\"free\":%u,\"paid\":%u},\"starved\":%s,\"seed_reached\":%s,"
	            "\"list_length\":%u",
	            s->seeds, s->leechers, s->age, s->contacts, e->budget.free, e->budget.paid,
	            word(s->starved), word(s->seed_contacts > 0), e->list_length);
	put_leaning(t, "welcome", e->welcome.gain, e->welcome.free);
	put_leaning(t, "unwelcome", e->unwelcome.gain, e->unwelcome.free);
	text_put(t, "}");
}

static void put(struct text *t, const struct api_question *q, const struct tracker_explanation *e)
{
	const struct view v = { .map = e->lease.map, .provider = q->provider };
	text_put(t, "{");
	put_address(t, &q->address, e->port);
	put_place(t, &v, e->place);
	text_put(t, ",\"provider\":");
	if (e->provider != NO_PROVIDER)
		text_json_string(t, snapshot_provider_name(v.map, e->provider));
	else
		text_put(t, "null");
	text_printf(t, ",\"known\":%s,\"seeding\":%s,\"policy\":\"%s\",\"control_group\":%s",
	            word(e->known), word(e->seeding), steer_policy_names[e->policy],
	            word(e->control));
	put_standing(t, e);
	text_put(t, ",\"peers\":[");
	for (size_t i = 0; i < e->n; i++) {
		text_put(t, i > 0 ? "," : "");
		put_peer(t, &v, &e->peers[i]);
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
	put(out, q, e);
	tracker_explanation_free(e);
	return ERR_OK;
}
