/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Keys in the announce URL: "/PASSKEY/announce", "/announce/PASSKEY", "/announce?passkey=PASSKEY",
 * over UDP in the URL data of BEP 41. Private to server/tracker.
 *
 * A set of keys is immutable; what a key is being used for lives beside it, under a lock of its own,
 * and goes on in the next set. A key with a limit of peers has a place for each, which the peer takes
 * with its first announce and loses when it stops or stays silent: so the limit is exact, memory is
 * bounded by the sum of the limits, and a restart begins with empty places.
 *
 * Threading: any.
 */

#include "server/tracker/tracker.h"

struct passkeys;

/*
 * With what the keys of `old` (or NULL) are used for, and one hold on the set. NULL when out of memory.
 * NULL may be held and let go of.
 */
struct passkeys *passkeys_new(const struct tracker_passkey *keys, size_t n,
                              const struct passkeys *old);
struct passkeys *passkeys_hold(struct passkeys *set);
void passkeys_let_go(struct passkeys *set);

/*
 * The passkey of a URL: the value of `passkey` or `torrent_pass` in the query, else what can be one in
 * the path, 16 to 64 letters, digits, '-' and '_'. False when there is none. A path ends at its '?'.
 */
bool passkeys_in_url(const char *path, const char *query, const char **key, size_t *size);

enum passkeys_verdict {
	PASSKEYS_GOOD,
	PASSKEYS_UNKNOWN,
	PASSKEYS_PEERS, /* as many as it may have */
	PASSKEYS_RATE   /* more announces per minute than it may */
};

/* Only whether there is such a key. */
bool passkeys_have(const struct passkeys *set, const char *key, size_t size);

/*
 * An announce with a key. It goes on being a peer until `now_ms` + `seconds`; one that stops is always
 * good.
 */
enum passkeys_verdict passkeys_announce(const struct passkeys *set, const char *key, size_t size,
                                        const struct announce *a, uint64_t now_ms,
                                        uint32_t seconds);

/* ERR_NOT_FOUND. */
enum err passkeys_use(const struct passkeys *set, const uint8_t hash[static PASSKEY_HASH_SIZE],
                      uint64_t now_ms, struct tracker_passkey_use *out) must_check;
