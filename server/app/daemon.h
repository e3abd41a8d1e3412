/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * All modules of the running daemon, in the order in which they are built and, reversed, ended.
 */

#include "server/app/args.h"

struct daemon;

/* Nothing stays behind on failure but the state folder. `args` must outlive the daemon. */
enum err daemon_start(const struct args *args, const struct config *config, struct daemon **out,
                      struct fault *fault) must_check;

/* Runs signals and the one-second clock until SIGTERM or SIGINT. */
void daemon_serve(struct daemon *d);

/* Stops the listeners, closes the books, writes the swarm snapshot, frees all. */
void daemon_stop(struct daemon *d);
