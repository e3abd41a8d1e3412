/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The flow collector in the daemon: its socket, the thread that writes twice a second what has changed
 * (kill -9 costs what it has not written yet), and the live peers that make a flow p2p: of the tracker
 * in this daemon, or else from the file that its own daemon writes (peer_file.h). Without either, or
 * while that file is old, nobody knows what is p2p, and bins say so.
 *
 * Threading: from the thread that builds and ends the daemon, which is the clock's.
 */

#include "server/collector/collector.h"
#include "server/config/config.h"

struct collecting;

struct collecting_options {
	const struct config *config;
	struct map_office *office;
	const struct geo *geo;
	bool tracker; /* is in this daemon: collecting_peers() will be called */
	int64_t now;
};

/*
 * Reads the checkpoints and begins to write; does not listen yet. Logs a damaged one, and, once, when the
 * disk takes nothing and when it does again.
 */
enum err collecting_new(const struct collecting_options *options, struct collecting **out,
                        struct fault *fault) must_check;
void collecting_free(struct collecting *c); /* NULL is fine */

enum err collecting_listen(struct collecting *c, struct fault *fault) must_check;
/* Somebody has the port: ticks try it again, now and then. */
void collecting_listen_later(struct collecting *c);
uint16_t collecting_port(const struct collecting *c); /* 0: it does not listen */

/* Once a second, for the port and the peers. */
void collecting_tick(struct collecting *c, int64_t now);

/* The live peers from now on; takes them. */
void collecting_peers(struct collecting *c, struct peer_set *peers);

/* Stops listening and writes what is open. */
void collecting_end(struct collecting *c, int64_t now);

struct collector *collecting_collector(struct collecting *c);

/* GET /v1/exporters: those of a provider, NULL: all. ERR_NOMEM. */
enum err collecting_list(struct collecting *c, const char *provider, struct text *out) must_check;
