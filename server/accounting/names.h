/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Names of places as small numbers that outlive a snapshot: a place's number changes with the map,
 * its key ("pid:isp-a/a-east") does not. Number 0 is "", the unknown place.
 *
 * Threading: one thread.
 */

#include "common/base/err.h"

#include <stdint.h>

enum { NAMES_MAX = 1 << 20 };

struct names;

struct names *names_new(void);      /* NULL when out of memory */
void names_free(struct names *all); /* NULL is fine */

/* ERR_BUSY: NAMES_MAX are known. ERR_NOMEM. */
enum err names_put(struct names *all, const char *key, uint32_t *out) must_check;
const char *names_key(const struct names *all, uint32_t name); /* `name` must exist */
size_t names_count(const struct names *all);
