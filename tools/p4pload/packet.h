/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The client's half of BEP 15: requests of a population, and what is wrong with a reply.
 *
 * Pure. A reply is untrusted: nothing in it is believed before it was checked.
 */

#include "common/codec/udp_tracker.h"
#include "tools/p4pload/population.h"

enum { SCRAPE_COUNT_MAX = 10, REQUEST_MAX = 16 + SCRAPE_COUNT_MAX * INFO_HASH_SIZE };

struct request {
	enum udp_action kind;
	uint32_t client;
	uint32_t transaction;
	uint32_t count; /* hashes of a scrape: its client's swarm and the next ones */
};

/* Writes it and returns its size. `out` has room for REQUEST_MAX bytes. */
size_t packet_write(const struct population *p, const struct request *r, void *out);

enum verdict {
	REPLY_GOOD,
	REPLY_REFUSED,   /* a well-formed error */
	REPLY_MALFORMED, /* not the answer to this request, or of a wrong size */
	REPLY_SELF,      /* a list that names the asker */
	REPLY_DOUBLE,    /* a list that names a peer twice */
	REPLY_TOO_MANY,  /* more peers than were asked for */
	REPLY_STRANGER,  /* a list with peers that never announced in this swarm (in this run) */
	REPLY_KINDS_
};

const char *verdict_name(enum verdict v); /* for reports */

struct reply {
	enum verdict verdict;
	uint64_t connection; /* of a good connect */
	uint32_t peers;      /* listed in an announce */
};

/* Checks shape and, when `lists` is true, every peer. */
struct reply packet_check(struct population *p, const struct request *r, const void *packet,
                          size_t size, bool lists);
