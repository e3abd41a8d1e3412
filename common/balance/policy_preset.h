/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Policies of known networks, to start one's own from. Each says where its numbers were found, when, and
 * how sure they are; what a clause leaves open (the window, the metric) has a usual value here, and the
 * note says so. Whoever holds an agreement reads it and edits.
 *
 * Seen from our side: out is what we send to the network of the title. Its "in:out" is our out:in.
 *
 * Not here, because no number was found: Comcast, Charter, Sprint, NTT, Cogent, Arelion, Lumen; Level 3
 * balances bit-miles, see policy_metric_refusal().
 */

#include "common/balance/policy.h"

enum policy_mark {
	POLICY_FOUND,      /* the source says it */
	POLICY_INFERRED,   /* the source says it of others, or in passing */
	POLICY_UNVERIFIED, /* from memory: read the agreement before use */
	POLICY_MARKS
};
extern const char *const policy_mark_names[POLICY_MARKS + 1];

struct policy_preset {
	const char *id, *title;
	const char *source;     /* of the wording and its numbers */
	const char *checked_on; /* the day it was read, YYYY-MM-DD */
	enum policy_mark mark;
	const char *note; /* what the clause leaves open or says beyond this */
	struct policy policy;
};

/* All of them; how many in *n. */
const struct policy_preset *policy_presets(size_t *n);
