/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A file of VRPs: has it changed, what does it hold, is it fresh?
 */

#include "common/rights/vrp.h"

#include <time.h>

/* By which a file is known to be another than the one read last. All zero: none. */
struct vrp_mark {
	uint64_t device, inode, size;
	struct timespec changed;
};

/* All zero when there is no such file. */
struct vrp_mark vrp_file_mark(const char *path);
bool vrp_mark_same(const struct vrp_mark *a, const struct vrp_mark *b);

/*
 * *made: by its metadata, else when it was written. ERR_SYSTEM: it cannot be read. ERR_RANGE: it is
 * older than `max_age` seconds (0: no limit), or no longer valid by its own word. ERR_MALFORMED,
 * ERR_NOMEM. The fault is the first of them, and says how many more there are.
 */
enum err vrp_file_read(const char *path, int64_t now, uint64_t max_age, struct vrp_table **out,
                       int64_t *made, struct fault *fault) must_check;
