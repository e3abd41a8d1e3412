/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The query string of an HTTP announce or scrape (BEP 3, 7, 21, 23, 24, 31, 48, 52).
 *
 * Reads the raw, still escaped query, because libraries that decode into C strings lose every
 * info_hash with a NUL byte. '&' and ';' separate; '+' is a plus; a '%' without two hex digits stands for
 * itself, but in an info_hash or a peer_id, where it is an error. A v2 info-hash of 32 bytes is cut to its
 * first 20, which hybrid torrents announce (BEP 52).
 *
 * Pure; faults carry the parameter's name in `where` and a text fit for `failure reason`.
 */

#include "common/codec/announce.h"

#include <stddef.h>

/* Missing or wrong info_hash or peer_id, a repeated info_hash, a port that is no number: a fault. */
enum err query_announce_parse(const char *query, size_t size, struct announce *out,
                              struct fault *fault) must_check;

/* The first info_hash, of whatever else may be malformed; false when there is none or it is bad. */
bool query_info_hash(const char *query, size_t size, uint8_t out[static INFO_HASH_SIZE]);

struct scrape {
	size_t count;
	uint8_t hashes[SCRAPE_MAX][INFO_HASH_SIZE];
};

/* The first SCRAPE_MAX. ERR_NOT_FOUND: no info_hash at all. */
enum err query_scrape_parse(const char *query, size_t size, struct scrape *out,
                            struct fault *fault) must_check;

/* The first parameter of this name that has a value, still escaped and in the query; false: none. */
bool query_find(const char *query, size_t size, const char *name, const char **value,
                size_t *value_size);
