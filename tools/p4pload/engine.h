/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The engine: decides who asks what and when, keeps requests in flight and books their answers. How
 * they travel is a wire's business (wire.h).
 *
 * A run has two phases. Every client announces (--warm times; by UDP it connects first); then the clock
 * starts and random clients announce, connect anew and scrape in the shares that were asked for. A
 * client has one request in flight at a time.
 *
 * A request in flight has a slot. In an open loop (--rate) a request has a due time; it may leave late
 * when the window is full, and its latency counts from the due time.
 *
 * Threading: one thread. Ownership: engine_free().
 */

#include "tools/p4pload/tally.h"

struct engine;

/*
 * ERR_DENIED: an address is not of this machine. ERR_NOT_FOUND: no process --pid that we may look into.
 * ERR_SYSTEM: no socket. ERR_NOMEM. Borrows `p`.
 */
enum err engine_new(struct population *p, struct engine **out, struct fault *fault) must_check;
void engine_free(struct engine *e); /* NULL is fine */

/*
 * Runs both phases. ERR_AWAY: the tracker did not let every client in; ERR_NOT_FOUND: the process
 * --pid has ended. The tally (all zero at first; the caller's to tally_done()) is of the second
 * phase, but for `rss_...`.
 */
enum err engine_run(struct engine *e, struct tally *out, struct fault *fault) must_check;

/* ---- for wires ---- */

enum take {
	TAKE_OK,
	TAKE_LATER, /* nothing is due, or the window is full */
	TAKE_NOBODY /* no client of this class has anything to ask; another class's may */
};

/*
 * The next request of a client whose number is `class` modulo the wire's classes, into a slot. It is in
 * flight until it is answered, lost or given back (because it never left).
 */
enum take engine_take(struct engine *e, uint32_t class, uint32_t *slot);
const struct request *engine_request(const struct engine *e, uint32_t slot);
void engine_give_back(struct engine *e, uint32_t slot);
void engine_answer(struct engine *e, uint32_t slot, const struct answer *a);
void engine_lost(struct engine *e, uint32_t slot);

/* The slot in flight whose request has this transaction id, or false: answered or given up. */
bool engine_find(const struct engine *e, uint32_t transaction, uint32_t *slot);

void engine_read_clock(struct engine *e); /* answers count from the last reading */
struct tally *engine_tally(struct engine *e);
