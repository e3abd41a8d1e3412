/* SPDX-License-Identifier: Apache-2.0 */
#include "server/auth/rights.h"

#include <string.h>

#define RIGHT(r) (1U << AUTH_##r)

/* At the token's own provider. */
static const unsigned rights[] = {
	[STORE_ADMIN] = ~0U,
	[STORE_OPERATOR] =
		RIGHT(VIEW) | RIGHT(READ) | RIGHT(SAMPLES) | RIGHT(UPLOAD) | RIGHT(ACTIVATE),
	[STORE_APPROVER] = RIGHT(VIEW) | RIGHT(READ) | RIGHT(ACTIVATE) | RIGHT(APPROVE),
	[STORE_ANALYST] = RIGHT(VIEW) | RIGHT(READ) | RIGHT(SAMPLES),
	[STORE_AUDITOR] = RIGHT(VIEW) | RIGHT(READ) | RIGHT(AUDIT),
	[STORE_VIEWER] = RIGHT(VIEW),
};
_Static_assert(sizeof(rights) / sizeof(rights[0]) == STORE_ROLES, "every role has its line");

bool auth_may(const struct auth_who *who, enum auth_right right, const char *provider)
{
	if (who->role == STORE_ADMIN)
		return true;
	return provider != NULL && strcmp(who->provider, provider) == 0 &&
	       (rights[who->role] & 1U << right) != 0;
}
