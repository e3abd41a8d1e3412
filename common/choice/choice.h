/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Which peers of a swarm an asker gets: where common/swarm (who is here, by place), common/map (what a
 * byte between two places costs) and common/steer (how many from where) meet. The tracker answers with
 * it, and a simulator that links it runs the very choice of the server. Three ways, from the cheapest:
 *
 *   no choice     the list has room for all: they are copied
 *   whole         few more candidates than the list has room for: all are looked at, grouped by place
 *                 and appraised by the map, and steering shares the list out exactly
 *   a pool        of more, steering says from exact counts how many come from the asker's PID, its
 *                 provider and elsewhere, and how many to draw there; of those drawn by price it
 *                 chooses (common/steer/steer.h). Unsteered, a pool of all is the list
 *
 * So an announce costs what is in a list, however large the swarm and however many its places.
 *
 * Pure, and never allocates: a struct choice is scratch and result in one, too large for a stack.
 * Ownership: the caller's. Threading: one thread at a time.
 */

#include "common/bridge/bridge.h"
#include "common/steer/steer.h"
#include "common/swarm/swarm.h"

enum {
	CHOICE_MAX = 200,   /* in one list */
	CHOICE_WHOLE = 256, /* as many candidates are looked at one by one */
	CHOICE_SPARE = 32,  /* more than planned, where some may turn out not to upload */
	CHOICE_POOL = 1024,
	CHOICE_SLOTS = 1024
};

struct choice_asker {
	const struct map_snapshot *map; /* NULL: none yet */
	const struct steer_rules *rules;
	const struct swarm_asker *who; /* itself, and of which family it wants peers */
	uint32_t place;                /* a place of `map` */
	bool mapped;                   /* stands in a PID */
	bool steered;                  /* and the policy cares */
	bool known;                    /* was in the swarm before */
	bool noted;                    /* fill in `handed` */
	/* `bridge` only: where it remembers who met, but for the provider; a NULL store remembers nothing */
	struct bridge_page page;
	uint32_t ends; /* the second after which the asker is gone */
	/* What it has received in so many seconds, until now. 0 seconds: nobody knows. */
	uint64_t received;
	uint32_t seconds;
	/* A rehearsal: BRIDGE_BOOK_BYTES each, for copies of books. The answer is that of an announce, but
	 * nothing is remembered, refreshed or dropped; who is not `known` has not been put into the swarm,
	 * and is counted all the same. NULL: an announce. */
	struct bridge_book *dry[2];
};

/* `count` come from a place, which has so many candidates. */
struct choice_handed {
	uint32_t place, count, candidates;
	bool same; /* the same ones as the last time, but for those who met since */
};

struct choice {
	/* The result: valid until the visit changes the swarm. */
	size_t n, n_handed;
	uint32_t soon; /* the asker shall be back in so many seconds; 0: as usual */
	/* Why, for choice_reason(). */
	bool everybody; /* the list has room for all, so there was no choice */
	/* `bridge`: first peers of its provider, then those it had met, then others; the first of these
	 * is the seed that an island needs, if it was `rescued`; the rest `standing` allowed. */
	size_t n_near, n_met;
	bool rescued;
	struct steer_standing standing;
	struct choice_handed handed[CHOICE_MAX]; /* each place once; none unless noted */
	struct swarm_candidate list[CHOICE_MAX + CHOICE_POOL]; /* what is behind `n` is scratch */

	/* Candidates drawn, and the places they are in. */
	struct swarm_survey survey;
	struct swarm_candidate candidates[CHOICE_POOL];
	struct steer_bucket groups[CHOICE_POOL]; /* `handle`: the first candidate, + 1 */
	size_t n_candidates, n_groups;
	uint16_t next[CHOICE_POOL];   /* candidate of the same place, + 1; 0: the last */
	uint16_t slots[CHOICE_SLOTS]; /* place -> group, + 1; 0: free */
};

/* Up to `want` peers, at most CHOICE_MAX; returns how many. `seed` is advanced. */
size_t choice_make(struct choice *c, const struct swarm_visit *visit,
                   const struct choice_asker *asker, size_t want, uint64_t *seed);

/* Why peer `i` of the list is in it. `tier`: by which it was appraised, in the book that map_pair goes by for
 * bytes from it, or to it if the asker seeds. `gain`, here and below: by how much the way to it leans
 * (common/steer/lean.h); 0: it does not. */
enum choice_reason {
	CHOICE_EVERYBODY, /* the list has room for all */
	CHOICE_CHANCE,    /* `native` */
	CHOICE_NEAR,      /* of its PID or provider, by the shares of p4p */
	CHOICE_OUTSIDE,   /* p4p: from elsewhere, by price */
	CHOICE_MET,       /* `bridge`, as all that follow: they had met before */
	CHOICE_BUDGET,    /* the provider may have more contacts over such a tier */
	CHOICE_LEAN,   /* and more over one that leans, for bytes in the asker's way are welcome */
	CHOICE_HEALTH, /* the asker has fewer peers than choice_health() */
	CHOICE_ISLAND  /* no contact of the provider leads to a seed */
};
enum choice_reason choice_reason(const struct choice *c, const struct steer_rules *rules, size_t i,
                                 enum map_tier tier, int32_t gain);

/* `bridge`: with fewer peers in all it gets more, whatever the budget. */
uint32_t choice_health(const struct steer_rules *rules, const struct steer_standing *standing,
                       int32_t gain);
/* `bridge`: how many contacts the asker's provider may have in this swarm. */
struct steer_contacts choice_budget(const struct steer_rules *rules,
                                    const struct steer_standing *standing, int32_t gain);

/* `bridge`: brings the asker's book nearer. To be called some work before choice_make(), as before the asker
 * is put into its swarm. */
void choice_prefetch(const struct choice_asker *asker);

/* The asker left the swarm: its contacts are over, on both sides. */
void choice_leave(const struct choice_asker *asker);
