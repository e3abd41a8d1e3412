/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The live peers as another process, the tracker's, wrote them to a file (peer_rounds.h). It is read when it
 * has changed. An old file tells neither who is a peer nor who is none, so then nobody is known.
 *
 * Threading: one thread. Errors: logged, once each.
 */

#include "common/base/err.h"
#include "server/collector/peer_set.h"

#include <sys/stat.h>
#include <time.h>

/* How old a set in a file may be, in seconds, before it says nothing any more. */
enum { PEER_FILE_OLD = 300 };

struct peer_file {
	const char *path;

	/* The rest is zero at first. */
	int64_t look_at; /* unix seconds */
	/* Of the file that was read last. */
	struct timespec changed;
	ino_t inode;
	off_t size;
	int64_t made; /* unix seconds; 0: it is none of ours */
	bool in_force;
	enum err said;
};

/* Once a second. true: *out is the set from now on, the caller's; NULL: nobody is known. */
bool peer_file_look(struct peer_file *f, int64_t now, struct peer_set **out);
