/* SPDX-License-Identifier: Apache-2.0 */
/* Links inside providers: what a byte along them counts for now, and what clients put on them. */
#include "server/pricing/links.h"
#include "server/api/routes.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Of the last settled bin. */
struct loads {
	int64_t from, to;
	uint32_t observed_seconds;
	double *bps; /* 2 * link + direction; NULL: too little of the bin was watched to tell */
};

static enum err read_loads(const struct call *c, const struct map_snapshot *map, struct loads *out)
{
	const uint32_t bin = c->use->report.bin_seconds;
	struct store_flow *flows;
	size_t n;
	*out = (struct loads){ .to = report_settled(bin, c->now) };
	out->from = out->to - bin;
	enum err e = store_flows(c->use->store, out->from, bin, &flows, &n, &out->observed_seconds);
	if (e != ERR_OK)
		return e;
	if (map != NULL && 2 * (uint64_t)out->observed_seconds >= bin) {
		out->bps = calloc(2 * snapshot_counts(map).links + 1, sizeof(*out->bps));
		e = out->bps == NULL ? ERR_NOMEM
		                     : links_load(map, flows, n, out->observed_seconds, out->bps);
	}
	free(flows);
	return e;
}

static void put_place(struct text *t, const char *key, const struct map_snapshot *map,
                      uint32_t place)
{
	char name[PLACE_KEY_MAX];
	snapshot_place_key(map, place, name); /* "pid:isp-a/a-east" */
	call_put_string(t, key, strchr(name, '/') + 1);
}

static void put_link(struct text *t, const struct map_snapshot *map, uint32_t i,
                     const struct loads *loads)
{
	const struct map_link_info l = snapshot_link(map, i);
	const struct map_crossing price = snapshot_link_price(map, i);
	text_put(t, "{\"provider\":");
	text_json_string(t, l.provider);
	call_put_string(t, "link", l.id);
	put_place(t, "a", map, l.a);
	put_place(t, "b", map, l.b);
	if (l.capacity_mbps > 0)
		text_printf(t, ",\"capacity_mbps\":%" PRIu64, l.capacity_mbps);
	else
		text_put(t, ",\"capacity_mbps\":null");
	text_printf(t, ",\"weight\":%" PRIu32 ",\"price\":{\"out\":%" PRIu32 ",\"in\":%" PRIu32 "}",
	            l.weight, price.out, price.in);
	if (loads->bps != NULL)
		text_printf(t, ",\"load_bps\":{\"out\":%.0f,\"in\":%.0f}}",
		            round(loads->bps[2 * i]), round(loads->bps[2 * i + 1]));
	else
		text_put(t, ",\"load_bps\":null}");
}

static void put_links(struct call *c, const char *provider, const struct map_snapshot *map,
                      const struct loads *loads)
{
	const uint32_t n = map == NULL ? 0 : (uint32_t)snapshot_counts(map).links;
	struct text *t = call_json(c, 200);
	const char *between = "";
	text_printf(t, "{\"bin_seconds\":%" PRIu32 ",\"observed_seconds\":%" PRIu32,
	            c->use->report.bin_seconds, loads->observed_seconds);
	call_put_time(t, "from", loads->from);
	call_put_time(t, "to", loads->to);
	text_put(t, ",\"source\":\"announce\",\"estimate\":true,\"links\":[");
	for (uint32_t i = 0; i < n; i++) {
		const char *owner = snapshot_link(map, i).provider;
		if ((provider[0] != '\0' && strcmp(provider, owner) != 0) ||
		    (c->who.provider[0] != '\0' && strcmp(c->who.provider, owner) != 0))
			continue;
		text_put(t, between);
		put_link(t, map, i, loads);
		between = ",";
	}
	text_put(t, "]}\n");
}

void links_get(struct call *c)
{
	struct map_lease lease = { 0 };
	struct loads loads;
	char provider[65] = "";
	if (!call_text(c, "provider", provider, sizeof(provider)))
		return;
	const struct map_snapshot *map = map_renew(c->use->office, &lease);
	const enum err e = read_loads(c, map, &loads);
	if (e == ERR_OK)
		put_links(c, provider, map, &loads);
	else
		call_failed(c, e, "");
	free(loads.bps);
	map_end(&lease);
}
