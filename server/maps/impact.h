/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a map would do: live peers, and the last day's bytes, on the candidate beside the map in force.
 *
 * Two steps, because the first wants the documents in force and the second waits for the database:
 * impact_begin() under the lock of maps, impact_tell() without. What is not known is null in the
 * answer, with the reason beside it; nothing is invented.
 *
 * Ownership: impact_done(). Threading: one thread.
 */

#include "common/map/overlap.h"
#include "common/map/replay.h"
#include "server/maps/maps.h"

struct impact {
	const struct maps_options *o;
	char provider[MAP_NAME_MAX + 1];
	struct map_lease before; /* what was in force */
	struct map_snapshot *after;
	struct replay *replay;
	bool moves;   /* the document may move addresses */
	bool first;   /* nothing of the provider was in force */
	bool counted; /* the live peers are in `replay` */
};

/* Which addresses are where; all zero of a document that moves none. */
struct impact_move {
	const struct map_topology *before, *now;
	struct map_overlap *list;
	size_t n;
};

/* Takes `after`, also on failure. ERR_NOMEM. */
enum err impact_begin(struct impact *i, const struct maps_options *o, const char *provider,
                      struct map_snapshot *after, const struct impact_move *moves) must_check;

/* Counts the live peers, for the guards; nothing where there is no tracker. ERR_NOMEM. */
enum err impact_count(struct impact *i, struct guard_facts *facts) must_check;

/* Appends ',"live":...' and ',"bytes":...' as schema/openapi.yaml has them. ERR_NOMEM. */
enum err impact_tell(struct impact *i, size_t limit, int64_t now, struct text *out) must_check;

/* Hands over the candidate; only impact_done() may come after. */
struct map_snapshot *impact_take(struct impact *i) must_check;

void impact_done(struct impact *i); /* all zero is fine */
