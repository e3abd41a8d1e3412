/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Arena: memory that lives and dies together (one request, one compiled map).
 *
 * Ownership: everything handed out belongs to the arena; there is no single free.
 * Threading: an arena belongs to one thread at a time.
 */

#include <stddef.h>

struct arena;

/* NULL when out of memory. */
struct arena *arena_new(size_t first_block);

/* Zeroed and aligned for any type. NULL when out of memory. */
void *arena_take(struct arena *a, size_t size);

void arena_reset(struct arena *a); /* forgets everything, keeps the first block */
void arena_free(struct arena *a);  /* NULL is fine */
