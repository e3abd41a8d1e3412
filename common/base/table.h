/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Names to numbers: a hash table from strings to uint32_t, for PID names, interconnect ids and
 * providers while a map is checked or compiled.
 *
 * Open addressing, at most half full. Keys are borrowed: they must outlive the table.
 *
 * Threading: one thread writes; many may read once nobody writes.
 */

#include "common/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct table;

struct table *table_new(size_t expected); /* NULL when out of memory */
void table_free(struct table *t);         /* NULL is fine */

/*
 * Adds `key`. When it is there already, ERR_EXISTS, *value_there (NULL is allowed) gets the value
 * it has, and nothing changes. ERR_NOMEM: nothing changed.
 */
enum err table_add(struct table *t, const char *key, uint32_t value,
                   uint32_t *value_there) must_check;

/* Changes nothing and returns false when `key` is unknown. */
bool table_find(const struct table *t, const char *key, uint32_t *out);

size_t table_count(const struct table *t);
