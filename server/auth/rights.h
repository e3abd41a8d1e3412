/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Who may do what: the one table, which p4pd(8) prints under RIGHTS.
 *
 * A token has one role at one provider, and no right at any other; only an admin is of all. The right to
 * approve is not an operator's: who writes a map is not the one who lets it pass. (Where a provider
 * wants no second person, nobody is asked to approve.)
 *
 * Threading: any thread.
 */

#include "server/store/store.h"

enum auth_right {
	AUTH_VIEW,     /* maps, their versions, interconnects, what crossed them in bytes */
	AUTH_READ,     /* the books: agreements, money, statements, matrix, alarms, exporters */
	AUTH_SAMPLES,  /* post counters */
	AUTH_UPLOAD,   /* documents, agreements, drafts, statements, answers to alarms */
	AUTH_ACTIVATE, /* put a version in force that was before: roll back and forward */
	AUTH_APPROVE,  /* let another's draft pass */
	AUTH_AUDIT,    /* read and verify what was done */
	AUTH_ADMIN     /* tokens, passkeys, access lists, webhooks, claims; of all providers only */
};

struct auth_who {
	char name[65]; /* "admin" or the token's */
	enum store_role role;
	char provider[65]; /* "" for admin: all */
	bool rotated;      /* with the secret of before the last rotation */
};

/* May `who` do that to `provider` (NULL: to all)? */
bool auth_may(const struct auth_who *who, enum auth_right right, const char *provider);
