/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * How many peers to hand out from which bucket.
 *
 * A pure function of what it is given, the random state included: it never blocks, allocates or
 * logs. It sees buckets with tiers and prices; neither swarms nor maps.
 *
 *   native   every candidate equally likely; the control group
 *   p4p      Xie et al., "P4P: Provider portal for applications", SIGCOMM 2008, section 6.2: at most
 *            70 % of the list from the asker's PID, at most 80 % from its provider, cumulatively,
 *            the rest from outside; between PIDs weights (1/p)^0.5, normalised; a PID's weight is at
 *            most 1.5 times its share of the candidates (the overload factor of the reference
 *            implementation); slots left over are filled uniformly. 75/90 is that code's preset.
 *            What the overload factor takes from one PID goes to the other PIDs of the same part
 *            (provider or outside) by their weights. The percentages are limits while the others
 *            have candidates: a short list helps nobody.
 *
 *   bridge   ours: a list of about 20 from the asker's provider, shared out as p4p does without an
 *            outside, and beside it a few far *contacts*: steer_contacts(). Measured with real clients:
 *            bytes follow the set of contacts a client has, neither their order nor their share of one
 *            list, and nothing drops a contact later
 *
 * Peers in places with uploads "never" are never offered; those with "avoid" only when nobody else
 * can serve: their seeds when the other candidates hold no seed, the rest when there is nobody else.
 * An asker that no map knows gets `native`.
 *
 * Two ways to a list. Of a small swarm, give steer_share() every bucket. Of a large one that would
 * cost a look at every PID in it; there steer_plan() says from exact counts how many come from each
 * part, and how many candidates to draw at random there (a pool, half as many again as are taken by
 * price), and steer_pick() chooses among those as if they were all there are: the pool has of each PID
 * its share of the candidates, so the overload factor means the same there. Between PIDs of equal size
 * 1 % of a list comes from others than by the whole, and what is taken by price keeps 94 % of what the
 * whole saves against chance. Where sizes follow Zipf's law it is 7 %, for the populous fare better;
 * there a list is cheaper than by the whole, which favours small PIDs whatever they cost. Counting
 * each PID exactly would cost more than all the rest.
 *
 * Takes are drawn by equally spaced points with a random start, so a bucket gets its exact share,
 * rounded up or down, and has the exact share as its mean. Costs O(n + want), with one square root
 * for each bucket under p4p. Pure: share freely.
 */

#include "common/map/snapshot.h"

enum steer_policy { STEER_NATIVE, STEER_P4P, STEER_BRIDGE, STEER_POLICIES };
extern const char *const steer_policy_names[STEER_POLICIES]; /* "native", ... */

struct steer_rules {
	enum steer_policy policy;
	unsigned intra_pid_percent;      /* of the list */
	unsigned intra_provider_percent; /* cumulative, >= intra_pid_percent */
	unsigned overload_percent;       /* 150: factor 1.5; 0: off */
	/* bridge only */
	unsigned list_length;                /* at most so many in a list, far contacts included */
	unsigned free_percent, paid_percent; /* contacts for 100 leechers without a seed, by tier */
};
extern const struct steer_rules
	steer_rules_usual; /* `bridge`, and for the rest the published numbers */

/* Where the candidates are; `take` and `seeds_only` are the result. */
struct steer_bucket {
	uint32_t handle; /* the caller's */
	uint32_t place;  /* the caller's */
	enum map_tier tier;
	enum map_uploads uploads;
	uint32_t price;
	uint32_t seeds, others; /* candidates, the asker excluded */
	uint32_t take;          /* how many to draw */
	bool seeds_only;        /* draw seeds only (an "avoid" bucket asked for its seeds) */
	struct {
		uint32_t offered; /* candidates under the rules for uploads */
		uint32_t next;
		float weight;
	} scratch; /* steer_share()'s own; need not be set */
};

/*
 * Shares `want` places out over the buckets and returns the sum, min(want, candidates that may be
 * offered). `mapped`: the asker stands in a PID. `seed` is advanced.
 */
size_t steer_share(const struct steer_rules *rules, bool mapped, struct steer_bucket *buckets,
                   size_t n, size_t want, uint64_t *seed);

/* Where a candidate stands, seen from the asker. */
enum steer_part { STEER_OWN_PID, STEER_OWN_PROVIDER, STEER_OUTSIDE, STEER_PARTS };

static inline enum steer_part steer_part_of(enum map_tier tier)
{
	return tier == TIER_SAME_PID        ? STEER_OWN_PID
	       : tier == TIER_SAME_PROVIDER ? STEER_OWN_PROVIDER
	                                    : STEER_OUTSIDE;
}

/* How a list is made up. Under `native`, and for an asker in no PID, all stand outside. */
struct steer_plan {
	struct {
		uint32_t by_price, uniform; /* to take */
		uint32_t pool; /* to draw: at least their sum, at most the candidates */
	} part[STEER_PARTS];
};

/* For the candidates of each part; returns how many will be taken, min(want, candidates). */
size_t steer_plan(const struct steer_rules *rules, bool mapped,
                  const uint32_t candidates[static STEER_PARTS], size_t want, uint64_t *seed,
                  struct steer_plan *out);

/*
 * Carries out a plan on what was drawn: `seeds` and `others` of a bucket count the pool's, and there is
 * one bucket for each place. Candidates that may not be offered
 * are made up for by others of the pool, whichever part they stand in.
 */
size_t steer_pick(const struct steer_rules *rules, bool mapped, const struct steer_plan *plan,
                  struct steer_bucket *buckets, size_t n, uint64_t *seed);

/*
 * `bridge`: which peers of different providers ever meet is a budget of a provider in a swarm.
 *
 *   no seed at home   the provider lives by what its leechers pull over their contacts. In proportion to
 *                     them, free_percent where the way is settlement-free (or a customer's or sibling's),
 *                     paid_percent where it costs money; not more than STEER_CONTACTS_MAX, because what an
 *                     edge brings in is a share of an uplink, whatever the size of the swarm, and a
 *                     handful of uplinks feeds a provider. Spread evenly over the newcomers, by lot where
 *                     it is no whole number for each; who comes again may have STEER_CONTACTS
 *   a seed at home    it serves itself: STEER_SAFETY contacts in all, one for each
 *   never alone       a client with fewer than STEER_HEALTH peers in all gets more, whatever the budget;
 *                     in a provider's first STEER_SOON seconds a newcomer with fewer than STEER_CONTACTS,
 *                     for others may follow
 *   fed by seeds      of a provider without a seed every STEER_SEEDED-th contact leads to one, be others
 *                     cheaper: through leechers of leechers the first copy comes late
 *   never an island   while no contact of the provider leads to a seed, somebody gets one more: a seed, if
 *                     there is one, whatever else is cheaper (steer_is_island())
 *   nobody starves    in a provider that has been in the swarm for STEER_PATIENCE seconds, a leecher that
 *                     gets next to nothing (steer_is_starved(): whom it knows cannot be reached, is slow, or
 *                     has nothing new) may have twice as many, out of twice the budget; or, where a seed at
 *                     home should serve it, what it might have without one
 *
 * What changes when an interconnect is out of balance: lean.h.
 */
enum {
	STEER_SEEDED = 4,
	STEER_CONTACTS = 2,
	STEER_CONTACTS_MAX = 64,
	STEER_SAFETY = 2,
	STEER_HEALTH = 6,
	STEER_PATIENCE = 180
};

struct steer_standing {
	bool seeding, known; /* the asker; was here before */
	bool starved;        /* steer_is_starved(), when it announced last */
	uint32_t lot;        /* the asker's, evenly spread: who gets one more where not all do */
	uint32_t own, near;  /* contacts it has; peers of its provider in its list */
	uint32_t seeds, leechers; /* of its provider, itself included */
	uint32_t age;             /* seconds that its provider has been in the swarm */
	uint32_t contacts;      /* over which its provider pulls; only gives, if the asker seeds */
	uint32_t seed_contacts; /* that lead to a seed */
};

/* More contacts that the asker may be given: by a settlement-free way, or by one that costs money. */
struct steer_contacts {
	uint32_t free, paid;
};
struct steer_contacts steer_contacts(const struct steer_rules *rules,
                                     const struct steer_standing *standing);

/*
 * In so many seconds, at least STEER_SOON, a leecher got less than a STEER_STARVED-th of what its line could
 * send meanwhile: leechers exchange bytes, so what it sends, and not what it can take in, is what it may
 * hope for. Of a line above STEER_LINE_KBPS_MAX clients seldom use more, whatever others give them.
 */
enum { STEER_STARVED = 4, STEER_LINE_KBPS_MAX = 64000 };
bool steer_is_starved(uint64_t bytes, uint32_t seconds, uint32_t line_kbps);

/* No seed serves the asker's provider, nor any contact of it: it shall meet one. */
bool steer_is_island(const struct steer_standing *standing);

/* Within its budget the asker shall meet a seed first. */
bool steer_wants_seed(const struct steer_standing *standing);

/*
 * Seconds to the next announce of a client whose provider has no seed, or too few to be sure that they serve
 * all (one for STEER_SERVED leechers), so that the budget follows what happens: a quarter of the time that
 * the provider has been in the swarm, at least STEER_SOON, and at most two announces a second from one
 * provider in one swarm. 0: as usual.
 */
enum { STEER_SOON = 30, STEER_SERVED = 8 };
uint32_t steer_soon(const struct steer_standing *standing, uint32_t elsewhere);

/*
 * Seconds to the next announce of `client`: `soon`, unless the `usual` interval is shorter. A crowd that
 * joined together shall not come back together, so each waits up to half as long again; never less than
 * its time, and by a lot of its own, so that who asks again hears the same.
 */
uint32_t steer_interval(uint32_t usual, uint32_t soon, uint64_t client);
