/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Who may upload and read.
 *
 * Tokens are 32 random bytes, shown once; only their unkeyed BLAKE2b hash is stored (they are
 * random, so a slow hash would protect nothing). The admin token of the state folder works without
 * a database, so that an operator is never locked out.
 *
 *   admin      everything
 *   operator   uploads, activates and reads one provider's documents and reports, and posts its
 *              counters
 *   analyst    reads one provider's documents and reports, and posts its counters
 *
 * Threading: any thread.
 */

#include "server/store/store.h"

enum auth_right {
	AUTH_READ,    /* documents, versions, reports of a provider (NULL: of all) */
	AUTH_SAMPLES, /* post counters of a provider */
	AUTH_UPLOAD,  /* documents and activations of a provider */
	AUTH_ADMIN    /* tokens, access list, audit */
};

struct auth;

/*
 * Reads `admin_token_file`, or makes it with a new token (mode 0600). A file that strangers can read
 * (ERR_DENIED) or that holds no token (ERR_MALFORMED) is refused, with a fault.
 */
enum err auth_new(struct store *store, const char *admin_token_file, struct auth **out,
                  struct fault *fault) must_check;
void auth_free(struct auth *a); /* NULL is fine */

struct auth_who {
	char name[65]; /* "admin" or the token's */
	enum store_role role;
	char provider[65]; /* "" for admin: all */
};

/*
 * `header` is the Authorization header, or NULL. ERR_DENIED: no or an unknown token; what does not
 * look like a token of ours never bothers the database. ERR_AWAY: the token is not the admin's and
 * the database cannot be asked.
 */
enum err auth_who(struct auth *a, const char *header, struct auth_who *out) must_check;

/* May `who` do that to `provider` (NULL: to all)? */
bool auth_may(const struct auth_who *who, enum auth_right right, const char *provider);

/*
 * Makes a token; `text` gets it, to be shown once. ERR_EXISTS: the name is taken ("admin" always is).
 * ERR_RANGE: no name, an admin with a provider, or another role without one.
 */
enum { AUTH_TOKEN_SIZE = 72 };
enum err auth_token_new(struct auth *a, const struct store_token *about, const char *author,
                        char text[static AUTH_TOKEN_SIZE], uint64_t *id) must_check;

/*
 * Makes a passkey for announce URLs: 32 hexadecimal digits, shown once, whose unkeyed BLAKE2b hash is
 * stored; or, with `own`, takes over one of another tracker (16 to 64 letters, digits, '-' or '_').
 * ERR_EXISTS: the name or the key is taken. ERR_RANGE: no name, or `own` is no such key.
 */
enum { AUTH_PASSKEY_SIZE = 65 };
enum err auth_passkey_new(struct auth *a, struct store_passkey *about, const char *own,
                          const char *author, char text[static AUTH_PASSKEY_SIZE]) must_check;
