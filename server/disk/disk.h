/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Files that survive a crash: read whole, replaced whole.
 *
 * Errors carry the path and the system's reason. Threading: any thread; two writers of one path
 * must not meet.
 */

#include "common/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Replaces `dir`/`name`: written beside it, fsynced, renamed, the folder fsynced. A crash leaves the
 * old file or the new one, never half of one. `mode`: 0600 for secrets.
 */
enum err disk_replace(const char *dir, const char *name, unsigned mode, const void *bytes,
                      size_t size, struct fault *fault) must_check;

/* The whole file and a NUL behind it. ERR_NOT_FOUND (no fault set). free() the bytes. */
enum err disk_read(const char *dir, const char *name, char **out, size_t *size,
                   struct fault *fault) must_check;

/* Unix seconds of its last change of any kind: to copy a file, or to put it back, is one. ERR_SYSTEM. */
enum err disk_changed(const char *dir, const char *name, int64_t *out,
                      struct fault *fault) must_check;

/* Removes `dir`/`name`, for good: a crash does not bring it back. */
enum err disk_remove(const char *dir, const char *name, struct fault *fault) must_check;

/* Makes a folder; one that is there already is fine. */
enum err disk_folder(const char *dir, unsigned mode, struct fault *fault) must_check;
