/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What differs between two JSON documents, one line each, as an operator would say it:
 *
 *   - pids[a-east].prefixes: "10.1.0.0/16"
 *   + pids[a-west]: {"pid":"a-west"}
 *   ~ links[east-core].weight: 10 -> 20
 *
 * Lists of objects are matched by their "pid" or "id", lists of anything else are sets: the order of
 * a map document means nothing.
 */

#include "common/base/text.h"

struct json_t;

/* Returns how many lines were put. */
size_t diff_print(struct json_t *before, struct json_t *after, struct text *out);
