/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The hash tree of a file in a v2 torrent (BEP 52): SHA-256 over blocks of 16 KiB, in pairs up to a root.
 * What is missing to a power of two counts as leaves of 32 zero bytes.
 */

#include <stddef.h>
#include <stdint.h>

enum { MERKLE_BLOCK = 16384, MERKLE_HASH = 32 };

/* Levels between `n` hashes and their root. */
unsigned merkle_levels(uint64_t n);

/*
 * The root `levels` above the first `n` of `hashes`, which are overwritten; `pad` stands for each that is
 * missing. n = 0 is all pads.
 */
void merkle_root(uint8_t (*hashes)[MERKLE_HASH], size_t n, const uint8_t pad[static MERKLE_HASH],
                 unsigned levels, uint8_t out[static MERKLE_HASH]);
