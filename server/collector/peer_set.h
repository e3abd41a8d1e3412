/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The tracker's live peers as a set of (address, port): what makes a flow p2p.
 *
 * 32 bits of a keyed hash each, at most three quarters full: 6 to 11 bytes for a peer. Somebody else is
 * taken for a peer about twice in a thousand million times. A set is filled, then only asked: a new one
 * takes its place.
 *
 * Threading: one fills; many ask once nobody fills.
 */

#include "common/base/text.h"
#include "common/ip/addr.h"

struct peer_set;

/* For at most so many. NULL: no memory. */
struct peer_set *peer_set_new(size_t peers, uint64_t secret);
void peer_set_free(struct peer_set *s); /* NULL is fine */

/* Beyond its room a newcomer is left out. */
void peer_set_add(struct peer_set *s, const struct ip_addr *address, uint16_t port);

bool peer_set_has(const struct peer_set *s, const struct ip_addr *address, uint16_t port);

size_t peer_set_count(const struct peer_set *s);
size_t peer_set_left_out(const struct peer_set *s);

/*
 * As bytes, for another process on this machine. With them and an address it can be tried whether somebody
 * is a peer, so they are kept as closely as the peers are. `made`: unix seconds.
 */
void peer_set_export(const struct peer_set *s, int64_t made, struct text *out);

/* Back from bytes. ERR_TRUNCATED, ERR_MALFORMED, ERR_NOMEM. */
enum err peer_set_import(const void *data, size_t size, struct peer_set **out,
                         int64_t *made) must_check;
