/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * All swarms as a stream for statistics: a full scrape.
 *
 *   CSV         info_hash,seeds,leechers,snatches  (leechers with partial seeds, as scrapes count)
 *   JSON lines  {"info_hash":"...","seeds":1,"leechers":2,"snatches":3}
 *   bencode     the answer to a scrape of everything (BEP 48)
 *
 * Sorted by info-hash, as bencode wants it, which is done in passes over the store: each takes the
 * swarms whose hash begins with its share of the 256 first bytes, about 65,536 of them. So memory is
 * bounded by 2.4 MB for hashes as SHA-1 makes them, at worst by 36 bytes a swarm; no lock is held for
 * more than a slice; and what comes and goes in the meantime may be missing.
 */

#include "common/swarm/swarm.h"
#include "server/api/api.h"

/* ERR_NOMEM. */
enum err swarm_list_start(struct swarm_store *swarms, enum api_swarms format,
                          struct http_stream *out) must_check;
