/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The swarms in a file, so that a restart goes on where the daemon was.
 *
 * "P4PSWRM2", the unix time of writing, the number of shards, then each shard's export behind its
 * size; a BLAKE2b checksum of all that at the end.
 */

#include "common/swarm/swarm.h"

/* `now`: the swarm store's clock; `unix_now`: the wall clock. */
enum err swarm_file_save(struct swarm_store *s, unsigned shards, const char *dir, uint32_t now,
                         int64_t unix_now, struct fault *fault) must_check;

/*
 * ERR_NOT_FOUND: no file, which is fine at a first start. ERR_MALFORMED: damaged; what could be read
 * before the damage is kept. Peers whose time ran out while the daemon was down are not.
 */
enum err swarm_file_load(struct swarm_store *s, const char *dir, uint32_t now, int64_t unix_now,
                         struct fault *fault) must_check;
