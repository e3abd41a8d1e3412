/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The maps in force: all providers' documents, checked against each other, compiled, published.
 *
 * The order of an upload: parse -> check alone -> check among the others -> one transaction in the
 * store -> copy into the state folder -> compile -> publish. A fault before the transaction leaves
 * everything as it was; a document with faults goes through both checks nevertheless, as far as it
 * was understood, so that one answer names them all. The state folder's copies let the daemon start
 * without PostgreSQL.
 *
 * Ownership: one `maps` for the process. Threading: any thread; changes are serialised, and the hot
 * path only ever sees the office.
 */

#include "common/base/text.h"
#include "common/map/publish.h"
#include "common/map/snapshot.h"
#include "server/claims/claims.h"
#include "server/maps/guard.h"
#include "server/store/lifecycle.h"

struct lpm;
struct maps;
struct replay;

/* Tells `out` of each live peer where it is on two maps (replay_peers()); `before` may be NULL. ERR_NOMEM. */
typedef enum err maps_census_fn(void *ctx, const struct map_snapshot *before,
                                const struct map_snapshot *after, struct replay *out);

/* Live peers of this daemon in PIDs that a provider had; of these, who is in none of its PIDs now. */
struct maps_peers {
	uint64_t all, lost;
};

struct maps_options {
	const char *state_dir; /* copies live in its "maps/" */
	bool lab;
	struct store *store;
	struct map_office *office;
	struct claims *claims;  /* who may claim what; NULL: nobody asks */
	maps_census_fn *census; /* NULL: there is no tracker here */
	void *census_ctx;
	void (*count_peers)(void *ctx, const char *provider, const struct lpm *former,
	                    struct maps_peers *out); /* NULL: as census */
	void *ctx;
};

enum err maps_new(const struct maps_options *options, struct maps **out,
                  struct fault *fault) must_check;
void maps_free(struct maps *m); /* NULL is fine */

/* At start: from the state folder. A document that no longer passes is left out, with a warning. */
enum err maps_load(struct maps *m, struct fault *fault) must_check;

/*
 * Makes what is in force here what is in force in the store (at start, and when another daemon
 * changed something). ERR_AWAY: what we have stays in force. ERR_SYSTEM: so does it, because what the
 * store has does not compile, or memory is short; try again. *changed: something new was published.
 */
enum err maps_sync(struct maps *m, bool *changed) must_check;

struct maps_change {
	uint64_t version; /* 0 in a dry run */
	uint64_t also;    /* the version that came with it; 0: none */
	char sha256[65];
	int64_t watched_until;   /* unix seconds; 0: it is not */
	bool unchanged;          /* the very document that is in force */
	struct faults *warnings; /* what the guards say (guard.h), too */
	/* Against what was in force. */
	struct guard_facts guard;
	size_t pids_added, pids_removed, pids_changed; /* but for their prefixes */
	size_t links_added, links_removed, links_changed;
	size_t prefixes_added, prefixes_removed, prefixes_moved;
	size_t interconnects_added, interconnects_removed, interconnects_changed;
	size_t costs_changed;
	/* Of a dry run or a plan: what it would do, as JSON (schema/openapi.yaml). text_done() it. */
	struct text impact;
};

/* What is uploaded; nothing of it is kept. */
struct maps_document {
	const char *provider;
	enum store_kind kind;
	const char *body; /* `size` bytes */
	size_t size;
	const char *author;     /* names the token, for the history */
	const char *source;     /* where it came from, in the author's words; NULL: not said */
	const char *expected;   /* what must be in force (store.h) */
	bool draft;             /* is stored, and not put in force */
	bool force;             /* guards do not refuse it */
	uint32_t watch_seconds; /* it is watched, and rolled back on a breach; 0: not */
	size_t limit;           /* a dry run's: rows of each list of the impact */
};

/*
 * ERR_MALFORMED: see `faults`. ERR_AWAY: no database, nothing stored. ERR_NOT_FOUND: costs for a
 * provider without a topology. ERR_DENIED: what is in force is not what was expected. ERR_RANGE: the
 * document is good, but guards or a missing approval refuse it; `faults` says which. ERR_BUSY: other daemons
 * put so much in force that no check of it held; again.
 */
enum err maps_upload(struct maps *m, const struct maps_document *d, bool dry,
                     struct maps_change *out, struct faults *faults) must_check;

/*
 * One version, or one of each kind that belong together. Guards refuse a version that was never in force,
 * and where the provider wants a second person, so does a missing approval. What was in force before may
 * come back at any time.
 */
struct maps_activation {
	const char *provider, *author;
	uint64_t version, also; /* also 0: none */
	const char *expected;   /* what must be in force (store.h) */
	bool force;             /* guards do not refuse it */
	bool approved_only; /* a version that was never in force must be approved, wanted or not */
	int64_t at;         /* unix seconds; 0: now */
	int64_t watch_seconds; /* negative: as the provider's settings say */
	uint64_t plan;         /* that this carries out; 0: none */
};

/*
 * What it would do, at once and guards or not; changes nothing. Errors of a dry run; ERR_NOT_FOUND. Of `a`
 * the provider and the versions count.
 */
enum err maps_plan(struct maps *m, const struct maps_activation *a, size_t limit,
                   struct maps_change *out, struct faults *faults) must_check;

/*
 * Checks again among the others as they are now. Errors as of maps_upload(); ERR_NOT_FOUND: no such
 * version; ERR_EXISTS: another daemon carried out this plan, or one waits for this version already.
 */
enum err maps_activate(struct maps *m, const struct maps_activation *a, struct maps_change *out,
                       struct faults *faults) must_check;

/* Puts back what was in force before the newest change, or version `to`. ERR_NOT_FOUND: there was nothing. */
struct maps_return {
	const char *provider, *author;
	uint64_t to; /* 0: what was before */
	const char *expected;
	const char *reason; /* for the history; NULL: none */
	uint64_t watch;     /* that found a breach; 0: none */
};
enum err maps_roll_back(struct maps *m, const struct maps_return *r, struct maps_change *out,
                        struct faults *faults) must_check;

/* The addresses of a stored topology; lpm_free() it. As store_document(); ERR_MALFORMED: it reads no more. */
enum err maps_former(struct maps *m, const char *provider, uint64_t version,
                     struct lpm **out) must_check;

/* Compares these with the map in force. false: there is no tracker here. */
bool maps_count_peers(const struct maps *m, const char *provider, const struct lpm *former,
                      struct maps_peers *out);

/* Each topology in force, one after the other; changes wait meanwhile. */
void maps_each(struct maps *m,
               void (*each)(void *ctx, const char *provider, const struct map_topology *t),
               void *ctx);

/* Frees maps that were in force and nobody uses any more. Cheap when there are none. */
void maps_tidy(struct maps *m);

struct maps_stats {
	size_t providers;
	uint64_t publications;
	int64_t published_at; /* unix seconds of the last one */
	bool loaded;          /* something is in force, or the store said there is nothing */
};
struct maps_stats maps_stats(struct maps *m);
