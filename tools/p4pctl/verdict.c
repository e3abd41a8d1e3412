/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/p4pctl/verdict.h"

enum what {
	NO_TRACKER,
	NOT_PRIVATE,
	BROWSERS_ONLY,
	FOREIGN_TRACKER,
	WEB_SEED,
	PRIVATE_ODD,
	PRIVATE_OUTSIDE,
	PRIVATE_NODES,
	ANNOUNCE_OVERRULED,
	WEB_TRACKER,
	UNKNOWN_SCHEME,
	WHATS
};
_Static_assert((int)WHATS <= (int)FINDINGS_MAX, "a verdict holds them all");

static const struct finding findings[WHATS] = {
	[NO_TRACKER] = { EFFECT_NONE, "no-tracker-of-ours",
	                 "no tracker of ours is in it: its clients never ask us, so nothing is steered" },
	[NOT_PRIVATE] = { EFFECT_NONE, "not-private",
	                  "the private flag (BEP 27) is not set: clients also find each other by PEX, DHT "
	                  "and LSD, past the peers that we choose, and steering does not bind. Measured: "
	                  "43.0 % of all bytes crossed transit links with steering, 43.4 % without any, "
	                  "and 12.2 % with steering and the flag. The flag is part of the info-hash, so "
	                  "it takes a new torrent: p4pctl torrent create" },
	[BROWSERS_ONLY] = { EFFECT_PART, "browsers-only",
	                    "the private flag (BEP 27) is not set, but all trackers are for browsers "
	                    "(WebTorrent): those learn peers from a tracker alone and are steered; "
	                    "clients that are no browsers also use PEX, DHT and LSD, and are not" },
	[FOREIGN_TRACKER] = { EFFECT_PART, "foreign-tracker",
	                      "trackers that are not ours are in it: the peers they hand out are drawn "
	                      "past our maps. The private flag does not change that: it lets clients use "
	                      "several trackers, each with a swarm of its own" },
	[WEB_SEED] = { EFFECT_PART, "web-seed",
	               "web seeds are in it (BEP 17, BEP 19): bytes from web servers are not steered, and "
	               "no announce tells us where they crossed; only counters of links and flows do" },
	[PRIVATE_ODD] = { EFFECT_NOTE, "private-odd",
	                  "\"private\" in info is neither 0 nor 1: clients differ in what they make of it; "
	                  "BEP 27 wants the integer 1" },
	[PRIVATE_OUTSIDE] = { EFFECT_NOTE, "private-outside-info",
	                      "\"private\" stands beside info: clients heed it in info only" },
	[PRIVATE_NODES] = { EFFECT_NOTE, "private-with-nodes",
	                    "it is private and names DHT nodes: clients that heed the flag ignore them, "
	                    "others would find peers there; leave them out" },
	[ANNOUNCE_OVERRULED] = { EFFECT_NOTE, "announce-overruled",
	                         "\"announce\" is not in \"announce-list\": clients that know BEP 12 do not "
	                         "use it, others use nothing else" },
	[WEB_TRACKER] = { EFFECT_NOTE, "web-tracker",
	                  "ws and wss trackers are asked by WebTorrent clients (browsers) only" },
	[UNKNOWN_SCHEME] = { EFFECT_NOTE, "unknown-scheme",
	                     "a tracker's URL is not of http, https, udp, ws or wss, or names no host: no "
	                     "client can ask it" },
};

bool verdict_is_ours(const struct ours *ours, const struct torrent_link *tracker)
{
	struct tracker_url url;
	if (!tracker_url_parse(tracker->url, tracker->size, &url) || url.scheme == SCHEME_OTHER)
		return false;
	for (size_t i = 0; i < ours->n; i++)
		if (tracker_url_same(&url, &ours->list[i], !ours->any_port))
			return true;
	return false;
}

/* What one link adds to `found`. */
static void judge_tracker(const struct torrent_link *l, const struct ours *ours,
                          bool found[static WHATS], bool *others)
{
	struct tracker_url url;
	if (!tracker_url_parse(l->url, l->size, &url) || url.scheme == SCHEME_OTHER) {
		found[UNKNOWN_SCHEME] = true;
		return;
	}
	const bool web = url.scheme == SCHEME_WS || url.scheme == SCHEME_WSS;
	found[WEB_TRACKER] |= web;
	*others |= !web;
	found[ANNOUNCE_OVERRULED] |= l->tier == 0;
	if (!verdict_is_ours(ours, l))
		found[FOREIGN_TRACKER] = true;
	else if (l->tier > 0)
		found[NO_TRACKER] = false;
}

struct verdict verdict_of(const struct torrent *t, const struct ours *ours)
{
	bool found[WHATS] = { [NO_TRACKER] = true,
		              [PRIVATE_ODD] = t->private_odd,
		              [PRIVATE_OUTSIDE] = t->private_outside };
	bool others = false; /* a tracker that not only browsers ask */
	for (size_t i = 0; i < t->n_links; i++) {
		const struct torrent_link *l = &t->links[i];
		if (l->kind == LINK_TRACKER)
			judge_tracker(l, ours, found, &others);
		else if (l->kind == LINK_DHT_NODE)
			found[PRIVATE_NODES] |= t->private;
		else
			found[WEB_SEED] = true;
	}
	found[BROWSERS_ONLY] = !t->private && found[WEB_TRACKER] && !others;
	found[NOT_PRIVATE] = !t->private && !found[BROWSERS_ONLY];

	struct verdict v = { .worst = EFFECT_NOTE };
	for (unsigned i = 0; i < WHATS; i++) {
		if (!found[i])
			continue;
		v.list[v.n++] = findings[i];
		v.worst = findings[i].effect > v.worst ? findings[i].effect : v.worst;
	}
	return v;
}

const char *verdict_word(enum effect worst)
{
	return worst == EFFECT_NONE   ? "does not bind"
	       : worst == EFFECT_PART ? "binds in part"
	                              : "binds";
}
