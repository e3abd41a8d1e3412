/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Copies of the documents in force, in the state folder: "maps/PROVIDER.KIND.VERSION.json".
 *
 * A copy is written beside its predecessor, fsynced, renamed into place, and only then is the
 * predecessor removed, so that a crash leaves one or both, never none.
 */

#include "server/store/store.h"

/* Makes the folder when it is missing. */
enum err maps_files_open(const char *state_dir, struct fault *fault) must_check;

enum err maps_files_write(const char *state_dir, const struct store_document *d,
                          struct fault *fault) must_check;
void maps_files_remove(const char *state_dir, const char *provider, enum store_kind kind);

/* Calls `each` with every copy, newest version of each provider and kind only. */
typedef void maps_files_each(void *ctx, const struct store_document *d);
enum err maps_files_read(const char *state_dir, maps_files_each *each, void *ctx,
                         struct fault *fault) must_check;
