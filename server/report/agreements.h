/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Ratio policies and contracts on their way into the store: read, checked beside the topology, kept.
 *
 * Threading: any thread; blocks on the database.
 */

#include "server/store/agreements.h"

struct agreement_upload {
	enum store_agreement_kind kind;
	const char *provider, *id; /* the document must say the same */
	const char *body;
	size_t size;
	const char *author;
	const char *expected; /* see struct store_agreement_change */
	bool dry_run;         /* check it, and store nothing */
};

struct agreement_change {
	uint64_t version; /* 0 of a dry run */
	char sha256[65];
	bool unchanged; /* this very document was in force */
};

/*
 * ERR_MALFORMED: `faults` says what is wrong, all of it: by JSON pointer in the document, and what it
 * names that is not there (interconnects of the provider, the time zone). ERR_DENIED: not what was
 * expected. Once it says ERR_OK the agreement survives any crash.
 */
enum err agreement_put(struct store *s, const struct agreement_upload *u,
                       struct agreement_change *change, struct faults *faults) must_check;
