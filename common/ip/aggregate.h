/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Fewer prefixes that say the same: adjacent ones of the same value become one, and those that lie in one
 * of the same value go. lpm_find() answers for every address as before.
 *
 * Pure; allocates only scratch memory.
 */

#include "common/ip/lpm.h"

/*
 * Works in place; *n is how many there were and are. They come out in the order of ip_prefix_compare().
 * Prefixes are those of ip_prefix_parse(), values any. Equal prefixes: the last one given wins. ERR_NOMEM:
 * nothing changed but the order.
 */
enum err ip_aggregate(struct lpm_entry *entries, size_t *n) must_check;
