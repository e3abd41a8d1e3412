/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a request's headers say of its body, and whether a proxy before us may see the body's end elsewhere
 * (RFC 9112, sections 6.3 and 11.2): what one of the two takes for a body, the other takes for a request.
 * Private to server/net.
 */

#include <stdbool.h>
#include <stddef.h>

struct MHD_Connection;

struct framing {
	const char *end;    /* of what was read: the version, then each value */
	const char *length; /* NULL: not said */
	bool in_a_row;      /* headers stand one behind the other, as they came */
	bool old;           /* HTTP/1.0 */
	bool coded;         /* comes in chunks */
	bool awaited;       /* waits to be asked for */
	bool unsafe;        /* its end is in doubt */
};

/* `method` and `version` as the handler of requests got them; before anything is taken of the body. */
void framing_read(struct MHD_Connection *connection, const char *method, const char *version,
                  struct framing *out);

/* Bytes of the body. SIZE_MAX: it comes in chunks, or is longer than can be. */
size_t framing_declared(const struct framing *f);
