/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The swarms, and who met whom under `bridge`, in files, so that a restart goes on where the daemon was:
 * clients keep the connections that they were given before, and those still count.
 *
 * "swarms" and "bridges" each have eight letters of their own, the unix time of writing, the number of
 * shards, then each shard's export behind its size; a BLAKE2b checksum of all that at the end.
 */

#include "common/bridge/bridge.h"
#include "common/swarm/swarm.h"

struct snapshot_files {
	const char *dir;
	struct swarm_store *swarms;
	struct bridge_store *bridges;
	unsigned shards; /* of both */
};

/* `now`: the stores' clock; `unix_now`: the wall clock. The fault names the file. */
enum err snapshot_files_save(const struct snapshot_files *f, uint32_t now, int64_t unix_now,
                             struct fault *fault) must_check;

/*
 * ERR_NOT_FOUND: no swarms, which is fine at a first start. ERR_MALFORMED: damaged; what could be read
 * before the damage is kept. What ran out while the daemon was down is not. Before any thread uses the
 * stores.
 */
enum err snapshot_files_load(const struct snapshot_files *f, uint32_t now, int64_t unix_now,
                             struct fault *fault) must_check;
