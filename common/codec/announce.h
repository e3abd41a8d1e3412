/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a client says in an announce, whichever protocol carried it (BEP 3, 7, 15, 21).
 *
 * The UDP and the HTTP parser both end here, so that the tracker has one announce to answer.
 */

#include "common/ip/addr.h"

#include <stdbool.h>
#include <stdint.h>

enum { INFO_HASH_SIZE = 20, PEER_ID_SIZE = 20 };

/* Hashes of one scrape that are answered, the first ones (BEP 15). */
enum { SCRAPE_MAX = 74 };

/* The numbers are BEP 15's; 4 is libtorrent's "paused" (BEP 21: a partial seed). */
enum peer_event {
	EVENT_NONE = 0,
	EVENT_COMPLETED = 1,
	EVENT_STARTED = 2,
	EVENT_STOPPED = 3,
	EVENT_PAUSED = 4
};

enum { WANT_DEFAULT = -1 };

struct announce {
	uint8_t info_hash[INFO_HASH_SIZE];
	uint8_t peer_id[PEER_ID_SIZE];
	uint64_t uploaded, downloaded; /* bytes of this session */
	uint64_t left;                 /* bytes; UINT64_MAX when absent or no number: a leecher */
	uint64_t key;                  /* 0: none. 32 bits as in UDP, or a hash of other bytes */
	int32_t want;                  /* WANT_DEFAULT, or how many peers at the most */
	uint16_t port;                 /* may be 0: never handed out then */
	enum peer_event event;
	/* From here on only HTTP tells. */
	uint64_t redundant; /* bytes received twice, which libtorrent leaves out of `downloaded` */
	struct ip_addr claimed; /* ip=; IP_NONE when absent. Believed only from listed proxies */
	bool has_ipv4;          /* ipv4= names an address (BEP 7): it can use that family too */
	bool has_ipv6;          /* the same of ipv6= */
	bool compact;           /* true unless compact=0 (BEP 23) */
	bool no_peer_id;
};
