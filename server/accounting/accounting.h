/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * From announces to bins: whose bytes crossed which interconnect.
 *
 * Workers note two things, each into tables of their own: byte deltas (per swarm and place) and the
 * place pairs they handed out (per swarm). Once a second the background thread takes those tables,
 * appends them to the journal of the open bin in the state folder, and adds them to the open bin.
 * When a bin's time is over the traffic matrix of each swarm is fitted (common/balance/fit.h),
 * booked on interconnects with the map in force, and written to the spool: one checksummed file for
 * each closed bin, fsynced. Only then is it "closed". What feeds PostgreSQL reads the spool and
 * deletes a file after its commit; the key (node, source, interconnect, bin) makes a replay harmless.
 * So kill -9 costs at most the second since the last drain, and a database that is away costs disk.
 *
 * Deltas come from a ledger of (client, swarm): counters that fell, or a new session, set a new
 * baseline; equal counters of the same client in a second swarm are a hybrid torrent's twin and
 * count once; rates above max_peer_mbps are cut down to it. Who has moved nothing yet is not in it:
 * that the swarm store knows the client says so. It outlives a restart in order (ledger_file.h). After
 * kill -9 the swarms' snapshot may know clients whose counters are lost; so the next announce of
 * everybody who announced before the start is a baseline, and what it moved since the one before is
 * lost on top of that second. To save that too, each counter would have to be on disk
 * with the second's bytes: at 100,000 announces a second about a gigabyte for each bin, and a sweep of
 * the whole ledger beside the drain to keep it that small. A copy now and then would be worse than
 * none: bytes between it and the end would count twice.
 *
 * Places belong to a snapshot; the journal and the open bin name them by key, so a map may change at
 * any time. Before the first map is in force no bin is closed: the open one waits for it.
 *
 * Bins only go forward. While the clock is behind what it once said, the open bin stays open. When it
 * leaps ahead, the open bin is closed and those skipped stay unknown.
 *
 * Clients report twice an hour, so the ends of one transfer report in different bins. Downloads are
 * booked in the bin they are reported in; what is known too late of uploads is made up for in the
 * bins after it (bin.h). A bin much shorter than the announce interval is therefore rough.
 *
 * How long downloads take is measured from the first announce of a client that has nothing to the one by
 * which the swarm store sees it complete (firsts.h), in whole seconds.
 *
 * Under load only a share of the places handed out is noted, weighted so that sums stay right on the
 * average (slot.h); bytes always are.
 *
 * Threading: a slot belongs to one worker; accounting_tick() and accounting_flush() to one background
 * thread; the spool to one other, or the same.
 */

#include "common/balance/histogram.h"
#include "common/codec/announce.h"
#include "common/map/publish.h"
#include "common/map/snapshot.h"
#include "server/metrics/metrics.h"

struct accounting_options {
	unsigned slots;
	uint32_t bin_seconds;
	uint32_t max_peer_mbps;
	bool no_lines; /* a test network is not as slow as the subscribers' lines its maps name */
	const char *state_dir; /* "journal", "ledger" and "spool/" live below it */
	size_t ledger_max;     /* clients remembered, of those that have moved bytes */
	struct map_office *office;
	/* Slot i of the metrics belongs to worker i, slot `slots` to the background thread. */
	struct metrics *metrics;
	int64_t now; /* unix seconds; a journal of an older bin is closed by the first tick */
};

struct accounting;

/*
 * Makes the state folder's missing parts, replays the journal, takes the ledger. ERR_OK with a fault
 * set (its code is not ERR_OK): the journal or the rest of it, or the ledger, is damaged; log it, it is
 * ignored.
 */
enum err accounting_new(const struct accounting_options *options, struct accounting **out,
                        struct fault *fault) must_check;
void accounting_free(struct accounting *a); /* NULL is fine; drain first */

/*
 * Of the experiment: the share of the control group, and what the policy of the others is called. Until it
 * is said, no bytes are told apart by arm. Any thread.
 */
void accounting_trial(struct accounting *a, unsigned control_percent, const char *policy);

/* The swarms that are known to be private, from now on. Copies. Any thread. ERR_NOMEM: the old ones stay. */
enum err accounting_private(struct accounting *a, const uint64_t *swarms, size_t n) must_check;

/* ---- by worker `slot` ---- */

struct accounting_slot;
struct accounting_slot *accounting_slot(struct accounting *a, unsigned i);

/*
 * Around a batch: the places noted in between belong to `lease`'s map. Takes the slot's lock, which
 * only the drain shares, once.
 */
void accounting_enter(struct accounting_slot *s, const struct map_lease *lease);
void accounting_leave(struct accounting_slot *s);

struct accounting_announce {
	const struct announce *announce;
	/*
	 * Keyed hashes that a restart does not change. Of the client: of whatever the swarm store knows
	 * it by, but without its family: a client with two addresses moves its bytes once.
	 */
	uint64_t client, swarm;
	bool known;      /* the swarm store had it in this swarm before this announce */
	bool completed;  /* by this announce it has everything, which it had not before */
	uint32_t silent; /* then the seconds since its last one */
	const struct ip_addr *from;
	uint32_t place;
	uint32_t up_kbps, down_kbps; /* of the place; 0: not said */
	int64_t now;                 /* unix seconds */
};

/* A little before accounting_note() of the same two, when other work is left to do meanwhile. */
void accounting_prefetch(const struct accounting_slot *s, uint64_t client, uint64_t swarm);

/* What a client has received in the seconds since its last announce; 0 seconds: nobody knows. */
struct accounting_progress {
	uint64_t received;
	uint32_t seconds;
};

/* Between enter and leave. Locks a part of the ledger. */
struct accounting_progress accounting_note(struct accounting_slot *s,
                                           const struct accounting_announce *a);

/*
 * Of the `candidates` peers that `place` held, `count`, at least one, were handed to the client that
 * was noted last. The two numbers tell how many *different* peers that client has been given by now,
 * so that asking again for the same ones does not make a pair of places look closer than it is.
 */
struct accounting_handed {
	uint32_t place, count, candidates;
	bool same; /* the same ones come each time, as far peers under `bridge` do */
};

/*
 * Whether what the coming reply hands out is to be noted: under storms a sample is enough, and nobody
 * need make a list that is not read. When it says no, leave out accounting_handed(). Between enter and
 * leave, once for a reply.
 */
bool accounting_wants_handed(struct accounting_slot *s);

/* Everything that one reply hands out. Between enter and leave, after accounting_note(). */
void accounting_handed(struct accounting_slot *s, const struct accounting_handed *list, size_t n);

/* ---- by the background threads ---- */

/*
 * Drains the slots, writes the journal, closes what is over. Call once a second, and at the end.
 * A failure (disk full) loses nothing while the process lives: closed bins wait in memory, and
 * the next tick tries again.
 */
enum err accounting_tick(struct accounting *a, int64_t now, struct fault *fault) must_check;

/*
 * The last call (shutdown), when no worker notes anything any more: ticks, writes the open bin as it is
 * to the spool and the ledger to its file. The journal stays, so that a restart within the bin goes on
 * and replaces it.
 */
enum err accounting_flush(struct accounting *a, int64_t now, struct fault *fault) must_check;

enum accounting_source { ACCOUNTING_ANNOUNCE, ACCOUNTING_FLOW };

struct accounting_row {
	char provider[65], interconnect[65];
	uint64_t out_bytes, in_bytes;
	/* What only flows tell; zero of announces. */
	uint32_t observed_seconds; /* of this row */
	bool measured_packets, measured_p2p;
	uint64_t out_packets, in_packets, out_p2p_bytes, in_p2p_bytes;
	unsigned quality; /* flags of common/balance/quality.h */
};

/* What clients of a provider downloaded in swarms of one arm and group (trial.h). */
enum { ACCOUNTING_GROUPS = 16, ACCOUNTING_POLICY_MAX = 32 };
struct accounting_trial_row {
	char provider[65];
	bool control; /* else steered by the bin's policy */
	bool flagged; /* the torrents are known to be private */
	uint8_t group;
	uint64_t bytes[TIER_COUNT_]; /* by tier, an estimate as all the rest */
	/*
	 * Bytes per size of the content, summed over swarms, in millionths of a copy; of them those that
	 * came from outside the provider. The size is the most that a client of the swarm lacked when its
	 * session began.
	 */
	uint64_t copies, imported;
	uint32_t swarms;  /* that bytes came in */
	uint32_t unsized; /* of them, left out of the copies: the size is not known */
	uint32_t times[HISTOGRAM_BUCKETS]; /* that downloads took which were completed */
};

/* A cell of a provider's traffic matrix (matrix.h), or all the smaller ones of a crossing. */
enum accounting_direction { ACCOUNTING_INSIDE, ACCOUNTING_OUT, ACCOUNTING_IN };
#define ACCOUNTING_OTHERS "*"
struct accounting_cell {
	char provider[65];     /* whose book it is */
	char interconnect[65]; /* "": none was crossed, or none that the map knows */
	enum accounting_direction direction;
	enum map_tier tier;
	char from[PLACE_KEY_MAX], to[PLACE_KEY_MAX]; /* both ACCOUNTING_OTHERS: of the others */
	uint64_t bytes;
	uint64_t sure_bytes;  /* of them, in swarms that are known to be private */
	uint64_t unmet_bytes; /* of them, between places that we brought no clients of together */
	double spread;        /* standard deviation of `bytes` (common/balance/spread.h) */
	double cost;          /* in cost units */
};

/* A swarm in a provider's book: what its clients sent and received, inside and over interconnects. */
struct accounting_swarm {
	char provider[65];
	uint64_t swarm; /* its keyed hash; 0: all the smaller ones */
	uint64_t bytes[TIER_COUNT_];
	uint64_t out_bytes, in_bytes; /* of them, across interconnects */
	uint64_t up, down; /* as all clients of the swarm reported; 0 of the smaller ones */
	uint64_t clients;  /* of the provider, as in tally_row; 0 of the smaller ones */
	uint32_t swarms;   /* 1, or how many the smaller ones are */
	bool flagged;      /* known to be private */
	double cost;
};

struct accounting_bin {
	enum accounting_source source;
	int64_t start;
	uint32_t seconds, observed_seconds;
	struct accounting_row *rows;
	size_t n_rows;
	char policy[ACCOUNTING_POLICY_MAX]; /* of the steered arm */
	struct accounting_trial_row *trial;
	size_t n_trial;
	struct accounting_cell *cells;
	size_t n_cells;
	struct accounting_swarm *swarms;
	size_t n_swarms;
	uint64_t file; /* which file of this name it was read from */
};

void accounting_bin_done(struct accounting_bin *b);

/* Where closed bins go (spool.h). */
struct spool *accounting_spool(struct accounting *a);

struct accounting_stats {
	uint64_t open_start; /* of the oldest bin that is not closed and on disk */
	size_t spooled;      /* closed bins on disk */
	size_t waiting;      /* closed bins that could not be written there yet */
	size_t ledger;       /* clients remembered */
	size_t swarms;       /* the open bin began with */
	uint64_t backwards;  /* times the clock went back */
};
struct accounting_stats accounting_stats(struct accounting *a); /* any thread */
