/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The list of a reply: common/choice says who is in it, and this puts it where the reply wants it.
 * Private to server/tracker.
 */

#include "server/tracker/worker.h"

/* One client in one announce. */
struct asker {
	struct swarm_asker swarm;
	struct map_place info;
	uint64_t client, torrent; /* keyed hashes */
	const struct steer_rules *rules;
	uint32_t place;
	bool mapped;     /* stands in a PID */
	bool steered;    /* and its rules care */
	bool bogon;      /* counted, never handed out */
	bool with_ids;   /* it reads the peer ids of its list */
	bool known;      /* was in the swarm already */
	uint32_t silent; /* and has not announced for so many seconds */
	bool completed;  /* has everything by this announce, and had not before */
	struct accounting_progress progress;
};

/*
 * Two steps of an announce. The asker's swarm is locked, with its places brought up to date; with `create` it
 * is made when it is not there. And how many peers the asker shall get.
 */
enum err announce_enter(struct tracker_worker *w, const struct ask *ask, bool create,
                        struct asker *asker, struct swarm_visit *visit) must_check;
size_t announce_wanted(const struct tracker_settings *s, const struct ask *ask);

/* Brings nearer what choose_peers() will read first, while the asker is put into its swarm. */
void choose_prefetch(const struct tracker_worker *w, const struct swarm_visit *visit,
                     const struct asker *asker);

/*
 * Appends up to `want` peers for `who` to w->compact[], or where that is NULL to w->peers, and what they
 * were chosen from to w->handed, if accounting wants to know it of this announce.
 */
void choose_peers(struct tracker_worker *w, const struct swarm_visit *visit,
                  const struct asker *asker, const struct swarm_asker *who, size_t want);

/* The asker stopped, or stands in `place` no more: whom it met there by this identity, of one family, it
 * meets no longer. */
void choose_leave(struct tracker_worker *w, const struct swarm_visit *visit,
                  const struct asker *asker, uint32_t place, uint64_t identity);
