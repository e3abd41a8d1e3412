/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Does a path fit a pattern such as "/v1/providers/{provider}/topology"?
 *
 * A part in braces fits one non-empty segment, which is percent-decoded. A segment that is malformed,
 * holds a NUL or is longer than any name of ours fits nothing.
 */

#include <stdbool.h>

enum { ROUTE_PARTS_MAX = 2, ROUTE_PART_ROOM = 129 };

struct route_parts {
	char part[ROUTE_PARTS_MAX][ROUTE_PART_ROOM]; /* in the order of the pattern */
};

/* *out is untouched when the path does not fit. */
bool route_match(const char *pattern, const char *path, struct route_parts *out);
