/* SPDX-License-Identifier: Apache-2.0 */
#include "server/store/store.h"

#include <string.h>

static const char *const roles[] = {
	[STORE_ADMIN] = "admin",     [STORE_OPERATOR] = "operator", [STORE_APPROVER] = "approver",
	[STORE_ANALYST] = "analyst", [STORE_AUDITOR] = "auditor",   [STORE_VIEWER] = "viewer",
};

const char *store_role_name(enum store_role role)
{
	return roles[role];
}

bool store_role_find(const char *name, enum store_role *out)
{
	for (enum store_role r = STORE_ADMIN; r < STORE_ROLES; r++) {
		if (strcmp(name, roles[r]) == 0) {
			*out = r;
			return true;
		}
	}
	return false;
}
