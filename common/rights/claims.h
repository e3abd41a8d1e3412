/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * May a provider claim what its topology claims: ASNs and prefixes?
 *
 * ASNs are the admin's word. A provider writes the "asns" of its topology itself, so they prove
 * nothing by themselves: once an admin has bound ASNs to it, its topology may name only those. One to
 * which none is bound may be believed, but not about those that are bound to others.
 *
 * Prefixes are proved by RPKI. A prefix is the provider's own when a VRP of one of its ASNs covers it,
 * whatever its max length. RFC 6811 would call many of these invalid, but it judges announcements: max
 * length says how finely a prefix may be announced, against hijacks by more specific routes. A prefix of
 * a PID is announced by nobody, and mostly more specific than what is. What covers it in a ROA of the
 * provider's own ASN is space whose holder has signed that this network carries it; asking operators
 * for a ROA with a max length of 24 would make them weaker (RFC 9319). Where another's VRP is nearer,
 * and max length does not reach so far, it is told as a warning.
 *
 *   covered by own VRPs, among others     the provider's
 *   covered by VRPs of others only        refused (rpki-invalid), the nearest is named
 *   not covered, holds VRPs of others     refused (rpki-invalid): 0.0.0.0/1 is covered by nothing
 *   not covered at all                    an admin's delegation settles it, when one covers the prefix; else
 *                                         by option: taken with a warning, or refused (rpki-unknown)
 *
 * A delegation is no match for a VRP: who has a ROA made out to another ASN binds that ASN, or has the
 * ROA put right. What is delegated to another provider is that one's.
 *
 * Kinds of fault: not-bound, rpki-invalid, rpki-unknown, delegated; of warning: unbound, rpki-nearer,
 * rpki-unknown, rpki-unchecked. As everywhere (check.h), what could not be read is passed over.
 *
 * Pure; allocates only scratch memory, freed before it returns.
 */

#include "common/map/document.h"
#include "common/rights/vrp.h"

enum claims_unknown {
	CLAIMS_WARN,
	CLAIMS_DELEGATED, /* refused without a delegation */
	CLAIMS_REFUSE     /* refused, with a delegation too */
};

struct claims_rules {
	bool rpki;                    /* VRPs are asked for */
	const struct vrp_table *vrps; /* NULL: there are none at the moment */
	enum claims_unknown unknown;
	bool bound_only; /* refuse providers to which no ASN is bound */
	bool lab;        /* private and loopback prefixes are anybody's */
};

struct claims_delegation {
	struct ip_prefix prefix;
	bool own; /* the provider's; false: another's */
};

/* What an admin has said. */
struct claims_rights {
	const uint32_t *asns; /* bound to the provider; none: nobody has said */
	size_t n_asns;
	const struct claims_delegation *delegations; /* of all providers */
	size_t n_delegations;
	const uint32_t *others; /* ASNs bound to other providers */
	size_t n_others;
};

/* ERR_MALFORMED: see `faults`. ERR_NOMEM. */
enum err claims_check(const struct map_topology *t, const struct claims_rules *rules,
                      const struct claims_rights *rights, struct faults *faults,
                      struct faults *warnings) must_check;
