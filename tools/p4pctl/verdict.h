/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a tracker's steering can and cannot do for a torrent. It binds only where clients learn peers from
 * our tracker alone.
 *
 * Ownership: a verdict owns nothing, its words are constant.
 */

#include "tools/p4pctl/torrent.h"
#include "tools/p4pctl/tracker_url.h"

/* Our trackers: of these hosts, and unless `any_port` of these ports. Scheme and path do not matter. */
struct ours {
	const struct tracker_url *list;
	size_t n;
	bool any_port;
};

enum effect {
	EFFECT_NOTE, /* worth knowing; steering binds */
	EFFECT_PART, /* it binds in part */
	EFFECT_NONE  /* it does not bind */
};

struct finding {
	enum effect effect;
	const char *kind; /* a stable word for programs */
	const char *text; /* what it is and what comes of it */
};

enum { FINDINGS_MAX = 16 };

struct verdict {
	enum effect worst; /* EFFECT_NOTE: steering binds */
	size_t n;
	struct finding list[FINDINGS_MAX]; /* those that weigh most first */
};

bool verdict_is_ours(const struct ours *ours, const struct torrent_link *tracker);

struct verdict verdict_of(const struct torrent *t, const struct ours *ours);

/* "binds", "binds in part", "does not bind" */
const char *verdict_word(enum effect worst);
