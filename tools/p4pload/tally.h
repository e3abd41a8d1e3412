/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a run came to: counts, latencies, and a row for every second of it.
 *
 * A latency counts from the moment a request was due (in a closed loop: when it left), so that a stall
 * of the tracker is seen by all the requests that it delayed, not by the one that met it. `service`
 * counts from when the request left, for comparison. A row holds the requests due in its second.
 *
 * Threading: one thread. Ownership: tally_done().
 */

#include "tools/p4pload/check.h"
#include "tools/p4pload/histogram.h"

struct second {
	uint64_t answered, lost;
	uint64_t p50, p99, p999, max; /* nanoseconds */
};

struct tally {
	uint64_t ns;                     /* length of the measured phase */
	uint64_t started_ms;             /* when the measured phase began: Unix time */
	uint64_t cpu_ns;                 /* of the tracker meanwhile; 0: not measured */
	uint64_t own_cpu_ns;             /* of this process meanwhile */
	uint64_t sent[UDP_SCRAPE + 1];   /* by kind */
	uint64_t unsent;                 /* due in time, but the window was full till the end */
	uint64_t answered;               /* by the right transaction, in time */
	uint64_t verdicts[REPLY_KINDS_]; /* of what was answered */
	uint64_t announced;              /* announces answered well-formed */
	uint64_t lost;                   /* no answer in time, or a broken connection */
	uint64_t late;                   /* an answer to a request given up, or a second one */
	uint64_t foreign;                /* a packet from somebody else */
	uint64_t reconnects;             /* HTTP connections that the tracker closed unasked */
	uint64_t peers;                  /* listed in all answers */
	struct histogram latency, service;
	struct second *seconds; /* NULL: not wanted */
	size_t n_seconds;
	/* Resident memory of the tracker in bytes, 0: not measured: before it met the first client,
	 * when all were in, at the end. */
	uint64_t rss_empty, rss_full, rss_end;
	/* Histograms of the newest seconds; slot n belongs to second owners[n]. */
	struct histogram *open;
	uint64_t *owners;
	size_t n_open;
};

/* All zero, with rows for `seconds`; answers come at the most `patience` seconds late. ERR_NOMEM. */
enum err tally_init(struct tally *t, uint64_t seconds, uint64_t patience) must_check;
void tally_done(struct tally *t);

/* Times in nanoseconds; `due` since the beginning. */
void tally_answered(struct tally *t, uint64_t due, uint64_t latency, uint64_t service);
void tally_lost(struct tally *t, uint64_t due);
void tally_close(struct tally *t); /* completes the rows */
