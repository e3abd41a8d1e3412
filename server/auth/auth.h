/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Who asks: tokens and passkeys. What they may do is in rights.h.
 *
 * Tokens are 32 random bytes, shown once; only their unkeyed BLAKE2b hash is stored (they are
 * random, so a slow hash would protect nothing). The admin token of the state folder works without
 * a database, so that an operator is never locked out; it is compared in constant time. Others are
 * looked for by their hash, whose bits nobody can choose, so that how long it takes tells nothing.
 * Every request asks the database: what was revoked, has expired, lost its role or was rotated on
 * one daemon is so at once on all.
 *
 * Threading: any thread.
 */

#include "server/auth/failures.h"
#include "server/auth/rights.h"

struct auth;

/*
 * Reads `admin_token_file`, or makes it with a new token (mode 0600). A file that strangers can read
 * (ERR_DENIED) or that holds no token (ERR_MALFORMED) is refused, with a fault.
 */
enum err auth_new(struct store *store, const char *admin_token_file, struct auth **out,
                  struct fault *fault) must_check;
void auth_free(struct auth *a); /* NULL is fine */

struct auth_refusal {
	char why[128];                    /* for whoever asked */
	struct failures_verdict failures; /* ERR_BUSY: how long to wait */
};

/*
 * `header` is the Authorization header, or NULL. ERR_DENIED, with *refusal: no token, or one that is
 * not known, revoked, replaced or expired; what does not look like a token of ours never bothers the
 * database. ERR_BUSY, with *refusal: the same, and too many wrong tokens came from there (failures.h).
 * ERR_AWAY: the token is not the admin's and the database cannot be asked.
 */
enum err auth_who(struct auth *a, const char *header, const struct ip_addr *from,
                  struct auth_who *out, struct auth_refusal *refusal) must_check;

/*
 * Makes a token; `text` gets it, to be shown once. ERR_EXISTS: the name is taken ("admin" always is).
 * ERR_RANGE: no name, an admin with a provider, or another role without one.
 */
enum { AUTH_TOKEN_SIZE = 72 };
enum err auth_token_new(struct auth *a, const struct store_token *about, const char *author,
                        char text[static AUTH_TOKEN_SIZE], uint64_t *id) must_check;

/* Another secret for the token `name`; as store_token_rotate(). */
enum err auth_token_rotate(struct auth *a, const char *name, uint32_t grace_seconds,
                           int64_t expires, const char *author, char text[static AUTH_TOKEN_SIZE],
                           struct store_token *out) must_check;

/*
 * Makes a passkey for announce URLs: 32 hexadecimal digits, shown once, whose unkeyed BLAKE2b hash is
 * stored; or, with `own`, takes over one of another tracker (16 to 64 letters, digits, '-' or '_').
 * ERR_EXISTS: the name or the key is taken. ERR_RANGE: no name, or `own` is no such key.
 */
enum { AUTH_PASSKEY_SIZE = 65 };
enum err auth_passkey_new(struct auth *a, struct store_passkey *about, const char *own,
                          const char *author, char text[static AUTH_PASSKEY_SIZE]) must_check;
