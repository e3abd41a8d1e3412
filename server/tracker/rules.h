/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What may change while the tracker runs: its settings, and which torrents and clients it
 * serves.
 *
 * A book is immutable. Its office puts a new one in force; workers hold leases and renew them once
 * per batch, for one atomic load while nothing has changed (as maps do, see common/map/publish.h).
 * The lists, which may be large, are shared by the books that differ in settings only.
 *
 * Ownership: a book lives until the office and the last lease have let go of it. Threading: an
 * office is for all threads; a lease belongs to one.
 */

#include "server/tracker/tracker.h"

struct access_lists;
struct passkeys;

struct rules_book {
	struct tracker_settings settings;
	struct access_lists *access; /* NULL: everything is served */
	struct passkeys *passkeys;   /* NULL: there are none */
	atomic_uint holders;
};

struct rules_office;

struct rules_lease {
	struct rules_book *book;
	uint64_t number;
};

/* Open to all. NULL when out of memory. */
struct rules_office *rules_office_new(const struct tracker_settings *settings);
void rules_office_free(struct rules_office *office); /* NULL is fine; leases must have ended */

/* All copy; on ERR_NOMEM the old book stays in force. Passkeys: one thread at a time. */
enum err rules_settings(struct rules_office *office,
                        const struct tracker_settings *settings) must_check;
enum err rules_access(struct rules_office *office, const struct tracker_access *access) must_check;

enum err rules_passkeys(struct rules_office *office, const struct tracker_passkey *keys,
                        size_t n) must_check;

const struct rules_book *rules_renew(struct rules_office *office, struct rules_lease *lease);
void rules_end(struct rules_lease *lease);

enum rules_verdict {
	RULES_ADMITTED,
	RULES_UNLISTED, /* the info-hash is not among the allowed */
	RULES_DENIED,   /* the info-hash is among the denied */
	RULES_CLIENT    /* the peer id begins as a denied one */
};
enum rules_verdict rules_judge(const struct rules_book *book,
                               const uint8_t info_hash[static INFO_HASH_SIZE],
                               const uint8_t peer_id[static PEER_ID_SIZE]);

bool rules_is_proxy(const struct rules_book *book, const struct ip_addr *addr);
