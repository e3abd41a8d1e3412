/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The making of one list. Private to common/choice.
 */

#include "common/choice/choice.h"

/* What all the steps share. */
struct making {
	struct choice *c;
	const struct swarm_visit *visit;
	const struct choice_asker *asker;
	const struct steer_rules *rules;
	struct map_tariff tariff;
	size_t want;
	uint64_t *seed;
	struct map_places around; /* the asker's provider, when it is steered */
	bool restricted;          /* the map says of some places that they shall not upload */
	bool pooled;              /* what is appraised was drawn by parts */
};

/* So many of a place are in the list, which has so many candidates. */
void choice_note(const struct making *m, uint32_t place, uint32_t count, uint32_t candidates);

/* Appends up to m->want of what was surveyed to the list. */
void choice_list(struct making *m);

/* The list of an asker under the policy `bridge` (choice.h); m->around is set. */
void choice_bridge(struct making *m);
