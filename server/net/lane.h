/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One thread of an HTTP server, from request to reply. Private to server/net; all that is
 * libmicrohttpd's is behind it.
 *
 * Each lane is a libmicrohttpd daemon of its own and the thread that runs it, and all of a server's
 * accept from one socket: so a request knows its thread, and an idle thread takes the connection that
 * a busy one cannot. Nobody else touches the daemon: the thread gets its orders through a pipe.
 *
 * Threading: lane_adopt() from any, all others from one thread.
 */

#include "server/net/http.h"
#include "server/net/listen.h"
#include "server/net/quota.h"
#include "server/net/watch.h"

#include <pthread.h>

/* What the lanes of a server share. */
struct exchange {
	struct http_options options;
	struct quota *quota;
	atomic_bool stopping; /* no connection is kept any more */
	atomic_size_t bodies; /* bytes that were promised to them */
	atomic_uint_fast64_t refused;
};

struct lane {
	struct exchange *exchange;
	unsigned thread;
	bool runs;
	bool asks; /* clients for a certificate of theirs; as it was when the lane was started */
	atomic_int running; /* requests between their first line and their last byte */
	pthread_t id;
	int orders[2]; /* a pipe; when its writing end is closed, the thread ends */
	struct MHD_Daemon *daemon;
	bool left;      /* a connection has ended in this turn */
	int64_t now;    /* seconds of a clock that does not jump, at the beginning of this turn */
	int64_t looked; /* at who is late */
	size_t connections; /* open now */
	struct watch watch; /* those of them that are waited for */
	size_t n_waiting;
	struct link *waiting[HTTP_FORESEEN_MAX]; /* handled in the next turn */
};

/* All that can fail. `listener` stays the caller's; nothing is accepted from it before lane_begin(). */
enum err lane_start(struct lane *lane, int listener, struct fault *fault) must_check;
void lane_begin(struct lane *lane);
void lane_quiesce(struct lane *lane); /* accepts no more */
void lane_stop(struct lane *lane);    /* and ends its connections; fine when it does not run */

/* Serves a connection that somebody else accepted; closes it in the end, whatever happens. */
void lane_adopt(struct lane *lane, int fd, const struct net_place *from);
