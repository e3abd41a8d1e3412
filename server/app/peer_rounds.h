/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The tracker's live peers as a set, again and again: walked in slices, a round a minute, and while they
 * are few, a round a second. At the end of a round the set is given to the collector of this daemon, if
 * there is one, and now and then written to a file for a collector that is a process of its own.
 *
 * The file is replaced whole, for the owner and his group to read (peer_set_export()).
 *
 * Threading: the clock's thread.
 */

#include "common/swarm/swarm.h"
#include "server/collector/peer_set.h"

struct peer_rounds {
	struct swarm_store *swarms;
	unsigned shards; /* that it has */
	uint64_t secret;
	const char *file;                                /* "": none */
	void (*take)(void *ctx, struct peer_set *peers); /* owns them from then on */
	void *ctx;

	/* The next set. */
	struct peer_set *peers;
	struct swarm_sweep walk;
	bool few;         /* a round is a matter of milliseconds */
	int64_t write_at; /* unix seconds */
	bool failing;     /* to write; said so already */
};

/* The upper part is set, the rest zero. Once a second. */
void peer_rounds_tick(struct peer_rounds *r, int64_t now);
void peer_rounds_done(struct peer_rounds *r);

/* A path as what disk.h wants; false: it names no file. */
struct peer_rounds_path {
	char dir[256], name[256];
};
bool peer_rounds_split(const char *path, struct peer_rounds_path *out);
