/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the links of all providers carried in a bin, from the traffic matrix (server/store/replay.h): each
 * pair's bytes go along the links of least weight (common/map/ways.h), and those that leave or enter the
 * provider as far as the interconnect they are booked on. So these are bytes of clients, by their announces;
 * other traffic on the links is not known.
 *
 * What has no row of its own because it is small goes the ways of what has, of the same provider, direction
 * and interconnect.
 *
 * Pure: the same rows give the same loads, bit by bit.
 */

#include "common/map/snapshot.h"
#include "server/store/replay.h"

/*
 * `rows` in the order of store_flows(). Fills load_bps[2 * link + direction], 0 from a to b, of all links; of
 * bytes in so many seconds. What the map does not know goes nowhere. ERR_NOMEM.
 */
enum err links_load(const struct map_snapshot *map, const struct store_flow *rows, size_t n,
                    double seconds, double *load_bps) must_check;
