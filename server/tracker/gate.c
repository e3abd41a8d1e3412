/* SPDX-License-Identifier: Apache-2.0 */
#include "server/tracker/gate.h"

#include "server/tracker/passkeys.h"

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

static const struct limits_rates *rates_of(const struct tracker_worker *w, enum limits_what what)
{
	const struct tracker_settings *s = &w->rules.book->settings;
	return what == LIMITS_CONNECTS ? &s->connects : &s->announces;
}

void gate_prefetch(struct tracker_worker *w, enum limits_what what, const struct ip_addr *from)
{
	if (!w->rules.book->settings.lab) /* where nearly everybody is exempt */
		limits_prefetch(w->tracker->limits, rates_of(w, what), what, from);
}

bool gate_pace(struct tracker_worker *w, enum limits_what what, const struct ip_addr *from)
{
	const struct limits_rates *rates = rates_of(w, what);
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

static const char needed[] = "a passkey is needed in the announce URL";
static const char unknown[] = "this passkey is not known";

bool gate_wants_passkey(const struct tracker_worker *w)
{
	return w->rules.book->settings.passkeys != TRACKER_PASSKEYS_OFF;
}

void gate_find_passkey(const char *path, const char *query, struct ask *ask)
{
	(void)passkeys_in_url(path, query, &ask->passkey, &ask->passkey_size);
}

const char *gate_scrape_refusal(struct tracker_worker *w, const char *path, const char *query)
{
	const enum tracker_passkeys mode = w->rules.book->settings.passkeys;
	const char *key;
	size_t size;
	if (mode == TRACKER_PASSKEYS_OFF)
		return NULL;
	if (!passkeys_in_url(path, query, &key, &size))
		return mode == TRACKER_PASSKEYS_REQUIRED ? needed : NULL;
	return passkeys_have(w->rules.book->passkeys, key, size) ? NULL : unknown;
}

static const char *refuse_passkey(struct tracker_worker *w, const struct ask *ask)
{
	const struct tracker_settings *s = &w->rules.book->settings;
	if (ask->passkey == NULL) {
		if (s->passkeys != TRACKER_PASSKEYS_REQUIRED)
			return NULL;
		metrics_add(w->metrics, METRIC_DENIED_NO_PASSKEY, 1);
		return needed;
	}
	switch (passkeys_announce(w->rules.book->passkeys, ask->passkey, ask->passkey_size,
	                          ask->announce, w->now_ms, s->peer_timeout)) {
	case PASSKEYS_GOOD:
		return NULL;
	case PASSKEYS_UNKNOWN:
		metrics_add(w->metrics, METRIC_DENIED_PASSKEY, 1);
		return unknown;
	case PASSKEYS_PEERS:
		metrics_add(w->metrics, METRIC_DENIED_PASSKEY_PEERS, 1);
		return "this passkey has as many peers as it may";
	case PASSKEYS_RATE:
		metrics_add(w->metrics, METRIC_DENIED_PASSKEY_RATE, 1);
		return "too many announces with this passkey";
	}
	must(false);
	return NULL;
}

const char *gate_refusal(struct tracker_worker *w, const struct ask *ask)
{
	const struct announce *a = ask->announce;
	switch (rules_judge(w->rules.book, a->info_hash, a->peer_id)) {
	case RULES_ADMITTED:
		return refuse_passkey(w, ask);
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
