/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The last counters of every (client, swarm) that has moved bytes, and what the next announce adds to
 * them.
 *
 *   started, or not known       a baseline: the announced value, no delta
 *   known, not in the ledger    all it announced until now was zero: the whole counter
 *   a counter fell              the client restarted: a baseline
 *   silent for LEDGER_IDLE      a baseline: its bytes belong to bins long closed
 *   equal to what the same client said of another swarm, not both zero, within
 *   LEDGER_TWIN                 a hybrid torrent's twin (BEP 52): remembered, no delta
 *   faster than the cap         cut to the cap times the seconds since the last announce
 *   stopped                     its delta is taken, the client forgotten
 *
 * Most peers of a swarm have moved nothing since they came, and have no entry: that the swarm store
 * knows them is memory enough. So "known" must be said of just the client that `client` is a hash of.
 * An entry that was lost would make its client look as if it had moved nothing. Therefore the ledger
 * remembers the last announce of whoever was displaced, and a ledger that begins without its file when
 * it began; who has not been heard of since then gets a baseline. Bytes may be missed, none invented.
 *
 * Open addressing, at most three quarters full: 43 to 64 bytes for an entry, some more for twins. A
 * full shard displaces the longest silent of those it looks at, so memory is bounded, and a flood of
 * invented clients displaces the silent ones first.
 *
 * Threading: any; shards by client, one lock each.
 */

#include "common/base/cursor.h"
#include "common/base/text.h"
#include "common/codec/announce.h"

enum { LEDGER_IDLE = 3 * 3600, LEDGER_TWIN = 15 * 60 };

struct ledger;

/*
 * For about so many clients. `lost`: whoever announced until then, in unix seconds, may have had an
 * entry in a ledger before this one; 0: there was none. NULL when out of memory.
 */
struct ledger *ledger_new(size_t clients, int64_t lost);
void ledger_free(struct ledger *l); /* NULL is fine */

struct ledger_note {
	uint64_t client, swarm; /* keyed hashes */
	bool known;             /* the swarm store had it before this announce */
	uint32_t silent;        /* then the seconds since its last one */
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
	unsigned visits;  /* earlier announces of this session, at most 255; 1 may stand for more */
	uint32_t elapsed; /* seconds since the last of them */
};

struct ledger_delta ledger_update(struct ledger *l, const struct ledger_note *n);

/* A little before ledger_update(), when other work is left to do meanwhile. */
void ledger_prefetch(const struct ledger *l, uint64_t client, uint64_t swarm);

/*
 * Forgets who was silent for LEDGER_IDLE in one part of `parts`, and gives back memory; call with
 * part = 0, 1, ... One shard is locked at a time.
 */
void ledger_expire(struct ledger *l, unsigned part, unsigned parts, int64_t now);

size_t ledger_count(const struct ledger *l); /* may be a little old */

/* All of it as bytes, for ledger_file.h; asks memory of `out` only. */
void ledger_export(struct ledger *l, struct text *out);

/*
 * Back from bytes into an empty ledger, but for who has been silent too long by `now`. It may be of
 * another size; then nobody was lost before it. ERR_MALFORMED: no bytes of ours; what came before the
 * place stays, and whoever is not among it may have been lost.
 */
enum err ledger_import(struct ledger *l, struct reader *r, int64_t now) must_check;
