/* SPDX-License-Identifier: Apache-2.0 */
#include "server/auth/auth.h"

#include "server/disk/disk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>

#include <sodium.h>

enum {
	HASH_SIZE = 32,
	SECRET_SIZE = 32,
	SECRET_DIGITS = 64,
	ADMIN_MIN = 16, /* an operator may write a token of their own */
	ADMIN_MAX = 200,
	PASSKEY_MIN = 16,
	PASSKEY_SECRET_SIZE = 16,
	LAST_USE_SECONDS = 60
};
#define TOKEN_PREFIX "p4pd_" /* lets secret scanners recognise a leaked one */
_Static_assert(sizeof(TOKEN_PREFIX) + SECRET_DIGITS <= AUTH_TOKEN_SIZE, "a token fits");

struct auth {
	struct store *store;
	uint8_t admin[HASH_SIZE];
	struct failures *failures;
};

static void hash_token(const char *text, size_t size, uint8_t hash[static HASH_SIZE])
{
	must(crypto_generichash(hash, HASH_SIZE, (const unsigned char *)text, size, NULL, 0) == 0);
}

static void make_token(char text[static AUTH_TOKEN_SIZE])
{
	uint8_t secret[SECRET_SIZE];
	randombytes_buf(secret, sizeof(secret));
	memcpy(text, TOKEN_PREFIX, sizeof(TOKEN_PREFIX));
	text_hex(secret, sizeof(secret), text + sizeof(TOKEN_PREFIX) - 1);
	sodium_memzero(secret, sizeof(secret));
}

/* Could it be one of ours? What cannot need not bother the database. */
static bool looks_like_token(const char *text)
{
	uint8_t secret[SECRET_SIZE];
	const size_t prefix = sizeof(TOKEN_PREFIX) - 1;
	return strncmp(text, TOKEN_PREFIX, prefix) == 0 &&
	       text_unhex(text + prefix, secret, sizeof(secret));
}

/* ---- the admin token's file ---- */

/* "var/admin.token" -> "var", "admin.token" */
static bool split_path(const char *path, char *dir, size_t room, const char **name)
{
	const char *slash = strrchr(path, '/');
	const char *start = slash == path ? "/" : slash != NULL ? path : ".";
	const size_t size = slash == NULL || slash == path ? 1 : (size_t)(slash - path);
	*name = slash != NULL ? slash + 1 : path;
	if (size >= room || **name == '\0')
		return false;
	memcpy(dir, start, size);
	dir[size] = '\0';
	return true;
}

static enum err check_mode(const char *path, struct fault *fault)
{
	struct stat st;
	if (stat(path, &st) != 0)
		return fault_set(fault, ERR_SYSTEM, path, "%s", strerror(errno));
	if ((st.st_mode & (S_IWGRP | S_IRWXO)) != 0)
		return fault_set(fault, ERR_DENIED, path,
		                 "the admin token may be read by its owner and group only; "
		                 "run chmod 600 on it");
	return ERR_OK;
}

/* Hashes the first word of the file, which must be all there is. */
static enum err use_token(const char *path, char *bytes, uint8_t hash[static HASH_SIZE],
                          struct fault *fault)
{
	const size_t size = strcspn(bytes, " \t\r\n");
	const size_t rest = strspn(bytes + size, " \t\r\n");
	if (size < ADMIN_MIN || size > ADMIN_MAX || bytes[size + rest] != '\0')
		return fault_set(
			fault, ERR_MALFORMED, path,
			"must hold one token of %d to %d characters; remove the file to get "
			"a new one",
			ADMIN_MIN, ADMIN_MAX);
	hash_token(bytes, size, hash);
	return ERR_OK;
}

static enum err load_admin(const char *path, uint8_t hash[static HASH_SIZE], struct fault *fault)
{
	char dir[4096], *bytes;
	const char *name;
	size_t size;
	if (!split_path(path, dir, sizeof(dir), &name))
		return fault_set(fault, ERR_RANGE, path, "must name a file for the admin token");

	enum err e = disk_read(dir, name, &bytes, &size, fault);
	if (e == ERR_NOT_FOUND) {
		char token[AUTH_TOKEN_SIZE + 1];
		make_token(token);
		const size_t length = strlen(token);
		memcpy(token + length, "\n", 2);
		e = disk_replace(dir, name, 0600, token, length + 1, fault);
		if (e == ERR_OK)
			hash_token(token, length, hash);
		sodium_memzero(token, sizeof(token));
		return e;
	}
	if (e != ERR_OK)
		return e;
	e = check_mode(path, fault);
	if (e == ERR_OK)
		e = use_token(path, bytes, hash, fault);
	sodium_memzero(bytes, size);
	free(bytes);
	return e;
}

enum err auth_new(struct store *store, const char *admin_token_file, struct auth **out,
                  struct fault *fault)
{
	if (sodium_init() < 0)
		return fault_set(fault, ERR_SYSTEM, "libsodium", "has no source of random numbers");
	struct auth *a = calloc(1, sizeof(*a));
	if (a == NULL)
		return fault_set(fault, ERR_NOMEM, admin_token_file, "out of memory");
	uint64_t secret;
	randombytes_buf(&secret, sizeof(secret));
	a->store = store;
	a->failures = failures_new(secret);
	if (a->failures == NULL) {
		auth_free(a);
		return fault_set(fault, ERR_NOMEM, admin_token_file, "out of memory");
	}
	const enum err e = load_admin(admin_token_file, a->admin, fault);
	if (e != ERR_OK) {
		auth_free(a);
		return e;
	}
	*out = a;
	return ERR_OK;
}

void auth_free(struct auth *a)
{
	if (a != NULL) {
		failures_free(a->failures);
		sodium_memzero(a, sizeof(*a));
	}
	free(a);
}

/* ---- who asks, and may they ---- */

/* The token of "Bearer TOKEN" (RFC 6750; the scheme without regard to case), NULL when it is none. */
static const char *bearer(const char *header)
{
	static const char scheme[] = "Bearer ";
	const size_t size = sizeof(scheme) - 1;
	if (header == NULL || strncasecmp(header, scheme, size) != 0)
		return NULL;
	const char *token = header + size + strspn(header + size, " ");
	const size_t length = strlen(token);
	return length >= ADMIN_MIN && length <= ADMIN_MAX ? token : NULL;
}

static enum err refuse(struct auth_refusal *refusal, const char *why)
{
	(void)snprintf(refusal->why, sizeof(refusal->why), "%s", why);
	return ERR_DENIED;
}

/* A guess, which counts; what was good once does not. */
static enum err unknown(struct auth *a, const struct ip_addr *from, struct auth_refusal *refusal)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	refusal->failures = failures_note(a->failures, from, (int64_t)t.tv_sec);
	if (refusal->failures.wait_seconds == 0)
		return refuse(refusal, "this token is not known");
	(void)refuse(refusal, "this token is not known, and too many such came from there; a "
	                      "right one works at once");
	return ERR_BUSY;
}

/* Whoever holds a secret that was good once may hear what became of it. */
static enum err judge(const struct store_token *t, enum store_secret what,
                      struct auth_refusal *refusal)
{
	char at[24];
	switch (what) {
	case STORE_VALID:
	case STORE_PREVIOUS:
		return ERR_OK;
	case STORE_REPLACED:
		return refuse(refusal, "this token was rotated: another one has its name now");
	case STORE_REVOKED:
		return refuse(refusal, "this token was revoked");
	case STORE_EXPIRED:
		break;
	}
	text_time_print(t->expires, at);
	(void)snprintf(refusal->why, sizeof(refusal->why),
	               "this token expired at %s; an admin can make it valid again", at);
	return ERR_DENIED;
}

static enum err look_up(struct auth *a, const uint8_t hash[static HASH_SIZE],
                        const struct ip_addr *from, struct auth_who *out,
                        struct auth_refusal *refusal)
{
	struct store_token found;
	enum store_secret what;
	enum err e = store_token_find(a->store, hash, &found, &what);
	if (e == ERR_NOT_FOUND)
		return unknown(a, from, refusal);
	if (e == ERR_OK)
		e = judge(&found, what, refusal);
	if (e != ERR_OK)
		return e;
	if ((int64_t)time(NULL) - found.last_used >= LAST_USE_SECONDS)
		store_token_used(a->store, &found);
	*out = (struct auth_who){ .role = found.role, .rotated = what == STORE_PREVIOUS };
	memcpy(out->name, found.name, sizeof(out->name));
	memcpy(out->provider, found.provider, sizeof(out->provider));
	return ERR_OK;
}

enum err auth_who(struct auth *a, const char *header, const struct ip_addr *from,
                  struct auth_who *out, struct auth_refusal *refusal)
{
	*refusal = (struct auth_refusal){ .why = "" };
	const char *token = bearer(header);
	if (header == NULL)
		return refuse(refusal, "a token is needed: Authorization: Bearer TOKEN");
	if (token == NULL)
		return unknown(a, from, refusal);

	uint8_t hash[HASH_SIZE];
	hash_token(token, strlen(token), hash);
	if (sodium_memcmp(hash, a->admin, HASH_SIZE) == 0) {
		*out = (struct auth_who){ .name = "admin", .role = STORE_ADMIN };
		return ERR_OK;
	}
	return looks_like_token(token) ? look_up(a, hash, from, out, refusal)
	                               : unknown(a, from, refusal);
}

enum err auth_token_new(struct auth *a, const struct store_token *about, const char *author,
                        char text[static AUTH_TOKEN_SIZE], uint64_t *id)
{
	if (about->name[0] == '\0' || (about->role == STORE_ADMIN) != (about->provider[0] == '\0'))
		return ERR_RANGE;
	if (strcmp(about->name, "admin") == 0) /* the state folder's, in every history */
		return ERR_EXISTS;

	char token[AUTH_TOKEN_SIZE];
	uint8_t hash[HASH_SIZE];
	make_token(token);
	hash_token(token, strlen(token), hash);
	const enum err e = store_token_add(a->store, about, hash, author, id);
	if (e == ERR_OK)
		memcpy(text, token, sizeof(token));
	sodium_memzero(token, sizeof(token));
	return e;
}

/* NOLINTNEXTLINE(readability-function-size): who, until when, and the two answers */
enum err auth_token_rotate(struct auth *a, const char *name, uint32_t grace_seconds,
                           int64_t expires, const char *author, char text[static AUTH_TOKEN_SIZE],
                           struct store_token *out)
{
	char token[AUTH_TOKEN_SIZE];
	uint8_t hash[HASH_SIZE];
	make_token(token);
	hash_token(token, strlen(token), hash);
	const enum err e = store_token_rotate(
		a->store, name, &(struct store_rotation){ hash, grace_seconds, expires }, author,
		out);
	if (e == ERR_OK)
		memcpy(text, token, sizeof(token));
	sodium_memzero(token, sizeof(token));
	return e;
}

/* ---- passkeys ---- */

static bool is_passkey(const char *s)
{
	static const char good[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
	const size_t n = strspn(s, good);
	return s[n] == '\0' && n >= PASSKEY_MIN && n < AUTH_PASSKEY_SIZE;
}

enum err auth_passkey_new(struct auth *a, struct store_passkey *about, const char *own,
                          const char *author, char text[static AUTH_PASSKEY_SIZE])
{
	char key[AUTH_PASSKEY_SIZE];
	uint8_t secret[PASSKEY_SECRET_SIZE];
	if (about->name[0] == '\0' || (own != NULL && !is_passkey(own)))
		return ERR_RANGE;
	randombytes_buf(secret, sizeof(secret));
	text_hex(secret, sizeof(secret), key);
	if (own != NULL)
		memcpy(key, own, strlen(own) + 1);
	hash_token(key, strlen(key), about->hash); /* as server/tracker does */
	const enum err e = store_passkey_add(a->store, about, author);
	if (e == ERR_OK)
		memcpy(text, key, sizeof(key));
	sodium_memzero(key, sizeof(key));
	return e;
}
