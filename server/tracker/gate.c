/* SPDX-License-Identifier: Apache-2.0 */
#include "server/tracker/gate.h"

static const enum metrics_counter over[][2] = {
	[LIMITS_ANNOUNCES] = { METRIC_ANNOUNCES_OVER_ADDRESS, METRIC_ANNOUNCES_OVER_PREFIX },
	[LIMITS_CONNECTS] = { METRIC_CONNECTS_OVER_ADDRESS, METRIC_CONNECTS_OVER_PREFIX },
};

static bool is_exempt(const struct rules_book *book, const struct ip_addr *from)
{
	if (rules_is_proxy(book, from))
		return true;
	const enum ip_kind kind = book->settings.lab ? ip_kind(from) : IP_PUBLIC;
	return kind == IP_PRIVATE || kind == IP_LOOPBACK;
}

bool gate_pace(struct tracker_worker *w, enum limits_what what, const struct ip_addr *from)
{
	const struct tracker_settings *s = &w->rules.book->settings;
	const struct limits_rates *rates = what == LIMITS_CONNECTS ? &s->connects : &s->announces;
	if ((rates->address_us | rates->prefix_us) == 0 || is_exempt(w->rules.book, from))
		return true;
	const enum limits_verdict verdict =
		limits_take(w->tracker->limits, rates, what, from, w->now_ms);
	if (verdict == LIMITS_GOOD)
		return true;
	metrics_add(w->metrics, over[what][verdict == LIMITS_PREFIX], 1);
	floods_note(w->tracker->floods, what, verdict, from, w->now);
	return false;
}

const char *gate_refusal(struct tracker_worker *w, const struct ask *ask)
{
	const struct announce *a = ask->announce;
	switch (rules_judge(w->rules.book, a->info_hash, a->peer_id)) {
	case RULES_ADMITTED:
		return NULL;
	case RULES_UNLISTED:
		metrics_add(w->metrics, METRIC_DENIED_UNLISTED, 1);
		return "this tracker does not serve this torrent";
	case RULES_DENIED:
		metrics_add(w->metrics, METRIC_DENIED_TORRENT, 1);
		return "this torrent is not allowed here";
	case RULES_CLIENT:
		metrics_add(w->metrics, METRIC_DENIED_CLIENT, 1);
		return "this client is not allowed here";
	}
	must(false);
	return NULL;
}
