/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * PostgreSQL: the only folder that speaks SQL.
 *
 * A store is a small pool of connections; each call takes one, runs one transaction, and gives it
 * back. A connection that broke is opened again at the next call. Nothing here is on the announce
 * path.
 *
 * Errors: ERR_AWAY when the database cannot be reached (try again later; nothing was done, or it
 * was done whole), ERR_SYSTEM when it refused (logged), ERR_NOT_FOUND from any call for a name that
 * is no UTF-8. All leave *out untouched.
 * Ownership: strings in results belong to the result; free with the function named there.
 * Threading: any thread.
 */

#include "common/base/text.h"

#include <stdbool.h>
#include <stdint.h>

struct store;

struct store_options {
	const char *conninfo; /* libpq's; "" means no database at all: every call is ERR_AWAY */
	unsigned connections;
	unsigned timeout_seconds; /* to connect, and for a statement */
};

/* Does not connect yet. NULL when out of memory. */
struct store *store_new(const struct store_options *options);
void store_free(struct store *s); /* NULL is fine */

/*
 * Applies the migrations of schema/ that are missing, under an advisory lock, so that two daemons
 * may start together. ERR_RANGE: the database is newer than this program. ERR_EXISTS: a migration
 * that was applied is not the one we have.
 */
enum err store_migrate(struct store *s, struct fault *fault) must_check;
bool store_is_up(struct store *s); /* one round trip, at most a second */

/*
 * For shutdown: in `seconds` all waiting ends, that of other threads too, and from then on every
 * call is ERR_AWAY; a later call may grant more. A frozen server could otherwise keep a queue of
 * requests for a time-out each, and a report or a migration for minutes.
 */
void store_end(struct store *s, unsigned seconds);

/* ---- map documents ---- */

enum store_kind { STORE_TOPOLOGY, STORE_COSTS };
enum { STORE_SOURCE = 201, STORE_EXPECTED = 320 };

struct store_version {
	char provider[65];
	uint64_t version; /* per provider, both kinds in one sequence, from 1 */
	enum store_kind kind;
	char sha256[65];
	char author[65]; /* the token's name */
	int64_t created; /* unix seconds */
	uint64_t size;
	bool in_force;
};

struct store_document {
	struct store_version about;
	char *body; /* as uploaded; NUL-terminated */
	size_t size;
};
void store_document_done(struct store_document *d);

/* What an interconnect looks like in a topology; kept in a table of its own for reports. */
struct store_interconnect {
	char provider[65], id[65], pid[65], relation[24], metro[65];
	uint32_t neighbor_asn;
	uint64_t capacity_mbps;
	uint64_t
		ratio_limit_milli; /* 2000: 2.000:1; 0: none of its own; an upload leaves it alone */
	bool in_force;             /* in the topology in force; an upload ignores it */
};

struct store_upload {
	const char *provider;
	enum store_kind kind;
	const char *body;
	size_t size;
	const char *sha256, *author;
	const char *source; /* where it came from, in the author's words; NULL: not said */
	/*
	 * What must be in force, of each kind that changes: hashes and decimal versions with blanks between
	 * them, of which one must match; "0" is nothing, "*" anything. NULL: does not matter.
	 */
	const char *expected;
	const uint64_t
		*seen; /* store_newest_activation() before it was checked; NULL: does not matter */
	bool draft;    /* is not put in force; lifecycle.h says what comes then */
	const struct store_map_watch *look_after;       /* lifecycle.h; NULL: nothing */
	const struct store_interconnect *interconnects; /* of a topology */
	size_t n_interconnects;
};

/*
 * One transaction: new version, activation, interconnects, audit, NOTIFY. When it returns ERR_OK the
 * upload survives any crash. The same document as the one in force makes no new version:
 * ERR_EXISTS, *version says which; nor does the same draft again. ERR_DENIED: what is in force is not
 * what was expected. ERR_BUSY: something of any provider has come into force since what was `seen`; check
 * again.
 */
enum err store_upload(struct store *s, const struct store_upload *u, uint64_t *version) must_check;

/* version 0: the one in force. ERR_NOT_FOUND. */
enum err store_document(struct store *s, const char *provider, enum store_kind kind,
                        uint64_t version, struct store_document *out) must_check;
/* Any kind: what `version` of the provider is. ERR_NOT_FOUND. */
enum err store_version(struct store *s, const char *provider, uint64_t version,
                       struct store_version *out) must_check;
/*
 * Grows with whatever comes into force, of any provider; 0: nothing ever did. Who asks before
 * store_versions() has seen at least what had come into force by then.
 */
enum err store_newest_activation(struct store *s, uint64_t *out) must_check;
/* Newest first. provider NULL: of all providers, in force only. free() the list. */
enum err store_versions(struct store *s, const char *provider, struct store_version **out,
                        size_t *count) must_check;

/*
 * Was there ever a provider, an interconnect, of that name? NULL: any. An interconnect that bins alone name
 * counts. ERR_NOT_FOUND.
 */
enum err store_named(struct store *s, const char *provider, const char *interconnect) must_check;

/* All that were ever in force, or of one provider (NULL: all). free() the list. */
enum err store_interconnects(struct store *s, const char *provider, struct store_interconnect **out,
                             size_t *count) must_check;
/* ERR_NOT_FOUND. Audited. */
enum err store_ratio_limit(struct store *s, const char *provider, const char *interconnect,
                           uint64_t milli, const char *author) must_check;

/* ---- notifications ---- */

/*
 * Waits up to `timeout_ms` (a second more while it connects) on a connection of its own; true when
 * another daemon (or this one) changed activations, access lists or passkeys since the last call, and once
 * after every reconnect, because what happened in between is unknown. ERR_AWAY after the time-out
 * when it is not connected.
 */
enum err store_wait(struct store *s, unsigned timeout_ms, bool *changed) must_check;
/* Wakes store_wait() from another thread. */
void store_wake(struct store *s);

/* ---- tokens ---- */

enum store_role {
	STORE_ADMIN,
	STORE_OPERATOR,
	STORE_APPROVER,
	STORE_ANALYST,
	STORE_AUDITOR,
	STORE_VIEWER, /* the least */
	STORE_ROLES
};
const char *store_role_name(enum store_role role);
bool store_role_find(const char *name, enum store_role *out);

struct store_token {
	uint64_t id;
	char name[65];
	enum store_role role;
	char provider[65]; /* "" for admin */
	int64_t created;
	int64_t expires;        /* 0: never */
	int64_t last_used;      /* to about a minute; 0: not yet */
	int64_t previous_until; /* of the secret before the last rotation; 0: there is none */
};

/* What a hash opens, by the database's clock. */
enum store_secret {
	STORE_VALID,
	STORE_PREVIOUS, /* that of before the last rotation, in its time of grace */
	STORE_REPLACED, /* the same after it */
	STORE_EXPIRED,
	STORE_REVOKED
};

/* `hash` is 32 bytes. ERR_EXISTS: the name is taken. Audited. */
enum err store_token_add(struct store *s, const struct store_token *token,
                         const uint8_t hash[static 32], const char *author,
                         uint64_t *id) must_check;
/*
 * Asks the database each time, so that what was revoked, downgraded or rotated anywhere is so at once
 * everywhere. ERR_NOT_FOUND: no token ever had it.
 */
enum err store_token_find(struct store *s, const uint8_t hash[static 32], struct store_token *out,
                          enum store_secret *what) must_check;
/*
 * Writes down that it was used, if that was not done within the last minute. A failure is logged and
 * forgotten: who may read must not need a database that can be written.
 */
void store_token_used(struct store *s, const struct store_token *token);
/* The old secret works for `grace_seconds` more. expires: 0 is never, negative as it was. */
struct store_rotation {
	const uint8_t *hash; /* 32 bytes, of the new secret */
	uint32_t grace_seconds;
	int64_t expires;
};

/*
 * Another secret under the same name; the one before the old one works no longer. ERR_NOT_FOUND;
 * ERR_RANGE: it would have expired already. Audited.
 */
enum err store_token_rotate(struct store *s, const char *name, const struct store_rotation *to,
                            const char *author, struct store_token *out) must_check;
/*
 * Another role or another end: `role` NULL and `expires` negative leave it. ERR_NOT_FOUND; ERR_RANGE:
 * an admin's token becomes no other, and no other an admin's. Audited.
 */
enum err store_token_change(struct store *s, const char *name, const enum store_role *role,
                            int64_t expires, const char *author,
                            struct store_token *out) must_check;
enum err store_token_remove(struct store *s, const char *name, const char *author) must_check;
enum err store_tokens(struct store *s, struct store_token **out, size_t *count) must_check;

/* ---- bins ---- */

enum store_source { STORE_ANNOUNCE, STORE_FLOW, STORE_COUNTER };

struct store_bin {
	char provider[65], interconnect[65];
	int64_t start; /* unix seconds, a multiple of the bin's length */
	uint32_t seconds;
	uint64_t out_bytes, in_bytes;
	uint32_t observed_seconds; /* how much of the bin was watched */
	/* Bytes are the source's own: IP of flows and announces, what the interface counts of a counter. */
	bool measured_packets; /* false: not known, whatever the numbers are */
	uint64_t out_packets, in_packets;
	bool measured_p2p;
	uint64_t out_p2p_bytes, in_p2p_bytes; /* of the bytes above, those of known peers */
	unsigned quality; /* flags of common/balance/quality.h; BIN_PARTIAL comes by itself */
};

/* How many days each is kept; 0: for ever. What is packed stays at least as long as its bins. */
struct store_keep {
	uint32_t bins_days, rollups_days;
	uint32_t readings_days; /* of a port of counters, from its last one on */
};
/*
 * Housekeeping, to be called now and then: makes the partitions of this month and the next, and drops those
 * whose month was over so many days ago, once all of it is packed. From then on bins of that time are
 * refused (ERR_RANGE). Of ports that fell silent the last reading alone stays, and with the bins of its
 * time that goes too, as does the port.
 */
enum err store_retain(struct store *s, const struct store_keep *keep, int64_t now) must_check;

/*
 * Packs some of the days that are over, or else of the months, so that reports need not read every bin; what
 * changed since is packed again. *more: there was something to do. Several daemons share the work.
 */
enum err store_rollup(struct store *s, int64_t now, bool *more) must_check;

/*
 * What a node writes its bins under: its own name, and from its second life on that and "~2". `life` tells
 * lives apart: of a node that has lost what it knew of stored bins it is another. So what it still has
 * of such a bin is added and replaces nothing. The same life gets the same name whenever it asks.
 */
enum { STORE_NODE_SIZE = 65 };
enum err store_life(struct store *s, const char *node, const char *life,
                    char out[static STORE_NODE_SIZE]) must_check;

/*
 * A life begins to store bins for the `step`th time, by what its state folder counts. When the database
 * has counted as far already, the folder is an older copy, put back: it has bins that were stored since
 * then as they were before. So bins that start before *kept, which then becomes `now`, must be replaced
 * by nothing smaller (store_holds()). *counted: how far the folder is to count from here. ERR_NOT_FOUND:
 * store_life() was not asked before.
 */
struct store_step {
	uint64_t counted;
	int64_t kept; /* unix seconds; 0: nothing is */
};
enum err store_life_step(struct store *s, const char *node, const char *life, uint64_t step,
                         int64_t now, struct store_step *out) must_check;

/* Has the database more bytes, both directions, of a node's bin than these? False: or it has none. */
enum err store_holds(struct store *s, const char *node, enum store_source source, int64_t start,
                     uint64_t bytes, bool *out) must_check;

/*
 * Writes rows of one node and source in one transaction (COPY into a stage, then upsert):
 * the same key (node, source, provider, interconnect, start) again replaces, so that a replay never
 * counts twice; twice in one call, the last counts. Makes the month's partition when it is missing.
 * An interconnect that no topology named yet gets a row with the relation "unknown".
 * ERR_RANGE: a start outside 2000 .. 2099 or before what is kept, a length that does not divide a
 * day, a start between two bins, a flag of quality that is none; nothing was written.
 *
 * Nodes add up. What must not (a counter's sample, whichever daemon it is posted to) needs a fixed
 * node name.
 */
enum err store_bins(struct store *s, const char *node, enum store_source source,
                    const struct store_bin *rows, size_t n) must_check;

enum { STORE_FLAGS = 6 };

struct store_balance {
	char provider[65], interconnect[65], relation[24];
	uint32_t neighbor_asn;
	uint64_t ratio_limit_milli;
	enum store_source source;
	bool has_bins; /* false: an interconnect without any figure in the window */
	/* Decimal digits: sums of many uint64_t may pass 2^64. */
	char out_bytes[48], in_bytes[48];
	uint64_t p95_out_bytes, p95_in_bytes; /* of a bin, nearest rank (percentile_disc) */
	uint64_t bins_known;
	/* Bins that every node measured these for, and the sums over them. */
	uint64_t bins_with_packets, bins_with_p2p;
	char out_packets[48], in_packets[48], out_p2p_bytes[48], in_p2p_bytes[48];
	uint64_t flagged[STORE_FLAGS]; /* bins with the flag 1 << i of common/balance/quality.h */
	int64_t gap_seconds, gap_from; /* the longest stretch of the window that nobody saw */
};

struct store_window {
	int64_t from, to;         /* closed bins with from <= start and start + seconds <= to */
	uint32_t bin_seconds;     /* only bins of this length */
	const char *provider;     /* NULL: all */
	const char *interconnect; /* NULL: all */
};

/*
 * Nodes are summed inside a bin before anything is ranked. One row for each interconnect and source
 * that has bins, one with has_bins = false for one in force that has none. By provider and id. What is
 * packed already is read packed, and says the same. May take a minute when nothing is.
 */
enum err store_balance(struct store *s, const struct store_window *w, struct store_balance **out,
                       size_t *count) must_check;

struct store_point {
	int64_t start;
	uint64_t out_bytes, in_bytes;
};
/*
 * The bins themselves, oldest first, with nodes and all interconnects of the window summed; the
 * newest STORE_SERIES_MAX when there are more. free() the list.
 */
enum { STORE_SERIES_MAX = 10000 };
enum err store_series(struct store *s, const struct store_window *w, enum store_source source,
                      struct store_point **out, size_t *count) must_check;

/* ---- periods ---- */

enum store_period_kind {
	STORE_MONTH,   /* of the calendar, from `cycle_day` on */
	STORE_WEEK,    /* from Monday, or the day of the week that `cycle_day` says (7: Sunday) */
	STORE_ROLLING, /* the 30 days (of 86,400 s) up to the instant; no zone matters */
};
struct store_calendar {
	const char *zone; /* of the tz database: "UTC", "Europe/Berlin" */
	enum store_period_kind kind;
	unsigned cycle_day; /* 1 to 28; 0 is 1 */
};
struct store_period {
	int64_t from, to; /* unix seconds, from <= t < to; months have 27 to 31 days and an hour */
};

/*
 * The period that holds `instant`; the next one holds `to`. Time zones are PostgreSQL's work.
 * ERR_NOT_FOUND: the zone is unknown, and the fault says how to write one; ERR_RANGE: cycle_day.
 */
enum err store_period(struct store *s, const struct store_calendar *calendar, int64_t instant,
                      struct store_period *out, struct fault *fault) must_check;

/* "2026-11-01 00:00": what clocks show there. ERR_NOT_FOUND: the zone is unknown. */
enum { STORE_CLOCK_SIZE = 24 };
enum err store_clock(struct store *s, const char *zone, int64_t instant,
                     char out[static STORE_CLOCK_SIZE]) must_check;

/* What crossed an interconnect in one bin, by the best source there is: flow, counter, announce. */
struct store_load {
	char provider[65], interconnect[65];
	int64_t start;
	enum store_source source;
	uint32_t observed_seconds; /* by the node that watched longest */
	uint64_t out_bytes, in_bytes;
	uint64_t ratio_limit_milli; /* of its own; 0: none */
};
/*
 * Bins of that length with from <= start < to, of the interconnects in force, nodes summed; by start,
 * provider and id. free() the list.
 */
enum err store_loads(struct store *s, int64_t from, int64_t to, uint32_t bin_seconds,
                     struct store_load **out, size_t *count) must_check;

/* ---- steering ---- */

/* What a provider's clients downloaded in a group of swarms, by tier, cheapest first (a report's order). */
enum { STORE_TIERS = 6, STORE_TIMES = 80 };
struct store_steering {
	char provider[65], policy[32];
	bool flagged; /* known to be private */
	bool control; /* not steered */
	uint8_t group;
	uint64_t bytes[STORE_TIERS];
	uint64_t copies,
		imported; /* of contents, in millionths; the second from outside the provider */
	uint64_t swarms, unsized; /* with bytes, once for each bin; of them without a known size */
	uint64_t times
		[STORE_TIMES]; /* completed downloads, by bucket (common/balance/histogram.h) */
};

/* One node's, of one bin: they replace all that there was of it, in one transaction. */
struct store_steering_bin {
	int64_t start;
	uint32_t seconds;
	const struct store_steering *rows;
	size_t n;
};
enum err store_steering_put(struct store *s, const char *node,
                            const struct store_steering_bin *bin) must_check;

/*
 * Summed over nodes and bins of the window (its interconnect does not matter): by provider and policy, the
 * private before the open, treated before control, by group. free() the list.
 */
enum err store_steering(struct store *s, const struct store_window *w, struct store_steering **out,
                        size_t *count) must_check;

/* ---- access lists ---- */

enum store_list { STORE_ALLOWED, STORE_DENIED };

struct store_hash {
	uint8_t bytes[20];
	bool is_private; /* of the allowed: the torrent is known to carry the flag (BEP 27) */
};
/* What is put on one list leaves the other. Audited. */
enum err store_access_set(struct store *s, enum store_list list, const struct store_hash *hash,
                          bool listed, const char *author) must_check;
enum err store_access_list(struct store *s, enum store_list list, struct store_hash **out,
                           size_t *count) must_check; /* free() the list */

/* How the peer ids of denied clients begin: 1 to 20 printable ASCII characters but '#'. */
struct store_client {
	char prefix[21];
};
enum err store_client_set(struct store *s, const char *prefix, bool denied,
                          const char *author) must_check;
enum err store_client_list(struct store *s, struct store_client **out, size_t *count) must_check;

/* ---- passkeys ---- */

struct store_passkey {
	char name[65];
	uint8_t hash[32];
	uint32_t max_peers, per_minute; /* 0: no limit */
	int64_t created;
};
/* ERR_EXISTS: the name or the hash is taken. Audited, as removals are; daemons hear of both. */
enum err store_passkey_add(struct store *s, const struct store_passkey *key,
                           const char *author) must_check;
enum err store_passkey_remove(struct store *s, const char *name, const char *author) must_check;
/* By name. free() the list. */
enum err store_passkeys(struct store *s, struct store_passkey **out, size_t *count) must_check;
