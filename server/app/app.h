/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The daemon: builds the modules in order, hands them to each other, reloads, shuts down.
 *
 * Threads: the main thread runs the signals and the one-second clock (libevent); UDP workers and
 * HTTP threads belong to server/net; one more feeds the store (feeder.h).
 */

/* Exit status: 0 = ended as asked, 1 = could not start, 2 = wrong arguments or configuration. */
int app_run(int argc, char **argv);
