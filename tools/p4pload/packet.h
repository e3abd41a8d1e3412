/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The client's half of BEP 15: requests of a population, and the shape of a reply.
 *
 * Pure; a reply is untrusted.
 */

#include "tools/p4pload/check.h"

enum { REQUEST_MAX = 16 + SCRAPE_COUNT_MAX * INFO_HASH_SIZE };

/* Writes it and returns its size. `out` has room for REQUEST_MAX bytes. */
size_t packet_write(const struct population *p, const struct request *r, void *out);

/* `family` is that of the socket, and so of the peers listed. The answer points into `packet`. */
struct answer packet_parse(const struct request *r, enum ip_family family, const void *packet,
                           size_t size);

/* What a client says in an announce, for HTTP, too. */
struct statement {
	uint8_t peer_id[PEER_ID_SIZE];
	uint64_t moved; /* bytes, up and down */
	uint64_t left;
	uint32_t key;
};
struct statement packet_statement(const struct population *p, const struct request *r);
