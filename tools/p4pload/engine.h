/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The engine: keeps requests in flight and books their answers.
 *
 * A run has three phases. Every client connects; every client announces (--warm times); then the
 * clock starts and random clients announce, connect anew and scrape in the shares that were asked for.
 *
 * A request in flight has a slot, and the slot's number is in its transaction id. In an open loop
 * (--rate) a request has a due time; it may leave late when the window is full, and its latency
 * counts from the due time.
 *
 * Source addresses are set on each packet (IP_PKTINFO), so that a few sockets speak for thousands
 * of addresses and still send and receive in batches.
 *
 * Threading: one thread. Ownership: engine_free().
 */

#include "tools/p4pload/histogram.h"
#include "tools/p4pload/packet.h"

struct engine;

struct tally {
	uint64_t ns;                     /* length of the measured phase */
	uint64_t cpu_ns;                 /* of the tracker meanwhile; 0: not measured */
	uint64_t sent[UDP_SCRAPE + 1];   /* by kind */
	uint64_t answered;               /* by the right transaction, in time */
	uint64_t verdicts[REPLY_KINDS_]; /* of what was answered */
	uint64_t lost;                   /* no answer within a second */
	uint64_t late;                   /* an answer to a request given up, or a second one */
	uint64_t foreign;                /* a packet from somebody else */
	uint64_t peers;                  /* listed in all answers */
	struct histogram latency;
	/* Resident memory of the tracker in bytes, 0: not measured: before it met the first client,
	 * when all were in, at the end. */
	uint64_t rss_empty, rss_full, rss_end;
};

/* ERR_SYSTEM: no socket. ERR_NOMEM. Borrows `p`. */
enum err engine_new(struct population *p, struct engine **out, struct fault *fault) must_check;
void engine_free(struct engine *e); /* NULL is fine */

/*
 * Runs the three phases. ERR_AWAY: the tracker did not let every client in; ERR_NOT_FOUND: no
 * process --pid. The tally is of the third phase, but for `rss_...`.
 */
enum err engine_run(struct engine *e, struct tally *out, struct fault *fault) must_check;
