/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The dashboard: static files, put into the binary when it is built (schema/embed.py).
 *
 * The page talks to the API of its own origin and to nothing else. Threading: read only.
 */

#include "common/base/embed.h"

/* The file at "/app.js"; at "/" it is index.html. NULL when there is none. */
const struct embed_file *web_find(const char *path);

/* Its media type. */
const char *web_type(const struct embed_file *file);
