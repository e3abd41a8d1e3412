/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Does a provider's document make sense: alone, with its costs, and among the other providers?
 *
 * Faults stop an upload; warnings ride along with a 201. Every fault carries the JSON pointer of
 * the place in the document being uploaded. No check is quadratic in prefixes or PIDs.
 *
 * The document being uploaded may be one that had faults already and is there only as far as it was
 * understood (document.h). What could not be read is passed over, and so is every rule that a right
 * reading of it might satisfy: one PID without a readable name, and no other name is called unknown.
 * No fault is named that may be but the echo of another.
 *
 * ERR_MALFORMED: see `faults`. Kinds of fault: duplicate, unknown-pid, unknown-interconnect, loop,
 * reserved-asn, own-asn, bogon, overlap, disconnected, provider, taken; of warning: nested, unlinked, radio,
 * cap.
 *
 * Pure; allocates only scratch memory, freed before it returns.
 */

#include "common/base/text.h"
#include "common/map/document.h"

struct map_rules {
	bool lab; /* private and loopback prefixes are allowed */
};

/* One provider's documents as they are, or would be, in force. */
struct map_source {
	const struct map_topology *topology;
	const struct map_costs *costs; /* NULL: none uploaded */
};

/*
 * Names unique and known, ASNs in range, prefixes not bogus, one prefix in one PID only (a more
 * specific one in another PID is allowed), ends of links and interconnects known, linked PIDs in
 * one piece. Warnings: a PID that no link names, as it hangs at the provider's largest distance; lines on
 * the air of which the document says that they upload as any others; a cap that they cannot reach.
 */
enum err map_topology_check(const struct map_topology *t, const struct map_rules *rules,
                            struct faults *faults, struct faults *warnings) must_check;

/* Every PID and interconnect that the costs name is in the topology. */
enum err map_costs_check(const struct map_costs *c, const struct map_topology *t,
                         struct faults *faults) must_check;

/*
 * `mine` against the other providers (those of another name; all, when its own could not be read):
 * no ASN and no prefix twice, and no prefix inside another provider's unless it is that provider's
 * customer's (then: a warning).
 */
enum err map_world_check(const struct map_topology *mine, const struct map_source *others,
                         size_t n_others, struct faults *faults,
                         struct faults *warnings) must_check;

/*
 * The text of a fault for readers of `provider` ("": of all). Whose something is (provider "NAME", and its
 * prefix in brackets behind) is not theirs to know where it is another's: they read "another provider".
 */
void map_fault_for(const char *provider, const char *text, struct text *out);
