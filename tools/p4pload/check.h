/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What is asked of a tracker, what it answers, and what is wrong with the answer, whichever protocol
 * carried both.
 *
 * Pure. An answer is untrusted: nothing in it is believed before it was checked.
 */

#include "common/codec/udp_tracker.h"
#include "tools/p4pload/population.h"

enum { SCRAPE_COUNT_MAX = 10 };

struct request {
	enum udp_action kind; /* of HTTP requests, too */
	uint32_t client;
	uint32_t transaction;
	uint32_t count; /* hashes of a scrape: its client's swarm and the next ones */
	enum peer_event event;
	bool seeder;   /* what the client says it is */
	uint64_t sent; /* when; nanoseconds */
	uint32_t mark; /* the swarm's answered changes then */
};

enum verdict {
	REPLY_GOOD,
	REPLY_REFUSED,   /* a well-formed error */
	REPLY_MALFORMED, /* not the answer to this request, or of a wrong size */
	REPLY_SELF,      /* a list that names the asker */
	REPLY_DOUBLE,    /* a list that names a peer twice */
	REPLY_TOO_MANY,  /* more peers than were asked for */
	REPLY_EMPTY,     /* nobody, though others are there that have what the asker needs */
	REPLY_STRANGER,  /* a list with peers that never announced in this swarm (in this run) */
	REPLY_GONE,      /* a list with a peer whose leaving was answered before */
	REPLY_COUNTS,    /* other numbers of seeders and leechers than there are */
	REPLY_KINDS_
};

const char *verdict_name(enum verdict v); /* for reports */

/* An answer as its protocol's parser left it; `lists` and `rows` point into the packet. */
struct answer {
	enum verdict shape;         /* REPLY_GOOD, REPLY_REFUSED or REPLY_MALFORMED */
	uint64_t connection;        /* of a connect */
	uint32_t seeders, leechers; /* of an announce */
	const uint8_t *lists[2];    /* IPv4 (6 bytes a peer), IPv6 (18) */
	size_t sizes[2];            /* in bytes */
	struct udp_scrape_row rows[SCRAPE_COUNT_MAX];
	uint32_t n_rows; /* of a scrape */
};

uint32_t answer_peers(const struct answer *a); /* in both lists */

/* Looks at the shape and, when `all` is true, at every peer and count. */
enum verdict check_answer(struct population *p, const struct request *r, const struct answer *a,
                          bool all);
