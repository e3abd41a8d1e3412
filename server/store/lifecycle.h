/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The life of a map: draft -> approved -> activated, now or at a time -> watched -> superseded or rolled
 * back. A version never changes; what becomes of it is rows beside it.
 *
 * Errors, ownership and threading are those of store.h. Every change is audited.
 */

#include "server/store/store.h"

enum { STORE_KINDS = 2, STORE_REASON = 256 };

/* ---- how a provider wants it ---- */

struct store_settings {
	uint64_t
		version; /* counts the changes; 0: nobody said anything, and these are the defaults */
	unsigned approvals; /* 1: a second person approves before a new version comes into force */
	bool refuse; /* what trips a guard, even when it is uploaded to be in force at once */
	uint32_t watch_seconds; /* after a draft came into force; 0: not */
	uint32_t watch_points;  /* so much is a breach, of lost peers in percent (maps/watch.h) */
};
enum { STORE_WATCH_SECONDS_MAX = 7 * 86400 };
#define STORE_SETTINGS_DEFAULT ((struct store_settings){ 0, 0, false, 1800, 5 })

enum err store_settings(struct store *s, const char *provider,
                        struct store_settings *out) must_check;
/*
 * `expected`: the version that must be in force in decimal; NULL: does not matter. ERR_DENIED: it is not.
 * ERR_RANGE: less approvals are wanted than before, and `may_lower` is false. (Who looks first and stores
 * then may undo what an admin has raised in between.)
 */
enum err store_settings_put(struct store *s, const char *provider, struct store_settings *settings,
                            const char *expected, bool may_lower, const char *author) must_check;

/* ---- approvals ---- */

/*
 * What has become of the token that approved or planned something: the name of the role it has now, "revoked"
 * or "expired".
 */
enum { STORE_STANDING = 16 };
/* For people, of the token: "has expired", "is that of a role viewer now". */
enum { STORE_STANDING_TEXT = 40 };
void store_standing_print(const char *standing, char out[static STORE_STANDING_TEXT]);

/*
 * It counts while the token may approve (rights.h). ERR_NOT_FOUND; ERR_DENIED: `author` made this version.
 * Again: nothing new, unless it counted no more.
 */
enum err store_approve(struct store *s, const char *provider, uint64_t version,
                       const char *author) must_check;

/* ---- into force ---- */

/* What is looked after once it is in force. */
struct store_map_watch {
	uint64_t number;
	char provider[65];
	uint64_t version;
	uint64_t former;      /* the topology that it replaced; 0: none */
	int64_t begun, until; /* unix seconds */
	uint32_t points;
};

/* Versions of one provider, one of each kind at most, that come into force together. */
struct store_activation {
	const char *provider, *author;
	uint64_t version[STORE_KINDS]; /* by kind; 0: what is in force stays */
	/* Stored on the way, unless it is in force; `version` of its kind is set. NULL: nothing. */
	const struct store_upload *made;
	uint64_t resumes[STORE_KINDS];   /* a roll back: the activation that it goes back to, or: */
#define STORE_RESUMES_NOTHING UINT64_MAX /* there was none, and the version says as much */
	uint64_t from[STORE_KINDS];      /* and what is in force until then; 0: not asked */
	const char *reason;              /* of a roll back; NULL: none */
	const char *expected;            /* store.h */
	const uint64_t *seen;            /* store.h */
	const struct store_interconnect *interconnects; /* of the topology */
	size_t n_interconnects;
	uint64_t plan;                            /* that this carries out; 0: none */
	uint64_t watch;                           /* that found a breach; 0: none */
	const struct store_map_watch *look_after; /* begins; NULL: none */
	bool unchanged; /* is set: all of it was in force, and no watch began or ended */
};
/*
 * One transaction. What is in force already is not put in force again, or a roll back would go back to it.
 * Plans that wait for what comes into force are cancelled. ERR_NOT_FOUND: no such version of that kind, or
 * what was to be made is in force and nothing else was to be.
 * ERR_DENIED: what is in force is not what was expected. ERR_EXISTS: another daemon has ended the plan or the
 * watch. ERR_BUSY: something has come into force since it was `seen`.
 */
enum err store_activate(struct store *s, struct store_activation *a) must_check;

/* What a roll back puts in force: what was before the newest change, or version `to` (0: none said). */
struct store_back {
	uint64_t from[STORE_KINDS];    /* versions in force that go; 0: this kind stays */
	uint64_t version[STORE_KINDS]; /* that come back */
	uint64_t resumes[STORE_KINDS]; /* activations */
	bool no_costs; /* there were none: an empty document is to take their place */
};
/* ERR_NOT_FOUND: there was nothing before, or `to` was never in force. */
enum err store_back(struct store *s, const char *provider, uint64_t to,
                    struct store_back *out) must_check;

/* ---- at a time ---- */

struct store_plan {
	uint64_t number;
	char provider[65], author[65];
	uint64_t version, also; /* also 0: none */
	int64_t at;             /* unix seconds */
	bool has_expected;
	char expected[STORE_EXPECTED];
	bool force;
	uint32_t watch_seconds;
	char standing[STORE_STANDING]; /* store_plan_due(): of the author's token now */
};
/* ERR_EXISTS: one waits for this version already. ERR_DENIED: already now something else is in force. */
enum err store_plan_add(struct store *s, const struct store_plan *plan) must_check;
/* That which waits for this version; else for another together with this. ERR_NOT_FOUND: none waits. */
enum err store_plan_cancel(struct store *s, const char *provider, uint64_t version,
                           const char *author) must_check;
/* The first whose time has come. ERR_NOT_FOUND: there is none. */
enum err store_plan_due(struct store *s, int64_t now, struct store_plan *out) must_check;
/* It cannot be carried out, and why. Nothing when another daemon has. */
enum err store_plan_fail(struct store *s, const struct store_plan *plan,
                         const char *reason) must_check;

/* ---- afterwards ---- */

/* Those that run. free() the list. */
enum err store_map_watches(struct store *s, struct store_map_watch **out, size_t *count) must_check;
/* Its time is over without a breach; or it is given up for a reason. */
enum err store_map_watch_end(struct store *s, const struct store_map_watch *m, bool passed,
                             const char *reason) must_check;

/* What went wrong by itself since a time, and was not seen to by a later change: plans and watches. */
struct store_map_trouble {
	char provider[65];
	uint64_t count;          /* 0: all was seen to */
	char text[STORE_REASON]; /* of the newest */
};
enum err store_map_troubles(struct store *s, int64_t since, struct store_map_trouble **out,
                            size_t *count) must_check;

/* ---- history ---- */

enum store_state {
	STORE_DRAFT, /* never in force */
	STORE_APPROVED,
	STORE_SCHEDULED,
	STORE_IN_FORCE,
	STORE_ROLLED_BACK,
	STORE_SUPERSEDED,
	STORE_STATES
};
const char *store_state_name(enum store_state s); /* "draft", "in force", ... */

struct store_life {
	struct store_version about;
	enum store_state state;
	char source[STORE_SOURCE];
	/* Of each the newest; a time of 0: there is none. */
	int64_t approved, activated;
	char approver[65], activator[65]; /* an approval by somebody else than the author */
	char approver_standing[STORE_STANDING];
	bool approval_counts;
	int64_t planned;
	char planner[65], plan_state[16], plan_reason[STORE_REASON];
	int64_t watched_until;
	char watch_state[16];
	char undone[STORE_REASON]; /* why it was rolled back, if a reason was given */
};
/* Which of a provider, newest first; of each 0: does not matter. */
struct store_page {
	uint64_t version; /* this one */
	uint64_t before;  /* those below */
	size_t limit;     /* so many */
};
/* free() the list. */
enum err store_history_page(struct store *s, const char *provider, const struct store_page *page,
                            struct store_life **out, size_t *count) must_check;

/* All of a provider, newest first, or one (version 0: all). free() the list. */
enum err store_history(struct store *s, const char *provider, uint64_t version,
                       struct store_life **out, size_t *count) must_check;
