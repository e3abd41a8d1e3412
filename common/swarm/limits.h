/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Who may come in, and who has to go for that; the rules are at enum swarm_limit. Private to
 * common/swarm. */

#include "common/swarm/store.h"

enum err limits_init(struct swarm_store *s) must_check;
size_t limits_bytes(const struct swarm_store *s);

/* A record with this endpoint came (+1) or went (-1). */
void limits_count(struct swarm_store *s, const uint8_t *endpoint, bool wide, int by);

/* Under the limits of its address and prefix, or somebody from there has gone. */
bool limits_admit(struct swarm_visit *v, const struct swarm_client *c);
/* Somebody has gone, from this shard or another. */
bool limits_make_room(struct swarm_visit *v);
/* A swarm of this shard has gone. */
bool limits_forget_swarm(struct swarm_visit *v);
