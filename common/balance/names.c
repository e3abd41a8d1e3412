/* SPDX-License-Identifier: Apache-2.0 */
#include "common/balance/names.h"

#include <string.h>

int name_find(const char *const *names, const char *word)
{
	for (int i = 0; names[i] != NULL; i++)
		if (strcmp(names[i], word) == 0)
			return i;
	return -1;
}
