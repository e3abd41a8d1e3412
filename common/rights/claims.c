/* SPDX-License-Identifier: Apache-2.0 */
#include "common/rights/claims.h"

#include "common/ip/cover.h"
#include "common/map/asn_list.h"
#include "common/map/prefix_list.h"

#include <stdio.h>
#include <stdlib.h>

struct claiming {
	const struct map_topology *t;
	const struct claims_rules *rules;
	struct asn_list own;    /* ASNs: bound, else the topology's */
	struct asn_list others; /* bound to other providers */
	bool bound;
	struct cover *delegations; /* value 1: own */
	struct faults *faults, *warnings;
	size_t unknown; /* prefixes that nothing covers and that are taken nevertheless */
	char first_unknown[sizeof(((struct fault *)0)->where)];
};

static bool is_own(const struct claiming *c, uint32_t asn)
{
	uint32_t index;
	return asn != 0 && asn_list_find(&c->own, asn, &index);
}

/* ---- ASNs ---- */

/* Nothing is bound to this provider; that does not make its own what is another's. */
static void check_others(struct claiming *c)
{
	const struct map_topology *t = c->t;
	char where[32];
	uint32_t index;
	for (size_t i = 0; i < t->n_asns; i++) {
		if (!asn_list_find(&c->others, t->asns[i], &index))
			continue;
		(void)snprintf(where, sizeof(where), "/asns/%zu", i);
		(void)faults_add(c->faults, ERR_DENIED, "not-bound", where,
		                 "must not be bound to another provider, but %u is (p4pctl "
		                 "provider bind)",
		                 (unsigned)t->asns[i]);
	}
}

static void check_asns(struct claiming *c)
{
	const struct map_topology *t = c->t;
	char where[32];
	if (!c->bound)
		check_others(c);
	if (!c->bound && c->rules->bound_only)
		(void)faults_add(c->faults, ERR_DENIED, "not-bound", "/asns",
		                 "must be bound to this provider by an admin first (p4pctl "
		                 "provider bind)");
	else if (!c->bound && c->rules->rpki)
		(void)faults_add(c->warnings, ERR_DENIED, "unbound", "/asns",
		                 "no admin has bound ASNs to this provider, so these are believed "
		                 "(p4pctl provider bind)");
	for (size_t i = 0; i < t->n_asns && c->bound; i++) {
		if (t->asns[i] == 0 || is_own(c, t->asns[i])) /* 0: could not be read */
			continue;
		(void)snprintf(where, sizeof(where), "/asns/%zu", i);
		(void)faults_add(c->faults, ERR_DENIED, "not-bound", where,
		                 "must be one of the %zu ASNs that an admin bound to this "
		                 "provider, but %u is not (p4pctl provider bind)",
		                 c->own.n, (unsigned)t->asns[i]);
	}
}

/* ---- prefixes ---- */

/* "192.0.2.0/24 (max length 24, AS64500, ripe)" */
struct shown {
	char text[128];
};

static struct shown show(const struct vrp *v)
{
	struct shown s;
	char prefix[IP_PREFIX_TEXT_SIZE];
	ip_prefix_print(&v->prefix, prefix);
	(void)snprintf(s.text, sizeof(s.text), "%s (max length %u, AS%u%s%s)", prefix,
	               (unsigned)v->max_length, (unsigned)v->asn, v->ta[0] != '\0' ? ", " : "",
	               v->ta);
	return s;
}

/* What the VRPs around a prefix say. */
struct around {
	bool own;         /* one is the provider's */
	bool valid;       /* RFC 6811: and its max length reaches so far; then no more is asked */
	bool has_other;   /* one is not */
	bool other_first; /* it is nearer than any own one */
	struct vrp other; /* the nearest of these */
};

static struct around look_around(const struct claiming *c, const struct ip_prefix *p)
{
	struct around a = { 0 };
	struct vrp v;
	size_t nearest = 0; /* length of the nearest own one */
	for (uint32_t i = vrp_find(c->rules->vrps, p); !a.valid && vrp_at(c->rules->vrps, i, &v);
	     i = vrp_around(c->rules->vrps, i)) {
		if (is_own(c, v.asn)) {
			nearest = a.own ? nearest : v.prefix.length;
			a.own = true;
			a.valid = a.valid || p->length <= v.max_length;
		} else if (!a.has_other) {
			a.has_other = true;
			a.other = v;
		}
	}
	a.other_first = a.has_other && a.other.prefix.length > nearest;
	return a;
}

/* A VRP of another inside `p`, which none covers. The provider's own ones before it are few. */
static bool holds_other(const struct claiming *c, const struct ip_prefix *p, struct vrp *out)
{
	for (uint32_t i = vrp_behind(c->rules->vrps, p);
	     vrp_at(c->rules->vrps, i, out) && ip_prefix_covers(p, &out->prefix); i++)
		if (!is_own(c, out->asn))
			return true;
	return false;
}

/* A prefix in its document, for messages: printed only for those. */
struct place_of {
	char where[48], text[IP_PREFIX_TEXT_SIZE];
};

static struct place_of place_of(const struct prefix_ref *r)
{
	struct place_of at;
	(void)snprintf(at.where, sizeof(at.where), "/pids/%u/prefixes/%u", (unsigned)r->pid,
	               (unsigned)r->index);
	ip_prefix_print(&r->prefix, at.text);
	return at;
}

/* What RPKI says settles it. */
static bool check_vrps(struct claiming *c, const struct prefix_ref *r)
{
	struct vrp inner;
	if (c->rules->vrps == NULL)
		return false;
	const struct around a = look_around(c, &r->prefix);
	if (a.own && !a.valid && a.other_first)
		(void)faults_add(c->warnings, ERR_DENIED, "rpki-nearer", place_of(r).where,
		                 "%s is covered by a VRP of this provider, but nearer by %s",
		                 place_of(r).text, show(&a.other).text);
	if (a.own)
		return true;
	if (a.has_other)
		(void)faults_add(c->faults, ERR_DENIED, "rpki-invalid", place_of(r).where,
		                 "must be covered by a VRP of this provider's ASNs, but %s is "
		                 "covered by %s only",
		                 place_of(r).text, show(&a.other).text);
	else if (holds_other(c, &r->prefix, &inner))
		(void)faults_add(c->faults, ERR_DENIED, "rpki-invalid", place_of(r).where,
		                 "must be covered by a VRP of this provider's ASNs, because %s "
		                 "holds %s",
		                 place_of(r).text, show(&inner).text);
	else
		return false;
	return true;
}

/* Does `p` hold what is delegated to another? */
static bool holds_delegation(const struct claiming *c, const struct ip_prefix *p)
{
	const size_t n = cover_count(c->delegations);
	for (uint32_t i = cover_behind(c->delegations, p); i < n; i++) {
		const struct lpm_entry *e = cover_at(c->delegations, i);
		if (!ip_prefix_covers(p, &e->prefix))
			return false;
		if (e->value == 0)
			return true;
	}
	return false;
}

/* What an admin delegated settles it. */
static bool check_delegations(struct claiming *c, const struct prefix_ref *r)
{
	const struct ip_prefix *p = &r->prefix;
	const uint32_t i = cover_find(c->delegations, p);
	const bool covered = i != COVER_NONE;
	if (covered && cover_at(c->delegations, i)->value == 1 &&
	    c->rules->unknown != CLAIMS_REFUSE)
		return true;
	if ((covered && cover_at(c->delegations, i)->value == 0) || holds_delegation(c, p)) {
		(void)faults_add(c->faults, ERR_DENIED, "delegated", place_of(r).where,
		                 "must not be delegated to another provider, but %s is, or a "
		                 "part of it",
		                 place_of(r).text);
		return true;
	}
	return false;
}

static void check_unknown(struct claiming *c, const struct prefix_ref *r)
{
	const char *none = c->rules->vrps != NULL ? "no VRP covers it"
	                   : c->rules->rpki       ? "there are no VRPs now: RPKI is not loaded"
	                                          : "p4pd is given no VRPs (rpki_file)";
	if (c->rules->unknown == CLAIMS_WARN) {
		if (c->unknown++ == 0)
			(void)snprintf(c->first_unknown, sizeof(c->first_unknown), "%s",
			               place_of(r).where);
		return;
	}
	(void)faults_add(c->faults, ERR_DENIED, "rpki-unknown", place_of(r).where,
	                 "%s is unproved: %s%s", place_of(r).text, none,
	                 c->rules->unknown == CLAIMS_DELEGATED
	                         ? ", and no admin has delegated it (p4pctl delegation add)"
	                         : "");
}

static void check_prefix(struct claiming *c, const struct prefix_ref *r)
{
	if (check_vrps(c, r) || check_delegations(c, r))
		return;
	if (!c->rules->lab || ip_kind(&r->prefix.addr) == IP_PUBLIC)
		check_unknown(c, r);
}

static void tell_unknown(const struct claiming *c)
{
	if (c->unknown == 0 || !c->rules->rpki)
		return;
	if (c->rules->vrps == NULL)
		(void)faults_add(c->warnings, ERR_DENIED, "rpki-unchecked", "/pids",
		                 "%zu prefixes could not be checked: RPKI is not loaded",
		                 c->unknown);
	else
		(void)faults_add(c->warnings, ERR_DENIED, "rpki-unknown", c->first_unknown,
		                 "%zu prefixes are covered by no VRP; this is the first",
		                 c->unknown);
}

/* ---- all of it ---- */

static enum err make_delegations(const struct claims_rights *r, struct cover **out)
{
	struct lpm_entry *entries = calloc(r->n_delegations + 1, sizeof(*entries));
	if (entries == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < r->n_delegations; i++)
		entries[i] = (struct lpm_entry){ .prefix = r->delegations[i].prefix,
			                         .value = r->delegations[i].own };
	const enum err e = cover_build(entries, r->n_delegations, out);
	if (e != ERR_OK)
		free(entries);
	return e;
}

static enum err prepare(struct claiming *c, const struct claims_rights *r)
{
	enum err e = c->bound ? asn_list_make(r->asns, r->n_asns, &c->own)
	                      : asn_list_make(c->t->asns, c->t->n_asns, &c->own);
	if (e == ERR_OK)
		e = asn_list_make(r->others, r->n_others, &c->others);
	return e == ERR_OK ? make_delegations(r, &c->delegations) : e;
}

enum err claims_check(const struct map_topology *t, const struct claims_rules *rules,
                      const struct claims_rights *rights, struct faults *faults,
                      struct faults *warnings)
{
	const size_t before = faults->count + faults->more;
	struct prefix_list prefixes = { 0 };
	struct claiming c = { .t = t,
		              .rules = rules,
		              .bound = rights->n_asns > 0,
		              .faults = faults,
		              .warnings = warnings };
	enum err e = prepare(&c, rights);
	if (e == ERR_OK)
		e = prefix_list_make(t, &prefixes);
	if (e == ERR_OK) {
		check_asns(&c);
		/* In order, so that a prefix that stands in several places is judged once. */
		for (size_t i = 0; i < prefixes.n; i++)
			if (i == 0 || ip_prefix_compare(&prefixes.refs[i - 1].prefix,
			                                &prefixes.refs[i].prefix) != 0)
				check_prefix(&c, &prefixes.refs[i]);
		tell_unknown(&c);
		e = faults->count + faults->more > before ? ERR_MALFORMED : ERR_OK;
	}
	prefix_list_done(&prefixes);
	asn_list_done(&c.own);
	asn_list_done(&c.others);
	cover_free(c.delegations);
	return e;
}
