/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * On which line of a JSON text is the place that a pointer (RFC 6901) names?
 *
 * A scan that trusts nothing: for a member that is not there it gives the line of the innermost part
 * that is, and for a text that is no JSON wherever it got lost.
 */

#include <stddef.h>

/* From 1. */
size_t pointer_line(const char *text, size_t size, const char *pointer);
