/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A state folder of its own for each test, in memory where that is possible: nobody waits for fsync. */
#include "common/base/err.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char folder[64];

static inline int folder_make(void **state)
{
	(void)state;
	(void)snprintf(folder, sizeof(folder), "%s/p4pd-test-XXXXXX",
	               access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	return mkdtemp(folder) != NULL ? 0 : -1;
}

static inline int folder_remove_one(const char *path, const struct stat *st, int kind,
                                    struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

static inline int folder_remove(void **state)
{
	(void)state;
	return nftw(folder, folder_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}
