/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What TLS adds to a lane: certificates tried before they are put in force, and the clients'. Private to
 * server/net, and the only home of GnuTLS.
 */

#include "common/base/err.h"

#include <stdbool.h>
#include <stdint.h>

/* TLS 1.2 and 1.3: those before are deprecated (RFC 8996). For libmicrohttpd. */
extern const char tls_priorities[];

/*
 * ERR_MALFORMED when the first two are no certificate ("tls_certificate"), or the third is no list of
 * authorities ("client_ca"; NULL: none). A NULL `certificate` is fine: no TLS.
 */
enum err tls_try(const char *certificate, const char *key, const char *client_ca,
                 struct fault *fault) must_check;

/* When the first certificate of a PEM file ends, in unix seconds; INT64_MAX: it is none. */
int64_t tls_end(const char *certificate);

/*
 * Has the other end of this libmicrohttpd connection shown a certificate that is valid now, for clients
 * (extended key usage), and signed by one of `client_ca`?
 */
struct MHD_Connection;
bool tls_client_is_known(struct MHD_Connection *connection);
