/* SPDX-License-Identifier: Apache-2.0 */
#include "server/report/terms_reading.h"

#include <math.h>

enum { URL_MAX = 500, ZONE_MAX = 63 };

/* 1.8 as 1800. */
static void read_milli(struct reading *r, const struct value *v, double min, double max,
                       uint64_t *out)
{
	double d = -1;
	if (v->json == NULL)
		return;
	read_real(r, v, min, max, &d);
	if (d >= 0)
		*out = (uint64_t)llround(d * 1000);
}

static void read_metric(struct reading *r, const struct value *v, struct policy *p)
{
	unsigned metric = POLICY_VOLUME_AVG;
	const char *s = value_string(v);
	const char *refusal = s != NULL ? policy_metric_refusal(s) : NULL;
	if (refusal != NULL)
		reading_fault(r, v, ERR_MALFORMED, "choice", "%s", refusal);
	else
		terms_read_word(r, v, policy_metric_names, &metric);
	p->metric = (enum policy_metric)metric;
}

static void read_ratio(struct reading *r, const struct value *v, struct policy *p)
{
	enum { LIMIT, ORIENTATION, METRIC, WINDOW, SCOPE, KEYS };
	static const struct member keys[KEYS] = {
		[LIMIT] = { "limit", NULLABLE }, [ORIENTATION] = { "orientation", 0 },
		[METRIC] = { "metric", 0 },      [WINDOW] = { "window", 0 },
		[SCOPE] = { "scope", 0 },
	};
	struct value m[KEYS];
	unsigned orientation = RATIO_EITHER, window = POLICY_CALENDAR_MONTH, scope = POLICY_PEER;
	if (read_object(r, v, keys, KEYS, m)) {
		read_milli(r, &m[LIMIT], 0.001, 1000, &p->ratio.limit_milli);
		terms_read_word(r, &m[ORIENTATION], ratio_orientation_names, &orientation);
		read_metric(r, &m[METRIC], p);
		terms_read_word(r, &m[WINDOW], policy_window_names, &window);
		terms_read_word(r, &m[SCOPE], policy_scope_names, &scope);
	}
	p->ratio.orientation = (enum ratio_orientation)orientation;
	p->window = (enum policy_window)window;
	p->scope = (enum policy_scope)scope;
}

static void read_min_volume(struct reading *r, const struct value *v, struct policy *p)
{
	enum { MBPS, METRIC, MORE, KEYS };
	static const struct member keys[KEYS] = {
		[MBPS] = { "mbps", REQUIRED },
		[METRIC] = { "metric", REQUIRED },
		[MORE] = { "more_than", 0 },
	};
	static const char *const yes_no[] = { "no", "yes", NULL };
	struct value m[KEYS];
	unsigned metric = POLICY_VOLUME_AVG_MAX, more = 0;
	if (!read_object(r, v, keys, KEYS, m))
		return;
	terms_read_mbps(r, &m[MBPS], &p->min_bps);
	terms_read_word(r, &m[METRIC], policy_volume_names, &metric);
	terms_read_word(r, &m[MORE], yes_no, &more);
	p->min_metric = (enum policy_volume)metric;
	p->min_more = more == 1;
}

enum {
	FORMAT,
	PROVIDER,
	ID,
	PEER_ASN,
	INTERCONNECTS,
	RATIO,
	MIN_VOLUME,
	WARN_AT,
	BREACH_AFTER,
	QUALIFY_AFTER,
	NOTICE_DAYS,
	TZ,
	SOURCE,
	CHECKED_ON,
	NOTE,
	KEYS
};

static const struct member keys[KEYS] = {
	[FORMAT] = { "format", REQUIRED },
	[PROVIDER] = { "provider", REQUIRED },
	[ID] = { "id", REQUIRED },
	[PEER_ASN] = { "peer_asn", 0 },
	[INTERCONNECTS] = { "interconnects", NOT_EMPTY },
	[RATIO] = { "ratio", 0 },
	[MIN_VOLUME] = { "min_volume", 0 },
	[WARN_AT] = { "warn_at", 0 },
	[BREACH_AFTER] = { "breach_after_periods", 0 },
	[QUALIFY_AFTER] = { "qualify_after_periods", 0 },
	[NOTICE_DAYS] = { "notice_days", 0 },
	[TZ] = { "tz", 0 },
	[SOURCE] = { "source", 0 },
	[CHECKED_ON] = { "checked_on", 0 },
	[NOTE] = { "note", 0 },
};

/* What must, or must not, be there beside something else. */
static void check_members(struct reading *r, const struct value *top,
                          const struct value m[static KEYS])
{
	const bool peer = m[PEER_ASN].json != NULL || m[PEER_ASN].lost;
	const bool names = m[INTERCONNECTS].json != NULL || m[INTERCONNECTS].lost;
	if (peer && names)
		reading_fault(r, &m[INTERCONNECTS], ERR_MALFORMED, "choice",
		              "a policy is about a peer_asn or about interconnects, not both");
	else if (!peer && !names)
		reading_fault(r, top, ERR_MALFORMED, "missing",
		              "'peer_asn' or 'interconnects' is missing: whom is this about?");
}

static void read_checked_on(struct reading *r, const struct value *v, const char **out)
{
	static const char shape[] = "dddd-dd-dd";
	const char *s = NULL;
	terms_read_text(r, v, URL_MAX, &s);
	if (s == NULL)
		return;
	bool good = strlen(s) == sizeof(shape) - 1;
	for (size_t i = 0; good && shape[i] != '\0'; i++)
		good = shape[i] == 'd' ? s[i] >= '0' && s[i] <= '9' : s[i] == shape[i];
	if (good)
		*out = s;
	else
		reading_fault(r, v, ERR_MALFORMED, "text", "must be a day such as \"2026-11-21\"");
}

static void read_policy(struct reading *r, const struct value *top, struct value m[static KEYS],
                        struct terms_policy *t)
{
	struct policy *p = &t->policy;
	uint64_t warn = 850;
	uint32_t breach = 1, qualify = 1, notice = 0;
	t->time_zone = "UTC";
	read_name(r, &m[PROVIDER], &t->provider);
	read_name(r, &m[ID], &t->id);
	read_asn(r, &m[PEER_ASN], &t->peer_asn);
	terms_read_names(r, &m[INTERCONNECTS], &t->interconnects);
	read_ratio(r, &m[RATIO], p);
	read_min_volume(r, &m[MIN_VOLUME], p);
	read_milli(r, &m[WARN_AT], 0.001, 1, &warn);
	p->ratio.warn_milli = (unsigned)warn;
	read_u32(r, &m[BREACH_AFTER], 1, 24, &breach);
	read_u32(r, &m[QUALIFY_AFTER], 1, 24, &qualify);
	read_u32(r, &m[NOTICE_DAYS], 0, 3650, &notice);
	p->consecutive_periods = breach;
	p->qualify_periods = qualify;
	p->notice_days = notice;
	terms_read_text(r, &m[TZ], ZONE_MAX, &t->time_zone);
	terms_read_text(r, &m[SOURCE], URL_MAX, &t->source);
	read_checked_on(r, &m[CHECKED_ON], &t->checked_on);
	terms_read_text(r, &m[NOTE], URL_MAX, &t->note);
	check_members(r, top, m);
}

enum err terms_policy_parse(const char *json, size_t size, struct arena *arena,
                            struct terms_policy **out, struct faults *faults)
{
	struct reading r = { .arena = arena, .faults = faults };
	struct value top = { 0 }, m[KEYS];
	enum err err;
	top.json = terms_load(json, size, faults, &err);
	struct terms_policy *t = reading_take(&r, 1, sizeof(*t));
	if (top.json != NULL && t != NULL &&
	    read_format(&r, &top, "p4p-policy/1", "p4p-contract/1") &&
	    read_object(&r, &top, keys, KEYS, m))
		read_policy(&r, &top, m, t);
	else if (top.json != NULL && !value_is_object(&top))
		r.bad = true;
	reading_drop(top.json);
	if (err == ERR_OK)
		err = reading_verdict(&r);
	if (err == ERR_OK && policy_check(&t->policy, "", faults) != ERR_OK)
		err = ERR_MALFORMED;
	if (err == ERR_OK)
		*out = t;
	return err;
}
