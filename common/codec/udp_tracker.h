/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The UDP tracker protocol (BEP 15): packets to structs and back.
 *
 * Pure: no sockets, no clock, no allocation, no logging. Every length comes from the caller and
 * is checked. Bytes after an announce are BEP 41 options; unknown ones are skipped.
 */

#include "common/codec/announce.h"

#include <stddef.h>

enum {
	UDP_CONNECT_SIZE = 16,
	UDP_ANNOUNCE_SIZE = 98,
	UDP_REPLY_MAX = 1200 /* bytes; above this an IPv6 path may fragment */
};

enum udp_action { UDP_CONNECT = 0, UDP_ANNOUNCE = 1, UDP_SCRAPE = 2, UDP_ERROR = 3 };

/* The first 16 bytes of every request. */
struct udp_head {
	uint64_t connection; /* the magic 0x41727101980 in a connect */
	uint32_t action;     /* enum udp_action, or what the packet says */
	uint32_t transaction;
};

/* ERR_TRUNCATED: fewer than 16 bytes. ERR_MALFORMED: a connect without the magic. */
enum err udp_head_parse(const void *packet, size_t size, struct udp_head *out) must_check;

/*
 * The announce behind the head. An unknown event counts as none; want <= -1 becomes WANT_DEFAULT; a
 * key of which is known that it changes from announce to announce (aria2's) becomes 0, none.
 * ERR_TRUNCATED: fewer than UDP_ANNOUNCE_SIZE bytes. *out is untouched on failure.
 */
enum err udp_announce_parse(const void *packet, size_t size, struct announce *out) must_check;

/*
 * The BEP 41 URL data ("/announce?pk=...") behind an announce, joined from its pieces and
 * NUL-terminated, at most `room` - 1 bytes; returns its length, 0 when there is none.
 */
size_t udp_announce_url(const void *packet, size_t size, char *out, size_t room);

/*
 * The hashes of a scrape: *hashes points into the packet. Bytes of a partial last hash are ignored.
 * ERR_TRUNCATED: none at all. ERR_RANGE: more than SCRAPE_MAX (the first of them are in *hashes).
 */
enum err udp_scrape_parse(const void *packet, size_t size, const uint8_t **hashes,
                          size_t *count) must_check;

/* Replies; each returns the bytes written to `out`, 0 when `room` is too small. */
size_t udp_connect_reply(void *out, size_t room, uint32_t transaction, uint64_t connection);

struct udp_announce_answer {
	uint32_t transaction;
	uint32_t interval; /* seconds */
	uint32_t leechers, seeders;
};

/* Writes the 20-byte head; the peers (6 or 18 bytes each) follow it. */
size_t udp_announce_reply(void *out, size_t room, const struct udp_announce_answer *answer);

struct udp_scrape_row {
	uint32_t seeders, completed, leechers;
};
size_t udp_scrape_reply(void *out, size_t room, uint32_t transaction,
                        const struct udp_scrape_row *rows, size_t count);

/* The text is cut so that the reply is never longer than `room`; no NUL is sent. */
size_t udp_error_reply(void *out, size_t room, uint32_t transaction, const char *text);
