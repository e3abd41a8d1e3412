/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The last counters of every (client, swarm), and what the next announce adds to them.
 *
 *   started, or never seen      a baseline: the announced value, no delta
 *   a counter fell              the client restarted: a baseline
 *   silent for LEDGER_IDLE      a baseline: its bytes belong to bins long closed
 *   equal to what the same client said of another swarm, not both zero, within
 *   LEDGER_TWIN                 a hybrid torrent's twin (BEP 52): remembered, no delta
 *   faster than the cap         cut to the cap times the seconds since the last announce
 *   stopped                     its delta is taken, the client forgotten
 *
 * A client is a keyed hash of its peer id, key and port; the address may change. Sets of LEDGER_WAYS
 * entries; in a full set the one not heard of for longest goes, so memory is bounded and a flood of
 * invented clients displaces the silent ones first.
 *
 * Threading: any; shards by client, one lock each.
 */

#include "common/base/cursor.h"
#include "common/base/text.h"
#include "common/codec/announce.h"

enum { LEDGER_WAYS = 16, LEDGER_IDLE = 3 * 3600, LEDGER_TWIN = 15 * 60 };

struct ledger;

struct ledger *ledger_new(size_t clients); /* NULL when out of memory */
void ledger_free(struct ledger *l);        /* NULL is fine */

struct ledger_note {
	uint64_t client, swarm; /* keyed hashes */
	uint64_t up, down;      /* as announced */
	enum peer_event event;
	uint64_t left;             /* bytes it still wants */
	uint64_t up_max, down_max; /* bytes per second; 0: no cap */
	int64_t now;
};

enum ledger_verdict { LEDGER_COUNTED, LEDGER_BASELINE, LEDGER_RESTARTED, LEDGER_WAS_TWIN };

struct ledger_delta {
	uint64_t up, down; /* bytes to account */
	enum ledger_verdict verdict;
	bool cut;
	float need; /* what it still wants of what it wanted first; 1 for a seed from the start */
	unsigned visits;  /* earlier announces of this session, at most 255 */
	uint32_t elapsed; /* seconds since the last of them */
};

struct ledger_delta ledger_update(struct ledger *l, const struct ledger_note *n);

/* Forgets who was silent for LEDGER_IDLE in one part of `parts`; call with part = 0, 1, ... */
void ledger_expire(struct ledger *l, unsigned part, unsigned parts, int64_t now);

size_t ledger_count(struct ledger *l); /* may be a little old */

/* All of it as bytes, for ledger_file.h; asks memory of `out` only. */
void ledger_export(struct ledger *l, struct text *out);

/*
 * Back from bytes, but for who has been silent too long by `now`. The tables may be of another size.
 * ERR_MALFORMED: no bytes of ours; what came before the place stays.
 */
enum err ledger_import(struct ledger *l, struct reader *r, int64_t now) must_check;
