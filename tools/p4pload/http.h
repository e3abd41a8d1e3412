/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The client's half of the HTTP tracker protocol (BEP 3, 7, 23, 48): requests of a population, and the
 * shape of a response.
 *
 * Pure; a response is untrusted. One is whole when as many bytes came as Content-Length says or, without
 * it, when the connection was closed. Chunked responses are not understood: no tracker sends any.
 */

#include "tools/p4pload/check.h"

enum { HTTP_REQUEST_MAX = 1024, HTTP_RESPONSE_MAX = 32768 };

/* Writes it and returns its size. `out` has room for HTTP_REQUEST_MAX bytes. */
size_t http_write(const struct population *p, const struct request *r, char *out);

struct http_head {
	unsigned status;
	size_t body;   /* where it begins */
	size_t length; /* of the body; SIZE_MAX: until the end */
	bool close;    /* the server says so */
};

/* ERR_TRUNCATED: read on. ERR_MALFORMED: no head of HTTP/1, or a response that is too long. */
enum err http_parse_head(const char *bytes, size_t size, struct http_head *out) must_check;

/* A whole body. Only a scrape of one hash has a row. */
struct answer http_parse_body(const struct request *r, unsigned status, const void *body,
                              size_t size);
