/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a .torrent file says that bears on steering: v1, v2 and hybrid (BEP 3 and 52), trackers (BEP 12),
 * web seeds (BEP 19 and 17), DHT nodes (BEP 5) and the private flag (BEP 27).
 *
 * The bytes are untrusted. A file that clients could read in two ways (keys unsorted or twice, pieces that
 * do not fit the size, two halves of a hybrid that differ) is refused: they would disagree about what the
 * torrent is, and its info-hash.
 *
 * Ownership: what is read points into the caller's bytes; torrent_done() frees the list of links.
 */

#include "common/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	TORRENT_SIZE_MAX = 64 << 20, /* bytes of the file */
	TORRENT_LINKS_MAX = 10000
};

enum torrent_link_kind { LINK_TRACKER, LINK_WEB_SEED, LINK_HTTP_SEED, LINK_DHT_NODE };

struct torrent_link {
	enum torrent_link_kind kind;
	const uint8_t *url; /* of a node: its host */
	size_t size;
	unsigned tier; /* of a tracker, from 1; 0: an "announce" that "announce-list" overrules */
	uint16_t port; /* of a node */
};

struct torrent {
	const uint8_t *name;
	size_t name_size;
	bool v1, v2;
	uint8_t v1_hash[20], v2_hash[32]; /* on the wire v2's first 20 bytes are used */
	uint64_t size, n_files;           /* without what only pads */
	uint64_t piece_length, n_pieces;
	bool private;         /* "private" in info is 1 */
	bool private_odd;     /* it is there and neither 0 nor 1 */
	bool private_outside; /* there is one beside info, where no client looks */
	struct torrent_link *links;
	size_t n_links;
};

/*
 * Reads a whole file. A fault's `where` is a JSON pointer, *byte the offset there. ERR_TRUNCATED,
 * ERR_MALFORMED, ERR_RANGE or ERR_NOMEM: *out needs no torrent_done().
 */
enum err torrent_read(const void *bytes, size_t size, struct torrent *out, struct fault *fault,
                      size_t *byte) must_check;

void torrent_done(struct torrent *t);
