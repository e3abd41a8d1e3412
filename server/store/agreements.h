/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Agreements of a provider with its neighbours: ratio policies and contracts, as documents. Every
 * version is kept as it was written; the newest is in force; a removal is a version that says so.
 *
 * Errors, ownership and threading: those of server/store/store.h.
 */

#include "server/store/store.h"

enum store_agreement_kind { STORE_POLICY, STORE_CONTRACT };
const char *store_agreement_word(enum store_agreement_kind kind); /* "policy", "contract" */

struct store_agreement {
	char provider[65], id[65];
	enum store_agreement_kind kind;
	uint64_t version; /* of this very one, from 1 */
	char sha256[65];  /* "" of a removal */
	char author[65];  /* the token's name */
	int64_t created;  /* unix seconds */
	bool removed;
	char *document; /* as written, NUL-terminated; NULL of a removal, and in histories */
	size_t size;
};
void store_agreements_free(struct store_agreement *list, size_t count); /* NULL is fine */

struct store_agreement_change {
	enum store_agreement_kind kind;
	const char *provider, *id;
	const char *document; /* NULL: remove it */
	size_t size;
	const char *sha256; /* of the document */
	const char *author;
	const char
		*expected; /* the sha256 that must be in force, "*": any; NULL: does not matter */
};

/*
 * One transaction: new version, audit. ERR_EXISTS: this very document is in force, *version says
 * which. ERR_DENIED: what is in force is not what was expected. ERR_NOT_FOUND: nothing to remove.
 */
enum err store_agreement_change(struct store *s, const struct store_agreement_change *change,
                                uint64_t *version) must_check;

/* A list of one; version 0: the one in force. ERR_NOT_FOUND, of a removal too. */
enum err store_agreement(struct store *s, enum store_agreement_kind kind, const char *provider,
                         const char *id, uint64_t version, struct store_agreement **out) must_check;
/* Those in force, with documents, by provider and id. provider, id NULL: all. */
enum err store_agreements(struct store *s, enum store_agreement_kind kind, const char *provider,
                          const char *id, struct store_agreement **out, size_t *count) must_check;
/* Every version of one, newest first, without documents. */
enum err store_agreement_history(struct store *s, enum store_agreement_kind kind,
                                 const char *provider, const char *id, struct store_agreement **out,
                                 size_t *count) must_check;
