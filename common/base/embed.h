/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Files that travel inside the binary: schema/embed.py writes a .c file with one array of these,
 * ending with a NULL name. Whoever builds it declares it: extern const struct embed_file NAME[].
 *
 * Immutable; share freely.
 */

#include <stddef.h>

struct embed_file {
	const char *name;   /* without folders: "0001_documents.sql" */
	const char *sha256; /* 64 lower-case hexadecimal digits; good for an ETag too */
	const unsigned char *bytes;
	size_t size; /* without the NUL that follows */
};
